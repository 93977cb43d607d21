//! How sessions end (wire checks 12, 13, 14).

use std::time::{Duration, Instant};

use serde_json::json;
use wampy::{Client, Error, Status};

use crate::fake_router::{FakeRouter, session};
use crate::fixture::{router_and_client, until, within};

/// Wire check 12, in a session.
#[tokio::test]
async fn an_abort_is_not_answered() {
    within(async {
        let (client, mut peer) = session().await;
        peer.send(json!([3, {"message": "out of memory"}, "com.example.error.gone"]))
            .await;
        peer.expect_end().await;
        client.closed().await;
        match client.call("com.example").await.unwrap_err() {
            Error::Aborted {
                reason, message, ..
            } => {
                assert_eq!(reason, "com.example.error.gone");
                assert_eq!(message.as_deref(), Some("out of memory"));
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
}

/// Wire check 12, instead of WELCOME.
#[tokio::test]
async fn a_refusal_to_join_is_not_answered() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            peer.expect(1).await;
            peer.send(json!([3, {"message": "no such realm"}, "wamp.error.no_such_realm"]))
                .await;
            peer.expect_end().await;
        };
        let (client, ()) = tokio::join!(router.client().connect(), script);
        assert_eq!(client.unwrap_err().uri(), Some("wamp.error.no_such_realm"));
    })
    .await;
}

/// Wire check 13.
#[tokio::test]
async fn a_goodbye_is_answered_exactly_once() {
    within(async {
        let (client, mut peer) = session().await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example").await }
        });
        peer.expect(48).await;
        let goodbye = json!([6, {}, "wamp.close.system_shutdown"]);
        peer.send_together(&[goodbye.clone(), goodbye]).await;
        assert_eq!(
            peer.expect(6).await,
            json!([6, {}, "wamp.close.goodbye_and_out"])
        );
        peer.expect_end().await;
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert!(
            error.to_string().contains("wamp.close.system_shutdown"),
            "{error}"
        );
    })
    .await;
}

/// Wire check 14.
#[tokio::test]
async fn what_comes_between_goodbye_and_its_answer_counts_for_nothing() {
    within(async {
        let (client, mut peer) = session().await;
        let (registration, ()) = tokio::join!(
            client
                .register("com.example", async |_| Ok(()))
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 900])).await;
            }
        );
        registration.unwrap();
        let script = async {
            assert_eq!(
                peer.expect(6).await,
                json!([6, {}, "wamp.close.close_realm"])
            );
            peer.send(json!([68, 1, 900, {}])).await;
            peer.send(json!([36, 5, 6, {}])).await;
            peer.send(json!([48, 1, {}, "com.example"])).await;
            peer.send_frame(0, b"garbage").await;
            peer.send(json!([6, {}, "wamp.close.goodbye_and_out"]))
                .await;
            peer.expect_end().await;
        };
        let (closed, ()) = tokio::join!(client.close(), script);
        closed.unwrap();
        assert!(matches!(
            client.call("com.example").await,
            Err(Error::Closed)
        ));
        client.close().await.expect("closing again does nothing");
    })
    .await;
}

