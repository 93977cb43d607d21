//! The client's side of the WebSocket handshake, alone, with our own router's side, and with the
//! server of tungstenite.

use proptest::prelude::*;
use std::io::{self, Cursor, Read, Write};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::server::{Request, Response};
use wampy_proto::framing::websocket::handshake::{
    ClientRequest, HandshakeError, HandshakeLimits, PendingUpgrade, RequestError, RequestHead,
};

const REQUEST: ClientRequest<'static> = ClientRequest {
    host: "localhost:8080",
    target: "/ws?realm=1",
    subprotocols: &["wamp.2.cbor", "wamp.2.json"],
    deflate: false,
    headers: &[
        ("Origin", "http://localhost"),
        ("Authorization", "Bearer t\u{f6}ken"),
    ],
};

/// The nonce of RFC 6455, 1.3.
const NONCE: [u8; 16] = *b"the sample nonce";

const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n";

fn pending() -> PendingUpgrade {
    REQUEST.write(NONCE, &mut Vec::new()).unwrap()
}

/// The subprotocol chosen by a complete response.
fn read(response: &str) -> Result<String, HandshakeError> {
    let pending = pending();
    let upgraded = pending.read(response.as_bytes(), &HandshakeLimits::default())?;
    Ok(upgraded
        .expect("the response is complete")
        .subprotocol
        .to_owned())
}

#[test]
fn the_request_says_what_was_asked_for() {
    let mut out = Vec::new();
    REQUEST.write(NONCE, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "GET /ws?realm=1 HTTP/1.1\r\n\
         Host: localhost:8080\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: wamp.2.cbor, wamp.2.json\r\n\
         Origin: http://localhost\r\n\
         Authorization: Bearer t\u{f6}ken\r\n\r\n"
    );
    let mut out = Vec::new();
    ClientRequest {
        target: "",
        ..REQUEST
    }
    .write(NONCE, &mut out)
    .unwrap();
    assert!(out.starts_with(b"GET / HTTP/1.1\r\n"));
}

#[test]
fn our_router_understands_it() {
    let mut request = Vec::new();
    let pending = REQUEST.write([7; 16], &mut request).unwrap();
    let limits = HandshakeLimits::default();
    let (head, head_bytes) = RequestHead::read(&request, &limits).unwrap().unwrap();
    assert_eq!((head_bytes, head.path()), (request.len(), "/ws"));
    let accepted = head.accept(&["wamp.2.json", "wamp.2.cbor"]).unwrap();
    let mut response = Vec::new();
    accepted.write_response(&mut response);
    response.extend_from_slice(b"\x81\x02[]");
    let upgraded = pending.read(&response, &limits).unwrap().unwrap();
    assert_eq!(upgraded.subprotocol, "wamp.2.cbor");
    assert_eq!(&response[upgraded.head_bytes..], b"\x81\x02[]");
}

#[test]
fn requests_that_would_break_apart_are_not_written() {
    let line_break = "x\r\nInjected: yes";
    let invalid = [
        ClientRequest {
            host: line_break,
            ..REQUEST
        },
        ClientRequest {
            host: "",
            ..REQUEST
        },
        ClientRequest {
            target: "/a b",
            ..REQUEST
        },
        ClientRequest {
            target: "relative",
            ..REQUEST
        },
        ClientRequest {
            target: "/x\r\nInjected: yes",
            ..REQUEST
        },
        ClientRequest {
            subprotocols: &["wamp.2.json, other"],
            ..REQUEST
        },
        ClientRequest {
            subprotocols: &[""],
            ..REQUEST
        },
        ClientRequest {
            subprotocols: &[],
            ..REQUEST
        },
        ClientRequest {
            headers: &[("X", "y\nInjected: yes")],
            ..REQUEST
        },
        ClientRequest {
            headers: &[("X: y\r\nInjected", "yes")],
            ..REQUEST
        },
        ClientRequest {
            headers: &[("", "x")],
            ..REQUEST
        },
    ];
    for request in invalid {
        let mut out = Vec::new();
        request.write(NONCE, &mut out).unwrap_err();
        assert_eq!(out, b"", "{request:?}");
    }
    for name in [
        "host",
        "Upgrade",
        "CONNECTION",
        "Sec-WebSocket-Key",
        "Content-Length",
    ] {
        let headers = &[(name, "x")][..];
        let error = ClientRequest { headers, ..REQUEST }.write(NONCE, &mut Vec::new());
        assert_eq!(
            error.unwrap_err(),
            RequestError::ReservedHeader(name.to_owned())
        );
    }
}

