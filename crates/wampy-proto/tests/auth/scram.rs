use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use wampy_proto::Value;
use wampy_proto::auth::scram::{AuthMessage, Derivation, Dialect, Kdf, Keys};
use wampy_proto::auth::{CostBounds, Credential, Culprit, Means, Scram, ScramCredential};
use wampy_proto::message::Challenge;

use crate::exchange::{Begun, Exchange, Failed, welcome};

const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";

fn rfc_7677() -> (Derivation, AuthMessage<'static>) {
    let salt = [
        0x5b, 0x6d, 0x99, 0x68, 0x9d, 0x12, 0x35, 0x8e, 0xec, 0xa0, 0x4b, 0x14, 0x12, 0x36, 0xfa,
        0x81,
    ];
    let derivation = Derivation {
        kdf: Kdf::Pbkdf2,
        salt: salt.to_vec(),
        iterations: 4096,
        memory_kib: 0,
    };
    let message = AuthMessage {
        dialect: Dialect::Specified,
        authid: "user",
        client_nonce: "rOprNGfwEbeRWgbNEkqO",
        nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        salt: SALT,
        iterations: 4096,
        channel: None,
    };
    (derivation, message)
}

#[test]
fn the_vectors_of_rfc_7677() {
    let (derivation, message) = rfc_7677();
    let keys = Keys::derive(&"pencil".into(), &derivation).unwrap();
    let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let signature = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    assert_eq!(keys.client_proof(&message), proof);
    assert_eq!(keys.server_signature(&message), signature);

    let stored = ScramCredential::new(&"pencil".into(), derivation).unwrap();
    assert!(stored.accepts(&message, proof));
    assert_eq!(stored.server_signature(&message), signature);
    let other = AuthMessage {
        nonce: "rOprNGfwEbeRWgbNEkqOx",
        ..message
    };
    assert!(!stored.accepts(&other, proof));
    for malformed in ["", "dHzb", "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ"] {
        assert!(!stored.accepts(&message, malformed), "{malformed}");
    }
}

/// The test vector of autobahn-python, which signs another text and goes on with another form of
/// Argon2's result.
#[test]
fn the_vector_of_autobahns_draft() {
    let derivation = Derivation {
        kdf: Kdf::Argon2id13Text,
        // The base64 of this is the text that the vector has as its salt.
        salt: vec![
            0xdf, 0x5d, 0xf6, 0xdf, 0x7d, 0xf8, 0xdf, 0x9d, 0xfa, 0xdf, 0xbd, 0xfc, 0xdf, 0xdd,
            0xf4, 0xeb, 0x5e, 0xb6, 0xeb, 0x7e, 0xb8, 0xeb, 0x9e, 0xba,
        ],
        iterations: 32,
        memory_kib: 512,
    };
    let message = AuthMessage {
        dialect: Dialect::Draft,
        authid: "username",
        client_nonce: "31323334353637383930616263646566",
        nonce: "1234567890abcdeffedcba0987654321",
        salt: "31323334353637383930616263646566",
        iterations: 32,
        channel: None,
    };
    let keys = Keys::derive(&"p4ssw0rd".into(), &derivation).unwrap();
    assert_eq!(
        keys.client_proof(&message),
        "f5r3loERzGVSuimE+lvO0bWna2zyswBo0HrZkaaEy38="
    );
}

fn derivation(kdf: Kdf) -> Derivation {
    let (iterations, memory_kib) = match kdf {
        Kdf::Pbkdf2 => (4096, 0),
        Kdf::Argon2id13 | Kdf::Argon2id13Text => (2, 8192),
    };
    Derivation {
        kdf,
        salt: b"sixteen bytes of".to_vec(),
        iterations,
        memory_kib,
    }
}

fn exchange_with(kdf: Kdf, theirs: &str) -> Exchange {
    let stored = ScramCredential::new(&"pencil".into(), derivation(kdf)).unwrap();
    let means = [Means::Scram(Scram::new(theirs.into()))];
    Exchange::new(means, [Credential::Scram(stored)])
}

