//! Who may join: the `auth` of a transport, as the `authentication` of each realm.
//!
//! Crossbar.io has principals for each transport, our router users for each realm. So a method must be
//! the same wherever it is offered, and a principal is a user of every realm that has its role; but a
//! port may offer some methods only. Deliberately absent: authentication by Python functions and by
//! trust roots, which have no counterpart.

use std::collections::BTreeMap;

use super::super::source::{Located, Place};
use super::item::{Field, Item, Scope};
use super::principal::{self, User};
use super::realm::{ANONYMOUS, Realm};
use super::toml_text::{TomlText, list, quoted};
use super::transport::Door;

/// What all transports say about who may join.
pub(super) struct Auth<'n> {
    pub(super) scope: &'n Scope<'n>,
    place: Place,
    anonymous_role: Option<Located<String>>,
    has_cookie: bool,
    /// The methods that were read, by the names that they have there.
    methods: BTreeMap<&'static str, Field<'n>>,
    /// The methods by which a procedure is asked.
    dynamic: Vec<(&'static str, Place)>,
    /// Methods of the file alone that a procedure would check itself.
    checked_here: Vec<Place>,
    authenticator: Option<Authenticator>,
    pub(super) users: BTreeMap<String, User>,
}

/// A procedure that knows users.
#[derive(Debug, Clone)]
struct Authenticator {
    procedure: Located<String>,
    realm: Option<Located<String>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Static,
    Dynamic,
    Function,
}

const KINDS: [(&str, Kind); 3] = [
    ("static", Kind::Static),
    ("dynamic", Kind::Dynamic),
    ("function", Kind::Function),
];

/// The methods by which a principal proves something, as Crossbar.io and our router call them.
const METHODS: [(&str, &str); 5] = [
    ("ticket", "ticket"),
    ("wampcra", "wampcra"),
    ("scram", "wamp-scram"),
    ("cryptosign", "cryptosign"),
    ("tls", "tls"),
];

/// Methods whose proof a procedure checks itself: what it answers lets the client in.
const CHECKED_BY_PROCEDURE: [&str; 2] = ["ticket", "tls"];

impl<'n> Auth<'n> {
    pub(super) fn new(scope: &'n Scope<'n>, place: Place) -> Self {
        Self {
            scope,
            place,
            anonymous_role: None,
            has_cookie: false,
            methods: BTreeMap::new(),
            dynamic: Vec::new(),
            checked_here: Vec::new(),
            authenticator: None,
            users: BTreeMap::new(),
        }
    }

