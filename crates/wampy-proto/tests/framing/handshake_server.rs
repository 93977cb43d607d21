//! The router's side of the WebSocket handshake.

use proptest::prelude::*;
use wampy_proto::framing::websocket::handshake::{Accepted, HandshakeLimits, Refusal, RequestHead};

const SUPPORTED: &[&str] = &["wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor"];

/// The request of RFC 6455, 1.3, with a subprotocol of WAMP.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: wamp.2.json\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn read(request: &str) -> Result<Option<(RequestHead<'_>, usize)>, Refusal> {
    RequestHead::read(request.as_bytes(), &HandshakeLimits::default())
}

fn accept(request: &str) -> Result<Accepted<'static>, Refusal> {
    read(request).and_then(|head| head.expect("the request is complete").0.accept(SUPPORTED))
}

fn response(refusal: &Refusal) -> String {
    let mut out = Vec::new();
    refusal.write_response(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_example_of_the_rfc_is_accepted() {
    let mut out = Vec::new();
    accept(REQUEST).unwrap().write_response(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
    );
}

#[test]
fn a_request_is_read_when_its_last_byte_is_there() {
    for length in 0..REQUEST.len() {
        assert!(read(&REQUEST[..length]).unwrap().is_none(), "{length}");
    }
    let early_frame = [REQUEST, "\u{1}"].concat();
    let (head, head_bytes) = read(&early_frame).unwrap().unwrap();
    assert_eq!(head_bytes, REQUEST.len());
    assert_eq!(
        (head.method, head.target, head.http_minor),
        ("GET", "/chat", 1)
    );
    assert_eq!(
        head.headers.single("origin"),
        Some(&b"http://example.com"[..])
    );
    assert_eq!(head.headers.iter().count(), 7);
}

#[test]
fn habits_of_clients_are_tolerated() {
    let habits = [
        ("GET /chat", "GET //8080"),
        ("GET /chat", "GET ws://server.example.com/chat"),
        ("GET /chat", "GET /ws?token=a%20b"),
        ("Origin: http://example.com\r\n", ""),
        ("Origin: http://example.com", "Origin: null"),
        ("Origin: http://example.com", "Origin: ws://localhost:8080"),
        ("Upgrade: websocket", "UPGRADE: WebSocket"),
        ("Connection: Upgrade", "connection: keep-alive, uPGRADE"),
        (
            "Connection: Upgrade",
            "Connection: keep-alive\r\nConnection: upgrade",
        ),
        ("Upgrade: websocket", "Upgrade:h2c ,websocket  "),
        ("Sec-WebSocket-Version", "sec-websocket-version"),
        (
            "Sec-WebSocket-Protocol: wamp.2.json",
            "sec-websocket-protocol:wamp.2.json",
        ),
        (
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
        ),
        // 16 bytes whose last character has unused bits set.
        ("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR=="),
    ];
    for (from, to) in habits {
        let request = REQUEST.replacen(from, to, 1);
        assert_ne!(request, REQUEST);
        let accepted = accept(&request).unwrap_or_else(|refusal| panic!("{to}: {refusal}"));
        assert_eq!(accepted.subprotocol, "wamp.2.json", "{to}");
    }
}

#[test]
fn extensions_are_not_accepted() {
    let offer = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate";
    let mut out = Vec::new();
    let request = REQUEST.replacen("Sec-WebSocket-Version: 13", offer, 1);
    accept(&request).unwrap().write_response(&mut out);
    assert!(
        !String::from_utf8(out)
            .unwrap()
            .to_lowercase()
            .contains("extensions")
    );
}

#[test]
fn the_clients_preference_among_subprotocols_decides() {
    let cases = [
        ("wamp.2.cbor, wamp.2.json", "wamp.2.cbor"),
        (
            "wamp.2.flatbuffers,wamp.2.msgpack,wamp.2.json",
            "wamp.2.msgpack",
        ),
        (
            "wamp.2.json.batched\r\nSec-WebSocket-Protocol: wamp.2.cbor",
            "wamp.2.cbor",
        ),
        (" , ,wamp.2.json,", "wamp.2.json"),
    ];
    for (offered, chosen) in cases {
        let request = REQUEST.replacen("wamp.2.json", offered, 1);
        assert_eq!(accept(&request).unwrap().subprotocol, chosen);
    }
}

#[test]
fn no_common_subprotocol_is_answered_with_what_is_supported() {
    let cases = [
        ("Sec-WebSocket-Protocol: wamp.2.json\r\n", "", "is missing"),
        (
            "wamp.2.json",
            "wamp.2.batched, chat",
            "none of: wamp.2.batched, chat",
        ),
        ("wamp.2.json", "WAMP.2.JSON", "none of: WAMP.2.JSON"),
        ("wamp.2.json", " ", "is missing"),
    ];
    for (from, to, says) in cases {
        let refusal = accept(&REQUEST.replacen(from, to, 1)).unwrap_err();
        assert_eq!(refusal.status, 400);
        assert!(refusal.text.contains(says), "{refusal}");
        assert!(
            refusal
                .text
                .contains("wamp.2.json, wamp.2.msgpack, wamp.2.cbor"),
            "{refusal}"
        );
    }
}

#[test]
fn requests_that_ask_wrongly_are_told_what_is_wrong() {
    let cases = [
        ("GET", "POST", 405, "GET"),
        ("HTTP/1.1", "HTTP/1.0", 400, "HTTP/1.1"),
        ("Upgrade: websocket\r\n", "", 400, "Upgrade: websocket"),
        ("Connection: Upgrade\r\n", "", 400, "Connection: Upgrade"),
        (
            "Connection: Upgrade",
            "Connection: close",
            400,
            "Connection: Upgrade",
        ),
        ("Host: server.example.com\r\n", "", 400, "Host"),
        ("Host: server", "Host: other\r\nHost: server", 400, "Host"),
        (
            "Sec-WebSocket-Version: 13\r\n",
            "",
            426,
            "Sec-WebSocket-Version: 13",
        ),
        (
            "Version: 13",
            "Version: 8",
            426,
            "Sec-WebSocket-Version: 13",
        ),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "",
            400,
            "Sec-WebSocket-Key",
        ),
        ("dGhlIHNhbXBsZSBub25jZQ==", "", 400, "Sec-WebSocket-Key"),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ",
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "c2hvcnQ=",
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            &"A".repeat(200),
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "Origin:",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin:",
            400,
            "once",
        ),
    ];
    for (from, to, status, says) in cases {
        let refusal = accept(&REQUEST.replacen(from, to, 1)).unwrap_err();
        assert_eq!(refusal.status, status, "{to}: {refusal}");
        assert!(refusal.text.contains(says), "{to}: {refusal}");
    }
    let version = accept(&REQUEST.replacen("Version: 13", "Version: 7", 1)).unwrap_err();
    assert!(response(&version).contains("\r\nSec-WebSocket-Version: 13\r\n"));
    let method = accept(&REQUEST.replacen("GET", "PUT", 1)).unwrap_err();
    assert!(response(&method).contains("\r\nAllow: GET\r\n"));
}

