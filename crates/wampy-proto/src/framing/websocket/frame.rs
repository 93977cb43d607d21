//! Frame headers (RFC 6455, 5.2): reading with every check that needs no other frame, and writing.

use crate::framing::FramingError;

/// Largest payload of a control frame.
pub(super) const CONTROL_BYTES_MAX: usize = 125;
/// Size of the largest header: two bytes, eight of length, four of masking key.
pub(super) const HEADER_BYTES_MAX: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
/// The reserved bit with which RFC 7692 marks a compressed message.
const RSV1: u8 = 0x40;
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of a message.
    Continuation = 0,
    /// A text message or its first fragment.
    Text = 1,
    /// A binary message or its first fragment.
    Binary = 2,
    /// The closing handshake.
    Close = 8,
    /// Wants a pong with the same payload.
    Ping = 9,
    /// Answers a ping.
    Pong = 10,
}

impl Opcode {
    fn parse(nibble: u8) -> Result<Self, FramingError> {
        Ok(match nibble {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            reserved => return Err(FramingError::ReservedOpcode(reserved)),
        })
    }

    /// Whether frames of this kind may appear between the fragments of a message.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A received frame header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) fin: bool,
    /// Whether this is the beginning of a compressed message.
    pub(super) compressed: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) header_bytes: usize,
    pub(super) payload_bytes: u64,
}

/// What the bytes at hand say about a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Header(FrameHeader),
    /// The header is not complete; it has at least this many bytes.
    Incomplete(usize),
}

impl FrameHeader {
    /// Reads the header at the front of `buf`; `from_client` says whether the sender must mask,
    /// `may_compress` whether compression was agreed upon.
    #[inline]
    pub(super) fn parse(
        buf: &[u8],
        from_client: bool,
        may_compress: bool,
    ) -> Result<Parsed, FramingError> {
        let [first, second, rest @ ..] = buf else {
            if let [first] = buf {
                parse_first(*first, may_compress)?;
            }
            return Ok(Parsed::Incomplete(2));
        };
        let (fin, compressed, opcode) = parse_first(*first, may_compress)?;
        let masked = second & MASKED != 0;
        if masked != from_client {
            let unmasked = FramingError::UnmaskedFromClient;
            return Err(if from_client {
                unmasked
            } else {
                FramingError::MaskedFromServer
            });
        }
        let length = second & !MASKED;
        if opcode.is_control() && usize::from(length) > CONTROL_BYTES_MAX {
            return Err(FramingError::ControlTooLong);
        }
        let header_bytes = 2 + length_bytes(length) + if masked { 4 } else { 0 };
        let Some(payload_bytes) = parse_length(length, rest)? else {
            return Ok(Parsed::Incomplete(header_bytes));
        };
        let mask = match (masked, buf.get(header_bytes.wrapping_sub(4)..header_bytes)) {
            (false, _) => None,
            (true, Some(&[a, b, c, d])) => Some([a, b, c, d]),
            (true, _) => return Ok(Parsed::Incomplete(header_bytes)),
        };
        Ok(Parsed::Header(Self {
            fin,
            compressed,
            opcode,
            mask,
            header_bytes,
            payload_bytes,
        }))
    }
}

/// The size of the header at the front of `buf`, and that of the payload, if it is that of an unfragmented
/// and uncompressed message of less than 64 KiB: what nearly every frame is. Nothing is said of others.
#[inline]
pub(super) fn usual_header(buf: &[u8], from_client: bool) -> Option<(usize, usize)> {
    const TEXT: u8 = FIN | Opcode::Text as u8;
    const BINARY: u8 = FIN | Opcode::Binary as u8;
    // The shortest frames are no messages of WAMP.
    let [TEXT | BINARY, second, high, low, ..] = buf else {
        return None;
    };
    let (mask, key_bytes) = match from_client {
        true => (MASKED, 4),
        false => (0, 0),
    };
    match second ^ mask {
        length @ 0..=125 => Some((2 + key_bytes, length.into())),
        LENGTH_16 => {
            let length = u16::from_be_bytes([*high, *low]);
            (length > 125).then_some((4 + key_bytes, length.into()))
        }
        _ => None,
    }
}

