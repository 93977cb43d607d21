//! From a peer's bytes to routed messages.
//!
//! One read takes all that the socket has. Its frames are found first, then decoded, then routed in
//! one go. Frames that hold anything but requests of an established session (HELLO, GOODBYE) stop a
//! batch: what came behind them waits until they are dealt with.

use std::collections::VecDeque;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use smallvec::SmallVec;
use wampy_proto::framing::websocket::CloseCode;
use wampy_proto::framing::{Decoder, FramingError, Step};
use wampy_proto::message::{Abort, Authenticate, Hello, Message};
use wampy_proto::session::accepting::Accepted;
use wampy_proto::{DecodeError, Serializer, error_uri};
use wampy_transport::Framing;

use super::closing::End;
use super::{Connection, Event};
use crate::buffers::{place_in, with_read_buffer};
use crate::outlet::Outlet;

/// How many reads are done before other tasks have their turn.
const READS_PER_POLL: usize = 4;

/// A message of which more than this is to come, or has come, is read to where it will stay.
const LARGE_BYTES: usize = 32 << 10;

/// How much memory is taken at least for such a message.
const LARGE_BYTES_AT_ONCE: usize = 64 << 10;

/// How much memory is taken at once for a large message of which less has come.
const LARGE_BYTES_TRUSTED: usize = 4 << 20;

/// How many messages of a batch need no memory of their own.
const REQUESTS_INLINE: usize = 8;

/// Where the messages of a batch are.
type Found = SmallVec<[Range<usize>; 16]>;

/// What has come in and is not done.
pub(super) struct Inbound {
    decoder: Decoder,
    serializer: Serializer,
    /// The bytes of a frame that is not complete, or of frames that nobody has looked at.
    rest: Vec<u8>,
    /// How long `rest` must be before looking at it makes sense.
    rest_bytes_wanted: usize,
    /// Messages that came behind one that stopped their batch.
    stopped: VecDeque<Vec<u8>>,
    /// What came behind these.
    stopped_by: Option<Stop>,
}

/// Why no further message was found.
enum Stop {
    /// The next frame is not complete.
    NeedMore,
    /// As many messages as one batch may have.
    BatchFull,
    /// A message that came in fragments; it is not in the buffer.
    Assembled(Vec<u8>),
    WrongKind,
    /// A message that is too large for a client without a session has begun.
    TooLarge,
    Close(Option<CloseCode>),
    Framing(FramingError),
}

/// Whether there is more to do with what was read.
enum After {
    More,
    Done(Option<Event>),
}

/// What a message turned out to be.
enum Understood<'a> {
    Request(Message<'a>),
    Nothing,
    Event(Event),
}

impl Inbound {
    /// Begins with bytes that came behind the transport's handshake.
    pub(super) fn new(decoder: Decoder, serializer: Serializer, received: Vec<u8>) -> Self {
        Self {
            decoder,
            serializer,
            rest: received,
            rest_bytes_wanted: 0,
            stopped: VecDeque::new(),
            stopped_by: None,
        }
    }

    /// What follows each message in the batches of the peer, if it sends JSON in batches.
    pub(super) fn batch_separator(&self) -> Option<u8> {
        match &self.decoder {
            Decoder::Batched(decoder) => Some(decoder.separator()),
            Decoder::WebSocket(_) | Decoder::RawSocket(_) => None,
        }
    }

    /// Whether something can be done without reading.
    fn has_unfinished(&self) -> bool {
        !self.stopped.is_empty()
            || self.stopped_by.is_some()
            || self.decoder.holds_message()
            || (!self.rest.is_empty() && self.rest_bytes_wanted <= self.rest.len())
    }

    /// Finds the messages at the front of `bytes`, at most `messages_max`: their ranges, how many
    /// bytes were used up, and what stopped the search. Pings are answered on the way.
    fn find_messages(
        &mut self,
        bytes: &mut [u8],
        messages_max: usize,
        found: &mut Found,
        outlet: &Outlet,
    ) -> (usize, Stop) {
        let binary = self.serializer.row().binary;
        let mut at = 0;
        while found.len() < messages_max {
            let address = bytes[at..].as_ptr() as usize;
            let unread = bytes.len() - at;
            let next = match self.decoder.next(&mut bytes[at..]) {
                Ok(next) => next,
                Err(error) => return (at, Stop::Framing(error)),
            };
            let start = at;
            at += next.consumed;
            match next.step {
                Step::NeedMore { frame_bytes } => {
                    self.rest_bytes_wanted = frame_bytes;
                    return (at, Stop::NeedMore);
                }
                Step::Message { binary: kind, .. } if kind != binary => {
                    return (at, Stop::WrongKind);
                }
                Step::Message { payload, .. } => {
                    // A message in one frame is a part of `bytes`, an assembled one is not.
                    let Some(place) = place_in(address, unread, payload) else {
                        return (at, Stop::Assembled(payload.to_vec()));
                    };
                    found.push(start + place.start..start + place.end);
                }
                Step::Ping(payload) => {
                    if outlet.append_control(false, payload).wants_flush() {
                        outlet.flush();
                    }
                }
                Step::Pong(_) => {}
                Step::Close { code, .. } => return (at, Stop::Close(code)),
            }
        }
        (at, Stop::BatchFull)
    }
}

