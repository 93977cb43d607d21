//! The client's side of HTTP long-polling: a connection whose bytes come and go by POST requests.
//!
//! A task stands between the session, which has one end of a stream in memory and speaks WebSocket
//! over it, and the router. It sends what the session writes, one request after the other so that
//! messages stay in order, and polls for what the router has to say. The task ends with the session.
//!
//! Deliberately absent: redirects and proxies.

mod http;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use hyper::StatusCode;
use tokio::task::JoinHandle;
use wampy_proto::framing::Step;
use wampy_proto::framing::websocket::batched::{BatchedDecoder, BatchedEncoder};
use wampy_proto::framing::websocket::{
    CloseCode, Opcode, Subprotocol, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
    frame_header,
};
use wampy_proto::serializer::deserialize;
use wampy_proto::{Serializer, Value};

use crate::connect_options::ConnectOptions;
use crate::connection::Connection;
use crate::error::ConnectProblem;
use crate::halves::{ReadHalf, WriteHalf};
use crate::memory::MemoryStream;
use crate::stream::Stream;
use crate::url::Url;
use http::{Http, Target};

/// Where the transport is if the URL has no path: as in the specification's examples.
const BASE_PATH: &str = "/longpoll";
/// How many bytes wait between the session and the task, each way.
const BUFFER_BYTES: usize = 64 << 10;
/// How much is read from the session at once.
const READ_BYTES: usize = 16 << 10;

/// Opens a transport at the router.
pub(crate) async fn open(
    url: &Url,
    options: &ConnectOptions,
) -> Result<Connection, ConnectProblem> {
    let base = match url.target().split('?').next().unwrap_or_default() {
        "" | "/" => BASE_PATH,
        path => path.trim_end_matches('/'),
    };
    let target = Arc::new(Target::new(url, options));
    let mut http = Http::new(Arc::clone(&target));
    let protocols = options.subprotocols().join("\",\"");
    let body = format!("{{\"protocols\":[\"{protocols}\"]}}");
    let (status, body) = http.post(&format!("{base}/open"), body.into()).await?;
    if status != StatusCode::OK {
        return Err(refused(status, &body));
    }
    let (subprotocol, id) = opened(&body, options).ok_or_else(|| {
        let text = "it answered something else than a protocol that was offered and a transport";
        ConnectProblem::LongPoll {
            status: status.as_u16(),
            text: text.to_owned(),
        }
    })?;
    let peer = url.authority();
    let (near, far) = MemoryStream::pair(BUFFER_BYTES, peer);
    let (read, write) = Stream::from(far).into_halves();
    let path = format!("{base}/{id}");
    let limits = WebSocketLimits {
        message_bytes_max: options.message_bytes_max,
        ..WebSocketLimits::default()
    };
    let mut sending = tokio::spawn(send_all(Http::new(target), path.clone(), read));
    let binary = subprotocol.serializer.row().binary;
    tokio::spawn(async move {
        let reason = receive_all(http, &path, &write, binary, &mut sending).await;
        // Who is gone already does not hear it.
        let _ = write_close(&write, &reason).await;
    });
    Ok(connection(near, subprotocol, limits))
}

/// The protocol and the transport's id, if the router has chosen what it can have chosen.
fn opened(body: &[u8], options: &ConnectOptions) -> Option<(Subprotocol, String)> {
    let Value::Map(entries) = deserialize(Serializer::Json, body).ok()? else {
        return None;
    };
    let text = |wanted: &str| {
        entries.iter().find_map(|(key, value)| match value {
            Value::Text(text) if key == wanted => Some(text.as_str()),
            _ => None,
        })
    };
    let (protocol, id) = (text("protocol")?, text("transport")?);
    let is_offered = options.subprotocols().contains(&protocol);
    let is_path = |id: &str| {
        !id.is_empty()
            && id
                .bytes()
                .all(|it| it.is_ascii_graphic() && !b"/?#".contains(&it))
    };
    let subprotocol = Subprotocol::from_name(protocol).filter(|_| is_offered && is_path(id))?;
    Some((subprotocol, id.to_owned()))
}

