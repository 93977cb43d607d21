//! Roles: what their permissions forbid and disclose.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::{Model, Session};
use crate::simulated::Client;

/// A permission for exactly one URI, beside those for everything, which allow everything.
pub struct Rule {
    uri: &'static str,
    allows: &'static [&'static str],
    discloses: bool,
}

const ACTIONS: [&str; 4] = ["call", "register", "publish", "subscribe"];

pub static RULES: [Rule; 6] = [
    Rule {
        uri: "a.b",
        allows: &[],
        discloses: false,
    },
    Rule {
        uri: "a.b.c",
        allows: &["subscribe", "register"],
        discloses: false,
    },
    Rule {
        uri: "b.b.c",
        allows: &["call", "publish"],
        discloses: true,
    },
    Rule {
        uri: "a.bc",
        allows: &ACTIONS,
        discloses: true,
    },
    Rule {
        uri: "u.{authid}",
        allows: &["register", "publish"],
        discloses: true,
    },
    Rule {
        uri: "s.{session}",
        allows: &["call", "subscribe"],
        discloses: false,
    },
];

/// The rules of each role, by their places in [`RULES`]. A session whose role is none may do nothing.
pub type Roles = BTreeMap<&'static str, Vec<usize>>;

/// The roles as a configuration has them; none if everybody may do everything.
pub fn syntax(roles: Option<&Roles>) -> Json {
    let allow = |actions: &[&str]| {
        let actions = actions
            .iter()
            .map(|&action| (action.to_owned(), json!(true)));
        Json::Object(actions.collect())
    };
    let everything = |uri| json!({"uri": uri, "allow": allow(&ACTIONS)});
    let role = |(name, rules): (&&str, &Vec<usize>)| {
        let mut permissions = vec![everything("*"), everything("wamp.*")];
        permissions.extend(rules.iter().map(|&at| {
            let Rule {
                uri,
                allows,
                discloses,
            } = RULES[at];
            let disclose = json!({"caller": discloses, "publisher": discloses});
            json!({"uri": uri, "allow": allow(allows), "disclose": disclose})
        }));
        json!({"name": name, "permissions": permissions})
    };
    roles.into_iter().flatten().map(role).collect()
}

impl Rule {
    fn uri_for(&self, session: &Session) -> String {
        let uri = self.uri.replace("{authid}", session.authid);
        uri.replace("{session}", &session.id.to_string())
    }
}

impl Model {
    /// The rules that apply to a session; nothing if it may do nothing at all.
    fn rules(&self, session: &Session) -> Option<impl Iterator<Item = &'static Rule>> {
        let rules = match &self.roles {
            None => &[][..],
            Some(roles) => roles.get(session.authrole)?,
        };
        Some(rules.iter().map(|&at| &RULES[at]))
    }

    /// Whether the role of a session forbids what it asks for. A pattern is forbidden where anything
    /// that it matches is.
    pub fn forbids(
        &mut self,
        client: Client,
        action: &str,
        uri: &str,
        policy: MatchPolicy,
    ) -> bool {
        let session = self.session(client).clone();
        self.forbids_session(&session, action, uri, policy)
    }

    /// The same of a session that may be gone.
    pub fn forbids_session(
        &mut self,
        session: &Session,
        action: &str,
        uri: &str,
        policy: MatchPolicy,
    ) -> bool {
        let forbids = self.is_forbidden(session, action, uri, policy);
        if forbids {
            self.note("a permission was lacking");
        }
        forbids
    }

    pub fn is_forbidden(
        &self,
        session: &Session,
        action: &str,
        uri: &str,
        policy: MatchPolicy,
    ) -> bool {
        self.rules(session).is_none_or(|mut rules| {
            rules.any(|rule| {
                policy.matches(uri, &rule.uri_for(session)) && !rule.allows.contains(&action)
            })
        })
    }

    /// Whether a session becomes known by what it sends to a URI, asked or not.
    pub fn discloses(&mut self, session: &Session, uri: &str) -> bool {
        let rules = self.rules(session);
        let discloses = rules
            .into_iter()
            .flatten()
            .any(|rule| rule.discloses && rule.uri_for(session) == uri);
        if discloses {
            self.note("a permission disclosed a session");
        }
        discloses
    }

    /// Whether a session may use the meta API at all; if not, it is told so.
    pub fn may_ask(&mut self, client: Client, request: u64) -> bool {
        let may = self.rules(self.session(client)).is_some();
        if !may {
            self.expect_error(client, 48, request, "not_authorized");
        }
        may
    }

    /// Other roles: what is not allowed any more is taken from those who hold it.
    pub fn set_roles(&mut self, roles: Option<Roles>) {
        self.roles = roles;
        let mut clients: Vec<Client> = self.sessions.iter().map(|it| it.client).collect();
        clients.sort_unstable();
        for client in clients {
            let held = self.subscriptions.iter();
            let held = held.filter(|it| it.members.contains(&client));
            let mut subscriptions: Vec<_> =
                held.map(|it| (it.id, it.uri.clone(), it.policy)).collect();
            subscriptions.sort_unstable();
            let held = self.registrations.iter().filter(|it| it.has(client));
            let mut registrations: Vec<_> = held.map(|it| (it.id, it.uri, it.policy)).collect();
            registrations.sort_unstable();
            let reason = "wamp.error.not_authorized";
            for (id, uri, policy) in subscriptions {
                if self.forbids(client, "subscribe", &uri, policy) {
                    self.note("a role lost a permission that was used");
                    self.revoke_subscription(id, client, reason);
                }
            }
            for (id, uri, policy) in registrations {
                if self.forbids(client, "register", uri, policy) {
                    self.note("a role lost a permission that was used");
                    self.revoke_registration(id, client, reason);
                }
            }
        }
    }
}
