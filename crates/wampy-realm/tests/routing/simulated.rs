//! Clients without transports: they speak JSON messages with a realm and keep what they receive.
//!
//! What a test sends passes through the decoder, and what it receives through the encoder, so that
//! tests read and write what is on the wire. After every step the realm's invariants are checked.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value as Json, json};
use wampy_proto::message::Goodbye;
use wampy_proto::{EncodeError, Feature, FeatureSet, Message, Role, Roles, Serializer, SessionId};
use wampy_realm::{
    JoinRefused, KeptEvent, Now, Outbox, Realm, RealmConfig, RealmRoles, SendError, SessionDetails,
    SessionKey, Shelf, StoreChange, StoreFailed, Transport,
};

/// A client's session.
pub type Client = SessionKey;

/// A realm with simulated clients.
pub struct Network {
    pub realm: Realm,
    pub now: Now,
    /// Whether the date goes on while time passes.
    pub date_goes_on: bool,
    wire: Wire,
    ids: HashMap<SessionKey, u64>,
    restarts: u64,
}

/// A text that stands for values that a serializer cannot express.
pub const UNENCODABLE: &str = "unencodable";

/// What has been sent to whom.
#[derive(Default)]
pub struct Wire {
    /// What each client has not received yet, each message with its place among all.
    inboxes: HashMap<SessionKey, Vec<(u64, Json)>>,
    deliveries: u64,
    ended: Vec<SessionKey>,
    /// The clients whose serializer has no form for [`UNENCODABLE`].
    picky: Vec<SessionKey>,
    /// The longest message that a client takes, in bytes of JSON; none if absent.
    message_bytes_max: HashMap<SessionKey, usize>,
    /// The realm's store of events.
    store: BTreeMap<(Shelf, u64), Vec<u8>>,
    /// What of the store cannot be written, and whether anything could not be.
    broken_shelves: Vec<Shelf>,
    missed_changes: bool,
}

impl Wire {
    fn deliver(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        assert!(
            !self.ended.contains(&to),
            "{message:?} sent to a session that has ended"
        );
        let mut bytes = Vec::new();
        message.encode(Serializer::Json, &mut bytes)?;
        let unencodable = || String::from_utf8_lossy(&bytes).contains(&format!("[{UNENCODABLE:?}"));
        if self.picky.contains(&to) && unencodable() {
            return Err(EncodeError(UNENCODABLE.into()).into());
        }
        if self
            .message_bytes_max
            .get(&to)
            .is_some_and(|&max| bytes.len() > max)
        {
            return Err(SendError::TooLong);
        }
        let json = serde_json::from_slice(&bytes).unwrap();
        self.deliveries += 1;
        self.inboxes
            .get_mut(&to)
            .expect("a session of the realm")
            .push((self.deliveries, json));
        Ok(())
    }
}

impl Outbox for Wire {
    fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        self.deliver(to, message)
    }

    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
        assert!(!to.is_empty(), "an event for nobody");
        for &to in to {
            _ = self.deliver(to, message);
        }
    }

    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
        _ = self.deliver(session, &Message::Goodbye(goodbye));
        self.ended.push(session);
    }

    fn store(&mut self, change: StoreChange<'_>) -> Result<(), StoreFailed> {
        let (StoreChange::Keep { shelf, .. } | StoreChange::Forget { shelf, .. }) = &change;
        if self.broken_shelves.contains(shelf) {
            self.missed_changes = true;
            return Err(StoreFailed);
        }
        match change {
            StoreChange::Keep {
                shelf,
                number,
                event,
                ..
            } => {
                let mut bytes = Vec::new();
                event.encode(&mut bytes);
                let before = self.store.insert((shelf, number), bytes);
                assert!(before.is_none(), "number {number} was given before");
            }
            StoreChange::Forget { shelf, number } => {
                let known = self.store.remove(&(shelf, number));
                let was_kept = known.is_some() || self.missed_changes;
                assert!(was_kept, "number {number} was not kept");
            }
        }
        Ok(())
    }
}

/// Features without which a peer may neither send nor get certain messages.
const ASKED_FOR: [Feature; 2] = [
    Feature::PayloadPassthruMode,
    Feature::ProgressiveCallInvocations,
];

