//! The writing half of a connection: frames appended to an outgoing buffer.
//!
//! Serializers append to a `Vec<u8>`, so a frame is begun (its header reserved), the message is
//! encoded straight behind it, and the frame is finished (its header patched). Encoders have no
//! state and are small copies: any number of writers may hold one for the same connection.

use super::rawsocket::RawSocketEncoder;
use super::websocket::batched::BatchedEncoder;
use super::websocket::{CloseCode, Deflate, WebSocketEncoder};

/// Where a frame was begun in an outgoing buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a frame that was begun must be finished or rolled back"]
pub struct Mark {
    pub(super) start: usize,
    pub(super) header_bytes: usize,
}

impl Mark {
    /// Takes the begun frame out of the buffer again, for example when encoding its message failed.
    pub fn roll_back(self, out: &mut Vec<u8>) {
        out.truncate(self.start);
    }

    /// Bytes appended behind the reserved header so far.
    pub(super) fn payload_bytes(self, out: &[u8]) -> usize {
        out.len().saturating_sub(self.start + self.header_bytes)
    }
}

/// A message (or a ping) is larger than the peer, or the framing, accepts. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("message of {bytes} bytes exceeds the limit of {bytes_max} bytes of the receiving peer")]
pub struct TooLong {
    /// Size of the refused message.
    pub bytes: usize,
    /// Largest size that may be sent.
    pub bytes_max: usize,
}

/// A framing whose frames are the same for every receiver, so that a frame can be encoded once and
/// appended to many outgoing buffers. Together with a serializer this is the key of such a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FrameFormat {
    /// An unmasked WebSocket text frame.
    WebSocketText,
    /// An unmasked WebSocket binary frame.
    WebSocketBinary,
    /// An unmasked WebSocket text frame, compressed if that makes it smaller.
    WebSocketTextDeflate,
    /// An unmasked WebSocket binary frame, compressed if that makes it smaller.
    WebSocketBinaryDeflate,
    /// A RawSocket frame.
    RawSocket,
}

impl FrameFormat {
    /// An encoder for frames to be shared. It knows no peer, so compare the message's size with
    /// [`Encoder::message_bytes_max`] of each receiver.
    #[must_use]
    pub fn encoder(self) -> Encoder {
        match self {
            Self::WebSocketText => WebSocketEncoder::server(false).into(),
            Self::WebSocketBinary => WebSocketEncoder::server(true).into(),
            Self::WebSocketTextDeflate => compressing(false),
            Self::WebSocketBinaryDeflate => compressing(true),
            Self::RawSocket => RawSocketEncoder::default().into(),
        }
    }
}

fn compressing(binary: bool) -> Encoder {
    WebSocketEncoder::server(binary)
        .compressing(Some(Deflate::default()))
        .into()
}

/// The writing half of a connection after its handshake, for either transport.
#[derive(Debug, Clone, Copy)]
pub enum Encoder {
    /// RFC 6455 frames, each one message, or a batch of them: of one, where it is written by this
    /// interface (see [`super::websocket::batched`] for others).
    WebSocket(WebSocketEncoder),
    /// Length-prefixed frames.
    RawSocket(RawSocketEncoder),
}

impl Encoder {
    /// Begins a message at the end of `out`: append its serialized form, then call
    /// [`Encoder::finish_message`].
    ///
    /// `payload_bytes_hint` is a guess of the payload's size (0 if unknown). It only saves time: a
    /// wrong guess around 126 or 65536 bytes makes WebSocket move the payload once.
    // Always, as the compiler would not do it by itself any more for the sake of batches.
    #[inline(always)]
    pub fn begin_message(&self, out: &mut Vec<u8>, payload_bytes_hint: usize) -> Mark {
        match self {
            Self::RawSocket(encoder) => encoder.begin(out),
            Self::WebSocket(encoder) if encoder.is_batched() => {
                BatchedEncoder::of(encoder).begin(out, payload_bytes_hint)
            }
            Self::WebSocket(encoder) => encoder.begin(out, payload_bytes_hint),
        }
    }

