//! The client's side of WebSocket, seen by an independent implementation of RFC 6455.

use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::handshake::server::{Request, Response};
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::{Message, WebSocket};
use wampy::proto::Serializer;
use wampy::{Client, Error};

use crate::fake_router::{assert_misbehaved, welcome};
use crate::fixture::within;

type Peer = WebSocket<TcpStream>;

/// Runs `script` with the first client that comes, after WELCOME; returns the URL to connect to.
fn router<T: Send + 'static>(
    script: impl FnOnce(&mut Peer) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/some/path?q=1", listener.local_addr().unwrap());
    let running = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        #[allow(clippy::result_large_err)]
        let choose_json = |request: &Request, mut response: Response| {
            assert_eq!(request.uri().to_string(), "/some/path?q=1");
            let offered = request.headers()["Sec-WebSocket-Protocol"]
                .to_str()
                .unwrap();
            assert_eq!(offered, "wamp.2.json");
            response
                .headers_mut()
                .insert("Sec-WebSocket-Protocol", "wamp.2.json".parse().unwrap());
            Ok(response)
        };
        let mut peer = tungstenite::accept_hdr(stream, choose_json).unwrap();
        assert_eq!(receive(&mut peer)[0], 1);
        send(&mut peer, &welcome());
        let outcome = script(&mut peer);
        // Sends what is left and waits for the other side, as a router does.
        while peer.read().is_ok() {}
        outcome
    });
    (url, running)
}

async fn connect(url: String) -> Client {
    Client::builder(url)
        .serializer(Serializer::Json)
        .connect()
        .await
        .unwrap()
}

async fn outcome<T: Send + 'static>(running: JoinHandle<T>) -> T {
    tokio::task::spawn_blocking(|| running.join())
        .await
        .unwrap()
        .unwrap()
}

/// The next message, which must be text (wire check 92).
fn receive(peer: &mut Peer) -> Value {
    match peer.read().unwrap() {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?} is no text message"),
    }
}

fn send(peer: &mut Peer, message: &Value) {
    peer.send(Message::text(message.to_string())).unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_by_exactly_one_pong() {
    within(async {
        let (answered, all_answered) = tokio::sync::oneshot::channel();
        let (url, running) = router(|peer| {
            for payload in [&b"payload"[..], b"", b"\xff\x00"] {
                peer.send(Message::Ping(payload.to_vec().into())).unwrap();
                assert_eq!(peer.read().unwrap(), Message::Pong(payload.to_vec().into()));
            }
            answered.send(()).unwrap();
            assert_eq!(receive(peer)[0], 16);
        });
        let client = connect(url).await;
        // Behind the last pong: what comes next on the wire is no second one.
        all_answered.await.unwrap();
        client.publish("com.example").await.unwrap();
        drop(client);
        outcome(running).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_in_fragments_is_one_message() {
    within(async {
        let (url, running) = router(|peer| {
            assert_eq!(receive(peer)[0], 48);
            let result = json!([50, 1, {}, ["in three parts"]])
                .to_string()
                .into_bytes();
            let thirds = [&result[..5], &result[5..9], &result[9..]];
            for (number, part) in thirds.into_iter().enumerate() {
                let data = if number == 0 {
                    Data::Text
                } else {
                    Data::Continue
                };
                let frame = Frame::message(part.to_vec(), OpCode::Data(data), number == 2);
                peer.send(Message::Frame(frame)).unwrap();
                // A ping may come between fragments.
                peer.send(Message::Ping(vec![1].into())).unwrap();
            }
        });
        let client = connect(url).await;
        let result = client.call("com.example").await.unwrap();
        assert_eq!(result.value::<String>().unwrap(), "in three parts");
        drop(client);
        outcome(running).await;
    })
    .await;
}

#[tokio::test]
async fn a_closed_websocket_is_a_loss_with_the_router_s_reason() {
    within(async {
        let (url, running) = router(|peer| {
            assert_eq!(receive(peer)[0], 48);
            let reason = "out of cheese".into();
            peer.close(Some(CloseFrame {
                code: 1011.into(),
                reason,
            }))
            .unwrap();
            match peer.read().unwrap() {
                Message::Close(Some(answer)) => u16::from(answer.code),
                other => panic!("{other:?} is no answer to a close frame"),
            }
        });
        let client = connect(url).await;
        let error = client.call("com.example").await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        assert!(error.to_string().contains("1011: out of cheese"), "{error}");
        assert_eq!(outcome(running).await, 1011);
    })
    .await;
}

/// Wire check 92, and 11: what the subprotocol does not allow ends the session.
#[tokio::test]
async fn a_message_of_the_other_kind_is_a_violation() {
    within(async {
        let (url, running) = router(|peer| {
            assert_eq!(receive(peer)[0], 48);
            peer.send(Message::binary(json!([50, 1, {}]).to_string().into_bytes()))
                .unwrap();
            receive(peer)
        });
        let client = connect(url).await;
        let error = client.call("com.example").await.unwrap_err();
        assert_misbehaved(&error, "binary message");
        assert_eq!(outcome(running).await[2], "wamp.error.protocol_violation");
    })
    .await;
}

#[tokio::test]
async fn frames_that_break_the_rules_close_with_their_code() {
    within(async {
        let (url, running) = router(|peer| {
            assert_eq!(receive(peer)[0], 48);
            // Text that is not UTF-8.
            let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
            peer.send(Message::Frame(frame)).unwrap();
            match peer.read().unwrap() {
                Message::Close(Some(close)) => u16::from(close.code),
                other => panic!("{other:?} is no close frame"),
            }
        });
        let client = connect(url).await;
        let error = client.call("com.example").await.unwrap_err();
        assert_misbehaved(&error, "UTF-8");
        assert_eq!(outcome(running).await, 1007);
    })
    .await;
}

#[tokio::test]
async fn a_goodbye_ends_with_a_close_frame() {
    within(async {
        let (url, running) = router(|peer| {
            assert_eq!(receive(peer)[0], 6);
            send(peer, &json!([6, {}, "wamp.close.goodbye_and_out"]));
            match peer.read().unwrap() {
                Message::Close(Some(close)) => u16::from(close.code),
                other => panic!("{other:?} is no close frame"),
            }
        });
        connect(url).await.close().await.unwrap();
        assert_eq!(outcome(running).await, 1000);
    })
    .await;
}
