//! Clients that prove who they are, against a router of a script that does the arithmetic of
//! `wampy-proto`.

use std::time::Duration;

use serde_json::{Value, json};
use wampy::auth::{CostBounds, Cryptosign, PrivateKey, Scram, Ticket, WampCra};
use wampy::proto::auth::scram::{Derivation, Kdf};
use wampy::proto::auth::{
    Applicant, Challenger, CraCredential, Credential, Denied, ScramCredential, Step,
};
use wampy::proto::{Message, Serializer, SessionId};
use wampy::{Builder, Client, Error, Reconnect, Status};

use crate::fake_router::{FakeRouter, Peer, welcome};
use crate::fixture::within;

fn router_key() -> PrivateKey {
    PrivateKey::from_seed(&[9; 32])
}

fn client_key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn scram(password: &str) -> Credential {
    let derivation = Derivation {
        kdf: Kdf::Pbkdf2,
        salt: vec![7; 16],
        iterations: 4096,
        memory_kib: 0,
    };
    Credential::Scram(ScramCredential::new(&password.into(), derivation).unwrap())
}

fn cra(secret: &str) -> Credential {
    Credential::WampCra(CraCredential::plain(secret.into()))
}

fn json_of<'a>(message: impl Into<Message<'a>>) -> Value {
    let mut bytes = Vec::new();
    message.into().encode(Serializer::Json, &mut bytes).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// What the router of the script knows of the client.
fn challenger(hello: &Value, demanded: impl IntoIterator<Item = Credential>) -> Challenger {
    let bytes = hello.to_string();
    let Message::Hello(hello) = Message::decode(Serializer::Json, bytes.as_bytes()).unwrap() else {
        panic!("no HELLO: {bytes}");
    };
    let applicant = Applicant {
        session: SessionId::try_from(4711).unwrap(),
        authid: hello.details.authid.clone().unwrap_or_default().into(),
        authrole: "user".into(),
        authprovider: "static".into(),
        timestamp: "2026-01-01T00:00:00.000Z".into(),
        channel: None,
        router_key: Some(router_key()),
    };
    Challenger::new(applicant, &hello.details, demanded)
}

/// Asks the client for all of `demanded` and lets it in, if its proofs are right.
async fn let_in(
    peer: &mut Peer,
    demanded: impl IntoIterator<Item = Credential>,
) -> Result<Value, Denied> {
    let hello = peer.expect(1).await;
    let mut challenger = challenger(&hello, demanded);
    let mut step = challenger.next(&rand_bytes())?;
    loop {
        match step {
            Step::Challenge(challenge) => {
                peer.send(json_of(challenge)).await;
                let answer = peer.expect(5).await.to_string();
                let answer = Message::decode(Serializer::Json, answer.as_bytes()).unwrap();
                let Message::Authenticate(answer) = answer else {
                    panic!("no AUTHENTICATE");
                };
                step = challenger.verify(&answer, &rand_bytes())?;
            }
            Step::Proven(proof) => {
                let mut message = welcome();
                for (key, value) in proof.authextra {
                    let value = serde_json::to_value(value).unwrap();
                    message[2]["authextra"] = json!({ key: value });
                }
                peer.send(message).await;
                return Ok(hello);
            }
        }
    }
}

fn rand_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes);
    bytes
}

/// A client that joins a router that demands all of `demanded`: what it said in HELLO.
async fn joins(
    set_up: impl FnOnce(Builder) -> Builder,
    demanded: impl IntoIterator<Item = Credential>,
) -> Value {
    within(async {
        let router = FakeRouter::bind().await;
        let serving = async {
            let mut peer = router.accept_rawsocket().await;
            (let_in(&mut peer, demanded).await.unwrap(), peer)
        };
        let (client, (hello, _peer)) = tokio::join!(set_up(router.client()).connect(), serving);
        assert_eq!(client.unwrap().session_id().value(), 4711);
        hello
    })
    .await
}

/// A client to which `script` does something: its error, and the ABORT that it sends.
async fn refuses(
    set_up: impl FnOnce(Builder) -> Builder,
    script: impl AsyncFnOnce(&mut Peer, Value),
) -> (Error, Value) {
    within(async {
        let router = FakeRouter::bind().await;
        let serving = async {
            let mut peer = router.accept_rawsocket().await;
            let hello = peer.expect(1).await;
            script(&mut peer, hello).await;
            let abort = peer.expect(3).await;
            peer.expect_end().await;
            abort
        };
        let (client, abort) = tokio::join!(set_up(router.client()).connect(), serving);
        (client.unwrap_err(), abort)
    })
    .await
}

fn assert_untrusted(outcome: &(Error, Value), problem: &str) {
    let (error, abort) = outcome;
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    assert!(error.to_string().contains(problem), "{error}");
    assert_eq!(abort[2], "wamp.error.authentication_failed");
    assert!(abort[1]["message"].as_str().unwrap().contains(problem));
}

