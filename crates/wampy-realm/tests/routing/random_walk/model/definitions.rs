//! Interface reflection: what sessions say about procedures, topics and errors, and what there is.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::registrations::rank;
use super::{Model, is_large, large_within};
use crate::simulated::Client;

/// What a definition is about.
#[derive(Clone, PartialEq)]
pub struct Subject {
    pub kind: &'static str,
    pub uri: &'static str,
    pub policy: MatchPolicy,
}

/// All definitions stand in the order in which they were made.
pub struct Definition {
    by: Client,
    subject: Subject,
    doc: Json,
}

impl Subject {
    fn describe(&self) -> Json {
        json!({"uri": self.uri, "kind": self.kind, "match": self.policy.as_str()})
    }
}

impl Model {
    /// What is said of a subject: the oldest definition counts.
    fn said(&self, subject: &Subject) -> Option<Json> {
        let mut all = self.definitions.iter();
        all.find(|it| it.subject == *subject)
            .map(|it| it.doc.clone())
    }

    /// Who has defined something.
    pub fn defining(&self) -> Vec<Client> {
        self.definitions.iter().map(|it| it.by).collect()
    }

    /// What a session has defined.
    pub fn defined_by(&self, client: Client) -> Vec<Subject> {
        let own = self.definitions.iter().filter(|it| it.by == client);
        own.map(|it| it.subject.clone()).collect()
    }

    /// `wamp.reflect.define`
    pub fn define(&mut self, client: Client, request: u64, subject: &Subject, doc: Json) {
        let &Subject { kind, uri, policy } = subject;
        let refuse = |model: &mut Self, error| model.expect_error(client, 48, request, error);
        if kind == "error" && policy != MatchPolicy::Exact {
            return refuse(self, "invalid_argument");
        }
        if self.is_malformed(uri) || uri.starts_with("wamp.") {
            return refuse(self, "invalid_uri");
        }
        let own = self.definitions.iter().filter(|it| it.by == client);
        let others: Vec<_> = own.clone().filter(|it| it.subject != *subject).collect();
        let is_new = others.len() == own.count();
        let large = others.iter().filter(|it| is_large(&it.doc)).count();
        let too_large = large + usize::from(is_large(&doc))
            > large_within(self.config.definition_bytes_per_session_max);
        if (is_new && others.len() >= self.config.definitions_per_session_max) || too_large {
            self.note("there was no room for a definition");
            return refuse(self, "not_authorized");
        }
        let before = self.said(subject);
        let mut all = self.definitions.iter_mut();
        match all.find(|it| it.by == client && it.subject == *subject) {
            Some(definition) => definition.doc = doc,
            None => self.definitions.push(Definition {
                by: client,
                subject: subject.clone(),
                doc,
            }),
        }
        let session = self.session(client).id;
        self.announce_definition(session, subject, before.as_ref());
        self.expect(client, json!([50, request, {}]));
    }

    /// `wamp.reflect.define` with null: takes back what a session has defined.
    pub fn undefine(
        &mut self,
        client: Client,
        request: u64,
        uri: &str,
        kind: Option<&str>,
        policy: Option<MatchPolicy>,
    ) {
        let session = self.session(client).id;
        let mut taken = Vec::new();
        for one_kind in ["procedure", "topic", "error"] {
            for one_policy in MatchPolicy::ALL {
                let wanted = kind.is_none_or(|kind| kind == one_kind)
                    && policy.is_none_or(|policy| policy == one_policy);
                let mut all = self.definitions.iter();
                let found = all.position(|it| {
                    let subject = &it.subject;
                    it.by == client
                        && (subject.kind, subject.uri, subject.policy)
                            == (one_kind, uri, one_policy)
                });
                if let Some(at) = found.filter(|_| wanted) {
                    let mut later = self.definitions[at + 1..].iter();
                    let has_later = later.by_ref().filter(|it| it.by == client).count() > 1;
                    if has_later {
                        self.note("a definition was taken back before later ones");
                    }
                    taken.push(self.remove_definition(at));
                }
            }
        }
        for (subject, before) in taken {
            self.announce_definition(session, &subject, before.as_ref());
        }
        self.expect(client, json!([50, request, {}]));
    }

    /// Takes a definition away: what it was about, and what was said of that before.
    fn remove_definition(&mut self, at: usize) -> (Subject, Option<Json>) {
        let before = self.said(&self.definitions[at].subject);
        (self.definitions.remove(at).subject, before)
    }

    /// The definitions of a session that is gone go, the newest first.
    pub fn remove_definitions_of(&mut self, client: Client) -> Vec<(Subject, Option<Json>)> {
        let mut taken = Vec::new();
        while let Some(at) = self.definitions.iter().rposition(|it| it.by == client) {
            taken.push(self.remove_definition(at));
        }
        taken
    }

