//! Failures become Python exceptions here, by asking `wampy.errors`, which owns the classes.
//!
//! Deliberately absent: exception classes of the extension's own.

use std::io;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use wampy::{Error, WampError};

use crate::options::arguments;

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

/// The exception for what the Rust client reports of a request; `target` is its procedure or topic.
pub fn of(py: Python<'_>, error: &Error, target: &str) -> PyErr {
    let kind = match error {
        Error::Wamp(error) => return remote(py, error, target),
        Error::Closed => Kind::Session,
        Error::Aborted { .. } | Error::ConnectionLost { .. } => Kind::Lost,
        Error::Timeout { .. } => Kind::Timeout,
        Error::Connect { .. } => Kind::Connection,
        Error::Misuse { .. } => Kind::Configuration,
        Error::PeerMisbehaved { .. } | Error::Untrusted { .. } => Kind::Protocol,
        Error::Payload(_) => Kind::Serialization,
        Error::Decryption { .. } => Kind::Decryption,
        _ => Kind::Session,
    };
    failure_of(py, kind, &error.to_string(), error.uri(), Some(target))
}

/// The exception for a session that could not be joined, or has ended by itself.
pub fn of_connect(py: Python<'_>, error: &Error) -> PyErr {
    let kind = match error {
        Error::Aborted { .. } => Kind::Aborted,
        Error::Connect { source, .. } if was_refused(source.as_ref()) => Kind::Refused,
        Error::Misuse { .. } => Kind::Configuration,
        Error::PeerMisbehaved { .. } | Error::Untrusted { .. } => Kind::Protocol,
        _ => Kind::Connection,
    };
    failure_of(py, kind, &error.to_string(), error.uri(), None)
}

/// Whether the cause of `error`, or a cause of that, is that nothing listens.
fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let refused = error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
        if refused {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The exception for an ERROR message that a peer sent.
fn remote(py: Python<'_>, error: &WampError, target: &str) -> PyErr {
    static REMOTE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let request_id = error.request_id().map(|id| id.value());
    let target = error.target().unwrap_or(target);
    let make = || {
        let (args, kwargs) = arguments(py, error.payload())?;
        let description = error.details().message.as_deref();
        REMOTE.import(py, "wampy.errors", "remote")?.call1((
            error.uri(),
            args,
            kwargs,
            target,
            request_id,
            description,
        ))
    };
    make().map_or_else(|error| error, PyErr::from_value)
}