fn exchange() -> Exchange {
    exchange_with(Kdf::Pbkdf2, "pencil")
}

/// The exchange under the name `scram`.
fn draft(kdf: Kdf) -> Exchange {
    let mut exchange = exchange_with(kdf, "pencil");
    exchange.hello.authmethods = Some(["scram".into()].into());
    exchange
}

#[test]
fn both_sides_agree_under_every_kdf_name_and_channel() {
    for kdf in Kdf::ALL {
        assert_eq!(exchange_with(kdf, "pencil").run(), Ok(()));
        assert_eq!(draft(kdf).run(), Ok(()));
        let bound = exchange_with(kdf, "pencil").over([7; 32], [7; 32]);
        assert_eq!(bound.run(), Ok(()));
        let wrong = exchange_with(kdf, "pencils").run();
        let Err(Failed::Router(denied)) = wrong else {
            panic!("{wrong:?}");
        };
        assert_eq!(denied.scram, Some("invalid-proof"));
        assert_eq!(
            denied.abort().details.scram.as_deref(),
            Some("invalid-proof")
        );
    }
}

/// Crossbar.io looks at no name behind one that it does not know.
#[test]
fn a_client_offers_the_drafts_name_first_and_a_router_prefers_the_specified_one() {
    let mut both = exchange();
    both.means.push(Means::WampCra("pencil".into()));
    let mut begun = both.begin();
    let offered = begun.hello.authmethods.clone().unwrap();
    assert_eq!(
        *offered,
        ["scram".into(), "wampcra".into(), "wamp-scram".into()]
    );
    assert_eq!(begun.challenge().authmethod, "wamp-scram");

    let bound = exchange().over([7; 32], [7; 32]).begin();
    assert_eq!(bound.hello.authmethods, Some(["wamp-scram".into()].into()));
}

