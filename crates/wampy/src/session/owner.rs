//! The task that owns the connection of a client.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use wampy_proto::framing::websocket::CloseCode;
use wampy_proto::message::{Abort, Goodbye};
use wampy_proto::session::joining::{Joined as Meaning, Joining};
use wampy_proto::{DecodeError, Message, Serializer};

use super::join::{self, Joined};
use super::lost::Cause;
use super::wire::{Stop, Wire};
use super::{Shared, restore};
use crate::limits::LONGEST_WAIT;

/// What a ping carries: text, because some peers read it as such.
const PING_PAYLOAD: &[u8] = b"wampy";

/// Starts the task that runs the sessions of a client, one after the other, until it is closed for
/// good.
pub(super) fn spawn(shared: Arc<Shared>, first: Joined) {
    // Made here, because a task may be dropped before it has run at all.
    let end = EndWithTask {
        shared,
        done: false,
    };
    tokio::spawn(run(end, Box::new(first)));
}

async fn run(end: EndWithTask, first: Box<Joined>) {
    let shared = Arc::clone(&end.shared);
    let mut joined = first;
    let mut epoch = 0;
    // A session, an attempt to connect and the end are allocations of their own: the task itself would
    // be as large as all of them together, for as long as it lives.
    let cause = loop {
        let cause = Box::pin(Owner::new(&shared, *joined).run()).await;
        shared.take_offline(&cause);
        if !shared.comes_back_from(&cause) {
            break cause;
        }
        joined = match Box::pin(join::again(&shared, cause)).await {
            Ok(joined) => Box::new(joined),
            Err(cause) => break cause,
        };
        epoch += 1;
        shared.go_online(&joined, epoch);
        tokio::spawn(restore::run(Arc::clone(&shared), epoch));
    };
    end.finish(cause);
}

/// Sees to it that nobody waits for a task that is gone, because its runtime is.
struct EndWithTask {
    shared: Arc<Shared>,
    done: bool,
}

impl EndWithTask {
    fn finish(mut self, cause: Cause) {
        self.done = true;
        self.shared.finish(cause);
    }
}

impl Drop for EndWithTask {
    fn drop(&mut self) {
        if !self.done {
            let reason = "the runtime on which the client was made has ended";
            self.shared.finish(Cause::Lost(reason.to_owned()));
        }
    }
}

/// One session.
struct Owner<'a> {
    shared: &'a Arc<Shared>,
    wire: Wire,
    serializer: Serializer,
    joining: Joining,
    clock: Clock,
}

/// What the owner has to act upon.
enum Happening {
    Received,
    PeerClosed,
    Failed(io::Error),
    CloseRequested(String),
    ClockRang,
}

/// What ends a session, and the last message to send, if any.
struct End {
    cause: Cause,
    last_words: Option<Message<'static>>,
}

impl From<Cause> for End {
    fn from(cause: Cause) -> Self {
        Self {
            cause,
            last_words: None,
        }
    }
}

impl<'a> Owner<'a> {
    fn new(shared: &'a Arc<Shared>, joined: Joined) -> Self {
        Self {
            shared,
            wire: joined.wire,
            serializer: joined.serializer,
            joining: joined.joining,
            clock: Clock::new(shared.options.ping_interval, shared.options.ping_timeout),
        }
    }

