//! Sealed payloads: what other implementations of the ciphers seal opens here, and nothing else does.

// What must hold is checked by unwrapping it.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use wampy_proto::end_to_end::{Cipher, DataKey, Keyring, OpenError, SCHEME};
use wampy_proto::message::Passthru;
use wampy_proto::{Payload, Serializer, Value, serializer};

/// `{"args": [1, "two", b"\x03"], "kwargs": {"four": 4.5}}` under the key 0, 1, 2, … and the nonce 100, 101, …:
/// by libsodium's secret box, and by OpenSSL's AES-256-GCM.
const SEALED: [(Cipher, &str); 2] = [
    (
        Cipher::XSalsa20Poly1305,
        "6465666768696a6b6c6d6e6f707172737475767778797a7bc3dd25bebd59a3b61dd4134066ffc5cba0ddf8bb5dc5\
         4de8d38954fb7687c57349cb4ac097072f7dc979306f4a99c988a86ff418",
    ),
    (
        Cipher::Aes256Gcm,
        "6465666768696a6b6c6d6e6fea7fbf141e9ad59f5d1628879b660c9635a3746df8cd9714c8a4deb3bbb1a54894e9\
         40c0e43e866d0716b620aa27d19096cecd28",
    ),
];

fn key() -> DataKey {
    DataKey::new(std::array::from_fn(|n| n as u8))
}

fn encoded(serializer: Serializer, value: &Value) -> Vec<u8> {
    serializer::serialize(serializer, value).unwrap()
}

fn payload(serializer: Serializer) -> Payload<'static> {
    let args = Value::List(vec![
        Value::Unsigned(1),
        Value::Text("two".into()),
        Value::Bytes(vec![3]),
    ]);
    let kwargs = Value::Map(vec![("four".into(), Value::Float(4.5))]);
    Payload::from_encoded(
        serializer,
        encoded(serializer, &args),
        encoded(serializer, &kwargs),
    )
}

/// A payload of one binary, as it comes over the wire.
fn one_binary(serializer: Serializer, bytes: &[u8]) -> Payload<'static> {
    let args = Value::List(vec![Value::Bytes(bytes.to_vec())]);
    Payload::from_encoded(serializer, encoded(serializer, &args), Vec::new())
}

fn passthru(cipher: Cipher) -> Passthru {
    Passthru {
        scheme: SCHEME.into(),
        serializer: Some("cbor".into()),
        cipher: Some(cipher.as_str().into()),
        keyid: Some(key().id().into()),
    }
}

#[test]
fn what_others_sealed_opens() {
    for (cipher, sealed) in SEALED {
        let sealed = hex::decode(sealed).unwrap();
        for serializer in Serializer::ALL {
            let wire = one_binary(serializer, &sealed);
            let opened = Keyring::from([key()])
                .open(&passthru(cipher), &wire)
                .unwrap();
            assert_eq!(opened, payload(Serializer::Cbor));
        }
    }
}

#[test]
fn what_is_sealed_here_is_what_others_seal() {
    for (cipher, sealed) in SEALED {
        let nonce = std::array::from_fn(|n| 100 + n as u8);
        let sealed = hex::decode(sealed).unwrap();
        for serializer in Serializer::ALL {
            let (attributes, wire) = key()
                .seal(cipher, nonce, serializer, &payload(serializer))
                .unwrap();
            assert_eq!(attributes, passthru(cipher));
            assert_eq!(wire, one_binary(serializer, &sealed));
        }
    }
}

#[test]
fn the_right_key_is_found_by_its_id() {
    let keys = Keyring::from([
        DataKey::with_id("old", [1; 32]),
        DataKey::with_id("new", [2; 32]),
    ]);
    let seal = |id, secret| {
        let key = DataKey::with_id(id, [secret; 32]);
        let payload = Payload::encode(Serializer::Json, &("hello",), &()).unwrap();
        key.seal(Cipher::default(), [0; 24], Serializer::Json, &payload)
            .unwrap()
    };
    for (id, secret) in [("old", 1), ("new", 2)] {
        let (attributes, wire) = seal(id, secret);
        let opened = keys.open(&attributes, &wire).unwrap();
        assert_eq!(opened.args::<(String,)>().unwrap().0, "hello");
    }
    let (attributes, wire) = seal("old", 2);
    let wrong = keys.open(&attributes, &wire).unwrap_err();
    assert_eq!(wrong, OpenError::WrongKey("old".into()));
    let (attributes, wire) = seal("other", 1);
    let unknown = keys.open(&attributes, &wire).unwrap_err();
    assert_eq!(unknown, OpenError::UnknownKey("other".into()));
}

