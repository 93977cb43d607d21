//! Options whose value is null or JavaScript's `undefined`, as wampy.js and others send them.

use wampy_proto::message::{Message, SubscribeOptions};
use wampy_proto::{MatchPolicy, Serializer};

use super::values::from_hex;

fn options(serializer: Serializer, digits: &str) -> SubscribeOptions {
    match Message::decode(serializer, &from_hex(digits)).unwrap() {
        Message::Subscribe(subscribe) => subscribe.options,
        other => panic!("not a SUBSCRIBE: {other:?}"),
    }
}

/// `[32, 1, {match: undefined, get_retained: undefined}, "a"]` as wampy.js 8 writes it.
#[test]
fn undefined_counts_as_absent() {
    let msgpack = "942001de0002a56d61746368d40000ac6765745f72657461696e6564d40000a161";
    assert_eq!(
        options(Serializer::MsgPack, msgpack),
        SubscribeOptions::default()
    );
    let cbor = "84182001b90002656d61746368f76c6765745f72657461696e6564f76161";
    assert_eq!(options(Serializer::Cbor, cbor), SubscribeOptions::default());
}

#[test]
fn null_counts_as_absent() {
    let json = br#"[32,1,{"get_retained":null,"match":"prefix"},"a"]"#;
    let Message::Subscribe(subscribe) = Message::decode(Serializer::Json, json).unwrap() else {
        panic!("not a SUBSCRIBE");
    };
    assert_eq!(subscribe.options.match_policy, MatchPolicy::Prefix);
}
