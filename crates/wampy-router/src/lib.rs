//! A WAMP router: realms behind sockets.
//!
//! WebSocket, RawSocket and HTTP long-polling, JSON, MessagePack and CBOR, over TCP, TLS and Unix
//! sockets, all on one port each: what a client speaks is told by its first octets. A router embeds in a program in three
//! lines, on a Tokio runtime that the program owns:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use wampy_router::Router;
//!
//! let router = Router::builder().listen("127.0.0.1:0").realm("realm1").start().await?;
//! println!("connect to {}", router.url());
//! router.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! A program without a runtime makes one and keeps it for as long as the router runs:
//! `tokio::runtime::Runtime::new()?.block_on(..)` to start the router, the same to shut it down; in
//! between the runtime's threads route.
//!
//! How a message travels: a connection's task reads all that its socket has, decodes it, takes the
//! lock of the realm once for the whole batch and routes it; the realm's answers are encoded into
//! the receivers' outlets. When all connections that are ready have had their turn, the same thread
//! writes the outlets to their sockets, each once, without waiting. What a socket does not take is
//! left to the task of that connection.
//! A publisher is never slowed down by a subscriber that does not read: that subscriber is cut off
//! when more waits for it than [`Limits::outbound_bytes_per_session_max`]. A client that does not
//! read the answers to its own requests is not read from either.
//!
//! Who may join a realm, and what each role may do there, is set by [`RealmSettings`], or in a
//! configuration file ([`Builder::from_config_file`]). Without it everybody may do everything.

mod authenticator;
mod backlog;
mod buffers;
mod builder;
mod config;
mod connection;
mod delivery;
mod error;
mod hosted_realm;
mod http;
mod internal_call;
mod internal_session;
mod lanes;
mod large_frame;
mod limits;
mod network;
mod outlet;
mod realms;
mod registry;
mod reload;
mod router;
mod settings;
mod shared;
mod stats;
mod store;
mod terms;
mod unflushed;

pub use authenticator::AmbiguousUsers;
pub use builder::Builder;
pub use config::{ConfigError, Converted, CrossbarConfig, Problem};
pub use error::StartError;
pub use http::cookies::{CookieConfig, SameSite};
pub use limits::Limits;
pub use reload::Reloaded;
pub use router::Router;
pub use settings::{Authentication, Authenticator, Method, RealmSettings, User};
pub use stats::{RealmStats, Stats};
pub use store::{StoreContents, StoreError, StoredRealm};
pub use wampy_proto::{Serializer, auth};
pub use wampy_realm::{
    Action, Allow, Authorization, Disclose, Disclosure, ForceReregister, Keeping, KeepingRule,
    Permission, PermissionError, RealmConfig, RealmRole, RealmRoles, RoleError,
};
pub use wampy_transport::{
    BindError, BoundAddress, ClientCertificates, ListenAddress, ListenAddressError, ServerTlsError,
};
