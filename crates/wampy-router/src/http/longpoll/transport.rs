//! One long-poll transport: the far end of a session's stream, and who polls it.

use std::future::poll_fn;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::{Notify, watch};
use wampy_proto::framing::Step;
use wampy_proto::framing::websocket::{
    Opcode, Subprotocol, WebSocketDecoder, WebSocketLimits, frame_header,
};
use wampy_transport::{MemoryStream, ReadHalf, Stream, WriteHalf};

/// How many random bytes an id has: nobody can guess another's.
const ID_BYTES: usize = 24;
/// How much is read from the session at once.
const READ_BYTES: usize = 16 << 10;
/// The largest buffer that is kept between two polls.
const KEPT_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Transport {
    id: Box<str>,
    subprotocol: Subprotocol,
    write: WriteHalf,
    /// Whose turn it is to write a frame, and what is left of the one before.
    writing: tokio::sync::Mutex<Rest>,
    /// Whose turn it is to read frames.
    reading: tokio::sync::Mutex<Reader>,
    /// The number of the latest poll, which is the one that counts.
    latest: watch::Sender<u64>,
    activity: Mutex<Activity>,
    /// Nothing is left to be polled.
    drained: Notify,
}

/// When this was polled.
#[derive(Debug)]
struct Activity {
    polls: usize,
    /// When the last poll ended.
    since: Instant,
    /// The client has closed the transport.
    is_closed: bool,
}

/// What a poll ends with.
pub(super) enum Polling {
    /// One message, or a batch.
    Messages(Vec<u8>),
    /// Nothing, for now.
    Nothing,
    /// The session has ended, for a reason that may be empty.
    Over(Box<str>),
}

/// What the session has not taken yet of a frame that was begun. Whoever sends it may be gone at any
/// time: then it stands before the next frame, which would be taken for a part of it otherwise.
#[derive(Debug, Default)]
struct Rest {
    bytes: Vec<u8>,
    written: usize,
}

/// From the session's frames to bodies.
#[derive(Debug)]
struct Reader {
    read: ReadHalf,
    decoder: WebSocketDecoder,
    buffer: Vec<u8>,
    is_batched: bool,
    over: Option<Box<str>>,
}

/// A poll under way.
struct Presence<'a>(&'a Transport);

impl<'a> Presence<'a> {
    fn new(transport: &'a Transport) -> Self {
        transport.activity().polls += 1;
        Self(transport)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        let mut activity = self.0.activity();
        activity.polls -= 1;
        activity.since = Instant::now();
    }
}

