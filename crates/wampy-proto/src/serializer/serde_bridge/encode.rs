//! serde's `Serializer` over any [`Writer`].

use std::fmt::Display;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::key::KeySerializer;
use crate::serializer::{EncodeError, NESTED_TOO_DEEPLY, Uncounted, Writer};

const BEYOND_64_BITS: &str = "an integer beyond 64 bits";

impl serde::ser::Error for EncodeError {
    fn custom<T: Display>(problem: T) -> Self {
        Self(problem.to_string().into())
    }
}

/// Writes one value that may have `depth` levels of lists and maps.
pub(super) struct ValueSerializer<'w, W> {
    writer: &'w mut W,
    depth: usize,
}

impl<'w, W: Writer> ValueSerializer<'w, W> {
    pub(super) const fn new(writer: &'w mut W, depth: usize) -> Self {
        Self { writer, depth }
    }

    fn container(self, map: bool, len: Option<usize>) -> Result<Container<'w, W>, EncodeError> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or(EncodeError(NESTED_TOO_DEEPLY.into()))?;
        let uncounted = match len {
            None => Some(self.writer.begin_uncounted(map)),
            Some(len) if map => {
                self.writer.begin_map(len);
                None
            }
            Some(len) => {
                self.writer.begin_list(len);
                None
            }
        };
        let announced = len;
        Ok(Container {
            writer: self.writer,
            depth,
            map,
            uncounted,
            announced,
            written: 0,
            of_variant: false,
        })
    }

    /// Begins the map of one pair that stands for an enum's variant with content.
    fn variant(self, variant: &'static str) -> Result<Self, EncodeError> {
        let depth = self
            .depth
            .checked_sub(1)
            .ok_or(EncodeError(NESTED_TOO_DEEPLY.into()))?;
        self.writer.begin_map(1);
        self.writer.key(variant);
        Ok(Self {
            writer: self.writer,
            depth,
        })
    }

    fn variant_container(
        self,
        variant: &'static str,
        map: bool,
        len: usize,
    ) -> Result<Container<'w, W>, EncodeError> {
        let mut container = self.variant(variant)?.container(map, Some(len))?;
        container.of_variant = true;
        Ok(container)
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty) => $write:ident;)*) => {$(
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.writer.$write(value.into());
            Ok(())
        }
    )*};
}

impl<'w, W: Writer> Serializer for ValueSerializer<'w, W> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Container<'w, W>;
    type SerializeTuple = Container<'w, W>;
    type SerializeTupleStruct = Container<'w, W>;
    type SerializeTupleVariant = Container<'w, W>;
    type SerializeMap = Container<'w, W>;
    type SerializeStruct = Container<'w, W>;
    type SerializeStructVariant = Container<'w, W>;

    scalars! {
        serialize_bool(bool) => bool;
        serialize_i8(i8) => signed;
        serialize_i16(i16) => signed;
        serialize_i32(i32) => signed;
        serialize_i64(i64) => signed;
        serialize_u8(u8) => unsigned;
        serialize_u16(u16) => unsigned;
        serialize_u32(u32) => unsigned;
        serialize_u64(u64) => unsigned;
        serialize_f32(f32) => float;
        serialize_f64(f64) => float;
        serialize_str(&str) => text;
        serialize_bytes(&[u8]) => bytes;
    }

    fn serialize_i128(self, value: i128) -> Result<(), EncodeError> {
        match (u64::try_from(value), i64::try_from(value)) {
            (Ok(value), _) => self.writer.unsigned(value),
            (_, Ok(value)) => self.writer.signed(value),
            _ => return Err(EncodeError(BEYOND_64_BITS.into())),
        }
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), EncodeError> {
        let value = u64::try_from(value).map_err(|_| EncodeError(BEYOND_64_BITS.into()))?;
        self.serialize_u64(value)
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.writer.null();
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        let inner = self.variant(variant)?;
        value.serialize(ValueSerializer::new(&mut *inner.writer, inner.depth))?;
        inner.writer.end_map();
        Ok(())
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Container<'w, W>, EncodeError> {
        self.container(false, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<Container<'w, W>, EncodeError> {
        self.container(false, Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'w, W>, EncodeError> {
        self.container(false, Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'w, W>, EncodeError> {
        self.variant_container(variant, false, len)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Container<'w, W>, EncodeError> {
        self.container(true, len)
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<Container<'w, W>, EncodeError> {
        self.container(true, Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Container<'w, W>, EncodeError> {
        self.variant_container(variant, true, len)
    }
}

/// A list or map that is being written.
pub(super) struct Container<'w, W> {
    writer: &'w mut W,
    depth: usize,
    map: bool,
    uncounted: Option<Uncounted>,
    announced: Option<usize>,
    written: usize,
    of_variant: bool,
}

impl<W: Writer> Container<'_, W> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.written += 1;
        value.serialize(ValueSerializer::new(&mut *self.writer, self.depth))
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.writer.key(key);
        self.value(value)
    }

    fn finish(self) -> Result<(), EncodeError> {
        if self
            .announced
            .is_some_and(|announced| announced != self.written)
        {
            return Err(EncodeError(
                "another number of elements than announced".into(),
            ));
        }
        match self.uncounted {
            Some(open) => self.writer.end_uncounted(open, self.written),
            None if self.map => self.writer.end_map(),
            None => self.writer.end_list(),
        }
        if self.of_variant {
            self.writer.end_map();
        }
        Ok(())
    }
}

macro_rules! lists {
    ($($trait:ident: $method:ident;)*) => {$(
        impl<W: Writer> $trait for Container<'_, W> {
            type Ok = ();
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                self.value(value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        }
    )*};
}

lists! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

macro_rules! structs {
    ($($trait:ident),*) => {$(
        impl<W: Writer> $trait for Container<'_, W> {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), EncodeError> {
                self.finish()
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

impl<W: Writer> SerializeMap for Container<'_, W> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        key.serialize(KeySerializer::new(&mut *self.writer))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.value(value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.finish()
    }
}
