//! One connection: from the stream that was taken in to its last byte.
//!
//! A connection is one task. It waits for three things at once: bytes of its peer (`inbound`),
//! signals and a socket that takes bytes again (the outlet), and its one timer (`watch`). Messages
//! of an established session are read, decoded and routed within one poll, out of a buffer that
//! belongs to the thread, so an idle connection holds none. Whatever needs more time than that
//! comes back as an [`Event`].

mod closing;
mod inbound;
mod joining;
mod opening;
mod watch;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use wampy_proto::close_reason;
use wampy_proto::message::{Authenticate, Goodbye, Hello, Message};
use wampy_proto::session::accepting::Accepting;
use wampy_transport::{Accepted, Framing, ReadHalf};

use crate::authenticator::{TlsFacts, Turn};
use crate::hosted_realm::Seat;
use crate::http::cookies::CookieId;
use crate::outlet::{Appended, Outlet, Signal};
use crate::registry::Ticket;
use crate::settings::Methods;
use crate::shared::Shared;
use crate::terms::Terms;
use closing::End;
use inbound::Inbound;
use joining::Joining;
pub(crate) use opening::{Incoming, Polled, serve, serve_polled};
use watch::{Timer, Watch};

/// Who connects.
struct Caller {
    peer: Box<str>,
    methods: Methods,
    cookie: Option<Box<CookieId>>,
}

/// A connection after its transport's handshake.
struct Connection {
    router: Arc<Shared>,
    terms: Arc<Terms>,
    peer: Box<str>,
    framing: Framing,
    /// By which methods it may authenticate where it came in.
    methods: Methods,
    /// The cookie that the client has, where it is told one.
    cookie: Option<Box<CookieId>>,
    /// What its TLS tells, where it has one.
    tls: Option<Box<TlsFacts>>,
    read: ReadHalf,
    inbound: Inbound,
    outlet: Arc<Outlet>,
    session: Accepting,
    /// The conversation about who the client is, after its HELLO.
    joining: Option<Box<Joining>>,
    /// The session's place in its realm, while it is established.
    seat: Option<Seat>,
    timer: Timer,
    /// Whether the peer has said anything since the timer last looked.
    was_heard: bool,
    /// Given back last: until then the router waits for the connection.
    _ticket: Ticket,
}

