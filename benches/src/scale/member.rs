//! One session that blocks: joins, makes many requests at a time, waits for their answers.
//!
//! For what a measurement prepares (a million subscriptions) and for what it takes the time of one
//! by one (a publication and its acknowledgment).

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::wire::{self, Frame, Framing, Match, code, message_code, refusal};

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Requests that are sent before their answers are read.
const PIPELINE: usize = 500;

/// How much one read takes at most, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// A session.
#[derive(Debug)]
pub struct Member {
    stream: TcpStream,
    framing: Framing,
    received: Vec<u8>,
    /// How much of what was received has been read.
    at: usize,
    last_request: u32,
}

impl Member {
    /// Connects and joins a realm.
    pub fn join(address: SocketAddr, framing: Framing, realm: &str) -> Result<Self, String> {
        let connect = || {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
            Ok(stream)
        };
        let stream =
            connect().map_err(|error: std::io::Error| format!("no connection: {error}"))?;
        let mut member = Self {
            stream,
            framing,
            received: Vec::new(),
            at: 0,
            last_request: 0,
        };
        member.send(framing.opening())?;
        loop {
            if let Some(taken) = framing.opened(&member.received)? {
                member.at = taken;
                break;
            }
            member.receive()?;
        }
        member.request(&wire::hello(realm))?;
        member.expect(code::WELCOME)?;
        Ok(member)
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(bytes)
            .map_err(|error| format!("cannot send: {error}"))
    }

    fn request(&mut self, message: &[u8]) -> Result<(), String> {
        let mut frame = Vec::new();
        self.framing.append(message, &mut frame);
        self.send(&frame)
    }

    fn receive(&mut self) -> Result<(), String> {
        self.received.drain(..self.at);
        self.at = 0;
        let end = self.received.len();
        self.received.resize(end + READ_BYTES, 0);
        let read = self.stream.read(&mut self.received[end..]);
        self.received.truncate(end + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err("the router closed the connection".to_owned()),
            Ok(_) => Ok(()),
            Err(error) => Err(format!("no answer: {error}")),
        }
    }

    /// Waits for a message with this code; any other is an error.
    pub fn expect(&mut self, expected: u8) -> Result<(), String> {
        loop {
            let Some((frame, taken)) = self.framing.cut(&self.received[self.at..]) else {
                self.receive()?;
                continue;
            };
            let mut pong = Vec::new();
            let outcome = match frame {
                Frame::Message(message) if message_code(message) == expected => Ok(true),
                Frame::Message(message) => Err(refusal(message)),
                Frame::Close => Err("the WebSocket was closed".to_owned()),
                Frame::Ping(body) => {
                    self.framing.append_pong(body, &mut pong);
                    Ok(false)
                }
                Frame::Other => Ok(false),
            };
            self.at += taken;
            if outcome? {
                return Ok(());
            }
            self.send(&pong)?;
        }
    }

    fn next_request(&mut self) -> u32 {
        self.last_request += 1;
        self.last_request
    }

    /// Makes one request for each URI, many at a time, and waits until all are granted.
    fn request_all(
        &mut self,
        uris: impl Iterator<Item = String>,
        message: impl Fn(u32, &str) -> Vec<u8>,
        granted_by: u8,
    ) -> Result<(), String> {
        let mut uris = uris.peekable();
        while uris.peek().is_some() {
            let (mut frames, mut sent) = (Vec::new(), 0);
            for uri in uris.by_ref().take(PIPELINE) {
                let request = self.next_request();
                self.framing.append(&message(request, &uri), &mut frames);
                sent += 1;
            }
            self.send(&frames)?;
            for _ in 0..sent {
                self.expect(granted_by)?;
            }
        }
        Ok(())
    }

    /// Subscribes to all topics.
    pub fn subscribe(
        &mut self,
        topics: impl Iterator<Item = String>,
        matching: Match,
    ) -> Result<(), String> {
        let message = |request, topic: &str| wire::subscribe(request, topic, matching);
        self.request_all(topics, message, code::SUBSCRIBED)
    }

    /// Registers all procedures.
    pub fn register(
        &mut self,
        procedures: impl Iterator<Item = String>,
        matching: Match,
    ) -> Result<(), String> {
        let message = |request, procedure: &str| wire::register(request, procedure, matching);
        self.request_all(procedures, message, code::REGISTERED)
    }

    /// Publishes once to each topic, all at once, and waits until all are acknowledged.
    pub fn publish<'a>(
        &mut self,
        topics: impl Iterator<Item = &'a str>,
        payload: &str,
    ) -> Result<(), String> {
        let (mut frames, mut sent) = (Vec::new(), 0);
        for topic in topics {
            let request = self.next_request();
            self.framing
                .append(&wire::publish(request, topic, payload), &mut frames);
            sent += 1;
        }
        self.send(&frames)?;
        for _ in 0..sent {
            self.expect(code::PUBLISHED)?;
        }
        Ok(())
    }
}
