//! The router's side of a session: which message of the client is legal now.
//!
//! Deliberately absent: who may join (the router's authenticators decide that between
//! [`Accepted::Hello`] and [`Accepting::welcome`]) and what a request does (the realm's business).

use crate::close_reason;
use crate::error_uri;
use crate::feature::{Feature, Role};
use crate::id::RequestId;
use crate::message::{Abort, Authenticate, Call, Goodbye, Hello, Message, MessageType};

/// The states of the router's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No session: the next message must be HELLO.
    Closed,
    /// HELLO has come; the router decides.
    Establishing,
    /// The router has sent CHALLENGE.
    Challenging,
    /// The session stands.
    Established,
    /// The router has sent GOODBYE and waits for its echo.
    ShuttingDown,
    /// ABORT was sent or received: nothing counts any more.
    Failed,
}

/// The router's side of one session, and of the sessions after it on the same transport.
#[derive(Debug)]
pub struct Accepting {
    state: State,
    next_request: RequestId,
    /// The last request that began a call in parts. A CALL of this or an earlier id may go on with
    /// such a call; the realm knows.
    last_progressive: Option<RequestId>,
    /// Whether clients of old may draw their request ids.
    lenient: bool,
    /// Whether this client may.
    any_request_id: bool,
}

/// What a client's message means to the router.
#[derive(Debug, PartialEq)]
pub enum Accepted<'a> {
    /// The client wants to join: decide, then [`Accepting::welcome`], [`Accepting::challenge`] or
    /// [`Accepting::abort`].
    Hello(Hello<'a>),
    /// The client answers a challenge: decide as for HELLO.
    Authenticate(Authenticate<'a>),
    /// A request, or an answer to an invocation, for the realm.
    Route(Message<'a>),
    /// The client leaves: take its session from the realm, then send this answer. The transport
    /// may carry another HELLO.
    Leave(Goodbye<'static>),
    /// The client has answered the router's GOODBYE, or gave up: the session is over and the
    /// transport can close.
    Closed,
    /// The message counts for nothing in this state.
    Ignored,
    /// The client broke the protocol: take its session from the realm, send this, close.
    Violation(Abort<'static>),
}

impl Accepting {
    /// The state of a fresh transport. With `any_request_id`, requests may have any id that is not
    /// in use, as some old clients draw them; else 1, 2, 3, … is demanded. It is always demanded of
    /// callers that have progressive call invocations: a late part could not be told from a new
    /// call.
    pub const fn new(any_request_id: bool) -> Self {
        Self {
            state: State::Closed,
            next_request: RequestId::FIRST,
            last_progressive: None,
            lenient: any_request_id,
            any_request_id,
        }
    }

    /// Whether a session stands.
    pub fn is_established(&self) -> bool {
        self.state == State::Established
    }

    /// Whether the next message can only lead to a session: HELLO or AUTHENTICATE.
    pub fn is_joining(&self) -> bool {
        matches!(
            self.state,
            State::Closed | State::Establishing | State::Challenging
        )
    }

    /// The router took the client in and sends WELCOME.
    pub fn welcome(&mut self) {
        self.state = State::Established;
        self.next_request = RequestId::FIRST;
        self.last_progressive = None;
    }

    /// The router sends CHALLENGE.
    pub fn challenge(&mut self) {
        self.state = State::Challenging;
    }

    /// The router sends ABORT.
    pub fn abort(&mut self) {
        self.state = State::Failed;
    }

    /// The router sends GOODBYE of its own.
    pub fn goodbye(&mut self) {
        self.state = State::ShuttingDown;
    }

    /// The client's message could not be decoded. That ends the session, and the answer is to be
    /// sent; `None` if no message counts any more.
    pub fn undecodable(&mut self, problem: &str) -> Option<Abort<'static>> {
        match self.state {
            State::Failed | State::ShuttingDown => None,
            _ => Some(self.violation(problem)),
        }
    }

    /// Whether `message` is the client's next request, or an answer to an invocation, and can be
    /// routed as it is. If not, nothing has happened and [`Accepting::handle`] says what it means.
    ///
    /// This is `handle` for the usual case, without moving a large message in and out.
    #[inline]
    pub fn admit(&mut self, message: &Message<'_>) -> bool {
        if self.state != State::Established {
            return false;
        }
        let request = match message {
            Message::Publish(m) => m.request,
            Message::Call(m) => return self.take_call_id(m),
            Message::Yield(_) => return true,
            Message::Error(m) => return m.request_type == MessageType::Invocation,
            _ => return false,
        };
        self.take_request_id(request)
    }

    /// Whether a request may have the id `request` now; it is used up if so.
    #[inline]
    fn take_request_id(&mut self, request: RequestId) -> bool {
        if self.any_request_id {
            return true;
        }
        let is_next = request == self.next_request;
        if is_next {
            self.next_request = request.next();
        }
        is_next
    }

    /// The same for a CALL, which may be a further part of an earlier one.
    #[inline]
    fn take_call_id(&mut self, call: &Call<'_>) -> bool {
        if !self.take_request_id(call.request) {
            return call.request < self.next_request
                && self
                    .last_progressive
                    .is_some_and(|last| call.request <= last);
        }
        if call.options.progress {
            self.last_progressive = Some(call.request);
        }
        true
    }

    /// Takes the client's next message.
    pub fn handle<'a>(&mut self, message: Message<'a>) -> Accepted<'a> {
        match self.state {
            State::Failed => Accepted::Ignored,
            State::ShuttingDown => self.handle_shutting_down(&message),
            _ => match message {
                Message::Abort(_) => {
                    self.state = State::Failed;
                    Accepted::Closed
                }
                Message::Hello(hello) if self.state == State::Closed => self.handle_hello(*hello),
                Message::Authenticate(proof) if self.state == State::Challenging => {
                    self.state = State::Establishing;
                    Accepted::Authenticate(*proof)
                }
                message if self.state == State::Established => self.handle_established(message),
                message => {
                    let name = message.message_type().as_str();
                    let expected = match self.state {
                        State::Closed => "the first message must be HELLO",
                        State::Challenging => "AUTHENTICATE must come next",
                        _ => "the session is not established",
                    };
                    Accepted::Violation(self.violation(&format!("{name} received, but {expected}")))
                }
            },
        }
    }

    fn handle_shutting_down<'a>(&mut self, message: &Message<'a>) -> Accepted<'a> {
        match message {
            Message::Goodbye(_) | Message::Abort(_) => {
                self.state = State::Failed;
                Accepted::Closed
            }
            _ => Accepted::Ignored,
        }
    }

    fn handle_hello<'a>(&mut self, hello: Hello<'a>) -> Accepted<'a> {
        let roles = &hello.details.roles;
        if Role::CLIENT.iter().all(|&role| roles.get(role).is_none()) {
            let problem = "HELLO announces none of the roles caller, callee, publisher, subscriber";
            return Accepted::Violation(self.violation(problem));
        }
        let counts = roles.supports(Role::Caller, Feature::ProgressiveCallInvocations);
        self.any_request_id = self.lenient && !counts;
        self.state = State::Establishing;
        Accepted::Hello(hello)
    }

    fn handle_established<'a>(&mut self, message: Message<'a>) -> Accepted<'a> {
        let (request, taken) = match &message {
            Message::Goodbye(_) => {
                self.state = State::Closed;
                return Accepted::Leave(Goodbye::new(close_reason::GOODBYE_AND_OUT));
            }
            Message::Publish(m) => (m.request, self.take_request_id(m.request)),
            Message::Subscribe(m) => (m.request, self.take_request_id(m.request)),
            Message::Unsubscribe(m) => (m.request, self.take_request_id(m.request)),
            Message::Call(m) => (m.request, self.take_call_id(m)),
            Message::Register(m) => (m.request, self.take_request_id(m.request)),
            Message::Unregister(m) => (m.request, self.take_request_id(m.request)),
            Message::Cancel(_) | Message::Yield(_) => return Accepted::Route(message),
            Message::Error(m) if m.request_type == MessageType::Invocation => {
                return Accepted::Route(message);
            }
            Message::Error(m) => {
                let name = m.request_type.as_str();
                let problem = format!("ERROR received about {name}, which a router never requests");
                return Accepted::Violation(self.violation(&problem));
            }
            other => {
                let name = other.message_type().as_str();
                let problem = format!("{name} received in an established session");
                return Accepted::Violation(self.violation(&problem));
            }
        };
        if !taken {
            let name = message.message_type().as_str();
            let expected = self.next_request;
            let problem = format!("{name} has the request id {request}, expected {expected}");
            return Accepted::Violation(self.violation(&problem));
        }
        Accepted::Route(message)
    }

    fn violation(&mut self, problem: &str) -> Abort<'static> {
        self.state = State::Failed;
        Abort::new(error_uri::PROTOCOL_VIOLATION, problem)
    }
}
