//! Values of any shape, and how they are read and written in a serializer chosen at run time.

use proptest::prelude::*;
use wampy_proto::serializer::Reader;
use wampy_proto::serializer::cbor::{CborReader, CborWriter};
use wampy_proto::serializer::json::{JsonReader, JsonWriter};
use wampy_proto::serializer::msgpack::{MsgPackReader, MsgPackWriter};
use wampy_proto::{DecodeError, Serializer, Value};

/// Text that JSON keeps: it does not begin with U+0000, which would make it bytes there.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9_.]{0,12}",
        1 => "[a-z]{30,40}",
        2 => any::<String>().prop_filter("bytes in JSON", |text| !text.starts_with('\0')),
        1 => "[\"\\\\/\u{8}\u{c}\n\r\t\u{1}-\u{1f}\u{7f}ü€😀 ]{0,12}",
    ]
}

/// A finite number with a fraction, or a whole one in the form of a float.
pub fn float() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    prop_oneof![
        POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO,
        (-1e6..1e6).prop_map(f64::round)
    ]
}

pub fn unsigned() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..40u64,
        any::<u8>().prop_map(u64::from),
        any::<u16>().prop_map(u64::from),
        any::<u32>().prop_map(u64::from),
        any::<u64>()
    ]
}

/// A number below 0, of any width.
pub fn signed() -> impl Strategy<Value = i64> {
    (0..63u32, any::<i64>()).prop_map(|(shift, bits)| (bits >> shift) | i64::MIN >> shift)
}

/// A value that every serializer keeps as it is.
pub fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        unsigned().prop_map(Value::Unsigned),
        signed().prop_map(Value::Signed),
        float().prop_map(Value::Float),
        text().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            list(inner.clone()).prop_map(Value::List),
            map(inner).prop_map(Value::Map)
        ]
    })
    .boxed()
}

pub fn list(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(inner, 0..6)
}

pub fn map(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<(String, Value)>> {
    prop::collection::vec((text(), inner), 0..6)
}

pub fn serializer() -> impl Strategy<Value = Serializer> {
    prop::sample::select(Serializer::ALL.to_vec())
}

/// What to do with a reader of whichever serializer.
pub trait Read {
    type Output;

    fn with<'a, R: Reader<'a>>(self, reader: R) -> Self::Output;
}

pub fn read<F: Read>(serializer: Serializer, bytes: &[u8], read: F) -> F::Output {
    match serializer {
        Serializer::Json => read.with(JsonReader::new(bytes)),
        Serializer::MsgPack => read.with(MsgPackReader::new(bytes)),
        Serializer::Cbor => read.with(CborReader::new(bytes)),
    }
}

struct ReadValue;

impl Read for ReadValue {
    type Output = Result<(Value, usize), DecodeError>;

    fn with<'a, R: Reader<'a>>(self, mut reader: R) -> Self::Output {
        Ok((Value::read_from(&mut reader)?, reader.offset()))
    }
}

struct Skip;

impl Read for Skip {
    type Output = Result<(Vec<u8>, usize), DecodeError>;

    fn with<'a, R: Reader<'a>>(self, mut reader: R) -> Self::Output {
        Ok((reader.skip()?.to_vec(), reader.offset()))
    }
}

/// The first value of `bytes` and where it ends.
pub fn first_value(serializer: Serializer, bytes: &[u8]) -> Result<(Value, usize), DecodeError> {
    read(serializer, bytes, ReadValue)
}

/// The bytes of the first value of `bytes`, skipped over, and where it ends.
pub fn first_skipped(
    serializer: Serializer,
    bytes: &[u8],
) -> Result<(Vec<u8>, usize), DecodeError> {
    read(serializer, bytes, Skip)
}

/// The value that is all of `bytes`.
pub fn decode(serializer: Serializer, bytes: &[u8]) -> Result<Value, DecodeError> {
    struct ReadAll;
    impl Read for ReadAll {
        type Output = Result<Value, DecodeError>;

        fn with<'a, R: Reader<'a>>(self, mut reader: R) -> Self::Output {
            let value = Value::read_from(&mut reader)?;
            reader.finish()?;
            Ok(value)
        }
    }
    read(serializer, bytes, ReadAll)
}

pub fn encode(serializer: Serializer, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match serializer {
        Serializer::Json => value.write_to(&mut JsonWriter::new(&mut out)),
        Serializer::MsgPack => value.write_to(&mut MsgPackWriter::new(&mut out)),
        Serializer::Cbor => value.write_to(&mut CborWriter::new(&mut out)),
    }
    out
}

pub fn transcode(from: Serializer, encoded: &[u8], to: Serializer) -> Result<Vec<u8>, DecodeError> {
    use wampy_proto::serializer::transcode;
    let mut out = Vec::new();
    match to {
        Serializer::Json => transcode(from, encoded, &mut JsonWriter::new(&mut out)),
        Serializer::MsgPack => transcode(from, encoded, &mut MsgPackWriter::new(&mut out)),
        Serializer::Cbor => transcode(from, encoded, &mut CborWriter::new(&mut out)),
    }?;
    Ok(out)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text, in which spaces do not count.
pub fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}
