//! Framing: how WAMP messages are cut out of a byte stream and put into one, without I/O.
//!
//! The two transports of the specification, WebSocket (RFC 6455) and RawSocket, differ in their
//! opening handshakes ([`websocket::handshake`], [`rawsocket`]) and are treated alike afterwards: a
//! [`Decoder`] turns received bytes into [`Step`]s, an [`Encoder`] appends frames to an outgoing
//! buffer. The two are separate values because a session's outgoing buffer is written by whoever
//! routes a message to it, while only its own connection reads.
//!
//! The decoder works in place on the caller's buffer: a message that is complete there is handed
//! out as a slice of it. The caller owns the buffer and keeps this contract:
//!
//! ```text
//! loop {
//!     read some bytes behind those that are left over
//!     loop {
//!         let next = decoder.next(&mut buffer[at..])?;    // may unmask bytes in place
//!         at += next.consumed;
//!         match next.step { NeedMore { .. } => break, .. }
//!     }
//!     drop buffer[..at]; keep the rest unchanged and in front of what is read next
//! }
//! ```
//!
//! Deliberately absent: sockets, timers (handshake deadlines, keep-alive), randomness (masking keys
//! and handshake nonces are passed in) and serializers.

mod encoder;
mod error;
pub mod rawsocket;
pub mod websocket;

pub use encoder::{Encoder, FrameFormat, Mark, TooLong};
pub use error::FramingError;

use rawsocket::RawSocketDecoder;
use websocket::batched::BatchedDecoder;
use websocket::{CloseCode, WebSocketDecoder};

/// What a [`Decoder`] found at the front of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing that can be acted upon yet.
    NeedMore {
        /// How many bytes the unconsumed rest must have in total before a frame can be complete.
        ///
        /// The peer chose this number (within the limits), so let the buffer grow with what really
        /// arrives instead of reserving it at once. Calling with fewer bytes is fine and lets
        /// invalid text fail early.
        frame_bytes: usize,
    },
    /// One whole message: one WAMP message in its serialized form.
    Message {
        /// The message, unmasked; text has been validated as UTF-8.
        payload: &'a [u8],
        /// Whether it came as binary. RawSocket does not tell: it repeats what the serializer
        /// agreed upon in the handshake uses.
        binary: bool,
    },
    /// The peer wants exactly one pong with the same payload, at once.
    Ping(&'a [u8]),
    /// The answer to a ping of ours, or an unsolicited sign of life.
    Pong(&'a [u8]),
    /// The peer closes (WebSocket only). Answer with the same code unless a close was sent before;
    /// whatever follows on the stream is discarded by the decoder.
    Close {
        /// The peer's code; `None` if it gave none.
        code: Option<CloseCode>,
        /// The peer's reason, often empty, at most 123 bytes.
        reason: &'a str,
    },
}

/// One step and how many bytes at the front of the buffer it used up.
///
/// `consumed` may be more than zero for [`Step::NeedMore`]: fragments are taken over as they
/// complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next<'a> {
    /// Bytes of the buffer that must not be presented again.
    pub consumed: usize,
    /// What these bytes say.
    pub step: Step<'a>,
}

/// The reading half of a connection after its handshake, for either transport.
#[derive(Debug)]
pub enum Decoder {
    /// RFC 6455 frames, each one message.
    WebSocket(WebSocketDecoder),
    /// RFC 6455 frames, each a batch of messages.
    Batched(Box<BatchedDecoder>),
    /// Length-prefixed frames.
    RawSocket(RawSocketDecoder),
}

impl Decoder {
    /// Reads the next step from the front of `buf`; see the module's contract on the buffer.
    ///
    /// # Errors
    /// [`FramingError`] if the peer broke the framing rules or exceeded a limit. The connection is
    /// over: send [`FramingError::close_code`] with [`Encoder::write_close`] and close. Further
    /// calls discard what they are given.
    #[inline]
    pub fn next<'a>(&'a mut self, buf: &'a mut [u8]) -> Result<Next<'a>, FramingError> {
        match self {
            Self::WebSocket(decoder) => decoder.next(buf),
            Self::Batched(decoder) => decoder.next(buf),
            Self::RawSocket(decoder) => decoder.next(buf),
        }
    }

    /// Whether another message is at hand without a byte more: one of a batch that came in
    /// fragments, or compressed, and so is in no buffer of the caller's.
    #[must_use]
    #[inline]
    pub fn holds_message(&self) -> bool {
        match self {
            Self::Batched(decoder) => decoder.holds_message(),
            Self::WebSocket(_) | Self::RawSocket(_) => false,
        }
    }
}

impl From<BatchedDecoder> for Decoder {
    fn from(decoder: BatchedDecoder) -> Self {
        Self::Batched(Box::new(decoder))
    }
}

impl From<WebSocketDecoder> for Decoder {
    fn from(decoder: WebSocketDecoder) -> Self {
        Self::WebSocket(decoder)
    }
}

impl From<RawSocketDecoder> for Decoder {
    fn from(decoder: RawSocketDecoder) -> Self {
        Self::RawSocket(decoder)
    }
}
