//! RawSocket's opening handshake: `7F | LLLL SSSS | 00 | 00` both ways, or `7F | EEEE 0000 | 00 | 00`
//! as the router's refusal.

use super::LengthLimit;

/// First octet of every handshake; no HTTP request and no TLS record starts with it.
pub const MAGIC: u8 = 0x7f;

/// Size of each side's handshake.
pub const HANDSHAKE_BYTES: usize = 4;

/// What the client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientHello {
    /// Number of the serializer, 1 to 15 (1 JSON, 2 MessagePack, 3 CBOR).
    pub serializer: u8,
    /// Largest message the client accepts.
    pub limit: LengthLimit,
}

/// The router accepts: it echoes the serializer and announces its own limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouterAccept {
    /// The serializer the client asked for.
    pub serializer: u8,
    /// Largest message the router accepts.
    pub limit: LengthLimit,
}

/// Why a router refuses a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Error 1.
    #[error("serializer unsupported")]
    SerializerUnsupported,
    /// Error 2.
    #[error("maximum message length unacceptable")]
    LengthUnacceptable,
    /// Error 3.
    #[error("use of reserved bits (unsupported feature)")]
    ReservedBits,
    /// Error 4.
    #[error("maximum connection count reached")]
    ConnectionCount,
    /// Errors 5 to 15, which the specification keeps for later.
    #[error("reserved error number {0}")]
    Reserved(u8),
}

/// A client's handshake that cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The first octet is not [`MAGIC`]: close without an answer.
    #[error("first octet {0:#04x} is not RawSocket's 0x7f")]
    NotRawSocket(u8),
    /// Serializer 0 is illegal: close without an answer.
    #[error("serializer 0 is illegal")]
    SerializerZero,
    /// Octets 3 and 4 must be zero: answer with [`Refusal::ReservedBits`].
    #[error("reserved octets are {0:#04x} {1:#04x} instead of zero")]
    ReservedBits(u8, u8),
}

impl HelloError {
    /// The octets to answer with before closing, if the specification has an answer.
    #[must_use]
    pub fn reply(&self) -> Option<[u8; HANDSHAKE_BYTES]> {
        match self {
            Self::ReservedBits(..) => Some(Refusal::ReservedBits.encode()),
            Self::NotRawSocket(_) | Self::SerializerZero => None,
        }
    }
}

impl ClientHello {
    /// The octets a client opens with.
    #[must_use]
    pub fn encode(self) -> [u8; HANDSHAKE_BYTES] {
        [
            MAGIC,
            self.limit.nibble() << 4 | self.serializer & 0x0f,
            0,
            0,
        ]
    }

    /// Reads a client's handshake from the front of `buf`; `None` if it is not complete yet.
    ///
    /// # Errors
    /// [`HelloError`], as soon as the octets at hand show it.
    pub fn decode(buf: &[u8]) -> Result<Option<Self>, HelloError> {
        match *buf {
            [first, ..] if first != MAGIC => Err(HelloError::NotRawSocket(first)),
            [_, second, ..] if second & 0x0f == 0 => Err(HelloError::SerializerZero),
            [_, second, third, fourth, ..] => {
                if third != 0 || fourth != 0 {
                    return Err(HelloError::ReservedBits(third, fourth));
                }
                let (limit, serializer) = (LengthLimit::from_nibble(second >> 4), second & 0x0f);
                Ok(Some(Self { serializer, limit }))
            }
            _ => Ok(None),
        }
    }
}

impl Refusal {
    /// The octets a router refuses with.
    ///
    /// Error number 0 is never sent: [`Refusal::Reserved`] is mapped into 5 to 15.
    #[must_use]
    pub fn encode(self) -> [u8; HANDSHAKE_BYTES] {
        let number = match self {
            Self::SerializerUnsupported => 1,
            Self::LengthUnacceptable => 2,
            Self::ReservedBits => 3,
            Self::ConnectionCount => 4,
            Self::Reserved(number) => number.clamp(5, 15),
        };
        [MAGIC, number << 4, 0, 0]
    }
}

/// A router's answer that ends the connection attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The router said no.
    #[error("router refused the RawSocket handshake: {0}")]
    Refused(Refusal),
    /// Error 0 must not be used.
    #[error("router refused the RawSocket handshake with the illegal error number 0")]
    RefusedWithoutReason,
    /// The first octet is not [`MAGIC`].
    #[error("not a RawSocket router: the answer starts with {0:#04x} instead of 0x7f")]
    NotRawSocket(u8),
    /// The router must echo the serializer that the client asked for.
    #[error("router answered with serializer {got} instead of the requested {requested}")]
    SerializerMismatch {
        /// What the client asked for.
        requested: u8,
        /// What the router answered.
        got: u8,
    },
    /// Octets 3 and 4 must be zero.
    #[error("router uses reserved octets: {0:#04x} {1:#04x} instead of zero")]
    ReservedBits(u8, u8),
}

impl RouterAccept {
    /// The octets a router accepts with.
    #[must_use]
    pub fn encode(self) -> [u8; HANDSHAKE_BYTES] {
        [
            MAGIC,
            self.limit.nibble() << 4 | self.serializer & 0x0f,
            0,
            0,
        ]
    }

    /// Reads a router's answer from the front of `buf`, given the serializer asked for; `None` if
    /// it is not complete yet.
    ///
    /// # Errors
    /// [`ReplyError`], as soon as the octets at hand show it.
    pub fn decode(buf: &[u8], requested: u8) -> Result<Option<Self>, ReplyError> {
        match *buf {
            [first, ..] if first != MAGIC => Err(ReplyError::NotRawSocket(first)),
            [_, second, ..] if second & 0x0f == 0 => Err(refusal(second >> 4)),
            [_, second, ..] if second & 0x0f != requested => Err(ReplyError::SerializerMismatch {
                requested,
                got: second & 0x0f,
            }),
            [_, second, third, fourth, ..] => {
                if third != 0 || fourth != 0 {
                    return Err(ReplyError::ReservedBits(third, fourth));
                }
                let limit = LengthLimit::from_nibble(second >> 4);
                Ok(Some(Self {
                    serializer: requested,
                    limit,
                }))
            }
            _ => Ok(None),
        }
    }
}

fn refusal(number: u8) -> ReplyError {
    ReplyError::Refused(match number {
        0 => return ReplyError::RefusedWithoutReason,
        1 => Refusal::SerializerUnsupported,
        2 => Refusal::LengthUnacceptable,
        3 => Refusal::ReservedBits,
        4 => Refusal::ConnectionCount,
        reserved => Refusal::Reserved(reserved),
    })
}
