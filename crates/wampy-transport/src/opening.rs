//! The client's opening handshakes over a connected stream.

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wampy_proto::Serializer;
use wampy_proto::framing::rawsocket::{
    ClientHello, LengthLimit, RawSocketDecoder, RawSocketEncoder, RouterAccept,
};
use wampy_proto::framing::websocket::handshake::{ClientRequest, HandshakeLimits};
use wampy_proto::framing::websocket::{WebSocketDecoder, WebSocketEncoder, WebSocketLimits};

use crate::connect::{ConnectOptions, Connection};
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
    let subprotocols: Vec<_> = options
        .serializers
        .iter()
        .map(|serializer| serializer.row().subprotocol)
        .collect();
    let headers: Vec<_> = options
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
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
    let serializer = Serializer::from_subprotocol(upgraded.subprotocol).ok_or_else(|| {
        // The codec accepts only what was offered, and only rows of the table were offered.
        std::io::Error::other(format!("unknown subprotocol {}", upgraded.subprotocol))
    })?;
    received.drain(..upgraded.head_bytes);
    let limits = WebSocketLimits {
        message_bytes_max: options.message_bytes_max,
        ..Default::default()
    };
    Ok(Connection {
        stream,
        decoder: WebSocketDecoder::client(limits)
            .decompressing(upgraded.deflate.is_some())
            .into(),
        encoder: WebSocketEncoder::client(serializer.row().binary, mask_key)
            .compressing(upgraded.deflate)
            .into(),
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
