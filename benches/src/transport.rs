//! How messages travel: the transports, each with the encoding that it is measured with.
//!
//! Everything that depends on it is a `match` in [`crate::framing`] (where a message ends),
//! [`crate::incoming`] (what it says) or [`crate::outgoing`] (how it is written).

use crate::binary::Binary;

/// One transport with one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// RawSocket with MessagePack.
    RawSocketMsgpack,
    /// RawSocket with CBOR.
    RawSocketCbor,
    /// WebSocket with JSON.
    WebSocketJson,
    /// The text protocol of NATS, which is not WAMP: requests and replies for calls and results,
    /// published messages for events.
    Nats,
}

impl Transport {
    /// The name that tables show.
    pub fn name(self) -> &'static str {
        match self {
            Self::RawSocketMsgpack => "RawSocket-MessagePack",
            Self::RawSocketCbor => "RawSocket-CBOR",
            Self::WebSocketJson => "WebSocket-JSON",
            Self::Nats => "NATS",
        }
    }

    pub(crate) fn encoding(self) -> Encoding {
        match self {
            Self::RawSocketMsgpack => Encoding::Binary(Binary::Msgpack),
            Self::RawSocketCbor => Encoding::Binary(Binary::Cbor),
            Self::WebSocketJson => Encoding::Json,
            Self::Nats => Encoding::Nats,
        }
    }
}

/// How the values of a message are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Binary(Binary),
    /// Lines of text; the payload is bare.
    Nats,
}
