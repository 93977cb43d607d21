//! What can go wrong, by culprit.

use std::sync::Arc;
use std::time::Duration;

use wampy_proto::end_to_end::OpenError;
use wampy_proto::{EncodeError, PayloadError};
use wampy_transport::ConnectError;

use crate::wamp_error::WampError;

/// Why something did not work, and whose doing it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The router, or the callee behind it, answered a request with ERROR.
    #[error("{0}")]
    Wamp(WampError),
    /// The router refused or ended the session with ABORT.
    #[error("the router at {url} ended the session: {reason}{}", in_words(.message))]
    Aborted {
        /// The router.
        url: String,
        /// The reason, a URI.
        reason: String,
        /// The reason in words.
        message: Option<String>,
    },
    /// Time ran out. A call was canceled.
    #[error("{what} took longer than {} ms", .after.as_millis())]
    Timeout {
        /// What took too long, such as `the call of com.example.add`.
        what: String,
        /// The time limit.
        after: Duration,
    },
    /// The connection to the router, or the session on it, was lost. A request on its way may or
    /// may not have had its effect.
    #[error("the connection to {url} is lost: {reason}")]
    ConnectionLost {
        /// The router.
        url: String,
        /// What happened.
        reason: String,
    },
    /// No connection to the router could be made.
    #[error("{source}")]
    Connect {
        /// Whereto.
        url: String,
        /// What stood in the way.
        source: Arc<ConnectError>,
    },
    /// This program has closed the client.
    #[error("the client is closed")]
    Closed,
    /// This program asked for something that cannot be.
    #[error("{problem}")]
    Misuse {
        /// What is wrong.
        problem: String,
    },
    /// The router broke the protocol; the client has ended the session with ABORT.
    #[error("the router at {url} broke the protocol: {problem}")]
    PeerMisbehaved {
        /// The router.
        url: String,
        /// What it did.
        problem: String,
    },
    /// The router's challenge is dangerous to answer, or it has not proven who it is; the client has
    /// ended the session with ABORT.
    #[error("the router at {url} is not trusted: {problem}")]
    Untrusted {
        /// The router.
        url: String,
        /// What it did.
        problem: String,
    },
    /// The answer to a call cannot be decrypted, or is not encrypted though the call was.
    #[error("{what} cannot be decrypted: {problem}")]
    Decryption {
        /// What it is, such as `the answer to the call of com.example.add`.
        what: String,
        /// Why not.
        problem: OpenError,
    },
    /// A payload does not hold what this program expects.
    #[error("{0}")]
    Payload(#[from] PayloadError),
}

fn in_words(message: &Option<String>) -> String {
    message
        .as_ref()
        .map(|message| format!(" ({message})"))
        .unwrap_or_default()
}

impl Error {
    pub(crate) fn misuse(problem: impl Into<String>) -> Self {
        Self::Misuse {
            problem: problem.into(),
        }
    }

    /// A call's answer cannot be opened; which call, is known to whoever has made it.
    pub(crate) fn decryption(problem: OpenError) -> Self {
        Self::Decryption {
            what: "the answer to a call".to_owned(),
            problem,
        }
    }

    /// The URI of the error, if the router or a callee gave one.
    #[must_use]
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Wamp(error) => Some(error.uri()),
            Self::Aborted { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The ERROR message, if there was one.
    #[must_use]
    pub fn as_wamp(&self) -> Option<&WampError> {
        match self {
            Self::Wamp(error) => Some(error),
            _ => None,
        }
    }
}

impl From<WampError> for Error {
    fn from(error: WampError) -> Self {
        Self::Wamp(error)
    }
}

impl From<EncodeError> for Error {
    fn from(error: EncodeError) -> Self {
        Self::misuse(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_who_did_what() {
        let aborted = Error::Aborted {
            url: "ws://localhost".into(),
            reason: "wamp.error.no_such_realm".into(),
            message: Some("there is no realm \"x\"".into()),
        };
        assert_eq!(
            aborted.to_string(),
            "the router at ws://localhost ended the session: wamp.error.no_such_realm (there is no realm \"x\")"
        );
        assert_eq!(aborted.uri(), Some("wamp.error.no_such_realm"));
        let timeout = Error::Timeout {
            what: "the call of a.b".into(),
            after: Duration::from_millis(1500),
        };
        assert_eq!(
            timeout.to_string(),
            "the call of a.b took longer than 1500 ms"
        );
    }
}
