//! The client's side of RawSocket (wire checks 96 to 99).

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wampy::proto::{Payload, Serializer};
use wampy::{Client, Error, Limits};

use crate::fake_router::{FakeRouter, session, welcome};
use crate::fixture::{within, within_times};

/// Answers one RawSocket handshake with `answer`; returns what the client opened with.
async fn answer_handshake(router: &FakeRouter, answer: &[u8]) -> [u8; 4] {
    let mut stream = router.accept_stream().await;
    let mut hello = [0; 4];
    stream.read_exact(&mut hello).await.unwrap();
    stream.write_all(answer).await.unwrap();
    // The client closes, and says nothing more.
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
    hello
}

/// Wire check 96.
#[tokio::test]
async fn a_handshake_that_is_no_acceptance_fails_the_connection() {
    for (answer, problem) in [
        (
            &[0x7f, 0xf2, 0, 0][..],
            "serializer 2 instead of the requested 1",
        ),
        (&[0x7f, 0xf1, 0, 1], "reserved octets"),
        (&[0x7f, 0x00, 0, 0], "illegal error number 0"),
        (&[0x7f, 0x20, 0, 0], "maximum message length unacceptable"),
        (&[0x7f, 0x30, 0, 0], "reserved bits"),
        (&[0x7f, 0x40, 0, 0], "maximum connection count reached"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "not a RawSocket router",
        ),
    ] {
        within(async {
            let router = FakeRouter::bind().await;
            let (client, hello) =
                tokio::join!(router.client().connect(), answer_handshake(&router, answer));
            assert_eq!(hello, [0x7f, 0xf1, 0, 0]);
            let error = client.unwrap_err();
            assert!(matches!(error, Error::Connect { .. }), "{error:?}");
            assert!(
                error.to_string().contains(problem),
                "{error} does not say {problem}"
            );
        })
        .await;
    }
}

#[tokio::test]
async fn the_next_serializer_is_asked_for_when_one_is_refused() {
    within(async {
        let router = FakeRouter::bind().await;
        let builder = router
            .client()
            .serializers([Serializer::Cbor, Serializer::Json]);
        let script = async {
            let refused = answer_handshake(&router, &[0x7f, 0x10, 0, 0]).await;
            assert_eq!(refused, [0x7f, 0xf3, 0, 0]);
            router.accept().await
        };
        let (client, _peer) = tokio::join!(builder.connect(), script);
        assert_eq!(client.unwrap().serializer(), Serializer::Json);
    })
    .await;
}

#[tokio::test]
async fn a_router_without_any_of_the_serializers_is_an_error() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = answer_handshake(&router, &[0x7f, 0x10, 0, 0]);
        let (client, _) = tokio::join!(router.client().connect(), script);
        assert!(
            client
                .unwrap_err()
                .to_string()
                .contains("serializer unsupported")
        );
    })
    .await;
}

/// Wire check 97: what the client announces is what it enforces.
#[tokio::test]
async fn a_frame_above_the_announced_limit_fails_the_connection() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            message_bytes_max: 1024,
            ..Limits::default()
        };
        let script = async {
            let mut stream = router.accept_stream().await;
            let mut hello = [0; 4];
            stream.read_exact(&mut hello).await.unwrap();
            assert_eq!(hello, [0x7f, 0x11, 0, 0], "2^(9+1) octets");
            stream.write_all(&[0x7f, 0xf1, 0, 0]).await.unwrap();
            let text = welcome().to_string();
            stream
                .write_all(&[0, 0, 0, u8::try_from(text.len()).unwrap()])
                .await
                .unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        };
        let (client, mut stream) = tokio::join!(router.client().limits(limits).connect(), script);
        let client = client.unwrap();
        stream.write_all(&[0, 0, 4, 1]).await.unwrap();
        client.closed().await;
        let error = client.call("com.example").await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("1025 bytes exceeds the limit of 1024"),
            "{error}"
        );
    })
    .await;
}