#[test]
fn an_answer_is_read_when_its_last_byte_is_there() {
    let pending = pending();
    let limits = HandshakeLimits::default();
    for length in 0..RESPONSE.len() {
        assert_eq!(
            pending.read(&RESPONSE.as_bytes()[..length], &limits),
            Ok(None),
            "{length}"
        );
    }
    assert_eq!(read(RESPONSE).as_deref(), Ok("wamp.2.json"));
}

#[test]
fn habits_of_servers_are_tolerated() {
    let habits = [
        ("Upgrade: websocket", "upgrade: WebSocket"),
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        ("101 Switching Protocols", "101"),
        (
            "101 Switching Protocols",
            "101 Web Socket Protocol Handshake",
        ),
        (
            "Upgrade: websocket",
            "Server: x\r\nDate: today\r\nUpgrade:websocket",
        ),
    ];
    for (from, to) in habits {
        let response = RESPONSE.replacen(from, to, 1);
        assert_ne!(response, RESPONSE);
        assert_eq!(read(&response).as_deref(), Ok("wamp.2.json"), "{to}");
    }
}

#[test]
fn answers_that_are_no_acceptance_say_why() {
    let accept = "Sec-WebSocket-Accept";
    let protocol = "Sec-WebSocket-Protocol";
    let deflate = "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate; x";
    let cases = [
        (
            "Upgrade: websocket",
            "Upgrade: h2c",
            HandshakeError::InvalidHeader("Upgrade"),
        ),
        (
            "Connection: Upgrade\r\n",
            "",
            HandshakeError::InvalidHeader("Connection"),
        ),
        (
            "s3pPLMBi",
            "S3pPLMBi",
            HandshakeError::InvalidHeader(accept),
        ),
        (accept, "X-Other", HandshakeError::InvalidHeader(accept)),
        (
            "Upgrade: websocket",
            "Upgrade: websocket\r\nSec-WebSocket-Accept: x",
            HandshakeError::InvalidHeader(accept),
        ),
        (protocol, "X-Other", HandshakeError::NoSubprotocol),
        (
            "wamp.2.json",
            "wamp.2.json\r\nSec-WebSocket-Protocol: wamp.2.cbor",
            HandshakeError::InvalidHeader(protocol),
        ),
        (
            "wamp.2.json",
            "wamp.2.msgpack",
            HandshakeError::UnofferedSubprotocol("wamp.2.msgpack".into()),
        ),
        (
            "Upgrade: websocket",
            deflate,
            HandshakeError::UnofferedExtension("permessage-deflate; x".into()),
        ),
    ];
    for (from, to, error) in cases {
        assert_eq!(read(&RESPONSE.replacen(from, to, 1)), Err(error), "{to}");
    }
}

#[test]
fn a_refusal_is_quoted() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 12\r\n\r\nNo \u{7}entrance.";
    let error = read(refusal).unwrap_err();
    assert_eq!(
        error.to_string(),
        "server answered HTTP 403 Forbidden instead of a WebSocket: No  entrance."
    );
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\nbody";
    assert_eq!(
        read(redirect).unwrap_err().to_string(),
        "server answered HTTP 302 Found instead of a WebSocket: redirect to /login, which is not \
         followed"
    );
    let bare = read("HTTP/1.1 200 OK\r\n\r\n").unwrap_err();
    assert_eq!(
        bare.to_string(),
        "server answered HTTP 200 OK instead of a WebSocket"
    );

    // Our own router's refusals arrive as it wrote them.
    let mut request = Vec::new();
    let pending = REQUEST.write(NONCE, &mut request).unwrap();
    let limits = HandshakeLimits::default();
    let (head, _) = RequestHead::read(&request, &limits).unwrap().unwrap();
    let mut response = Vec::new();
    head.accept(&["wamp.2.msgpack"])
        .unwrap_err()
        .write_response(&mut response);
    let error = pending.read(&response, &limits).unwrap_err().to_string();
    assert!(error.contains("HTTP 400 Bad Request"), "{error}");
    assert!(error.contains("It supports: wamp.2.msgpack."), "{error}");
}

