//! Messages keep their meaning: through one serializer, and from one through another.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use wampy_proto::message::MessageType;
use wampy_proto::{Message, Serializer};

use super::messages::{encode, meaning, message};
use super::values::{self, serializer, value};

#[test]
fn the_strategy_covers_every_message() {
    let mut runner = TestRunner::deterministic();
    let mut seen = HashSet::new();
    for _ in 0..2000 {
        seen.insert(
            message()
                .new_tree(&mut runner)
                .unwrap()
                .current()
                .message_type(),
        );
    }
    assert_eq!(seen.len(), MessageType::ALL.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_message_comes_back_as_it_went(message in message(), serializer in serializer()) {
        let encoded = encode(serializer, &message);
        let decoded = Message::decode(serializer, &encoded).unwrap();
        prop_assert_eq!(encode(serializer, &decoded), encoded.clone());
        prop_assert_eq!(meaning(decoded), meaning(message));
    }

    #[test]
    fn a_message_passes_from_serializer_to_serializer(
        message in message(), first in serializer(), second in serializer(),
    ) {
        let in_first = encode(first, &message);
        let in_second = encode(second, &Message::decode(first, &in_first).unwrap());
        let decoded = Message::decode(second, &in_second).unwrap();
        prop_assert_eq!(meaning(decoded), meaning(message));
    }

    #[test]
    fn a_value_comes_back_as_it_went(value in value(), serializer in serializer()) {
        let encoded = values::encode(serializer, &value);
        prop_assert_eq!(values::decode(serializer, &encoded), Ok(value));
    }
}

/// A message that cannot be encoded leaves no half of itself in a buffer of many messages.
#[test]
fn a_failed_encode_appends_nothing() {
    use wampy_proto::message::{Publish, PublishOptions};
    use wampy_proto::{Payload, RequestId};

    let publish = Message::from(Publish {
        request: RequestId::FIRST,
        options: PublishOptions::default(),
        topic: "a.b".into(),
        payload: Payload::from_encoded(Serializer::Json, &b"[1, 2, nonsense]"[..], &b""[..]),
    });
    let mut out = b"before".to_vec();
    assert!(publish.encode(Serializer::Cbor, &mut out).is_err());
    assert_eq!(out, b"before");
}
