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

mod broker;
mod config;
mod dealer;
mod hash;
mod invariants;
mod meta;
mod outbox;
mod pattern;
mod random;
mod realm;
mod records;
mod refusal;
mod session;
mod slots;

pub use config::{Disclosure, RealmConfig};
pub use outbox::{Outbox, SendError};
pub use pattern::WILDCARD_COMPONENTS_MAX;
pub use realm::{JoinRefused, Now, Realm, Stats, Violation};
pub use session::{SessionDetails, SessionKey};
