//! Many sessions at once, that join and then do nothing: one thread with one readiness loop.
//!
//! A session that has joined keeps its socket and nothing else, so that fifty thousand of them fit.
//! Deliberately absent: everything that sessions do after joining, TLS (see `encrypted`), and
//! answers to pings: the first one comes after half a minute.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::wire::{self, Frame, Framing, code, message_code, refusal};

/// Connections that are being opened or closed at any time, unless told otherwise.
pub const AT_ONCE: usize = 256;

/// Without any progress for so long, the rest has failed.
const STALL_LIMIT: Duration = Duration::from_secs(10);

/// How much one read takes at most, in bytes: more than the longest answer while joining.
const READ_BYTES: usize = 4096;

/// Longest answer while joining, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Wake-ups handled at once at most.
const EVENTS_MAX: usize = 1024;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Opening,
    Joining,
    Joined,
    Leaving,
    Over,
}

#[derive(Debug)]
struct Session {
    socket: TcpStream,
    stage: Stage,
    /// A part of an answer that has been read.
    received: Vec<u8>,
}

/// Sessions of one realm over one framing.
#[derive(Debug)]
pub struct Crowd {
    framing: Framing,
    addresses: Vec<SocketAddr>,
    hello: Vec<u8>,
    goodbye: Vec<u8>,
    at_once: usize,
    poll: Poll,
    sessions: Vec<Session>,
}

/// How a crowd left.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// Sessions whose GOODBYE was answered.
    pub answered: usize,
    /// Sessions that were gone before, or got no answer.
    pub failed: usize,
}

impl Crowd {
    /// Nobody yet. The sessions will be spread over the addresses, all of the same router.
    pub fn new(framing: Framing, addresses: &[SocketAddr], realm: &str) -> Result<Self, String> {
        let framed = |message: Vec<u8>| {
            let mut frame = Vec::new();
            framing.append(&message, &mut frame);
            frame
        };
        Ok(Self {
            framing,
            addresses: addresses.to_vec(),
            hello: framed(wire::hello(realm)),
            goodbye: framed(wire::goodbye()),
            at_once: AT_ONCE,
            poll: Poll::new().map_err(|error| format!("no readiness loop: {error}"))?,
            sessions: Vec::new(),
        })
    }

    /// The same with so many connections being opened at any time.
    pub fn at_once(self, at_once: usize) -> Self {
        Self { at_once, ..self }
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Lets further sessions join, until there are so many. Returns when all have their WELCOME.
    pub fn grow_to(&mut self, count: usize) -> Result<(), String> {
        let goal = count.saturating_sub(self.sessions.len());
        let (mut joined, mut pending) = (0, 0);
        let mut last_progress = Instant::now();
        let mut events = Events::with_capacity(EVENTS_MAX);
        while joined < goal {
            while pending < self.at_once && joined + pending < goal {
                self.connect().map_err(|error| self.failure(&error))?;
                pending += 1;
            }
            self.wait(&mut events)?;
            for event in &events {
                let at = event.token().0;
                if self.step(at)? == Stage::Joined {
                    (joined, pending) = (joined + 1, pending - 1);
                    last_progress = Instant::now();
                }
            }
            if last_progress.elapsed() > STALL_LIMIT {
                return Err(format!("{pending} of {goal} sessions got no WELCOME"));
            }
        }
        Ok(())
    }

    fn failure(&self, error: &io::Error) -> String {
        format!("session {} has no connection: {error}", self.sessions.len())
    }

    fn wait(&mut self, events: &mut Events) -> Result<(), String> {
        match self.poll.poll(events, Some(STALL_LIMIT)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                Err(format!("waiting for sockets: {error}"))
            }
            _ => Ok(()),
        }
    }

    fn connect(&mut self) -> io::Result<()> {
        let at = self.sessions.len();
        let mut socket = TcpStream::connect(self.addresses[at % self.addresses.len()])?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut socket, Token(at), interest)?;
        self.sessions.push(Session {
            socket,
            stage: Stage::Connecting,
            received: Vec::new(),
        });
        Ok(())
    }

    /// Does what can be done for one session whose socket is ready. Returns the stage that it has
    /// newly reached; `Over` stands for none.
    fn step(&mut self, at: usize) -> Result<Stage, String> {
        let session = &mut self.sessions[at];
        let failed = |error: &dyn std::fmt::Display| format!("session {at}: {error}");
        if session.stage == Stage::Connecting {
            if !is_connected(&session.socket).map_err(|error| failed(&error))? {
                return Ok(Stage::Over);
            }
            // From now on only what comes matters; every write fits into an empty socket.
            let _ = session.socket.set_nodelay(true);
            session.send(self.framing.opening())?;
            session.stage = Stage::Opening;
        }
        match session.stage {
            Stage::Opening | Stage::Joining => {}
            _ => return Ok(Stage::Over),
        }
        session.receive().map_err(|error| failed(&error))?;
        if session.stage == Stage::Opening {
            let Some(taken) = self.framing.opened(&session.received)? else {
                return Ok(Stage::Over);
            };
            session.received.drain(..taken);
            session.send(&self.hello)?;
            session.stage = Stage::Joining;
        }
        let Some((frame, _)) = self.framing.cut(&session.received) else {
            return Ok(Stage::Over);
        };
        match frame {
            Frame::Message(message) if message_code(message) == code::WELCOME => {}
            Frame::Message(message) => return Err(failed(&refusal(message))),
            _ => return Err(failed(&"a frame before WELCOME")),
        }
        session.received = Vec::new();
        session.stage = Stage::Joined;
        Ok(Stage::Joined)
    }

    /// Says GOODBYE on all sessions, waits for the answers, and closes.
    pub fn leave(mut self) -> Result<Departure, String> {
        let mut departure = Departure::default();
        let mut events = Events::with_capacity(EVENTS_MAX);
        let (mut begun, mut pending) = (0, 0);
        let mut last_progress = Instant::now();
        while begun < self.sessions.len() || pending > 0 {
            while pending < self.at_once && begun < self.sessions.len() {
                let session = &mut self.sessions[begun];
                begun += 1;
                session.stage = Stage::Leaving;
                match session.send(&self.goodbye) {
                    Ok(()) => pending += 1,
                    Err(_) => departure.count(session, false),
                }
            }
            self.wait(&mut events)?;
            for event in &events {
                let session = &mut self.sessions[event.token().0];
                if session.stage != Stage::Leaving {
                    continue;
                }
                if let Some(answered) = session.hears_goodbye(self.framing) {
                    departure.count(session, answered);
                    pending -= 1;
                    last_progress = Instant::now();
                }
            }
            if last_progress.elapsed() > STALL_LIMIT {
                departure.failed += pending + self.sessions.len() - begun;
                break;
            }
        }
        Ok(departure)
    }
}

