//! A value of any shape, for what has no type of its own: `authextra`, private option keys, and
//! tools that show payloads.
//!
//! The message path never builds one.

mod serde;

use crate::serializer::{DEPTH_MAX, DecodeError, Reader, Token, Writer};

/// A value of any shape that WAMP can carry.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Null.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 0 or more.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A map, in the order in which it came.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// Reads the next value.
    ///
    /// # Errors
    /// The bytes are malformed or nested deeper than [`DEPTH_MAX`].
    pub fn read_from<'a, R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        Self::read_nested(reader, DEPTH_MAX)
    }

    fn read_nested<'a, R: Reader<'a>>(reader: &mut R, depth: usize) -> Result<Self, DecodeError> {
        let token = reader.token()?;
        let deeper = |reader: &R| {
            depth
                .checked_sub(1)
                .ok_or_else(|| reader.error("the value is nested too deeply"))
        };
        Ok(match token {
            Token::Null => Self::Null,
            Token::Bool(value) => Self::Bool(value),
            Token::Unsigned(value) => Self::Unsigned(value),
            Token::Signed(value) => Self::Signed(value),
            Token::Float(value) => Self::Float(value),
            Token::Text(value) => Self::Text(value.into_owned()),
            Token::Bytes(value) => Self::Bytes(value.into_owned()),
            Token::List(mut seq) => {
                let depth = deeper(reader)?;
                let mut list = Vec::new();
                while reader.more(&mut seq)? {
                    list.push(Self::read_nested(reader, depth)?);
                }
                Self::List(list)
            }
            Token::Map(mut seq) => {
                let depth = deeper(reader)?;
                let mut map = Vec::new();
                while reader.more(&mut seq)? {
                    let key = reader.key()?.into_owned();
                    map.push((key, Self::read_nested(reader, depth)?));
                }
                Self::Map(map)
            }
        })
    }

    /// Writes the value.
    pub fn write_to<W: Writer>(&self, writer: &mut W) {
        match self {
            Self::Null => writer.null(),
            Self::Bool(value) => writer.bool(*value),
            Self::Unsigned(value) => writer.unsigned(*value),
            Self::Signed(value) => writer.signed(*value),
            Self::Float(value) => writer.float(*value),
            Self::Text(value) => writer.text(value),
            Self::Bytes(value) => writer.bytes(value),
            Self::List(list) => {
                writer.begin_list(list.len());
                for value in list {
                    value.write_to(writer);
                }
                writer.end_list();
            }
            Self::Map(map) => {
                writer.begin_map(map.len());
                for (key, value) in map {
                    writer.key(key);
                    value.write_to(writer);
                }
                writer.end_map();
            }
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a whole number of 0 or more.
    pub const fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }
}
