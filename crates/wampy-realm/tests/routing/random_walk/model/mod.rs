//! What a realm should do, said as simply as possible: lists, searched from begin to end.
//!
//! For each step the model says who receives which messages. Publication ids and the words of
//! errors are left out. What a realm may choose freely (the callee of a `random` registration, and to
//! whom a key of a partition belongs) is taken as it came, if it is one of the choices.

mod broker;
mod calls;
mod choosing;
mod definitions;
mod keeping;
mod registrations;
mod roles;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use wampy_realm::RealmConfig;

use crate::simulated::Client;
use broker::{Published, Subscription};
pub use calls::{Answer, AnswerKind, Call};
use definitions::Definition;
pub use definitions::Subject;
pub use keeping::{EVENTS_MAX, Filter, HISTORY_OF, PER_REQUEST_MAX, PER_TOPIC_MAX};
pub use registrations::{Register, Registration};
pub use roles::{RULES, Roles, syntax};
pub use sessions::{Session, Testament};

pub const PENDING_CALLS_MAX: usize = 3;
pub const PENDING_INVOCATIONS_MAX: usize = 3;
pub const WAITING_CALLS_MAX: usize = 3;
pub const REGISTRATIONS_MAX: usize = 5;
pub const SUBSCRIPTIONS_MAX: usize = 6;
pub const TESTAMENTS_MAX: usize = 3;
pub const DEFINITIONS_MAX: usize = 3;

/// What a large payload takes, in bytes. All that is small together takes less than half of that, so
/// that limits of bytes are limits of the number of large ones.
pub const LARGE: usize = 16_000;

/// Whether something is, or has, a large payload.
pub fn is_large(payload: &Json) -> bool {
    match payload {
        Json::String(text) => text.len() >= LARGE,
        Json::Array(list) => list.iter().any(is_large),
        Json::Object(pairs) => pairs.values().any(is_large),
        _ => false,
    }
}

/// What has to happen in some walk.
pub const EVERYTHING: [&str; 36] = [
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
    "a permission disclosed a session",
    "a role lost a permission that was used",
    "calls that wait in one line were too large",
    "all calls that wait were too large",
    "a testament was too large",
    "a definition was taken back before later ones",
    "a call was too large for its callee",
    "a part was too large for its callee",
    "a part of a result could not be delivered",
    "an answer could not be delivered",
    "an event was too large for its subscriber",
    "a call ended silently",
    "events were too large for one answer",
    "a filter named a publication that was not there",
    "what was said of something changed",
    "there was no room for a definition",
];

pub struct Model {
    pub config: RealmConfig,
    /// Nothing if everybody may do everything.
    pub roles: Option<Roles>,
    pub sessions: Vec<Session>,
    pub subscriptions: Vec<Subscription>,
    pub registrations: Vec<Registration>,
    /// The calls that have not ended. Those that wait stand in the order of their lines.
    pub calls: Vec<Call>,
    pub retained: Vec<Published>,
    pub history: Vec<Published>,
    definitions: Vec<Definition>,
    /// The registrations that may have room for a call that waits.
    unsettled: BTreeSet<u64>,
    pub now: u64,
    /// The date when `now` is 0.
    unix_ms_at_0: u64,
    /// The ids of all subscriptions and registrations there ever were.
    pub subscription_ids: Vec<u64>,
    pub registration_ids: Vec<u64>,
    /// The calls that ended without a word since this was last taken.
    pub ended_silently: Vec<(Client, u64)>,
    /// What was received in this step, to learn from it what the realm chose.
    pub seen: BTreeMap<Client, Vec<Json>>,
    /// What happened at least once.
    pub happened: BTreeSet<&'static str>,
    /// What is to be received since this was last taken.
    pub expected: BTreeMap<Client, Vec<Json>>,
}

impl Model {
    pub fn new(config: RealmConfig, roles: Option<Roles>, now: wampy_realm::Now) -> Self {
        Self {
            config,
            roles,
            sessions: Vec::new(),
            subscriptions: Vec::new(),
            registrations: Vec::new(),
            calls: Vec::new(),
            retained: Vec::new(),
            history: Vec::new(),
            definitions: Vec::new(),
            unsettled: BTreeSet::new(),
            now: now.monotonic_ms,
            unix_ms_at_0: now.unix_ms - now.monotonic_ms,
            subscription_ids: Vec::new(),
            registration_ids: Vec::new(),
            ended_silently: Vec::new(),
            seen: BTreeMap::new(),
            happened: BTreeSet::new(),
            expected: BTreeMap::new(),
        }
    }

    pub fn unix_ms(&self) -> u64 {
        self.unix_ms_at_0 + self.now
    }

    /// A date as messages have it.
    pub fn date(&self, unix_ms: u64) -> String {
        let date = Timestamp::from_millisecond(i64::try_from(unix_ms).unwrap());
        format!("{:.3}", date.unwrap())
    }

    pub fn session(&self, client: Client) -> &Session {
        self.sessions
            .iter()
            .find(|session| session.client == client)
            .unwrap()
    }

    pub fn note(&mut self, what: &'static str) {
        assert!(EVERYTHING.contains(&what), "{what} is not listed");
        self.happened.insert(what);
    }

    /// Whether a session takes a message with this payload.
    fn takes(&self, client: Client, payload: &Json) -> bool {
        self.session(client).takes(payload)
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