impl Transport {
    /// A transport over `far`, the end of a stream whose other one a session has.
    pub(super) fn new(subprotocol: Subprotocol, far: MemoryStream) -> Self {
        let (read, write) = Stream::from(far).into_halves();
        // What the router sends is within its own limits.
        let limits = WebSocketLimits {
            message_bytes_max: usize::MAX,
            fragments_max: 1,
        };
        let reader = Reader {
            read,
            decoder: WebSocketDecoder::client(limits).leaving_text_unchecked(),
            buffer: Vec::new(),
            is_batched: subprotocol.batched,
            over: None,
        };
        Self {
            id: URL_SAFE_NO_PAD
                .encode(rand::random::<[u8; ID_BYTES]>())
                .into(),
            subprotocol,
            write,
            writing: tokio::sync::Mutex::default(),
            reading: tokio::sync::Mutex::new(reader),
            latest: watch::Sender::new(0),
            activity: Mutex::new(Activity {
                polls: 0,
                since: Instant::now(),
                is_closed: false,
            }),
            drained: Notify::new(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn subprotocol(&self) -> Subprotocol {
        self.subprotocol
    }

    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for messages: at most for `patience`, and until somebody else polls. A body of a batch
    /// has about `bytes_max`.
    pub(super) async fn poll(&self, patience: Duration, bytes_max: usize) -> Polling {
        let _presence = Presence::new(self);
        let mut number = 0;
        self.latest.send_modify(|latest| {
            *latest += 1;
            number = *latest;
        });
        let mut latest = self.latest.subscribe();
        let messages = async {
            let mut reader = self.reading.lock().await;
            poll_fn(|cx| reader.poll_body(cx, bytes_max)).await
        };
        let superseded = async { latest.wait_for(|it| *it != number).await.is_ok() };
        let polling = tokio::select! {
            polling = messages => polling,
            _ = superseded => Polling::Nothing,
            () = tokio::time::sleep(patience) => Polling::Nothing,
        };
        if let Polling::Over(_) = polling {
            self.drained.notify_one();
            if self.activity().is_closed {
                return Polling::Nothing;
            }
        }
        polling
    }

    /// Gives the session a message, or a batch. Nothing is torn if this is given up while it waits:
    /// then the session gets all of it, or nothing.
    ///
    /// # Errors
    /// The session is over.
    pub(super) async fn send(&self, body: &[u8]) -> io::Result<()> {
        let mut rest = self.writing.lock().await;
        self.write_rest(&mut rest).await?;
        let opcode = match self.subprotocol.serializer.row().binary {
            true => Opcode::Binary,
            false => Opcode::Text,
        };
        let header = frame_header(opcode, body.len(), None);
        for part in [header.as_bytes(), body] {
            let written = match rest.bytes.is_empty() {
                true => self.try_write(part)?,
                false => 0,
            };
            rest.bytes.extend_from_slice(&part[written..]);
        }
        self.write_rest(&mut rest).await
    }

    async fn write_rest(&self, rest: &mut Rest) -> io::Result<()> {
        while rest.written < rest.bytes.len() {
            match self.try_write(&rest.bytes[rest.written..])? {
                0 => poll_fn(|cx| self.write.poll_writable(cx)).await?,
                written => rest.written += written,
            }
        }
        *rest = Rest::default();
        Ok(())
    }

    /// Writes as much as the session takes, maybe nothing.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.write.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    /// The client is gone: the session ends.
    pub(crate) fn close(&self) {
        self.activity().is_closed = true;
        self.write.shut_down();
        self.drained.notify_one();
    }

    /// Waits until nobody has polled for `timeout`.
    pub(crate) async fn expired(&self, timeout: Duration) {
        loop {
            let idle = {
                let activity = self.activity();
                match activity.polls {
                    0 => activity.since.elapsed(),
                    _ => Duration::ZERO,
                }
            };
            match timeout.checked_sub(idle) {
                None | Some(Duration::ZERO) => return,
                Some(left) => tokio::time::sleep(left).await,
            }
        }
    }

    /// Waits until the client has got everything, the end of the session included.
    pub(crate) async fn drained(&self) {
        self.drained.notified().await;
    }
}

impl Reader {
    /// The next body. Nothing is lost if this is given up while it is pending.
    fn poll_body(&mut self, cx: &mut Context<'_>, bytes_max: usize) -> Poll<Polling> {
        let mut body = Vec::new();
        loop {
            self.take_messages(&mut body, bytes_max);
            let is_enough = !self.is_batched || body.len() >= bytes_max;
            if !body.is_empty() && is_enough {
                return Poll::Ready(Polling::Messages(body));
            }
            if let Some(reason) = &self.over {
                return Poll::Ready(match body.is_empty() {
                    true => Polling::Over(reason.clone()),
                    false => Polling::Messages(body),
                });
            }
            match self.poll_more(cx) {
                Poll::Ready(()) => {}
                Poll::Pending if body.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Polling::Messages(body)),
            }
        }
    }

    /// Takes the messages that are complete in the buffer, as many as fit one body.
    fn take_messages(&mut self, body: &mut Vec<u8>, bytes_max: usize) {
        let mut at = 0;
        while self.over.is_none() && body.len() < bytes_max {
            let next = match self.decoder.next(&mut self.buffer[at..]) {
                Ok(next) => next,
                // Not reached: these frames are the router's own.
                Err(error) => {
                    self.over = Some(error.to_string().into());
                    break;
                }
            };
            at += next.consumed;
            match next.step {
                Step::NeedMore { .. } => break,
                Step::Message { payload, .. } => {
                    body.extend_from_slice(payload);
                    if !self.is_batched {
                        break;
                    }
                }
                Step::Close { reason, .. } => self.over = Some(reason.into()),
                Step::Ping(_) | Step::Pong(_) => {}
            }
        }
        self.buffer.drain(..at);
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BYTES_MAX {
            self.buffer = Vec::new();
        }
    }

    /// Reads more of what the session sends.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.buffer.reserve(READ_BYTES);
        match ready!(self.read.poll_append(cx, &mut self.buffer)) {
            Ok(read) if read > 0 => {}
            _ => self.over = Some(Box::default()),
        }
        Poll::Ready(())
    }
}
