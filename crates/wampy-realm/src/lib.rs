//! WAMP routing without I/O: who gets what.
//!
//! A [`Realm`] takes the messages of its sessions, one after the other, and appends what follows
//! from each to an [`Outbox`]: results, events, errors, interruptions. Broker, dealer and meta API
//! live here, one file for each chapter of the specification.
//!
//! Deliberately absent: sockets, tasks, clocks and ambient randomness (the time and a random seed
//! are arguments), the handshake and authentication (a session joins when it is authenticated), and
//! the order of request ids (the session state of `wampy-proto` checks it). So a whole realm can be
//! simulated, step by step, and every run can be repeated.
//!
//! ```
//! use wampy_proto::message::{Goodbye, Publish, PublishOptions, Subscribe, SubscribeOptions};
//! use wampy_proto::{Message, Payload, RequestId, Role, Roles, Serializer, SessionId, Value};
//! use wampy_realm::{Now, Outbox, Realm, RealmConfig, SendError, SessionDetails, SessionKey};
//!
//! /// Prints what a router would send.
//! struct Printer;
//!
//! impl Outbox for Printer {
//!     fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
//!         let mut bytes = Vec::new();
//!         message.encode(Serializer::Json, &mut bytes)?;
//!         println!("to session {}: {}", to.index(), String::from_utf8_lossy(&bytes));
//!         Ok(())
//!     }
//!
//!     fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
//!         for &to in to {
//!             _ = self.send(to, message);
//!         }
//!     }
//!
//!     fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
//!         _ = self.send(session, &Message::Goodbye(goodbye));
//!     }
//! }
//!
//! let now = Now { monotonic_ms: 0, unix_ms: 1_700_000_000_000 };
//! let mut realm = Realm::new("realm1", RealmConfig::default(), 42);
//! let mut join = |id: u64| -> Result<SessionKey, Box<dyn std::error::Error>> {
//!     let details = SessionDetails {
//!         id: SessionId::try_from(id)?,
//!         authid: "anonymous".into(),
//!         authrole: "anonymous".into(),
//!         authmethod: "anonymous".into(),
//!         authprovider: "static".into(),
//!         trust_level: None,
//!         authextra: None,
//!         roles: Roles::announced(&Role::CLIENT),
//!         transport: None,
//!     };
//!     Ok(realm.join(now, details, &mut Printer)?)
//! };
//! let (subscriber, publisher) = (join(1001)?, join(1002)?);
//! let subscribe = Subscribe {
//!     request: RequestId::FIRST,
//!     options: SubscribeOptions::default(),
//!     topic: "com.example.news".into(),
//! };
//! realm.handle(now, subscriber, &mut subscribe.into(), &mut Printer)?;
//! let publish = Publish {
//!     request: RequestId::FIRST,
//!     options: PublishOptions::default(),
//!     topic: "com.example.news".into(),
//!     payload: Payload::encode(Serializer::Json, &("hello",), &())?,
//! };
//! realm.handle(now, publisher, &mut publish.into(), &mut Printer)?;
//! // to session 0: [33,1,1]
//! // to session 0: [36,1,4471935826587908,{},["hello"]]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authorizer;
mod broker;
mod config;
mod dealer;
mod definitions;
mod hash;
mod invariants;
mod keeping;
mod meta;
mod outbox;
mod pattern;
mod payload_passthru_mode;
mod random;
mod realm;
mod recent;
mod records;
mod refusal;
mod rendezvous;
mod request_map;
mod session;
mod slots;

pub use authorizer::{
    Action, Allow, Authorization, Disclose, Permission, PermissionError, RealmRole, RealmRoles,
    RoleError,
};
pub use broker::KeptEvent;
pub use config::{Disclosure, ForceReregister, RealmConfig};
pub use keeping::{Keeping, KeepingRule};
pub use outbox::{Outbox, SendError, Shelf, StoreChange, StoreFailed};
pub use pattern::WILDCARD_COMPONENTS_MAX;
pub use realm::{JoinRefused, Now, Realm, Stats, Violation};
pub use session::{SessionDetails, SessionKey, Transport};
