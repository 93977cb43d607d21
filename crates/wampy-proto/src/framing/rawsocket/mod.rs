//! The RawSocket transport (advanced profile, "RawSocket Transport"): four octets of handshake each
//! way, then frames of a four octet header and a payload.
//!
//! Deliberately absent: which serializer has which number (that is a row of the serializer table)
//! and telling RawSocket from other transports on one port, beyond [`MAGIC`].

mod frame;
mod handshake;

pub use frame::{FrameType, RawSocketDecoder, RawSocketEncoder, frame_header};
pub use handshake::{
    ClientHello, HANDSHAKE_BYTES, HelloError, MAGIC, Refusal, ReplyError, RouterAccept,
};

/// Largest message any RawSocket peer can accept: 2^24 octets.
pub const MESSAGE_BYTES_MAX: usize = 1 << 24;

/// The `LENGTH` nibble of a handshake: a peer accepts messages of up to 2^(9 + nibble) octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LengthLimit(u8);

impl LengthLimit {
    /// 512 octets, the smallest limit that can be announced.
    pub const MIN: Self = Self(0);
    /// 2^24 octets, the largest limit that can be announced.
    pub const MAX: Self = Self(15);

    /// The largest limit that does not exceed `message_bytes_max`, or [`LengthLimit::MIN`].
    #[must_use]
    pub fn at_most(message_bytes_max: usize) -> Self {
        let exponent = message_bytes_max.max(1).ilog2();
        Self(exponent.clamp(9, 24) as u8 - 9)
    }

    /// The limit whose nibble is the low half of `nibble`.
    #[must_use]
    pub fn from_nibble(nibble: u8) -> Self {
        Self(nibble & 0x0f)
    }

    /// The `LENGTH` nibble, 0 to 15.
    #[must_use]
    pub fn nibble(self) -> u8 {
        self.0
    }

    /// The limit in octets.
    #[must_use]
    pub fn bytes(self) -> usize {
        1 << (9 + self.0)
    }
}

impl Default for LengthLimit {
    fn default() -> Self {
        Self::MAX
    }
}
