//! The router's opening handshakes: what a new stream speaks, told by its first octet.
//!
//! 0x7F begins a RawSocket, a capital letter an HTTP request; anything else is closed. A refused peer
//! gets the answer that its protocol has. A request that opens no WebSocket is handed back to the
//! caller, who may serve HTTP.
//!
//! Deliberately absent: TLS, whose handshake comes before (`ServerTls`), deadlines (the caller drops
//! the future) and everything after the handshake.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wampy_proto::Serializer;
use wampy_proto::framing::rawsocket::{
    self, ClientHello, HANDSHAKE_BYTES, HelloError, LengthLimit, MAGIC, RawSocketDecoder,
    RawSocketEncoder, RouterAccept,
};
use wampy_proto::framing::websocket::batched::{BatchedDecoder, BatchedEncoder};
use wampy_proto::framing::websocket::handshake::{self, HandshakeLimits, RequestHead};
use wampy_proto::framing::websocket::{
    Subprotocol, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};
use wampy_proto::framing::{Decoder, Encoder};

use crate::connection::Connection;
use crate::stream::Stream;
use crate::url::Framing;

/// How much is read at once during a handshake.
const READ_BYTES: usize = 4 << 10;
/// How long a refused peer may take to read its answer before the socket is closed.
const LINGER: Duration = Duration::from_secs(1);

/// What a router accepts.
#[derive(Debug, Clone)]
pub struct AcceptOptions {
    /// The serializers. All by default.
    pub serializers: Vec<Serializer>,
    /// How large and how fragmented messages may be. A RawSocket announces the largest power of
    /// two that is not above `message_bytes_max`.
    pub messages: WebSocketLimits,
    /// Whether to compress (RFC 7692) with WebSocket peers that ask for it. Not by default.
    pub compress: bool,
    /// How much HTTP a peer may send.
    pub http: HandshakeLimits,
}

impl Default for AcceptOptions {
    fn default() -> Self {
        Self {
            serializers: Serializer::ALL.to_vec(),
            messages: WebSocketLimits::default(),
            compress: false,
            http: HandshakeLimits::default(),
        }
    }
}

impl AcceptOptions {
    /// The names of the WebSocket subprotocols: those with batches behind the others.
    #[must_use]
    pub fn subprotocols(&self) -> Vec<&'static str> {
        let rows = || self.serializers.iter().map(|it| it.row());
        let batched = rows().map(|row| row.batched_subprotocol);
        rows().map(|row| row.subprotocol).chain(batched).collect()
    }
}

/// A connection that a router has accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub connection: Connection,
    /// Which framing it speaks.
    pub framing: Framing,
}

/// What a stream turned out to be.
#[derive(Debug)]
pub enum Opening {
    /// A connection that carries WAMP.
    Wamp(Accepted),
    /// An HTTP request that asks for no WebSocket: nothing was answered yet.
    Http {
        /// The stream.
        stream: Stream,
        /// What was read of it already: the head of the request, and what follows.
        received: Vec<u8>,
    },
}

/// Looks at the head of a request for a WebSocket and says which headers to answer it with beside
/// those of the handshake, or why it is refused.
pub type Judge<'a> = &'a mut (
            dyn FnMut(&RequestHead<'_>) -> Result<Vec<(&'static str, String)>, handshake::Refusal>
                + Send
        );

