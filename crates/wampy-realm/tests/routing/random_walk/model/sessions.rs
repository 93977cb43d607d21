//! Sessions: who they are, and what becomes of what they held.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role, Roles};

use super::{Model, TESTAMENTS_MAX, is_large};
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
    /// Whether it takes no message with a large payload.
    pub is_small: bool,
    /// Whether its calls end without ERROR when they are canceled or take too long.
    pub is_silent: bool,
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

    /// Whether the session takes a message with this payload.
    pub fn takes(&self, payload: &Json) -> bool {
        !self.is_small || !is_large(payload)
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
        if self.forbids(client, "publish", topic, MatchPolicy::Exact) {
            return self.expect_error(client, 48, request, "not_authorized");
        }
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|it| it.client == client).unwrap();
        let mut all = session.testaments.iter();
        let too_large = is_large(&testament.args) && all.any(|it| is_large(&it.args));
        if session.testaments.len() >= TESTAMENTS_MAX || too_large {
            if too_large {
                self.note("a testament was too large");
            }
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
        self.take_out(client, true);
    }

    /// A session is gone, whether or not others hear of it.
    fn take_out(&mut self, client: Client, is_heard: bool) {
        let session = self.session(client).clone();
        self.sessions.retain(|session| session.client != client);
        self.end_calls_of(client);
        let mut left = Vec::new();
        let registrations: Vec<u64> = self.registrations.iter().map(|it| it.id).collect();
        for id in registrations {
            if let Some(deleted) = self.remove_callee_of(id, client) {
                left.push(("registration", id, deleted));
            }
        }
        for subscription in &mut self.subscriptions {
            if subscription.remove(client) {
                let deleted = subscription.members.is_empty();
                left.push(("subscription", subscription.id, deleted));
            }
        }
        self.drop_empty();
        let undefined = self.remove_definitions_of(client);
        if !is_heard {
            return;
        }
        left.sort_unstable();
        for (kind, id, deleted) in left {
            self.left(kind, session.id, id, deleted);
        }
        for (subject, before) in undefined {
            self.announce_definition(session.id, &subject, before.as_ref());
        }
        for scope in ["detached", "destroyed"] {
            let testaments = session.testaments.iter().filter(|it| it.scope == scope);
            for it in testaments {
                if !self.forbids_session(&session, "publish", it.topic, MatchPolicy::Exact) {
                    self.note("a testament was published");
                    self.publish_event(&session, None, &it.options, it.topic, &it.args);
                }
            }
        }
        let args = json!([session.id, session.authid, session.authrole]);
        self.meta_event("session.on_leave", args);
    }

    /// The sessions other than its caller's that a procedure ends, in its order.
    pub fn kill(
        &mut self,
        client: Client,
        wanted: impl Fn(&Session) -> bool,
        is_heard: bool,
    ) -> Vec<Client> {
        let others = self
            .sessions
            .iter()
            .filter(|it| it.client != client && wanted(it));
        let mut victims: Vec<Client> = others.map(|it| it.client).collect();
        victims.sort_unstable();
        for &victim in &victims {
            self.take_out(victim, is_heard);
            self.expect(victim, json!([6, {}, "wamp.close.killed"]));
        }
        victims
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