/// Every role of a client with every feature that this implementation has, but for those of which a
/// test has to say who has them.
pub fn all_features() -> Roles {
    without(Roles::announced(&Role::CLIENT), &ASKED_FOR)
}

/// Every role of a client, without any feature.
pub fn no_features() -> Roles {
    let mut roles = Roles::default();
    for role in Role::CLIENT {
        roles.set(role, FeatureSet::EMPTY);
    }
    roles
}

/// Every role of a client with every feature of the specification.
pub fn every_feature() -> Roles {
    let mut roles = Roles::default();
    for role in Role::CLIENT {
        let mut features = FeatureSet::EMPTY;
        for feature in Feature::ALL {
            features.insert(feature);
        }
        roles.set(role, features);
    }
    roles
}

/// All features but these.
pub fn features_without(missing: &[Feature]) -> Roles {
    without(all_features(), missing)
}

/// The roles of a client that it has in `roles`, each without the features that are `missing`.
pub fn without(mut roles: Roles, missing: &[Feature]) -> Roles {
    for role in Role::CLIENT {
        let mut features = roles.get(role).unwrap();
        for &feature in missing {
            features.remove(feature);
        }
        roles.set(role, features);
    }
    roles
}

/// All features, and these in every role, which our own clients may not have yet.
pub fn features_with(further: &[Feature]) -> Roles {
    let mut roles = all_features();
    for role in Role::CLIENT {
        let mut features = roles.get(role).unwrap();
        for &feature in further {
            features.insert(feature);
        }
        roles.set(role, features);
    }
    roles
}

impl Network {
    pub fn new() -> Self {
        Self::with(RealmConfig::default())
    }

    pub fn with(config: RealmConfig) -> Self {
        Self {
            realm: Realm::new("realm1", config, 42),
            now: Now {
                monotonic_ms: 1_000,
                unix_ms: 1_582_934_399_999,
            },
            date_goes_on: false,
            wire: Wire::default(),
            ids: HashMap::new(),
            restarts: 0,
        }
    }

    /// The router ends without a word, and another begins with the same store, perhaps with another
    /// configuration. All sessions are gone.
    pub fn restart(&mut self, config: RealmConfig) {
        self.restarts += 1;
        self.realm = Realm::new("realm1", config, 42 + self.restarts);
        self.wire.inboxes.clear();
        self.wire.ended.clear();
        self.wire.picky.clear();
        self.wire.message_bytes_max.clear();
        self.ids.clear();
        for ((shelf, number), bytes) in self.wire.store.clone() {
            let event = KeptEvent::decode(&bytes).unwrap();
            self.realm
                .restore(self.now, shelf, number, event, &mut self.wire);
        }
        self.wire.missed_changes = !self.wire.broken_shelves.is_empty();
        self.check();
    }

    /// From now on the store cannot be written.
    pub fn break_store(&mut self) {
        self.break_shelf(Shelf::Retained);
        self.break_shelf(Shelf::History);
    }

    /// From now on this part of the store cannot be written.
    pub fn break_shelf(&mut self, shelf: Shelf) {
        self.wire.broken_shelves.push(shelf);
    }

    /// The store can be written again. What it has missed it does not know.
    pub fn mend_store(&mut self) {
        self.wire.broken_shelves.clear();
    }

    /// A session with all features.
    pub fn join(&mut self) -> Client {
        self.join_with(all_features())
    }

    pub fn join_with(&mut self, roles: Roles) -> Client {
        self.join_as("someone", "member", roles)
    }

    /// A session with every feature of the specification.
    pub fn join_capable(&mut self) -> Client {
        self.join_with(every_feature())
    }

    pub fn join_as(&mut self, authid: &str, authrole: &str, roles: Roles) -> Client {
        self.try_join(authid, authrole, roles).unwrap()
    }

    pub fn try_join(
        &mut self,
        authid: &str,
        authrole: &str,
        roles: Roles,
    ) -> Result<Client, JoinRefused> {
        let id = SessionId::try_from(1_000_000 + self.ids.len() as u64).unwrap();
        let details = SessionDetails {
            id,
            authid: authid.into(),
            authrole: authrole.into(),
            authmethod: "ticket".into(),
            authprovider: "static".into(),
            trust_level: None,
            authextra: None,
            roles,
            transport: Some(Transport {
                kind: "simulated",
                serializer: "json",
            }),
        };
        self.join_details(details)
    }