#[test]
fn a_browser_is_told_what_it_looks_at() {
    for request in [
        "GET / HTTP/1.1\r\nHost: localhost:8080\r\nAccept: text/html\r\n\r\n",
        "GET /favicon.ico HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
    ] {
        let (head, _) = read(request).unwrap().unwrap();
        assert!(!head.asks_for_websocket());
        let refusal = head.accept(SUPPORTED).unwrap_err();
        assert_eq!(refusal, Refusal::not_a_websocket(SUPPORTED));
    }
    let response = response(&Refusal::not_a_websocket(SUPPORTED));
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nUpgrade: websocket\r\n"), "{head}");
    assert!(
        head.contains(&format!("\r\nContent-Length: {}", body.len())),
        "{head}"
    );
    assert!(
        head.contains("\r\nConnection: Upgrade, close\r\n"),
        "{head}"
    );
    assert!(body.starts_with("This is a WAMP router."), "{body}");
    assert!(body.contains("wamp.2.json"), "{body}");
}

#[test]
fn refusals_quote_nothing_that_could_act_in_a_browser_or_terminal() {
    let refusal = accept(&REQUEST.replacen("wamp.2.json", "a\tb\u{9b}31m", 1)).unwrap_err();
    assert!(
        refusal.text.chars().all(|char| !char.is_control()),
        "{refusal:?}"
    );
    let response = response(&refusal);
    assert!(
        response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"),
        "{response}"
    );
    assert!(
        response.contains("\r\nX-Content-Type-Options: nosniff\r\n"),
        "{response}"
    );
    let long = accept(&REQUEST.replacen("wamp.2.json", &"x".repeat(5000), 1)).unwrap_err();
    assert!(long.text.len() < 500, "{long}");
}

