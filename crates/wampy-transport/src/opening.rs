//! The client's opening handshakes over a connected stream.

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wampy_proto::Serializer;
use wampy_proto::framing::rawsocket::{
    ClientHello, LengthLimit, RawSocketDecoder, RawSocketEncoder, RouterAccept,
};
use wampy_proto::framing::websocket::batched::{BatchedDecoder, BatchedEncoder};
use wampy_proto::framing::websocket::handshake::{ClientRequest, HandshakeLimits, set_cookies};
use wampy_proto::framing::websocket::{
    Subprotocol, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};

use crate::connect_options::ConnectOptions;
use crate::connection::Connection;
use crate::error::ConnectProblem;
use crate::stream::Stream;
use crate::url::Url;

/// How much is read at once during a handshake.
const READ_BYTES: usize = 4 << 10;

/// Opens a WebSocket, offering `options.serializers` as subprotocols.
pub(crate) async fn websocket(
    mut stream: Stream,
    url: &Url,
    options: &ConnectOptions,
) -> Result<Connection, ConnectProblem> {
    let subprotocols = options.subprotocols();
    let cookie = options.cookie(url);
    let headers = options.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers
        .chain(cookie.as_deref().map(|cookie| ("Cookie", cookie)))
        .collect();
    let request = ClientRequest {
        host: url.authority(),
        target: url.target(),
        subprotocols: &subprotocols,
        deflate: options.compress,
        headers: &headers,
    };
    let mut bytes = Vec::new();
    let pending = request.write(rand::rng().random(), &mut bytes)?;
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    let limits = HandshakeLimits::default();
    let mut received = Vec::new();
    let upgraded = loop {
        read_more(&mut stream, &mut received).await?;
        if let Some(upgraded) = pending.read(&received, &limits)? {
            break upgraded;
        }
    };
    let subprotocol = Subprotocol::from_name(upgraded.subprotocol).ok_or_else(|| {
        // The codec accepts only what was offered, and only rows of the table were offered.
        std::io::Error::other(format!("unknown subprotocol {}", upgraded.subprotocol))
    })?;
    let serializer = subprotocol.serializer;
    let binary = serializer.row().binary;
    if let Some(jar) = &options.cookies {
        for cookie in set_cookies(&received[..upgraded.head_bytes], &limits) {
            jar.take_from(url, cookie);
        }
    }
    received.drain(..upgraded.head_bytes);
    let limits = WebSocketLimits {
        message_bytes_max: options.message_bytes_max,
        ..Default::default()
    };
    let decoder = WebSocketDecoder::client(limits)
        .decompressing(upgraded.deflate.is_some())
        .leaving_text_unchecked();
    let encoder = WebSocketEncoder::client(binary, mask_key).compressing(upgraded.deflate);
    let (decoder, encoder) = match subprotocol.batched {
        false => (decoder.into(), encoder.into()),
        true => (
            BatchedDecoder::new(decoder, binary).into(),
            BatchedEncoder::new(encoder).into(),
        ),
    };
    Ok(Connection {
        stream,
        decoder,
        encoder,
        serializer,
        received,
    })
}

/// Opens a RawSocket with `serializer`.
pub(crate) async fn rawsocket(
    mut stream: Stream,
    serializer: Serializer,
    options: &ConnectOptions,
) -> Result<Connection, ConnectProblem> {
    let row = serializer.row();
    let limit = LengthLimit::at_most(options.message_bytes_max);
    let hello = ClientHello {
        serializer: row.rawsocket_id,
        limit,
    };
    stream.write_all(&hello.encode()).await?;
    stream.flush().await?;
    let mut received = Vec::new();
    let accept = loop {
        read_more(&mut stream, &mut received).await?;
        if let Some(accept) = RouterAccept::decode(&received, row.rawsocket_id)? {
            break accept;
        }
    };
    received.drain(..wampy_proto::framing::rawsocket::HANDSHAKE_BYTES);
    Ok(Connection {
        stream,
        decoder: RawSocketDecoder::new(limit, row.binary).into(),
        encoder: RawSocketEncoder::new(accept.limit).into(),
        serializer,
        received,
    })
}

async fn read_more(stream: &mut Stream, received: &mut Vec<u8>) -> Result<(), ConnectProblem> {
    let mut buf = [0; READ_BYTES];
    match stream.read(&mut buf).await? {
        0 => Err(ConnectProblem::Closed),
        read => {
            received.extend_from_slice(&buf[..read]);
            Ok(())
        }
    }
}

/// A new masking key, which whoever chose the payload cannot foresee.
fn mask_key() -> u32 {
    rand::rng().random()
}
