//! An echo server on the framing of this crate: what a connection does with it, in one file.
//!
//! `cargo run -p wampy-proto --example websocket_echo -- 127.0.0.1:9001`
//!
//! It sends back every message in the kind it came, answers pings and closes as RFC 6455 wants,
//! compresses if the client asks for it, and so can be examined with a WebSocket test suite: `make
//! autobahn`. Deliberately absent: what a real server needs besides, such as deadlines and a limit on
//! connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use wampy_proto::framing::websocket::handshake::{Accepted, HandshakeLimits, Refusal, RequestHead};
use wampy_proto::framing::websocket::{
    Deflate, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};
use wampy_proto::framing::{Decoder, Encoder, FramingError, Step};

const SUBPROTOCOLS: &[&str] = &["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"];
const READ_BYTES: usize = 64 << 10;

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("listening on ws://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || {
            if let Err(error) = serve(stream) {
                eprintln!("connection ended: {error}");
            }
        });
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    let Some(deflate) = accept(&mut stream, &mut received)? else {
        return hang_up(stream);
    };
    let decoder = WebSocketDecoder::server(WebSocketLimits::default());
    let mut decoder = Decoder::from(decoder.decompressing(deflate.is_some()));
    let mut out = Vec::new();
    loop {
        let end = echo(&mut decoder, deflate, &mut received, &mut out);
        stream.write_all(&out)?;
        out.clear();
        if end || !receive(&mut stream, &mut received)? {
            return hang_up(stream);
        }
    }
}

/// Reads and answers the HTTP request; which compression the WebSocket has, or `None` if there is
/// no WebSocket.
fn accept(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<Option<Option<Deflate>>> {
    let limits = HandshakeLimits::default();
    let mut out = Vec::new();
    while receive(stream, received)? {
        let answer = match RequestHead::read(received, &limits) {
            Ok(None) => continue,
            Ok(Some((head, head_bytes))) => choose(&head).map(|it| (it, head_bytes)),
            Err(refusal) => Err(refusal),
        };
        let deflate = answer.as_ref().ok().map(|(accepted, _)| accepted.deflate);
        match answer {
            Ok((accepted, head_bytes)) => {
                accepted.write_response(&mut out);
                received.drain(..head_bytes);
            }
            Err(refusal) => refusal.write_response(&mut out),
        }
        stream.write_all(&out)?;
        return Ok(deflate);
    }
    Ok(None)
}

fn choose(head: &RequestHead<'_>) -> Result<Accepted<'static>, Refusal> {
    let mut accepted = head.accept(SUBPROTOCOLS)?;
    accepted.deflate = head.deflate()?;
    Ok(accepted)
}

/// Answers everything that has been received completely; whether the connection ends.
fn echo(
    decoder: &mut Decoder,
    deflate: Option<Deflate>,
    received: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> bool {
    let mut at = 0;
    loop {
        match decoder.next(&mut received[at..]) {
            Ok(next) => {
                at += next.consumed;
                match next.step {
                    Step::NeedMore { .. } => break,
                    step if answer(step, deflate, out) => return true,
                    _ => {}
                }
            }
            Err(error) => {
                refuse(&error, out);
                return true;
            }
        }
    }
    received.drain(..at);
    false
}

/// Appends the answer to one step; whether it was the last one.
fn answer(step: Step<'_>, deflate: Option<Deflate>, out: &mut Vec<u8>) -> bool {
    let encoder = |binary| Encoder::from(WebSocketEncoder::server(binary).compressing(deflate));
    let written = match step {
        Step::Message { payload, binary } => encoder(binary).write_message(payload, out),
        Step::Ping(payload) => encoder(false).write_pong(payload, out),
        Step::NeedMore { .. } | Step::Pong(_) => Ok(()),
        Step::Close { code, .. } => {
            encoder(false).write_close(code, "", out);
            return true;
        }
    };
    // A WebSocket peer's pings are never too long to be answered, and messages have no limit.
    written.is_err()
}

fn refuse(error: &FramingError, out: &mut Vec<u8>) {
    let encoder = Encoder::from(WebSocketEncoder::server(false));
    encoder.write_close(Some(error.close_code()), &error.to_string(), out);
}

/// Appends what the socket has; whether the peer still sends.
fn receive(stream: &mut TcpStream, received: &mut Vec<u8>) -> io::Result<bool> {
    let length = received.len();
    received.resize(length + READ_BYTES, 0);
    let read = stream.read(&mut received[length..]);
    received.truncate(length + *read.as_ref().unwrap_or(&0));
    read.map(|bytes| bytes > 0)
}

/// Ends our direction and waits for the end of the peer's, so that our last frame is not lost in a
/// reset of the connection.
fn hang_up(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut stream, &mut io::sink()).map(drop)
}
