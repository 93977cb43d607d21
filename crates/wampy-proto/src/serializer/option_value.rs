//! The values that typed options and details have, over any serializer.

use super::{DecodeError, Reader, Token, Writer};
use crate::value::Value;

/// The most elements of a list among options: such a list takes many times the memory of its bytes.
pub const ELEMENTS_MAX: usize = 65_536;
/// The longest value of any shape among options, encoded, in bytes: a tree of values takes many
/// times the memory of its bytes.
pub const VALUE_BYTES_MAX: usize = 65_536;

/// A value of one key in the options or details of a message.
pub trait OptionValue<'a>: Sized + Default {
    /// Reads the value; ill-typed values are errors (an integer is no boolean).
    ///
    /// # Errors
    /// The bytes are malformed or hold a value of another type or range.
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError>;

    /// Whether the key is written at all.
    fn is_present(&self) -> bool;

    /// Writes the value.
    fn write<W: Writer>(&self, writer: &mut W);
}

impl<'a, T: OptionValue<'a> + Required<'a>> OptionValue<'a> for Option<T> {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        T::read(reader).map(Some)
    }

    fn is_present(&self) -> bool {
        self.is_some()
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        if let Some(value) = self {
            value.write(writer);
        }
    }
}

/// Marks the values that may stand in an `Option`.
pub trait Required<'a> {}

macro_rules! required {
    ($($type:ty),*) => {$(impl<'a> Required<'a> for $type {})*};
}
required!(bool, u64, Box<str>, Box<[u64]>, Box<[Box<str>]>, Value);

impl<'a> OptionValue<'a> for bool {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        match reader.token()? {
            Token::Bool(value) => Ok(value),
            other => Err(reader.expected("a boolean", &other)),
        }
    }

    fn is_present(&self) -> bool {
        *self
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        writer.bool(*self);
    }
}

impl<'a> OptionValue<'a> for u64 {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        match reader.token()? {
            Token::Unsigned(value) => Ok(value),
            Token::Signed(_) => Err(reader.error("expected an integer of 0 or more, found less")),
            // Some serializers of dynamic languages write whole numbers as floats.
            Token::Float(value) if value.fract() == 0.0 && (0.0..=9e15).contains(&value) => {
                Ok(value as Self)
            }
            other => Err(reader.expected("an integer", &other)),
        }
    }

    fn is_present(&self) -> bool {
        *self != 0
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        writer.unsigned(*self);
    }
}

impl<'a> OptionValue<'a> for Box<str> {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        match reader.token()? {
            Token::Text(text) => Ok(text.into()),
            other => Err(reader.expected("text", &other)),
        }
    }

    fn is_present(&self) -> bool {
        !self.is_empty()
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        writer.text(self);
    }
}

macro_rules! list_values {
    ($($element:ty),*) => {$(
        impl<'a> OptionValue<'a> for Box<[$element]> {
            fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
                let mut seq = reader.list()?;
                let mut list = Vec::new();
                while reader.more(&mut seq)? {
                    if list.len() == ELEMENTS_MAX {
                        return Err(reader.error("the list has more than 65536 elements"));
                    }
                    list.push(<$element>::read(reader)?);
                }
                Ok(list.into())
            }

            fn is_present(&self) -> bool {
                !self.is_empty()
            }

            fn write<W: Writer>(&self, writer: &mut W) {
                writer.begin_list(self.len());
                for element in self {
                    element.write(writer);
                }
                writer.end_list();
            }
        }
    )*};
}
list_values!(u64, Box<str>);

impl<'a> OptionValue<'a> for Value {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        let encoded = reader.skip()?;
        if encoded.len() > VALUE_BYTES_MAX {
            return Err(reader.error("the value has more than 65536 bytes"));
        }
        Self::read_from(&mut R::new(encoded))
    }

    fn is_present(&self) -> bool {
        *self != Self::Null
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        self.write_to(writer);
    }
}
