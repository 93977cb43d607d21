//! Rust values ↔ encoded values, through serde.
//!
//! The shape of a value is the same in each serializer, so that a router may carry it from one to
//! another: types that ask are told that the form is human-readable, in the binary serializers too.
//! Enums are externally tagged, as serde has it; map keys that are integers become text.

mod decode;
mod encode;
mod failure;
mod key;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DEPTH_MAX, DecodeError, EncodeError, Reader, Serializer, with_reader, with_writer};

/// What is reserved for an encoded value: room for usual args.
const USUAL_BYTES: usize = 64;

/// Encodes `value`.
///
/// # Errors
/// The value has no form in WAMP: an integer beyond 64 bits, a map key that is neither text nor an
/// integer, more than [`DEPTH_MAX`] levels of lists and maps, or whatever its `Serialize` refuses.
pub fn serialize<T: Serialize + ?Sized>(
    serializer: Serializer,
    value: &T,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::with_capacity(USUAL_BYTES);
    with_writer!(serializer, &mut out, |writer| {
        value.serialize(encode::ValueSerializer::new(&mut writer, DEPTH_MAX))
    })?;
    Ok(out)
}

/// Decodes one value, all of `encoded`.
///
/// # Errors
/// The bytes are malformed, nested deeper than [`DEPTH_MAX`], or do not suit `T`.
pub fn deserialize<T: DeserializeOwned>(
    serializer: Serializer,
    encoded: &[u8],
) -> Result<T, DecodeError> {
    with_reader!(serializer, encoded, |reader| {
        match T::deserialize(decode::ValueDeserializer::new(&mut reader, DEPTH_MAX)) {
            Ok(value) => reader.finish().map(|()| value),
            Err(error) => Err(error.at(reader.offset())),
        }
    })
}
