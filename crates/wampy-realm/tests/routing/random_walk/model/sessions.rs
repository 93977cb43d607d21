//! Sessions: who they are, and what becomes of what they held.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role, Roles, SessionId};
use wampy_realm::{Disclosure, Realm, RealmConfig, SessionDetails};

use super::gate::Need;
use super::{Model, is_large, is_unencodable, large_within};
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
    /// Whether its serializer has no form for some payloads.
    pub is_picky: bool,
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

    /// The router's own, by which it calls.
    pub fn of_router(client: Client, id: u64) -> Self {
        Self {
            client,
            id,
            authid: "router",
            authrole: "router",
            ..Self::of_realm()
        }
    }

    /// The realm itself, by a key that no client has: there are never so many.
    pub fn of_realm() -> Self {
        let details = |id| SessionDetails {
            id: SessionId::try_from(id).unwrap(),
            authid: "".into(),
            authrole: "".into(),
            authmethod: "".into(),
            authprovider: "".into(),
            trust_level: None,
            authextra: None,
            roles: Roles::default(),
            transport: None,
        };
        let mut elsewhere = Realm::new("elsewhere", RealmConfig::default(), 0);
        let keys = (1..1000).map(|id| elsewhere.join_internal(details(id)));
        let name = "wampy.authorizer";
        Self {
            client: keys.last().unwrap(),
            id: 0,
            authid: name,
            authrole: name,
            trust_level: None,
            roles: Roles::default(),
            last_invocation: 0,
            testaments: Vec::new(),
            is_small: false,
            is_picky: false,
            is_silent: false,
        }
    }

    /// What the meta API tells of it.
    pub fn details(&self) -> Json {
        json!({
            "session": self.id, "authid": self.authid, "authrole": self.authrole,
            "authmethod": "ticket", "authprovider": "static",
            "transport": {"type": "simulated", "serializer": "json"},
        })
    }

    /// Why the session takes no message with this payload, if it does not.
    pub fn why_not_take(&self, payload: &Json) -> Option<&'static str> {
        if self.is_picky && is_unencodable(payload) {
            return Some("invalid_argument");
        }
        (self.is_small && is_large(payload)).then_some("payload_size_exceeded")
    }
}

impl Model {
    pub fn join(&mut self, session: Session) {
        let details = session.details();
        self.sessions.push(session);
        self.meta_event("session.on_join", json!([details]));
    }

    /// `wamp.session.add_testament`
    pub fn add_testament(&mut self, client: Client, request: u64, testament: Testament) {
        let topic = testament.topic;
        if self.is_malformed(topic) || topic.starts_with("wamp.") {
            return self.expect_error(client, 48, request, "invalid_uri");
        }
        if self.denies_publisher(&testament.options) {
            return self.expect_error(client, 48, request, "option_disallowed.disclose_me");
        }
        let max = self.config.testaments_per_session_max;
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|it| it.client == client).unwrap();
        let all = session.testaments.iter();
        let large = all.filter(|it| is_large(&it.args)).count();
        let too_large = large + usize::from(is_large(&testament.args))
            > large_within(self.config.testament_bytes_per_session_max);
        if session.testaments.len() >= max || too_large {
            if too_large {
                self.note("a testament was too large");
            }
            return self.expect_error(client, 48, request, "not_authorized");
        }
        session.testaments.push(testament);
        self.expect(client, json!([50, request, {}]));
    }

    /// `wamp.session.flush_testaments`
    pub fn flush_testaments(&mut self, client: Client, scope: &str) {
        let mut sessions = self.sessions.iter_mut();
        let session = sessions.find(|it| it.client == client).unwrap();
        session.testaments.retain(|it| it.scope != scope);
    }

    pub fn leave(&mut self, client: Client) {
        self.take_out(client, true);
    }

    /// A session is gone, whether or not others hear of it.
    fn take_out(&mut self, client: Client, is_heard: bool) {
        let session = self.session(client).clone();
        self.sessions.retain(|session| session.client != client);
        self.gone.push(client);
        self.forget_answers(client);
        if let Some(waiting) = self.take_waiting(client) {
            self.note("a session left while an authorizer was asked about it");
            self.withdraw(waiting.question);
        }
        let is_internal = self.is_internal(client);
        self.internal.take_if(|_| is_internal);
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
                self.publish_testament(&session, it);
            }
        }
        if is_internal {
            return;
        }
        let args = json!([session.id, session.authid, session.authrole]);
        self.meta_event("session.on_leave", args);
    }

    fn publish_testament(&mut self, gone: &Session, testament: &Testament) {
        let Testament { topic, args, .. } = testament;
        let mut options = testament.options.clone();
        // Nobody is left who could be told that it was not stored.
        options["acknowledge"] = json!(false);
        // Permissions are about well-formed URIs only.
        let is_looked_at = self.permissions(gone).is_some() || !self.is_subscribed_to(topic);
        if is_looked_at && self.is_malformed(topic) {
            return;
        }
        // An authorizer was asked when it was added.
        let need = Need::new("publish", topic, MatchPolicy::Exact);
        if self.forbids(gone, &need) {
            return;
        }
        if self.discloses(gone, topic) && self.config.publisher_disclosure != Disclosure::Denied {
            options["disclose_me"] = json!(true);
        }
        if !self.denies_publisher(&options) {
            self.note("a testament was published");
            _ = self.publish_event(gone, None, &options, topic, args);
        }
    }

    /// The sessions other than its caller's that a procedure ends, in its order.
    pub fn kill(
        &mut self,
        client: Client,
        wanted: impl Fn(&Session) -> bool,
        is_heard: bool,
        goodbye: &Json,
    ) -> Vec<u64> {
        let others = self
            .sessions
            .iter()
            .filter(|it| it.client != client && wanted(it));
        let mut victims: Vec<Client> = others.map(|it| it.client).collect();
        victims.sort_unstable();
        let ids = victims.iter().map(|&it| self.session(it).id).collect();
        for victim in victims {
            self.note("a session was killed");
            self.take_out(victim, is_heard);
            self.expect(victim, goodbye.clone());
        }
        ids
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
