//! The serializers: how a message, and any value in it, becomes bytes.
//!
//! Each serializer has a [`Reader`] that pulls tokens from a slice and a [`Writer`] that appends to
//! a vector; everything else (messages, options, payloads, serde) is written once over these two
//! traits. A reader validates all that it passes over, also what it skips: bytes that came in
//! through it can be forwarded as they are.
//!
//! To add a serializer: `serializer/<name>.rs` with a reader and a writer, a variant of
//! [`Serializer`], and its row in [`SERIALIZERS`].
//!
//! Deliberately absent: UBJSON and FlatBuffers, whose wire forms are not agreed between
//! implementations.

pub mod cbor;
mod head;
pub mod json;
pub mod msgpack;
mod option_value;
mod reader;
mod serde_bridge;
mod text;
mod transcode;
mod usual;
mod writer;

use std::borrow::Cow;

pub use option_value::{ELEMENTS_MAX, OptionValue, VALUE_BYTES_MAX};
use reader::why_not;
pub use reader::{Reader, Seq, Token};
pub use serde_bridge::{deserialize, serialize};
use text::{is_text, text, text_if_ascii};
pub(crate) use transcode::is_nested_within;
pub use transcode::transcode;
pub(crate) use usual::UsualReader;
pub use writer::{Uncounted, Writer};

/// The deepest nesting of lists and maps that a reader accepts, in levels.
pub const DEPTH_MAX: usize = 128;

/// A serializer that WAMP names.
///
/// ```
/// use wampy_proto::Serializer;
///
/// assert_eq!(Serializer::from_name("cbor"), Some(Serializer::Cbor));
/// assert!(!Serializer::Json.row().binary);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Serializer {
    /// JSON text; bytes as a string of U+0000 and base64.
    Json,
    /// MessagePack, the version that tells text from bytes.
    MsgPack,
    /// CBOR.
    Cbor,
}

/// What the transports need to know of a serializer.
#[derive(Debug)]
pub struct SerializerRow {
    /// The serializer.
    pub serializer: Serializer,
    /// Its short name, for people.
    pub name: &'static str,
    /// The WebSocket subprotocol that selects it.
    pub subprotocol: &'static str,
    /// The WebSocket subprotocol that selects it and puts messages into batches.
    pub batched_subprotocol: &'static str,
    /// Its number in the RawSocket handshake.
    pub rawsocket_id: u8,
    /// Whether its WebSocket messages are binary (else text).
    pub binary: bool,
}

/// All serializers, the preferred first.
pub const SERIALIZERS: [SerializerRow; 3] = [
    SerializerRow {
        serializer: Serializer::MsgPack,
        name: "msgpack",
        subprotocol: "wamp.2.msgpack",
        batched_subprotocol: "wamp.2.msgpack.batched",
        rawsocket_id: 2,
        binary: true,
    },
    SerializerRow {
        serializer: Serializer::Cbor,
        name: "cbor",
        subprotocol: "wamp.2.cbor",
        batched_subprotocol: "wamp.2.cbor.batched",
        rawsocket_id: 3,
        binary: true,
    },
    SerializerRow {
        serializer: Serializer::Json,
        name: "json",
        subprotocol: "wamp.2.json",
        batched_subprotocol: "wamp.2.json.batched",
        rawsocket_id: 1,
        binary: false,
    },
];

impl Serializer {
    /// All serializers, the preferred first.
    pub const ALL: [Self; 3] = [Self::MsgPack, Self::Cbor, Self::Json];

    /// The serializer's row in [`SERIALIZERS`].
    pub fn row(self) -> &'static SerializerRow {
        match self {
            Self::MsgPack => &SERIALIZERS[0],
            Self::Cbor => &SERIALIZERS[1],
            Self::Json => &SERIALIZERS[2],
        }
    }

    /// The serializer with the short name `name`, such as `json`.
    pub fn from_name(name: &str) -> Option<Self> {
        SERIALIZERS
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.serializer)
    }

    /// The serializer with the number `id` in the RawSocket handshake.
    pub fn from_rawsocket_id(id: u8) -> Option<Self> {
        SERIALIZERS
            .iter()
            .find(|row| row.rawsocket_id == id)
            .map(|row| row.serializer)
    }
}

/// What was wrong with bytes that should have been a message or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at byte {offset})")]
pub struct DecodeError {
    /// What was wrong, in words.
    pub problem: Cow<'static, str>,
    /// Where: the offset in the slice that was being read, in bytes.
    pub offset: usize,
}

/// A value cannot be written in a serializer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode the value: {0}")]
pub struct EncodeError(pub Cow<'static, str>);

const ENDS_TOO_EARLY: &str = "the bytes end too early";
const NESTED_TOO_DEEPLY: &str = "the value is nested too deeply";
const NOT_UTF8: &str = "text is not UTF-8";
const SOMETHING_FOLLOWS: &str = "something follows the last value";

/// Runs `$body` with `$reader` as a reader of `$serializer` over `$bytes`.
macro_rules! with_reader {
    ($serializer:expr, $bytes:expr, |$reader:ident| $body:expr) => {
        match $serializer {
            $crate::serializer::Serializer::Json => {
                let mut $reader = <$crate::serializer::json::JsonReader<'_> as $crate::serializer::Reader<'_>>::new($bytes);
                $body
            }
            $crate::serializer::Serializer::MsgPack => {
                let mut $reader = <$crate::serializer::msgpack::MsgPackReader<'_> as $crate::serializer::Reader<'_>>::new($bytes);
                $body
            }
            $crate::serializer::Serializer::Cbor => {
                let mut $reader = <$crate::serializer::cbor::CborReader<'_> as $crate::serializer::Reader<'_>>::new($bytes);
                $body
            }
        }
    };
}

/// Runs `$body` with `$writer` as a writer of `$serializer` that appends to `$out`.
macro_rules! with_writer {
    ($serializer:expr, $out:expr, |$writer:ident| $body:expr) => {
        match $serializer {
            $crate::serializer::Serializer::Json => {
                let mut $writer = $crate::serializer::json::JsonWriter::new($out);
                $body
            }
            $crate::serializer::Serializer::MsgPack => {
                let mut $writer = $crate::serializer::msgpack::MsgPackWriter::new($out);
                $body
            }
            $crate::serializer::Serializer::Cbor => {
                let mut $writer = $crate::serializer::cbor::CborWriter::new($out);
                $body
            }
        }
    };
}

pub(crate) use {with_reader, with_writer};