/// What a connection's task has to do beside routing.
enum Event {
    /// The client wants to join a realm.
    Hello(Box<Hello<'static>>),
    /// The client answers CHALLENGE.
    Authenticate(Box<Authenticate<'static>>),
    /// The authenticator asks the client something, or has decided.
    Authentication(Box<Turn>),
    /// The client leaves its realm; the connection stays.
    Leave(Goodbye<'static>),
    /// The realm has ended the session and said GOODBYE.
    Ended,
    /// The router shuts down.
    ShutDown,
    /// The timer went off.
    Timer,
    /// The connection is over.
    End(End),
}

impl Connection {
    fn new(
        router: Arc<Shared>,
        terms: Arc<Terms>,
        caller: Caller,
        accepted: Accepted,
        ticket: Ticket,
    ) -> Box<Self> {
        let Caller {
            peer,
            methods,
            cookie,
        } = caller;
        let Accepted {
            connection,
            framing,
        } = accepted;
        let tls = TlsFacts::of(&connection.stream);
        let (read, write) = connection.stream.into_halves();
        let serializer = connection.serializer;
        let bytes_max = terms.limits.outbound_bytes_per_session_max;
        let encoder = connection.encoder;
        let outlet = Outlet::new(write, encoder, serializer, bytes_max, &router.backlog);
        let outlet = Arc::new(outlet);
        ticket.attach(&outlet);
        let timer = Timer::new(Watch::Hello, terms.limits.handshake_timeout_ms);
        Box::new(Self {
            session: Accepting::new(terms.any_request_id),
            inbound: Inbound::new(connection.decoder, serializer, connection.received),
            outlet,
            router,
            terms,
            peer,
            framing,
            methods,
            cookie,
            tls,
            read,
            joining: None,
            seat: None,
            timer,
            was_heard: false,
            _ticket: ticket,
        })
    }

    /// Serves the connection until it is over, and says why it is.
    async fn run(&mut self) -> End {
        loop {
            let ended = match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Hello(hello) => self.begin_joining(*hello).err(),
                Event::Authenticate(answer) => {
                    self.answer(*answer);
                    None
                }
                Event::Authentication(turn) => self.go_on_joining(*turn).err(),
                Event::Leave(answer) => {
                    self.leave(answer);
                    None
                }
                Event::Ended => {
                    self.seat = None;
                    self.expect_goodbye();
                    None
                }
                Event::ShutDown => self.shut_down().err(),
                Event::Timer => self.timer_went_off().err(),
                Event::End(end) => Some(end),
            };
            if let Some(end) = ended {
                return end;
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.outlet.register_owner(cx);
        if self.outlet.has_signals()
            && let Some(event) = self.poll_signals(cx)
        {
            return Poll::Ready(event);
        }
        if self.joining.is_some()
            && let Poll::Ready(turn) = self.poll_joining(cx)
        {
            return Poll::Ready(Event::Authentication(Box::new(turn)));
        }
        if !self.is_paused()
            && !self.is_deciding()
            && let Poll::Ready(event) = self.poll_inbound(cx)
        {
            return Poll::Ready(event);
        }
        if self.is_paused() {
            self.watch_paused();
        }
        self.timer.poll(cx).map(|()| Event::Timer)
    }

    fn poll_signals(&mut self, cx: &mut Context<'_>) -> Option<Event> {
        // Whether something is left to be written shows in the next signals.
        let _ = self.outlet.poll_unwritten(cx);
        if self.outlet.has(Signal::CutOff) {
            Some(Event::End(End::CutOff))
        } else if self.outlet.has(Signal::Lost) {
            Some(Event::End(End::Gone))
        } else if self.outlet.take(Signal::Ended) {
            Some(Event::Ended)
        } else if self.outlet.take(Signal::ShutDown) {
            Some(Event::ShutDown)
        } else {
            None
        }
    }

    /// Whether the peer does not read what it gets, and so has to wait before it is read from.
    fn is_paused(&self) -> bool {
        self.outlet.has(Signal::Unwritten)
            && self.outlet.waiting_bytes() > self.terms.limits.outbound_bytes_pause
    }

    /// Sends one message of the session's own.
    fn send(&self, message: &Message<'_>) {
        // These messages have no payload that could fail to be encoded. Where a peer announced a
        // limit too small for them, it cannot be told.
        if self.outlet.append(message).is_ok_and(Appended::wants_flush) {
            self.outlet.flush();
        }
    }

    /// The client has said GOODBYE.
    fn leave(&mut self, answer: Goodbye<'static>) {
        self.seat = None;
        self.send(&answer.into());
        self.timer
            .set(Watch::Hello, self.terms.limits.handshake_timeout_ms);
    }

    /// The router shuts down: says GOODBYE to an established session.
    fn shut_down(&mut self) -> Result<(), End> {
        if !self.session.is_established() {
            return match self.timer.watch() {
                // GOODBYE was said for another reason; its answer ends the connection as well.
                Watch::Goodbye => Ok(()),
                _ => Err(End::ShutDown),
            };
        }
        self.seat = None;
        self.outlet
            .append_last(&Goodbye::new(close_reason::SYSTEM_SHUTDOWN).into());
        self.outlet.flush();
        self.expect_goodbye();
        Ok(())
    }

    /// The router has said GOODBYE and waits for the answer.
    fn expect_goodbye(&mut self) {
        self.session.goodbye();
        self.timer
            .set(Watch::Goodbye, self.terms.limits.close_timeout_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_bytes<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_holds_itself_once_and_little_else() {
        // What is moved into a future stays a part of it, and it is easy to do so by mistake.
        let (future, connection) = (future_bytes(serve), size_of::<Connection>());
        assert!(
            future <= 128,
            "the future of a connection has {future} bytes"
        );
        assert!(connection <= 328, "a connection has {connection} bytes");
    }
}
