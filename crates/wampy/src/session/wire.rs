//! The connection as its owner sees it: one buffer in, one buffer out.

use std::io;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use wampy_proto::framing::websocket::CloseCode;
use wampy_proto::framing::{Decoder, Encoder, FramingError, Step};
use wampy_proto::{DecodeError, Message, Serializer};
use wampy_transport::{Connection, Stream};

/// How much is read at once of a peer that says little, as most do most of the time.
const READ_BYTES_MIN: usize = 4 << 10;
/// How much is read at once of a peer that has always more to say.
const READ_BYTES_MAX: usize = 64 << 10;
/// The largest buffer that is kept when it is empty.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// What was read and is not consumed yet.
#[derive(Debug)]
pub(crate) struct Inbox {
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// How much is read at once: four times as much after each read that fills the room.
    read_bytes: usize,
}

impl Inbox {
    fn from_received(received: Vec<u8>) -> Self {
        Self {
            start: 0,
            end: received.len(),
            buf: received,
            read_bytes: READ_BYTES_MIN,
        }
    }

    fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Makes room at the end: the rest of a message moves to the front, and the buffer grows with
    /// what has really arrived, not with what a frame's header promises.
    fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buf.len() > KEPT_BYTES_MAX {
                self.buf = Vec::new();
            }
        }
        if self.buf.len() - self.end < self.read_bytes / 2 {
            self.buf.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let wanted = (self.end + self.read_bytes).max(self.end * 2);
            if self.buf.len() < wanted {
                self.buf.reserve_exact(wanted - self.buf.len());
                self.buf.resize(wanted, 0);
            }
        }
        &mut self.buf[self.end..]
    }

    /// Notes that so much was read into the room.
    fn filled(&mut self, read: usize) {
        self.end += read;
        if self.end == self.buf.len() {
            self.read_bytes = (self.read_bytes * 4).min(READ_BYTES_MAX);
        }
    }

    /// Whether there is no memory, because nothing was read since the peer fell silent.
    fn is_at_rest(&self) -> bool {
        self.buf.is_empty()
    }

    /// Gives the memory back, if nothing is in it.
    fn rest(&mut self) {
        if self.start == self.end {
            *self = Self::from_received(Vec::new());
        }
    }
}

/// What is on its way to the socket.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
    written: usize,
    unflushed: bool,
}

/// A connection after its handshake.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    decoder: Decoder,
    pub(crate) encoder: Encoder,
    inbox: Inbox,
    pub(crate) outgoing: Outgoing,
    /// A close frame was appended, so nothing may follow.
    closed: bool,
}

impl Wire {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            stream: connection.stream,
            decoder: connection.decoder,
            encoder: connection.encoder,
            inbox: Inbox::from_received(connection.received),
            outgoing: Outgoing::default(),
            closed: false,
        }
    }

    /// Reads what the socket has; 0 bytes mean that the peer has closed.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.inbox.is_at_rest() {
            return self.poll_first_read(cx);
        }
        let mut buf = ReadBuf::new(self.inbox.room());
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let read = buf.filled().len();
        self.inbox.filled(read);
        Poll::Ready(Ok(read))
    }

    /// Reads on the stack, so that who waits for a silent peer holds no buffer.
    fn poll_first_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut first = [MaybeUninit::uninit(); READ_BYTES_MIN];
        let mut buf = ReadBuf::uninit(&mut first);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let read = buf.filled();
        if !read.is_empty() {
            self.inbox.room()[..read.len()].copy_from_slice(read);
            self.inbox.filled(read.len());
        }
        Poll::Ready(Ok(read.len()))
    }

    /// Gives the memory of both buffers back, as far as they are empty: the peer has been silent.
    pub(crate) fn rest(&mut self) {
        self.inbox.rest();
        if self.outgoing.bytes.is_empty() {
            self.outgoing.bytes = Vec::new();
        }
    }

    /// Writes what is outgoing; ready when all of it has left.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outgoing = &mut self.outgoing;
        while outgoing.written < outgoing.bytes.len() {
            let rest = &outgoing.bytes[outgoing.written..];
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => outgoing.written += written,
            }
            outgoing.unflushed = true;
        }
        if outgoing.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            outgoing.unflushed = false;
        }
        if outgoing.bytes.capacity() > KEPT_BYTES_MAX {
            outgoing.bytes = Vec::new();
        }
        outgoing.bytes.clear();
        outgoing.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Writes what is outgoing, then says that nothing follows, and waits until the peer has
    /// closed too, so that it surely reads the last bytes.
    pub(crate) async fn shut_down(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.poll_write(cx)).await?;
        std::future::poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?;
        loop {
            self.inbox.clear();
            if std::future::poll_fn(|cx| self.poll_read(cx)).await? == 0 {
                return Ok(());
            }
        }
    }
}

/// Why no further frame is read.
#[derive(Debug)]
pub(crate) enum Stop<E> {
    /// The messages said so.
    Messages(E),
    /// The peer has closed the WebSocket.
    Closed(String),
    /// The peer broke the rules of the framing.
    Framing(String),
}