    /// Runs the session; returns why it is over.
    async fn run(mut self) -> Cause {
        // Messages may have come together with WELCOME.
        let mut flow = self.receive();
        loop {
            if let ControlFlow::Break(end) = flow {
                return Box::pin(self.part(end)).await;
            }
            flow = match poll_fn(|cx| self.poll(cx)).await {
                Happening::Received => {
                    self.clock.heard();
                    self.receive()
                }
                Happening::PeerClosed => {
                    return self.lost("the router closed the connection".to_owned());
                }
                Happening::Failed(error) => return self.lost(error.to_string()),
                Happening::CloseRequested(reason) => {
                    self.say_goodbye(&reason);
                    ControlFlow::Continue(())
                }
                Happening::ClockRang => match self.clock.rang() {
                    Rang::Idle => ControlFlow::Continue(()),
                    Rang::Silent => {
                        self.wire.rest();
                        ControlFlow::Continue(())
                    }
                    Rang::Ping => {
                        self.wire.rest();
                        // A ping this short is within every limit.
                        _ = self
                            .wire
                            .encoder
                            .write_ping(PING_PAYLOAD, &mut self.wire.outgoing.bytes);
                        ControlFlow::Continue(())
                    }
                    // The peer takes nothing, so there are no last words either.
                    Rang::Dead(cause) => return cause,
                },
            };
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happening> {
        loop {
            if let Some(reason) = self.shared.pull(&mut self.wire, cx.waker()) {
                return Poll::Ready(Happening::CloseRequested(reason));
            }
            if self.wire.outgoing.bytes.is_empty() {
                break;
            }
            match self.wire.poll_write(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Happening::Failed(error)),
                Poll::Pending => break,
            }
        }
        // A router that makes this client answer, but does not read the answers, has to wait.
        if !self.shared.is_overfull(&self.wire)
            && let Poll::Ready(read) = self.wire.poll_read(cx)
        {
            return Poll::Ready(match read {
                Ok(0) => Happening::PeerClosed,
                Ok(_) => Happening::Received,
                Err(error) => Happening::Failed(error),
            });
        }
        self.clock.poll(cx).map(|()| Happening::ClockRang)
    }

    /// Hands out every message that is complete.
    fn receive(&mut self) -> ControlFlow<End> {
        let Self {
            shared,
            wire,
            serializer,
            joining,
            ..
        } = self;
        match wire.receive(*serializer, |message| handle(shared, joining, message)) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(Stop::Messages(end)) => ControlFlow::Break(end),
            ControlFlow::Break(Stop::Closed(reason)) => {
                ControlFlow::Break(Cause::Lost(reason).into())
            }
            ControlFlow::Break(Stop::Framing(problem)) => {
                ControlFlow::Break(Cause::Misbehaved(problem).into())
            }
        }
    }

    fn say_goodbye(&mut self, reason: &str) {
        self.joining.goodbye();
        self.wire
            .push(self.serializer, &Goodbye::new(reason).into());
        self.clock.close_within(self.shared.options.close_timeout);
    }

    /// What the loss of the connection means: after a goodbye, that there is no answer to it.
    fn lost(&self, reason: String) -> Cause {
        match self.clock.close_at {
            Some(_) => Cause::ClosedWithoutAnswer(format!("no answer to the goodbye: {reason}")),
            None => Cause::Lost(reason),
        }
    }

    /// Sends the last words and closes the connection, within a bounded time.
    async fn part(mut self, end: End) -> Cause {
        // Nobody is to wait for a router that is slow to close its side.
        self.shared.take_offline(&end.cause);
        if let Some(last_words) = end.last_words {
            self.wire.push(self.serializer, &last_words);
        }
        let code = match end.cause {
            Cause::Misbehaved(_) => CloseCode::PROTOCOL_ERROR,
            _ => CloseCode::NORMAL,
        };
        self.wire.close(code);
        // Whether the router has heard it makes no difference any more.
        _ = tokio::time::timeout(self.shared.options.close_timeout, self.wire.shut_down()).await;
        end.cause
    }
}

/// What a message means to the session.
fn handle(
    shared: &Arc<Shared>,
    joining: &mut Joining,
    message: Result<Message<'_>, DecodeError>,
) -> ControlFlow<End> {
    let meaning = match message {
        Ok(message) => joining.handle(message),
        Err(error) => match joining.undecodable(&error.to_string()) {
            Some(abort) => Meaning::Violation(abort),
            None => Meaning::Ignored,
        },
    };
    ControlFlow::Break(match meaning {
        Meaning::Deliver(message) => match shared.deliver(message) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(violation) => match joining.undecodable(&violation) {
                Some(abort) => misbehaved(abort),
                None => return ControlFlow::Continue(()),
            },
        },
        Meaning::Ignored | Meaning::Welcome(_) | Meaning::Challenge(_) => {
            return ControlFlow::Continue(());
        }
        Meaning::Violation(abort) => misbehaved(abort),
        Meaning::Closed => Cause::Closed.into(),
        Meaning::Goodbye { said, answer } => {
            let words = said.details.message.map(|message| format!(" ({message})"));
            let reason = format!(
                "the router ended the session: {}{}",
                said.reason,
                words.unwrap_or_default()
            );
            End {
                cause: Cause::Lost(reason),
                last_words: Some(answer.into()),
            }
        }
        Meaning::Aborted(abort) => Cause::Aborted {
            reason: abort.reason.into_owned(),
            message: abort.details.message.map(String::from),
        }
        .into(),
    })
}