    pub fn join_details(&mut self, details: SessionDetails) -> Result<Client, JoinRefused> {
        let id = details.id.value();
        let client = self.realm.join(self.now, details, &mut self.wire)?;
        self.ids.insert(client, id);
        self.wire.inboxes.insert(client, Vec::new());
        self.check();
        Ok(client)
    }

    /// A session of the router itself.
    pub fn join_internal(&mut self, id: u64) -> Client {
        let client = self.realm.join_internal(SessionDetails {
            id: SessionId::try_from(id).unwrap(),
            authid: "router".into(),
            authrole: "router".into(),
            authmethod: "internal".into(),
            authprovider: "internal".into(),
            trust_level: None,
            authextra: None,
            roles: Roles::default(),
            transport: None,
        });
        self.ids.insert(client, id);
        self.wire.inboxes.insert(client, Vec::new());
        self.check();
        client
    }

    /// The session's id, as the client learns it from WELCOME.
    pub fn id(&self, client: Client) -> u64 {
        self.ids[&client]
    }

    /// The client sends a message. It must be none that breaks the protocol.
    pub fn send(&mut self, client: Client, message: Json) {
        if let Err(violation) = self.try_send(client, &message) {
            panic!("{message}: {violation}");
        }
    }

    /// The client sends a message that breaks the protocol: why, in words. The router takes its
    /// session out.
    pub fn violate(&mut self, client: Client, message: Json) -> String {
        let violation = self
            .try_send(client, &message)
            .expect_err(&message.to_string());
        assert_eq!(
            self.received(client),
            [Json::Null; 0],
            "nothing of {message} was done"
        );
        self.leave(client);
        violation
    }

    /// The client sends a message, which may break the protocol: then why, in words.
    pub fn try_send(&mut self, client: Client, message: &Json) -> Result<(), String> {
        let bytes = message.to_string();
        let message = Message::decode(Serializer::Json, bytes.as_bytes());
        let mut message = message.map_err(|error| error.to_string())?;
        let handled = self
            .realm
            .handle(self.now, client, &mut message, &mut self.wire);
        self.check();
        handled.map_err(|violation| violation.to_string())
    }

    /// What the client has received since it was last asked.
    pub fn received(&mut self, client: Client) -> Vec<Json> {
        let received = std::mem::take(self.inbox(client));
        received.into_iter().map(|(_, message)| message).collect()
    }

    /// What these clients have received since they were last asked, in the order in which the realm
    /// sent it.
    pub fn received_by(&mut self, clients: &[Client]) -> Vec<(Client, Json)> {
        let mut received = Vec::new();
        for &client in clients {
            let messages = std::mem::take(self.inbox(client)).into_iter();
            received.extend(messages.map(|(place, message)| (place, client, message)));
        }
        received.sort_unstable_by_key(|&(place, ..)| place);
        let received = received.into_iter();
        received.map(|(_, client, it)| (client, it)).collect()
    }

    fn inbox(&mut self, client: Client) -> &mut Vec<(u64, Json)> {
        let inbox = self.wire.inboxes.get_mut(&client);
        inbox.expect("a client of this network")
    }

    /// The one message that the client has received since it was last asked.
    #[track_caller]
    pub fn receive(&mut self, client: Client) -> Json {
        let mut received = self.received(client);
        assert_eq!(received.len(), 1, "{received:?}");
        received.remove(0)
    }

    /// The client's transport is lost.
    pub fn leave(&mut self, client: Client) {
        self.realm.leave(self.now, client, &mut self.wire);
        self.wire.ended.push(client);
        self.check();
    }

    /// The realm gets other roles.
    pub fn set_roles(&mut self, roles: RealmRoles) {
        self.realm.set_roles(self.now, roles, &mut self.wire);
        self.check();
    }

    /// The realm gets other policies and limits.
    pub fn reconfigure(&mut self, config: RealmConfig) {
        self.realm.reconfigure(self.now, config, &mut self.wire);
        self.check();
    }

    /// Whether the realm has ended the session itself.
    pub fn has_ended(&self, client: Client) -> bool {
        self.wire.ended.contains(&client)
    }