impl Wire {
    /// Hands each message that is complete to `handle`, and answers pings.
    pub(crate) fn receive<E>(
        &mut self,
        serializer: Serializer,
        mut handle: impl FnMut(Result<Message<'_>, DecodeError>) -> ControlFlow<E>,
    ) -> ControlFlow<Stop<E>> {
        let binary = serializer.row().binary;
        // Whether a text is UTF-8 the decoder leaves to the reader of JSON, who says only that it is bad.
        let is_text = !binary && !matches!(self.decoder, Decoder::RawSocket(_));
        loop {
            let next = match self
                .decoder
                .next(&mut self.inbox.buf[self.inbox.start..self.inbox.end])
            {
                Ok(next) => next,
                Err(error) => return ControlFlow::Break(self.fail(&error)),
            };
            self.inbox.start += next.consumed;
            match next.step {
                Step::NeedMore { .. } => return ControlFlow::Continue(()),
                Step::Message {
                    payload,
                    binary: is_binary,
                } => {
                    let message = match is_binary == binary {
                        true => Message::decode(serializer, payload),
                        false => Err(wrong_kind(is_binary)),
                    };
                    if message.is_err() && is_text && std::str::from_utf8(payload).is_err() {
                        return ControlFlow::Break(self.fail(&FramingError::InvalidUtf8));
                    }
                    if let ControlFlow::Break(end) = handle(message) {
                        return ControlFlow::Break(Stop::Messages(end));
                    }
                }
                // A RawSocket peer that pings with more than it takes itself cannot be answered.
                Step::Ping(payload) => {
                    _ = self.encoder.write_pong(payload, &mut self.outgoing.bytes);
                }
                Step::Pong(_) => {}
                Step::Close { code, reason } => {
                    let text = close_text(code, reason);
                    self.encoder.write_close(code, "", &mut self.outgoing.bytes);
                    self.closed = true;
                    return ControlFlow::Break(Stop::Closed(text));
                }
            }
        }
    }

    /// The peer broke the rules of the framing: says so to it.
    #[cold]
    fn fail<E>(&mut self, error: &FramingError) -> Stop<E> {
        let text = error.to_string();
        self.encoder
            .write_close(Some(error.close_code()), &text, &mut self.outgoing.bytes);
        self.closed = true;
        Stop::Framing(text)
    }

    /// Appends a close frame, unless the framing has none or one was appended already.
    pub(crate) fn close(&mut self, code: CloseCode) {
        if !self.closed {
            self.encoder
                .write_close(Some(code), "", &mut self.outgoing.bytes);
            self.closed = true;
        }
    }

    /// Appends a message that the owner itself sends.
    pub(crate) fn push(&mut self, serializer: Serializer, message: &Message<'_>) {
        let outgoing = &mut self.outgoing.bytes;
        let mark = self.encoder.begin_message(outgoing, 0);
        // HELLO, GOODBYE and ABORT always have a form; one that is too long for the peer is not
        // sent, and the connection closes without.
        match message.encode(serializer, outgoing) {
            Ok(()) => _ = self.encoder.finish_message(mark, outgoing),
            Err(_) => mark.roll_back(outgoing),
        }
    }
}

fn wrong_kind(is_binary: bool) -> DecodeError {
    let problem = match is_binary {
        true => "a binary message, but the subprotocol's messages are text",
        false => "a text message, but the subprotocol's messages are binary",
    };
    DecodeError {
        problem: problem.into(),
        offset: 0,
    }
}

fn close_text(code: Option<CloseCode>, reason: &str) -> String {
    match (code, reason) {
        (None, _) => "the router closed the WebSocket".to_owned(),
        (Some(code), "") => format!("the router closed the WebSocket with code {code}"),
        (Some(code), reason) => {
            format!("the router closed the WebSocket with code {code}: {reason}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads as much as a socket has that never runs dry.
    fn fill(inbox: &mut Inbox) -> usize {
        let room = inbox.room().len();
        inbox.filled(room);
        room
    }

    #[test]
    fn a_peer_that_says_little_takes_little_memory() {
        let mut inbox = Inbox::from_received(Vec::new());
        for _ in 0..100 {
            assert!(inbox.room().len() <= READ_BYTES_MIN);
            inbox.filled(READ_BYTES_MIN / 2 - 1);
            inbox.start = inbox.end;
        }
        assert!(inbox.buf.capacity() <= READ_BYTES_MIN);
    }

    #[test]
    fn reads_grow_while_they_fill_the_room_and_shrink_at_rest() {
        let mut inbox = Inbox::from_received(Vec::new());
        let mut reads = Vec::new();
        for _ in 0..4 {
            reads.push(fill(&mut inbox));
            inbox.start = inbox.end;
        }
        assert_eq!(reads, [4 << 10, 16 << 10, 64 << 10, 64 << 10]);
        inbox.rest();
        assert_eq!(inbox.buf.capacity(), 0);
        assert_eq!(fill(&mut inbox), READ_BYTES_MIN);
    }

    #[test]
    fn a_large_message_takes_few_reads_and_half_a_message_is_kept() {
        let mut inbox = Inbox::from_received(b"begun".to_vec());
        inbox.rest();
        let mut reads = 0;
        while inbox.end < 1 << 20 {
            fill(&mut inbox);
            reads += 1;
        }
        assert_eq!(&inbox.buf[..5], b"begun");
        assert!(reads <= 9, "{reads} reads");
    }
}