#[test]
fn what_is_not_sealed_properly_is_refused_with_the_reason() {
    let cipher = Cipher::XSalsa20Poly1305;
    let keys = Keyring::from([key()]);
    let sealed = one_binary(Serializer::MsgPack, &hex::decode(SEALED[0].1).unwrap());
    let refused = |change: &dyn Fn(&mut Passthru), wire: &Payload<'_>| {
        let mut attributes = passthru(cipher);
        change(&mut attributes);
        keys.open(&attributes, wire).unwrap_err()
    };
    let unchanged = |_: &mut Passthru| {};
    let mqtt = refused(&|it| it.scheme = "mqtt".into(), &sealed);
    assert_eq!(mqtt, OpenError::UnknownScheme("mqtt".into()));
    let flat = refused(&|it| it.serializer = Some("flatbuffers".into()), &sealed);
    assert_eq!(flat, OpenError::UnknownSerializer("flatbuffers".into()));
    let rot13 = refused(&|it| it.cipher = Some("rot13".into()), &sealed);
    assert_eq!(rot13, OpenError::UnknownCipher("rot13".into()));
    assert_eq!(
        refused(&|it| it.cipher = None, &sealed),
        OpenError::NotEncrypted
    );
    for short in [&b""[..], &[0; 24], &[0; 39]] {
        let short = one_binary(Serializer::Cbor, short);
        assert_eq!(
            refused(&unchanged, &short),
            OpenError::WrongKey(key().id().into())
        );
    }
    for args in [r#"[]"#, r#"["text"]"#, r#"["\u0000AAAA",1]"#] {
        let plain = Payload::from_encoded(Serializer::Json, args.as_bytes(), &b""[..]);
        assert_eq!(refused(&unchanged, &plain), OpenError::NotOneBinary);
    }
    let kwargs = Payload::from_encoded(
        Serializer::MsgPack,
        sealed.encoded_args(),
        &b"\x81\xa1a\x01"[..],
    );
    assert_eq!(refused(&unchanged, &kwargs), OpenError::NotOneBinary);
}

#[test]
fn without_an_id_a_single_key_is_meant() {
    let sealed = one_binary(Serializer::Cbor, &hex::decode(SEALED[0].1).unwrap());
    let attributes = Passthru {
        keyid: None,
        ..passthru(Cipher::XSalsa20Poly1305)
    };
    Keyring::from([key()]).open(&attributes, &sealed).unwrap();
    let two = Keyring::from([key(), DataKey::new([1; 32])]);
    let error = two.open(&attributes, &sealed).unwrap_err();
    assert_eq!(error, OpenError::NoKeyId { keys: 2 });
}

proptest! {
    #[test]
    fn a_changed_payload_does_not_open(
        cipher in prop::sample::select(&Cipher::ALL[..]),
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut sealed = hex::decode(SEALED.iter().find(|(it, _)| *it == cipher).unwrap().1).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1u8 << bit;
        let wire = one_binary(Serializer::Cbor, &sealed);
        let error = Keyring::from([key()]).open(&passthru(cipher), &wire).unwrap_err();
        prop_assert_eq!(error, OpenError::WrongKey(key().id().into()));
    }

    #[test]
    fn any_text_comes_back(
        text in ".*",
        cipher in prop::sample::select(&Cipher::ALL[..]),
        serializer in prop::sample::select(&Serializer::ALL[..]),
    ) {
        // JSON cannot tell text that begins with NUL from bytes.
        prop_assume!(!text.starts_with('\0'));
        let payload = Payload::encode(serializer, &(&text,), &()).unwrap();
        let (attributes, wire) = key().seal(cipher, [5; 24], serializer, &payload).unwrap();
        let opened = Keyring::from([key()]).open(&attributes, &wire).unwrap();
        prop_assert_eq!(opened.args::<(String,)>().unwrap().0, text);
    }
}
