//! An echo client on the framing of this crate, for the fuzzing server of the Autobahn test suite.
//!
//! `cargo run -p wampy-proto --example websocket_echo_client -- 127.0.0.1:9002 wampy`
//!
//! It asks the server how many cases there are, opens a WebSocket for each, sends back every message
//! in the kind it came, and has the server write its report on the agent (`wampy`). Deliberately
//! absent: unforeseeable masking keys and nonces, and deadlines; this is no client for strangers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use wampy_proto::framing::websocket::handshake::{ClientRequest, HandshakeLimits};
use wampy_proto::framing::websocket::{WebSocketDecoder, WebSocketEncoder, WebSocketLimits};
use wampy_proto::framing::{Decoder, Encoder, Step};

const READ_BYTES: usize = 64 << 10;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(agent)) = (arguments.next(), arguments.next()) else {
        return Err(io::Error::other(
            "usage: websocket_echo_client ADDRESS AGENT",
        ));
    };
    let mut cases = String::new();
    let mut note = |payload: &[u8]| cases = String::from_utf8_lossy(payload).into_owned();
    Connection::open(&address, "/getCaseCount")?.run(&mut note)?;
    let cases: u32 = cases.parse().map_err(io::Error::other)?;
    for case in 1..=cases {
        let target = format!("/runCase?case={case}&agent={agent}");
        // Whether that is how the case ought to end is the server's to judge.
        if let Err(error) = Connection::open(&address, &target)?.run(&mut |_| ()) {
            eprintln!("case {case}: {error}");
        }
    }
    Connection::open(&address, &format!("/updateReports?agent={agent}"))?.run(&mut |_| ())
}

/// A WebSocket to the server.
struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    decoder: Decoder,
    /// Writers of text and of binary messages.
    encoders: [Encoder; 2],
}

impl Connection {
    fn open(address: &str, target: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let request = ClientRequest {
            host: address,
            target,
            subprotocols: &["wamp.2.json"],
            deflate: true,
            headers: &[],
        };
        let mut bytes = Vec::new();
        let nonce = *b"no secret at all";
        let pending = request.write(nonce, &mut bytes).map_err(io::Error::other)?;
        stream.write_all(&bytes)?;
        let (limits, mut received) = (HandshakeLimits::default(), Vec::new());
        let upgraded = loop {
            if !receive(&mut stream, &mut received)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let answer = pending.read(&received, &limits);
            if let Some(upgraded) = answer.map_err(io::Error::other)? {
                break upgraded;
            }
        };
        received.drain(..upgraded.head_bytes);
        let decoder = WebSocketDecoder::client(WebSocketLimits::default());
        let encoder = |binary| {
            let encoder = WebSocketEncoder::client(binary, || 0x6d61_736b);
            encoder.compressing(upgraded.deflate).into()
        };
        Ok(Self {
            stream,
            received,
            decoder: decoder.decompressing(upgraded.deflate.is_some()).into(),
            encoders: [encoder(false), encoder(true)],
        })
    }

    /// Echoes until the end, and shows each message to `note`.
    fn run(mut self, note: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        loop {
            let mut out = Vec::new();
            let end = self.answer(note, &mut out);
            self.stream.write_all(&out)?;
            if end || !receive(&mut self.stream, &mut self.received)? {
                break;
            }
        }
        // The server may hang up as it likes, also by a reset, once both have closed.
        let _ = self.stream.shutdown(Shutdown::Write);
        let _ = io::copy(&mut self.stream, &mut io::sink());
        Ok(())
    }

    /// Answers everything that has been received completely; whether the connection ends.
    fn answer(&mut self, note: &mut dyn FnMut(&[u8]), out: &mut Vec<u8>) -> bool {
        let mut at = 0;
        let [text, _] = self.encoders;
        loop {
            let next = match self.decoder.next(&mut self.received[at..]) {
                Ok(next) => next,
                Err(error) => {
                    text.write_close(Some(error.close_code()), &error.to_string(), out);
                    return true;
                }
            };
            at += next.consumed;
            let written = match next.step {
                Step::NeedMore { .. } => break,
                Step::Message { payload, binary } => {
                    note(payload);
                    self.encoders[usize::from(binary)].write_message(payload, out)
                }
                Step::Ping(payload) => text.write_pong(payload, out),
                Step::Pong(_) => Ok(()),
                Step::Close { code, .. } => {
                    text.write_close(code, "", out);
                    return true;
                }
            };
            // A WebSocket peer's pings are never too long to be answered; messages have no limit.
            if written.is_err() {
                return true;
            }
        }
        self.received.drain(..at);
        false
    }
}

/// Appends what the socket has; whether the server still sends.
fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<bool> {
    let length = received.len();
    received.resize(length + READ_BYTES, 0);
    let read = stream.read(&mut received[length..]);
    received.truncate(length + *read.as_ref().unwrap_or(&0));
    read.map(|bytes| bytes > 0)
}
