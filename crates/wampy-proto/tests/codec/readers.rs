//! The corners of the three formats, one by one.

use wampy_proto::{Serializer, Value};

use super::values::{decode, encode, first_skipped, from_hex, hex, transcode};

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    decode(Serializer::Json, text.as_bytes()).map_err(|error| error.problem.into_owned())
}

fn msgpack(digits: &str) -> Result<Value, String> {
    decode(Serializer::MsgPack, &from_hex(digits)).map_err(|error| error.problem.into_owned())
}

fn cbor(digits: &str) -> Result<Value, String> {
    decode(Serializer::Cbor, &from_hex(digits)).map_err(|error| error.problem.into_owned())
}

#[test]
fn json_numbers() {
    for (number, expected) in [
        ("0", Value::Unsigned(0)),
        ("-0", Value::Unsigned(0)),
        ("18446744073709551615", Value::Unsigned(u64::MAX)),
        (
            "18446744073709551616",
            Value::Float(18_446_744_073_709_551_616.0),
        ),
        ("-9223372036854775808", Value::Signed(i64::MIN)),
        (
            "-9223372036854775809",
            Value::Float(-9_223_372_036_854_775_808.0),
        ),
        (
            "9999999999999999999",
            Value::Unsigned(9_999_999_999_999_999_999),
        ),
        (
            "-999999999999999999",
            Value::Signed(-999_999_999_999_999_999),
        ),
        ("1.0", Value::Float(1.0)),
        ("1e3", Value::Float(1000.0)),
        ("-1.5E-3", Value::Float(-0.0015)),
        ("1e-999", Value::Float(0.0)),
        ("1.7976931348623157e308", Value::Float(f64::MAX)),
        ("5e-324", Value::Float(5e-324)),
    ] {
        assert_eq!(json(number), Ok(expected), "{number}");
    }
    for number in [
        "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "01", "-01", "0x1", "1_0", "NaN", "Infinity",
    ] {
        assert!(json(number).is_err(), "{number}");
    }
    let long = "9".repeat(400);
    for number in ["1e309", "-1e999", "1e+0400", &long, &format!("{long}.5")] {
        assert_eq!(
            json(number),
            Err("a number beyond the range of a float".to_owned())
        );
        assert!(first_skipped(Serializer::Json, number.as_bytes()).is_err());
    }
    assert!(matches!(json(&"9".repeat(300)), Ok(Value::Float(_))));
}

