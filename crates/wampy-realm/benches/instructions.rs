//! Counts the instructions of routing: a message's way through [`Realm::handle`].
//!
//! Run by `make counts`. Every seed and id is fixed, so that hash tables look the same on every run.
//! Deliberately absent: decoding (counted in `wampy-proto`) and what a router does with the realm's
//! messages beyond encoding them (counted in `wampy-router`).

// A benchmark fails as a test does: by panicking.
#![allow(clippy::unwrap_used)]
// The macros make public items.
#![allow(missing_docs)]

use std::hint::black_box;

use gungraun::prelude::*;
use wampy_proto::message::{
    Call, CallOptions, Goodbye, Publish, PublishOptions, Register, RegisterOptions, Subscribe,
    SubscribeOptions, Yield, YieldOptions,
};
use wampy_proto::{MatchPolicy, Message, Payload, RequestId, Role, Roles, Serializer, SessionId};
use wampy_realm::{
    Allow, Now, Outbox, Permission, Realm, RealmConfig, RealmRole, RealmRoles, SendError,
    SessionDetails, SessionKey,
};

/// How many messages each function handles: enough that single branches do not show.
const REPEATS: u64 = 100;

/// How many subscriptions that do not match stand beside the one that does.
const OTHER_SUBSCRIPTIONS: u64 = 1000;

const NOW: Now = Now {
    monotonic_ms: 1_000,
    unix_ms: 1_700_000_000_000,
};

/// Counts what the realm sends, and drops it.
#[derive(Default)]
struct Counter {
    sent: u64,
}

impl Outbox for Counter {
    fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        black_box((to, message));
        self.sent += 1;
        Ok(())
    }

    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
        black_box((to, message));
        self.sent += to.len() as u64;
    }

    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
        black_box((session, goodbye));
    }
}

/// Encodes what the realm sends into one buffer, as a router does for each receiver.
struct Buffer {
    serializer: Serializer,
    bytes: Vec<u8>,
    sent: u64,
}

impl Outbox for Buffer {
    fn send(&mut self, _: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        self.bytes.clear();
        message.encode(self.serializer, &mut self.bytes)?;
        self.sent += 1;
        Ok(())
    }

    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
        for &to in to {
            self.send(to, message).unwrap();
        }
    }

    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
        black_box((session, goodbye));
    }
}

/// A realm, the session whose messages are handled, and these messages.
struct Turn<O> {
    realm: Realm,
    from: SessionKey,
    messages: Vec<Message<'static>>,
    outbox: O,
}

impl<O: Outbox> Turn<O> {
    /// What is counted, and also done before to bring every table to its size.
    fn handle_all(&mut self) {
        for mut message in self.messages.drain(..) {
            self.realm
                .handle(NOW, self.from, &mut message, &mut self.outbox)
                .unwrap();
        }
    }
}

fn request(id: u64) -> RequestId {
    RequestId::try_from(id).unwrap()
}

fn join(realm: &mut Realm, id: u64) -> SessionKey {
    let details = SessionDetails {
        id: SessionId::try_from(id).unwrap(),
        authid: "anonymous".into(),
        authrole: "anonymous".into(),
        authmethod: "anonymous".into(),
        authprovider: "static".into(),
        trust_level: None,
        authextra: None,
        roles: Roles::announced(&Role::CLIENT),
        transport: None,
    };
    realm.join(NOW, details, &mut Counter::default()).unwrap()
}

fn handle(realm: &mut Realm, from: SessionKey, message: impl Into<Message<'static>>) {
    realm
        .handle(NOW, from, &mut message.into(), &mut Counter::default())
        .unwrap();
}

/// One text of 16 bytes as the only argument, borrowed, as it is when it was decoded.
fn text(serializer: Serializer) -> Payload<'static> {
    let payload = Payload::encode(serializer, &("0123456789abcdef",), &()).unwrap();
    let args: &'static [u8] = Box::leak(payload.encoded_args().into());
    Payload::from_encoded(serializer, args, &[][..])
}

