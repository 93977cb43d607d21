//! What a realm should do, said as simply as possible: lists, searched from begin to end.
//!
//! For each step the model says who receives which messages. Publication ids and the words of
//! errors are left out. What a realm may choose freely (the callee of a `random` registration) is taken
//! as it came, if it is one of the choices.

mod answers;
mod authorizer;
mod broker;
mod calls;
mod choosing;
mod definitions;
mod ending;
mod features;
mod gate;
mod keeping;
mod lines;
mod meta;
mod permissions;
mod registrations;
mod requests;
mod roles;
mod sessions;
mod shelf;
mod waiting;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use serde_json::{Value as Json, json};
use wampy_proto::uri::Grammar;
use wampy_realm::RealmConfig;

use crate::simulated::{Client, UNENCODABLE};
pub use answers::{Answer, AnswerKind};
pub use authorizer::AUTHORIZERS;
use authorizer::{Question, Remembered};
pub use broker::Published;
use broker::Subscription;
pub use calls::Call;
use definitions::Definition;
pub use definitions::Subject;
pub use ending::Due;
pub use features::{BEYOND, EVERYTHING, FEATURES};
pub use gate::Need;
pub use keeping::Filter;
pub use permissions::RULES;
pub use registrations::{Register, Registration};
pub use requests::{Ask, Request, Wish};
pub use roles::{Decider, Roles, syntax};
pub use sessions::{Session, Testament};
pub use shelf::{AGED, EVENTS_MAX, HISTORY_OF, PER_TOPIC_MAX, Shelf};
use waiting::Waiting;

/// What a large payload takes, in bytes. All that is small together takes less than half of that, so
/// that limits of bytes are limits of the number of large ones.
pub const LARGE: usize = 16_000;

/// How many large payloads are within a limit of bytes.
pub const fn large_within(bytes_max: usize) -> usize {
    bytes_max / LARGE
}

/// Whether something is, or has, what has no form in the serializer of some sessions.
pub fn is_unencodable(payload: &Json) -> bool {
    match payload {
        Json::Array(list) => {
            list.first().is_some_and(|it| *it == UNENCODABLE) || list.iter().any(is_unencodable)
        }
        Json::Object(pairs) => pairs.values().any(is_unencodable),
        _ => false,
    }
}

/// Whether something is, or has, a large payload.
pub fn is_large(payload: &Json) -> bool {
    match payload {
        Json::String(text) => text.len() >= LARGE,
        Json::Array(list) => list.iter().any(is_large),
        Json::Object(pairs) => pairs.values().any(is_large),
        _ => false,
    }
}

pub struct Model {
    pub config: RealmConfig,
    /// Nothing if everybody may do everything.
    pub roles: Option<Roles>,
    pub sessions: Vec<Session>,
    /// The realm itself, as the caller of authorizers.
    realm: Session,
    /// The router's own session, once it has one.
    pub internal: Option<Session>,
    /// The sessions about which authorizers are asked, and the questions, in their order.
    waiting: Vec<Waiting>,
    questions: Vec<Question>,
    last_question: u64,
    /// What was answered to questions and has to be taken up.
    answers: VecDeque<(u64, Option<Json>)>,
    /// The answers that are remembered.
    answers_kept: Vec<Remembered>,
    /// One that was forgotten because there were too many: about whom, and what.
    pub forgotten: Option<(Client, Need)>,
    pub subscriptions: Vec<Subscription>,
    pub registrations: Vec<Registration>,
    /// The calls that have not ended. Those that wait stand in the order of their lines.
    pub calls: Vec<Call>,
    pub retained: Shelf,
    pub history: Shelf,
    definitions: Vec<Definition>,
    /// The registrations that may have room for a call that waits.
    unsettled: BTreeSet<u64>,
    pub now: u64,
    /// The date when `now` is 0.
    unix_ms_at_0: u64,
    /// The ids of all subscriptions and registrations there ever were.
    pub subscription_ids: Vec<u64>,
    pub registration_ids: Vec<u64>,
    /// The calls that ended without a word, and the sessions that ended, since this was last taken.
    pub ended_silently: Vec<(Client, u64)>,
    pub gone: Vec<Client>,
    /// What was received in this step, in the order in which it was sent, to learn from it what the
    /// realm chose.
    pub seen: Vec<(Client, Json)>,
    /// What happened at least once.
    pub happened: BTreeSet<&'static str>,
    /// What is to be received since this was last taken.
    pub expected: BTreeMap<Client, Vec<Json>>,
}

impl Model {
    pub fn new(config: RealmConfig, roles: Option<Roles>, now: wampy_realm::Now) -> Self {
        Self {
            realm: Session::of_realm(),
            internal: None,
            retained: Shelf::new(&config.event_retention, true),
            history: Shelf::new(&config.event_history, false),
            config,
            roles,
            sessions: Vec::new(),
            waiting: Vec::new(),
            questions: Vec::new(),
            last_question: 0,
            answers: VecDeque::new(),
            answers_kept: Vec::new(),
            forgotten: None,
            subscriptions: Vec::new(),
            registrations: Vec::new(),
            calls: Vec::new(),
            definitions: Vec::new(),
            unsettled: BTreeSet::new(),
            now: now.monotonic_ms,
            unix_ms_at_0: now.unix_ms - now.monotonic_ms,
            subscription_ids: Vec::new(),
            registration_ids: Vec::new(),
            ended_silently: Vec::new(),
            gone: Vec::new(),
            seen: Vec::new(),
            happened: BTreeSet::new(),
            expected: BTreeMap::new(),
        }
    }

