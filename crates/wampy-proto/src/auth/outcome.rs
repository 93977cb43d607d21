//! What the arithmetic says when a proof is no good, on either side.

use crate::error_uri;
use crate::message::Abort;

/// Why a router turns a client away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Denied {
    /// What was wrong, for the client and the log. It says nothing about secrets, and nothing about
    /// whether the user exists.
    pub problem: String,
    /// The error's name in SCRAM (RFC 5802, section 7), if that was the method.
    pub scram: Option<&'static str>,
}

impl Denied {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            scram: None,
        }
    }

    pub(super) fn scram(name: &'static str, problem: impl Into<String>) -> Self {
        Self {
            problem: problem.into(),
            scram: Some(name),
        }
    }

    /// The ABORT that tells the client, under `wamp.error.authentication_denied`.
    pub fn abort(&self) -> Abort<'static> {
        let mut abort = Abort::new(error_uri::AUTHENTICATION_DENIED, self.problem.as_str());
        abort.details.scram = self.scram.map(Into::into);
        abort
    }
}

/// Why a client does not sign a CHALLENGE, or does not believe a WELCOME.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct SignError {
    /// Whose doing it is.
    pub culprit: Culprit,
    /// What is wrong.
    pub problem: String,
}

/// Whose doing it is that a client does not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Culprit {
    /// This program lacks what is needed: the method that the router demands, a connection by TLS.
    Client,
    /// The router's challenge is malformed or dangerous, or it has not proven who it is.
    Router,
}

impl SignError {
    pub(super) fn client(problem: impl Into<String>) -> Self {
        Self {
            culprit: Culprit::Client,
            problem: problem.into(),
        }
    }

    pub(super) fn router(problem: impl Into<String>) -> Self {
        Self {
            culprit: Culprit::Router,
            problem: problem.into(),
        }
    }

    /// The ABORT that ends the session in the client's name, under
    /// `wamp.error.authentication_failed`.
    pub fn abort(&self) -> Abort<'static> {
        Abort::new(error_uri::AUTHENTICATION_FAILED, self.problem.as_str())
    }
}
