//! How a connection ends, and what its peer hears of it.

use std::future::poll_fn;
use std::time::Duration;

use wampy_proto::framing::FramingError;
use wampy_proto::framing::websocket::CloseCode;
use wampy_proto::message::Abort;

use super::Connection;
use crate::buffers::with_read_buffer;
use crate::shared::count;

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// The peer is gone, or the socket failed.
    Gone,
    /// GOODBYE was answered, or the peer sent ABORT.
    Finished,
    /// The peer closed its WebSocket.
    Closed(Option<CloseCode>),
    /// The peer broke WAMP.
    Violation(Abort<'static>),
    /// The peer broke its framing.
    Framing(FramingError),
    /// The peer sent text where its serializer is binary, or the other way round.
    WrongKind,
    /// The router does not take the session in.
    Refused(Abort<'static>),
    /// Something did not come in time.
    TooLate(&'static str),
    /// The peer did not answer a ping.
    Silent,
    /// The peer did not read, and more waited for it than may.
    CutOff,
    /// The router shuts down.
    ShutDown,
}

/// What the peer still gets to hear.
struct LastWords {
    abort: Option<Abort<'static>>,
    code: Option<CloseCode>,
    reason: String,
}

impl End {
    /// The last words, or `None` if nobody hears them.
    fn last_words(self) -> Option<LastWords> {
        let (abort, code, reason) = match self {
            Self::Gone | Self::Silent | Self::CutOff => return None,
            Self::Finished => (None, CloseCode::NORMAL, String::new()),
            Self::Closed(code) => {
                return Some(LastWords {
                    abort: None,
                    code,
                    reason: String::new(),
                });
            }
            Self::Violation(abort) => (Some(abort), CloseCode::PROTOCOL_ERROR, String::new()),
            Self::Framing(error) => (None, error.close_code(), error.to_string()),
            Self::WrongKind => {
                let problem = "text and binary messages do not mix: the subprotocol says which";
                (None, CloseCode::UNSUPPORTED_DATA, problem.to_owned())
            }
            Self::Refused(abort) => (Some(abort), CloseCode::NORMAL, String::new()),
            Self::TooLate(problem) => (None, CloseCode::POLICY_VIOLATION, problem.to_owned()),
            Self::ShutDown => (None, CloseCode::GOING_AWAY, String::new()),
        };
        Some(LastWords {
            abort,
            code: Some(code),
            reason,
        })
    }
}

impl Connection {
    /// Ends the session, says the last words and closes.
    pub(super) async fn close(mut self: Box<Self>, end: End) {
        self.log(&end);
        self.seat = None;
        let Some(words) = end.last_words() else {
            return self.outlet.discard();
        };
        if let Some(abort) = words.abort {
            self.send(&abort.into());
        }
        self.outlet.append_close(words.code, &words.reason);
        let patience = Duration::from_millis(self.terms.limits.close_timeout_ms);
        // A peer that does not read its last words in time has missed them.
        let _ = tokio::time::timeout(patience, self.finish()).await;
    }

    /// Writes what waits, then reads until the peer has closed too: a socket that is closed with
    /// unread bytes in it resets the connection, and the last words would be lost.
    async fn finish(&mut self) {
        poll_fn(|cx| self.outlet.poll_empty(cx)).await;
        self.outlet.shut_down();
        let mut is_open = true;
        while is_open {
            let read = poll_fn(|cx| with_read_buffer(|buffer| self.read.poll_read(cx, buffer)));
            is_open = read.await.is_ok_and(|read| read > 0);
        }
    }

    fn log(&self, end: &End) {
        let session = self.seat.as_ref().map(|seat| seat.id().value());
        let realm = self.seat.as_ref().map(|seat| seat.realm_name());
        let peer = &self.peer;
        match end {
            End::Violation(abort) => {
                count(&self.router.counters.violations);
                let problem = abort.details.message.as_deref().unwrap_or_default();
                tracing::info!(peer, session, realm, problem, "protocol violation");
            }
            End::Framing(problem) => {
                count(&self.router.counters.violations);
                tracing::info!(peer, session, realm, %problem, "framing violation");
            }
            End::WrongKind => {
                count(&self.router.counters.violations);
                tracing::info!(peer, session, realm, "text and binary messages were mixed");
            }
            End::CutOff => {
                count(&self.router.counters.sessions_cut_off);
                tracing::info!(peer, session, realm, "session cut off: it does not read");
            }
            End::Silent => {
                tracing::info!(peer, session, realm, "session lost: no answer to a ping")
            }
            End::Refused(abort) => {
                let problem = abort.details.message.as_deref().unwrap_or_default();
                tracing::info!(peer, reason = &*abort.reason, problem, "session refused");
            }
            End::TooLate(problem) => tracing::debug!(peer, problem, "connection closed"),
            End::Gone | End::Finished | End::Closed(_) | End::ShutDown => {
                tracing::debug!(peer, session, realm, "connection closed");
            }
        }
    }
}