#[tokio::test]
async fn each_method_is_a_type() {
    let hello = joins(
        |it| it.auth(Ticket::new("joe", "secret!!!")),
        [Credential::Ticket("secret!!!".into())],
    );
    let hello = hello.await;
    assert_eq!(hello[2]["authmethods"], json!(["ticket"]));
    assert_eq!(hello[2]["authid"], "joe");

    let hello = joins(|it| it.auth(WampCra::new("joe", "s3cret")), [cra("s3cret")]).await;
    assert_eq!(hello[2]["authmethods"], json!(["wampcra"]));

    let hello = joins(|it| it.auth(Scram::new("joe", "pencil")), [scram("pencil")]).await;
    assert_eq!(hello[2]["authmethods"], json!(["scram", "wamp-scram"]));

    let key = Credential::Cryptosign(vec![client_key().public_key()]);
    let mutual = Cryptosign::new(client_key()).router_key(router_key().public_key());
    let hello = joins(|it| it.auth(mutual), [key]).await;
    assert_eq!(hello[2]["authmethods"], json!(["cryptosign"]));
    assert_eq!(hello[2]["authid"], Value::Null);
    let pubkey = client_key().public_key().to_string();
    assert_eq!(hello[2]["authextra"]["pubkey"], pubkey);
}

#[tokio::test]
async fn several_methods_are_offered_and_the_router_chooses() {
    let several = |it: Builder| {
        it.auth(Scram::new("joe", "pencil"))
            .auth(WampCra::new("joe", "s3cret"))
    };
    let hello = joins(several, [cra("s3cret")]).await;
    let offered = json!(["scram", "wampcra", "wamp-scram"]);
    assert_eq!(hello[2]["authmethods"], offered);
    joins(several, [scram("pencil")]).await;
    let hello = joins(|it| several(it).authmethods(["wampcra"]), [cra("s3cret")]).await;
    assert_eq!(hello[2]["authmethods"], json!(["wampcra"]));
}

#[tokio::test]
async fn two_factors_are_answered_one_after_the_other() {
    let both = |it: Builder| {
        it.auth(Ticket::new("joe", "123456"))
            .auth(Scram::new("joe", "pencil"))
    };
    joins(both, [scram("pencil"), Credential::Ticket("123456".into())]).await;
}