#[tokio::test]
async fn a_goodbye_follows_what_was_sent_before_it() {
    within(async {
        let (client, mut peer) = session().await;
        for number in 0..100 {
            client.publish("com.example").args((number,)).await.unwrap();
        }
        let script = async {
            for number in 0..100 {
                assert_eq!(peer.expect(16).await[4], json!([number]));
            }
            peer.expect(6).await;
            peer.send(json!([6, {}, "wamp.close.goodbye_and_out"]))
                .await;
            peer.expect_end().await;
        };
        let (closed, ()) = tokio::join!(client.close(), script);
        closed.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_router_that_does_not_answer_goodbye_holds_nobody_up() {
    within(async {
        let router = FakeRouter::bind().await;
        let builder = router.client().close_timeout(Duration::from_millis(100));
        let (client, mut peer) = router.session(builder).await;
        let begin = Instant::now();
        let error = client.close().await.unwrap_err();
        assert!(
            error.to_string().contains("has not answered the goodbye"),
            "{error}"
        );
        assert!(begin.elapsed() < Duration::from_secs(5));
        peer.expect(6).await;
        peer.expect_end().await;
    })
    .await;
}

#[tokio::test]
async fn a_router_that_closes_instead_of_answering_goodbye_is_told_of() {
    within(async {
        let (client, mut peer) = session().await;
        let script = async {
            peer.expect(6).await;
            drop(peer);
        };
        let (closed, ()) = tokio::join!(client.close(), script);
        let error = closed.unwrap_err();
        assert!(
            error.to_string().contains("no answer to the goodbye"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test]
async fn leaving_says_why() {
    within(async {
        let (client, mut peer) = session().await;
        let script = async {
            assert_eq!(peer.expect(6).await[2], "com.example.done");
            peer.send(json!([6, {}, "wamp.close.goodbye_and_out"]))
                .await;
        };
        let (left, ()) = tokio::join!(client.leave("com.example.done"), script);
        left.unwrap();
    })
    .await;
}

#[tokio::test]
async fn closing_fails_what_waits_for_an_answer() {
    within(async {
        let (client, mut peer) = session().await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example").await }
        });
        peer.expect(48).await;
        let script = async {
            peer.expect(6).await;
            peer.send(json!([6, {}, "wamp.close.goodbye_and_out"]))
                .await;
        };
        let (closed, ()) = tokio::join!(client.close(), script);
        closed.unwrap();
        assert!(matches!(call.await.unwrap(), Err(Error::Closed)));
    })
    .await;
}

#[tokio::test]
async fn dropping_the_last_handle_says_goodbye() {
    within(async {
        let (client, mut peer) = session().await;
        let other = client.clone();
        drop(client);
        assert!(matches!(other.status(), Status::Established { .. }));
        drop(other);
        assert_eq!(peer.expect(6).await[2], "wamp.close.close_realm");
    })
    .await;
}

#[tokio::test]
async fn a_subscription_alone_keeps_the_session() {
    within(async {
        let (router, publisher) = router_and_client().await;
        let mut events = {
            let subscriber = Client::connect(router.url()).await.unwrap();
            subscriber.subscribe("com.example").await.unwrap()
        };
        publisher.publish("com.example").await.unwrap();
        assert!(events.next().await.is_some());
        drop(events);
        until(async || {
            let count = publisher.call("wamp.session.count").await.unwrap();
            count.value::<u64>().unwrap() == 1
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_handler_that_uses_the_client_of_its_invocation_does_not_keep_the_session() {
    within(async {
        let (router, watcher) = router_and_client().await;
        let callee = Client::connect(router.url()).await.unwrap();
        callee
            .register(
                "com.example.count",
                async |invocation: wampy::Invocation| {
                    let count = invocation.client().call("wamp.session.count").await?;
                    Ok(count.value::<u64>()?)
                },
            )
            .await
            .unwrap();
        let count = watcher.call("com.example.count").await.unwrap();
        assert_eq!(count.value::<u64>().unwrap(), 2);
        drop(callee);
        until(async || {
            let count = watcher.call("wamp.session.count").await.unwrap();
            count.value::<u64>().unwrap() == 1
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_connection_fails_what_waits_for_an_answer() {
    within(async {
        let (client, mut peer) = session().await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example").await }
        });
        peer.expect(48).await;
        drop(peer);
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        client.closed().await;
        let error = client.publish("com.example").await.unwrap_err();
        assert!(error.to_string().contains("rs://127.0.0.1"), "{error}");
    })
    .await;
}

#[test]
fn the_end_of_the_runtime_is_the_end_of_its_clients() {
    let other = tokio::runtime::Runtime::new().unwrap();
    let own = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (client, _peer) = own.block_on(session());
    drop(own);
    let error = other
        .block_on(within(client.call("com.example").into_future()))
        .unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
}
