//! RawSocket frames: `RRRR X TTT`, a length of 24 bits, the payload.

use super::{LengthLimit, MESSAGE_BYTES_MAX};
use crate::framing::{FramingError, Mark, Next, Step, TooLong};

/// Size of the header in front of every payload.
const HEADER_BYTES: usize = 4;
/// The bit that says "exactly 2^24 octets".
const EXTRA_LENGTH_BIT: u8 = 0b1000;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameType {
    /// A WAMP message.
    Message = 0,
    /// Wants a pong with the same payload.
    Ping = 1,
    /// Answers a ping.
    Pong = 2,
}

/// The header of a frame with `payload_bytes` octets of payload.
///
/// # Errors
/// [`TooLong`] above 2^24 octets.
#[inline]
pub fn frame_header(kind: FrameType, payload_bytes: usize) -> Result<[u8; HEADER_BYTES], TooLong> {
    if payload_bytes > MESSAGE_BYTES_MAX {
        return Err(TooLong {
            bytes: payload_bytes,
            bytes_max: MESSAGE_BYTES_MAX,
        });
    }
    // Bit 24 of the length is the extra bit's neighbor: 2^24 is `01 00 00 00`, the header wants
    // it three bits further up.
    let [extra, high, middle, low] = (payload_bytes as u32).to_be_bytes();
    Ok([extra << 3 | kind as u8, high, middle, low])
}

/// Reads RawSocket frames after the handshake.
#[derive(Debug)]
pub struct RawSocketDecoder {
    limit: LengthLimit,
    binary: bool,
    ended: bool,
}

impl RawSocketDecoder {
    /// A decoder that accepts payloads up to `limit`, which must be the one announced to the peer.
    ///
    /// `binary` is what every message is reported as: whether the serializer agreed upon is binary.
    #[must_use]
    pub fn new(limit: LengthLimit, binary: bool) -> Self {
        Self {
            limit,
            binary,
            ended: false,
        }
    }

    /// Reads the next step; see [`crate::framing::Decoder::next`].
    ///
    /// # Errors
    /// [`FramingError`] for reserved bits, types and lengths, and payloads above the limit.
    #[inline]
    pub fn next<'a>(&'a mut self, buf: &'a [u8]) -> Result<Next<'a>, FramingError> {
        // What nearly every frame is: a whole message.
        if let [0, high, middle, low, rest @ ..] = buf
            && let payload_bytes = u32::from_be_bytes([0, *high, *middle, *low]) as usize
            && let Some(payload) = rest.get(..payload_bytes)
            && payload_bytes <= self.limit.bytes()
            && !self.ended
        {
            let step = Step::Message {
                payload,
                binary: self.binary,
            };
            return Ok(Next {
                consumed: HEADER_BYTES + payload_bytes,
                step,
            });
        }
        self.any(buf)
    }

    /// Reads the next step, whatever it is.
    fn any<'a>(&'a mut self, buf: &'a [u8]) -> Result<Next<'a>, FramingError> {
        if self.ended {
            let step = Step::NeedMore {
                frame_bytes: HEADER_BYTES,
            };
            return Ok(Next {
                consumed: buf.len(),
                step,
            });
        }
        let result = self.frame(buf);
        self.ended = result.is_err();
        result
    }

