//! What a peer did wrong on the framing level, and what to tell it.
//!
//! Everything here is the peer's fault; our own oversized messages are [`super::TooLong`], and
//! handshakes have their own errors.

use super::websocket::CloseCode;

/// The peer broke the framing rules or exceeded a limit: the connection must be failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingError {
    /// A frame, or a message of several fragments or after decompression, is larger than we accept.
    #[error("message of at least {bytes} bytes exceeds the limit of {bytes_max} bytes")]
    MessageTooLarge {
        /// What the peer announced or has sent so far.
        bytes: u64,
        /// Our limit, as announced in a RawSocket handshake.
        bytes_max: usize,
    },
    /// A message came in more fragments than we accept.
    #[error("message exceeds the limit of {fragments_max} fragments")]
    TooManyFragments {
        /// Our limit.
        fragments_max: u32,
    },
    /// A text message, or the reason in a close frame, is not UTF-8.
    #[error("text is not valid UTF-8")]
    InvalidUtf8,
    /// RFC 6455, 5.2: reserved bits are used though no extension was negotiated that knows them, or
    /// (RFC 7692, 6) on another frame than the first one of a message.
    #[error("reserved bits {0:#05b} are set where no negotiated extension allows them")]
    ReservedBits(u8),
    /// RFC 7692, 7.2.2: a compressed message that cannot be decompressed, or has no end.
    #[error("compressed message is no valid DEFLATE stream")]
    Deflate,
    /// RFC 6455, 5.2: opcodes 3 to 7 and 11 to 15 are reserved.
    #[error("reserved opcode {0}")]
    ReservedOpcode(u8),
    /// RFC 6455, 5.1: a client must mask its frames.
    #[error("client sent a frame without a mask")]
    UnmaskedFromClient,
    /// RFC 6455, 5.1: a server must not mask its frames.
    #[error("server sent a masked frame")]
    MaskedFromServer,
    /// RFC 6455, 5.2: the length must use the fewest bytes possible, and fit 63 bits.
    #[error("payload length is not encoded minimally or has its highest bit set")]
    LengthEncoding,
    /// RFC 6455, 5.5: control frames carry at most 125 bytes.
    #[error("control frame with more than 125 bytes")]
    ControlTooLong,
    /// RFC 6455, 5.5: control frames must not be fragmented.
    #[error("fragmented control frame")]
    ControlFragmented,
    /// RFC 6455, 5.4: a continuation frame without a message to continue.
    #[error("continuation frame without a message to continue")]
    NothingToContinue,
    /// RFC 6455, 5.4: a new message before the fragmented one is complete.
    #[error("new message inside a fragmented message")]
    InterruptedMessage,
    /// RFC 6455, 5.5.1: the body of a close frame starts with two bytes of code.
    #[error("close frame with a body of one byte")]
    CloseTruncated,
    /// RFC 6455, 7.4: a code that must not appear on the wire.
    #[error("close frame with the invalid code {0}")]
    CloseCodeInvalid(u16),
    /// WAMP, message batching: a batch holds at least one message.
    #[error("batch without a message")]
    EmptyBatch,
    /// WAMP, message batching: each JSON message is followed by the octet 0x1e.
    #[error("batch whose last message is not followed by the record separator 0x1e")]
    BatchSeparator,
    /// WAMP, message batching: the length in front of a binary message does not fit the batch.
    #[error("batch whose last {bytes} bytes are less than the length in front of its message says")]
    BatchLength {
        /// What is left of the batch, with the length itself.
        bytes: usize,
    },
    /// RawSocket: the four reserved bits of a frame's first octet must be zero.
    #[error("reserved bits of a RawSocket frame are set: first octet {0:#04x}")]
    RawSocketReservedBits(u8),
    /// RawSocket: frame types 3 to 7 are reserved.
    #[error("reserved RawSocket frame type {0}")]
    RawSocketReservedType(u8),
    /// RawSocket: the 25th length bit is only for exactly 2^24 octets.
    #[error("RawSocket frame has both its extra length bit and a length of {0}")]
    RawSocketLength(u32),
}

impl FramingError {
    /// The code to close a WebSocket with; RawSocket has no such thing, its connection just ends.
    #[must_use]
    pub fn close_code(&self) -> CloseCode {
        match self {
            Self::MessageTooLarge { .. } => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
            Self::InvalidUtf8 | Self::Deflate => CloseCode::INVALID_PAYLOAD,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }
}
