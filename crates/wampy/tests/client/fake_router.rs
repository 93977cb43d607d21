//! A router of a script: RawSocket and JSON by hand, message by message.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wampy::proto::Serializer;
use wampy::{Builder, Client, Error};

/// Where a script waits for clients.
pub struct FakeRouter {
    listener: TcpListener,
}

/// A client as the script sees it.
pub struct Peer {
    stream: TcpStream,
}

impl FakeRouter {
    pub async fn bind() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// How to connect to this router.
    pub fn client(&self) -> Builder {
        let url = format!("rs://127.0.0.1:{}", self.port());
        Client::builder(url).serializer(Serializer::Json)
    }

    /// The next connection, before any handshake.
    pub async fn accept_stream(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }

    /// The next connection, after the RawSocket handshake.
    pub async fn accept_rawsocket(&self) -> Peer {
        let mut stream = self.accept_stream().await;
        let mut hello = [0; 4];
        stream.read_exact(&mut hello).await.unwrap();
        assert_eq!(
            hello,
            [0x7f, 0xf1, 0, 0],
            "JSON, and messages of up to 2^24 octets"
        );
        stream.write_all(&hello).await.unwrap();
        Peer { stream }
    }

    /// The next connection, after HELLO and WELCOME.
    pub async fn accept(&self) -> Peer {
        let mut peer = self.accept_rawsocket().await;
        let hello = peer.receive().await.unwrap();
        assert_eq!(hello[0], 1);
        assert_eq!(hello[1], "realm1");
        peer.send(welcome()).await;
        peer
    }

    /// A client of `builder` and its peer.
    pub async fn session(&self, builder: Builder) -> (Client, Peer) {
        let (client, peer) = tokio::join!(builder.connect(), self.accept());
        (client.unwrap(), peer)
    }
}

/// A WELCOME with the features that the tests are about.
pub fn welcome() -> Value {
    json!([2, 4711, {"roles": {
        "broker": {"features": {"payload_passthru_mode": true}},
        "dealer": {"features": {
            "call_canceling": true,
            "progressive_call_results": true,
            "progressive_call_invocations": true,
            "payload_passthru_mode": true,
        }},
    }}])
}

/// A router for one client with default options, and that client.
pub async fn session() -> (Client, Peer) {
    let router = FakeRouter::bind().await;
    let builder = router.client();
    router.session(builder).await
}

impl Peer {
    /// The next frame: its type and its payload; `None` when the client has closed.
    pub async fn receive_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await.ok()?;
        let length = u32::from_be_bytes([0, header[1], header[2], header[3]]) as usize;
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some((header[0], payload))
    }

    /// The next message; `None` when the client has closed.
    pub async fn receive(&mut self) -> Option<Value> {
        let (frame_type, payload) = self.receive_frame().await?;
        assert_eq!(frame_type, 0, "a message");
        Some(serde_json::from_slice(&payload).expect("the client sends JSON"))
    }

    /// The next message, which must be of type `code`.
    pub async fn expect(&mut self, code: u64) -> Value {
        let message = self.receive().await.expect("the client is connected");
        assert_eq!(message[0], code, "{message}");
        message
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub async fn send_frame(&mut self, frame_type: u8, payload: &[u8]) {
        self.send_bytes(&frame(frame_type, payload)).await;
    }

    pub async fn send(&mut self, message: Value) {
        self.send_frame(0, message.to_string().as_bytes()).await;
    }

    /// Sends several messages so that they arrive at once.
    pub async fn send_together(&mut self, messages: &[Value]) {
        let frames = messages
            .iter()
            .map(|message| frame(0, message.to_string().as_bytes()));
        let bytes: Vec<u8> = frames.flatten().collect();
        self.send_bytes(&bytes).await;
    }

    /// Checks that the client closes, and says nothing before that; then closes too.
    pub async fn expect_end(mut self) {
        assert_eq!(
            self.receive().await,
            None,
            "the client has nothing more to say"
        );
    }
}

fn frame(frame_type: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![frame_type, length[1], length[2], length[3]];
    frame.extend_from_slice(payload);
    frame
}

/// Checks that `error` says the router broke the protocol, by `problem`.
pub fn assert_misbehaved(error: &Error, problem: &str) {
    match error {
        Error::PeerMisbehaved { problem: found, .. } => {
            assert!(found.contains(problem), "{found} does not name {problem}");
        }
        other => panic!("{other:?} does not say that the router broke the protocol"),
    }
}
