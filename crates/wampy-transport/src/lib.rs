//! Sockets ↔ frames: what clients and routers share between the operating system and the framing
//! of `wampy-proto`.
//!
//! A client calls [`connect`] with a [`Url`] and gets a [`Connection`]: a [`Stream`] on which the
//! opening handshake is done, the two halves of the framing and the serializer agreed upon.
//!
//! A router binds [`Listener`]s, takes in streams and runs [`accept`] on each; then the stream comes
//! apart into halves ([`Stream::into_halves`]), because every task that routes a message to a session
//! may write to it.
//!
//! Deliberately absent: sessions, messages and timers of an established connection.

mod accept;
mod connect;
mod error;
mod halves;
mod listener;
mod opening;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
#[cfg(unix)]
mod unix_listener;
mod url;

pub use accept::{AcceptError, AcceptOptions, Accepted, accept};
pub use connect::{ConnectOptions, Connection, connect};
pub use error::{ConnectError, ConnectProblem};
pub use halves::{ReadHalf, WriteHalf};
pub use listener::{
    BindError, BoundAddress, ListenAddress, ListenAddressError, ListenOptions, Listener,
};
pub use stream::Stream;
pub use tcp::IpVersion;
#[cfg(feature = "tls")]
pub use tls::TlsOptions;
pub use url::{Endpoint, Framing, SCHEMES, Scheme, Url, UrlError};
