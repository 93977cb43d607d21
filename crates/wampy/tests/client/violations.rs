//! What a client does with a router that breaks the protocol (wire checks 5, 7, 8, 11, 17).

use serde_json::{Value, json};
use wampy::Error;

use crate::fake_router::{FakeRouter, assert_misbehaved, session, welcome};
use crate::fixture::within;

/// Checks that the client answers with ABORT for a protocol violation, and closes.
async fn assert_aborts(mut peer: crate::fake_router::Peer) -> String {
    let abort = peer.expect(3).await;
    assert_eq!(abort[2], "wamp.error.protocol_violation");
    peer.expect_end().await;
    abort[1]["message"]
        .as_str()
        .expect("the reason in words")
        .to_owned()
}

/// Wire check 5, and everything else that only a client may send.
#[tokio::test]
async fn messages_that_no_router_sends_in_a_session_end_it() {
    for message in [
        welcome(),
        json!([4, "ticket", {}]),
        json!([1, "realm1", {"roles": {"caller": {}}}]),
        json!([48, 1, {}, "com.example"]),
        json!([16, 1, {}, "com.example"]),
        json!([70, 1, {}]),
    ] {
        within(async {
            let (client, mut peer) = session().await;
            let call = tokio::spawn({
                let client = client.clone();
                async move { client.call("com.example").await }
            });
            peer.expect(48).await;
            peer.send(message.clone()).await;
            let reason = assert_aborts(peer).await;
            assert!(
                reason.contains("established session"),
                "{message}: {reason}"
            );
            client.closed().await;
            assert_misbehaved(&call.await.unwrap().unwrap_err(), "established session");
            assert!(matches!(
                client.call("com.example").await,
                Err(Error::PeerMisbehaved { .. })
            ));
        })
        .await;
    }
}

/// Wire check 7.
#[tokio::test]
async fn answers_before_welcome_end_the_session() {
    for message in [
        json!([8, 48, 1, {}, "com.example.error"]),
        json!([33, 1, 2]),
        json!([35, 1]),
        json!([17, 1, 2]),
        json!([50, 1, {}]),
        json!([65, 1, 2]),
        json!([67, 1]),
        json!([68, 1, 2, {}]),
        json!([36, 1, 2, {}]),
    ] {
        within(async {
            let router = FakeRouter::bind().await;
            let script = async {
                let mut peer = router.accept_rawsocket().await;
                peer.expect(1).await;
                peer.send(message.clone()).await;
                assert_aborts(peer).await
            };
            let (client, reason) = tokio::join!(router.client().connect(), script);
            assert!(reason.contains("before WELCOME"), "{message}: {reason}");
            assert_misbehaved(&client.unwrap_err(), "before WELCOME");
        })
        .await;
    }
}

/// Wire check 11.
#[tokio::test]
async fn what_is_no_message_ends_the_session() {
    for garbage in [
        "[]",
        "{}",
        "[999]",
        "[50]",
        "[50,\"one\",{}]",
        "[50,0,{}]",
        "nonsense",
        "[50,1,{}",
    ] {
        within(async {
            let (client, mut peer) = session().await;
            peer.send_frame(0, garbage.as_bytes()).await;
            assert_aborts(peer).await;
            client.closed().await;
            let error = client.call("com.example").await.unwrap_err();
            assert!(
                matches!(error, Error::PeerMisbehaved { .. }),
                "{garbage}: {error}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn an_answer_of_another_kind_than_the_request_ends_the_session() {
    within(async {
        let (client, mut peer) = session().await;
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.call("com.example").await }
        });
        peer.expect(48).await;
        peer.send(json!([65, 1, 2])).await;
        let reason = assert_aborts(peer).await;
        assert_eq!(reason, "REGISTERED answers the request 1, which is a CALL");
        assert_misbehaved(
            &call.await.unwrap().unwrap_err(),
            "REGISTERED answers the request 1",
        );
    })
    .await;
}

#[tokio::test]
async fn answers_to_nobody_count_for_nothing() {
    within(async {
        let (client, mut peer) = session().await;
        for message in [
            json!([50, 77, {}]),
            json!([8, 48, 77, {}, "com.example.error"]),
            json!([17, 77, 2]),
            json!([33, 77, 2]),
            json!([35, 77]),
            json!([65, 77, 2]),
            json!([67, 77]),
            json!([36, 77, 2, {}]),
            json!([69, 77, {}]),
            json!([35, 0, {"subscription": 77}]),
            json!([67, 0, {"registration": 77}]),
        ] {
            peer.send(message).await;
        }
        let (result, ()) = tokio::join!(client.call("com.example"), async {
            peer.expect(48).await;
            peer.send(json!([50, 1, {}, ["fine"]])).await;
        });
        assert_eq!(result.unwrap().value::<String>().unwrap(), "fine");
    })
    .await;
}

#[tokio::test]
async fn a_welcome_without_a_router_s_role_is_a_violation() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            peer.expect(1).await;
            peer.send(json!([2, 4711, {"roles": {"caller": {}}}])).await;
            assert_aborts(peer).await
        };
        let (client, _) = tokio::join!(router.client().connect(), script);
        assert_misbehaved(&client.unwrap_err(), "neither a broker nor a dealer");
    })
    .await;
}

#[tokio::test]
async fn a_router_that_wants_a_proof_is_told_that_there_is_none() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            let hello = peer.expect(1).await;
            assert_eq!(hello[2]["authmethods"], json!(["anonymous"]));
            peer.send(json!([4, "ticket", {}])).await;
            let abort = peer.expect(3).await;
            peer.expect_end().await;
            abort
        };
        let (client, abort): (_, Value) = tokio::join!(router.client().connect(), script);
        assert_eq!(abort[2], "wamp.error.authentication_failed");
        assert!(client.unwrap_err().to_string().contains("ticket"));
    })
    .await;
}