    /// Takes what a door says; returns the methods that it offers, as our router calls them.
    pub(super) fn door(&mut self, door: &Door<'n>, sets_cookie: bool) -> Vec<&'static str> {
        let Some(field) = &door.auth else {
            self.anonymous_as(Located {
                value: ANONYMOUS.to_owned(),
                place: door.place.clone(),
            });
            return vec!["anonymous"];
        };
        let Some(mut item) = self.scope.item(field.clone()) else {
            return Vec::new();
        };
        let mut offered = Vec::new();
        if let Some(anonymous) = item.item("anonymous") {
            self.anonymous(anonymous);
            offered.push("anonymous");
        }
        if let Some(cookie) = item.field("cookie") {
            self.has_cookie = true;
            offered.push("cookie");
            if !sets_cookie {
                let text = "the transport sets no cookie: it needs the key cookie";
                self.scope.refuse(&cookie.place, text);
            }
        }
        for (theirs, ours) in METHODS {
            if let Some(method) = item.field(theirs) {
                offered.push(ours);
                self.method_of_door(method, theirs, ours);
            }
        }
        for proxied in ["cryptosign-proxy", "anonymous-proxy"] {
            item.refuse(proxied, "there are no proxy workers");
        }
        item.end();
        offered
    }

    /// Reads a method, unless another door has it: then it must be the same.
    fn method_of_door(&mut self, field: Field<'n>, theirs: &'static str, ours: &'static str) {
        if let Some(known) = self.methods.get(theirs) {
            if known.node != field.node {
                let text = format!(
                    "not the same as {}: here a method is a matter of the realm, for all ports that \
                     offer it",
                    known.place.key
                );
                self.scope.refuse(&field.place, text);
            }
            return;
        }
        self.methods.insert(theirs, field.clone());
        let place = field.place.clone();
        let kind = self
            .scope
            .item(field)
            .and_then(|item| self.method(item, theirs, ours));
        if kind == Some(Kind::Static) && CHECKED_BY_PROCEDURE.contains(&theirs) {
            self.checked_here.push(place);
        }
    }

    pub(super) fn check_checked_by_procedure(&self) {
        if self.dynamic.is_empty() {
            return;
        }
        for place in &self.checked_here {
            let text = "beside a dynamic method this one must be dynamic, too: the procedure would be \
                        asked about its unknown users, and what it answers lets them in";
            self.scope.refuse(place, text);
        }
    }

    /// Anonymous clients get this role, which must be the same at all doors.
    fn anonymous_as(&mut self, role: Located<String>) {
        match &self.anonymous_role {
            Some(known) if known.value != role.value => {
                let text = format!(
                    "another role than {:?}: here anonymous clients have one in a realm, at all ports",
                    known.value
                );
                self.scope.refuse(role.place(), text);
            }
            _ => self.anonymous_role = Some(role),
        }
    }

    fn anonymous(&mut self, mut item: Item<'_>) {
        let kind = item.word("type", &KINDS);
        if let Some(kind) = kind.filter(|it| it.value != Kind::Static) {
            let text = "anonymous clients have the role that is configured; no procedure is asked";
            item.scope.refuse(kind.place(), text);
        }
        item.ignore(
            "realm",
            "an anonymous client joins the realm that it asks for",
        );
        item.ignore(
            "authid",
            "an anonymous client gets an authid drawn at random",
        );
        for key in ["authenticator", "authenticator-realm", "authenticator-role"] {
            item.know(key);
        }
        let role = item.text("role");
        self.anonymous_as(role.unwrap_or_else(|| Located {
            value: ANONYMOUS.to_owned(),
            place: item.place().clone(),
        }));
        item.end();
    }

    fn method(&mut self, mut item: Item<'_>, theirs: &str, ours: &'static str) -> Option<Kind> {
        if item.field("type").is_none() {
            item.problem("type is missing");
        }
        let Some(kind) = item.word("type", &KINDS) else {
            item.forget();
            return None;
        };
        let default_role = item.text("default-role");
        item.ignore("role", "each principal has its own");
        match kind.value {
            Kind::Function => {
                let text = "a Python function cannot be asked: register it as a procedure, and make \
                            this dynamic";
                item.scope.refuse(kind.place(), text);
                item.forget();
            }
            Kind::Dynamic => {
                self.dynamic.push((ours, item.place().clone()));
                self.dynamic(item);
            }
            Kind::Static => {
                let users = if theirs == "wampcra" {
                    "users"
                } else {
                    "principals"
                };
                item.refuse(
                    "trustroots",
                    "certificates on a blockchain are not looked up",
                );
                if item.field(users).is_none() && theirs != "tls" {
                    item.problem(format!("{users} is missing"));
                }
                for (authid, field) in item.named(users) {
                    if let Some(principal) = item.scope.item(field) {
                        let user = principal::read(principal, theirs, default_role.as_ref());
                        self.add(authid, user);
                    }
                }
                item.end_unchecked();
            }
        }
        Some(kind.value)
    }

    fn dynamic(&mut self, mut item: Item<'_>) {
        let procedure = item.required_text("authenticator");
        let realm = item.text("authenticator-realm");
        // The router's own calls need no role.
        item.know("authenticator-role");
        let place = item.place().clone();
        item.end_unchecked();
        let Some(procedure) = procedure else {
            return;
        };
        let found = Authenticator { procedure, realm };
        let realm_of = |it: &Authenticator| it.realm.as_ref().map(|it| it.value.clone());
        match &self.authenticator {
            None => self.authenticator = Some(found),
            Some(first)
                if first.procedure.value == found.procedure.value
                    && realm_of(first) == realm_of(&found) => {}
            Some(first) => {
                let text = format!(
                    "another procedure than {:?}: here one is asked for all methods, and told which",
                    first.procedure.value
                );
                self.scope.refuse(&place, text);
            }
        }
    }

    /// Adds what a principal proves itself with to the user that it is.
    fn add(&mut self, authid: &str, user: Option<User>) {
        let Some(mut user) = user else {
            return;
        };
        let Some(known) = self.users.get_mut(authid) else {
            self.users.insert(authid.to_owned(), user);
            return;
        };
        let realm = |it: &User| it.realm.as_ref().map(|it| it.value.clone());
        if known.role.value != user.role.value || realm(known) != realm(&user) {
            let text = format!(
                "{authid:?} is somebody else by another method: here a user has one role, {:?}",
                known.role.value
            );
            self.scope.refuse(&user.place, text);
        }
        known.proofs.append(&mut user.proofs);
    }

    /// Whether the user is one of the realm's.
    fn is_in(user: &User, realm: &Realm<'_>) -> bool {
        let may_be = user
            .realm
            .as_ref()
            .is_none_or(|it| it.value == realm.name.value);
        may_be && realm.role(&user.role.value)
    }

    /// Warns of who can join none of the realms.
    pub(super) fn check(&self, realms: &[Realm<'_>]) {
        for (authid, user) in &self.users {
            if !realms.iter().any(|realm| Self::is_in(user, realm)) {
                let text = format!(
                    "left out: no realm that {authid:?} could join has the role {:?}",
                    user.role.value
                );
                self.scope.source.warn_at(user.role.place(), text);
            }
        }
        if let Some(role) = &self.anonymous_role
            && !realms.iter().any(|realm| realm.role(&role.value))
        {
            let text = format!("left out: no realm has the role {:?}", role.value);
            self.scope.source.warn_at(role.place(), text);
        }
    }

    fn anonymous_role_in(&self, realm: &Realm<'_>) -> Option<&Located<String>> {
        let role = self.anonymous_role.as_ref();
        role.filter(|role| realm.role(&role.value))
    }

    /// The methods by which somebody may join `realm`.
    pub(super) fn methods_of(&self, realm: &Realm<'_>) -> Vec<&'static str> {
        let is_by = |ours: &str| {
            let users = self.users.values().filter(|user| Self::is_in(user, realm));
            let mut proofs = users.flat_map(|user| &user.proofs);
            let mut dynamic = self.dynamic.iter().map(|(method, _)| *method);
            proofs.any(|proof| proof.method == ours) || dynamic.any(|method| method == ours)
        };
        let mut methods: Vec<&str> = Vec::new();
        methods.extend(self.anonymous_role_in(realm).map(|_| "anonymous"));
        methods.extend(self.has_cookie.then_some("cookie"));
        methods.extend(
            METHODS
                .map(|(_, ours)| ours)
                .into_iter()
                .filter(|it| is_by(it)),
        );
        methods
    }

    /// Writes who may join `realm`.
    pub(super) fn write(&self, realm: &Realm<'_>, out: &mut TomlText) {
        let users = self.users.iter();
        let users = users.filter(|(_, user)| Self::is_in(user, realm));
        out.header(&self.place, "[realms.authentication]");
        out.set(&self.place, "methods", list(self.methods_of(realm)));
        if let Some(role) = self.anonymous_role_in(realm) {
            out.set(role.place(), "anonymous_role", quoted(&role.value));
        }
        if let Some(authenticator) = &self.authenticator {
            authenticator.write(out);
        }
        for (authid, user) in users {
            out.header(&user.place, "[[realms.authentication.users]]");
            out.set(&user.place, "authid", quoted(authid));
            out.set(user.role.place(), "role", quoted(&user.role.value));
            for proof in &user.proofs {
                out.set(&proof.place, proof.key, &proof.value);
            }
        }
    }
}

impl Authenticator {
    fn write(&self, out: &mut TomlText) {
        let procedure = quoted(&self.procedure.value);
        match &self.realm {
            None => out.set(self.procedure.place(), "authenticator", procedure),
            Some(realm) => {
                let realm_name = quoted(&realm.value);
                let table = format!("{{ procedure = {procedure}, realm = {realm_name} }}");
                out.set(realm.place(), "authenticator", table);
            }
        }
    }
}
