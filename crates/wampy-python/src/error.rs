//! The Python exceptions for what the Rust client reports.
//!
//! Deliberately absent: failures of the extension's own (`failure.rs`).

use std::io;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use wampy::{Error, WampError};

use crate::failure::{Kind, failure_of};
use crate::payload::arguments;

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
