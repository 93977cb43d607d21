//! Roles: what their permissions forbid and disclose.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::gate::{NOT_ASKED, Need};
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

/// What decides for a role.
#[derive(Clone, PartialEq)]
pub enum Decider {
    /// Rules, by their places in [`RULES`].
    Rules(Vec<usize>),
    /// An authorizer.
    Procedure(&'static str),
}

/// What decides for each role. A session whose role is none may do nothing.
pub type Roles = BTreeMap<&'static str, Decider>;

/// The roles as a configuration has them; none if everybody may do everything.
pub fn syntax(roles: Option<&Roles>) -> Json {
    let allow = |actions: &[&str]| {
        let actions = actions
            .iter()
            .map(|&action| (action.to_owned(), json!(true)));
        Json::Object(actions.collect())
    };
    let everything = |uri| json!({"uri": uri, "allow": allow(&ACTIONS)});
    let role = |(name, decider): (&&str, &Decider)| {
        let rules = match decider {
            Decider::Rules(rules) => rules,
            Decider::Procedure(procedure) => {
                return json!({"name": name, "authorizer": procedure});
            }
        };
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
    /// What decides for a session; nothing if it may do nothing at all.
    pub fn decider(&self, session: &Session) -> Option<&Decider> {
        self.roles.as_ref()?.get(session.authrole)
    }

    /// The rules that apply to a session; nothing if it may do nothing at all.
    fn rules(&self, session: &Session) -> Option<impl Iterator<Item = &'static Rule>> {
        let rules = match (&self.roles, self.decider(session)) {
            (Some(_), None) => return None,
            (_, Some(Decider::Rules(rules))) => rules,
            _ => &[][..],
        };
        Some(rules.iter().map(|&at| &RULES[at]))
    }

    /// Whether the role of a session, which may be gone, forbids something. A pattern is forbidden
    /// where anything that it matches is. Authorizers forbid nothing by themselves.
    pub fn forbids(&mut self, session: &Session, need: &Need) -> bool {
        let forbids = self.is_forbidden(session, need.action, &need.uri, need.policy);
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

    /// Other roles: what is not allowed any more is taken from those who hold it, and authorizers are
    /// asked anew.
    pub fn set_roles(&mut self, roles: Option<Roles>) {
        let before = std::mem::replace(&mut self.roles, roles);
        let mut clients: Vec<Client> = self.sessions.iter().map(|it| it.client).collect();
        clients.sort_unstable();
        for client in clients {
            let waiting = self.take_waiting(client);
            if let Some(waiting) = &waiting {
                self.note("roles changed while an authorizer was asked");
                self.withdraw(waiting.question);
            }
            if !self.alive(client) {
                continue;
            }
            self.forget_answers(client);
            let session = self.session(client);
            let decided_before = before.as_ref().map(|roles| roles.get(session.authrole));
            let is_affected = self.roles.is_some() && decided_before != Some(self.decider(session));
            let mut queue = waiting.map_or_else(Vec::new, |it| it.queue);
            if is_affected {
                queue = self.hold_up(client, queue);
            }
            self.go_on(client, NOT_ASKED, queue);
        }
        self.settle();
    }
}
