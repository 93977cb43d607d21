//! Rust values through serde, in each serializer.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::IpAddr;

use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Serialize};
use wampy_proto::serializer::{deserialize, serialize};
use wampy_proto::{Payload, Serializer, Value};

use super::values::{self, decode, serializer, value};

/// The value as it comes back, which is checked to be the same in each serializer and from each
/// serializer through each other.
fn keeps<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    for first in Serializer::ALL {
        let encoded = serialize(first, value).unwrap();
        for second in Serializer::ALL {
            let passed_on = values::transcode(first, &encoded, second).unwrap();
            assert_eq!(
                deserialize::<T>(second, &passed_on).as_ref(),
                Ok(value),
                "{first:?} {second:?}"
            );
        }
    }
}

fn as_json(value: &(impl Serialize + ?Sized)) -> String {
    String::from_utf8(serialize(Serializer::Json, value).unwrap()).unwrap()
}

fn refused(value: &(impl Serialize + ?Sized)) -> String {
    let [one, two, three] =
        Serializer::ALL.map(|serializer| serialize(serializer, value).unwrap_err().0);
    assert!(one == two && two == three);
    one.into_owned()
}

fn unsuitable<T: DeserializeOwned + Debug>(json: &str) -> String {
    let problems = Serializer::ALL.map(|serializer| {
        let encoded = values::transcode(Serializer::Json, json.as_bytes(), serializer).unwrap();
        deserialize::<T>(serializer, &encoded).unwrap_err().problem
    });
    assert!(
        problems.iter().all(|problem| problem == &problems[0]),
        "{problems:?}"
    );
    problems[0].clone().into_owned()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(u8),
    Optional(Option<u8>),
    Tuple(u8, String),
    Struct { a: Option<u8>, b: Box<Shape> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(Vec<i8>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
enum Key {
    Red,
    Green,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    unit: (),
    unit_struct: Unit,
    newtype: Newtype,
    tuple: (bool, char, f32, f64),
    numbers: (i8, i16, i32, i64, u8, u16, u32, u64),
    wide: (i128, u128, i128),
    text: String,
    none: Option<u8>,
    some: Option<Option<u8>>,
    shapes: Vec<Shape>,
    by_text: HashMap<String, u8>,
    by_number: BTreeMap<i64, u8>,
    by_wide: BTreeMap<u128, u8>,
    by_variant: BTreeMap<Key, u8>,
    by_char: BTreeMap<char, u8>,
    address: IpAddr,
    open: Value,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[test]
fn all_that_serde_can_say_comes_back() {
    keeps(&Everything {
        unit: (),
        unit_struct: Unit,
        newtype: Newtype(vec![-1, 0, 1]),
        tuple: (true, 'ü', 1.5, 0.1),
        numbers: (
            i8::MIN,
            i16::MIN,
            i32::MIN,
            i64::MIN,
            u8::MAX,
            u16::MAX,
            u32::MAX,
            u64::MAX,
        ),
        wide: (i64::MIN.into(), u64::MAX.into(), u64::MAX.into()),
        text: "ü\"\n\u{0}".to_owned(),
        none: None,
        some: Some(Some(5)),
        shapes: vec![
            Shape::Unit,
            Shape::Newtype(1),
            Shape::Optional(None),
            Shape::Tuple(2, "x".to_owned()),
            Shape::Struct {
                a: None,
                b: Box::new(Shape::Unit),
            },
        ],
        by_text: HashMap::from([("a".to_owned(), 1), (String::new(), 2)]),
        by_number: BTreeMap::from([(-5, 1), (i64::MAX, 2)]),
        by_wide: BTreeMap::from([(u128::MAX, 1)]),
        by_variant: BTreeMap::from([(Key::Red, 1), (Key::Green, 2)]),
        by_char: BTreeMap::from([('x', 1)]),
        address: "::1".parse().unwrap(),
        open: Value::Map(vec![("k".to_owned(), Value::Bytes(vec![0, 255]))]),
        rest: BTreeMap::from([("more".to_owned(), Value::List(vec![Value::Signed(-1)]))]),
    });
}

/// The shape does not depend on the serializer: JSON shows it.
#[test]
fn values_take_the_shapes_that_serde_json_gives_them() {
    let shapes = [
        Shape::Unit,
        Shape::Newtype(1),
        Shape::Optional(None),
        Shape::Tuple(2, "x".to_owned()),
        Shape::Struct {
            a: Some(3),
            b: Box::new(Shape::Newtype(4)),
        },
    ];
    assert_eq!(as_json(&shapes), serde_json::to_string(&shapes).unwrap());
    let map = BTreeMap::from([(Key::Red, 1.0), (Key::Green, f64::INFINITY)]);
    assert_eq!(as_json(&map), serde_json::to_string(&map).unwrap());
    assert_eq!(
        as_json(&(Unit, (), None::<u8>, 'x', -1i128)),
        r#"[null,null,null,"x",-1]"#
    );
}

proptest! {
    #[test]
    fn a_value_is_encoded_as_it_is_written(value in value(), serializer in serializer()) {
        let encoded = serialize(serializer, &value).unwrap();
        prop_assert_eq!(&encoded, &values::encode(serializer, &value));
        prop_assert_eq!(deserialize::<Value>(serializer, &encoded), Ok(value));
    }

    /// A value that some other part of a program made with serde_json.
    #[test]
    fn a_value_of_serde_json_is_a_value(value in value()) {
        let json = as_json(&value);
        let theirs: serde_json::Value = serde_json::from_str(&json).unwrap();
        let ours: Value = serde_json::from_value(theirs.clone()).unwrap();
        prop_assert_eq!(serde_json::to_value(&ours).unwrap(), theirs);
    }
}

struct Unannounced;

impl Serialize for Unannounced {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct List;
        impl Serialize for List {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut seq = serializer.serialize_seq(None)?;
                for number in 0..20 {
                    seq.serialize_element(&number)?;
                }
                seq.end()
            }
        }
        let mut map = serializer.serialize_map(None)?;
        for number in 0..300 {
            map.serialize_entry(&number, &List)?;
        }
        map.end()
    }
}

#[test]
fn lengths_need_not_be_announced() {
    let numbers: Vec<u8> = (0..20).collect();
    for serializer in Serializer::ALL {
        let encoded = serialize(serializer, &Unannounced).unwrap();
        let decoded: BTreeMap<u32, Vec<u8>> = deserialize(serializer, &encoded).unwrap();
        assert_eq!(
            decoded,
            (0..300).map(|number| (number, numbers.clone())).collect()
        );
    }
}

#[test]
fn what_has_no_form_is_an_error() {
    assert_eq!(refused(&u128::MAX), "an integer beyond 64 bits");
    assert_eq!(
        refused(&(i128::from(i64::MIN) - 1)),
        "an integer beyond 64 bits"
    );
    let key = "a map key is neither text nor an integer";
    assert_eq!(refused(&BTreeMap::from([(true, 1)])), key);
    assert_eq!(refused(&BTreeMap::from([((), 1)])), key);
    assert_eq!(refused(&BTreeMap::from([((1, 2), 1)])), key);
    assert_eq!(refused(&BTreeMap::from([(vec![1], 1)])), key);
    assert_eq!(refused(&BTreeMap::from([(Some(1), 1)])), key);

    struct Liar;
    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_seq(Some(3))?.end()
        }
    }
    assert_eq!(refused(&Liar), "another number of elements than announced");

    #[derive(Serialize)]
    struct Nested(Vec<Nested>);
    let deep = (0..128).fold(Nested(vec![]), |inner, _| Nested(vec![inner]));
    assert_eq!(refused(&deep), "the value is nested too deeply");
    assert!(serialize(Serializer::Cbor, &deep.0[0]).is_ok());
}

