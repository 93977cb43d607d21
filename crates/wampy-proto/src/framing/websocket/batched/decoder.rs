//! Reading batches: the messages of one WebSocket message, one after the other.
//!
//! A batch that is complete in the caller's buffer stays there, and its messages are consumed one by
//! one. One that was assembled from fragments, or decompressed, stays in the decoder meanwhile.

use std::ops::Range;

use memchr::memchr2;

use super::super::decoder::{Found, WebSocketDecoder};
use super::{LENGTH_BYTES, OCTAL_SEPARATOR, SEPARATOR};
use crate::framing::{FramingError, Next, Step};

/// Reads WebSocket frames, each of which holds a batch.
#[derive(Debug)]
pub struct BatchedDecoder {
    frames: WebSocketDecoder,
    binary: bool,
    separator: u8,
    rest: Rest,
}

/// Where the rest of a batch is of which messages were handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    /// At the front of the caller's buffer: so many bytes.
    Buffer(usize),
    /// In the decoder: from this byte on.
    Assembled(usize),
}

impl BatchedDecoder {
    /// Splits the messages that `frames` reads. `binary` says what kind the subprotocol's messages
    /// are; those of the other kind are handed out whole, for the caller to refuse.
    #[must_use]
    pub fn new(frames: WebSocketDecoder, binary: bool) -> Self {
        Self {
            frames,
            binary,
            separator: SEPARATOR,
            rest: Rest::None,
        }
    }

    /// What the peer's last JSON message was followed by: an answer should be, too.
    #[must_use]
    pub fn separator(&self) -> u8 {
        self.separator
    }

    pub(crate) fn holds_message(&self) -> bool {
        matches!(self.rest, Rest::Assembled(_))
    }

    /// Reads the next step; see [`crate::framing::Decoder::next`].
    ///
    /// # Errors
    /// [`FramingError`] for each violation of RFC 6455, of the limits and of the form of batches.
    pub fn next<'a>(&'a mut self, buf: &'a mut [u8]) -> Result<Next<'a>, FramingError> {
        match self.rest {
            Rest::Buffer(bytes) => {
                let (message, used) = self.split(&buf[..bytes])?;
                self.rest = match bytes - used {
                    0 => Rest::None,
                    left => Rest::Buffer(left),
                };
                return Ok(self.message(&buf[message], used));
            }
            Rest::Assembled(from) => return self.next_assembled(from, 0),
            Rest::None => {}
        }
        let (consumed, start, found) = self.frames.find(buf)?;
        match found {
            Found::Message { payload, binary } if binary == self.binary => {
                let (from, to) = (start + payload.start, start + payload.end);
                let (message, used) = self.split(&buf[from..to])?;
                if from + used < to {
                    self.rest = Rest::Buffer(to - from - used);
                }
                let message = from + message.start..from + message.end;
                Ok(self.message(&buf[message], from + used))
            }
            Found::Assembled if self.is_assembled_of_kind() => self.next_assembled(0, consumed),
            other => self.frames.step(consumed, start, other, buf),
        }
    }

    fn is_assembled_of_kind(&self) -> bool {
        let assembled = self.frames.assembled_message();
        assembled.is_some_and(|(_, binary)| binary == self.binary)
    }

    fn message<'a>(&self, payload: &'a [u8], consumed: usize) -> Next<'a> {
        let binary = self.binary;
        let step = Step::Message { payload, binary };
        Next { consumed, step }
    }

    /// The next message of an assembled batch, after `consumed` bytes of the caller's buffer.
    fn next_assembled(&mut self, from: usize, consumed: usize) -> Result<Next<'_>, FramingError> {
        let batch = self.frames.assembled_message();
        let batch = batch.map_or(&[][..], |(batch, _)| &batch[from..]);
        let bytes = batch.len();
        let split = split(batch, self.binary);
        let (message, used) = match split {
            Ok(split) => split,
            Err(error) => return Err(self.fail(error)),
        };
        self.note_separator(batch_end(self.frames.assembled_message(), from + used));
        self.rest = match used < bytes {
            true => Rest::Assembled(from + used),
            false => Rest::None,
        };
        let batch = self.frames.assembled_message();
        let batch = batch.map_or(&[][..], |(batch, _)| &batch[from..]);
        Ok(self.message(&batch[message], consumed))
    }

    /// Splits the first message off a batch, or ends everything.
    fn split(&mut self, batch: &[u8]) -> Result<(Range<usize>, usize), FramingError> {
        match split(batch, self.binary) {
            Ok((message, used)) => {
                self.note_separator(batch.get(used - 1).copied());
                Ok((message, used))
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn note_separator(&mut self, last: Option<u8>) {
        if let Some(last) = last
            && !self.binary
        {
            self.separator = last;
        }
    }

    #[cold]
    fn fail(&mut self, error: FramingError) -> FramingError {
        self.rest = Rest::None;
        self.frames.end();
        error
    }
}

/// The messages of a whole batch, up to the first error.
pub fn messages(batch: &[u8], binary: bool) -> impl Iterator<Item = Result<&[u8], FramingError>> {
    let mut rest = Some(batch);
    std::iter::from_fn(move || {
        let batch = rest?;
        let (message, used) = match split(batch, binary) {
            Ok(split) => split,
            Err(error) => {
                rest = None;
                return Some(Err(error));
            }
        };
        rest = (used < batch.len()).then(|| &batch[used..]);
        Some(Ok(&batch[message]))
    })
}

/// The byte in front of `end`.
fn batch_end(batch: Option<(&[u8], bool)>, end: usize) -> Option<u8> {
    batch?.0.get(end.checked_sub(1)?).copied()
}

/// Where the first message of `batch` is, and how many bytes it takes with what tells it apart.
fn split(batch: &[u8], binary: bool) -> Result<(Range<usize>, usize), FramingError> {
    if batch.is_empty() {
        return Err(FramingError::EmptyBatch);
    }
    if !binary {
        let end = memchr2(SEPARATOR, OCTAL_SEPARATOR, batch);
        let end = end.ok_or(FramingError::BatchSeparator)?;
        return Ok((0..end, end + 1));
    }
    let too_short = FramingError::BatchLength { bytes: batch.len() };
    let Some((length, _)) = batch.split_first_chunk::<LENGTH_BYTES>() else {
        return Err(too_short);
    };
    let end = (u32::from_be_bytes(*length) as usize).checked_add(LENGTH_BYTES);
    match end {
        Some(end) if end <= batch.len() => Ok((LENGTH_BYTES..end, end)),
        _ => Err(too_short),
    }
}
