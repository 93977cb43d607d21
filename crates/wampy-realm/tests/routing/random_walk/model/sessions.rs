//! Sessions: who they are, and what becomes of what they held.

use serde_json::json;
use wampy_proto::{Feature, Role, Roles};

use super::Model;
use crate::simulated::Client;

#[derive(Clone)]
pub struct Session {
    pub client: Client,
    pub id: u64,
    pub authid: &'static str,
    pub authrole: &'static str,
    pub trust_level: Option<u64>,
    pub roles: Roles,
    pub last_invocation: u64,
}

impl Session {
    pub fn is_callee_with(&self, feature: Feature) -> bool {
        self.roles.supports(Role::Callee, feature)
    }
}

impl Model {
    pub fn join(&mut self, session: Session) {
        let details = json!({
            "session": session.id, "authid": session.authid, "authrole": session.authrole,
            "authmethod": "ticket", "authprovider": "static", "transport": {"type": "simulated", "serializer": "json"},
        });
        self.sessions.push(session);
        self.meta_event("session.on_join", json!([details]));
    }

    pub fn leave(&mut self, client: Client) {
        let session = self.session(client).clone();
        self.sessions.retain(|session| session.client != client);
        self.end_calls_of(client);
        let mut left = Vec::new();
        for subscription in &mut self.subscriptions {
            if let Some(at) = subscription.members.iter().position(|&it| it == client) {
                subscription.members.remove(at);
                let deleted = subscription.members.is_empty();
                left.push(("subscription", subscription.id, deleted));
            }
        }
        self.drop_empty();
        let registrations: Vec<u64> = self.registrations.iter().map(|it| it.id).collect();
        for id in registrations {
            if let Some(deleted) = self.remove_callee_of(id, client) {
                left.push(("registration", id, deleted));
            }
        }
        for (kind, id, deleted) in left {
            self.left(kind, session.id, id, deleted);
        }
        let args = json!([session.id, session.authid, session.authrole]);
        self.meta_event("session.on_leave", args);
    }

    pub fn drop_empty(&mut self) {
        self.subscriptions
            .retain(|subscription| !subscription.members.is_empty());
    }

    pub fn left(&mut self, kind: &str, session: u64, id: u64, deleted: bool) {
        let verb = if kind == "subscription" {
            "on_unsubscribe"
        } else {
            "on_unregister"
        };
        self.meta_event(&format!("{kind}.{verb}"), json!([session, id]));
        if deleted {
            self.meta_event(&format!("{kind}.on_delete"), json!([session, id]));
        }
    }
}
