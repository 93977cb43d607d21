//! Failures become Python exceptions here, by asking `wampy.errors`, which owns the classes.
//!
//! Deliberately absent: exception classes of the extension's own.

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
    /// The session is not joined or has ended.
    Session,
    /// The router refused the session.
    Aborted,
    /// A message breaks the rules of WAMP.
    Protocol,
    /// No answer came in time.
    Timeout,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Serialization => "serialization",
            Self::Overflow => "overflow",
            Self::Connection => "connection",
            Self::Refused => "refused",
            Self::Session => "session",
            Self::Aborted => "aborted",
            Self::Protocol => "protocol",
            Self::Timeout => "timeout",
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

/// The exception for an ERROR message that a peer sent.
pub fn remote(
    py: Python<'_>,
    uri: &str,
    args: Bound<'_, PyAny>,
    kwargs: Bound<'_, PyAny>,
    procedure: Option<&str>,
    request_id: Option<u64>,
) -> PyErr {
    static REMOTE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    REMOTE
        .import(py, "wampy.errors", "remote")
        .and_then(|make| make.call1((uri, args, kwargs, procedure, request_id)))
        .map_or_else(|error| error, PyErr::from_value)
}