impl Connection {
    /// Reads and routes what has come, until something else has to be done or nothing is left.
    pub(super) fn poll_inbound(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.inbound.has_unfinished()
            && let Some(event) = self.take_up_unfinished()
        {
            return Poll::Ready(event);
        }
        for _ in 0..READS_PER_POLL {
            let event = ready!(with_read_buffer(|buffer| self.poll_read(cx, buffer)));
            if let Some(event) = event {
                return Poll::Ready(event);
            }
            if self.is_paused() {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// One read, and all that follows from it.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Option<Event>> {
        let kept = self.inbound.rest.len();
        if kept.max(self.inbound.rest_bytes_wanted) > LARGE_BYTES {
            return self.poll_read_large(cx);
        }
        let read = match ready!(self.read.poll_read(cx, &mut buffer[kept..])) {
            Ok(0) | Err(_) => return Poll::Ready(Some(Event::End(End::Gone))),
            Ok(read) => read,
        };
        self.was_heard = true;
        let mut rest = std::mem::take(&mut self.inbound.rest);
        buffer[..kept].copy_from_slice(&rest);
        let bytes = &mut buffer[..kept + read];
        let (used, event) = self.take_in(bytes);
        rest.clear();
        if used < bytes.len() {
            rest.extend_from_slice(&bytes[used..]);
            self.inbound.rest = rest;
        }
        Poll::Ready(event)
    }

    /// One read of a large message, straight to where it will stay.
    fn poll_read_large(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let Inbound {
            rest,
            rest_bytes_wanted,
            ..
        } = &mut self.inbound;
        let missing = rest_bytes_wanted.saturating_sub(rest.len());
        if rest.capacity() - rest.len() < missing.max(1) {
            // Not all that a peer only says it will send.
            let trusted = rest.len().max(LARGE_BYTES_TRUSTED);
            rest.reserve(missing.clamp(LARGE_BYTES_AT_ONCE, trusted));
        }
        match ready!(self.read.poll_append(cx, rest)) {
            Ok(0) | Err(_) => return Poll::Ready(Some(Event::End(End::Gone))),
            Ok(_) => {}
        }
        self.was_heard = true;
        if self.inbound.rest.len() < self.inbound.rest_bytes_wanted {
            return Poll::Ready(None);
        }
        Poll::Ready(self.take_in_rest())
    }

    /// Takes in what was left over. Its buffer is shared with who gets its large messages.
    fn take_in_rest(&mut self) -> Option<Event> {
        loop {
            let mut rest = std::mem::take(&mut self.inbound.rest);
            let (found, used, stop) = self.find(&mut rest);
            let source = Bytes::from(rest);
            let (routed, event) = self.route(&source, &found, Some(&source));
            if used < source.len() {
                // A copy, so that the memory of a large message is given back.
                self.inbound.rest = source[used..].to_vec();
            }
            match self.after(&source, &found[routed..], event, stop) {
                After::Done(event) => return event,
                After::More => {}
            }
        }
    }

    /// Takes in what came behind a message that stopped its batch.
    fn take_up_unfinished(&mut self) -> Option<Event> {
        while let Some(message) = self.inbound.stopped.pop_front() {
            let whole = 0..message.len();
            if let (_, Some(event)) = self.route(&message, std::slice::from_ref(&whole), None) {
                return Some(event);
            }
        }
        if let Some(stop) = self.inbound.stopped_by.take()
            && let Some(event) = self.stop(stop)
        {
            return Some(event);
        }
        if self.inbound.rest.is_empty() && !self.inbound.decoder.holds_message() {
            None
        } else {
            self.take_in_rest()
        }
    }

    /// Takes in bytes from the front of `bytes`: how many were used up, and what else has to be
    /// done. The caller keeps the others.
    fn take_in(&mut self, bytes: &mut [u8]) -> (usize, Option<Event>) {
        let mut used = 0;
        loop {
            let unread = &mut bytes[used..];
            let (found, found_bytes, stop) = self.find(unread);
            let (routed, event) = self.route(unread, &found, None);
            used += found_bytes;
            match self.after(unread, &found[routed..], event, stop) {
                After::Done(event) => return (used, event),
                After::More => {}
            }
        }
    }

    /// Finds the messages of one batch at the front of `unread`, how many bytes they take, and what
    /// comes behind them.
    fn find(&mut self, unread: &mut [u8]) -> (Found, usize, Stop) {
        // What follows a HELLO is looked at only when that is answered.
        let messages_max = match self.session.is_established() {
            true => self.terms.limits.messages_per_batch_max,
            false => 1,
        };
        self.inbound.rest_bytes_wanted = 0;
        let mut found = Found::new();
        let (used, stop) =
            self.inbound
                .find_messages(unread, messages_max, &mut found, &self.outlet);
        let wanted = self.inbound.rest_bytes_wanted;
        if wanted > self.terms.limits.handshake_message_bytes_max && self.session.is_joining() {
            return (found, used, Stop::TooLarge);
        }
        (found, used, stop)
    }

    /// What follows when a batch was routed: messages behind one with an event have to wait.
    fn after(
        &mut self,
        bytes: &[u8],
        behind: &[Range<usize>],
        event: Option<Event>,
        stop: Stop,
    ) -> After {
        if event.is_some() {
            let behind = behind.iter().map(|range| bytes[range.clone()].to_vec());
            self.inbound.stopped.extend(behind);
            self.inbound.stopped_by = Some(stop);
            return After::Done(event);
        }
        match stop {
            Stop::NeedMore => After::Done(None),
            Stop::BatchFull => After::More,
            stop => match self.stop(stop) {
                None => After::More,
                event => After::Done(event),
            },
        }
    }

    /// Does what follows from whatever came behind the messages of a batch.
    fn stop(&mut self, stop: Stop) -> Option<Event> {
        match stop {
            Stop::NeedMore | Stop::BatchFull => None,
            Stop::Assembled(message) => {
                let whole = 0..message.len();
                self.route(&message, std::slice::from_ref(&whole), None).1
            }
            Stop::WrongKind => Some(Event::End(End::WrongKind)),
            Stop::TooLarge => Some(self.too_large()),
            Stop::Close(code) => Some(Event::End(End::Closed(code))),
            Stop::Framing(error) => Some(Event::End(End::Framing(error))),
        }
    }

    /// Decodes the messages that `found` says are in `bytes`, and routes them: how many were looked
    /// at, and what the last of them wants to have done.
    fn route(
        &mut self,
        bytes: &[u8],
        found: &[Range<usize>],
        source: Option<&Bytes>,
    ) -> (usize, Option<Event>) {
        let mut requests = SmallVec::<[Message<'_>; REQUESTS_INLINE]>::with_capacity(found.len());
        let mut looked_at = 0;
        let mut event = None;
        for range in found {
            looked_at += 1;
            if range.len() > self.terms.limits.handshake_message_bytes_max
                && self.session.is_joining()
            {
                event = Some(self.too_large());
                break;
            }
            match Message::decode(self.inbound.serializer, &bytes[range.clone()]) {
                Ok(message) if self.session.admit(&message) => requests.push(message),
                Ok(message) => match self.understand(message) {
                    Understood::Request(message) => requests.push(message),
                    Understood::Nothing => {}
                    Understood::Event(it) => event = Some(it),
                },
                Err(error) => event = self.undecodable(&error, &bytes[range.clone()]),
            }
            if event.is_some() {
                break;
            }
        }
        if let Some(seat) = &self.seat
            && !requests.is_empty()
            && let Err(violation) = seat.route(&mut requests, source)
        {
            self.session.abort();
            let abort = Abort::new(error_uri::PROTOCOL_VIOLATION, violation.text);
            event = Some(Event::End(End::Violation(abort)));
        }
        (looked_at, event)
    }

    /// A client without a session sends more than it may.
    #[cold]
    fn too_large(&mut self) -> Event {
        let max = self.terms.limits.handshake_message_bytes_max;
        let problem = format!("a message before WELCOME is larger than {max} bytes");
        self.session.abort();
        let abort = Abort::new(error_uri::PROTOCOL_VIOLATION, problem);
        Event::End(End::Violation(abort))
    }

    /// A message could not be decoded. Text that is not UTF-8 is a matter of the framing.
    #[cold]
    fn undecodable(&mut self, error: &DecodeError, message: &[u8]) -> Option<Event> {
        let is_text = self.framing != Framing::RawSocket && !self.inbound.serializer.row().binary;
        if is_text && std::str::from_utf8(message).is_err() {
            return Some(Event::End(End::Framing(FramingError::InvalidUtf8)));
        }
        let abort = self.session.undecodable(&error.to_string());
        abort.map(|abort| Event::End(End::Violation(abort)))
    }

    /// What a message means to the session.
    #[cold]
    fn understand<'a>(&mut self, message: Message<'a>) -> Understood<'a> {
        match self.session.handle(message) {
            Accepted::Route(message) => Understood::Request(message),
            Accepted::Ignored => Understood::Nothing,
            Accepted::Hello(Hello { realm, details }) => {
                let realm = realm.into_owned().into();
                let hello = Box::new(Hello { realm, details });
                Understood::Event(Event::Hello(hello))
            }
            Accepted::Leave(answer) => Understood::Event(Event::Leave(answer)),
            Accepted::Closed => Understood::Event(Event::End(End::Finished)),
            Accepted::Violation(abort) => Understood::Event(Event::End(End::Violation(abort))),
            Accepted::Authenticate(Authenticate { signature, extra }) => {
                let signature = signature.into_owned().into();
                let answer = Box::new(Authenticate { signature, extra });
                Understood::Event(Event::Authenticate(answer))
            }
        }
    }
}
