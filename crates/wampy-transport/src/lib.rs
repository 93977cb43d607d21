//! Sockets ↔ frames: what clients and routers share between the operating system and the framing
//! of `wampy-proto`.
//!
//! A client calls [`connect`] with a [`Url`] and gets a [`Connection`]: a [`Stream`] on which the
//! opening handshake is done, the two halves of the framing and the serializer agreed upon.
//!
//! A router binds [`Listener`]s, takes in streams and runs [`accept`] on each, after the handshake of
//! TLS where that is spoken (`ServerTls`); then the stream comes
//! apart into halves ([`Stream::into_halves`]), because every task that routes a message to a session
//! may write to it.
//!
//! Deliberately absent: sessions, messages and timers of an established connection.

mod accept;
mod connect;
mod connect_options;
mod connection;
mod cookies;
mod dial;
mod error;
mod halves;
mod listen_address;
mod listener;
mod longpoll;
mod memory;
mod opening;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tls")]
mod tls_halves;
#[cfg(feature = "tls")]
mod tls_peer;
#[cfg(feature = "tls")]
mod tls_server;
#[cfg(unix)]
mod unix_listener;
mod url;

pub use accept::{AcceptError, AcceptOptions, Accepted, Judge, Opening, accept};
pub use connect::connect;
pub use connect_options::ConnectOptions;
pub use connection::Connection;
pub use cookies::CookieJar;
pub use error::{ConnectError, ConnectProblem};
pub use halves::{ReadHalf, WriteHalf};
pub use listen_address::{BoundAddress, ListenAddress, ListenAddressError};
pub use listener::{BindError, ListenOptions, Listener};
pub use memory::MemoryStream;
pub use stream::Stream;
pub use tcp::IpVersion;
#[cfg(feature = "tls")]
pub use tls::{ClientCertificate, TlsOptions};
#[cfg(feature = "tls")]
pub use tls_peer::{Fingerprint, PeerCertificate};
#[cfg(feature = "tls")]
pub use tls_server::{ClientCertificates, ServerTls, ServerTlsError};
pub use url::{Endpoint, Framing, SCHEMES, Scheme, Url, UrlError};