/// Why a stream did not become a connection. The peer has got its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The first octet begins no protocol that is spoken here.
    #[error("first octet {0:#04x} is neither RawSocket nor HTTP{hint}", hint = tls_hint(*.0))]
    UnknownProtocol(u8),
    /// The first octet does not begin TLS, which the listener speaks.
    #[error("first octet {0:#04x} is not TLS, which this listener speaks")]
    NoTls(u8),
    /// The handshake of TLS failed.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// An HTTP request that opens no WebSocket.
    #[error(transparent)]
    Http(#[from] handshake::Refusal),
    /// A RawSocket handshake that makes no sense.
    #[error("RawSocket: {0}")]
    RawSocketHello(#[from] HelloError),
    /// A RawSocket handshake that was refused.
    #[error("RawSocket: {0}")]
    RawSocket(rawsocket::Refusal),
    /// The peer left in the middle of the handshake.
    #[error("the peer closed the connection during the handshake")]
    Closed,
    /// The socket failed.
    #[error("the connection failed during the handshake: {0}")]
    Io(#[from] io::Error),
}

fn tls_hint(first: u8) -> &'static str {
    if first == 0x16 {
        " (it looks like TLS, which this listener does not speak)"
    } else {
        ""
    }
}

/// Opens a WebSocket, if `judge` allows it, or a RawSocket on `stream`. With `has_room` false, refuses
/// it in the words of its protocol: HTTP 503, or RawSocket's "maximum connection count reached".
///
/// # Errors
/// [`AcceptError`] says why there is no connection; the stream is closed then.
pub async fn accept(
    mut stream: Stream,
    options: &AcceptOptions,
    has_room: bool,
    judge: Judge<'_>,
) -> Result<Opening, AcceptError> {
    let mut received = Vec::new();
    read_more(&mut stream, &mut received).await?;
    let first = received.first().copied().unwrap_or_default();
    let mut answer = Vec::new();
    let opened = match first {
        MAGIC => open_rawsocket(&mut stream, &mut received, options, has_room, &mut answer).await,
        b'A'..=b'Z' => {
            let head = read_head(&mut stream, &mut received, &options.http).await?;
            let outcome = head.and_then(|head_bytes| {
                open_websocket(
                    &mut received,
                    head_bytes,
                    options,
                    has_room,
                    judge,
                    &mut answer,
                )
            });
            match outcome {
                Ok(Some(opened)) => Ok(opened),
                Ok(None) => return Ok(Opening::Http { stream, received }),
                Err(refusal) => {
                    refusal.write_response(&mut answer);
                    Err(refusal.into())
                }
            }
        }
        other => Err(AcceptError::UnknownProtocol(other)),
    };
    stream.write_all(&answer).await?;
    stream.flush().await?;
    match opened {
        Ok(opened) => Ok(Opening::Wamp(opened.on(stream, received))),
        Err(error) => {
            if !answer.is_empty() {
                linger(stream).await;
            }
            Err(error)
        }
    }
}

/// A handshake that succeeded.
struct Opened {
    framing: Framing,
    decoder: Decoder,
    encoder: Encoder,
    serializer: Serializer,
}

impl Opened {
    fn on(self, stream: Stream, received: Vec<u8>) -> Accepted {
        let Self {
            framing,
            decoder,
            encoder,
            serializer,
        } = self;
        let connection = Connection {
            stream,
            decoder,
            encoder,
            serializer,
            received,
        };
        Accepted {
            connection,
            framing,
        }
    }
}

/// Reads a RawSocket handshake and writes the answer; leaves the frames behind it in `received`.
async fn open_rawsocket(
    stream: &mut Stream,
    received: &mut Vec<u8>,
    options: &AcceptOptions,
    has_room: bool,
    answer: &mut Vec<u8>,
) -> Result<Opened, AcceptError> {
    let hello = loop {
        match ClientHello::decode(received) {
            Ok(Some(hello)) => break hello,
            Ok(None) => read_more(stream, received).await?,
            Err(error) => {
                answer.extend(error.reply().into_iter().flatten());
                return Err(error.into());
            }
        }
    };
    received.drain(..HANDSHAKE_BYTES);
    let refusal = match Serializer::from_rawsocket_id(hello.serializer) {
        _ if !has_room => rawsocket::Refusal::ConnectionCount,
        Some(serializer) if options.serializers.contains(&serializer) => {
            let limit = LengthLimit::at_most(options.messages.message_bytes_max);
            answer.extend(
                RouterAccept {
                    serializer: hello.serializer,
                    limit,
                }
                .encode(),
            );
            return Ok(Opened {
                framing: Framing::RawSocket,
                decoder: RawSocketDecoder::new(limit, serializer.row().binary).into(),
                encoder: RawSocketEncoder::new(hello.limit).into(),
                serializer,
            });
        }
        _ => rawsocket::Refusal::SerializerUnsupported,
    };
    answer.extend(refusal.encode());
    Err(AcceptError::RawSocket(refusal))
}

/// Reads until the head of an HTTP request is complete: how many bytes it has, or why it is refused.
async fn read_head(
    stream: &mut Stream,
    received: &mut Vec<u8>,
    limits: &HandshakeLimits,
) -> Result<Result<usize, handshake::Refusal>, AcceptError> {
    let head_bytes_max = limits.head_bytes_max;
    let mut parsed = 0;
    loop {
        // A head ends with a line, so a slow peer's bytes are not parsed over and over again.
        let may_be_complete =
            received[parsed..].contains(&b'\n') || parsed == 0 || received.len() >= head_bytes_max;
        if may_be_complete {
            match RequestHead::read(received, limits) {
                Ok(Some((_, head_bytes))) => return Ok(Ok(head_bytes)),
                Ok(None) => {}
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        parsed = received.len();
        read_more(stream, received).await?;
    }
}

/// Takes the request out of `received` and writes the answer, if it asks for a WebSocket; leaves the
/// frames behind it in `received`.
fn open_websocket(
    received: &mut Vec<u8>,
    head_bytes: usize,
    options: &AcceptOptions,
    has_room: bool,
    judge: Judge<'_>,
    answer: &mut Vec<u8>,
) -> Result<Option<Opened>, handshake::Refusal> {
    let Some((head, _)) = RequestHead::read(received, &options.http)? else {
        return Ok(None);
    };
    if !has_room {
        return Err(full());
    }
    if !head.asks_for_websocket() {
        return Ok(None);
    }
    let supported = options.subprotocols();
    let mut accepted = head.accept(&supported)?;
    if options.compress {
        accepted.deflate = head.deflate()?;
    }
    let headers = judge(&head)?;
    // The codec accepts only names that were offered to it.
    let Some(subprotocol) = Subprotocol::from_name(accepted.subprotocol) else {
        return Ok(None);
    };
    accepted.write_response_with(&headers, answer);
    let binary = subprotocol.serializer.row().binary;
    let decoder = WebSocketDecoder::server(options.messages)
        .decompressing(accepted.deflate.is_some())
        .leaving_text_unchecked();
    let encoder = WebSocketEncoder::server(binary).compressing(accepted.deflate);
    let (decoder, encoder) = match subprotocol.batched {
        false => (decoder.into(), encoder.into()),
        true => (
            BatchedDecoder::new(decoder, binary).into(),
            BatchedEncoder::new(encoder).into(),
        ),
    };
    received.drain(..head_bytes);
    Ok(Some(Opened {
        framing: Framing::WebSocket,
        decoder,
        encoder,
        serializer: subprotocol.serializer,
    }))
}

fn full() -> handshake::Refusal {
    handshake::Refusal::new(
        503,
        "This WAMP router has no room for another connection.".to_owned(),
    )
}

async fn read_more(stream: &mut Stream, received: &mut Vec<u8>) -> Result<(), AcceptError> {
    let mut buf = [0; READ_BYTES];
    match stream.read(&mut buf).await? {
        0 => Err(AcceptError::Closed),
        read => {
            received.extend_from_slice(&buf[..read]);
            Ok(())
        }
    }
}

/// Lets the peer read its answer: a socket that is closed with unread bytes in it resets the
/// connection, and the answer would be lost.
pub(crate) async fn linger(mut stream: Stream) {
    let drain = async {
        stream.shutdown().await?;
        let mut buf = [0; READ_BYTES];
        while stream.read(&mut buf).await? > 0 {}
        io::Result::Ok(())
    };
    // Nothing depends on how this ends.
    let _ = tokio::time::timeout(LINGER, drain).await;
}
