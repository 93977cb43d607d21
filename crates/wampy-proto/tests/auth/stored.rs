//! What a router stores, as a configuration file holds it.

use wampy_proto::auth::scram::{Derivation, Kdf};
use wampy_proto::auth::{AuthMethod, CraCredential, Credentials, ScramCredential};

fn read(json: &str) -> Result<Credentials, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn credentials_survive_being_written_and_read() {
    let json = r#"{"ticket":"t","wampcra":{"key":"qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=","salt":"salt123","iterations":1000,"keylen":32},"scram":{"kdf":"argon2id13","salt":"W22ZaJ0SNY7soEsUEjb6gQ==","iterations":2,"memory":8192,"stored_key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","server_key":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="},"cryptosign":["545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122"]}"#;
    let credentials = read(json).unwrap();
    assert_eq!(serde_json::to_string(&credentials).unwrap(), json);
    for method in AuthMethod::ALL {
        let credential = credentials.get(method).unwrap();
        assert_eq!(credential.method(), method);
        assert!(!format!("{credential:?}").contains("qzcd"));
    }
    let none = read("{}").unwrap();
    assert!(
        AuthMethod::ALL
            .into_iter()
            .all(|method| none.get(method).is_none())
    );
    assert_eq!(serde_json::to_string(&none).unwrap(), "{}");
}

#[test]
fn a_salted_secret_may_be_stored_derived_or_as_it_is() {
    let derived = read(
        r#"{"wampcra":{"key":"qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=","salt":"salt123"}}"#,
    );
    // What Crossbar.io has in its configuration.
    let plain = read(
        r#"{"wampcra":{"secret":"L3L1YUE8Txlw","salt":"salt123","iterations":1000,"keylen":32}}"#,
    );
    assert_eq!(derived.unwrap(), plain.unwrap());
    let unsalted = read(r#"{"wampcra":{"secret":"L3L1YUE8Txlw"}}"#).unwrap();
    let expected = CraCredential::plain("L3L1YUE8Txlw".into());
    assert_eq!(unsalted.wampcra, Some(expected));
}

/// What autobahn-python's `derive_scram_credential` prints, with fewer iterations.
#[test]
fn the_scram_keys_of_crossbar_are_read_as_they_are() {
    let derivation = Derivation {
        kdf: Kdf::Argon2id13Text,
        salt: (0..16).collect(),
        iterations: 32,
        memory_kib: 512,
    };
    let ours = ScramCredential::new(&"p4ssw0rd".into(), derivation).unwrap();
    let theirs = read(
        r#"{"scram":{"kdf":"argon2id-13","memory":512,"iterations":32,"salt":"000102030405060708090a0b0c0d0e0f","stored-key":"STORED","server-key":"SERVER"}}"#
            .replace("STORED", STORED_KEY)
            .replace("SERVER", SERVER_KEY)
            .as_str(),
    );
    assert_eq!(theirs.unwrap().scram, Some(ours));
}

const STORED_KEY: &str = "276b6f2fee0ecb669701fc470a279eec277ccfa8f9a289b751caeaeb30c1883c";
const SERVER_KEY: &str = "69ad15952d0081f2a592713d739b2f6454f06c632c6483d541d3a3617b139969";

#[test]
fn what_is_wrong_with_stored_credentials_is_said() {
    for (json, problem) in [
        (
            r#"{"wampcra":{}}"#,
            "a secret, or a key with its salt, is missing",
        ),
        (r#"{"wampcra":{"key":"k"}}"#, "a key needs the salt"),
        (
            r#"{"wampcra":{"secret":"s","key":"k","salt":"x"}}"#,
            "either a secret or a key",
        ),
        (
            r#"{"wampcra":{"secret":"s","keylen":32}}"#,
            "mean nothing without a salt",
        ),
        (
            r#"{"wampcra":{"secret":"s","pepper":32}}"#,
            "unknown field `pepper`",
        ),
        (
            r#"{"wampcra":{"secret":"s","salt":"x","iterations":0}}"#,
            "0 iterations",
        ),
        (r#"{"cryptosign":["42"]}"#, "\"42\" is no public key"),
        (
            r#"{"scram":{"kdf":"md5","salt":"AAAA","iterations":1,"stored_key":"","server_key":""}}"#,
            "the kdf \"md5\" is unknown",
        ),
        (
            r#"{"scram":{"kdf":"pbkdf2","salt":"A","iterations":1,"stored_key":"","server_key":""}}"#,
            "the salt is neither",
        ),
        (
            r#"{"scram":{"kdf":"pbkdf2","salt":"AAAA","iterations":1,"stored_key":"AAAA","server_key":""}}"#,
            "stored_key is not 32 bytes",
        ),
        (
            r#"{"scram":{"kdf":"argon2id13","salt":"AAAA","iterations":1,"stored_key":"AAAA","server_key":""}}"#,
            "argon2 needs memory",
        ),
        (
            r#"{"scram":{"kdf":"pbkdf2","memory":8,"salt":"AAAA","iterations":1,"stored_key":"AAAA","server_key":""}}"#,
            "pbkdf2 has none",
        ),
    ] {
        let error = read(json).unwrap_err();
        assert!(error.contains(problem), "{json}: {error}");
    }
}
