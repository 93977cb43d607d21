//! The realms of a router worker: names, options, stores and roles.

use super::super::source::{Located, Place};
use super::item::{Field, Item, Scope};
use super::node::Node;
use super::toml_text::{TomlText, inline, quoted};

/// A realm.
pub(super) struct Realm<'n> {
    place: Place,
    pub(super) name: Located<String>,
    is_strict: bool,
    has_meta_api: bool,
    history: Vec<HistoryRule>,
    pub(super) roles: Vec<Role<'n>>,
}

/// A role.
pub(super) struct Role<'n> {
    place: Place,
    pub(super) name: Located<String>,
    rules: Rules<'n>,
}

/// What a role may do.
enum Rules<'n> {
    Permissions(Vec<Field<'n>>),
    Authorizer(Located<String>),
    Everything,
    Nothing,
}

/// A topic, or a pattern of topics, of which events are kept.
struct HistoryRule {
    place: Place,
    topic: String,
    match_policy: &'static str,
    limit: u64,
}

/// How many events Crossbar.io keeps where nothing is said.
const HISTORY_LIMIT_DEFAULT: u64 = 100;
const MATCH_POLICIES: [(&str, &str); 3] = [
    ("exact", "exact"),
    ("prefix", "prefix"),
    ("wildcard", "wildcard"),
];
/// The role of clients that have not proven anything, where nothing else is said.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Reads one of `realms`.
pub(super) fn read<'n>(mut item: Item<'n>) -> Option<Realm<'n>> {
    item.know("id");
    let name = item.required_text("name");
    let (mut is_strict, mut has_meta_api) = (false, true);
    if let Some(mut options) = item.item("options") {
        let checks = [("strict", true), ("loose", false)];
        is_strict = options
            .word("uri_check", &checks)
            .is_some_and(|it| it.value);
        has_meta_api = options.flag("enable_meta_api").is_none_or(|it| it.value);
        options.ignore("bridge_meta_api", "there is no other realm to bridge to");
        options.ignore(
            "event_dispatching_chunk_size",
            "events are sent without such a size",
        );
        options.end();
    }
    item.ignore(
        "inventory",
        "there are no types by which payloads are validated",
    );
    let history = item.item("store").map(store).unwrap_or_default();
    let roles: Vec<_> = item.items("roles").into_iter().filter_map(role).collect();
    if !has_meta_api {
        without_meta_api(&roles, item.scope);
    }
    let place = item.place().clone();
    item.end_unchecked();
    Some(Realm {
        place,
        name: name?,
        is_strict,
        has_meta_api,
        history,
        roles,
    })
}

fn store(mut item: Item<'_>) -> Vec<HistoryRule> {
    let kind = item.required_text("type");
    if let Some(kind) = kind.filter(|kind| kind.value != "memory") {
        let text = format!(
            "a store of the kind {:?} cannot be taken over: events are kept in memory, or for all \
             realms in a directory (the key store of the router's own configuration)",
            kind.value
        );
        item.scope.refuse(kind.place(), text);
        item.forget();
        return Vec::new();
    }
    let limit = item
        .number("limit")
        .map_or(HISTORY_LIMIT_DEFAULT, |it| it.value);
    let why = "calls above the concurrency of a registration always wait in a line";
    item.ignore("call-queue", why);
    let mut rules = Vec::new();
    for mut rule in item.items("event-history") {
        let topic = rule.required_text("uri");
        let match_policy = rule.word("match", &MATCH_POLICIES);
        let limit = rule.number("limit").map_or(limit, |it| it.value);
        rules.extend(topic.map(|topic| HistoryRule {
            place: topic.place,
            topic: topic.value,
            match_policy: match_policy.map_or("exact", |it| it.value),
            limit,
        }));
        rule.end();
    }
    item.end();
    rules
}

fn role<'n>(mut item: Item<'n>) -> Option<Role<'n>> {
    item.know("id");
    let name = item.required_text("name");
    item.ignore("features", "what a client can do it says itself");
    let everything = item.flag("allow-by-default").is_some_and(|it| it.value);
    let authorizer = item.text("authorizer");
    let has_permissions = item.field("permissions").is_some();
    if has_permissions && authorizer.is_some() {
        item.problem("a role has either permissions or an authorizer");
    }
    let rules = match authorizer {
        Some(authorizer) => Rules::Authorizer(authorizer),
        None if has_permissions => Rules::Permissions(permissions(&mut item)),
        None if everything => Rules::Everything,
        None => Rules::Nothing,
    };
    let place = item.place().clone();
    item.end_unchecked();
    Some(Role {
        place,
        name: name?,
        rules,
    })
}

