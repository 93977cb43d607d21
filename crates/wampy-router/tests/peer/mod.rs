//! A router to test and raw peers of it: blocking sockets, every frame and message visible.
//!
//! A [`Peer`] speaks any framing and serializer but shows messages as JSON, so that a test reads
//! like the specification.

#![allow(dead_code)] // Each test file uses its part of this.

pub mod files;
pub mod http;
pub mod joining;
pub mod tls;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

pub use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wampy_proto::framing::rawsocket::{
    ClientHello, LengthLimit, RawSocketDecoder, RawSocketEncoder, RouterAccept,
};
use wampy_proto::framing::websocket::batched::{BatchedDecoder, BatchedEncoder};
use wampy_proto::framing::websocket::handshake::{ClientRequest, HandshakeLimits};
use wampy_proto::framing::websocket::{
    CloseCode, Deflate, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};
use wampy_proto::framing::{Decoder, Encoder, Step};
use wampy_proto::{Message, Serializer};
use wampy_router::{BoundAddress, Builder, Limits, Router, Stats};

/// The longest that anything in a test may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// More than the largest message of any test.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// The usual limits, without pings: a peer here answers them only where its test says so, and on a machine
/// that is busy any test may take longer than the interval between two of them.
pub fn limits() -> Limits {
    Limits {
        keepalive_interval_ms: 0,
        ..Limits::default()
    }
}

/// A router in a runtime of its own.
pub struct Host {
    pub router: Router,
    pub runtime: Runtime,
}

impl Host {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    pub fn with_limits(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = limits();
        change(&mut limits);
        Self::with(|builder| builder.limits(limits))
    }

    pub fn with(set_up: impl FnOnce(Builder) -> Builder) -> Self {
        let builder = Router::builder().limits(limits());
        let builder = set_up(builder.realm("realm1").realm("realm2"));
        Self::start(builder.listen("127.0.0.1:0"))
    }

    pub fn start(builder: Builder) -> Self {
        let runtime = Runtime::new().unwrap();
        let router = runtime.block_on(builder.start()).unwrap();
        Self { router, runtime }
    }

    pub fn address(&self) -> SocketAddr {
        let tcp = self
            .router
            .addresses()
            .iter()
            .rev()
            .find_map(|address| match address {
                BoundAddress::Tcp(address) | BoundAddress::Tls(address) => Some(*address),
                BoundAddress::Unix(_) => None,
            });
        tcp.unwrap()
    }

    pub fn stats(&self) -> Stats {
        self.router.stats()
    }

