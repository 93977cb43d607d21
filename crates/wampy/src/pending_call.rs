//! A call that is under way: it is canceled unless it is over, and its errors say what they are about.
//!
//! Deliberately absent: making it (`call.rs`), and receiving its results (`call_result.rs`,
//! `progressive.rs`).

use std::time::Duration;

use wampy_proto::error_uri;
use wampy_proto::message::CancelMode;

use crate::client::Client;
use crate::error::Error;
use crate::session::Sent;

/// Cancels a call unless it is over.
#[derive(Debug)]
pub(crate) struct CancelOnDrop {
    pub(crate) client: Client,
    pub(crate) sent: Sent,
    mode: Option<CancelMode>,
}

impl CancelOnDrop {
    pub(crate) fn new(client: Client, sent: Sent, mode: CancelMode) -> Self {
        Self {
            client,
            sent,
            mode: Some(mode),
        }
    }

    /// The call is over, so there is nothing to cancel.
    pub(crate) fn disarm(&mut self) {
        self.mode = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(mode) = self.mode {
            drop(self.client.shared().cancel(self.sent, mode));
        }
    }
}

/// The error for a call whose time is out.
pub(crate) fn timed_out(procedure: &str, after: Duration) -> Error {
    Error::Timeout {
        what: format!("the call of {procedure}"),
        after,
    }
}

/// Says in an error which procedure it is about. The router's clock may be the first to notice
/// that time is out.
pub(crate) fn about(error: Error, procedure: &str, timeout: Option<Duration>) -> Error {
    match (error, timeout) {
        (Error::Wamp(error), Some(after)) if error.uri() == error_uri::TIMEOUT => {
            timed_out(procedure, after)
        }
        (Error::Wamp(error), _) => Error::from(error.about(procedure)),
        (Error::Decryption { problem, .. }, _) => Error::Decryption {
            what: format!("the answer to the call of {procedure}"),
            problem,
        },
        (error, _) => error,
    }
}