    /// From now on the client takes no message longer than this, in bytes of JSON.
    pub fn limit_messages(&mut self, client: Client, bytes_max: usize) {
        self.wire.message_bytes_max.insert(client, bytes_max);
    }

    /// From now on the client's serializer has no form for [`UNENCODABLE`].
    pub fn make_picky(&mut self, client: Client) {
        self.wire.picky.push(client);
    }

    /// Lets time pass, and the realm's timeouts with it.
    pub fn pass(&mut self, ms: u64) {
        let end_ms = self.now.monotonic_ms + ms;
        while let Some(timeout_ms) = self.realm.next_timeout_ms().filter(|&t| t <= end_ms) {
            self.advance_to(timeout_ms);
            self.realm.handle_timeout(self.now, &mut self.wire);
            self.check();
        }
        self.advance_to(end_ms);
        self.realm.handle_timeout(self.now, &mut self.wire);
        self.check();
    }

    fn advance_to(&mut self, monotonic_ms: u64) {
        let passed_ms = monotonic_ms.saturating_sub(self.now.monotonic_ms);
        self.now.monotonic_ms += passed_ms;
        if self.date_goes_on {
            self.now.unix_ms += passed_ms;
        }
    }

    /// Subscribes; returns the subscription.
    #[track_caller]
    pub fn subscribe(&mut self, client: Client, topic: &str, options: Json) -> u64 {
        self.send(client, json!([32, 7001, options, topic]));
        self.granted(client, 33, 7001)
    }

    /// Registers; returns the registration.
    #[track_caller]
    pub fn register(&mut self, client: Client, procedure: &str, options: Json) -> u64 {
        self.send(client, json!([64, 7002, options, procedure]));
        self.granted(client, 65, 7002)
    }

    /// Calls, and checks that the callee received an invocation: its id and details.
    #[track_caller]
    pub fn invoke(
        &mut self,
        caller: Client,
        request: u64,
        options: Json,
        procedure: &str,
        callee: Client,
    ) -> (u64, Json) {
        self.send(caller, json!([48, request, options, procedure]));
        let invocation = self.receive(callee);
        assert_eq!(invocation[0], 68, "{invocation}");
        (invocation[1].as_u64().unwrap(), invocation[3].clone())
    }

    /// Calls a procedure that answers at once, such as those of the meta API: its args.
    #[track_caller]
    pub fn ask(&mut self, client: Client, procedure: &str, args: Json) -> Json {
        self.send(client, json!([48, 7003, {}, procedure, args]));
        let result = self.receive(client);
        assert_eq!(
            (&result[0], &result[1]),
            (&json!(50), &json!(7003)),
            "{result}"
        );
        result.get(3).cloned().unwrap_or(json!([]))
    }

    /// Calls a procedure that refuses at once: the error's URI.
    #[track_caller]
    pub fn ask_in_vain(&mut self, client: Client, procedure: &str, args: Json) -> String {
        self.send(client, json!([48, 7004, {}, procedure, args]));
        let error = self.receive(client);
        assert_error(&error, 48, 7004, error[4].as_str().unwrap());
        error[4].as_str().unwrap().to_owned()
    }

    /// The id that the answer to a request grants. Whatever else the client has received stays.
    #[track_caller]
    fn granted(&mut self, client: Client, message_type: u64, request: u64) -> u64 {
        let inbox = self.inbox(client);
        let answer = inbox
            .iter()
            .position(|(_, m)| m[0] == message_type && m[1] == request);
        let answer = answer.unwrap_or_else(|| panic!("not granted: {inbox:?}"));
        inbox.remove(answer).1[2].as_u64().unwrap()
    }

    pub fn check(&self) {
        if let Err(problem) = self.realm.check_invariants() {
            panic!("{problem}");
        }
        let held = self.realm.stats();
        if !self.wire.missed_changes {
            assert_eq!(
                self.wire.store.len(),
                held.retained_events + held.history_events,
                "the store has what the realm has"
            );
        }
    }
}

/// Checks that a message is ERROR for this request with this URI.
#[track_caller]
pub fn assert_error(message: &Json, request_type: u64, request: u64, uri: &str) {
    let expected = (
        &json!(8),
        &json!(request_type),
        &json!(request),
        &json!(uri),
    );
    assert_eq!(
        (&message[0], &message[1], &message[2], &message[4]),
        expected,
        "{message}"
    );
}
