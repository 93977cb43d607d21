//! What a realm should do, said as simply as possible: lists, searched from begin to end.
//!
//! For each step the model says who receives which messages. Publication ids and the words of
//! errors are left out. What a realm may choose freely (the callee of a `random` registration, and to
//! whom a key of a partition belongs) is taken as it came, if it is one of the choices.

mod broker;
mod calls;
mod choosing;
mod keeping;
mod registrations;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use crate::simulated::Client;
use broker::{Published, Subscription};
pub use calls::{Answer, Call};
pub use keeping::{EVENTS_MAX, HISTORY_OF, PER_TOPIC_MAX};
pub use registrations::{Register, Registration};
pub use sessions::{Session, Testament};

pub const PENDING_CALLS_MAX: usize = 3;
pub const PENDING_INVOCATIONS_MAX: usize = 3;
pub const WAITING_CALLS_MAX: usize = 2;
pub const REGISTRATIONS_MAX: usize = 5;
pub const SUBSCRIPTIONS_MAX: usize = 6;
pub const TESTAMENTS_MAX: usize = 3;
/// What the role `user` may not touch.
pub const FORBIDDEN: &str = "a.b";

/// What has to happen in some walk.
pub const EVERYTHING: [&str; 20] = [
    "a call was rerouted",
    "a rerouted call waited",
    "nobody was left to take a rerouted call",
    "a call waited",
    "a line was full",
    "a call that waited got a callee",
    "a call waited for a registration that went",
    "a call went to the owner of its key",
    "a key went to its known owner",
    "a registration was taken over",
    "a line was inherited",
    "a call had further parts",
    "a part came too late",
    "a time limit was forwarded",
    "a registration was revoked",
    "a subscription was revoked",
    "a testament was published",
    "a permission was lacking",
    "a retained event was sent",
    "a history was longer than its limit",
];

#[derive(Default)]
pub struct Model {
    pub sessions: Vec<Session>,
    pub subscriptions: Vec<Subscription>,
    pub registrations: Vec<Registration>,
    /// The calls that have not ended. Those that wait stand in the order of their lines.
    pub calls: Vec<Call>,
    pub retained: Vec<Published>,
    pub history: Vec<Published>,
    unsettled: Vec<Unsettled>,
    pub now: u64,
    /// The ids of all subscriptions and registrations there ever were.
    pub subscription_ids: Vec<u64>,
    pub registration_ids: Vec<u64>,
    /// What was received in this step, to learn from it what the realm chose.
    pub seen: BTreeMap<Client, Vec<Json>>,
    /// What happened at least once.
    pub happened: BTreeSet<&'static str>,
    /// What is to be received since this was last taken.
    pub expected: BTreeMap<Client, Vec<Json>>,
}

/// What is done when all else of a step is done; the last first.
enum Unsettled {
    /// The line of a registration is served.
    Room(u64),
    /// The registration of a call that waited has gone.
    Orphan(Client, u64),
}

impl Model {
    pub fn session(&self, client: Client) -> &Session {
        self.sessions
            .iter()
            .find(|session| session.client == client)
            .unwrap()
    }

    /// Whether the role of a session forbids what it asks for: users may not touch one URI, nor a
    /// pattern that matches it.
    pub fn forbids(&mut self, client: Client, uri: &str, policy: MatchPolicy) -> bool {
        let forbids = self.session(client).authrole == "user" && policy.matches(uri, FORBIDDEN);
        if forbids {
            self.note("a permission was lacking");
        }
        forbids
    }

    pub fn note(&mut self, what: &'static str) {
        assert!(EVERYTHING.contains(&what), "{what} is not listed");
        self.happened.insert(what);
    }

    fn alive(&self, client: Client) -> bool {
        self.sessions.iter().any(|session| session.client == client)
    }

    pub fn expect(&mut self, client: Client, message: Json) {
        self.expected.entry(client).or_default().push(message);
    }

    fn expect_error(&mut self, client: Client, request_type: u64, request: u64, error: &str) {
        let uri = format!("wamp.error.{error}");
        self.expect(client, json!([8, request_type, request, {}, uri]));
    }

    /// Who got the invocation with these args in this step.
    fn seen_invocation(&self, args: &Json) -> Option<Client> {
        let mut clients = self.seen.iter();
        let found = clients.find(|(_, m)| m.iter().any(|m| m[0] == 68 && m[4] == *args));
        found.map(|(&client, _)| client)
    }

    /// The error that a call got in this step.
    fn seen_error(&self, caller: Client, request: u64) -> Option<&str> {
        let mut messages = self.seen.get(&caller)?.iter();
        let error = messages.find(|m| m[0] == 8 && m[1] == 48 && m[2] == request)?;
        error[4].as_str()
    }
}

/// The id of a new subscription or registration, which the realm chooses: one that never was.
fn fresh(granted: Option<u64>, known: &mut Vec<u64>) -> u64 {
    let id = granted.expect("the realm grants what the model does");
    assert!(!known.contains(&id), "the id {id} is used again");
    known.push(id);
    id
}
