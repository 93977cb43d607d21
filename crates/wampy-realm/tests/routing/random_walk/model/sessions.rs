//! Sessions: who they are, and what becomes of what they held.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role, Roles};

use super::{Model, TESTAMENTS_MAX};
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
    pub testaments: Vec<Testament>,
}

/// An event that is published when its session is gone.
#[derive(Clone)]
pub struct Testament {
    pub scope: &'static str,
    pub topic: &'static str,
    pub options: Json,
    pub args: Json,
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

    /// `wamp.session.add_testament`
    pub fn add_testament(&mut self, client: Client, request: u64, testament: Testament) {
        let topic = testament.topic;
        if topic.contains(' ') || topic.starts_with("wamp.") {
            return self.expect_error(client, 48, request, "invalid_uri");
        }
        if self.forbids(client, topic, MatchPolicy::Exact) {
            return self.expect_error(client, 48, request, "not_authorized");
        }
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|it| it.client == client).unwrap();
        if session.testaments.len() >= TESTAMENTS_MAX {
            return self.expect_error(client, 48, request, "not_authorized");
        }
        session.testaments.push(testament);
        self.expect(client, json!([50, request, {}]));
    }

    /// `wamp.session.flush_testaments`
    pub fn flush_testaments(&mut self, client: Client, request: u64, scope: &str) {
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|it| it.client == client).unwrap();
        session.testaments.retain(|it| it.scope != scope);
        self.expect(client, json!([50, request, {}]));
    }

    pub fn leave(&mut self, client: Client) {
        let session = self.session(client).clone();
        self.sessions.retain(|session| session.client != client);
        self.end_calls_of(client);
        let mut left = Vec::new();
        for subscription in &mut self.subscriptions {
            if subscription.remove(client) {
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
        for scope in ["detached", "destroyed"] {
            let testaments = session.testaments.iter().filter(|it| it.scope == scope);
            for it in testaments {
                self.note("a testament was published");
                self.publish_event(&session, None, &it.options, it.topic, &it.args);
            }
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
