//! The floor of joining: a process that accepts connections and gives each the same answers, in
//! turn, to whatever it sends.

use std::collections::HashMap;
use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use clap::Args;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

use super::wire::Framing;
use crate::compare::process::Process;

/// How much one read takes at most, in bytes.
const READ_BYTES: usize = 4096;

/// Wake-ups handled at once at most.
const EVENTS_MAX: usize = 1024;

/// Command line of the process.
#[derive(Debug, Args)]
pub struct DoorArguments {
    /// Where to listen; may be repeated.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: Vec<SocketAddr>,
}

/// A door as a process that ends with its owner.
pub struct Door {
    process: Process,
    addresses: [SocketAddr; 1],
}

impl Door {
    pub fn start() -> Result<Self, String> {
        let start = || {
            let mut command = Command::new(env::current_exe()?);
            let mut child = command.arg("door").stdout(Stdio::piped()).spawn()?;
            let mut address = String::new();
            if let Some(output) = child.stdout.take() {
                BufReader::new(output).read_line(&mut address)?;
            }
            Ok((Process::adopt("the door", child), address))
        };
        let (process, address) =
            start().map_err(|error: io::Error| format!("cannot start the door: {error}"))?;
        let address = address.trim().parse();
        Ok(Self {
            process,
            addresses: [address.map_err(|_| "the door did not say where it is")?],
        })
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

/// What a router says to the opening, to HELLO and to GOODBYE.
fn answers(framing: Framing) -> [&'static [u8]; 3] {
    match framing {
        Framing::RawSocket => [
            &[0x7f, 0xf2, 0, 0],
            b"\0\0\0\x04\x93\x02\x01\x80",
            b"\0\0\0\x04\x93\x06\x80\xa0",
        ],
        Framing::WebSocket => [
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\
              Sec-WebSocket-Protocol: wamp.2.msgpack\r\n\r\n",
            b"\x82\x04\x93\x02\x01\x80",
            b"\x82\x04\x93\x06\x80\xa0",
        ],
    }
}

/// Is the door, until it is ended.
pub fn serve(arguments: &DoorArguments) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listeners = Vec::new();
    for (at, address) in arguments.listen.iter().enumerate() {
        let mut listener = TcpListener::bind(*address)?;
        println!("{}", listener.local_addr()?);
        poll.registry()
            .register(&mut listener, Token(at), Interest::READABLE)?;
        listeners.push(listener);
    }
    io::stdout().flush()?;
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut guests: HashMap<Token, Guest> = HashMap::new();
    let mut next = listeners.len();
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            if let Some(listener) = listeners.get(event.token().0) {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = Token(next);
                    next += 1;
                    poll.registry()
                        .register(&mut stream, token, Interest::READABLE)?;
                    guests.insert(token, Guest::new(stream));
                }
            } else if let Some(guest) = guests.get_mut(&event.token())
                && !guest.answer()
            {
                guests.remove(&event.token());
            }
        }
    }
}

struct Guest {
    stream: TcpStream,
    framing: Framing,
    /// How often it has said something.
    heard: usize,
}

impl Guest {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            framing: Framing::RawSocket,
            heard: 0,
        }
    }

    /// Gives the next answer; false when the guest has left.
    fn answer(&mut self) -> bool {
        let mut buffer = [0; READ_BYTES];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(_) => {
                    if self.heard == 0 && buffer[0] == b'G' {
                        self.framing = Framing::WebSocket;
                    }
                    // The guest waits for each answer, so each time it has said one thing.
                    let Some(answer) = answers(self.framing).get(self.heard).copied() else {
                        return false;
                    };
                    self.heard += 1;
                    if self.stream.write(answer).is_err() {
                        return false;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::wire::{Frame, code, message_code};

    #[test]
    fn the_answers_are_those_of_a_router() {
        for framing in [Framing::RawSocket, Framing::WebSocket] {
            let [opening, welcome, goodbye] = answers(framing);
            assert_eq!(framing.opened(opening), Ok(Some(opening.len())));
            for (answer, expected) in [(welcome, code::WELCOME), (goodbye, code::GOODBYE)] {
                let (frame, taken) = framing.cut(answer).unwrap();
                assert_eq!(taken, answer.len());
                assert!(matches!(frame, Frame::Message(body) if message_code(body) == expected));
            }
        }
    }
}
