//! The one timer of a connection: what it waits for, and what happens when it goes off.
//!
//! No message moves the timer. While a session is established it goes off once in a keepalive
//! interval and looks whether the peer was heard since.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use wampy_transport::Framing;

use super::Connection;
use super::closing::End;

/// The payload of a ping: ASCII and longer than a byte, because old clients choke on others.
const PING: &[u8] = b"wampy";

/// What the timer watches over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// HELLO must come.
    Hello,
    /// The session stands; a silent peer gets a ping.
    Silence,
    /// A ping must be answered. While the peer is not read from, taking bytes is an answer too.
    Ping {
        /// How many bytes the peer had taken before.
        sent_bytes: u64,
    },
    /// The peer is not read from and not pinged: it must take bytes.
    Paused {
        /// How many bytes the peer had taken before.
        sent_bytes: u64,
    },
    /// The answer to GOODBYE must come.
    Goodbye,
    /// Nothing.
    Nothing,
}

/// A connection's timer.
pub(super) struct Timer {
    watch: Watch,
    /// `None` while nothing is watched: an idle RawSocket session holds no timer.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(super) fn new(watch: Watch, ms: u64) -> Self {
        Self {
            watch,
            sleep: Some(Box::pin(tokio::time::sleep(Duration::from_millis(ms)))),
        }
    }

    pub(super) fn watch(&self) -> Watch {
        self.watch
    }

    pub(super) fn set(&mut self, watch: Watch, ms: u64) {
        self.watch = watch;
        let time = Duration::from_millis(ms);
        match &mut self.sleep {
            sleep if watch == Watch::Nothing => *sleep = None,
            Some(sleep) => sleep.as_mut().reset(Instant::now() + time),
            sleep => *sleep = Some(Box::pin(tokio::time::sleep(time))),
        }
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.sleep {
            None => Poll::Pending,
            Some(sleep) => sleep.as_mut().poll(cx),
        }
    }
}

impl Connection {
    /// A session stands: its peer's silence is watched.
    pub(super) fn watch_silence(&mut self) {
        let interval_ms = self.terms.limits.keepalive_interval_ms;
        let is_pinged = match self.framing {
            Framing::WebSocket => true,
            Framing::RawSocket => self.terms.rawsocket_ping,
            // Its polls are the sign of life.
            Framing::LongPoll => false,
        };
        let watch = if is_pinged && interval_ms > 0 {
            Watch::Silence
        } else {
            Watch::Nothing
        };
        self.was_heard = false;
        self.timer.set(watch, interval_ms);
    }

    /// The peer does not read and so is not read from. That its bytes end, or that it has gone, shows
    /// only when it is read from again, so it may not stay like this for ever.
    pub(super) fn watch_paused(&mut self) {
        if self.timer.watch() == Watch::Nothing {
            let watch = Watch::Paused {
                sent_bytes: self.outlet.sent_bytes(),
            };
            self.timer.set(watch, self.terms.limits.paused_timeout_ms);
        }
    }

    pub(super) fn timer_went_off(&mut self) -> Result<(), End> {
        match self.timer.watch() {
            Watch::Hello if self.joining.is_some() => Err(self.joined_too_late()),
            Watch::Hello => Err(End::TooLate("HELLO did not come in time")),
            Watch::Goodbye => Err(End::TooLate("GOODBYE was not answered in time")),
            Watch::Nothing => Ok(()),
            Watch::Silence if self.was_heard => {
                self.watch_silence();
                Ok(())
            }
            Watch::Silence => {
                self.ping();
                Ok(())
            }
            Watch::Paused { sent_bytes } => {
                if self.is_paused() && self.outlet.sent_bytes() == sent_bytes {
                    return Err(End::CutOff);
                }
                // If it is still paused, it is watched anew.
                self.watch_silence();
                Ok(())
            }
            Watch::Ping { sent_bytes } => {
                let has_taken = self.is_paused() && self.outlet.sent_bytes() > sent_bytes;
                if !self.was_heard && !has_taken {
                    return Err(End::Silent);
                }
                self.watch_silence();
                Ok(())
            }
        }
    }

    fn ping(&mut self) {
        if self.outlet.append_control(true, PING).wants_flush() {
            self.outlet.flush();
        }
        let watch = Watch::Ping {
            sent_bytes: self.outlet.sent_bytes(),
        };
        self.timer
            .set(watch, self.terms.limits.keepalive_timeout_ms);
    }
}
