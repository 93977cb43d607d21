//! The readers and writers against other implementations of the three formats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use wampy_proto::{Serializer, Value};

use super::hostile::{damaged_value, near_binary, near_json};
use super::values::{decode, encode, first_value, value};

/// Whether two values are the same. An oracle's `-0` is a float.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Unsigned(0), Value::Float(zero)) => *zero == 0.0 && zero.is_sign_negative(),
        (Value::List(ours), Value::List(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        (Value::Map(ours), Value::Map(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (Value::Float(ours), Value::Float(theirs)) => {
            ours == theirs || (ours.is_nan() && theirs.is_nan())
        }
        _ => ours == theirs,
    }
}

/// Sorts each map by its keys, of equal ones the last counts: as serde_json does.
fn sorted(value: Value) -> Value {
    match value {
        Value::List(list) => Value::List(list.into_iter().map(sorted).collect()),
        Value::Map(map) => {
            let map: std::collections::BTreeMap<_, _> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            Value::Map(map.into_iter().collect())
        }
        other => other,
    }
}

fn of_json(value: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => Value::Unsigned(value),
            (_, Some(value), _) => Value::Signed(value),
            (_, _, float) => Value::Float(float.unwrap()),
        },
        Json::String(text) => match text.strip_prefix('\0').map(|rest| STANDARD.decode(rest)) {
            Some(Ok(bytes)) => Value::Bytes(bytes),
            _ => Value::Text(text),
        },
        Json::Array(list) => Value::List(list.into_iter().map(of_json).collect()),
        Json::Object(map) => {
            let map = map.into_iter().map(|(key, value)| (key, of_json(value)));
            sorted(Value::Map(map.collect()))
        }
    }
}

/// The value if WAMP knows its like.
fn of_msgpack(value: rmpv::Value) -> Option<Value> {
    use rmpv::Value as MsgPack;
    Some(match value {
        MsgPack::Nil => Value::Null,
        // JavaScript's `undefined`.
        MsgPack::Ext(0, content) if content == [0] => Value::Null,
        MsgPack::Boolean(value) => Value::Bool(value),
        MsgPack::Integer(number) => match number.as_u64() {
            Some(value) => Value::Unsigned(value),
            None => Value::Signed(number.as_i64()?),
        },
        MsgPack::F32(value) => Value::Float(value.into()),
        MsgPack::F64(value) => Value::Float(value),
        MsgPack::String(text) => Value::Text(text.into_str()?),
        MsgPack::Binary(bytes) => Value::Bytes(bytes),
        MsgPack::Array(list) => {
            Value::List(list.into_iter().map(of_msgpack).collect::<Option<_>>()?)
        }
        MsgPack::Map(map) => {
            let pairs = map
                .into_iter()
                .map(|(key, value)| Some((key_of(of_msgpack(key)?)?, of_msgpack(value)?)));
            Value::Map(pairs.collect::<Option<_>>()?)
        }
        // JavaScript's `undefined`.
        MsgPack::Ext(0, content) if content == [0] => Value::Null,
        MsgPack::Ext(..) => return None,
    })
}

fn key_of(key: Value) -> Option<String> {
    match key {
        Value::Text(text) => Some(text),
        Value::Unsigned(number) => Some(number.to_string()),
        Value::Signed(number) => Some(number.to_string()),
        _ => None,
    }
}

fn of_cbor(value: ciborium::Value) -> Option<Value> {
    use ciborium::Value as Cbor;
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(value) => Value::Bool(value),
        Cbor::Integer(number) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(value), _) => Value::Unsigned(value),
            (_, Ok(value)) => Value::Signed(value),
            _ => Value::Float(i128::from(number) as f64),
        },
        Cbor::Float(value) => Value::Float(value),
        Cbor::Text(text) => Value::Text(text),
        Cbor::Bytes(bytes) => Value::Bytes(bytes),
        Cbor::Array(list) => Value::List(list.into_iter().map(of_cbor).collect::<Option<_>>()?),
        Cbor::Map(map) => {
            let pairs = map
                .into_iter()
                .map(|(key, value)| Some((key_of(of_cbor(key)?)?, of_cbor(value)?)));
            Value::Map(pairs.collect::<Option<_>>()?)
        }
        Cbor::Tag(_, content) => of_cbor(*content)?,
        _ => return None,
    })
}

