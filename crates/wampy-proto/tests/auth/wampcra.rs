use wampy_proto::Value;
use wampy_proto::auth::wampcra::{Salting, answer, signature};
use wampy_proto::auth::{CraCredential, Credential, Means, Secret};
use wampy_proto::message::ChallengeExtra;

use crate::exchange::{Exchange, Failed};

fn salting() -> Salting {
    Salting {
        salt: "salt123".into(),
        iterations: 1000,
        keylen: 32,
    }
}

fn exchange(theirs: &str, ours: CraCredential) -> Exchange {
    let means = [Means::WampCra(theirs.into())];
    Exchange::new(means, [Credential::WampCra(ours)])
}

/// Test vectors of autobahn-python.
#[test]
fn keys_and_signatures_are_those_of_autobahn() {
    let key = salting().derive(&"L3L1YUE8Txlw".into()).unwrap();
    assert_eq!(
        key.expose_text(),
        Some("qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=")
    );
    assert_eq!(
        signature(&"L3L1YUE8Txlw".into(), "[1, 2, 3]"),
        "1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0="
    );
}

#[test]
fn check_85_the_challenge_has_seven_fields() {
    let mut begun = exchange("s3cret", CraCredential::plain("s3cret".into())).begin();
    let challenge = begun.challenge();
    let text = challenge.extra.challenge.clone().unwrap();
    let fields: Vec<(String, Value)> = match serde_json::from_str(&text).unwrap() {
        Value::Map(fields) => fields,
        other => panic!("{other:?}"),
    };
    let field = |name: &str| &fields.iter().find(|(key, _)| key == name).unwrap().1;
    let is = |name: &str, value: &str| assert_eq!(field(name).as_str(), Some(value), "{name}");
    is("authid", "joe");
    is("authrole", "user");
    is("authmethod", "wampcra");
    is("authprovider", "userdb");
    is("timestamp", "2014-06-22T16:36:25.448Z");
    assert_eq!(field("session").as_u64(), Some(3_251_278_072_152_162));
    assert!(field("nonce").as_str().unwrap().len() >= 16);
    assert_eq!(fields.len(), 7);
    assert_eq!(challenge.extra.salt, None);
    let answer = begun.signer.answer(&challenge).unwrap();
    assert!(begun.verify(&answer).is_ok());
}

#[test]
fn check_85_a_bad_signature_is_refused() {
    let salted = CraCredential::salted(&"s3cret".into(), salting()).unwrap();
    for ours in [CraCredential::plain("s3cret".into()), salted] {
        assert_eq!(exchange("s3cret", ours.clone()).run(), Ok(()));
        let outcome = exchange("s3cre", ours.clone()).run();
        assert!(matches!(outcome, Err(Failed::Router(_))));

        let mut begun = exchange("s3cret", ours).begin();
        let challenge = begun.challenge();
        let mut answer = begun.signer.answer(&challenge).unwrap();
        answer.signature = String::new().into();
        assert!(begun.verify(&answer).is_err());
    }
}

#[test]
fn a_salted_secret_is_signed_with_the_text_of_the_derived_key() {
    let salted = CraCredential::salted(&"L3L1YUE8Txlw".into(), salting()).unwrap();
    let mut begun = exchange("L3L1YUE8Txlw", salted).begin();
    let challenge = begun.challenge();
    let extra = &challenge.extra;
    assert_eq!(extra.salt.as_deref(), Some("salt123"));
    assert_eq!((extra.iterations, extra.keylen), (Some(1000), Some(32)));
    let answer = begun.signer.answer(&challenge).unwrap();
    let key = Secret::from("qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=");
    let expected = signature(&key, extra.challenge.as_deref().unwrap());
    assert_eq!(answer.signature, expected);
}

#[test]
fn a_client_does_not_compute_without_end() {
    let ask = |iterations, keylen| {
        let extra = ChallengeExtra {
            challenge: Some("{}".into()),
            salt: Some("salt".into()),
            iterations: Some(iterations),
            keylen: Some(keylen),
            ..ChallengeExtra::default()
        };
        answer(&"secret".into(), &extra)
    };
    assert!(ask(1, 1024).is_ok());
    for (iterations, keylen) in [
        (10_000_001, 32),
        (5_000_001, 33),
        (u64::MAX, 32),
        (0, 32),
        (1, 1025),
        (1, 0),
    ] {
        let problem = ask(iterations, keylen).unwrap_err().problem;
        assert!(problem.contains("not within"), "{problem}");
    }
    let problem = answer(&"secret".into(), &ChallengeExtra::default()).unwrap_err();
    assert_eq!(problem.problem, "the wampcra challenge holds no challenge");
}
