//! One session in the load loop: its socket, what was received, what is to be sent, and its role.

use std::io::{self, Read};
use std::time::Instant;

use mio::{Interest, Registry, Token};

use crate::cut::Kind;
use crate::error::BenchError;
use crate::framing::{append_pong, client_frame};
use crate::inbox::Inbox;
use crate::incoming::{code, parse};
use crate::outbox::Outbox;
use crate::outgoing::goodbye;
use crate::role::{Role, Run};
use crate::socket::Ready;
use crate::transport::Transport;

/// Nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn now_ns(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// One session in the load loop.
#[derive(Debug)]
pub struct Session {
    pub who: String,
    pub transport: Transport,
    pub socket: Ready,
    pub inbox: Inbox,
    pub role: Role,
    /// Frames to send.
    pub outbox: Outbox,
    /// Whether the loop was asked to tell when the socket takes more.
    pub waits_to_write: bool,
    /// Whether GOODBYE was sent, so that the end of the session is no fault.
    pub leaving: bool,
    /// Whether the session is over.
    pub over: bool,
}

impl Session {
    /// Reads what the socket has, lets the role answer, and sends the answers.
    pub fn serve(
        &mut self,
        token: Token,
        registry: &Registry,
        clock: Clock,
        run: &mut Run,
    ) -> Result<(), BenchError> {
        loop {
            let room = self
                .inbox
                .room()
                .map_err(|reason| garbage(&self.who, reason))?;
            let length = room.len();
            match self.socket.read(room) {
                Ok(0) => {
                    self.end("the connection was closed")?;
                    break;
                }
                Ok(bytes) => {
                    self.inbox.filled(bytes);
                    self.answer(clock.now_ns(), run)?;
                    // Less than asked for means that the socket is empty; Windows only tells of the
                    // next arrival after a read that found nothing.
                    if bytes < length && cfg!(unix) {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end(&error.to_string())?;
                    break;
                }
            }
        }
        self.flush(token, registry)
    }

    /// Lets the role answer everything that has been received whole.
    fn answer(&mut self, now_ns: u64, run: &mut Run) -> Result<(), BenchError> {
        let Self {
            who,
            transport,
            inbox,
            role,
            outbox,
            leaving,
            over,
            ..
        } = self;
        while let Some((kind, body)) = inbox.next().map_err(|reason| garbage(who, reason))? {
            match kind {
                Kind::Message => {
                    let message = parse(*transport, body)
                        .ok_or_else(|| garbage(who, "a frame that is no WAMP message"))?;
                    if !matches!(message.code, code::ABORT | code::GOODBYE) {
                        role.receive(&message, now_ns, run, outbox);
                    } else if *leaving {
                        *over = true;
                    } else {
                        return Err(ended(who, &String::from_utf8_lossy(message.uri)));
                    }
                }
                Kind::Ping => {
                    let mut pong = Vec::new();
                    append_pong(*transport, body, &mut pong);
                    outbox.append(&pong);
                }
                Kind::Close if *leaving => *over = true,
                Kind::Close => return Err(ended(who, "the WebSocket was closed")),
                Kind::Pong | Kind::Notice | Kind::Fragment { .. } => {}
            }
        }
        Ok(())
    }

    /// Sends what is in the outbox, as far as the socket takes it.
    pub fn flush(&mut self, token: Token, registry: &Registry) -> Result<(), BenchError> {
        while !self.outbox.is_empty() {
            match self.outbox.send(&mut self.socket) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return self.wait_to_write(true, token, registry);
                }
                Err(error) => return self.end(&error.to_string()),
            }
        }
        self.wait_to_write(false, token, registry)
    }

    fn wait_to_write(
        &mut self,
        wait: bool,
        token: Token,
        registry: &Registry,
    ) -> Result<(), BenchError> {
        if wait == self.waits_to_write {
            return Ok(());
        }
        self.waits_to_write = wait;
        let interest = if wait {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        registry
            .reregister(&mut self.socket, token, interest)
            .map_err(BenchError::io("waiting for a socket to take more"))
    }

    /// Begins to leave the realm.
    pub fn leave(&mut self) {
        self.leaving = true;
        // NATS has no farewell: the connection just ends.
        self.over = self.transport == Transport::Nats;
        self.outbox
            .append(&client_frame(self.transport, &goodbye(self.transport)));
    }

    /// The connection is over: a fault, unless the session was leaving.
    fn end(&mut self, reason: &str) -> Result<(), BenchError> {
        self.over = true;
        self.outbox.clear();
        if self.leaving {
            Ok(())
        } else {
            Err(ended(&self.who, reason))
        }
    }
}

fn ended(who: &str, reason: &str) -> BenchError {
    BenchError::Ended {
        who: who.to_owned(),
        reason: reason.to_owned(),
    }
}

fn garbage(who: &str, reason: &'static str) -> BenchError {
    BenchError::Garbage {
        who: who.to_owned(),
        reason,
    }
}
