//! Sockets ↔ frames: what clients and routers share between the operating system and the framing
//! of `wampy-proto`.
//!
//! A client calls [`connect`] with a [`Url`] and gets a [`Connection`]: a [`Stream`] on which the
//! opening handshake is done, the two halves of the framing and the serializer agreed upon.
//!
//! Deliberately absent: sessions, messages and timers of an established connection.

mod connect;
mod error;
mod opening;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod url;

pub use connect::{ConnectOptions, Connection, connect};
pub use error::{ConnectError, ConnectProblem};
pub use stream::Stream;
#[cfg(feature = "tls")]
pub use tls::TlsOptions;
pub use url::{Endpoint, Framing, SCHEMES, Scheme, Url, UrlError};
