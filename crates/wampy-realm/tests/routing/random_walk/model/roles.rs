//! Roles: what decides for each, and what it forbids and discloses.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::gate::{NOT_ASKED, Need};
use super::permissions::{Permission, RULES, Rule, allow_all, deciding};
use super::{Model, Session};
use crate::simulated::Client;

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
    let role = |(name, decider): (&&str, &Decider)| {
        let rules = match decider {
            Decider::Rules(rules) => rules,
            Decider::Procedure(procedure) => {
                return json!({"name": name, "authorizer": procedure});
            }
        };
        let permissions = rules.iter().map(|&at| {
            let Rule {
                uri,
                allows,
                discloses,
            } = RULES[at];
            let disclose = json!({"caller": discloses, "publisher": discloses});
            json!({"uri": uri, "allow": allow(allows), "disclose": disclose})
        });
        json!({"name": name, "permissions": permissions.collect::<Json>()})
    };
    roles.into_iter().flatten().map(role).collect()
}

/// The procedures that only a permission for what begins with `wamp.` reaches.
const ADMINISTRATIVE: [&str; 6] = [
    "wamp.session.kill",
    "wamp.session.kill_by_authid",
    "wamp.session.kill_by_authrole",
    "wamp.session.kill_all",
    "wamp.registration.remove_callee",
    "wamp.subscription.remove_subscriber",
];

impl Model {
    /// What decides for a session; nothing if it may do nothing at all.
    pub fn decider(&self, session: &Session) -> Option<&Decider> {
        self.roles.as_ref()?.get(session.authrole)
    }

    /// The permissions of a session; none if it may do nothing at all. If what it may do is not
    /// decided by permissions, there is nothing here.
    pub fn permissions(&self, session: &Session) -> Option<Vec<Permission>> {
        let rules = match (&self.roles, self.decider(session)) {
            _ if self.is_internal(session.client) => return None,
            (Some(_), Some(Decider::Rules(rules))) => &rules[..],
            (Some(_), None) => &[],
            _ => return None,
        };
        let permissions = rules.iter().map(|&at| RULES[at].for_session(session));
        Some(permissions.collect())
    }

    /// Whether the role of a session, which may be gone, forbids something. Authorizers forbid
    /// nothing by themselves.
    pub fn forbids(&mut self, session: &Session, need: &Need) -> bool {
        let Need {
            action,
            uri,
            policy,
        } = need;
        let forbids = match *policy {
            MatchPolicy::Exact => self.permissions(session).is_some_and(|all| {
                let is_administrative = *action == "call" && ADMINISTRATIVE.contains(&&**uri);
                !deciding(&all, uri).is_some_and(|it| {
                    it.allows(action) && (!is_administrative || it.uri.starts_with("wamp."))
                })
            }),
            policy => self.is_forbidden(session, action, uri, policy),
        };
        if forbids {
            self.note(match policy {
                MatchPolicy::Exact => "a permission was lacking",
                _ => "a permission was lacking for some of what a pattern matches",
            });
        } else if *policy != MatchPolicy::Exact && self.permissions(session).is_some() {
            self.note("a permission covered a pattern");
        }
        forbids
    }

    /// Whether a role forbids something for any of what a pattern matches.
    pub fn is_forbidden(
        &self,
        session: &Session,
        action: &str,
        uri: &str,
        policy: MatchPolicy,
    ) -> bool {
        let permissions = self.permissions(session);
        permissions.is_some_and(|all| !allow_all(&all, action, uri, policy))
    }

    /// Whether a session becomes known by what it sends to a URI, asked or not.
    pub fn discloses(&mut self, session: &Session, uri: &str) -> bool {
        let permissions = self.permissions(session).unwrap_or_default();
        let discloses = deciding(&permissions, uri).is_some_and(|it| it.discloses);
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
