//! The client's side of a session: which message of the router is legal now.
//!
//! Deliberately absent: the proofs that answer a CHALLENGE, and matching answers to requests.

use crate::close_reason;
use crate::error_uri;
use crate::feature::Role;
use crate::message::{Abort, Challenge, Goodbye, Message, MessageType, Welcome};

/// The states of the client's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// HELLO was sent.
    Establishing,
    /// AUTHENTICATE was sent.
    Authenticating,
    /// The session stands.
    Established,
    /// The client has sent GOODBYE and waits for its echo.
    ShuttingDown,
    /// The session is over.
    Closed,
}

/// The client's side of one session, from its HELLO on.
#[derive(Debug)]
pub struct Joining {
    state: State,
}

/// What a router's message means to the client.
#[derive(Debug, PartialEq)]
pub enum Joined<'a> {
    /// The session stands.
    Welcome(Welcome),
    /// The router wants a proof: send AUTHENTICATE and tell [`Joining::authenticate`].
    Challenge(Challenge<'a>),
    /// The router refused or ended the session with ABORT: send nothing, close the transport.
    Aborted(Abort<'a>),
    /// An answer, event or invocation.
    Deliver(Message<'a>),
    /// The router ends the session: send the answer, then close.
    Goodbye {
        /// What the router said.
        said: Goodbye<'a>,
        /// What to answer.
        answer: Goodbye<'static>,
    },
    /// The router has answered the client's GOODBYE.
    Closed,
    /// The message counts for nothing in this state.
    Ignored,
    /// The router broke the protocol: send this, close.
    Violation(Abort<'static>),
}

impl Default for Joining {
    fn default() -> Self {
        Self::new()
    }
}

impl Joining {
    /// The state after HELLO was sent.
    pub const fn new() -> Self {
        Self {
            state: State::Establishing,
        }
    }

    /// The client sends AUTHENTICATE.
    pub fn authenticate(&mut self) {
        self.state = State::Authenticating;
    }

    /// The client sends GOODBYE.
    pub fn goodbye(&mut self) {
        self.state = State::ShuttingDown;
    }

    /// The router's message could not be decoded. That ends the session, and the answer is to be
    /// sent; `None` if no message counts any more.
    pub fn undecodable(&mut self, problem: &str) -> Option<Abort<'static>> {
        match self.state {
            State::Closed | State::ShuttingDown => None,
            _ => Some(self.violation(problem)),
        }
    }

    /// Takes the router's next message.
    pub fn handle<'a>(&mut self, message: Message<'a>) -> Joined<'a> {
        match (self.state, message) {
            (State::Closed, _) => Joined::Ignored,
            (State::ShuttingDown, Message::Goodbye(_)) => {
                self.state = State::Closed;
                Joined::Closed
            }
            (_, Message::Abort(abort)) => {
                self.state = State::Closed;
                Joined::Aborted(abort)
            }
            (State::ShuttingDown, _) => Joined::Ignored,
            (State::Establishing | State::Authenticating, Message::Welcome(welcome)) => {
                self.handle_welcome(*welcome)
            }
            (State::Establishing | State::Authenticating, Message::Challenge(challenge)) => {
                Joined::Challenge(*challenge)
            }
            (State::Established, message) => self.handle_established(message),
            (_, message) => {
                let name = message.message_type().as_str();
                let problem = format!("{name} received before WELCOME");
                Joined::Violation(self.violation(&problem))
            }
        }
    }

    fn handle_welcome<'a>(&mut self, welcome: Welcome) -> Joined<'a> {
        let roles = &welcome.details.roles;
        if Role::ROUTER.iter().all(|&role| roles.get(role).is_none()) {
            let problem = "WELCOME announces neither a broker nor a dealer";
            return Joined::Violation(self.violation(problem));
        }
        self.state = State::Established;
        Joined::Welcome(welcome)
    }

    fn handle_established<'a>(&mut self, message: Message<'a>) -> Joined<'a> {
        match message {
            Message::Goodbye(said) => {
                self.state = State::Closed;
                Joined::Goodbye {
                    said,
                    answer: Goodbye::new(close_reason::GOODBYE_AND_OUT),
                }
            }
            Message::Error(m) if m.request_type == MessageType::Invocation => {
                let problem = "ERROR received about INVOCATION, which a client never requests";
                Joined::Violation(self.violation(problem))
            }
            Message::Error(_)
            | Message::Published(_)
            | Message::Subscribed(_)
            | Message::Unsubscribed(_)
            | Message::Event(_)
            | Message::Result(_)
            | Message::Registered(_)
            | Message::Unregistered(_)
            | Message::Invocation(_)
            | Message::Interrupt(_) => Joined::Deliver(message),
            other => {
                let name = other.message_type().as_str();
                let problem = format!("{name} received in an established session");
                Joined::Violation(self.violation(&problem))
            }
        }
    }

    fn violation(&mut self, problem: &str) -> Abort<'static> {
        self.state = State::Closed;
        Abort::new(error_uri::PROTOCOL_VIOLATION, problem)
    }
}
