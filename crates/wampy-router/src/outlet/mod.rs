//! What waits to be written to one connection, and who writes it.
//!
//! Whoever routes a message to a session appends its frame here, in the receiver's serializer and
//! framing, and afterwards flushes: the bytes go to the socket at once, from the task that routed,
//! unless somebody else is writing (that one takes them along) or the socket is full (then the
//! connection's own task, the owner, waits for it). So the order of the bytes is the order in which
//! they were appended.
//!
//! Where batches were agreed upon, messages that are flushed together share frames ([`batch`]).
//!
//! An event is encoded once for all its receivers, and then copied into the buffer of each; only
//! large payloads are shared ([`chain`]).

mod batch;
mod chain;
mod held;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use wampy_proto::framing::websocket::CloseCode;
use wampy_proto::framing::websocket::batched::{OpenBatch, SEPARATOR};
use wampy_proto::framing::{Encoder, FrameFormat};
use wampy_proto::{Message, Serializer};
use wampy_realm::SendError;
use wampy_transport::WriteHalf;

use crate::backlog::{Backlog, Part};
use crate::large_frame::LargeFrame;
use chain::Chain;

/// How often one flush takes up what was appended meanwhile, before it leaves that to the owner.
const ROUNDS_MAX: usize = 4;

/// From how many waiting bytes on a flush is not put off.
const MUCH_BYTES: usize = 64 << 10;
/// From how many waiting messages on a flush is not put off: the receiver can begin with them while
/// more are routed.
const MANY_MESSAGES: u32 = 128;

/// What the owner of an outlet has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Signal {
    /// Bytes are left that only the owner can write.
    Unwritten = 1,
    /// The session did not read and was taken from its realm.
    CutOff = 2,
    /// The socket failed.
    Lost = 4,
    /// The realm has ended the session; GOODBYE is on its way.
    Ended = 8,
    /// The router shuts down.
    ShutDown = 16,
}

/// What appending did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// The bytes wait for a flush that the caller has to see to.
    Flush,
    /// The same, and so many wait that it should not take long.
    FlushAtOnce,
    /// The bytes wait, and somebody else will flush; or nobody wants them any more.
    Done,
    /// The session would need more bytes than it may have waiting: it must leave its realm.
    Overflow,
}

impl Appended {
    /// Whether a flush must follow.
    pub(crate) const fn wants_flush(self) -> bool {
        matches!(self, Self::Flush | Self::FlushAtOnce)
    }
}

#[derive(Debug)]
pub(crate) struct Outlet {
    socket: WriteHalf,
    encoder: Encoder,
    /// The format of frames that can be shared with others.
    format: Option<FrameFormat>,
    is_batched: bool,
    serializer: Serializer,
    bytes_max: usize,
    queue: Mutex<Queue>,
    signals: AtomicU8,
    /// What follows each JSON message of a batch.
    separator: AtomicU8,
    owner: AtomicWaker,
}

#[derive(Debug)]
struct Queue {
    /// Frames that nobody has begun to write.
    pending: Chain,
    /// What somebody has begun to write.
    unsent: Chain,
    /// The batch at the end of what nobody has begun to write, while messages may join it.
    batch: OpenBatch,
    /// How many bytes wait, those that a writer has taken out of here included.
    bytes: usize,
    /// How many messages nobody has begun to write.
    pending_messages: u32,
    /// How long the last frame was: a guess for the next one, which spares moving its payload.
    last_frame_bytes: usize,
    /// All bytes that the socket ever took.
    sent_bytes: u64,
    /// What is counted of this in the router's backlog, which it is while the socket is full.
    part: Part,
    /// Whether somebody will flush.
    is_scheduled: bool,
    /// Whether somebody writes right now.
    is_writing: bool,
    /// Whether only the owner may go on writing.
    is_blocked: bool,
    /// Whether nothing more is taken.
    is_sealed: bool,
}