    pub fn stream(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub fn rawsocket(&self, serializer: Serializer) -> Peer {
        Peer::rawsocket(Box::new(self.stream()), serializer)
    }

    pub fn websocket(&self, serializer: Serializer) -> Peer {
        Peer::websocket(Box::new(self.stream()), serializer)
    }

    /// A session in realm1 over RawSocket and JSON.
    pub fn session(&self) -> Peer {
        self.session_in("realm1")
    }

    pub fn session_in(&self, realm: &str) -> Peer {
        let mut peer = self.rawsocket(Serializer::Json);
        peer.join(realm);
        peer
    }

    /// Waits until what the router tells about itself is as wanted.
    pub fn eventually(&self, what: &str, wanted: impl Fn(&Stats) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(&self.stats()) {
            assert!(
                Instant::now() < deadline,
                "never happened: {what}; {:?}",
                self.stats()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

pub trait Stream: Read + Write + Send {
    fn shut_down_writing(&self);
}

impl Stream for TcpStream {
    fn shut_down_writing(&self) {
        self.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

impl Stream for UnixStream {
    fn shut_down_writing(&self) {
        self.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

/// What a peer sees.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// A message, as JSON.
    Message(Value),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// The WebSocket was closed with this code.
    Close(Option<u16>),
    /// The stream ended.
    End,
}

pub struct Peer {
    pub stream: Box<dyn Stream>,
    pub serializer: Serializer,
    decoder: Decoder,
    encoder: Encoder,
    buffer: Vec<u8>,
    next_request: u64,
}

impl Peer {
    pub fn rawsocket(stream: Box<dyn Stream>, serializer: Serializer) -> Self {
        Self::rawsocket_with_limit(stream, serializer, 1 << 24)
    }

    pub fn rawsocket_with_limit(
        mut stream: Box<dyn Stream>,
        serializer: Serializer,
        message_bytes_max: usize,
    ) -> Self {
        let row = serializer.row();
        let limit = LengthLimit::at_most(message_bytes_max);
        let hello = ClientHello {
            serializer: row.rawsocket_id,
            limit,
        };
        stream.write_all(&hello.encode()).unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).unwrap();
        let accept = RouterAccept::decode(&answer, row.rawsocket_id)
            .unwrap()
            .unwrap();
        let decoder = RawSocketDecoder::new(limit, row.binary).into();
        let encoder = RawSocketEncoder::new(accept.limit).into();
        Self {
            stream,
            serializer,
            decoder,
            encoder,
            buffer: Vec::new(),
            next_request: 1,
        }
    }

    pub fn websocket(stream: Box<dyn Stream>, serializer: Serializer) -> Self {
        Self::websocket_at(stream, serializer, "/", &[])
    }

    pub fn websocket_at(
        mut stream: Box<dyn Stream>,
        serializer: Serializer,
        target: &str,
        headers: &[(&str, &str)],
    ) -> Self {
        let subprotocol = serializer.row().subprotocol;
        let (decoder, encoder) =
            Self::upgrade(&mut *stream, serializer, subprotocol, target, headers);
        Self::speaking(stream, serializer, decoder.into(), encoder.into())
    }

    /// Speaks the batched subprotocol.
    pub fn batched(mut stream: Box<dyn Stream>, serializer: Serializer) -> Self {
        let row = serializer.row();
        let subprotocol = row.batched_subprotocol;
        let (decoder, encoder) = Self::upgrade(&mut *stream, serializer, subprotocol, "/", &[]);
        let decoder = BatchedDecoder::new(decoder, row.binary);
        let encoder = BatchedEncoder::new(encoder);
        Self::speaking(stream, serializer, decoder.into(), encoder.into())
    }

    fn speaking(
        stream: Box<dyn Stream>,
        serializer: Serializer,
        decoder: Decoder,
        encoder: Encoder,
    ) -> Self {
        Self {
            stream,
            serializer,
            decoder,
            encoder,
            buffer: Vec::new(),
            next_request: 1,
        }
    }

    fn upgrade(
        stream: &mut dyn Stream,
        serializer: Serializer,
        subprotocol: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (WebSocketDecoder, WebSocketEncoder) {
        let request = ClientRequest {
            host: "localhost",
            target,
            subprotocols: &[subprotocol],
            deflate: false,
            headers,
        };
        let mut bytes = Vec::new();
        let pending = request.write([7; 16], &mut bytes).unwrap();
        stream.write_all(&bytes).unwrap();
        let mut buffer = Vec::new();
        let upgraded = loop {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            buffer.extend(byte);
            if let Some(it) = pending.read(&buffer, &HandshakeLimits::default()).unwrap() {
                break it;
            }
        };
        assert_eq!(upgraded.subprotocol, subprotocol);
        let limits = WebSocketLimits {
            message_bytes_max: MESSAGE_BYTES_MAX,
            ..WebSocketLimits::default()
        };
        let binary = serializer.row().binary;
        let encoder = WebSocketEncoder::client(binary, || 0x1234_5678);
        (WebSocketDecoder::client(limits), encoder)
    }

    /// Asks for extensions with the header `offer`; returns also what the router answers, and
    /// compresses if that is compression.
    pub fn websocket_offering(
        stream: Box<dyn Stream>,
        serializer: Serializer,
        offer: &str,
    ) -> (Self, Option<String>) {
        Self::offering(stream, serializer, false, offer)
    }

    /// The same, speaking the batched subprotocol.
    pub fn batched_offering(
        stream: Box<dyn Stream>,
        serializer: Serializer,
        offer: &str,
    ) -> (Self, Option<String>) {
        Self::offering(stream, serializer, true, offer)
    }

    fn offering(
        mut stream: Box<dyn Stream>,
        serializer: Serializer,
        batched: bool,
        offer: &str,
    ) -> (Self, Option<String>) {
        let row = serializer.row();
        let subprotocol = match batched {
            true => row.batched_subprotocol,
            false => row.subprotocol,
        };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: {subprotocol}\r\n\
             Sec-WebSocket-Extensions: {offer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let answer = head
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "))
            .map(str::to_owned);
        let limits = WebSocketLimits {
            message_bytes_max: MESSAGE_BYTES_MAX,
            ..WebSocketLimits::default()
        };
        let compression = answer.as_ref().map(|_| Deflate::default());
        let decoder = WebSocketDecoder::client(limits).decompressing(answer.is_some());
        let encoder = WebSocketEncoder::client(row.binary, || 0x1234_5678);
        let encoder = encoder.compressing(compression);
        let (decoder, encoder) = match batched {
            true => (
                BatchedDecoder::new(decoder, row.binary).into(),
                BatchedEncoder::new(encoder).into(),
            ),
            false => (decoder.into(), encoder.into()),
        };
        (Self::speaking(stream, serializer, decoder, encoder), answer)
    }

    /// The next request id of the session.
    pub fn id(&mut self) -> u64 {
        self.next_request += 1;
        self.next_request - 1
    }

    pub fn hello(realm: &str) -> Value {
        let roles = json!({
            "caller": {"features": {"call_canceling": true, "progressive_call_results": true}},
            "callee": {"features": {"call_canceling": true, "progressive_call_results": true}},
            "publisher": {},
            "subscriber": {},
        });
        json!([1, realm, { "roles": roles }])
    }

    /// HELLO to a realm, with these details beside the usual ones.
    pub fn hello_to(realm: &str, details: &Value) -> Value {
        let mut hello = Self::hello(realm);
        for (key, value) in details.as_object().unwrap() {
            hello[2][key] = value.clone();
        }
        hello
    }

    /// Says HELLO to a realm, with these details beside the usual ones; returns the answer.
    pub fn greet(&mut self, realm: &str, details: &Value) -> Value {
        self.send(&Self::hello_to(realm, details));
        self.message()
    }

    /// The next message, which is WELCOME.
    #[track_caller]
    pub fn expect_welcome(&mut self) -> Value {
        let welcome = self.message();
        assert_eq!(welcome[0], 2, "{welcome}");
        welcome
    }

    /// Joins a realm; returns the session's id.
    pub fn join(&mut self, realm: &str) -> u64 {
        self.join_by(&Self::hello(realm))
    }

    /// Joins realm1 with these features, and call canceling, in every role.
    pub fn join_with(&mut self, features: &[&str]) -> u64 {
        let features = features.iter().chain(&["call_canceling"]);
        let features: Value = features.map(|&key| (key, true)).collect();
        let role = json!({ "features": features });
        let roles = json!({"caller": role, "callee": role, "publisher": role, "subscriber": role});
        self.join_by(&json!([1, "realm1", { "roles": roles }]))
    }

    fn join_by(&mut self, hello: &Value) -> u64 {
        self.send(hello);
        let welcome = self.expect_welcome();
        self.next_request = 1;
        welcome[1].as_u64().unwrap()
    }

    pub fn subscribe(&mut self, topic: &str) -> u64 {
        let id = self.id();
        self.send(&json!([32, id, {}, topic]));
        let subscribed = self.message();
        assert_eq!(
            (&subscribed[0], &subscribed[1]),
            (&json!(33), &json!(id)),
            "{subscribed}"
        );
        subscribed[2].as_u64().unwrap()
    }

    pub fn register(&mut self, procedure: &str) -> u64 {
        let id = self.id();
        self.send(&json!([64, id, {}, procedure]));
        let registered = self.message();
        assert_eq!(
            (&registered[0], &registered[1]),
            (&json!(65), &json!(id)),
            "{registered}"
        );
        registered[2].as_u64().unwrap()
    }

    /// Sends an acknowledged publication and takes the acknowledgement.
    pub fn publish(&mut self, topic: &str, args: Value) {
        let id = self.id();
        self.send(&json!([16, id, {"acknowledge": true}, topic, args]));
        assert_eq!(self.message()[0], 17);
    }

    pub fn call(&mut self, procedure: &str, args: Value) -> Value {
        let id = self.id();
        self.send(&json!([48, id, {}, procedure, args]));
        self.message()
    }

    /// A WAMP message in this peer's serializer.
    pub fn encode(&self, message: &Value) -> Vec<u8> {
        let text = message.to_string();
        if self.serializer == Serializer::Json {
            return text.into();
        }
        let mut bytes = Vec::new();
        let message = Message::decode(Serializer::Json, text.as_bytes()).unwrap();
        message.encode(self.serializer, &mut bytes).unwrap();
        bytes
    }

    pub fn frame(&self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encoder.write_message(payload, &mut bytes).unwrap();
        bytes
    }

    pub fn send(&mut self, message: &Value) {
        let payload = self.encode(message);
        self.send_payload(&payload);
    }

    /// Sends several messages in one write.
    pub fn send_all(&mut self, messages: &[Value]) {
        let frames: Vec<u8> = messages
            .iter()
            .flat_map(|message| self.frame(&self.encode(message)))
            .collect();
        self.send_bytes(&frames);
    }

    /// Sends one frame with this payload, a message or not.
    pub fn send_payload(&mut self, payload: &[u8]) {
        let frame = self.frame(payload);
        self.send_bytes(&frame);
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub fn send_ping(&mut self, payload: &[u8]) {
        let mut bytes = Vec::new();
        self.encoder.write_ping(payload, &mut bytes).unwrap();
        self.send_bytes(&bytes);
    }

    pub fn send_pong(&mut self, payload: &[u8]) {
        let mut bytes = Vec::new();
        self.encoder.write_pong(payload, &mut bytes).unwrap();
        self.send_bytes(&bytes);
    }

    pub fn send_close(&mut self, code: CloseCode) {
        let mut bytes = Vec::new();
        self.encoder.write_close(Some(code), "", &mut bytes);
        self.send_bytes(&bytes);
    }

    /// The next thing that comes.
    pub fn see(&mut self) -> Seen {
        let mut wanted = 0;
        loop {
            if self.buffer.len() >= wanted {
                let next = self.decoder.next(&mut self.buffer).unwrap();
                let seen = match next.step {
                    Step::NeedMore { frame_bytes } => {
                        wanted = frame_bytes;
                        None
                    }
                    Step::Message { payload, .. } => Some(as_json(self.serializer, payload)),
                    Step::Ping(payload) => Some(Seen::Ping(payload.to_vec())),
                    Step::Pong(payload) => Some(Seen::Pong(payload.to_vec())),
                    Step::Close { code, .. } => Some(Seen::Close(code.map(CloseCode::number))),
                };
                let consumed = next.consumed;
                self.buffer.drain(..consumed);
                if let Some(seen) = seen {
                    return seen;
                }
            }
            let mut bytes = [0; 64 << 10];
            match self.stream.read(&mut bytes) {
                Ok(0) => return Seen::End,
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Seen::End,
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Seen::End,
                Err(error) => panic!("nothing came in time: {error}"),
            }
        }
    }

    /// The next message.
    pub fn message(&mut self) -> Value {
        match self.see() {
            Seen::Message(message) => message,
            other => panic!("expected a message, came {other:?}"),
        }
    }

    /// Whether an answered request shows that nothing else had come before: the ids of the messages
    /// that came, up to the answer.
    pub fn nothing_came(&mut self) {
        let id = self.id();
        self.send(&json!([48, id, {}, "wamp.session.count"]));
        let answer = self.message();
        assert_eq!(
            (&answer[0], &answer[1]),
            (&json!(50), &json!(id)),
            "{answer}"
        );
    }

    /// Expects ABORT for a violation of the protocol, and the end of the connection.
    pub fn expect_violation(&mut self) -> String {
        let text = self.expect_abort("wamp.error.protocol_violation");
        self.expect_end();
        text
    }

    pub fn expect_abort(&mut self, reason: &str) -> String {
        let abort = self.message();
        assert_eq!(
            (&abort[0], &abort[2]),
            (&json!(3), &json!(reason)),
            "{abort}"
        );
        abort[1]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Expects the end of the stream, after a WebSocket's close frame; returns its code.
    pub fn expect_end(&mut self) -> Option<u16> {
        match self.see() {
            Seen::End => None,
            Seen::Close(code) => {
                assert_eq!(self.see(), Seen::End);
                code
            }
            other => panic!("expected the end, came {other:?}"),
        }
    }
}

fn as_json(serializer: Serializer, payload: &[u8]) -> Seen {
    let message = Message::decode(serializer, payload).unwrap();
    let mut text = Vec::new();
    message.encode(Serializer::Json, &mut text).unwrap();
    Seen::Message(serde_json::from_slice(&text).unwrap())
}
