//! Whether a client has a session.

use wampy_proto::SessionId;

/// What a client is doing; see [`Client::status`](crate::Client::status).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// A session stands. After a reconnect, every registration, subscription and testament has been
    /// asked for again before this is reported.
    Established {
        /// The session.
        session: SessionId,
    },
    /// The session is lost, and the client is trying to get a new one. Requests fail with
    /// [`Error::ConnectionLost`](crate::Error::ConnectionLost) meanwhile.
    Reconnecting {
        /// The number of the next attempt, 1 for the first.
        attempt: u32,
        /// Why the session was lost, or why the last attempt failed.
        reason: String,
    },
    /// The client is closed for good.
    Closed {
        /// Why.
        reason: String,
    },
}