fn cbor_prefix(bytes: &[u8]) -> Option<(Value, usize)> {
    let mut rest = bytes;
    let value = of_cbor(ciborium::from_reader(&mut rest).ok()?)?;
    Some((value, bytes.len() - rest.len()))
}

/// Whether somewhere in the bytes may be a bignum, an integer key beyond 64 bits or a simple value
/// in two bytes, of which the oracle thinks otherwise.
fn may_differ(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .any(|byte| matches!(byte, 0xc2 | 0xc3 | 0xd8..=0xdb | 0x3b | 0xf8))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn near_json_is_read_as_serde_json_reads_it(bytes in near_json()) {
        check_json(&bytes)?;
    }

    #[test]
    fn damaged_json_is_read_as_serde_json_reads_it(bytes in damaged_value(Serializer::Json)) {
        check_json(&bytes)?;
    }

    #[test]
    fn msgpack_is_read_as_rmpv_reads_it(
        bytes in prop_oneof![near_binary(), damaged_value(Serializer::MsgPack)],
    ) {
        let mut rest = &bytes[..];
        let theirs = rmpv::decode::read_value(&mut rest).ok().and_then(of_msgpack);
        let theirs = theirs.map(|value| (value, bytes.len() - rest.len()));
        // `undefined` counts only in its shortest form.
        prop_assume!(!bytes.windows(2).any(|head| matches!(head, [0xc7, 1])));
        let ours = first_value(Serializer::MsgPack, &bytes);
        // The oracle takes the one unused byte for nil.
        let unused = ours.as_ref().is_err_and(|error| error.problem == "0xc1 begins no value");
        prop_assume!(!unused);
        let ours = ours.ok();
        prop_assert_eq!(ours.is_some(), theirs.is_some(), "{:?} {:?}", ours, theirs);
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.1, theirs.1);
            prop_assert!(same(&ours.0, &theirs.0), "{:?} {:?}", ours, theirs);
        }
    }

    #[test]
    fn cbor_is_read_as_ciborium_reads_it(
        bytes in prop_oneof![near_binary(), damaged_value(Serializer::Cbor)]
            .prop_filter("the oracle thinks otherwise", |bytes| !may_differ(bytes)),
    ) {
        let theirs = cbor_prefix(&bytes);
        let ours = first_value(Serializer::Cbor, &bytes).ok();
        prop_assert_eq!(ours.is_some(), theirs.is_some(), "{:?} {:?}", ours, theirs);
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            prop_assert_eq!(ours.1, theirs.1);
            prop_assert!(same(&ours.0, &theirs.0), "{:?} {:?}", ours, theirs);
        }
    }

    #[test]
    fn the_others_read_what_is_written(value in value()) {
        let json: serde_json::Value =
            serde_json::from_slice(&encode(Serializer::Json, &value)).unwrap();
        prop_assert!(same(&sorted(value.clone()), &of_json(json)));

        let msgpack = encode(Serializer::MsgPack, &value);
        let theirs = rmpv::decode::read_value(&mut &msgpack[..]).unwrap();
        let mut written_by_them = Vec::new();
        rmpv::encode::write_value(&mut written_by_them, &theirs).unwrap();
        prop_assert_eq!(of_msgpack(theirs), Some(value.clone()));
        prop_assert_eq!(written_by_them, msgpack);

        let cbor = encode(Serializer::Cbor, &value);
        let theirs: ciborium::Value = ciborium::from_reader(&cbor[..]).unwrap();
        let mut written_by_them = Vec::new();
        ciborium::into_writer(&theirs, &mut written_by_them).unwrap();
        prop_assert_eq!(of_cbor(theirs), Some(value.clone()));
        prop_assert_eq!(decode(Serializer::Cbor, &written_by_them), Ok(value));
    }
}

fn check_json(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<serde_json::Value>(bytes);
    let ours = decode(Serializer::Json, bytes);
    prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
    if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
        let (ours, theirs) = (sorted(ours), of_json(theirs));
        prop_assert!(same(&ours, &theirs), "{:?} {:?}", ours, theirs);
    }
    Ok(())
}
