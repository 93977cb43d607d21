//! WAMP v2 without I/O: what the bytes mean and what a session may say.
//!
//! Messages with typed options ([`Message`]), the three serializers ([`Serializer`]), payloads that
//! stay opaque until somebody needs them ([`Payload`]), ids, URIs, features, the framing of
//! WebSocket and RawSocket ([`framing`]), the session states of both sides ([`session`]) and the
//! proofs of who a client is ([`auth`]).
//!
//! Deliberately absent: sockets, runtimes, clocks and randomness (callers pass them in), and
//! routing (that is `wampy-realm`).

pub mod auth;
pub mod close_reason;
pub mod end_to_end;
pub mod error_uri;
pub mod feature;
pub mod framing;
mod id;
pub mod message;
mod payload;
mod payload_parts;
pub mod serializer;
pub mod session;
pub mod uri;
mod value;

pub use feature::{Feature, FeatureSet, Role, Roles};
pub use id::{
    ID_MAX, IdOutOfRange, PublicationId, RegistrationId, RequestId, SessionId, SubscriptionId,
};
pub use message::{Message, MessageType};
pub use payload::{Gap, Payload, PayloadError};
pub use serializer::{DecodeError, EncodeError, Serializer};
pub use uri::MatchPolicy;
pub use value::Value;
