//! Why a connection could not be made, by culprit.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use wampy_proto::framing::rawsocket::ReplyError;
use wampy_proto::framing::websocket::handshake::{HandshakeError, RequestError};

/// A connection could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {url}: {problem}")]
pub struct ConnectError {
    /// Whereto.
    pub url: String,
    /// Why not.
    #[source]
    pub problem: ConnectProblem,
}

/// What stood in the way of a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectProblem {
    /// The host name has no address.
    #[error("the host {host:?} has no address: {source}")]
    NoAddress {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody listens there, or the network does not lead there.
    #[error("{tried}: {source}")]
    Unreachable {
        /// The addresses tried, or the path of the socket.
        tried: String,
        /// What the last attempt said.
        source: io::Error,
    },
    /// TLS failed: the peer speaks no TLS, or its certificate is not trusted.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// A file of certificate authorities cannot be used.
    #[error("certificate authorities from {}: {problem}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The client's own certificate or its key cannot be used.
    #[error("client certificate from {}: {problem}", .path.display())]
    ClientCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// This build has no TLS.
    #[error("this build has no TLS (the feature `tls` is off)")]
    NoTls,
    /// The host is no name that a certificate could be for.
    #[error("{0:?} is no host name for TLS")]
    ServerName(String),
    /// The peer did not open a WebSocket.
    #[error(transparent)]
    WebSocket(#[from] HandshakeError),
    /// The WebSocket handshake cannot be written as asked.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The peer did not open a RawSocket.
    #[error(transparent)]
    RawSocket(#[from] ReplyError),
    /// The peer did not answer a request of long-polling as a router does.
    #[error("the router answered HTTP {status}: {text}")]
    LongPoll {
        /// The HTTP status.
        status: u16,
        /// What it said.
        text: String,
    },
    /// The peer closed the connection in the middle of the handshake.
    #[error("the peer closed the connection during the handshake")]
    Closed,
    /// The socket failed during the handshake.
    #[error("the connection failed during the handshake: {0}")]
    Io(#[from] io::Error),
    /// The peer took too long.
    #[error("no connection within {} ms", .after.as_millis())]
    Timeout {
        /// How long it was waited for.
        after: Duration,
    },
    /// No serializer is offered.
    #[error("no serializer is offered")]
    NoSerializer,
}
