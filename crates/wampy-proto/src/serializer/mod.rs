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
pub mod json;
pub mod msgpack;
mod option_value;
mod serde_bridge;
mod transcode;

use std::borrow::Cow;

pub use option_value::OptionValue;
pub use serde_bridge::{deserialize, serialize};
pub use transcode::transcode;

/// The deepest nesting of lists and maps that a reader accepts, in levels.
pub const DEPTH_MAX: usize = 128;

/// A serializer that WAMP names.
///
/// ```
/// use wampy_proto::Serializer;
///
/// assert_eq!(Serializer::from_name("cbor"), Some(Serializer::Cbor));
/// assert_eq!(Serializer::from_subprotocol("wamp.2.msgpack"), Some(Serializer::MsgPack));
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
        rawsocket_id: 2,
        binary: true,
    },
    SerializerRow {
        serializer: Serializer::Cbor,
        name: "cbor",
        subprotocol: "wamp.2.cbor",
        rawsocket_id: 3,
        binary: true,
    },
    SerializerRow {
        serializer: Serializer::Json,
        name: "json",
        subprotocol: "wamp.2.json",
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

    /// The serializer that the WebSocket subprotocol `subprotocol` selects.
    pub fn from_subprotocol(subprotocol: &str) -> Option<Self> {
        SERIALIZERS
            .iter()
            .find(|row| row.subprotocol == subprotocol)
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

/// One step of a value as a [`Reader`] sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Token<'a> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 0 or more.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// A number with a fraction or exponent, or beyond 64 bits.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// The begin of a list: its elements follow while [`Reader::more`].
    List(Seq),
    /// The begin of a map: [`Reader::key`] and a value follow while [`Reader::more`].
    Map(Seq),
}

impl Token<'_> {
    /// What the token is, for error texts.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// How far a reader has come in one list or map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seq {
    /// The elements (or pairs) still to come, where the serializer says so in advance. Nothing
    /// but the sender's word: memory must not be reserved for it.
    pub remaining: Option<u64>,
    /// Whether an element has been read.
    pub started: bool,
    /// Whether this is a map.
    pub is_map: bool,
}

impl Seq {
    const fn list(remaining: Option<u64>) -> Self {
        Self {
            remaining,
            started: false,
            is_map: false,
        }
    }

    const fn map(remaining: Option<u64>) -> Self {
        Self {
            remaining,
            started: false,
            is_map: true,
        }
    }

    /// Remembers that the end was stepped over.
    const fn end(&mut self) {
        self.remaining = Some(0);
    }

    /// Takes one off the announced elements; false if none is left.
    #[inline]
    const fn count_down(&mut self) -> bool {
        self.started = true;
        match &mut self.remaining {
            Some(0) | None => false,
            Some(remaining) => {
                *remaining -= 1;
                true
            }
        }
    }
}

/// A list or map that is being written and whose length is told at its end.
#[derive(Debug)]
#[must_use = "the list or map must be ended"]
pub struct Uncounted {
    /// Where it begins in the output.
    at: usize,
    map: bool,
}

