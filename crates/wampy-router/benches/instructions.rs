//! Counts the instructions of delivering: from a message of the realm to the system call that
//! writes it to its receivers' sockets.
//!
//! Run by `make counts`. What delivers is private to the router, so its files are compiled in here
//! once more; nothing has to become public for it. The sockets are real, with nobody reading at the
//! other end: what is written fits their buffers. Deliberately absent: the kernel's part, which is
//! not counted, and the runtime's.

// A benchmark fails as a test does: by panicking.
#![allow(clippy::unwrap_used)]
// The macros make public items.
#![allow(missing_docs)]

#[path = "../src/backlog.rs"]
#[allow(dead_code, unused_imports)]
mod backlog;
#[path = "../src/buffers.rs"]
#[allow(dead_code, unused_imports)]
mod buffers;
#[path = "../src/delivery.rs"]
#[allow(dead_code, unused_imports)]
mod delivery;
#[path = "../src/internal_session.rs"]
#[allow(dead_code)]
mod internal_session;
#[path = "../src/large_frame.rs"]
#[allow(dead_code)]
mod large_frame;
#[path = "../src/outlet/mod.rs"]
#[allow(dead_code)]
mod outlet;
#[path = "../src/store/mod.rs"]
#[allow(dead_code, unused_imports)]
mod store;

use std::hint::black_box;
use std::sync::Arc;

use gungraun::prelude::*;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};
use wampy_proto::framing::Encoder;
use wampy_proto::framing::rawsocket::RawSocketEncoder;
use wampy_proto::framing::websocket::WebSocketEncoder;
use wampy_proto::message::{Event, EventDetails, Invocation, InvocationDetails};
use wampy_proto::{
    Message, Payload, PublicationId, RegistrationId, RequestId, Role, Roles, Serializer, SessionId,
    SubscriptionId,
};
use wampy_realm::{Now, Outbox, Realm, RealmConfig, SessionDetails, SessionKey};
use wampy_transport::Stream;

use backlog::Backlog;
use delivery::{Delivery, Seats};
use outlet::Outlet;

/// How many messages each function delivers. Each makes one write to each receiver's socket, and so
/// many small ones fit its buffer.
const REPEATS: usize = 100;

/// As much as a session may have waiting; never reached here.
const BYTES_MAX: usize = 1 << 20;

/// Sessions with sockets, and a message for all of them.
struct Receivers {
    seats: Seats,
    touched: Vec<Arc<Outlet>>,
    keys: Vec<SessionKey>,
    message: Message<'static>,
    /// The other ends of the sockets.
    _peers: Vec<UnixStream>,
    /// Knows whether the sockets are writable.
    _runtime: Runtime,
}

impl Receivers {
    /// One turn of the realm as the router does it: route, then write.
    fn deliver(&mut self) {
        let mut delivery = Delivery::new(&mut self.seats, &mut self.touched, None);
        delivery.send_to_many(black_box(&self.keys), black_box(&self.message));
        drop(delivery);
        for outlet in self.touched.drain(..) {
            outlet.flush();
        }
    }

    /// A turn of many messages, which are written together.
    fn deliver_batch(&mut self) {
        let mut delivery = Delivery::new(&mut self.seats, &mut self.touched, None);
        for _ in 0..REPEATS {
            delivery.send_to_many(black_box(&self.keys), black_box(&self.message));
        }
        drop(delivery);
        for outlet in self.touched.drain(..) {
            outlet.flush();
        }
    }

    /// Checks that all was written at once.
    fn check(self) {
        let lengths = self.keys.iter().map(|&key| {
            let outlet = self.seats.get(key).unwrap();
            assert!(!outlet.has_signals());
            assert_eq!(outlet.waiting_bytes(), 0);
            outlet.sent_bytes()
        });
        let lengths: Vec<u64> = lengths.collect();
        assert!(lengths[0] > 0 && lengths.iter().all(|&length| length == lengths[0]));
    }
}

fn session(id: u64) -> SessionDetails {
    SessionDetails {
        id: SessionId::try_from(id).unwrap(),
        authid: "anonymous".into(),
        authrole: "anonymous".into(),
        authmethod: "anonymous".into(),
        authprovider: "static".into(),
        trust_level: None,
        authextra: None,
        roles: Roles::announced(&Role::CLIENT),
        transport: None,
    }
}

