//! Bytes that no honest peer sends: decoding them ends, in a message or an error.

use proptest::prelude::*;
use wampy_proto::serializer::DEPTH_MAX;
use wampy_proto::{Message, Serializer};

use super::messages::{encode, message};
use super::values::{self, first_skipped, first_value, serializer, transcode, value};

/// One small damage to some bytes.
#[derive(Debug, Clone)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Truncate(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (index(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        index().prop_map(Damage::Remove),
        index().prop_map(Damage::Truncate),
        (index(), index()).prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

fn inflict(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let len = bytes.len().max(1);
        match damage {
            _ if bytes.is_empty() => bytes.push(0x91),
            Damage::Flip(at, bits) => bytes[at.index(len)] ^= bits,
            Damage::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Damage::Remove(at) => _ = bytes.remove(at.index(len)),
            Damage::Truncate(at) => bytes.truncate(at.index(len)),
            Damage::Repeat(from, to) => {
                let (from, to) = (from.index(len), to.index(len));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
    bytes
}

/// Text that is near JSON.
pub fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"\":",
        " ",
        "\n",
        "-",
        "0",
        "1",
        "12",
        ".",
        "e",
        "E+",
        "true",
        "false",
        "null",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\u0000",
        "\\n",
        "QUI=",
        "ü",
        "\u{1}",
        "tru",
        "1.5e300",
        "1e999",
        "1e-9",
        "18446744073709551616",
        "[1,",
        "{\"k\":",
        "\u{7f}",
        "\u{feff}",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Bytes that are near CBOR or MessagePack: many first bytes of values, few of strings' insides.
pub fn near_binary() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop::sample::select(vec![
            0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0xc2, 0xc3, 0xd8, 0xf7, 0xf9, 0x81
        ])
        .prop_map(|byte| vec![byte]),
        prop::sample::select(vec![
            &b"\x61a"[..],
            b"\xa1a",
            b"\x62\xc3\xbc",
            b"\xc2\x42\x01\x00"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A value in `serializer`, with up to three damages.
pub fn damaged_value(serializer: Serializer) -> impl Strategy<Value = Vec<u8>> {
    (value(), prop::collection::vec(damage(), 0..4))
        .prop_map(move |(value, damages)| inflict(values::encode(serializer, &value), &damages))
}

fn anything() -> impl Strategy<Value = (Serializer, Vec<u8>)> {
    prop_oneof![
        (serializer(), prop::collection::vec(any::<u8>(), 0..64)),
        (Just(Serializer::Json), near_json()),
        (serializer(), near_binary()),
        serializer().prop_flat_map(|serializer| (Just(serializer), damaged_value(serializer))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_a_message_or_an_error((serializer, bytes) in anything()) {
        if let Err(error) = Message::decode(serializer, &bytes) {
            prop_assert!(error.offset <= bytes.len());
        }
    }

    #[test]
    fn a_damaged_message_is_a_message_or_an_error(
        message in message(),
        serializer in serializer(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let bytes = inflict(encode(serializer, &message), &damages);
        if let Ok(decoded) = Message::decode(serializer, &bytes) {
            // What was taken can be sent on, in every serializer.
            for other in Serializer::ALL {
                let passed_on = encode(other, &decoded);
                prop_assert!(Message::decode(other, &passed_on).is_ok());
            }
        }
    }

    #[test]
    fn a_truncated_message_is_an_error(
        message in message(), serializer in serializer(), end in any::<prop::sample::Index>(),
    ) {
        let bytes = encode(serializer, &message);
        let truncated = &bytes[..end.index(bytes.len())];
        prop_assert!(Message::decode(serializer, truncated).is_err());
    }

    #[test]
    fn bytes_behind_a_message_are_an_error(message in message(), serializer in serializer()) {
        let mut bytes = encode(serializer, &message);
        bytes.push(b'0');
        prop_assert!(Message::decode(serializer, &bytes).is_err());
    }

    /// A router forwards what it has only skipped.
    #[test]
    fn skipping_accepts_exactly_what_reading_accepts((serializer, bytes) in anything()) {
        let skipped = first_skipped(serializer, &bytes).map(|(_, end)| end);
        let read = first_value(serializer, &bytes).map(|(_, end)| end);
        match (&skipped, &read) {
            (Err(_), Err(_)) => {}
            _ => prop_assert_eq!(&skipped, &read),
        }
        if let Ok(end) = read {
            for other in Serializer::ALL {
                prop_assert!(transcode(serializer, &bytes[..end], other).is_ok());
            }
        }
    }
}

/// `levels` lists, each the only element of the one before, and the same with maps.
fn nested(serializer: Serializer, levels: usize) -> [Vec<u8>; 2] {
    match serializer {
        Serializer::Json => [
            ["[".repeat(levels), "]".repeat(levels)]
                .concat()
                .into_bytes(),
            ["{\"k\":".repeat(levels), "0".to_owned(), "}".repeat(levels)]
                .concat()
                .into_bytes(),
        ],
        Serializer::MsgPack => [
            [vec![0x91; levels - 1], vec![0x90]].concat(),
            [b"\x81\xa1k".repeat(levels), vec![0]].concat(),
        ],
        Serializer::Cbor => [
            [vec![0x9f; levels], vec![0xff; levels]].concat(),
            [b"\xa1\x61k".repeat(levels), vec![0]].concat(),
        ],
    }
}

#[test]
fn nesting_ends_at_the_limit_in_every_way_of_reading() {
    for serializer in Serializer::ALL {
        for bytes in nested(serializer, DEPTH_MAX) {
            assert!(values::decode(serializer, &bytes).is_ok(), "{serializer:?}");
            assert!(first_skipped(serializer, &bytes).is_ok(), "{serializer:?}");
            assert!(transcode(serializer, &bytes, Serializer::Json).is_ok());
            assert!(
                wampy_proto::serializer::deserialize::<wampy_proto::Value>(serializer, &bytes)
                    .is_ok()
            );
        }
        for levels in [DEPTH_MAX + 1, 2_000_000] {
            for bytes in nested(serializer, levels) {
                let errors = [
                    values::decode(serializer, &bytes).unwrap_err(),
                    first_skipped(serializer, &bytes).unwrap_err(),
                    transcode(serializer, &bytes, Serializer::Cbor).unwrap_err(),
                    wampy_proto::serializer::deserialize::<wampy_proto::Value>(serializer, &bytes)
                        .unwrap_err(),
                ];
                for error in errors {
                    assert_eq!(
                        error.problem, "the value is nested too deeply",
                        "{serializer:?}"
                    );
                }
            }
        }
    }
}

/// A long row of CBOR tags is no nesting; it must not end the stack either.
#[test]
fn a_million_tags_are_stepped_over() {
    let mut bytes = vec![0xc1; 1_000_000];
    bytes.push(0x05);
    let (_, end) = first_skipped(Serializer::Cbor, &bytes).unwrap();
    assert_eq!(end, bytes.len());
    assert_eq!(
        values::decode(Serializer::Cbor, &bytes),
        Ok(wampy_proto::Value::Unsigned(5))
    );
}

/// Lengths are the sender's word: nothing is reserved or counted through before the bytes come.
#[test]
fn announced_lengths_cost_nothing() {
    let started = std::time::Instant::now();
    let announced: [(Serializer, &[u8]); 8] = [
        (Serializer::MsgPack, b"\xdd\xff\xff\xff\xff"),
        (Serializer::MsgPack, b"\xdf\xff\xff\xff\xff"),
        (Serializer::MsgPack, b"\xc6\xff\xff\xff\xff"),
        (Serializer::MsgPack, b"\xdb\xff\xff\xff\xff"),
        (Serializer::Cbor, b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
        (Serializer::Cbor, b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"),
        (Serializer::Cbor, b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
        (Serializer::Cbor, b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff"),
    ];
    for (serializer, bytes) in announced {
        assert!(first_value(serializer, bytes).is_err());
        assert!(first_skipped(serializer, bytes).is_err());
        assert!(transcode(serializer, bytes, Serializer::MsgPack).is_err());
        let as_list = wampy_proto::serializer::deserialize::<Vec<u64>>(serializer, bytes);
        assert!(as_list.is_err());
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
}
