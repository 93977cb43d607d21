//! Peers that say nothing.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
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

/// Carries the bytes of one connection to the router at `url`; the URL to connect to instead. What the router
/// sends is shown to `look`.
async fn relay(url: &str, mut look: impl FnMut(&[u8]) + Send + 'static) -> String {
    let router = url.trim_start_matches("ws://").trim_end_matches('/');
    let router = TcpStream::connect(router).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_router, mut to_router) = router.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_router).await });
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from_router.read(&mut bytes).await {
            look(&bytes[..read]);
            to_client.write_all(&bytes[..read]).await.unwrap();
        }
    });
    format!("ws://{here}/")
}

#[tokio::test]
async fn a_websocket_router_is_pinged_and_answers() {
    within(async {
        let router = router().await;
        let (pongs, mut came) = tokio::sync::mpsc::unbounded_channel();
        let mut said = Vec::new();
        let url = router.url();
        let relayed = relay(&url, move |bytes| {
            said.extend_from_slice(bytes);
            let pong = b"\x8a\x05wampy".as_slice();
            let count = said.windows(pong.len()).filter(|it| *it == pong).count();
            _ = pongs.send(count);
        });
        let builder = Client::builder(relayed.await)
            .ping_interval(Some(SHORT))
            .ping_timeout(Duration::from_secs(15));
        let client = builder.connect().await.unwrap();
        while came.recv().await.unwrap() < 3 {}
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