#[tokio::test]
async fn a_wrong_secret_is_the_routers_abort() {
    within(async {
        let router = FakeRouter::bind().await;
        let serving = async {
            let mut peer = router.accept_rawsocket().await;
            let denied = let_in(&mut peer, [cra("s3cret")]).await.unwrap_err();
            peer.send(json_of(denied.abort())).await;
            peer.expect_end().await;
        };
        let client = router.client().auth(WampCra::new("joe", "guess")).connect();
        let (client, ()) = tokio::join!(client, serving);
        let error = client.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.authentication_denied"));
        assert!(
            error.to_string().contains("the signature is wrong"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_method_that_was_not_given_is_a_misuse() {
    let (error, abort) = refuses(
        |it| it.auth(WampCra::new("joe", "s3cret")),
        async |peer, _| peer.send(json!([4, "ticket", {}])).await,
    )
    .await;
    assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the router asks for a proof by ticket, which was not given"
    );
    assert_eq!(abort[2], "wamp.error.authentication_failed");
}

#[tokio::test]
async fn methods_that_do_not_fit_together_are_a_misuse() {
    for (builder, problem) in [
        (
            Client::builder("rs://localhost")
                .auth(Ticket::new("joe", "1"))
                .auth(WampCra::new("ann", "2")),
            "a session is one user's, but both \"joe\" and \"ann\" were given",
        ),
        (
            Client::builder("rs://localhost")
                .authid("ann")
                .auth(Ticket::new("joe", "1")),
            "a session is one user's, but both \"ann\" and \"joe\" were given",
        ),
        (
            Client::builder("rs://localhost")
                .auth(Ticket::new("joe", "1"))
                .auth(Ticket::new("joe", "2")),
            "ticket was given twice",
        ),
    ] {
        let error = builder.connect().await.unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }));
        assert_eq!(error.to_string(), problem);
    }
}

#[tokio::test]
async fn channel_binding_needs_tls() {
    within(async {
        let router = FakeRouter::bind().await;
        let bound = Cryptosign::new(client_key()).channel_binding(true);
        let client = router.client().auth(bound).connect();
        let (client, _peer) = tokio::join!(client, router.accept_rawsocket());
        let error = client.unwrap_err().to_string();
        assert!(error.contains("channel binding needs TLS 1.3"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn check_86_a_challenge_that_does_not_continue_the_nonce_is_not_signed() {
    let outcome = refuses(
        |it| it.auth(Scram::new("joe", "pencil")),
        async |peer, _| {
            let challenge = json!({"nonce": "SBmkFIh7sSo=", "salt": "W22ZaJ0SNY7soEsUEjb6gQ==",
                "kdf": "pbkdf2", "iterations": 4096});
            peer.send(json!([4, "wamp-scram", challenge])).await;
        },
    )
    .await;
    assert_untrusted(&outcome, "its nonce does not continue the client's");
}

/// A challenge with another number of iterations.
async fn ask_for(peer: &mut Peer, hello: &Value, iterations: u64) {
    let mut challenger = challenger(hello, [scram("pencil")]);
    let Ok(Step::Challenge(challenge)) = challenger.next(&[1; 32]) else {
        panic!("no challenge");
    };
    let mut challenge = json_of(challenge);
    challenge[2]["iterations"] = iterations.into();
    peer.send(challenge).await;
}

#[tokio::test]
async fn check_86_derivations_out_of_bounds_are_not_done() {
    for (iterations, problem) in [(4095, "suspiciously cheap"), (u64::MAX, "too expensive")] {
        let outcome = refuses(
            |it| it.auth(Scram::new("joe", "pencil")),
            async |peer, hello| ask_for(peer, &hello, iterations).await,
        )
        .await;
        assert_untrusted(&outcome, problem);
    }
    let strict = CostBounds {
        pbkdf2_iterations_min: 600_000,
        ..CostBounds::default()
    };
    let outcome = refuses(
        |it| it.auth(Scram::new("joe", "pencil").bounds(strict)),
        async |peer, hello| ask_for(peer, &hello, 599_999).await,
    )
    .await;
    assert_untrusted(&outcome, "suspiciously cheap");
}

#[tokio::test]
async fn check_86_a_router_without_the_keys_is_left() {
    let outcome = refuses(
        |it| it.auth(Scram::new("joe", "pencil")),
        async |peer, hello| {
            ask_for(peer, &hello, 4096).await;
            peer.expect(5).await;
            let mut welcome = welcome();
            welcome[2]["authextra"] =
                json!({"verifier": "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="});
            peer.send(welcome).await;
        },
    )
    .await;
    assert_untrusted(&outcome, "proof that it holds this user's keys is wrong");

    let outcome = refuses(
        |it| it.auth(Scram::new("joe", "pencil")),
        async |peer, _| peer.send(welcome()).await,
    )
    .await;
    assert_untrusted(&outcome, "without any proof of who it is");
}

#[tokio::test]
async fn check_89_a_challenge_with_another_channel_binding_is_not_signed() {
    let outcome = refuses(
        |it| it.auth(Cryptosign::new(client_key())),
        async |peer, _| {
            let challenge =
                json!({"challenge": "00".repeat(32), "channel_binding": "tls-exporter"});
            peer.send(json!([4, "cryptosign", challenge])).await;
        },
    )
    .await;
    assert_untrusted(&outcome, "asked for was none");
}

#[tokio::test]
async fn check_90_a_router_with_another_key_gets_no_signature() {
    let expected = client_key().public_key();
    let outcome = refuses(
        |it| it.auth(Cryptosign::new(client_key()).router_key(expected)),
        async |peer, hello| {
            let key = Credential::Cryptosign(vec![client_key().public_key()]);
            let mut challenger = challenger(&hello, [key]);
            let Ok(Step::Challenge(challenge)) = challenger.next(&[1; 32]) else {
                panic!("no challenge");
            };
            peer.send(json_of(challenge)).await;
        },
    )
    .await;
    assert_untrusted(&outcome, "the router has the key");
}

#[tokio::test]
async fn a_client_that_comes_back_signs_again() {
    within(async {
        let router = FakeRouter::bind().await;
        let reconnect = Reconnect {
            delay_min: Duration::from_millis(1),
            ..Reconnect::default()
        };
        let serving = async {
            let mut nonces = Vec::new();
            for _ in 0..2 {
                let mut peer = router.accept_rawsocket().await;
                let hello = let_in(&mut peer, [scram("pencil")]).await.unwrap();
                nonces.push(hello[2]["authextra"]["nonce"].clone());
            }
            let mut peer = router.accept_rawsocket().await;
            let denied = let_in(&mut peer, [scram("another")]).await.unwrap_err();
            peer.send(json_of(denied.abort())).await;
            peer.expect_end().await;
            nonces
        };
        let client = async {
            let builder = router.client().auth(Scram::new("joe", "pencil"));
            let client = builder.reconnect(reconnect).connect().await.unwrap();
            let mut changes = client.status_changes();
            let is_over = |status: &Status| matches!(status, Status::Closed { .. });
            changes.wait_for(is_over).await.unwrap().clone()
        };
        let (nonces, status) = tokio::join!(serving, client);
        assert_ne!(nonces[0], nonces[1], "a nonce is used once");
        let Status::Closed { reason } = status else {
            panic!("{status:?}");
        };
        assert!(reason.contains("authentication_denied"), "{reason}");
    })
    .await;
}

#[test]
fn a_key_comes_from_a_file() {
    let path = std::env::temp_dir().join(format!("wampy-client-key-{}", std::process::id()));
    std::fs::write(&path, client_key().to_hex().expose()).unwrap();
    assert!(Cryptosign::from_file(&path).is_ok());
    std::fs::write(&path, "no key").unwrap();
    let error = Cryptosign::from_file(&path).unwrap_err().to_string();
    assert!(error.ends_with("a private key is 64 hex digits"), "{error}");
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(Cryptosign::from_file(&path).is_err());
}
