//! End-to-end encryption and Payload Passthru Mode, through a real router.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wampy::proto::end_to_end::{Cipher, DataKey, Keyring, OpenError};
use wampy::proto::message::{self, Passthru, SubscribeOptions};
use wampy::proto::{Message, RequestId, Serializer};
use wampy::{Builder, Client, DECRYPTION_FAILED, Error, Invocation, Reply, Router, WampError};

use crate::fake_router::{FakeRouter, session};
use crate::fixture::{address_of, router, router_and_client, until, within};

/// What nobody on the way may see.
const SECRET: &str = "attack-at-dawn";

fn keys(secret: u8) -> Keyring {
    Keyring::from([DataKey::with_id("2026", [secret; 32])])
}

async fn with_keys(router: &Router, secret: u8) -> Client {
    let builder = Client::builder(router.url()).keys(keys(secret));
    builder.connect().await.unwrap()
}

/// Offers a procedure that echoes its arguments, in parts and as a whole, and one that fails.
async fn offer_echo(callee: &Client) {
    callee
        .register("com.example.echo", async |mut call: Invocation| {
            assert!(call.is_encrypted());
            while let Some(part) = call.next_part().await? {
                call.progress_payload(part.payload().clone()).await?;
            }
            Ok(Reply::from(call.payload().clone()))
        })
        .await
        .unwrap();
    callee
        .register("com.example.fail", async |_| {
            Err::<(), _>(WampError::new("com.example.error.no").with_args((SECRET,)))
        })
        .await
        .unwrap();
}

/// Relays between a client and a router, and keeps every byte of both directions.
struct Tap {
    port: u16,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    async fn before(router: &Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let address = address_of(router);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let router = TcpStream::connect(&address).await.unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_router, to_router) = router.into_split();
                tokio::spawn(relay(from_client, to_router, Arc::clone(&kept)));
                tokio::spawn(relay(from_router, to_client, Arc::clone(&kept)));
            }
        });
        Self { port, seen }
    }

    /// A client whose every byte is seen. RawSocket does not mask, and JSON is text.
    fn client(&self) -> Builder {
        let url = format!("rs://127.0.0.1:{}", self.port);
        Client::builder(url).serializer(Serializer::Json)
    }

    fn has_seen(&self, text: &str) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.windows(text.len())
            .any(|window| window == text.as_bytes())
    }
}