impl Queue {
    fn new(backlog: &Arc<Backlog>) -> Self {
        Self {
            pending: Chain::default(),
            unsent: Chain::default(),
            batch: OpenBatch::default(),
            bytes: 0,
            pending_messages: 0,
            last_frame_bytes: 0,
            sent_bytes: 0,
            part: Part::new(backlog),
            is_scheduled: false,
            is_writing: false,
            is_blocked: false,
            is_sealed: false,
        }
    }

    /// Whether as much may wait as does: for this session, and for all together.
    fn is_within(&mut self, bytes_max: usize) -> bool {
        let bytes = self.bytes;
        bytes <= bytes_max && (!self.is_blocked || self.part.set(bytes))
    }

    fn clear(&mut self) {
        self.pending = Chain::default();
        self.unsent = Chain::default();
        self.batch = OpenBatch::default();
        self.bytes = 0;
        self.part.set(0);
    }

    fn seal(&mut self) {
        self.is_sealed = true;
    }
}

impl Outlet {
    pub(crate) fn new(
        socket: WriteHalf,
        encoder: Encoder,
        serializer: Serializer,
        bytes_max: usize,
        backlog: &Arc<Backlog>,
    ) -> Self {
        Self {
            socket,
            format: encoder.format(),
            is_batched: encoder.batched().is_some(),
            encoder,
            serializer,
            bytes_max,
            queue: Mutex::new(Queue::new(backlog)),
            signals: AtomicU8::new(0),
            separator: AtomicU8::new(SEPARATOR),
            owner: AtomicWaker::new(),
        }
    }

    pub(crate) fn serializer(&self) -> Serializer {
        self.serializer
    }

    /// The format of frames that can be shared with others.
    pub(crate) fn format(&self) -> Option<FrameFormat> {
        self.format
    }

    /// Lets `separator` follow each JSON message of a batch, as the peer does it itself.
    pub(crate) fn separate_by(&self, separator: u8) {
        self.separator.store(separator, Ordering::Relaxed);
    }

    fn separator(&self) -> u8 {
        self.separator.load(Ordering::Relaxed)
    }