#[test]
fn unsuitable_values_are_errors_that_say_why() {
    assert_eq!(
        unsuitable::<u8>("256"),
        "invalid value: integer `256`, expected u8"
    );
    assert_eq!(
        unsuitable::<u64>("-1"),
        "invalid value: integer `-1`, expected u64"
    );
    assert_eq!(
        unsuitable::<u64>("1.0"),
        "invalid type: floating point `1.0`, expected u64"
    );
    assert_eq!(
        unsuitable::<bool>("1"),
        "invalid type: integer `1`, expected a boolean"
    );
    assert_eq!(
        unsuitable::<String>("null"),
        "invalid type: unit value, expected a string"
    );
    assert_eq!(
        unsuitable::<(u8, u8)>("[1]"),
        "invalid length 1, expected a tuple of size 2"
    );
    assert_eq!(
        unsuitable::<(u8, u8)>("[1,2,3]"),
        "there are more elements than expected"
    );
    assert_eq!(
        unsuitable::<()>("[1]"),
        "there are more elements than expected"
    );
    assert_eq!(
        unsuitable::<Shape>("\"Circle\""),
        "unknown variant `Circle`, expected one of `Unit`, `Newtype`, `Optional`, `Tuple`, `Struct`"
    );
    assert_eq!(
        unsuitable::<Shape>("{}"),
        "expected an enum's variant, found an empty map"
    );
    assert_eq!(
        unsuitable::<Shape>("{\"Newtype\":1,\"Unit\":null}"),
        "there are more elements than expected"
    );
    assert_eq!(
        unsuitable::<Shape>("5"),
        "expected an enum's variant, text or a map of one pair, found an integer"
    );
    assert_eq!(
        unsuitable::<BTreeMap<u8, u8>>("{\"x\":1}"),
        "invalid type: string \"x\", expected u8"
    );
    let error = deserialize::<(u8, bool)>(Serializer::Json, b"[1, 2]").unwrap_err();
    assert_eq!(error.offset, 5);
    let error = deserialize::<Vec<u8>>(Serializer::Json, b"[1] 2").unwrap_err();
    assert_eq!(error.problem, "something follows the last value");
}