#[test]
fn json_strings() {
    for (string, expected) in [
        (r#""""#, ""),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u00fc\u20AC\ud83d\ude00x""#, "ü€😀x"),
        (r#""12345678\n12345678ü""#, "12345678\n12345678ü"),
        ("\"\u{7f}ü€😀\"", "\u{7f}ü€😀"),
        (r#""\u0000not base64!""#, "\0not base64!"),
        (r#""\u0000QUI""#, "\0QUI"),
        (r#""x\u0000QUI=""#, "x\0QUI="),
    ] {
        assert_eq!(json(string), Ok(text(expected)), "{string}");
    }
    for string in [
        r#"""#,
        r#""\"#,
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\u+123""#,
        r#""\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\ude00""#,
        r#""\ude00\ud83d""#,
        "\"\n\"",
        "\"\0\"",
        "\"12345678\u{1f}\"",
        "'x'",
    ] {
        assert!(json(string).is_err(), "{string}");
        assert!(
            first_skipped(Serializer::Json, string.as_bytes()).is_err(),
            "{string}"
        );
    }
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"12345678\xc3\"",
        b"\"\\n\xed\xa0\x80\"",
    ] {
        let error = decode(Serializer::Json, bytes).unwrap_err();
        assert_eq!(error.problem, "text is not UTF-8");
        assert!(first_skipped(Serializer::Json, bytes).is_err());
    }
}

/// A string's end, an escape, a control character and a character beyond ASCII at each place: the
/// reader looks at many bytes at once.
#[test]
fn json_strings_of_any_length() {
    for len in (0..200).chain([1000, 10_000]) {
        let plain = "x".repeat(len);
        assert_eq!(json(&format!("\"{plain}\"")), Ok(text(&plain)));
        assert!(json(&format!("\"{plain}")).is_err());
        for (special, expected) in [
            ("\\n", "\n"),
            ("\\\"", "\""),
            ("ü", "ü"),
            ("\u{7f}", "\u{7f}"),
        ] {
            let string = format!("\"{plain}{special}{plain}\"");
            assert_eq!(
                json(&string),
                Ok(text(&format!("{plain}{expected}{plain}")))
            );
            let skipped = first_skipped(Serializer::Json, string.as_bytes());
            assert_eq!(skipped, Ok((string.clone().into_bytes(), string.len())));
            let encoded = encode(Serializer::Json, &json(&string).unwrap());
            assert_eq!(String::from_utf8(encoded).unwrap(), string);
        }
        for malformed in [&b"\x1f"[..], b"\0", b"\xff", b"\xc3", b"\\", b"\\u12"] {
            for behind in [&plain[..], "", "yyyyyyyyyyyyyyyy"] {
                let string =
                    [b"\"", plain.as_bytes(), malformed, behind.as_bytes(), b"\""].concat();
                assert!(decode(Serializer::Json, &string).is_err());
                assert!(first_skipped(Serializer::Json, &string).is_err());
            }
        }
    }
}

#[test]
fn json_bytes_are_nul_and_base64() {
    assert_eq!(json(r#""\u0000""#), Ok(Value::Bytes(vec![])));
    assert_eq!(json(r#""\u0000QUI=""#), Ok(Value::Bytes(b"AB".to_vec())));
    assert_eq!(
        json(r#""\u0000QUI\u003d""#),
        Ok(Value::Bytes(b"AB".to_vec()))
    );
    assert_eq!(
        encode(Serializer::Json, &Value::Bytes(b"AB".to_vec())),
        br#""\u0000QUI=""#
    );
    // Keys are always text.
    assert_eq!(
        json(r#"{"\u0000QUI=":1}"#),
        Ok(Value::Map(vec![("\0QUI=".to_owned(), Value::Unsigned(1))]))
    );
}

/// The one kind of text that JSON cannot keep.
#[test]
fn text_of_nul_and_base64_becomes_bytes_in_json() {
    let encoded = encode(Serializer::Json, &text("\0QUI="));
    assert_eq!(
        decode(Serializer::Json, &encoded),
        Ok(Value::Bytes(b"AB".to_vec()))
    );
    let encoded = encode(Serializer::Cbor, &text("\0QUI="));
    assert_eq!(decode(Serializer::Cbor, &encoded), Ok(text("\0QUI=")));
}

#[test]
fn json_structure() {
    assert_eq!(json(" \t\r\n[ ] "), Ok(Value::List(vec![])));
    assert_eq!(
        json(r#"{ "a" : [ 1 , { } ] , "a" : null }"#),
        Ok(Value::Map(vec![
            (
                "a".to_owned(),
                Value::List(vec![Value::Unsigned(1), Value::Map(vec![])])
            ),
            ("a".to_owned(), Value::Null),
        ]))
    );
    for malformed in [
        "",
        " ",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{]",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1]",
        "{,}",
        "{\"a\" 1}",
        "nul",
        "truth",
        "True",
        "[1] 2",
        "\u{feff}1",
        "/**/1",
        "[\"a\":1]",
        "{\"a\",1}",
        "{null:1}",
    ] {
        assert!(json(malformed).is_err(), "{malformed}");
        let skipped = first_skipped(Serializer::Json, malformed.as_bytes());
        let rest_is_wrong = malformed == "[1] 2";
        assert_eq!(skipped.is_ok(), rest_is_wrong, "{malformed}");
    }
}

#[test]
fn json_is_written_without_whitespace_and_escapes_what_it_must() {
    let value = Value::List(vec![
        text("\"\\/\u{0}\u{8}\u{c}\n\r\t\u{1f}\u{7f}ü😀"),
        Value::Float(1.0),
        Value::Float(-0.0),
        Value::Float(1e21),
        Value::Float(f64::NAN),
        Value::Float(f64::NEG_INFINITY),
        Value::Signed(i64::MIN),
        Value::Map(vec![
            ("k\"".to_owned(), Value::Bool(false)),
            (String::new(), Value::Null),
        ]),
        Value::List(vec![]),
    ]);
    let expected = "[\"\\\"\\\\/\\u0000\\b\\f\\n\\r\\t\\u001f\u{7f}ü😀\",1.0,-0.0,1e21,null,null,\
        -9223372036854775808,{\"k\\\"\":false,\"\":null},[]]";
    assert_eq!(
        String::from_utf8(encode(Serializer::Json, &value)).unwrap(),
        expected
    );
}

#[test]
fn msgpack_in_all_its_forms() {
    let long_text = "a".repeat(300);
    for (digits, expected) in [
        ("00", Value::Unsigned(0)),
        ("7f", Value::Unsigned(127)),
        ("cc05", Value::Unsigned(5)),
        ("cd0005", Value::Unsigned(5)),
        ("ce00000005", Value::Unsigned(5)),
        ("cf ffffffffffffffff", Value::Unsigned(u64::MAX)),
        ("d005", Value::Unsigned(5)),
        ("d0ff", Value::Signed(-1)),
        ("d1ff00", Value::Signed(-256)),
        ("d2 ffffff00", Value::Signed(-256)),
        ("d3 8000000000000000", Value::Signed(i64::MIN)),
        ("d3 0000000000000007", Value::Unsigned(7)),
        ("e0", Value::Signed(-32)),
        ("ff", Value::Signed(-1)),
        ("ca 3fc00000", Value::Float(1.5)),
        ("cb 3ff8000000000000", Value::Float(1.5)),
        ("c0", Value::Null),
        ("c2", Value::Bool(false)),
        ("c3", Value::Bool(true)),
        ("a161", text("a")),
        ("d90161", text("a")),
        ("da000161", text("a")),
        ("db0000000161", text("a")),
        (
            &format!("da012c{}", hex(long_text.as_bytes())),
            text(&long_text),
        ),
        ("c400", Value::Bytes(vec![])),
        ("c5 0001 61", Value::Bytes(b"a".to_vec())),
        ("c6 00000001 ff", Value::Bytes(vec![0xff])),
        ("dc 0001 c0", Value::List(vec![Value::Null])),
        ("dd 00000001 c0", Value::List(vec![Value::Null])),
        (
            "de 0001 a161 c0",
            Value::Map(vec![("a".to_owned(), Value::Null)]),
        ),
        (
            "df 00000001 a161 c0",
            Value::Map(vec![("a".to_owned(), Value::Null)]),
        ),
        (
            "82 05c0 ffc3",
            Value::Map(vec![
                ("5".to_owned(), Value::Null),
                ("-1".to_owned(), Value::Bool(true)),
            ]),
        ),
    ] {
        assert_eq!(msgpack(digits), Ok(expected), "{digits}");
    }
    for (digits, problem) in [
        ("c1", "0xc1 begins no value"),
        ("d40100", "extension types have no meaning in WAMP"),
        ("d6ff00000000", "extension types have no meaning in WAMP"),
        ("c7 01 05 00", "extension types have no meaning in WAMP"),
        ("a1ff", "text is not UTF-8"),
        ("81c0c0", "a key is neither text nor an integer"),
        ("81c40161c0", "a key is neither text nor an integer"),
        ("81c3c0", "a key is neither text nor an integer"),
        ("8190c0", "a key is neither text nor an integer"),
        ("91", "the bytes end too early"),
        ("81a161", "the bytes end too early"),
        ("c402ff", "the bytes end too early"),
        ("cb3ff8", "the bytes end too early"),
        ("d9", "the bytes end too early"),
        ("", "the bytes end too early"),
        ("c0c0", "something follows the last value"),
    ] {
        assert_eq!(msgpack(digits), Err(problem.to_owned()), "{digits}");
        if problem != "something follows the last value" {
            let skipped = first_skipped(Serializer::MsgPack, &from_hex(digits));
            assert_eq!(skipped.unwrap_err().problem, problem, "{digits}");
        }
    }
}

#[test]
fn cbor_in_all_its_forms() {
    for (digits, expected) in [
        ("17", Value::Unsigned(23)),
        ("1818", Value::Unsigned(24)),
        ("1800", Value::Unsigned(0)),
        ("1b ffffffffffffffff", Value::Unsigned(u64::MAX)),
        ("20", Value::Signed(-1)),
        ("3b 7fffffffffffffff", Value::Signed(i64::MIN)),
        (
            "3b 8000000000000000",
            Value::Float(-9_223_372_036_854_775_809.0),
        ),
        ("f93e00", Value::Float(1.5)),
        ("f90001", Value::Float(5.960_464_477_539_063e-8)),
        ("f98400", Value::Float(-6.103_515_625e-5)),
        ("f97bff", Value::Float(65504.0)),
        ("f97c00", Value::Float(f64::INFINITY)),
        ("f9fc00", Value::Float(f64::NEG_INFINITY)),
        ("fa 3fc00000", Value::Float(1.5)),
        ("fb 3ff8000000000000", Value::Float(1.5)),
        ("f4", Value::Bool(false)),
        ("f5", Value::Bool(true)),
        ("f6", Value::Null),
        ("f7", Value::Null),
        ("6161", text("a")),
        ("7f 6161 60 62c3bc ff", text("aü")),
        ("7fff", text("")),
        ("5f 4101 420203 ff", Value::Bytes(vec![1, 2, 3])),
        (
            "9f 01 9fff ff",
            Value::List(vec![Value::Unsigned(1), Value::List(vec![])]),
        ),
        (
            "bf 6161 f6 7f6162ff 01 ff",
            Value::Map(vec![
                ("a".to_owned(), Value::Null),
                ("b".to_owned(), Value::Unsigned(1)),
            ]),
        ),
        (
            "a2 05f6 20f5",
            Value::Map(vec![
                ("5".to_owned(), Value::Null),
                ("-1".to_owned(), Value::Bool(true)),
            ]),
        ),
        (
            "a1 3bffffffffffffffff f6",
            Value::Map(vec![("-18446744073709551616".to_owned(), Value::Null)]),
        ),
        // Tags: a date, a nested tag, a tagged key, a tag of eight bytes.
        ("c0 6161", text("a")),
        ("c1 d9d9f7 05", Value::Unsigned(5)),
        (
            "a1 c06161 f6",
            Value::Map(vec![("a".to_owned(), Value::Null)]),
        ),
        ("db 0000000000000100 80", Value::List(vec![])),
        // Bignums.
        ("c2 420100", Value::Unsigned(256)),
        ("c2 40", Value::Unsigned(0)),
        ("c3 40", Value::Signed(-1)),
        ("c3 420100", Value::Signed(-257)),
        (
            "c2 49010000000000000000",
            Value::Float(18_446_744_073_709_551_616.0),
        ),
        (
            "c3 49010000000000000000",
            Value::Float(-18_446_744_073_709_551_616.0),
        ),
        ("c2 5f 4101 4100 ff", Value::Unsigned(256)),
    ] {
        assert_eq!(cbor(digits), Ok(expected), "{digits}");
    }
    assert!(matches!(cbor("f97e00"), Ok(Value::Float(nan)) if nan.is_nan()));
}

#[test]
fn malformed_cbor() {
    let huge = format!("c2 590100{}", "ff".repeat(256));
    for (digits, problem) in [
        ("1c", "a reserved additional information"),
        ("1f", "a reserved additional information"),
        ("df00", "a reserved additional information"),
        ("fc", "a reserved additional information"),
        ("e0", "simple values have no meaning in WAMP"),
        ("f3", "simple values have no meaning in WAMP"),
        ("f814", "simple values have no meaning in WAMP"),
        ("f8ff", "simple values have no meaning in WAMP"),
        ("ff", "a break where a value belongs"),
        ("81ff", "a break where a value belongs"),
        ("bf6161ff", "a break where a value belongs"),
        ("c1ff", "a break where a value belongs"),
        (
            "7f4161ff",
            "a string of indefinite length holds something else than chunks of its kind",
        ),
        (
            "7f7f6161ffff",
            "a string of indefinite length holds something else than chunks of its kind",
        ),
        (
            "5f6161ff",
            "a string of indefinite length holds something else than chunks of its kind",
        ),
        ("61ff", "text is not UTF-8"),
        ("7f61c361bcff", "text is not UTF-8"),
        ("a1f6f6", "a key is neither text nor an integer"),
        ("a14161f6", "a key is neither text nor an integer"),
        ("a1c24161f6", "a key is neither text nor an integer"),
        ("a180f6", "a key is neither text nor an integer"),
        ("c26161", "a bignum is no byte string of at most 128 bytes"),
        (&huge, "a bignum is no byte string of at most 128 bytes"),
        ("9f01", "the bytes end too early"),
        ("7f6161", "the bytes end too early"),
        ("c0", "the bytes end too early"),
        ("4201", "the bytes end too early"),
        ("", "the bytes end too early"),
    ] {
        assert_eq!(cbor(digits), Err(problem.to_owned()), "{digits}");
        let skipped = first_skipped(Serializer::Cbor, &from_hex(digits));
        assert_eq!(skipped.unwrap_err().problem, problem, "{digits}");
    }
}

/// Each length at which the form of a length or number changes.
#[test]
fn the_binary_formats_take_their_shortest_forms() {
    for (len, msgpack_text, msgpack_bytes, msgpack_list, cbor_text) in [
        (23, "b7", "c417", "dc0017", "77"),
        (24, "b8", "c418", "dc0018", "7818"),
        (31, "bf", "c41f", "dc001f", "781f"),
        (32, "d920", "c420", "dc0020", "7820"),
        (255, "d9ff", "c4ff", "dc00ff", "78ff"),
        (256, "da0100", "c50100", "dc0100", "790100"),
        (65535, "daffff", "c5ffff", "dcffff", "79ffff"),
        (
            65536,
            "db00010000",
            "c600010000",
            "dd00010000",
            "7a00010000",
        ),
    ] {
        let string = text(&"x".repeat(len));
        let bytes = Value::Bytes(vec![0; len]);
        let list = Value::List(vec![Value::Null; len]);
        let head = |serializer, value, digits: &str| {
            let encoded = encode(serializer, value);
            assert_eq!(hex(&encoded[..digits.len() / 2]), digits, "{len}");
            assert_eq!(encoded.len(), digits.len() / 2 + len, "{len}");
            assert_eq!(decode(serializer, &encoded).as_ref(), Ok(value));
            // A transcoder learns lengths only at the end and must come to the same form.
            assert_eq!(transcode(serializer, &encoded, serializer), Ok(encoded));
        };
        head(Serializer::MsgPack, &string, msgpack_text);
        head(Serializer::MsgPack, &bytes, msgpack_bytes);
        head(Serializer::MsgPack, &list, msgpack_list);
        head(Serializer::Cbor, &string, cbor_text);
    }
    for (number, msgpack, cbor) in [
        (Value::Unsigned(127), "7f", "187f"),
        (Value::Unsigned(128), "cc80", "1880"),
        (Value::Unsigned(256), "cd0100", "190100"),
        (Value::Unsigned(65536), "ce00010000", "1a00010000"),
        (
            Value::Unsigned(1 << 32),
            "cf0000000100000000",
            "1b0000000100000000",
        ),
        (Value::Signed(-32), "e0", "381f"),
        (Value::Signed(-33), "d0df", "3820"),
        (Value::Signed(-128), "d080", "387f"),
        (Value::Signed(-129), "d1ff7f", "3880"),
        (Value::Signed(-32769), "d2ffff7fff", "398000"),
        (
            Value::Signed(-2_147_483_649),
            "d3ffffffff7fffffff",
            "3a80000000",
        ),
    ] {
        assert_eq!(hex(&encode(Serializer::MsgPack, &number)), msgpack);
        assert_eq!(hex(&encode(Serializer::Cbor, &number)), cbor);
    }
}