fn subscribe(id: u64, topic: String, match_policy: MatchPolicy) -> Subscribe<'static> {
    Subscribe {
        request: request(id),
        options: SubscribeOptions {
            match_policy,
            ..SubscribeOptions::default()
        },
        topic: topic.into(),
    }
}

/// Ten sessions that hold subscriptions of all three kinds, none of which matches the topic that
/// is published.
fn add_other_subscriptions(realm: &mut Realm) {
    let sessions: Vec<_> = (0..10).map(|at| join(realm, 10_000 + at)).collect();
    for at in 0..OTHER_SUBSCRIPTIONS {
        let (topic, match_policy) = match at % 3 {
            0 => (format!("com.example.sensor.{at}"), MatchPolicy::Exact),
            1 => (format!("com.example.building{at}"), MatchPolicy::Prefix),
            _ => (format!("com.example..room{at}"), MatchPolicy::Wildcard),
        };
        let session = sessions[at as usize % sessions.len()];
        let id = at / sessions.len() as u64 + 1;
        handle(realm, session, subscribe(id, topic, match_policy));
    }
    assert_eq!(realm.stats().subscriptions as u64, OTHER_SUBSCRIPTIONS);
}

/// Publications of one topic, with one subscriber by `pattern`.
fn publications(pattern: &str, match_policy: MatchPolicy) -> Turn<Counter> {
    let mut realm = Realm::new("realm1", RealmConfig::default(), 42);
    add_other_subscriptions(&mut realm);
    publications_in(realm, pattern, match_policy)
}

fn publications_in(mut realm: Realm, pattern: &str, match_policy: MatchPolicy) -> Turn<Counter> {
    let (publisher, subscriber) = (join(&mut realm, 1), join(&mut realm, 2));
    let subscribe = subscribe(1, pattern.to_owned(), match_policy);
    handle(&mut realm, subscriber, subscribe);
    let messages = |first: u64| {
        let publish = move |id| Publish {
            request: request(id),
            options: PublishOptions::default(),
            topic: "com.example.house.kitchen".into(),
            payload: text(Serializer::MsgPack),
        };
        (first..first + REPEATS).map(move |id| publish(id).into())
    };
    let mut turn = Turn {
        realm,
        from: publisher,
        messages: messages(1).collect(),
        outbox: Counter::default(),
    };
    turn.handle_all();
    assert_eq!(turn.outbox.sent, REPEATS);
    turn.messages.extend(messages(REPEATS + 1));
    turn
}

#[library_benchmark]
#[bench::exact(publications("com.example.house.kitchen", MatchPolicy::Exact))]
#[bench::prefix(publications("com.example.house", MatchPolicy::Prefix))]
#[bench::wildcard(publications("com.example..kitchen", MatchPolicy::Wildcard))]
fn publish_among_1000(mut turn: Turn<Counter>) -> Turn<Counter> {
    turn.handle_all();
    turn
}

/// Publications that a permission among others allows: what the gate of a realm with roles costs.
fn permitted_publications() -> Turn<Counter> {
    let permission = |at: u64| {
        let uri = match at {
            0 => "com.example.".to_owned(),
            _ => format!("com.other{at}."),
        };
        Permission::new(uri, MatchPolicy::Prefix, Allow::EVERYTHING).unwrap()
    };
    let role = RealmRole::with_permissions("anonymous", (0..20).map(permission).collect());
    let config = RealmConfig {
        roles: RealmRoles::new(vec![role.unwrap()]).unwrap(),
        ..RealmConfig::default()
    };
    publications_in(
        Realm::new("realm1", config, 42),
        "com.example.house.kitchen",
        MatchPolicy::Exact,
    )
}

#[library_benchmark]
#[bench::exact(permitted_publications())]
fn publish_with_permission(mut turn: Turn<Counter>) -> Turn<Counter> {
    turn.handle_all();
    turn
}

