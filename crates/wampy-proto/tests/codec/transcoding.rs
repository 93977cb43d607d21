//! Values carried from one serializer to another without a tree.

use proptest::prelude::*;
use wampy_proto::{Serializer, Value};

use super::values::{decode, encode, from_hex, hex, serializer, transcode, value};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_transcoded_value_is_the_value_encoded(
        value in value(), from in serializer(), to in serializer(),
    ) {
        let transcoded = transcode(from, &encode(from, &value), to).unwrap();
        prop_assert_eq!(transcoded, encode(to, &value));
    }
}

#[test]
fn lengths_that_come_last_are_written_first() {
    let elements = vec![Value::Unsigned(1); 70_000];
    for len in [0, 1, 15, 16, 23, 24, 255, 256, 65_535, 65_536, 70_000] {
        let list = Value::List(elements[..len].to_vec());
        let nested = Value::List(vec![list.clone(), Value::Map(vec![("k".to_owned(), list)])]);
        let json = encode(Serializer::Json, &nested);
        for to in [Serializer::MsgPack, Serializer::Cbor] {
            assert_eq!(
                transcode(Serializer::Json, &json, to),
                Ok(encode(to, &nested)),
                "{len}"
            );
        }
    }
}

#[test]
fn what_json_lacks_becomes_the_nearest() {
    let infinite = from_hex("93 cb7ff0000000000000 cb7ff8000000000000 c402 4142");
    let json = transcode(Serializer::MsgPack, &infinite, Serializer::Json).unwrap();
    assert_eq!(json, br#"[null,null,"\u0000QUI="]"#);
    let keys = transcode(
        Serializer::Cbor,
        &from_hex("a2 05f6 20f5"),
        Serializer::Json,
    )
    .unwrap();
    assert_eq!(keys, br#"{"5":null,"-1":true}"#);
}

#[test]
fn floats_and_integers_stay_apart() {
    let json = b"[1,1.0,-1,-1.0,1e2,0.1]";
    let msgpack = transcode(Serializer::Json, json, Serializer::MsgPack).unwrap();
    let back = transcode(Serializer::MsgPack, &msgpack, Serializer::Json).unwrap();
    assert_eq!(back, b"[1,1.0,-1,-1.0,100.0,0.1]");
}

#[test]
fn cbor_of_indefinite_length_becomes_definite() {
    let bytes = from_hex("bf 6161 9f 01 7f 6162 6163 ff ff ff");
    let cbor = transcode(Serializer::Cbor, &bytes, Serializer::Cbor).unwrap();
    assert_eq!(hex(&cbor), "a1616182016262 63".replace(' ', ""));
}

#[test]
fn malformed_values_and_what_follows_them_are_errors() {
    for json in ["[1,", "[1] 2", "{\"a\":\"\\ud800\"}", ""] {
        for to in Serializer::ALL {
            assert!(
                transcode(Serializer::Json, json.as_bytes(), to).is_err(),
                "{json}"
            );
        }
    }
    assert!(decode(Serializer::Json, b"[1]").is_ok());
}