    #[inline]
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock()
    }

    /// Appends a message.
    #[inline]
    pub(crate) fn append(&self, message: &Message<'_>) -> Result<Appended, SendError> {
        self.append_message(&mut self.queue(), message)
    }

    #[inline]
    fn append_message(
        &self,
        queue: &mut Queue,
        message: &Message<'_>,
    ) -> Result<Appended, SendError> {
        if self.is_batched {
            return self.append_to_batch(queue, message);
        }
        self.append_to_queue(queue, |chain, _, hint| {
            let out = chain.own();
            let start = out.len();
            let mark = self.encoder.begin_message(out, hint);
            if let Err(error) = message.encode(self.serializer, out) {
                mark.roll_back(out);
                return Err(error.into());
            }
            match self.encoder.finish_message(mark, out) {
                Ok(()) => Ok(out.len() - start),
                Err(_) => Err(SendError::TooLong),
            }
        })
    }

    /// Appends a frame that was encoded for all receivers of this serializer and framing.
    #[inline]
    pub(crate) fn append_encoded(
        &self,
        frame: &Bytes,
        message_bytes: usize,
    ) -> Result<Appended, SendError> {
        if message_bytes > self.encoder.message_bytes_max() || frame.len() > self.bytes_max {
            return Err(SendError::TooLong);
        }
        if self.is_batched {
            return self.append_encoded_to_batch(frame);
        }
        self.append_to_queue(&mut self.queue(), |chain, _, _| {
            chain.push_frame(frame);
            Ok(frame.len())
        })
    }

    /// Appends a frame whose large payload is shared.
    pub(crate) fn append_large(&self, large: &LargeFrame) -> Result<Appended, SendError> {
        let is_too_long = large.message_bytes() > self.encoder.message_bytes_max()
            || large.frame_bytes() > self.bytes_max;
        if is_too_long {
            return Err(SendError::TooLong);
        }
        if self.is_batched {
            return self.append_large_to_batch(large);
        }
        self.append_to_queue(&mut self.queue(), |chain, _, _| {
            let (head, tail) = large.around();
            chain.own().extend_from_slice(head);
            chain.push_shared(large.payload().clone());
            chain.own().extend_from_slice(tail);
            Ok(large.frame_bytes())
        })
    }

    /// Appends a ping or a pong. One that is too long for the peer is left out: a peer that pings
    /// with more than it takes cannot be answered.
    pub(crate) fn append_control(&self, is_ping: bool, payload: &[u8]) -> Appended {
        let appended = self.append_to_queue(&mut self.queue(), |chain, batch, _| {
            if batch.is_open() {
                self.finish_batch(chain, batch);
            }
            let own = chain.own();
            let start = own.len();
            match is_ping {
                true => self.encoder.write_ping(payload, own)?,
                false => self.encoder.write_pong(payload, own)?,
            }
            Ok(own.len() - start)
        });
        appended.unwrap_or(Appended::Done)
    }

    /// Appends what `write` does, given how long the last frame was; it tells how many bytes.
    #[inline]
    fn append_to_queue(
        &self,
        queue: &mut Queue,
        write: impl FnOnce(&mut Chain, &mut OpenBatch, usize) -> Result<usize, SendError>,
    ) -> Result<Appended, SendError> {
        if queue.is_sealed {
            return Ok(Appended::Done);
        }
        let hint = queue.last_frame_bytes;
        let frame_bytes = write(&mut queue.pending, &mut queue.batch, hint)?;
        let start = queue.bytes;
        queue.last_frame_bytes = frame_bytes;
        queue.bytes += frame_bytes;
        if !queue.is_within(self.bytes_max) {
            return self.overflow(queue);
        }
        if queue.is_writing || queue.is_blocked {
            return Ok(Appended::Done);
        }
        let was_scheduled = std::mem::replace(&mut queue.is_scheduled, true);
        queue.pending_messages += 1;
        let has_become_much = start < MUCH_BYTES && queue.bytes >= MUCH_BYTES
            || queue.pending_messages == MANY_MESSAGES;
        Ok(match (has_become_much, was_scheduled) {
            (true, _) => Appended::FlushAtOnce,
            (false, false) => Appended::Flush,
            (false, true) => Appended::Done,
        })
    }

    #[cold]
    fn overflow(&self, queue: &mut Queue) -> Result<Appended, SendError> {
        let last = queue.last_frame_bytes;
        if last > self.bytes_max {
            let own = queue.pending.own();
            let left = own.len() - last;
            own.truncate(left);
            queue.batch.cut(left);
            queue.bytes -= last;
            return Err(SendError::TooLong);
        }
        queue.seal();
        queue.clear();
        self.signal(Signal::CutOff);
        Ok(Appended::Overflow)
    }

    /// Appends the last message and takes no more.
    pub(crate) fn append_last(&self, message: &Message<'_>) {
        // Messages that end a session have no payload that could fail to be encoded, and are short.
        let _ = self.append(message);
        self.queue().seal();
    }

    /// Appends the end of the connection as its framing says it, and takes no more.
    pub(crate) fn append_close(&self, code: Option<CloseCode>, reason: &str) {
        let mut guard = self.queue();
        let queue = &mut *guard;
        if queue.batch.is_open() {
            self.finish_batch(&mut queue.pending, &mut queue.batch);
        }
        let own = queue.pending.own();
        let start = own.len();
        self.encoder.write_close(code, reason, own);
        let written = own.len() - start;
        queue.bytes += written;
        queue.seal();
    }

    /// Throws away what waits, and takes no more.
    pub(crate) fn discard(&self) {
        let mut queue = self.queue();
        queue.seal();
        queue.clear();
    }

    /// Writes what waits, as far as the socket takes it now and nobody else is writing.
    pub(crate) fn flush(&self) {
        let mut queue = self.queue();
        queue.is_scheduled = false;
        if queue.is_writing || queue.is_blocked {
            return;
        }
        for _ in 0..ROUNDS_MAX {
            let mut unsent = if !queue.unsent.is_empty() {
                std::mem::take(&mut queue.unsent)
            } else if !queue.pending.is_empty() {
                queue.pending_messages = 0;
                let queue = &mut *queue;
                if queue.batch.is_open() {
                    self.finish_batch(&mut queue.pending, &mut queue.batch);
                }
                std::mem::take(&mut queue.pending)
            } else {
                return;
            };
            let unsent_bytes = unsent.len();
            queue.is_writing = true;
            drop(queue);
            // TLS may have taken bytes that the socket has not.
            let outcome = unsent
                .write_to(&self.socket)
                .and_then(|()| self.socket.try_flush());
            queue = self.queue();
            queue.is_writing = false;
            let left_bytes = if outcome.is_ok() { 0 } else { unsent.len() };
            queue.bytes = queue.pending.len() + left_bytes;
            queue.sent_bytes += (unsent_bytes - left_bytes) as u64;
            match outcome {
                Ok(()) => unsent.give_back(),
                Err(error) => {
                    queue.unsent = unsent;
                    return self.unwritten(queue, &error);
                }
            }
        }
        if !queue.pending.is_empty() {
            self.unwritten(queue, &io::ErrorKind::WouldBlock.into());
        }
    }

    fn unwritten(&self, mut queue: MutexGuard<'_, Queue>, error: &io::Error) {
        queue.is_blocked = true;
        // Too much or not: only a session that needs more has to go.
        let waiting = queue.bytes;
        queue.part.set(waiting);
        let signal = if error.kind() == io::ErrorKind::WouldBlock {
            Signal::Unwritten
        } else {
            queue.seal();
            queue.clear();
            Signal::Lost
        };
        drop(queue);
        self.signal(signal);
    }

    /// Tells the owner something.
    pub(crate) fn signal(&self, signal: Signal) {
        self.signals.fetch_or(signal as u8, Ordering::AcqRel);
        self.owner.wake();
    }

    /// Makes the task of `cx` the owner: it is woken by signals.
    pub(crate) fn register_owner(&self, cx: &Context<'_>) {
        self.owner.register(cx.waker());
    }

    /// Whether the owner has been told `signal`.
    #[inline]
    pub(crate) fn has(&self, signal: Signal) -> bool {
        self.signals.load(Ordering::Acquire) & signal as u8 != 0
    }

    /// Whether the owner has been told anything.
    #[inline]
    pub(crate) fn has_signals(&self) -> bool {
        self.signals.load(Ordering::Acquire) != 0
    }

    /// Takes back `signal`, so that it counts only once.
    pub(crate) fn take(&self, signal: Signal) -> bool {
        self.signals.fetch_and(!(signal as u8), Ordering::AcqRel) & signal as u8 != 0
    }

    /// The owner's part: writes what others could not, and waits for the socket. Ready when nothing
    /// is left for the owner.
    pub(crate) fn poll_unwritten(&self, cx: &mut Context<'_>) -> Poll<()> {
        while self.has(Signal::Unwritten) {
            match self.socket.poll_writable(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => {
                    self.signal(Signal::Lost);
                    return Poll::Ready(());
                }
                Poll::Ready(Ok(())) => {
                    let mut queue = self.queue();
                    queue.is_blocked = false;
                    queue.part.set(0);
                    self.signals
                        .fetch_and(!(Signal::Unwritten as u8), Ordering::AcqRel);
                    drop(queue);
                    self.flush();
                }
            }
        }
        Poll::Ready(())
    }

    /// Waits until all is written, or the socket has failed. For the owner.
    pub(crate) fn poll_empty(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.register_owner(cx);
        self.flush();
        match self.poll_unwritten(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) if self.has(Signal::Lost) || self.has(Signal::CutOff) => {
                Poll::Ready(())
            }
            Poll::Ready(()) if self.waiting_bytes() == 0 => Poll::Ready(()),
            Poll::Ready(()) => {
                // Another task is writing; it takes everything along or hands it over.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// How many bytes wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.queue().bytes
    }

    /// How many bytes the socket has taken so far.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.queue().sent_bytes
    }

    /// Tells the peer that nothing more comes.
    pub(crate) fn shut_down(&self) {
        self.socket.shut_down();
    }
}