/// The first byte: the only place that knows about reserved bits, and so about extensions.
#[inline]
fn parse_first(first: u8, may_compress: bool) -> Result<(bool, bool, Opcode), FramingError> {
    let (fin, reserved) = (first & FIN != 0, first & RESERVED);
    let opcode = Opcode::parse(first & 0x0f);
    let compressed = reserved != 0;
    if compressed {
        let begins_message = matches!(opcode, Ok(Opcode::Text | Opcode::Binary));
        if reserved != RSV1 || !may_compress || !begins_message {
            return Err(FramingError::ReservedBits(reserved >> 4));
        }
    }
    let opcode = opcode?;
    if opcode.is_control() && !fin {
        return Err(FramingError::ControlFragmented);
    }
    Ok((fin, compressed, opcode))
}

/// Size of the extended length that follows this length field.
fn length_bytes(length: u8) -> usize {
    match length {
        LENGTH_16 => 2,
        LENGTH_64 => 8,
        _ => 0,
    }
}

/// The payload's length from the length field and the bytes after it, if all of these are there.
#[inline]
fn parse_length(length: u8, rest: &[u8]) -> Result<Option<u64>, FramingError> {
    let (value, least, most) = match (length, rest) {
        (LENGTH_16, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 126, u64::MAX),
        (LENGTH_64, &[a, b, c, d, e, f, g, h, ..]) => (
            u64::from_be_bytes([a, b, c, d, e, f, g, h]),
            1 << 16,
            i64::MAX as u64,
        ),
        (LENGTH_16 | LENGTH_64, _) => return Ok(None),
        (length, _) => return Ok(Some(u64::from(length))),
    };
    if value < least || value > most {
        return Err(FramingError::LengthEncoding);
    }
    Ok(Some(value))
}

/// A header ready to be sent.
#[derive(Debug, Clone, Copy)]
pub struct EncodedHeader {
    bytes: [u8; HEADER_BYTES_MAX],
    length: u8,
}

impl EncodedHeader {
    /// The bytes to send in front of the payload.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// The same header for a message that is compressed.
    pub(super) fn of_compressed(mut self) -> Self {
        self.bytes[0] |= RSV1;
        self
    }
}

/// The header of an unfragmented frame with `payload_bytes` of payload. A client gives the key with
/// which it masks that payload, a server `None`.
#[must_use]
#[inline]
pub fn frame_header(opcode: Opcode, payload_bytes: usize, mask: Option<[u8; 4]>) -> EncodedHeader {
    let mut bytes = [0; HEADER_BYTES_MAX];
    bytes[0] = FIN | opcode as u8;
    let masked = if mask.is_some() { MASKED } else { 0 };
    let mut length = header_bytes(payload_bytes, false);
    match length {
        2 => bytes[1] = masked | payload_bytes as u8,
        4 => {
            bytes[1] = masked | LENGTH_16;
            bytes[2..4].copy_from_slice(&(payload_bytes as u16).to_be_bytes());
        }
        _ => {
            bytes[1] = masked | LENGTH_64;
            bytes[2..10].copy_from_slice(&(payload_bytes as u64).to_be_bytes());
        }
    }
    if let Some(key) = mask {
        bytes[length..length + 4].copy_from_slice(&key);
        length += 4;
    }
    EncodedHeader {
        bytes,
        length: length as u8,
    }
}

/// Writes the header of an unmasked message into the `header_bytes` that are reserved for it at the front
/// of its frame, if these are what it needs and the payload has less than 64 KiB. Else does nothing.
#[inline]
pub(super) fn put_short_header(opcode: Opcode, header_bytes: usize, frame: &mut [u8]) -> bool {
    let first = FIN | opcode as u8;
    let payload_bytes = frame.len().wrapping_sub(header_bytes);
    match (header_bytes, payload_bytes) {
        (2, 0..=125) => {
            let Some(header) = frame.first_chunk_mut() else {
                return false;
            };
            *header = [first, payload_bytes as u8];
        }
        (4, 126..=0xffff) => {
            let Some(header) = frame.first_chunk_mut() else {
                return false;
            };
            let [high, low] = (payload_bytes as u16).to_be_bytes();
            *header = [first, LENGTH_16, high, low];
        }
        _ => return false,
    }
    true
}

/// Size of the header of a frame with `payload_bytes` of payload.
#[inline]
pub(super) fn header_bytes(payload_bytes: usize, masked: bool) -> usize {
    let unmasked = match payload_bytes {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    };
    unmasked + if masked { 4 } else { 0 }
}