fn permissions<'n>(item: &mut Item<'n>) -> Vec<Field<'n>> {
    let fields = item.fields("permissions");
    for field in &fields {
        if let Some(validate) = field.node.get("validate") {
            let place = field.place.inner(validate.offset, "validate");
            let text = "payloads are not validated here, so that wrong ones would pass";
            item.scope.refuse(&place, text);
        }
        if inline(field.node).is_none() {
            item.scope
                .refuse(&field.place, "a permission with null in it");
        }
    }
    fields
}

/// Warns of the roles to which the meta API stays open.
fn without_meta_api(roles: &[Role<'_>], scope: &Scope<'_>) {
    for role in roles {
        match role.rules {
            Rules::Authorizer(_) | Rules::Everything => {
                let text = "the meta API stays, and whether it may be called is up to this role";
                scope.source.warn_at(&role.place, text);
            }
            Rules::Permissions(_) | Rules::Nothing => {}
        }
    }
}

impl Realm<'_> {
    /// Writes the realm, but for who may join it; `is_open` says that anybody may.
    pub(super) fn write(&self, is_open: bool, out: &mut TomlText) {
        out.header(&self.place, "[[realms]]");
        out.set(self.name.place(), "name", quoted(&self.name.value));
        if self.is_strict {
            out.set(&self.place, "uri_grammar", quoted("strict"));
        }
        // Crossbar.io lets everybody take over a registration who may register the procedure.
        out.set(&self.place, "force_reregister", quoted("everybody"));
        self.write_history(out);
        for role in &self.roles {
            role.write(self.has_meta_api, out);
        }
        let has_anonymous = self.role(ANONYMOUS);
        if self.roles.is_empty() || (is_open && !has_anonymous) {
            out.header(&self.place, "[[realms.roles]]");
            out.comment(
                "Clients get this role, which the realm does not have: they may do nothing.",
            );
            out.set(&self.place, "name", quoted(ANONYMOUS));
        }
    }

    /// Whether the realm has a role of this name.
    pub(super) fn role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.name.value == name)
    }

    fn write_history(&self, out: &mut TomlText) {
        if self.history.is_empty() {
            return;
        }
        out.header(&self.place, "[realms.event_history]");
        out.line(&self.place, "rules = [");
        for rule in &self.history {
            let line = format!(
                "    {{ topic = {}, match = {}, events_per_topic_max = {} }},",
                quoted(&rule.topic),
                quoted(rule.match_policy),
                rule.limit
            );
            out.line(&rule.place, line);
        }
        out.line(&self.place, "]");
    }
}

impl Role<'_> {
    fn write(&self, has_meta_api: bool, out: &mut TomlText) {
        out.header(&self.place, "[[realms.roles]]");
        out.set(self.name.place(), "name", quoted(&self.name.value));
        match &self.rules {
            Rules::Nothing => {}
            Rules::Authorizer(authorizer) => {
                out.set(authorizer.place(), "authorizer", quoted(&authorizer.value));
            }
            Rules::Everything => {
                let allow = "call = true, register = true, publish = true, subscribe = true";
                let line = format!("[{{ uri = \"*\", allow = {{ {allow} }} }}]");
                out.set(&self.place, "permissions", line);
            }
            Rules::Permissions(permissions) => {
                self.write_permissions(permissions, has_meta_api, out);
            }
        }
    }

    fn write_permissions(&self, permissions: &[Field<'_>], has_meta_api: bool, out: &mut TomlText) {
        out.line(&self.place, "permissions = [");
        for permission in permissions {
            // What cannot be written is no permission either, and named where it is read.
            let line = inline(permission.node).unwrap_or_else(|| "{}".to_owned());
            out.line(&permission.place, format!("    {line},"));
        }
        let is_meta = |it: &Field<'_>| {
            let uri = it.node.get("uri").and_then(Node::text);
            uri.is_some_and(|uri| uri.starts_with("wamp."))
        };
        if !has_meta_api && !permissions.iter().any(is_meta) {
            out.line(&self.place, "    # The realm has no meta API.");
            let line = "    { uri = \"wamp.\", match = \"prefix\", allow = {} },";
            out.line(&self.place, line);
        }
        out.line(&self.place, "]");
    }
}
