//! From nothing to a session that is joined, registered and subscribed; all of it blocking, before
//! the load starts.
//!
//! Deliberately absent: a check of the WebSocket accept key. It guards browsers against servers that
//! do not know what they answer, and here only the speed of a known router is in question.

use std::io::{Read, Write};
use std::time::Duration;

use crate::cut::Kind;
use crate::error::BenchError;
use crate::framing::{append_pong, client_frame};
use crate::inbox::Inbox;
use crate::incoming::{Incoming, code, parse};
use crate::nats;
use crate::outgoing::hello;
use crate::socket::Blocking;
use crate::target::{Address, Peer, Target};
use crate::transport::Transport;

/// Longest wait for an answer while joining.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for envelope and headers around a payload, in bytes.
const ENVELOPE_BYTES_MAX: usize = 512;

/// Longest answer to the WebSocket request, in bytes.
const RESPONSE_BYTES_MAX: usize = 16 * 1024;

/// RawSocket's numbers of the serializers.
const RAWSOCKET_MSGPACK: u8 = 2;
const RAWSOCKET_CBOR: u8 = 3;

/// What a session needs from the router before the load starts.
#[derive(Debug)]
pub struct Request {
    /// REGISTER or SUBSCRIBE with request id 1; over NATS, SUB.
    pub body: Vec<u8>,
    /// Code of the answer that grants it. (NATS has none: it answers a PING behind the request.)
    pub granted_by: u64,
}

/// A connection ready for load.
#[derive(Debug)]
pub struct Joined {
    pub socket: Blocking,
    /// What has been received beyond the last answer.
    pub inbox: Inbox,
}

/// Connects to a router, joins the realm, and makes one request if there is one. `payload` is the
/// length of the load's argument, in bytes.
pub fn join(
    target: &Target,
    who: &str,
    payload: usize,
    request: Option<&Request>,
) -> Result<Joined, BenchError> {
    let mut joining = Joining::connect(target, who)?;
    let longest = payload + ENVELOPE_BYTES_MAX;
    match target.transport {
        Transport::RawSocketMsgpack => joining.handshake_rawsocket(RAWSOCKET_MSGPACK, longest)?,
        Transport::RawSocketCbor => joining.handshake_rawsocket(RAWSOCKET_CBOR, longest)?,
        Transport::WebSocketJson => joining.handshake_websocket(target)?,
        Transport::Nats => {
            joining.handshake_nats(payload, request)?;
            return Ok(joining.joined);
        }
    }
    joining.ask(&hello(target.transport, &target.realm), code::WELCOME)?;
    if let Some(request) = request {
        joining.ask(&request.body, request.granted_by)?;
    }
    Ok(joining.joined)
}

/// Connects to a relay and says which end of which pairing this connection is.
pub fn attach(target: &Target, who: &str, hello: [u8; 4]) -> Result<Joined, BenchError> {
    debug_assert_eq!(target.peer, Peer::Relay);
    let mut joining = Joining::connect(target, who)?;
    joining.send(&hello)?;
    Ok(joining.joined)
}

/// Waits until the relay has all its connections.
pub fn wait_for_relay(joined: &mut Joined, who: &str) -> Result<(), BenchError> {
    let mut go = [0];
    joined
        .socket
        .read_exact(&mut go)
        .map_err(|error| BenchError::Join {
            who: who.to_owned(),
            reason: format!("the relay did not start: {error}"),
        })
}

struct Joining<'a> {
    who: &'a str,
    transport: Transport,
    joined: Joined,
}

impl<'a> Joining<'a> {
    fn connect(target: &Target, who: &'a str) -> Result<Self, BenchError> {
        let transport = target.transport;
        match Blocking::connect(&target.address, ANSWER_TIMEOUT) {
            Ok(socket) => Ok(Self {
                who,
                transport,
                joined: Joined {
                    socket,
                    inbox: Inbox::new(transport),
                },
            }),
            Err(error) => Err(BenchError::Join {
                who: who.to_owned(),
                reason: format!("no connection: {error}"),
            }),
        }
    }