#[test]
fn bytes_are_bytes_and_fit_a_list_of_integers() {
    struct Bytes<'a>(&'a [u8]);
    impl Serialize for Bytes<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }
    for serializer in Serializer::ALL {
        let encoded = serialize(serializer, &Bytes(b"\x00\xff")).unwrap();
        assert_eq!(decode(serializer, &encoded), Ok(Value::Bytes(vec![0, 255])));
        assert_eq!(
            deserialize::<Vec<u8>>(serializer, &encoded),
            Ok(vec![0, 255])
        );
        assert_eq!(deserialize::<[u8; 2]>(serializer, &encoded), Ok([0, 255]));
        assert!(deserialize::<[u8; 3]>(serializer, &encoded).is_err());
        assert!(deserialize::<String>(serializer, &encoded).is_err());
    }
}

#[test]
fn what_is_ignored_is_validated() {
    for (json, well_formed) in [("[[1,{\"a\":2}],3]", true), ("[[1,{\"a\":2],3]", false)] {
        let decoded = deserialize::<(IgnoredAny, u8)>(Serializer::Json, json.as_bytes());
        assert_eq!(decoded.is_ok(), well_formed);
    }
    let optional = deserialize::<Option<IgnoredAny>>(Serializer::Json, b"[[1,2],{\"a\":[]}]");
    assert!(optional.unwrap().is_some());
}

#[test]
fn absent_parts_of_a_payload_are_empty() {
    for serializer in Serializer::ALL {
        let payload = Payload::encode(serializer, &(), &None::<BTreeMap<String, u8>>).unwrap();
        assert!(payload.is_empty());
        assert_eq!(payload.args::<Vec<u8>>(), Ok(vec![]));
        assert_eq!(payload.args::<()>(), Ok(()));
        assert_eq!(
            payload.kwargs::<BTreeMap<String, u8>>(),
            Ok(BTreeMap::new())
        );
        assert_eq!(payload.kwargs::<()>(), Ok(()));
    }
}

#[test]
fn args_are_lists_and_kwargs_maps() {
    let error = Payload::encode(Serializer::Json, "text", &()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot encode the value: expected a list, found text"
    );
    let error = Payload::encode(Serializer::Json, &[1], &[1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot encode the value: expected a map, found a list"
    );
    let payload = Payload::encode(Serializer::MsgPack, &[1, 2], &()).unwrap();
    let error = payload.args::<Vec<String>>().unwrap_err();
    assert_eq!(error.part, "args");
    assert_eq!(
        error.to_string(),
        "args: invalid type: integer `1`, expected a string (at byte 2)"
    );
}
