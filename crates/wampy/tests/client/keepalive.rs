//! Peers that say nothing.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wampy::{Client, Error, Status};

use crate::fake_router::FakeRouter;
use crate::fixture::{router, within};

const SHORT: Duration = Duration::from_millis(40);

#[tokio::test]
async fn a_router_that_does_not_answer_a_ping_is_lost() {
    within(async {
        let router = FakeRouter::bind().await;
        let builder = router
            .client()
            .ping_interval(Some(SHORT))
            .ping_timeout(SHORT);
        let (client, mut peer) = router.session(builder).await;
        assert_eq!(peer.receive_frame().await, Some((1, b"wampy".to_vec())));
        client.closed().await;
        let error = client.call("com.example").await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert!(error.to_string().contains("ping"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_router_that_answers_pings_is_not_lost() {
    within(async {
        let router = FakeRouter::bind().await;
        let timeout = Duration::from_secs(5);
        let builder = router
            .client()
            .ping_interval(Some(SHORT))
            .ping_timeout(timeout);
        let (client, mut peer) = router.session(builder).await;
        for _ in 0..5 {
            let (frame_type, payload) = peer.receive_frame().await.unwrap();
            assert_eq!(frame_type, 1);
            peer.send_frame(2, &payload).await;
        }
        assert!(matches!(client.status(), Status::Established { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_rawsocket_router_is_not_pinged_unless_asked_for() {
    within(async {
        let router = FakeRouter::bind().await;
        // A timeout alone is no wish for pings.
        let (client, mut peer) = router.session(router.client().ping_timeout(SHORT)).await;
        tokio::time::sleep(SHORT * 3).await;
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

#[tokio::test]
async fn a_websocket_router_is_pinged_and_answers() {
    within(async {
        let router = router().await;
        let builder = Client::builder(router.url())
            .ping_interval(Some(SHORT))
            .ping_timeout(SHORT * 10);
        let client = builder.connect().await.unwrap();
        tokio::time::sleep(SHORT * 6).await;
        client
            .call("wamp.session.count")
            .await
            .expect("the pings were answered");
    })
    .await;
}

#[tokio::test]
async fn a_peer_that_never_speaks_does_not_hold_up_connecting() {
    within(async {
        let router = FakeRouter::bind().await;
        let timeout = Duration::from_millis(150);
        let (client, _stream) = tokio::join!(
            router.client().connect_timeout(timeout).connect(),
            router.accept_stream()
        );
        let error = client.unwrap_err();
        assert!(error.to_string().contains("150 ms"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_router_that_never_welcomes_does_not_hold_up_connecting() {
    within(async {
        let router = FakeRouter::bind().await;
        let timeout = Duration::from_millis(150);
        let (client, _peer) = tokio::join!(
            router.client().connect_timeout(timeout).connect(),
            router.accept_rawsocket()
        );
        match client.unwrap_err() {
            Error::Timeout { what, .. } => assert!(what.contains("realm1"), "{what}"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_web_server_is_no_router() {
    within(async {
        for (answer, problem) in [
            (
                "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone",
                "404",
            ),
            ("SSH-2.0-OpenSSH_9.0\r\n", "does not speak HTTP"),
        ] {
            let server = FakeRouter::bind().await;
            let script = async {
                let mut stream = server.accept_stream().await;
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                assert!(
                    request.contains("wamp.2.msgpack, wamp.2.cbor, wamp.2.json"),
                    "{request}"
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            };
            let url = format!("ws://127.0.0.1:{}/ws", server.port());
            let (client, ()) = tokio::join!(Client::connect(url), script);
            let error = client.unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn timeouts_that_never_come_do_no_harm() {
    within(async {
        let router = FakeRouter::bind().await;
        let builder = router
            .client()
            .connect_timeout(Duration::MAX)
            .close_timeout(Duration::MAX)
            .ping_timeout(Duration::MAX)
            .ping_interval(Some(Duration::MAX));
        let (client, mut peer) = router.session(builder).await;
        let calling = tokio::spawn({
            let call = client.call("com.example").timeout(Duration::MAX);
            let mut parts = call.progressive();
            async move { [parts.next().await, parts.next().await, parts.next().await] }
        });
        peer.expect(48).await;
        for details in [
            json!({"progress": true}),
            json!({"progress": true}),
            json!({}),
        ] {
            peer.send(json!([50, 1, details])).await;
        }
        for part in calling.await.unwrap() {
            part.unwrap().unwrap();
        }
        let (closed, ()) = tokio::join!(client.close(), async move {
            peer.expect(6).await;
            peer.send(json!([6, {}, "wamp.close.goodbye_and_out"]))
                .await;
            peer.expect_end().await;
        });
        closed.unwrap();
    })
    .await;
}