/// The session's end, as if its handshake had been made. Frames have no masks.
fn connection(near: MemoryStream, subprotocol: Subprotocol, limits: WebSocketLimits) -> Connection {
    let serializer = subprotocol.serializer;
    let binary = serializer.row().binary;
    let decoder = WebSocketDecoder::client(limits).leaving_text_unchecked();
    let encoder = WebSocketEncoder::server(binary);
    let (decoder, encoder) = match subprotocol.batched {
        false => (decoder.into(), encoder.into()),
        true => (
            BatchedDecoder::new(decoder, binary).into(),
            BatchedEncoder::new(encoder).into(),
        ),
    };
    Connection {
        stream: near.into(),
        decoder,
        encoder,
        serializer,
        received: Vec::new(),
    }
}

/// Polls until the session ends: why it does.
async fn receive_all(
    mut http: Http,
    path: &str,
    write: &WriteHalf,
    binary: bool,
    sending: &mut JoinHandle<String>,
) -> String {
    let path = format!("{path}/receive");
    let opcode = if binary { Opcode::Binary } else { Opcode::Text };
    loop {
        let polled = tokio::select! {
            polled = http.post(&path, Bytes::new()) => polled,
            ended = &mut *sending => return ended.unwrap_or_default(),
        };
        let body = match polled {
            Ok((StatusCode::OK, body)) => body,
            Ok((StatusCode::NO_CONTENT, _)) => continue,
            Ok((status, body)) => return refused(status, &body).to_string(),
            Err(problem) => return problem.to_string(),
        };
        let header = frame_header(opcode, body.len(), None);
        if body.is_empty() {
            continue;
        }
        let written = async {
            write_all(write, header.as_bytes()).await?;
            write_all(write, &body).await
        };
        if written.await.is_err() {
            return String::new();
        }
    }
}

/// Sends what the session writes, until that ends: why it does.
async fn send_all(mut http: Http, path: String, mut read: ReadHalf) -> String {
    let send = format!("{path}/send");
    // What the client itself sends has no limit here.
    let mut decoder = WebSocketDecoder::client(WebSocketLimits {
        message_bytes_max: usize::MAX,
        ..WebSocketLimits::default()
    });
    let mut buffer = Vec::new();
    loop {
        let message = match next_message(&mut read, &mut decoder, &mut buffer).await {
            Some(message) => message,
            None => {
                // A router that cannot be reached any more notices by itself.
                let _ = http.post(&format!("{path}/close"), Bytes::new()).await;
                return String::new();
            }
        };
        match http.post(&send, message).await {
            Ok((status, _)) if status.is_success() => {}
            // What the router has against it, a poll tells better, if it can.
            Ok((status, body)) => return refused(status, &body).to_string(),
            Err(problem) => return problem.to_string(),
        }
    }
}

/// The next message, or batch, of the session; `None` at its end.
async fn next_message(
    read: &mut ReadHalf,
    decoder: &mut WebSocketDecoder,
    buffer: &mut Vec<u8>,
) -> Option<Bytes> {
    loop {
        let next = decoder.next(buffer).ok()?;
        let (consumed, message) = match next.step {
            Step::NeedMore { .. } => (next.consumed, None),
            Step::Message { payload, .. } => (next.consumed, Some(Bytes::copy_from_slice(payload))),
            Step::Ping(_) | Step::Pong(_) => (next.consumed, Some(Bytes::new())),
            Step::Close { .. } => return None,
        };
        buffer.drain(..consumed);
        match message {
            Some(message) if message.is_empty() => continue,
            Some(message) => return Some(message),
            None => {}
        }
        buffer.reserve(READ_BYTES);
        match poll_fn(|cx| read.poll_append(cx, buffer)).await {
            Ok(bytes) if bytes > 0 => {}
            _ => return None,
        }
    }
}

async fn write_close(write: &WriteHalf, reason: &str) -> io::Result<()> {
    let mut close = Vec::new();
    let code = CloseCode::GOING_AWAY;
    WebSocketEncoder::server(true).write_close(Some(code), reason, &mut close);
    write_all(write, &close).await
}

async fn write_all(write: &WriteHalf, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match write.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll_fn(|cx| write.poll_writable(cx)).await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The router did not do as asked.
fn refused(status: StatusCode, body: &[u8]) -> ConnectProblem {
    const CHARS_MAX: usize = 200;
    let text = String::from_utf8_lossy(body);
    let printable = text.chars().filter(|char| !char.is_control());
    ConnectProblem::LongPoll {
        status: status.as_u16(),
        text: printable.take(CHARS_MAX).collect(),
    }
}
