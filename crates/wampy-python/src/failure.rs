//! Failures become Python exceptions here, by asking `wampy.errors`, which owns the classes.
//!
//! Deliberately absent: exception classes of the extension's own, and what the Rust client reports
//! (`error.rs`).

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Who is at fault; `wampy.errors` has an exception class for each.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// An argument makes no sense.
    Configuration,
    /// A value has no form in WAMP.
    Serialization,
    /// An integer does not fit into 64 bits.
    Overflow,
    /// The router cannot be reached, or the connection broke.
    Connection,
    /// Nothing listens there.
    Refused,
    /// The connection, or the session on it, was lost while a request was under way.
    Lost,
    /// It was lost before the request was sent.
    Unsent,
    /// The session is not joined or has ended.
    Session,
    /// The router refused the session.
    Aborted,
    /// A message breaks the rules of WAMP.
    Protocol,
    /// No answer came in time.
    Timeout,
    /// An answer cannot be decrypted.
    Decryption,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Serialization => "serialization",
            Self::Overflow => "overflow",
            Self::Connection => "connection",
            Self::Refused => "refused",
            Self::Lost => "lost",
            Self::Unsent => "unsent",
            Self::Session => "session",
            Self::Aborted => "aborted",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
            Self::Decryption => "decryption",
        }
    }
}

/// The exception for a failure on this side of the wire.
pub fn failure(py: Python<'_>, kind: Kind, message: &str) -> PyErr {
    failure_of(py, kind, message, None, None)
}

/// The exception for a failure that has to do with an error URI or a procedure.
pub fn failure_of(
    py: Python<'_>,
    kind: Kind,
    message: &str,
    uri: Option<&str>,
    procedure: Option<&str>,
) -> PyErr {
    static FAILURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FAILURE
        .import(py, "wampy.errors", "failure")
        .and_then(|make| make.call1((kind.name(), message, uri, procedure)))
        .map_or_else(|error| error, PyErr::from_value)
}