impl Uncounted {
    /// Puts `head` in the place of the one byte that was written for it.
    fn set_head(self, out: &mut Vec<u8>, head: &[u8]) {
        if let (&[only], Some(place)) = (head, out.get_mut(self.at)) {
            *place = only;
        } else {
            out.splice(self.at..=self.at, head.iter().copied());
        }
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

/// Pulls tokens from a slice of encoded bytes.
///
/// ```
/// use wampy_proto::serializer::{Reader, json::JsonReader};
///
/// let mut reader = JsonReader::new(br#"{"count": 3, "rest": [1, 2]}"#);
/// let mut map = reader.map()?;
/// let mut skipped = Vec::new();
/// while reader.more(&mut map)? {
///     skipped.push((reader.key()?, reader.skip()?));
/// }
/// reader.finish()?;
/// assert_eq!(skipped[1], ("rest".into(), &b"[1, 2]"[..]));
/// # Ok::<(), wampy_proto::DecodeError>(())
/// ```
///
/// Containers are read by the caller's loop, so a reader needs no stack; [`Reader::skip`] and
/// whoever recurses must stop at [`DEPTH_MAX`].
pub trait Reader<'a>: Sized {
    /// Which serializer this reads.
    const SERIALIZER: Serializer;

    /// A reader at the begin of `bytes`.
    fn new(bytes: &'a [u8]) -> Self;

    /// The next token. For a map's value, [`Reader::key`] comes first.
    ///
    /// # Errors
    /// The bytes are malformed or end too early.
    fn token(&mut self) -> Result<Token<'a>, DecodeError>;

    /// Whether another element (or pair) of `seq` follows; steps over separators and the end.
    /// Behind the end, the answer stays false.
    ///
    /// # Errors
    /// The bytes are malformed or end too early.
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError>;

    /// The key of a map's next pair. A key that is a whole number counts as its decimal text.
    ///
    /// # Errors
    /// The bytes are malformed, end too early, or the key is something else.
    fn key(&mut self) -> Result<Cow<'a, str>, DecodeError>;

    /// Steps over the next value, whole, and returns its bytes. Validates all of it.
    ///
    /// # Errors
    /// The bytes are malformed, end too early, or are nested deeper than [`DEPTH_MAX`].
    fn skip(&mut self) -> Result<&'a [u8], DecodeError>;

    /// Steps over the next value if it is null, and says whether it was.
    fn skip_null(&mut self) -> bool;

    /// The offset of the next byte to read.
    fn offset(&self) -> usize;

    /// Checks that nothing follows the last value.
    ///
    /// # Errors
    /// Something follows.
    fn finish(&mut self) -> Result<(), DecodeError>;

    /// An error at the current offset.
    fn error(&self, problem: impl Into<Cow<'static, str>>) -> DecodeError {
        DecodeError {
            problem: problem.into(),
            offset: self.offset(),
        }
    }

    /// Begins a list.
    ///
    /// # Errors
    /// The next value is something else, or malformed.
    fn list(&mut self) -> Result<Seq, DecodeError> {
        match self.token()? {
            Token::List(seq) => Ok(seq),
            other => Err(self.error(format!("expected a list, found {}", other.kind()))),
        }
    }

    /// Begins a map.
    ///
    /// # Errors
    /// The next value is something else, or malformed.
    fn map(&mut self) -> Result<Seq, DecodeError> {
        match self.token()? {
            Token::Map(seq) => Ok(seq),
            other => Err(self.error(format!("expected a map, found {}", other.kind()))),
        }
    }

    /// Steps over what is left of the value that `token` began.
    ///
    /// # Errors
    /// As for [`Reader::skip`].
    fn skip_rest(&mut self, token: Token<'a>) -> Result<(), DecodeError> {
        match token {
            Token::List(mut seq) => {
                while self.more(&mut seq)? {
                    self.skip()?;
                }
            }
            Token::Map(mut seq) => {
                while self.more(&mut seq)? {
                    self.key()?;
                    self.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Appends encoded values to a vector.
///
/// The caller keeps the structure well formed: as many elements as announced, a key before each
/// value of a map, an `end_*` for each `begin_*`.
pub trait Writer {
    /// Which serializer this writes.
    const SERIALIZER: Serializer;

    /// Writes null.
    fn null(&mut self);
    /// Writes a boolean.
    fn bool(&mut self, value: bool);
    /// Writes a whole number of 0 or more, in the fewest bytes.
    fn unsigned(&mut self, value: u64);
    /// Writes a whole number, in the fewest bytes.
    fn signed(&mut self, value: i64);
    /// Writes a float. JSON has no NaN and no infinities: they become null there.
    fn float(&mut self, value: f64);
    /// Writes text.
    fn text(&mut self, value: &str);
    /// Writes bytes (in JSON as text of U+0000 and base64).
    fn bytes(&mut self, value: &[u8]);
    /// Begins a list of `len` elements.
    fn begin_list(&mut self, len: usize);
    /// Ends the list begun last.
    fn end_list(&mut self);
    /// Begins a map of `len` pairs.
    fn begin_map(&mut self, len: usize);
    /// Writes the key of a map's next pair.
    fn key(&mut self, key: &str);
    /// Ends the map begun last.
    fn end_map(&mut self);
    /// Begins a list, or a map, whose length is not known yet.
    fn begin_uncounted(&mut self, map: bool) -> Uncounted;
    /// Ends the list or map begun last by [`Writer::begin_uncounted`], of `len` elements or pairs.
    /// This may move what was written since.
    fn end_uncounted(&mut self, open: Uncounted, len: usize);
    /// Writes a value that is encoded in this serializer already.
    fn raw(&mut self, encoded: &[u8]);
}

const ENDS_TOO_EARLY: &str = "the bytes end too early";
const NESTED_TOO_DEEPLY: &str = "the value is nested too deeply";
const NOT_UTF8: &str = "text is not UTF-8";
const SOMETHING_FOLLOWS: &str = "something follows the last value";

/// Checks that `bytes` are UTF-8.
#[inline]
fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| NOT_UTF8)
}

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