#[test]
fn what_is_not_http_is_refused_at_once() {
    for garbage in [
        "\u{16}\u{3}\u{1}",
        "\u{7f}",
        "GET\u{0}",
        "[1,\"realm1\",{}]",
    ] {
        let refusal = read(garbage).unwrap_err();
        assert_eq!(refusal.status, 400, "{garbage:?}");
    }
    let http2 = read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap_err();
    assert_eq!(http2.status, 400);
}

#[test]
fn heads_are_limited_in_bytes_and_headers() {
    let limits = HandshakeLimits {
        head_bytes_max: REQUEST.len(),
        headers_max: 7,
    };
    let read = |request: &str| {
        RequestHead::read(request.as_bytes(), &limits).map(|head| head.map(|it| it.1))
    };
    assert_eq!(read(REQUEST), Ok(Some(REQUEST.len())));
    assert_eq!(read(&[REQUEST, "frames"].concat()), Ok(Some(REQUEST.len())));
    let endless = REQUEST.replacen("/chat", &"/".repeat(1000), 1);
    let refusal = read(&endless).unwrap_err();
    assert_eq!(refusal.status, 431);
    assert!(
        refusal.text.contains(&REQUEST.len().to_string()),
        "{refusal}"
    );
    let refusal = read(&endless[..REQUEST.len()]).unwrap_err();
    assert_eq!(refusal.status, 431);
    let many = read("GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n");
    let refusal = many.unwrap_err();
    assert_eq!(refusal.status, 431);
    assert!(refusal.text.contains("7 headers"), "{refusal}");
}

#[test]
fn the_path_is_what_is_between_authority_and_query() {
    let cases = [
        ("/", "/"),
        ("/ws?x=/y", "/ws"),
        ("//8080", "//8080"),
        ("http://host:1/a/b?c", "/a/b"),
        ("ws://host", "/"),
        ("ws://host?x=a/b", "/"),
        ("/redirect?to=http://elsewhere/x", "/redirect"),
        ("/odd://path", "/odd://path"),
        ("*", "*"),
    ];
    for (target, path) in cases {
        let request = REQUEST.replacen("/chat", target, 1);
        assert_eq!(read(&request).unwrap().unwrap().0.path(), path, "{target}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = RequestHead::read(&bytes, &HandshakeLimits::default());
    }

    #[test]
    fn damaged_requests_are_read_or_refused(
        damage in proptest::collection::vec((0..REQUEST.len(), any::<u8>()), 1..6),
        length in 0..=REQUEST.len(),
    ) {
        let mut request = REQUEST.as_bytes().to_vec();
        for (at, byte) in damage {
            request[at] = byte;
        }
        let limits = HandshakeLimits { head_bytes_max: 300, headers_max: 8 };
        match RequestHead::read(&request[..length], &limits) {
            Ok(Some((head, head_bytes))) => {
                prop_assert!(head_bytes <= length);
                let _ = (head.path(), head.accept(SUPPORTED));
            }
            Ok(None) => prop_assert!(length < 300),
            Err(refusal) => prop_assert!((400..=431).contains(&refusal.status)),
        }
    }
}