async fn relay(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    let mut buf = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buf).await {
        seen.lock().unwrap().extend_from_slice(&buf[..read]);
        if to.write_all(&buf[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn sealed_calls_are_opened_and_their_answers_sealed() {
    within(async {
        let router = router().await;
        for serializer in Serializer::ALL {
            for cipher in Cipher::ALL {
                let builder = Client::builder(router.url()).serializer(serializer);
                let callee = builder.keys(keys(1)).connect().await.unwrap();
                offer_echo(&callee).await;
                let builder = Client::builder(router.url()).keys(keys(1)).cipher(cipher);
                let caller = builder.connect().await.unwrap();
                let call = caller.call("com.example.echo").args((SECRET, 1));
                let kwargs = std::collections::BTreeMap::from([("bytes", 7)]);
                let result = call.kwargs(&kwargs).encrypt("2026").await.unwrap();
                assert!(result.is_encrypted());
                let passthru = result.details().passthru().unwrap();
                assert_eq!(passthru.cipher.as_deref(), Some(cipher.as_str()));
                let expected = (SECRET.to_owned(), 1);
                assert_eq!(result.args::<(String, u8)>().unwrap(), expected);
                let named: std::collections::BTreeMap<String, u8> = result.kwargs().unwrap();
                assert_eq!(named["bytes"], 7);

                let call = caller.call("com.example.fail").encrypt("2026");
                let error = call.await.unwrap_err();
                let error = error.as_wamp().unwrap();
                assert_eq!(error.uri(), "com.example.error.no");
                assert!(error.is_encrypted());
                assert_eq!(error.args::<(String,)>().unwrap().0, SECRET);
                callee.close().await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn parts_are_sealed_in_both_directions() {
    within(async {
        let router = router().await;
        let tap = Tap::before(&router).await;
        let callee = tap.client().keys(keys(1)).connect().await.unwrap();
        offer_echo(&callee).await;
        let caller = with_keys(&router, 1).await;
        let call = caller.call("com.example.echo").encrypt("2026");
        let (mut input, mut results) = call.args((SECRET,)).duplex().await.unwrap();
        for number in 0..3_u8 {
            input.send((SECRET, number)).await.unwrap();
            let part = results.next().await.unwrap().unwrap();
            assert!(part.is_progress() && part.is_encrypted());
            assert_eq!(part.args::<(String, u8)>().unwrap().1, number);
        }
        input.finish((SECRET,)).await.unwrap();
        results.next().await.unwrap().unwrap();
        let result = results.next().await.unwrap().unwrap();
        assert_eq!(result.value::<String>().unwrap(), SECRET);
        assert!(tap.has_seen("com.example.echo") && !tap.has_seen(SECRET));
    })
    .await;
}

#[tokio::test]
async fn nobody_on_the_way_sees_what_is_sealed() {
    within(async {
        let router = router().await;
        let tap = Tap::before(&router).await;
        let sender = tap.client().keys(keys(1)).connect().await.unwrap();
        let receiver = tap.client().keys(keys(1)).connect().await.unwrap();
        offer_echo(&receiver).await;
        let mut events = receiver.subscribe("com.example.secret").await.unwrap();
        let publish = sender.publish("com.example.secret").args((SECRET,));
        publish.encrypt("2026").await.unwrap();
        let event = events.next().await.unwrap();
        assert!(event.is_encrypted());
        assert_eq!(event.args::<(String,)>().unwrap().0, SECRET);
        let call = sender.call("com.example.echo").args((SECRET,));
        call.encrypt("2026").await.unwrap();
        let call = sender.call("com.example.fail").args((SECRET,));
        call.encrypt("2026").await.unwrap_err();
        assert!(tap.has_seen("com.example.fail") && !tap.has_seen(SECRET));

        let publish = sender.publish("com.example.secret").args((SECRET,));
        publish.await.unwrap();
        assert!(!events.next().await.unwrap().is_encrypted());
        assert!(tap.has_seen(SECRET), "what is plain can be seen");
    })
    .await;
}

#[tokio::test]
async fn a_listener_without_the_key_gets_only_ciphertext() {
    within(async {
        let router = router().await;
        let publisher = with_keys(&router, 1).await;
        let without = Client::connect(router.url()).await.unwrap();
        let wrong = with_keys(&router, 2).await;
        let raw = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&raw);
        let listener = Client::builder(router.url())
            .observer(move |message| {
                if let Message::Event(event) = message {
                    heard
                        .lock()
                        .unwrap()
                        .push(event.payload.clone().into_owned());
                }
            })
            .connect()
            .await
            .unwrap();
        let subscribe = message::Subscribe {
            request: RequestId::FIRST,
            options: SubscribeOptions::default(),
            topic: "com.example.secret".into(),
        };
        listener.send(subscribe).await.unwrap();
        // The answer to a later request of its own says that the router has the one before.
        listener.call("wamp.session.count").await.unwrap();
        let mut events = without.subscribe("com.example.secret").await.unwrap();
        let mut others = wrong.subscribe("com.example.secret").await.unwrap();

        let publish = publisher.publish("com.example.secret").args((SECRET,));
        publish.encrypt("2026").await.unwrap();
        publisher.publish("com.example.secret").await.unwrap();
        for events in [&mut events, &mut others] {
            let event = events.next().await.unwrap();
            assert!(event.payload().is_empty(), "the sealed event is left out");
            assert_eq!(events.undecryptable(), 1);
        }
        until(async || raw.lock().unwrap().len() == 2).await;
        let raw = raw.lock().unwrap();
        let sealed = raw[0].encoded_args();
        assert!(sealed.len() > SECRET.len());
        let plain = SECRET.as_bytes();
        assert!(!sealed.windows(plain.len()).any(|window| window == plain));
    })
    .await;
}

#[tokio::test]
async fn a_callee_without_the_key_says_so() {
    within(async {
        let router = router().await;
        let caller = with_keys(&router, 1).await;
        let without = Client::connect(router.url()).await.unwrap();
        let wrong = with_keys(&router, 2).await;
        for (callee, problem) in [
            (without, "there is no key \"2026\""),
            (wrong, "the key \"2026\" does not open the payload"),
        ] {
            offer_echo(&callee).await;
            let call = caller.call("com.example.echo").encrypt("2026");
            let error = call.await.unwrap_err();
            assert_eq!(error.uri(), Some(DECRYPTION_FAILED));
            let text = error.as_wamp().unwrap().args::<(String,)>().unwrap().0;
            assert!(text.contains(problem), "{text}");
            callee.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_opened_is_an_error() {
    within(async {
        let router = FakeRouter::bind().await;
        let builder = router.client().keys(keys(1));
        let (client, mut peer) = router.session(builder).await;
        let (_, other) = (0, DataKey::with_id("2026", [2; 32]));
        let payload = wampy::proto::Payload::encode(Serializer::Json, &(1,), &()).unwrap();
        let (passthru, sealed) = other
            .seal(Cipher::default(), [3; 24], Serializer::Json, &payload)
            .unwrap();
        let details = json!({
            "ppt_scheme": passthru.scheme, "ppt_serializer": passthru.serializer,
            "ppt_cipher": passthru.cipher, "ppt_keyid": passthru.keyid,
        });
        let args: serde_json::Value = serde_json::from_slice(sealed.encoded_args()).unwrap();
        for (answer, expected) in [
            (json!([50, 1, {}, ["plain"]]), OpenError::NotEncrypted),
            (
                json!([50, 2, details, args]),
                OpenError::WrongKey("2026".to_owned()),
            ),
            (
                json!([8, 48, 3, details, "com.example.error", args]),
                OpenError::WrongKey("2026".to_owned()),
            ),
        ] {
            let call = client.call("com.example").args((1,)).encrypt("2026");
            let (result, ()) = tokio::join!(call.into_future(), async {
                let call = peer.expect(48).await;
                assert_eq!(call[2]["ppt_scheme"], "wamp");
                peer.send(answer).await;
            });
            match result.unwrap_err() {
                Error::Decryption { what, problem } => {
                    assert_eq!(problem, expected);
                    assert_eq!(what, "the answer to the call of com.example");
                }
                other => panic!("{other:?} does not say that the answer cannot be decrypted"),
            }
        }
        // A part of a result ends the call, too.
        let call = client.call("com.example").encrypt("2026");
        let mut results = call.progressive();
        let (part, ()) = tokio::join!(results.next(), async {
            peer.expect(48).await;
            peer.send(json!([50, 4, {"progress": true}, ["plain"]]))
                .await;
            assert_eq!(peer.expect(49).await[1], 4);
        });
        assert!(matches!(part, Some(Err(Error::Decryption { .. }))));
        assert!(results.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn an_opened_error_goes_on_as_a_plain_one() {
    within(async {
        let router = router().await;
        let client = with_keys(&router, 1).await;
        offer_echo(&client).await;
        client
            .register("com.example.outer", async |call: Invocation| {
                let inner = call.client().call("com.example.fail").encrypt("2026");
                inner.await?;
                Ok(())
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let error = caller.call("com.example.outer").await.unwrap_err();
        let error = error.as_wamp().unwrap();
        assert!(!error.is_encrypted());
        assert_eq!(error.details().passthru(), None);
        assert_eq!(error.args::<(String,)>().unwrap().0, SECRET);
    })
    .await;
}

fn mine() -> Passthru {
    Passthru {
        scheme: "x_mine".into(),
        serializer: Some("native".into()),
        cipher: None,
        keyid: Some("k".into()),
    }
}

#[tokio::test]
async fn what_other_schemes_pass_through_arrives_as_it_is() {
    within(async {
        let (router, callee) = router_and_client().await;
        callee
            .register("com.example.pass", async |call: Invocation| {
                assert!(!call.is_encrypted());
                assert_eq!(call.details().passthru(), Some(mine()));
                Ok(Reply::from(call.payload().clone()).with_passthru(mine()))
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let mut events = callee.subscribe("com.example.pass").await.unwrap();
        let call = caller.call("com.example.pass").args(("raw",));
        let result = call.passthru(mine()).await.unwrap();
        assert_eq!(result.details().passthru(), Some(mine()));
        assert_eq!(result.value::<String>().unwrap(), "raw");
        let publish = caller.publish("com.example.pass").args(("raw",));
        publish.passthru(mine()).await.unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event.details().passthru(), Some(mine()));
        assert!(!event.is_encrypted());
    })
    .await;
}

#[tokio::test]
async fn a_router_that_passes_nothing_through_is_given_nothing() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            peer.expect(1).await;
            let roles = json!({"broker": {}, "dealer": {}});
            peer.send(json!([2, 4711, {"roles": roles}])).await;
            peer
        };
        let builder = router.client().keys(keys(1));
        let (client, mut peer) = tokio::join!(builder.connect(), script);
        let client = client.unwrap();
        let refusals = [
            client
                .call("com.example")
                .encrypt("2026")
                .await
                .unwrap_err(),
            client
                .call("com.example")
                .passthru(mine())
                .await
                .unwrap_err(),
            client
                .publish("com.example")
                .encrypt("2026")
                .await
                .unwrap_err(),
            client
                .publish("com.example")
                .passthru(mine())
                .await
                .unwrap_err(),
        ];
        for error in refusals {
            let text = error.to_string();
            assert!(text.contains("payload_passthru_mode"), "{text}");
        }
        let (registration, ()) = tokio::join!(
            client
                .register("com.example", async |_| {
                    Ok(Reply::new().with_passthru(mine()))
                })
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {}])).await;
        assert_eq!(peer.expect(8).await[4], wampy::RUNTIME_ERROR);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_not_there_seals_nothing() {
    within(async {
        let (client, mut peer) = session().await;
        let error = client.call("com.example").encrypt("2026").await;
        assert_eq!(error.unwrap_err().to_string(), "there is no key \"2026\"");
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 1, "no id was used up");
    })
    .await;
}