/// An outlet whose socket is known to be writable, and the other end of the socket.
fn outlet(runtime: &Runtime, serializer: Serializer) -> (Outlet, UnixStream) {
    let encoder: Encoder = match serializer {
        Serializer::Json => WebSocketEncoder::server(false).into(),
        Serializer::Cbor => WebSocketEncoder::server(true).into(),
        Serializer::MsgPack => RawSocketEncoder::default().into(),
    };
    let (ours, theirs) = runtime.block_on(async {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.writable().await.unwrap();
        (Stream::from(ours), theirs)
    });
    let (_, write) = ours.into_halves();
    let backlog = Arc::new(Backlog::new(BYTES_MAX, 1));
    let outlet = Outlet::new(write, encoder, serializer, BYTES_MAX, &backlog);
    (outlet, theirs)
}

fn receivers(serializer: Serializer, count: u64, message: Message<'static>) -> Receivers {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    // The realm only gives out the sessions' keys.
    let mut realm = Realm::new("realm1", RealmConfig::default(), 42);
    let now = Now {
        monotonic_ms: 0,
        unix_ms: 0,
    };
    let (mut seats, mut touched) = (Seats::default(), Vec::new());
    let (mut keys, mut peers) = (Vec::new(), Vec::new());
    for id in 1..=count {
        let (outlet, peer) = outlet(&runtime, serializer);
        let mut delivery = Delivery::new(&mut seats, &mut touched, None);
        let key = realm.join(now, session(id), &mut delivery).unwrap();
        drop(delivery);
        seats.insert(key, Arc::new(outlet));
        keys.push(key);
        peers.push(peer);
    }
    let mut receivers = Receivers {
        seats,
        touched,
        keys,
        message,
        _peers: peers,
        _runtime: runtime,
    };
    // The first time, in which buffers are allocated.
    receivers.deliver();
    receivers
}

fn text(serializer: Serializer) -> Payload<'static> {
    Payload::encode(serializer, &("0123456789abcdef",), &()).unwrap()
}

fn subscribers(serializer: Serializer) -> Receivers {
    let event = Event {
        subscription: SubscriptionId::try_from(7).unwrap(),
        publication: PublicationId::try_from(4_471_935_826_587_908).unwrap(),
        details: EventDetails::default(),
        payload: text(serializer),
    };
    receivers(serializer, 100, event.into())
}

fn callee(serializer: Serializer) -> Receivers {
    let invocation = Invocation {
        request: RequestId::try_from(1234).unwrap(),
        registration: RegistrationId::try_from(7).unwrap(),
        details: InvocationDetails::default(),
        payload: text(serializer),
    };
    receivers(serializer, 1, invocation.into())
}

/// A callee whose buffers have room for a batch.
fn busy_callee(serializer: Serializer) -> Receivers {
    let mut receivers = callee(serializer);
    receivers.deliver_batch();
    receivers
}

#[library_benchmark(teardown = Receivers::check)]
#[bench::websocket_json(subscribers(Serializer::Json))]
#[bench::rawsocket_msgpack(subscribers(Serializer::MsgPack))]
#[bench::websocket_cbor(subscribers(Serializer::Cbor))]
fn event_to_100(mut receivers: Receivers) -> Receivers {
    for _ in 0..REPEATS {
        receivers.deliver();
    }
    receivers
}

#[library_benchmark(teardown = Receivers::check)]
#[bench::websocket_json(callee(Serializer::Json))]
#[bench::rawsocket_msgpack(callee(Serializer::MsgPack))]
#[bench::websocket_cbor(callee(Serializer::Cbor))]
fn invocation_to_one(mut receivers: Receivers) -> Receivers {
    for _ in 0..REPEATS {
        receivers.deliver();
    }
    receivers
}

#[library_benchmark(teardown = Receivers::check)]
#[bench::websocket_json(busy_callee(Serializer::Json))]
#[bench::rawsocket_msgpack(busy_callee(Serializer::MsgPack))]
#[bench::websocket_cbor(busy_callee(Serializer::Cbor))]
fn invocations_in_a_batch(mut receivers: Receivers) -> Receivers {
    receivers.deliver_batch();
    receivers
}

library_benchmark_group!(
    name = delivering,
    benchmarks = [event_to_100, invocation_to_one, invocations_in_a_batch]
);

main!(library_benchmark_groups = delivering);