/// Both ends of calls: a realm, and who calls whom.
struct Calls {
    realm: Realm,
    caller: SessionKey,
    callee: SessionKey,
    serializer: Serializer,
}

impl Calls {
    fn new(serializer: Serializer) -> Self {
        let mut realm = Realm::new("realm1", RealmConfig::default(), 42);
        let (caller, callee) = (join(&mut realm, 1), join(&mut realm, 2));
        let register = Register {
            request: request(1),
            options: RegisterOptions::default(),
            procedure: "com.example.date.weekday".into(),
        };
        handle(&mut realm, callee, register);
        Self {
            realm,
            caller,
            callee,
            serializer,
        }
    }

    fn turn(self, from: SessionKey, messages: Vec<Message<'static>>) -> Turn<Buffer> {
        Turn {
            realm: self.realm,
            from,
            messages,
            outbox: Buffer {
                serializer: self.serializer,
                bytes: Vec::with_capacity(1024),
                sent: 0,
            },
        }
    }

    fn calls(&self, first: u64) -> Vec<Message<'static>> {
        let call = |id| Call {
            request: request(id),
            options: CallOptions::default(),
            procedure: "com.example.date.weekday".into(),
            payload: text(self.serializer),
        };
        (first..first + REPEATS).map(|id| call(id).into()).collect()
    }

    fn yields(&self, first: u64) -> Vec<Message<'static>> {
        let result = |id| Yield {
            request: request(id),
            options: YieldOptions::default(),
            payload: text(self.serializer),
        };
        let ids = first..first + REPEATS;
        ids.map(|id| result(id).into()).collect()
    }

    fn handle_all(&mut self, from: SessionKey, messages: Vec<Message<'static>>) {
        for message in messages {
            handle(&mut self.realm, from, message);
        }
    }

    /// The first calls, by which every table gets its size.
    fn make_and_answer(&mut self) {
        self.handle_all(self.caller, self.calls(1));
        self.handle_all(self.callee, self.yields(1));
        assert_eq!(self.realm.stats().pending_calls, 0);
    }
}

/// Calls to be made, in a realm whose tables have their size.
fn calls(serializer: Serializer) -> Turn<Buffer> {
    let mut it = Calls::new(serializer);
    it.make_and_answer();
    let (caller, calls) = (it.caller, it.calls(REPEATS + 1));
    it.turn(caller, calls)
}

#[library_benchmark]
#[bench::json(calls(Serializer::Json))]
#[bench::msgpack(calls(Serializer::MsgPack))]
#[bench::cbor(calls(Serializer::Cbor))]
fn call_to_invocation(mut turn: Turn<Buffer>) -> Turn<Buffer> {
    turn.handle_all();
    assert_eq!(turn.outbox.sent, REPEATS);
    turn
}

/// Answers to be given to calls that have been made.
fn yields(serializer: Serializer) -> Turn<Buffer> {
    let mut it = Calls::new(serializer);
    it.make_and_answer();
    it.handle_all(it.caller, it.calls(REPEATS + 1));
    assert_eq!(it.realm.stats().pending_calls as u64, REPEATS);
    let (callee, yields) = (it.callee, it.yields(REPEATS + 1));
    it.turn(callee, yields)
}

#[library_benchmark]
#[bench::json(yields(Serializer::Json))]
#[bench::msgpack(yields(Serializer::MsgPack))]
#[bench::cbor(yields(Serializer::Cbor))]
fn yield_to_result(mut turn: Turn<Buffer>) -> Turn<Buffer> {
    turn.handle_all();
    assert_eq!(turn.outbox.sent, REPEATS);
    turn
}

library_benchmark_group!(
    name = routing,
    benchmarks = [
        publish_among_1000,
        publish_with_permission,
        call_to_invocation,
        yield_to_result
    ]
);

main!(library_benchmark_groups = routing);