    /// Says what is said of a subject now, if that is something else than before.
    pub fn announce_definition(&mut self, session: u64, subject: &Subject, before: Option<&Json>) {
        let now = self.said(subject);
        if now.as_ref() == before {
            return;
        }
        let mut details = subject.describe();
        let topic = match now {
            Some(doc) => {
                details["doc"] = doc;
                "reflect.on_define"
            }
            None => "reflect.on_undefine",
        };
        self.note("what was said of something changed");
        self.meta_event(topic, json!([session, details]));
    }

    /// Whether a session may know of something: if it may do anything with all of it.
    fn sees(&self, client: Client, kind: &str, uri: &str, policy: MatchPolicy) -> bool {
        let actions = match kind {
            "procedure" => ["call", "register"],
            "topic" => ["subscribe", "publish"],
            _ => return true,
        };
        let session = self.session(client);
        let allowed = |action: &&str| !self.is_forbidden(session, action, uri, policy);
        actions.iter().any(allowed)
    }

    /// `wamp.reflection.<kind>.list`
    pub fn reflection_list(&self, client: Client, kind: &str) -> Json {
        let mut found = BTreeSet::new();
        let defined = self.definitions.iter().map(|it| &it.subject);
        let defined = defined.filter(|it| it.kind == kind);
        found.extend(defined.map(|it| (it.policy, it.uri)));
        let live = self.live(kind);
        found.extend(live.iter().map(|(uri, policy, _)| (*policy, &**uri)));
        let lists = MatchPolicy::ALL.map(|policy| {
            let uris = found.iter().filter(|it| it.0 == policy);
            let uris = uris.filter(|it| !it.1.starts_with("wamp"));
            let uris = uris.filter(|it| self.sees(client, kind, it.1, policy));
            (policy.as_str().to_owned(), uris.map(|it| it.1).collect())
        });
        Json::Object(lists.into_iter().collect())
    }

    /// What there is of a kind at this moment.
    fn live(&self, kind: &str) -> Vec<(String, MatchPolicy, Json)> {
        let registrations = self.registrations.iter().map(|it| {
            let live = json!({
                "registration": it.id, "invoke": it.invoke, "callees": it.callees.len(),
            });
            (it.uri.to_owned(), it.policy, live)
        });
        let subscriptions = self.subscriptions.iter().map(|it| {
            let live = json!({"subscription": it.id, "subscribers": it.members.len()});
            (it.uri.to_owned(), it.policy, live)
        });
        match kind {
            "procedure" => registrations.collect(),
            "topic" => subscriptions.collect(),
            _ => Vec::new(),
        }
    }

    /// `wamp.reflection.<kind>.describe`: without a policy, of what a call or publication of the URI is
    /// about.
    pub fn description(
        &self,
        client: Client,
        kind: &str,
        uri: &str,
        policy: Option<MatchPolicy>,
    ) -> Json {
        let live = self.live(kind);
        let defined = self.definitions.iter().map(|it| &it.subject);
        let defined = defined.filter(|it| it.kind == kind);
        let defined: Vec<_> = defined.map(|it| (it.uri, it.policy)).collect();
        let live_names = live.iter().map(|(uri, policy, _)| (&**uri, *policy));
        let all = || live_names.clone().chain(defined.iter().copied());
        let best = |patterns: &mut dyn Iterator<Item = (&'_ str, MatchPolicy)>| {
            let matching = patterns.filter(|(pattern, policy)| policy.matches(pattern, uri));
            let best = matching.max_by_key(|&(pattern, policy)| rank(pattern, policy));
            best.map(|(pattern, policy)| (pattern.to_owned(), policy))
        };
        let is_exact = all().any(|it| it == (uri, MatchPolicy::Exact));
        let found = match policy {
            Some(policy) => Some((uri.to_owned(), policy)),
            None if is_exact => Some((uri.to_owned(), MatchPolicy::Exact)),
            None if kind == "procedure" => {
                best(&mut live_names.clone()).or_else(|| best(&mut defined.iter().copied()))
            }
            None => best(&mut defined.iter().copied()),
        };
        let is_seen = |(uri, policy): &(String, MatchPolicy)| {
            !uri.starts_with("wamp") && self.sees(client, kind, uri, *policy)
        };
        let Some((uri, policy)) = found.filter(is_seen) else {
            return Json::Null;
        };
        let mut definitions = self.definitions.iter();
        let said = definitions.find(|it| {
            let subject = &it.subject;
            (subject.kind, subject.uri, subject.policy) == (kind, &*uri, policy)
        });
        let live = live.into_iter().find(|it| (&it.0, it.1) == (&uri, policy));
        if said.is_none() && live.is_none() {
            return Json::Null;
        }
        let mut description = json!({"uri": uri, "kind": kind, "match": policy.as_str()});
        if let Some((.., live)) = live {
            description["live"] = live;
        }
        if let Some(definition) = said {
            description["doc"] = definition.doc.clone();
        }
        description
    }
}