    /// Other policies. Which events are kept stays as it was.
    pub fn reconfigure(&mut self, config: RealmConfig) {
        self.config = config;
        self.set_roles(self.roles.clone());
    }

    /// Whether a URI or pattern is none.
    pub fn is_malformed(&self, uri: &str) -> bool {
        let is_strict = self.config.uri_grammar == Grammar::Strict;
        uri.contains(' ')
            || uri.len() > self.config.uri_bytes_max
            || is_strict && uri.contains(|it: char| it.is_ascii_uppercase())
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
        self.find_session(client).unwrap()
    }

    /// A session, be it a client's or not.
    fn find_session(&self, client: Client) -> Option<&Session> {
        let own = [&self.realm].into_iter().chain(&self.internal);
        let mut all = self.sessions.iter().chain(own);
        all.find(|session| session.client == client)
    }

    /// Whether a session is the router's own, which may do everything.
    pub fn is_internal(&self, client: Client) -> bool {
        self.internal.as_ref().is_some_and(|it| it.client == client)
    }

    /// The client whose session has this id.
    pub fn client_of(&self, session: u64) -> Option<Client> {
        let found = self.sessions.iter().find(|it| it.id == session);
        found.map(|it| it.client)
    }

    pub fn note(&mut self, what: &'static str) {
        assert!(EVERYTHING.contains(&what), "{what} is not listed");
        self.happened.insert(what);
    }

    /// Why a session takes no message with this payload, if it does not.
    fn why_not_take(&self, client: Client, payload: &Json) -> Option<&'static str> {
        self.session(client).why_not_take(payload)
    }

    fn alive(&self, client: Client) -> bool {
        self.find_session(client).is_some()
    }

    /// Sends a message.
    pub fn expect(&mut self, client: Client, message: Json) {
        if client == self.realm.client {
            let (number, results) = match message[0] == 50 {
                true => (&message[1], Some(message[3].clone())),
                false => (&message[2], None),
            };
            return self.answers.push_back((number.as_u64().unwrap(), results));
        }
        self.expected.entry(client).or_default().push(message);
    }

    fn expect_error(&mut self, client: Client, request_type: u64, request: u64, error: &str) {
        let uri = format!("wamp.error.{error}");
        self.expect(client, json!([8, request_type, request, {}, uri]));
    }

    /// Who got a call in this step. A question may be asked again in the same words, of another
    /// authorizer: the invocations that were foretold already are those that came first.
    fn seen_invocation(&self, call: &Call) -> Option<Client> {
        let is_it = |m: &Json| m[0] == 68 && m[2] == call.registration && m[4] == call.args;
        let foretold = self.expected.values().flatten();
        let foretold = foretold.filter(|&m| is_it(m)).count();
        let mut those = self.seen.iter().filter(|(_, m)| is_it(m));
        those.nth(foretold).map(|&(client, _)| client)
    }

    /// The place, among all that was received in this step, of the first such message to a session.
    fn seen_at(&self, client: Client, is_it: impl Fn(&Json) -> bool) -> Option<usize> {
        let mut all = self.seen.iter();
        all.position(|(to, message)| *to == client && is_it(message))
    }

    /// The id that an answer of this type grants in this step.
    fn seen_granted(&self, client: Client, message_type: u64, request: u64) -> Option<u64> {
        let at = self.seen_at(client, |m| m[0] == message_type && m[1] == request)?;
        self.seen[at].1[2].as_u64()
    }

    /// The error that a call got in this step.
    fn seen_error(&self, caller: Client, request: u64) -> Option<&str> {
        let at = self.seen_at(caller, |m| m[0] == 8 && m[1] == 48 && m[2] == request)?;
        self.seen[at].1[4].as_str()
    }
}

/// The id of a new subscription or registration, which the realm chooses: one that never was.
fn fresh(granted: Option<u64>, known: &mut Vec<u64>) -> u64 {
    let id = granted.expect("the realm grants what the model does");
    assert!(!known.contains(&id), "the id {id} is used again");
    known.push(id);
    id
}

/// In which order the nodes of a partition have each key. It never changes, as routers that are replaced
/// have to go on as those before.
const NODES: [(&str, [&str; 7]); 3] = [
    (
        "k1",
        ["node2", "ann", "e.v", "eve", "node1", "node3", "joe"],
    ),
    (
        "k2",
        ["e.v", "node2", "node1", "ann", "eve", "joe", "node3"],
    ),
    (
        "k3",
        ["eve", "e.v", "joe", "node1", "node2", "node3", "ann"],
    ),
];

/// To which of some nodes a key belongs.
fn owner<'n>(rkey: &str, nodes: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let (_, order) = NODES.iter().find(|(key, _)| *key == rkey).unwrap();
    nodes.min_by_key(|node| order.iter().position(|it| it == node).unwrap())
}