impl Departure {
    fn count(&mut self, session: &mut Session, answered: bool) {
        session.stage = Stage::Over;
        // Ending the stream frees the router's socket; the client's goes with the crowd.
        let _ = session.socket.shutdown(std::net::Shutdown::Both);
        match answered {
            true => self.answered += 1,
            false => self.failed += 1,
        }
    }
}

impl Session {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        // A socket with nothing under way takes the few bytes of a handshake at once.
        match self.socket.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err("a socket took only a part of a message".to_owned()),
            Err(error) => Err(format!("cannot send: {error}")),
        }
    }

    /// Reads all that the socket has.
    fn receive(&mut self) -> Result<(), String> {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err("the router closed the connection".to_owned()),
                Ok(read) => self.received.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("no answer: {error}")),
            }
            if self.received.len() > ANSWER_BYTES_MAX {
                return Err("an endless answer".to_owned());
            }
        }
    }

    /// Whether GOODBYE was answered, or cannot be any more; `None` if that is open.
    fn hears_goodbye(&mut self, framing: Framing) -> Option<bool> {
        let ended = self.receive().is_err();
        while let Some((frame, taken)) = framing.cut(&self.received) {
            match frame {
                Frame::Message(message) if message_code(message) == code::GOODBYE => {
                    return Some(true);
                }
                Frame::Message(_) | Frame::Close => return Some(false),
                Frame::Ping(_) | Frame::Other => drop(self.received.drain(..taken)),
            }
        }
        ended.then_some(false)
    }
}

/// Whether a connection that was begun is there.
fn is_connected(socket: &TcpStream) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A router that takes sessions over RawSocket, and then answers GOODBYE or does not.
    fn door(sessions: usize, welcome: &'static [u8], answers_goodbye: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().take(sessions) {
                thread::spawn(move || serve(stream.unwrap(), welcome, answers_goodbye));
            }
        });
        address
    }

    fn serve(mut stream: std::net::TcpStream, welcome: &[u8], answers_goodbye: bool) {
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(&[0x7f, 0xf2, 0, 0]).unwrap();
        for answer in [welcome, b"\0\0\0\x03\x93\x06\x80"] {
            let mut header = [0; 4];
            if stream.read_exact(&mut header).is_err() {
                return;
            }
            let mut body = vec![0; usize::from(header[3])];
            stream.read_exact(&mut body).unwrap();
            if body[1] == code::GOODBYE && !answers_goodbye {
                return;
            }
            // In pieces, as a network may deliver it.
            for piece in answer.chunks(2) {
                stream.write_all(piece).unwrap();
            }
        }
        let _ = stream.read(&mut [0]);
    }

    const WELCOME: &[u8] = b"\0\0\0\x03\x93\x02\x01";

    fn crowd(address: SocketAddr) -> Crowd {
        Crowd::new(Framing::RawSocket, &[address], "realm1").unwrap()
    }

    #[test]
    fn a_crowd_joins_in_steps_and_leaves() {
        let mut crowd = crowd(door(40, WELCOME, true));
        crowd.grow_to(10).unwrap();
        crowd.grow_to(40).unwrap();
        assert_eq!(crowd.len(), 40);
        let expected = Departure {
            answered: 40,
            failed: 0,
        };
        assert_eq!(crowd.leave().unwrap(), expected);
    }

    #[test]
    fn sessions_that_get_no_answer_are_counted() {
        let mut crowd = crowd(door(5, WELCOME, false));
        crowd.grow_to(5).unwrap();
        let expected = Departure {
            answered: 0,
            failed: 5,
        };
        assert_eq!(crowd.leave().unwrap(), expected);
    }

    #[test]
    fn a_refusal_is_told() {
        let mut crowd = crowd(door(1, b"\0\0\0\x0b\x93\x03\x80\xa7no.room", true));
        let said = crowd.grow_to(1).unwrap_err();
        assert!(said.contains("no.room"), "{said}");
    }

    #[test]
    fn nobody_there_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert!(crowd(address).grow_to(1).is_err());
    }
}