/// Wire check 97: nothing is sent above the router's limit, and the session goes on.
#[tokio::test]
async fn a_message_above_the_router_s_limit_is_not_sent() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut stream = router.accept_stream().await;
            stream.read_exact(&mut [0; 4]).await.unwrap();
            stream.write_all(&[0x7f, 0x11, 0, 0]).await.unwrap();
            let mut header = [0; 4];
            stream.read_exact(&mut header).await.unwrap();
            let length = u32::from_be_bytes(header) as usize;
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            let text = welcome().to_string();
            stream
                .write_all(&[0, 0, 0, u8::try_from(text.len()).unwrap()])
                .await
                .unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        };
        // HELLO itself must fit, so it announces one role only.
        let builder = router.client().roles([wampy::proto::Role::Publisher]);
        let (client, mut stream) = tokio::join!(builder.connect(), script);
        let client = client.unwrap();
        let error = client
            .publish("com.example")
            .args(("x".repeat(2000),))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
        assert!(
            error.to_string().contains("exceeds the limit of 1024"),
            "{error}"
        );
        client.publish("com.example").args(("fits",)).await.unwrap();
        let mut header = [0; 4];
        stream.read_exact(&mut header).await.unwrap();
        let mut publish = vec![0; u32::from_be_bytes(header) as usize];
        stream.read_exact(&mut publish).await.unwrap();
        let publish: serde_json::Value = serde_json::from_slice(&publish).unwrap();
        assert_eq!(
            publish,
            json!([16, 1, {}, "com.example", ["fits"]]),
            "the id was not used up"
        );
    })
    .await;
}

/// Wire check 98.
#[tokio::test]
async fn a_ping_is_answered_by_exactly_one_pong() {
    within(async {
        let (client, mut peer) = session().await;
        for payload in [&b"payload"[..], b"", b"\xff\x00\xfe"] {
            peer.send_frame(1, payload).await;
            assert_eq!(peer.receive_frame().await, Some((2, payload.to_vec())));
        }
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

/// Wire check 99, and the other end of the range.
#[tokio::test]
async fn the_largest_messages_that_rawsocket_can_carry_arrive() {
    // Without optimization 16 MiB of JSON take seconds, each time that they are read or written.
    within_times(10, async {
        let (client, mut peer) = session().await;
        let mut events = {
            let (events, ()) = tokio::join!(client.subscribe("com.example").into_future(), async {
                peer.expect(32).await;
                peer.send(json!([33, 1, 5])).await;
            });
            events.unwrap()
        };
        for length in [(1 << 24) - 1, 1 << 24] {
            let (head, tail) = (r#"[36,5,6,{},[""#, r#""]]"#);
            let text = "x".repeat(length - head.len() - tail.len());
            let event = format!("{head}{text}{tail}");
            assert_eq!(event.len(), length);
            let header: [u8; 4] = match length {
                0x100_0000 => [8, 0, 0, 0],
                _ => [0, 0xff, 0xff, 0xff],
            };
            peer.send_bytes(&header).await;
            peer.send_bytes(event.as_bytes()).await;
            let event = events.next().await.unwrap();
            assert_eq!(event.args::<(String,)>().unwrap().0.len(), text.len());
        }
        drop(events);
        peer.expect(34).await;
        // [16,2,{},"com.example",["…"]]
        let text =
            "x".repeat((1 << 24) - json!([16, 3, {}, "com.example", [""]]).to_string().len());
        client.publish("com.example").args((text,)).await.unwrap();
        let (first_octet, nothing) = peer.receive_frame().await.unwrap();
        assert_eq!((first_octet, nothing.len()), (8, 0), "exactly 2^24 octets");
    })
    .await;
}

#[tokio::test]
async fn reserved_frames_fail_the_connection() {
    for header in [[0x03, 0, 0, 0], [0x10, 0, 0, 0], [0x08, 0, 0, 1]] {
        within(async {
            let (client, mut peer) = session().await;
            peer.send_bytes(&header).await;
            peer.expect_end().await;
            client.closed().await;
        })
        .await;
    }
}

#[tokio::test]
async fn args_of_every_serializer_are_sent_in_that_of_the_session() {
    within(async {
        let (client, mut peer) = session().await;
        for serializer in Serializer::ALL {
            let payload = Payload::encode(serializer, &(1, "two"), &()).unwrap();
            client
                .publish("com.example")
                .payload(payload)
                .await
                .unwrap();
            assert_eq!(peer.expect(16).await[4], json!([1, "two"]));
        }
        let client: Client = client;
        drop(client);
    })
    .await;
}
