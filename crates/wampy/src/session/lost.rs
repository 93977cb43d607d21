//! Why a session is over.

use wampy_proto::error_uri;

use crate::error::Error;

/// Why a session is over, in a form from which each of its pending requests gets its error.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    /// The program closed the client, and the router agreed.
    Closed,
    /// The program closed the client, but the router did not answer the goodbye.
    ClosedWithoutAnswer(String),
    /// The connection broke, or the router ended the session.
    Lost(String),
    /// The router sent ABORT.
    Aborted {
        reason: String,
        message: Option<String>,
    },
    /// The router broke the protocol.
    Misbehaved(String),
    /// No connection could be made again.
    Connect(Error),
    /// The router cannot be trusted, or this program lacks what the router demands.
    Unproven(Error),
}

impl Cause {
    /// The cause behind an error of joining.
    pub(crate) fn from_join(error: Error) -> Self {
        match error {
            Error::Aborted {
                reason, message, ..
            } => Self::Aborted { reason, message },
            Error::PeerMisbehaved { problem, .. } => Self::Misbehaved(problem),
            error @ (Error::Untrusted { .. } | Error::Misuse { .. }) => Self::Unproven(error),
            other => Self::Connect(other),
        }
    }

    /// Whether a new session may fare better.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Lost(_) | Self::Connect(_) => true,
            Self::Closed
            | Self::ClosedWithoutAnswer(_)
            | Self::Misbehaved(_)
            | Self::Unproven(_) => false,
            Self::Aborted { reason, .. } => ![
                error_uri::NO_SUCH_REALM,
                error_uri::NO_SUCH_ROLE,
                error_uri::NO_SUCH_PRINCIPAL,
                error_uri::NO_MATCHING_AUTH_METHOD,
                error_uri::AUTHENTICATION_DENIED,
                error_uri::AUTHENTICATION_REQUIRED,
                error_uri::AUTHORIZATION_DENIED,
                error_uri::NOT_AUTHORIZED,
                error_uri::PROTOCOL_VIOLATION,
                error_uri::INVALID_URI,
            ]
            .contains(&reason.as_str()),
        }
    }

    /// The error for whoever waited for something of the session.
    pub(crate) fn error(&self, url: &str) -> Error {
        let url = url.to_owned();
        match self.clone() {
            Self::Closed | Self::ClosedWithoutAnswer(_) => Error::Closed,
            Self::Lost(reason) => Error::ConnectionLost { url, reason },
            Self::Aborted { reason, message } => Error::Aborted {
                url,
                reason,
                message,
            },
            Self::Misbehaved(problem) => Error::PeerMisbehaved { url, problem },
            Self::Connect(error) => Error::ConnectionLost {
                url,
                reason: error.to_string(),
            },
            Self::Unproven(error) => error,
        }
    }

    /// The cause in words.
    pub(crate) fn text(&self, url: &str) -> String {
        match self {
            Self::ClosedWithoutAnswer(problem) => format!("the client is closed; {problem}"),
            Self::Lost(reason) => reason.clone(),
            other => other.error(url).to_string(),
        }
    }
}