    fn frame<'a>(&self, buf: &'a [u8]) -> Result<Next<'a>, FramingError> {
        let [first, high, middle, low, rest @ ..] = buf else {
            // Reserved bits show in the first octet already; no need to wait for the length.
            buf.first()
                .map_or(Ok(FrameType::Message), |&first| frame_type(first))?;
            return Ok(need_more(HEADER_BYTES));
        };
        let kind = frame_type(*first)?;
        let length = u32::from_be_bytes([0, *high, *middle, *low]);
        let payload_bytes = match (first & EXTRA_LENGTH_BIT != 0, length) {
            (false, length) => length as usize,
            (true, 0) => MESSAGE_BYTES_MAX,
            (true, length) => return Err(FramingError::RawSocketLength(length)),
        };
        if payload_bytes > self.limit.bytes() {
            let bytes = payload_bytes as u64;
            return Err(FramingError::MessageTooLarge {
                bytes,
                bytes_max: self.limit.bytes(),
            });
        }
        let Some(payload) = rest.get(..payload_bytes) else {
            return Ok(need_more(HEADER_BYTES + payload_bytes));
        };
        let step = match kind {
            FrameType::Message => Step::Message {
                payload,
                binary: self.binary,
            },
            FrameType::Ping => Step::Ping(payload),
            FrameType::Pong => Step::Pong(payload),
        };
        Ok(Next {
            consumed: HEADER_BYTES + payload_bytes,
            step,
        })
    }
}

fn need_more(frame_bytes: usize) -> Next<'static> {
    Next {
        consumed: 0,
        step: Step::NeedMore { frame_bytes },
    }
}

fn frame_type(first: u8) -> Result<FrameType, FramingError> {
    if first & 0xf0 != 0 {
        return Err(FramingError::RawSocketReservedBits(first));
    }
    match first & 0b111 {
        0 => Ok(FrameType::Message),
        1 => Ok(FrameType::Ping),
        2 => Ok(FrameType::Pong),
        reserved => Err(FramingError::RawSocketReservedType(reserved)),
    }
}

/// Writes RawSocket frames after the handshake.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawSocketEncoder {
    limit: LengthLimit,
}

impl RawSocketEncoder {
    /// An encoder that never exceeds `limit`, which is what the peer announced. The default knows
    /// no peer and goes up to 2^24 octets.
    #[must_use]
    pub fn new(limit: LengthLimit) -> Self {
        Self { limit }
    }

    /// Largest message the peer accepts.
    #[must_use]
    pub fn message_bytes_max(&self) -> usize {
        self.limit.bytes()
    }

    /// Reserves a header at the end of `out`.
    #[inline]
    pub fn begin(&self, out: &mut Vec<u8>) -> Mark {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        Mark {
            start,
            header_bytes: HEADER_BYTES,
        }
    }

    /// Patches the header reserved at `mark`; `left_out_bytes` of the payload are not in `out`.
    ///
    /// # Errors
    /// [`TooLong`] above the peer's limit; `out` is as it was before the frame was begun.
    #[inline]
    pub fn finish(
        &self,
        mark: Mark,
        left_out_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        let payload_bytes = mark.payload_bytes(out) + left_out_bytes;
        let header = self.header(FrameType::Message, payload_bytes);
        let header = header.inspect_err(|_| out.truncate(mark.start))?;
        if let Some(reserved) = out.get_mut(mark.start..mark.start + HEADER_BYTES) {
            reserved.copy_from_slice(&header);
        }
        Ok(())
    }

    /// Appends a message.
    ///
    /// # Errors
    /// [`TooLong`] above the peer's limit; nothing is appended.
    pub fn write_message(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.write(FrameType::Message, payload, out)
    }

    /// Appends a ping.
    ///
    /// # Errors
    /// [`TooLong`] above the peer's limit; nothing is appended.
    pub fn write_ping(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.write(FrameType::Ping, payload, out)
    }

    /// Appends a pong.
    ///
    /// # Errors
    /// [`TooLong`] above the peer's limit; nothing is appended.
    pub fn write_pong(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.write(FrameType::Pong, payload, out)
    }

    fn write(&self, kind: FrameType, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        let header = self.header(kind, payload.len())?;
        out.reserve(HEADER_BYTES + payload.len());
        out.extend_from_slice(&header);
        out.extend_from_slice(payload);
        Ok(())
    }

    fn header(&self, kind: FrameType, bytes: usize) -> Result<[u8; HEADER_BYTES], TooLong> {
        if bytes > self.limit.bytes() {
            return Err(TooLong {
                bytes,
                bytes_max: self.limit.bytes(),
            });
        }
        frame_header(kind, bytes)
    }
}
