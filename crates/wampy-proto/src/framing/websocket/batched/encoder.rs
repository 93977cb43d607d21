//! Writing batches: messages join the last frame of a buffer until that is sent.

use super::super::encoder::{Kind, WebSocketEncoder};
use super::super::frame::{HEADER_BYTES_MAX, frame_header, header_bytes};
use super::{LENGTH_BYTES, OCTAL_SEPARATOR, SEPARATOR};
use crate::framing::{Encoder, FrameFormat, Mark, TooLong};

/// From how many bytes on a batch takes no further message: peers have limits that they do not tell.
pub const BATCH_BYTES_FULL: usize = 32 << 10;

/// The largest payload of a frame whose header has the size that is reserved for one.
const RESERVED_FOR_BYTES: usize = 0xffff;

/// Writes WebSocket frames, each of which holds a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchedEncoder(WebSocketEncoder);

/// The last frame of a buffer, while messages may join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenBatch {
    /// Behind the first byte of the frame, so that 0 means that there is none.
    behind_start: usize,
}

impl OpenBatch {
    /// Whether there is such a frame.
    #[must_use]
    #[inline]
    pub const fn is_open(self) -> bool {
        self.behind_start != 0
    }

    /// Forgets the batch if it would begin behind the end of a buffer that was cut to `bytes`.
    pub fn cut(&mut self, bytes: usize) {
        if self.start().is_some_and(|start| start >= bytes) {
            *self = Self::default();
        }
    }

    const fn start(self) -> Option<usize> {
        self.behind_start.checked_sub(1)
    }
}

impl BatchedEncoder {
    /// Puts messages into the frames of `frames`.
    #[must_use]
    pub fn new(frames: WebSocketEncoder) -> Self {
        Self(frames.of_kind(match frames.is_binary() {
            true => Kind::BinaryBatch,
            false => Kind::TextBatch,
        }))
    }

    /// That of frames which are batches.
    pub(crate) fn of(frames: &WebSocketEncoder) -> Self {
        Self(*frames)
    }

    /// The same encoder, whose JSON messages are followed by `separator`, one of [`SEPARATOR`] and
    /// [`OCTAL_SEPARATOR`].
    #[must_use]
    pub fn separated_by(self, separator: u8) -> Self {
        match (self.0.kind(), separator) {
            (Kind::BinaryBatch, _) => self,
            (_, OCTAL_SEPARATOR) => Self(self.0.of_kind(Kind::OctalTextBatch)),
            _ => Self(self.0.of_kind(Kind::TextBatch)),
        }
    }

    /// What follows a message, unless its length is in front of it.
    fn separator(&self) -> Option<u8> {
        match self.0.kind() {
            Kind::BinaryBatch => None,
            Kind::OctalTextBatch => Some(OCTAL_SEPARATOR),
            _ => Some(SEPARATOR),
        }
    }

    /// The format of frames out of which messages can be taken into a batch: see [`message_in`].
    #[must_use]
    #[cold]
    pub fn format(&self) -> Option<FrameFormat> {
        if self.0.is_masking() {
            return None;
        }
        Some(match self.0.is_binary() {
            true => FrameFormat::WebSocketBinary,
            false => FrameFormat::WebSocketText,
        })
    }