    fn refused(&self, reason: impl ToString) -> BenchError {
        BenchError::Join {
            who: self.who.to_owned(),
            reason: reason.to_string(),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), BenchError> {
        self.joined
            .socket
            .write_all(bytes)
            .map_err(|error| self.refused(error))
    }

    /// Reads more bytes into the inbox.
    fn receive(&mut self) -> Result<(), BenchError> {
        let room = self
            .joined
            .inbox
            .room()
            .map_err(|reason| BenchError::Join {
                who: self.who.to_owned(),
                reason: reason.to_owned(),
            })?;
        match self.joined.socket.read(room) {
            Ok(0) => Err(self.refused("the router closed the connection")),
            Ok(bytes) => {
                self.joined.inbox.filled(bytes);
                Ok(())
            }
            Err(error) => Err(self.refused(format!("no answer: {error}"))),
        }
    }

    /// Offers to receive messages up to 16 MiB.
    fn handshake_rawsocket(&mut self, serializer: u8, longest: usize) -> Result<(), BenchError> {
        self.send(&[0x7f, 0xf0 | serializer, 0, 0])?;
        let mut answer = [0; 4];
        self.joined
            .socket
            .read_exact(&mut answer)
            .map_err(|error| self.refused(error))?;
        match answer {
            [0x7f, second, 0, 0] if second & 15 == serializer => {
                let accepted = 1usize << (9 + (second >> 4));
                if longest > accepted {
                    let reason = format!("the router takes at most {accepted} bytes a message");
                    return Err(self.refused(reason));
                }
                Ok(())
            }
            [0x7f, second, 0, 0] if second & 15 == 0 => {
                Err(self.refused(format!("RawSocket handshake refused, code {}", second >> 4)))
            }
            _ => Err(self.refused("the peer does not speak RawSocket")),
        }
    }

    fn handshake_websocket(&mut self, target: &Target) -> Result<(), BenchError> {
        let host = match &target.address {
            Address::Tcp(host) => host.as_str(),
            Address::Unix(_) => "localhost",
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: d2FtcHktYmVuY2gta2V5IQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n",
            target.path
        );
        self.send(request.as_bytes())?;
        let mut response = Vec::new();
        let end = loop {
            if let Some(at) = response.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if response.len() > RESPONSE_BYTES_MAX {
                return Err(self.refused("the answer to the WebSocket request does not end"));
            }
            let mut part = [0; 1024];
            match self.joined.socket.read(&mut part) {
                Ok(0) => return Err(self.refused("the peer closed during the handshake")),
                Ok(bytes) => response.extend_from_slice(&part[..bytes]),
                Err(error) => return Err(self.refused(error)),
            }
        };
        accepts_json(&response[..end]).map_err(|reason| self.refused(reason))?;
        self.joined
            .inbox
            .push(&response[end + 4..])
            .map_err(|reason| self.refused(reason))
    }

    /// Says who is there and makes the request; the PONG says that both were taken.
    fn handshake_nats(
        &mut self,
        payload: usize,
        request: Option<&Request>,
    ) -> Result<(), BenchError> {
        self.await_info(payload)?;
        self.send(nats::CONNECT)?;
        if let Some(request) = request {
            self.send(&request.body)?;
        }
        self.send(nats::PING)?;
        loop {
            match self.joined.inbox.next() {
                Err(reason) => return Err(self.refused(reason)),
                Ok(None) => self.receive()?,
                Ok(Some((Kind::Pong, _))) => return Ok(()),
                Ok(Some((Kind::Message, body))) => {
                    let reason = parse(Transport::Nats, body).map_or_else(
                        || "a message before anything was sent".to_owned(),
                        |message| String::from_utf8_lossy(message.uri).into_owned(),
                    );
                    return Err(self.refused(reason));
                }
                Ok(Some((Kind::Ping, _))) => self.send(nats::PONG)?,
                Ok(Some(_)) => {}
            }
        }
    }

    /// Waits for the line that a NATS server begins with, and checks what it takes.
    fn await_info(&mut self, payload: usize) -> Result<(), BenchError> {
        let accepted = loop {
            match self.joined.inbox.next() {
                Err(_) => return Err(self.refused("the peer does not speak NATS")),
                Ok(None) => self.receive()?,
                Ok(Some((Kind::Notice, body))) => break nats::payload_bytes_max(body),
                Ok(Some(_)) => return Err(self.refused("the peer does not begin with INFO")),
            }
        };
        match accepted {
            Some(accepted) if payload > accepted => {
                let reason = format!("the server takes at most {accepted} bytes a message");
                Err(self.refused(reason))
            }
            Some(_) => Ok(()),
            None => Err(self.refused("the server's INFO does not say what it takes")),
        }
    }

    /// Sends a request and waits for the answer that grants it.
    fn ask(&mut self, body: &[u8], granted_by: u64) -> Result<(), BenchError> {
        self.send(&client_frame(self.transport, body))?;
        loop {
            let mut pong = Vec::new();
            match self.joined.inbox.next() {
                Err(reason) => return Err(self.refused(reason)),
                Ok(None) => self.receive()?,
                Ok(Some((Kind::Message, body))) => {
                    let verdict = match parse(self.transport, body) {
                        Some(message) if message.code == granted_by => return Ok(()),
                        Some(message) => refusal(&message),
                        None => "an answer that is no WAMP message".to_owned(),
                    };
                    return Err(self.refused(verdict));
                }
                Ok(Some((Kind::Ping, body))) => append_pong(self.transport, body, &mut pong),
                Ok(Some((Kind::Close, _))) => return Err(self.refused("the WebSocket was closed")),
                Ok(Some(_)) => {}
            }
            self.send(&pong)?;
        }
    }
}

fn refusal(message: &Incoming<'_>) -> String {
    let uri = String::from_utf8_lossy(message.uri);
    match message.code {
        code::CHALLENGE => format!("it asks for authentication ({uri})"),
        code::ABORT | code::GOODBYE | code::ERROR => uri.into_owned(),
        other => format!("unexpected message {other}"),
    }
}

/// Checks the head of the answer to the WebSocket request.
fn accepts_json(head: &[u8]) -> Result<(), String> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") {
        return Err(format!("WebSocket refused: {status}"));
    }
    let protocol = lines
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-protocol")
                .then_some(value.trim())
        });
    match protocol {
        Some("wamp.2.json") => Ok(()),
        other => Err(format!("wamp.2.json was not accepted (got {other:?})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_json_subprotocol_is_accepted() {
        let head = |rest: &str| format!("HTTP/1.1 101 Switching Protocols\r\n{rest}");
        let good = head("upgrade: websocket\r\nSEC-WebSocket-Protocol:  wamp.2.json ");
        assert_eq!(accepts_json(good.as_bytes()), Ok(()));
        assert!(accepts_json(head("Sec-WebSocket-Protocol: wamp.2.cbor").as_bytes()).is_err());
        assert!(accepts_json(head("a: b").as_bytes()).is_err());
        let said = accepts_json(b"HTTP/1.1 404 Not Found\r\n").unwrap_err();
        assert!(said.contains("404"), "{said}");
    }
}
