//! What can go wrong with a benchmark, by culprit. Losses and errors *within* a run are no
//! [`BenchError`]: they are counted in the report.

use std::io;

/// Why a run has no report.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The workload asks for something that cannot be measured.
    #[error("the workload cannot run: {0}")]
    Workload(String),
    /// The URL is not one that the load generator speaks.
    #[error("cannot use the URL `{url}`: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No connection, or no session on it.
    #[error("cannot join as {who}: {reason}")]
    Join {
        /// Role and number of the session, such as `caller 3`.
        who: String,
        /// What the router answered, or what failed.
        reason: String,
    },
    /// The router ended a session during the run.
    #[error("the router ended the session of {who}: {reason}")]
    Ended {
        /// Role and number of the session.
        who: String,
        /// The URI or the failure that ended it.
        reason: String,
    },
    /// The router sent bytes that are no frame or no message.
    #[error("{who} received what is not WAMP: {reason}")]
    Garbage {
        /// Role and number of the session.
        who: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl BenchError {
    /// Names what was being done when the system refused.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