    /// Whether frames leave as they are written, neither compressed nor masked.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0.is_plain()
    }

    /// Writes what stands in front of a message of `message_bytes` that is a batch of its own, in a
    /// frame that is plain ([`BatchedEncoder::is_plain`]); [`BatchedEncoder::write_tail`] follows it.
    ///
    /// # Errors
    /// [`TooLong`] above 4 GiB; nothing is written.
    pub fn write_head(&self, message_bytes: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let length = length_of(message_bytes)?;
        let beside = match self.separator() {
            Some(_) => 1,
            None => LENGTH_BYTES,
        };
        let header = frame_header(self.0.message_opcode(), message_bytes + beside, None);
        out.extend_from_slice(header.as_bytes());
        if self.separator().is_none() {
            out.extend_from_slice(&length);
        }
        Ok(())
    }

    /// Writes what stands behind a message.
    pub fn write_tail(&self, out: &mut Vec<u8>) {
        out.extend(self.separator());
    }

    /// Appends a message, which `write` does, to the open batch at the end of `out`, or to a new one;
    /// returns how many bytes longer the last batch has become.
    ///
    /// # Errors
    /// Those of `write`, or [`TooLong`]; `out` and `open` hold what they held before, except that a
    /// batch which had become too large for another message is finished.
    pub fn append<E: From<TooLong>>(
        &self,
        open: &mut OpenBatch,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let reserved = self.header_reserved();
        let is_full = |start: usize| out.len() - start - reserved >= BATCH_BYTES_FULL;
        if open.start().is_some_and(is_full) {
            self.finish(open, out);
        }
        let before = out.len();
        let is_new = !open.is_open();
        if is_new {
            out.extend_from_slice(&[0; HEADER_BYTES_MAX][..reserved]);
            open.behind_start = before + 1;
        }
        let message = out.len();
        let written = self.write(message, out, write);
        if written.is_err() {
            out.truncate(before);
            if is_new {
                *open = OpenBatch::default();
            }
        }
        written.map(|()| out.len() - before)
    }

    fn write<E: From<TooLong>>(
        &self,
        start: usize,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.reserve_length(out);
        write(out)?;
        Ok(self.tell_apart(start, 0, out)?)
    }

    /// Ends the open batch, if there is one: only now can the buffer be sent.
    pub fn finish(&self, open: &mut OpenBatch, out: &mut Vec<u8>) {
        if let Some(start) = std::mem::take(open).start() {
            let header_bytes = self.header_reserved();
            let mark = Mark {
                start,
                header_bytes,
            };
            self.0.finish(mark, out);
        }
    }

    /// Appends a batch of one message.
    ///
    /// # Errors
    /// [`TooLong`] above 4 GiB; nothing is appended.
    #[cold]
    pub fn write_message(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let mark = self.begin(out, payload.len());
        out.extend_from_slice(payload);
        self.finish_around(mark, 0, out).map(drop)
    }

    /// Begins a batch of one message; see [`crate::framing::Encoder::begin_message`].
    // Cold, like all that `Encoder` calls of this: batches must not cost those who have none.
    #[cold]
    pub fn begin(&self, out: &mut Vec<u8>, payload_bytes_hint: usize) -> Mark {
        let mark = self.0.begin(out, payload_bytes_hint);
        self.reserve_length(out);
        mark
    }

    /// Completes a batch of one message, of which `left_out_bytes` are not in `out`; `false` if all
    /// of them are needed.
    ///
    /// # Errors
    /// [`TooLong`] above 4 GiB; `out` is as it was before the batch was begun.
    #[cold]
    pub fn finish_around(
        &self,
        mark: Mark,
        left_out_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, TooLong> {
        let message = mark.start + mark.header_bytes;
        if let Err(error) = self.tell_apart(message, left_out_bytes, out) {
            mark.roll_back(out);
            return Err(error);
        }
        if left_out_bytes > 0 {
            return Ok(self.0.finish_around(mark, left_out_bytes, out));
        }
        self.0.finish(mark, out);
        Ok(true)
    }

    /// The header of a batch is reserved for the size that most have which are worth it: 126 bytes
    /// and more. That of a smaller one is moved by two bytes in the end.
    fn header_reserved(&self) -> usize {
        header_bytes(RESERVED_FOR_BYTES, self.0.is_masking())
    }

    fn reserve_length(&self, out: &mut Vec<u8>) {
        if self.separator().is_none() {
            out.extend_from_slice(&[0; LENGTH_BYTES]);
        }
    }

    /// Completes the message that begins at `start` of `out`, of which `left_out_bytes` are missing.
    fn tell_apart(
        &self,
        start: usize,
        left_out_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        if let Some(separator) = self.separator() {
            out.push(separator);
            return Ok(());
        }
        let bytes = out.len().saturating_sub(start + LENGTH_BYTES) + left_out_bytes;
        let length = length_of(bytes)?;
        if let Some(reserved) = out.get_mut(start..start + LENGTH_BYTES) {
            reserved.copy_from_slice(&length);
        }
        Ok(())
    }
}

impl From<BatchedEncoder> for Encoder {
    fn from(encoder: BatchedEncoder) -> Self {
        Self::WebSocket(encoder.0)
    }
}

impl Encoder {
    /// The encoder of batches, where messages come in batches.
    #[must_use]
    #[inline]
    pub fn batched(&self) -> Option<BatchedEncoder> {
        match self {
            Self::WebSocket(encoder) if encoder.is_batched() => Some(BatchedEncoder::of(encoder)),
            _ => None,
        }
    }
}

/// The length in front of a message of `bytes`.
fn length_of(bytes: usize) -> Result<[u8; LENGTH_BYTES], TooLong> {
    let length = u32::try_from(bytes).map_err(|_| TooLong {
        bytes,
        bytes_max: u32::MAX as usize,
    })?;
    Ok(length.to_be_bytes())
}

/// The bytes of the message behind the header at the front of a server's frame, as far as they are
/// there.
#[must_use]
pub fn message_in(frame: &[u8]) -> &[u8] {
    let header_bytes = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    frame.get(header_bytes..).unwrap_or_default()
}