fn misbehaved(abort: Abort<'static>) -> End {
    let problem = abort
        .details
        .message
        .as_deref()
        .unwrap_or_default()
        .to_owned();
    End {
        cause: Cause::Misbehaved(problem),
        last_words: Some(abort.into()),
    }
}

/// When to ping, and how long to wait for an answer or for the end.
struct Clock {
    ping_interval: Option<Duration>,
    ping_timeout: Duration,
    last_heard: Instant,
    pinged: Option<Instant>,
    close_at: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

/// What the clock rang for.
enum Rang {
    /// Something was heard meanwhile.
    Idle,
    /// The peer has been silent, and is not pinged.
    Silent,
    /// The peer has been silent.
    Ping,
    /// The peer has been silent for too long.
    Dead(Cause),
}

/// How long a peer that is not pinged has to be silent until its buffers are given back.
const REST_AFTER: Duration = Duration::from_secs(30);

impl Clock {
    fn new(ping_interval: Option<Duration>, ping_timeout: Duration) -> Self {
        let ping_interval = ping_interval.map(|interval| interval.min(LONGEST_WAIT));
        let ping_timeout = ping_timeout.min(LONGEST_WAIT);
        let alarm = Box::pin(tokio::time::sleep(ping_interval.unwrap_or(REST_AFTER)));
        Self {
            ping_interval,
            ping_timeout,
            last_heard: Instant::now(),
            pinged: None,
            close_at: None,
            alarm,
        }
    }

    fn heard(&mut self) {
        self.last_heard = Instant::now();
        // Else the alarm rings early, finds that something was heard, and is set anew.
        if self.pinged.take().is_some() {
            self.set_alarm();
        }
    }

    fn close_within(&mut self, timeout: Duration) {
        self.close_at = Some(Instant::now() + timeout.min(LONGEST_WAIT));
        self.set_alarm();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.alarm.as_mut().poll(cx)
    }

    fn rang(&mut self) -> Rang {
        let now = Instant::now();
        if self.close_at.is_some_and(|close_at| now >= close_at) {
            let reason = "the router has not answered the goodbye";
            return Rang::Dead(Cause::ClosedWithoutAnswer(reason.to_owned()));
        }
        let rang = match (self.pinged, self.ping_interval) {
            (Some(pinged), _) if now >= pinged + self.ping_timeout => {
                let waited = self.ping_timeout.as_millis();
                Rang::Dead(Cause::Lost(format!(
                    "the router has not answered a ping within {waited} ms"
                )))
            }
            (None, Some(interval)) if now >= self.last_heard + interval => {
                self.pinged = Some(now);
                Rang::Ping
            }
            (None, None) if now >= self.last_heard + REST_AFTER => Rang::Silent,
            _ => Rang::Idle,
        };
        self.set_alarm();
        rang
    }

    fn set_alarm(&mut self) {
        let ping_alarm = match (self.pinged, self.ping_interval) {
            (Some(pinged), _) => pinged + self.ping_timeout,
            (None, Some(interval)) => self.last_heard + interval,
            (None, None) => Instant::now() + REST_AFTER,
        };
        let alarm = self
            .close_at
            .map_or(ping_alarm, |close_at| close_at.min(ping_alarm));
        self.alarm.as_mut().reset(alarm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_task<F>(_: fn(EndWithTask, Box<Joined>) -> F) -> usize {
        size_of::<F>()
    }

    fn size_of_session<F>(_: fn(Owner<'static>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn who_waits_takes_little_memory() {
        assert!(size_of_task(run) <= 1 << 10, "{}", size_of_task(run));
        let session = size_of_session(Owner::run);
        assert!(session <= 1 << 10, "{session}");
    }
}