#[test]
fn what_is_not_http_is_no_websocket() {
    for garbage in [
        "\u{7f}\u{10}\u{0}\u{0}",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\u{15}\u{3}",
    ] {
        assert!(
            matches!(read(garbage), Err(HandshakeError::NotHttp(_))),
            "{garbage:?}"
        );
    }
}

#[test]
fn answers_are_limited_in_bytes_and_headers() {
    let limits = HandshakeLimits {
        head_bytes_max: RESPONSE.len(),
        headers_max: 4,
    };
    let read = |response: &str| {
        pending()
            .read(response.as_bytes(), &limits)
            .map(|it| it.is_some())
    };
    let too_large = Err(HandshakeError::HeadTooLarge {
        bytes_max: RESPONSE.len(),
        headers_max: 4,
    });
    assert_eq!(read(RESPONSE), Ok(true));
    assert_eq!(
        read(&RESPONSE.replacen("Protocols", &"x".repeat(1000), 1)),
        too_large
    );
    assert_eq!(
        read("HTTP/1.1 101 x\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\n\r\n"),
        too_large
    );
}

/// A stream that holds the request; the response is written behind it.
struct Recorded {
    received: Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Recorded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.received.read(buf)
    }
}

impl Write for Recorded {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.written.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_independent_server_and_we_agree() {
    let mut request = Vec::new();
    let pending = REQUEST.write([0xfe; 16], &mut request).unwrap();
    let stream = Recorded {
        received: Cursor::new(request),
        written: Vec::new(),
    };
    #[expect(clippy::result_large_err, reason = "the signature is tungstenite's")]
    let choose = |request: &Request, mut response: Response| {
        assert_eq!(request.uri().path(), "/ws");
        let offered = request.headers()["Sec-WebSocket-Protocol"]
            .to_str()
            .unwrap();
        assert_eq!(offered, "wamp.2.cbor, wamp.2.json");
        let chosen = "wamp.2.cbor".parse().unwrap();
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", chosen);
        Ok(response)
    };
    let accepted = tungstenite::accept_hdr(stream, choose).unwrap();
    let response = &accepted.get_ref().written;
    let upgraded = pending
        .read(response, &HandshakeLimits::default())
        .unwrap()
        .unwrap();
    assert_eq!(
        (upgraded.subprotocol, upgraded.head_bytes),
        ("wamp.2.cbor", response.len())
    );
}

/// Answers, when it is first read from, whatever was written to it until then.
struct OurRouter {
    request: Vec<u8>,
    response: Cursor<Vec<u8>>,
}

impl Write for OurRouter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.request.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for OurRouter {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.response.get_ref().is_empty() {
            let head = RequestHead::read(&self.request, &HandshakeLimits::default());
            let (head, _) = head.unwrap().expect("the request is complete");
            head.accept(&["wamp.2.json"])
                .unwrap()
                .write_response(self.response.get_mut());
        }
        self.response.read(buf)
    }
}

#[test]
fn an_independent_client_and_we_agree() {
    let request = tungstenite::http::Request::get("ws://localhost:8080/any/path")
        .header("Host", "localhost:8080")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .header("Sec-WebSocket-Protocol", "wamp.2.msgpack,wamp.2.json")
        .body(())
        .unwrap();
    let stream = OurRouter {
        request: Vec::new(),
        response: Cursor::new(Vec::new()),
    };
    let (_, response) = tungstenite::client(request, stream).unwrap();
    assert_eq!(response.headers()["Sec-WebSocket-Protocol"], "wamp.2.json");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = pending().read(&bytes, &HandshakeLimits::default());
    }

    #[test]
    fn damaged_answers_never_choose_what_was_not_offered(
        damage in proptest::collection::vec((0..RESPONSE.len(), any::<u8>()), 1..5),
    ) {
        let mut response = RESPONSE.as_bytes().to_vec();
        for (at, byte) in damage {
            response[at] = byte;
        }
        let pending = pending();
        if let Ok(Some(upgraded)) = pending.read(&response, &HandshakeLimits::default()) {
            prop_assert!(REQUEST.subprotocols.contains(&upgraded.subprotocol));
            prop_assert!(upgraded.head_bytes <= response.len());
        }
    }
}