#[test]
fn names_and_passwords_are_prepared_by_saslprep() {
    let mut exchange = exchange_with(Kdf::Pbkdf2, "pen\u{AD}cil");
    exchange.hello.authid = Some("I\u{AD}X=,".into());
    let begun = exchange.begin();
    assert_eq!(begun.hello.authid.as_deref(), Some("IX=,"));

    let mut exchange = exchange_with(Kdf::Pbkdf2, "pen\u{AD}cil");
    exchange.hello.authid = Some("\u{2168}=,".into());
    assert_eq!(exchange.run(), Ok(()));

    let outcome = exchange_with(Kdf::Pbkdf2, "pen\u{7}cil").run();
    let Err(Failed::Client(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.culprit, Culprit::Client);
}

/// What the client says to a challenge that `change` has changed.
fn refused(exchange: Exchange, change: impl FnOnce(&mut Challenge<'static>)) -> String {
    let mut begun = exchange.begin();
    let mut challenge = begun.challenge();
    change(&mut challenge);
    let error = begun.signer.answer(&challenge).unwrap_err();
    assert_eq!(error.culprit, Culprit::Router);
    error.problem
}

#[test]
fn check_86_a_challenge_must_continue_the_clients_nonce() {
    for exchange in [exchange, || draft(Kdf::Pbkdf2)] {
        for nonce in [
            None,
            Some("SBmkFIh7sSo=".into()),
            Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".into()),
            Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX,x".into()),
        ] {
            let problem = refused(exchange(), |it| it.extra.nonce = nonce);
            assert!(problem.contains("nonce"), "{problem}");
        }
    }
}

/// Crossbar.io appends to the bytes of the client's nonce, not to its text.
#[test]
fn a_nonce_that_continues_the_bytes_continues_the_text() {
    let mut begun = draft(Kdf::Pbkdf2).begin();
    let sent = begun.hello.authextra.as_ref().unwrap().get("nonce");
    let sent = BASE64.decode(sent.unwrap().as_str().unwrap()).unwrap();
    for more in [&b"x"[..], b"xy", b"xyz", &[0xFF; 16]] {
        let mut challenge = draft(Kdf::Pbkdf2).begin().challenge();
        challenge.extra.nonce = Some(BASE64.encode([&sent, more].concat()).into());
        assert!(begun.signer.answer(&challenge).is_ok());
    }
}

#[test]
fn check_86_suspiciously_cheap_derivations_are_refused() {
    let problem = refused(exchange(), |it| it.extra.iterations = Some(4095));
    assert!(problem.contains("suspiciously cheap"), "{problem}");
    let argon2 = || exchange_with(Kdf::Argon2id13, "pencil");
    let problem = refused(argon2(), |it| it.extra.iterations = Some(1));
    assert!(problem.contains("suspiciously cheap"), "{problem}");
    let problem = refused(argon2(), |it| it.extra.memory = None);
    assert!(problem.contains("suspiciously cheap"), "{problem}");
    let problem = refused(exchange(), |it| it.extra.salt = Some("c2FsdA==".into()));
    assert!(problem.contains("suspiciously short"), "{problem}");
}

#[test]
fn derivations_that_would_keep_the_client_busy_are_refused() {
    let problem = refused(exchange(), |it| it.extra.iterations = Some(10_000_001));
    assert!(problem.contains("too expensive"), "{problem}");
    let argon2 = || exchange_with(Kdf::Argon2id13, "pencil");
    let problem = refused(argon2(), |it| it.extra.memory = Some((256 << 10) + 1));
    assert!(problem.contains("too expensive"), "{problem}");
    let problem = refused(argon2(), |it| it.extra.iterations = Some(u64::MAX));
    assert!(problem.contains("too expensive"), "{problem}");

    let mut exchange = exchange();
    let bounds = CostBounds {
        pbkdf2_iterations_max: 4095,
        pbkdf2_iterations_min: 1,
        ..CostBounds::default()
    };
    exchange.means = vec![Means::Scram(Scram {
        password: "pencil".into(),
        bounds,
    })];
    let outcome = exchange.run();
    assert!(matches!(outcome, Err(Failed::Client(_))), "{outcome:?}");
}

#[test]
fn challenges_that_make_no_sense_are_refused() {
    for (problem, change) in [
        (
            "names no kdf",
            (|it| it.extra.kdf = None) as fn(&mut Challenge<'static>),
        ),
        ("is unknown", |it| it.extra.kdf = Some("md5".into())),
        ("salt is not base64", |it| {
            it.extra.salt = Some("a b".into())
        }),
        ("names no iterations", |it| it.extra.iterations = None),
    ] {
        let found = refused(exchange(), change);
        assert!(found.contains(problem), "{found}");
    }
    let bound = exchange().over([7; 32], [7; 32]);
    let problem = refused(bound, |it| it.authmethod = "scram".into());
    assert!(problem.contains("without channel binding"), "{problem}");
}

#[test]
fn check_86_a_router_that_does_not_hold_the_keys_is_not_believed() {
    let exchanges: [fn() -> Exchange; 2] = [exchange, || draft(Kdf::Pbkdf2)];
    for (exchange, name) in exchanges
        .into_iter()
        .zip(["verifier", "scram_server_signature"])
    {
        let mut begun = exchange().begin();
        let challenge = begun.challenge();
        let answer = begun.signer.answer(&challenge).unwrap();
        let proof = begun.verify(&answer).unwrap();
        let mut details = welcome(&proof);
        assert!(details.authextra.as_ref().unwrap().get(name).is_some());
        assert_eq!(begun.signer.check_welcome(&details), Ok(()));

        let signature = proof.authextra[0].1.as_str().unwrap();
        let as_in_the_example = Value::Text(format!("v={signature}"));
        details.authextra = Some(Value::Map(vec![(name.to_owned(), as_in_the_example)]));
        assert_eq!(begun.signer.check_welcome(&details), Ok(()));

        let another = if signature.starts_with('A') { "B" } else { "A" };
        let wrong = Value::Text(format!("{another}{}", &signature[1..]));
        details.authextra = Some(Value::Map(vec![(name.to_owned(), wrong)]));
        assert!(begun.signer.check_welcome(&details).is_err());
        details.authextra = None;
        assert!(begun.signer.check_welcome(&details).is_err());
    }
}

#[test]
fn check_86_a_welcome_without_any_challenge_is_not_believed() {
    let mut exchange = exchange();
    exchange.demanded.clear();
    let outcome = exchange.run();
    let Err(Failed::Client(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(error.problem.contains("without any proof"), "{error}");
}

fn hello_with(exchange: &mut Exchange, extra: &[(&str, &str)]) {
    let extra = extra
        .iter()
        .map(|&(key, value)| (key.to_owned(), Value::Text(value.to_owned())));
    exchange.means = Vec::new();
    exchange.hello.authextra = Some(Value::Map(extra.collect()));
}

#[test]
fn check_87_a_hello_that_a_router_cannot_serve_is_refused() {
    for (extra, has_channel, scram) in [
        (&[][..], false, "invalid-encoding"),
        (&[("nonce", "a,b=")], false, "invalid-encoding"),
        (&[("nonce", "not base64")], false, "invalid-encoding"),
        (
            &[
                ("nonce", "egVDf3DMJh0="),
                ("channel_binding", "tls-exporter"),
            ],
            false,
            "unsupported-channel-binding-type",
        ),
        (
            &[("nonce", "egVDf3DMJh0="), ("channel_binding", "tls-unique")],
            true,
            "unsupported-channel-binding-type",
        ),
    ] {
        let mut exchange = exchange();
        hello_with(&mut exchange, extra);
        exchange.channels[1] = has_channel.then(|| [7; 32].into());
        let outcome = exchange.run();
        let Err(Failed::Router(denied)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(denied.scram, Some(scram), "{extra:?}");
    }
}

/// What the router says to an answer that `change` has changed.
fn denied(
    exchange: Exchange,
    change: impl FnOnce(&mut wampy_proto::message::Authenticate<'static>),
) -> Option<&'static str> {
    let mut begun: Begun = exchange.begin();
    let challenge = begun.challenge();
    let mut answer = begun.signer.answer(&challenge).unwrap();
    change(&mut answer);
    begun.verify(&answer).err().and_then(|denied| denied.scram)
}

#[test]
fn check_87_an_answer_must_repeat_the_nonce_and_the_channel() {
    let bound = || exchange().over([7; 32], [7; 32]);
    assert_eq!(denied(exchange(), |_| {}), None);
    assert_eq!(denied(bound(), |_| {}), None);
    let other = Some("other-error");
    assert_eq!(denied(exchange(), |it| it.extra.nonce = None), other);
    let wrong = |it: &mut wampy_proto::message::Authenticate<'static>| {
        it.extra.nonce = Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX".into());
    };
    assert_eq!(denied(exchange(), wrong), other);
    assert_eq!(denied(draft(Kdf::Pbkdf2), wrong), other);
    assert_eq!(denied(draft(Kdf::Pbkdf2), |it| it.extra.nonce = None), None);

    let mismatch = Some("channel-bindings-dont-match");
    assert_eq!(
        denied(bound(), |it| it.extra.channel_binding = None),
        mismatch
    );
    assert_eq!(denied(bound(), |it| it.extra.cbind_data = None), mismatch);
    assert_eq!(
        denied(exchange(), |it| it.extra.cbind_data = Some("AAAA".into())),
        mismatch
    );
    let between = exchange().over([7; 32], [8; 32]);
    assert_eq!(denied(between, |_| {}), mismatch);
}
