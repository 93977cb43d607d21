//! serde's `Deserializer` over any [`Reader`].

use std::borrow::Cow;

use serde::de::value::{CowStrDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::failure::Failure;
use super::key::KeyDeserializer;
use crate::serializer::{NESTED_TOO_DEEPLY, Reader, Seq, Token};

/// Reads one value that may have `depth` levels of lists and maps.
pub(super) struct ValueDeserializer<'r, R, T> {
    reader: &'r mut R,
    /// The value's first token, if it was looked at already.
    pending: Option<T>,
    depth: usize,
}

impl<'r, 'de, R: Reader<'de>> ValueDeserializer<'r, R, Token<'de>> {
    pub(super) const fn new(reader: &'r mut R, depth: usize) -> Self {
        Self {
            reader,
            pending: None,
            depth,
        }
    }

    fn token(&mut self) -> Result<Token<'de>, Failure> {
        Ok(match self.pending.take() {
            Some(token) => token,
            None => self.reader.token()?,
        })
    }

    fn elements(self, seq: Seq) -> Result<Elements<'r, R>, Failure> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| self.reader.error(NESTED_TOO_DEEPLY))?;
        Ok(Elements {
            reader: self.reader,
            seq,
            depth,
        })
    }

    fn visit<V: Visitor<'de>>(self, token: Token<'de>, visitor: V) -> Result<V::Value, Failure> {
        match token {
            Token::Null => visitor.visit_unit(),
            Token::Bool(value) => visitor.visit_bool(value),
            Token::Unsigned(value) => visitor.visit_u64(value),
            Token::Signed(value) => visitor.visit_i64(value),
            Token::Float(value) => visitor.visit_f64(value),
            Token::Text(Cow::Borrowed(value)) => visitor.visit_borrowed_str(value),
            Token::Text(Cow::Owned(value)) => visitor.visit_string(value),
            Token::Bytes(Cow::Borrowed(value)) => visitor.visit_borrowed_bytes(value),
            Token::Bytes(Cow::Owned(value)) => visitor.visit_byte_buf(value),
            Token::List(seq) => {
                let mut elements = self.elements(seq)?;
                let value = visitor.visit_seq(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
            Token::Map(seq) => {
                let mut elements = self.elements(seq)?;
                let value = visitor.visit_map(&mut elements)?;
                elements.finish()?;
                Ok(value)
            }
        }
    }

    /// Visits a list; bytes count as a list of integers, so that they fit a `Vec<u8>`.
    fn visit_list<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        match self.token()? {
            Token::Bytes(bytes) => {
                let mut elements = SeqDeserializer::<_, Failure>::new(bytes.iter().copied());
                let value = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(value)
            }
            other => self.visit(other, visitor),
        }
    }
}

impl<'de, R: Reader<'de>> Deserializer<'de> for ValueDeserializer<'_, R, Token<'de>> {
    type Error = Failure;

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf map
        struct identifier
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        let token = self.token()?;
        self.visit(token, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        match self.token()? {
            Token::Null => visitor.visit_none(),
            token => visitor.visit_some(Self {
                pending: Some(token),
                ..self
            }),
        }
    }

    /// Null, and an empty list or map: procedures without a result answer with either.
    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        match self.token()? {
            Token::List(seq) | Token::Map(seq) => {
                self.elements(seq)?.finish()?;
                visitor.visit_unit()
            }
            other => self.visit(other, visitor),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.visit_list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.visit_list(visitor)
    }

    /// Text for a variant without content, else a map of the one pair variant and content.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.token()? {
            Token::Text(variant) => visitor.visit_enum(CowStrDeserializer::<Failure>::new(variant)),
            Token::Map(seq) => {
                let mut elements = self.elements(seq)?;
                let value = visitor.visit_enum(Variant(&mut elements))?;
                elements.finish()?;
                Ok(value)
            }
            other => Err(Failure::custom(format_args!(
                "expected an enum's variant, text or a map of one pair, found {}",
                other.kind()
            ))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
        match self.pending.take() {
            Some(token) => self.reader.skip_rest(token)?,
            None => _ = self.reader.skip()?,
        }
        visitor.visit_unit()
    }
}

/// What is left of a list or map. It gives no hint of its size: the announced one is nothing but
/// the sender's word, and visitors reserve memory for hints.
struct Elements<'r, R> {
    reader: &'r mut R,
    seq: Seq,
    depth: usize,
}

impl<'de, R: Reader<'de>> Elements<'_, R> {
    fn value<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        seed.deserialize(ValueDeserializer::new(&mut *self.reader, self.depth))
    }

    /// Checks that nothing is left.
    fn finish(mut self) -> Result<(), Failure> {
        match self.reader.more(&mut self.seq)? {
            false => Ok(()),
            true => Err(Failure::custom("there are more elements than expected")),
        }
    }
}

impl<'de, R: Reader<'de>> SeqAccess<'de> for Elements<'_, R> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        match self.reader.more(&mut self.seq)? {
            true => self.value(seed).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de, R: Reader<'de>> MapAccess<'de> for Elements<'_, R> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        match self.reader.more(&mut self.seq)? {
            true => seed
                .deserialize(KeyDeserializer(self.reader.key()?))
                .map(Some),
            false => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        self.value(seed)
    }
}

/// The variant of an enum that has content.
struct Variant<'e, 'r, R>(&'e mut Elements<'r, R>);

impl<'de, R: Reader<'de>> EnumAccess<'de> for Variant<'_, '_, R> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Failure> {
        match self.0.next_key_seed(seed)? {
            Some(variant) => Ok((variant, self)),
            None => Err(Failure::custom(
                "expected an enum's variant, found an empty map",
            )),
        }
    }
}

impl<'de, R: Reader<'de>> VariantAccess<'de> for Variant<'_, '_, R> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        self.0.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Failure> {
        self.0.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        mut self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.content().deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        mut self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.content().deserialize_map(visitor)
    }
}

impl<'de, R: Reader<'de>> Variant<'_, '_, R> {
    fn content(&mut self) -> ValueDeserializer<'_, R, Token<'de>> {
        ValueDeserializer::new(&mut *self.0.reader, self.0.depth)
    }
}