    /// Completes the frame begun at `mark`; everything behind it in `out` is its payload.
    ///
    /// # Errors
    /// [`TooLong`] if the peer does not accept a message of this size; `out` is as it was before
    /// the frame was begun.
    #[inline(always)]
    pub fn finish_message(&self, mark: Mark, out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            Self::RawSocket(encoder) => encoder.finish(mark, 0, out),
            Self::WebSocket(encoder) if encoder.is_batched() => BatchedEncoder::of(encoder)
                .finish_around(mark, 0, out)
                .map(drop),
            Self::WebSocket(encoder) => {
                encoder.finish(mark, out);
                Ok(())
            }
        }
    }

    /// Completes a frame of whose payload `left_out_bytes` are not in `out` and will be sent in their
    /// place. Returns false, and has done nothing, if every byte is needed: to mask or to compress.
    ///
    /// # Errors
    /// As for [`Encoder::finish_message`].
    pub fn finish_around(
        &self,
        mark: Mark,
        left_out_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, TooLong> {
        if let Some(batched) = self.batched() {
            return batched.finish_around(mark, left_out_bytes, out);
        }
        match self {
            Self::WebSocket(encoder) => Ok(encoder.finish_around(mark, left_out_bytes, out)),
            Self::RawSocket(encoder) => encoder.finish(mark, left_out_bytes, out).map(|()| true),
        }
    }

    /// Appends a whole message whose payload is already at hand.
    ///
    /// # Errors
    /// [`TooLong`] if the peer does not accept a message of this size; nothing is appended.
    pub fn write_message(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        if let Some(batched) = self.batched() {
            return batched.write_message(payload, out);
        }
        match self {
            Self::WebSocket(encoder) => {
                encoder.write_message(payload, out);
                Ok(())
            }
            Self::RawSocket(encoder) => encoder.write_message(payload, out),
        }
    }

    /// Appends a ping; the peer has to answer with a pong of the same payload.
    ///
    /// # Errors
    /// [`TooLong`] above 125 bytes (WebSocket) or the peer's limit (RawSocket).
    pub fn write_ping(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            Self::WebSocket(encoder) => encoder.write_ping(payload, out),
            Self::RawSocket(encoder) => encoder.write_ping(payload, out),
        }
    }

    /// Appends the answer to a ping.
    ///
    /// # Errors
    /// [`TooLong`] above 125 bytes (WebSocket) or the peer's limit (RawSocket): a RawSocket peer
    /// that pings with more than it accepts itself cannot be answered.
    pub fn write_pong(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            Self::WebSocket(encoder) => encoder.write_pong(payload, out),
            Self::RawSocket(encoder) => encoder.write_pong(payload, out),
        }
    }

    /// Appends a close frame; send nothing after it. RawSocket has none: nothing is appended.
    ///
    /// Without a `code` the reason is not sent either. A reason of more than 123 bytes is cut.
    pub fn write_close(&self, code: Option<CloseCode>, reason: &str, out: &mut Vec<u8>) {
        match self {
            Self::WebSocket(encoder) => encoder.write_close(code, reason, out),
            Self::RawSocket(_) => {}
        }
    }

    /// Largest message the peer accepts, as far as the framing knows: RawSocket peers announce it,
    /// WebSocket peers do not (`usize::MAX`).
    #[must_use]
    pub fn message_bytes_max(&self) -> usize {
        match self {
            Self::WebSocket(_) => usize::MAX,
            Self::RawSocket(encoder) => encoder.message_bytes_max(),
        }
    }

    /// The format of this connection's frames if they can be shared among receivers; `None` for a
    /// WebSocket client, which masks every frame with a key of its own, and for one that wants
    /// compression with a smaller window than usual. For batches it is the format of frames out of
    /// which messages can be taken, as they are, into a batch.
    #[must_use]
    pub fn format(&self) -> Option<FrameFormat> {
        if let Some(batched) = self.batched() {
            return batched.format();
        }
        match self {
            Self::WebSocket(encoder) => encoder.format(),
            Self::RawSocket(_) => Some(FrameFormat::RawSocket),
        }
    }
}

impl From<WebSocketEncoder> for Encoder {
    fn from(encoder: WebSocketEncoder) -> Self {
        Self::WebSocket(encoder)
    }
}

impl From<RawSocketEncoder> for Encoder {
    fn from(encoder: RawSocketEncoder) -> Self {
        Self::RawSocket(encoder)
    }
}
