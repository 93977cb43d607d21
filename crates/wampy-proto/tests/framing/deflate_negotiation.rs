//! How compression is agreed upon in the handshake (RFC 7692, 5 and 7.1; RFC 6455, 9.1).

use proptest::prelude::*;
use wampy_proto::framing::websocket::Deflate;
use wampy_proto::framing::websocket::handshake::{
    ClientRequest, HandshakeError, HandshakeLimits, Refusal, RequestHead,
};

const SUBPROTOCOL: &str = "wamp.2.json";
const NONCE: [u8; 16] = *b"the sample nonce";
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

fn request(extensions: &[&str]) -> String {
    let headers: String = extensions
        .iter()
        .map(|it| format!("Sec-WebSocket-Extensions: {it}\r\n"))
        .collect();
    format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{headers}\r\n"
    )
}

/// What the server makes of these headers: the compression, and the header of its response.
fn accept(extensions: &[&str]) -> Result<(Option<Deflate>, Option<String>), Refusal> {
    let request = request(extensions);
    let head = RequestHead::read(request.as_bytes(), &HandshakeLimits::default());
    let (head, _) = head.unwrap().expect("the request is complete");
    let mut accepted = head.accept(&[SUBPROTOCOL]).unwrap();
    assert_eq!(accepted.deflate, None, "only if it is wanted");
    accepted.deflate = head.deflate()?;
    let mut out = Vec::new();
    accepted.write_response(&mut out);
    let response = String::from_utf8(out).unwrap();
    assert!(response.ends_with("\r\n\r\n"));
    let header = response
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    Ok((accepted.deflate, header.map(str::to_owned)))
}

fn with_bits(bits: u8) -> String {
    format!("{ANSWER}; server_max_window_bits={bits}")
}

#[test]
fn offers_are_accepted_with_all_that_they_demand() {
    let cases: [(&[&str], Option<u8>, &str); 19] = [
        (&["permessage-deflate"], None, ANSWER),
        (&[" permessage-deflate "], None, ANSWER),
        (
            &["permessage-deflate; client_max_window_bits"],
            None,
            ANSWER,
        ),
        (
            &["permessage-deflate; client_max_window_bits=8"],
            None,
            ANSWER,
        ),
        (
            &["permessage-deflate; server_no_context_takeover"],
            None,
            ANSWER,
        ),
        (
            &["permessage-deflate; client_no_context_takeover"],
            None,
            ANSWER,
        ),
        (
            &["permessage-deflate; server_max_window_bits=15"],
            Some(15),
            &with_bits(15),
        ),
        (
            &["permessage-deflate; server_max_window_bits=10"],
            Some(10),
            &with_bits(10),
        ),
        (
            &["permessage-deflate;server_max_window_bits=8"],
            Some(8),
            &with_bits(8),
        ),
        (
            &["permessage-deflate; server_max_window_bits=\"12\""],
            Some(12),
            &with_bits(12),
        ),
        (
            &["permessage-deflate; server_max_window_bits=\"1\\2\""],
            Some(12),
            &with_bits(12),
        ),
        (
            &["permessage-deflate ;\tserver_max_window_bits = 9"],
            Some(9),
            &with_bits(9),
        ),
        (
            &[
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
               server_max_window_bits=11; client_max_window_bits=\"13\"",
            ],
            Some(11),
            &with_bits(11),
        ),
        // The first offer that can be fulfilled, in the order of the headers.
        (
            &["permessage-deflate; unknown, permessage-deflate"],
            None,
            ANSWER,
        ),
        (
            &["x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=14"],
            Some(14),
            &with_bits(14),
        ),
        (&["foo; bar=\"baz\"", "permessage-deflate"], None, ANSWER),
        (
            &["permessage-deflate; server_max_window_bits=9, permessage-deflate"],
            Some(9),
            &with_bits(9),
        ),
        (
            &[
                "permessage-deflate; server_max_window_bits=16",
                "permessage-deflate",
            ],
            None,
            ANSWER,
        ),
        (&[", ,permessage-deflate,"], None, ANSWER),
    ];
    for (headers, window_bits_max, answer) in cases {
        let deflate = Some(Deflate { window_bits_max });
        let expected = (deflate, Some(answer.to_owned()));
        assert_eq!(accept(headers), Ok(expected), "{headers:?}");
    }
}

#[test]
fn offers_that_rfc_7692_forbids_are_declined() {
    for parameters in [
        "unknown",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=9; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=9",
        "server_no_context_takeover=true",
        "client_no_context_takeover=\"1\"",
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=09",
        "server_max_window_bits=+9",
        "server_max_window_bits=100",
        "server_max_window_bits=x",
        "client_max_window_bits=7",
        "client_max_window_bits=16",
        "client_max_window_bits=08",
        "Server_No_Context_Takeover; foo",
    ] {
        let header = format!("permessage-deflate; {parameters}");
        assert_eq!(accept(&[&header]), Ok((None, None)), "{header}");
        let alternative = format!("{header}, permessage-deflate");
        let (deflate, _) = accept(&[&alternative]).unwrap();
        assert_eq!(deflate, Some(Deflate::default()), "{alternative}");
    }
    for header in [
        "",
        ",",
        "permessage-bzip2",
        "x-webkit-deflate-frame",
        "deflate; permessage-deflate",
    ] {
        assert_eq!(accept(&[header]), Ok((None, None)), "{header}");
    }
    assert_eq!(accept(&[]), Ok((None, None)));
}

#[test]
fn malformed_headers_are_refused() {
    for header in [
        "permessage-deflate;",
        "permessage-deflate; ;",
        "; server_no_context_takeover",
        "permessage-deflate; =9",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"9",
        "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate; server_max_window_bits=\"9 \"",
        "permessage-deflate; server_max_window_bits=9 10",
        "permessage-deflate server_no_context_takeover",
        "permessage-deflate; a=\"b\"c",
        "perm\u{e9}ssage",
        "permessage-deflate/1",
    ] {
        let refusal = accept(&[header]).unwrap_err();
        assert_eq!(refusal.status, 400, "{header}");
        assert!(
            refusal.text.contains("Sec-WebSocket-Extensions"),
            "{}",
            refusal.text
        );
    }
}

fn client(deflate: bool) -> ClientRequest<'static> {
    ClientRequest {
        host: "localhost",
        target: "/",
        subprotocols: &[SUBPROTOCOL],
        deflate,
        headers: &[],
    }
}

/// What a client makes of a response with these headers.
fn answered(deflate: bool, extensions: &[&str]) -> Result<Option<Deflate>, HandshakeError> {
    let pending = client(deflate).write(NONCE, &mut Vec::new()).unwrap();
    let headers: String = extensions
        .iter()
        .map(|it| format!("Sec-WebSocket-Extensions: {it}\r\n"))
        .collect();
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{headers}\r\n"
    );
    let upgraded = pending.read(response.as_bytes(), &HandshakeLimits::default())?;
    Ok(upgraded.expect("the response is complete").deflate)
}

#[test]
fn a_client_offers_only_what_it_was_told_to() {
    for deflate in [false, true] {
        let mut out = Vec::new();
        client(deflate).write(NONCE, &mut out).unwrap();
        let request = String::from_utf8(out).unwrap();
        let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                     client_no_context_takeover; client_max_window_bits\r\n";
        assert_eq!(request.contains(offer), deflate);
        assert_eq!(
            request.matches("Sec-WebSocket-Extensions").count(),
            usize::from(deflate)
        );
    }
}

#[test]
fn a_client_understands_every_allowed_answer() {
    let cases: [(&[&str], Option<Deflate>); 7] = [
        (&[], None),
        (&[ANSWER], Some(Deflate::default())),
        (
            &["permessage-deflate; server_no_context_takeover"],
            Some(Deflate::default()),
        ),
        (&[&with_bits(9)], Some(Deflate::default())),
        (
            &["permessage-deflate; server_no_context_takeover; client_max_window_bits=9"],
            Some(Deflate {
                window_bits_max: Some(9),
            }),
        ),
        (
            &["permessage-deflate;server_no_context_takeover;client_max_window_bits=\"8\""],
            Some(Deflate {
                window_bits_max: Some(8),
            }),
        ),
        (
            &["", "permessage-deflate; server_no_context_takeover ,"],
            Some(Deflate::default()),
        ),
    ];
    for (headers, deflate) in cases {
        assert_eq!(answered(true, headers), Ok(deflate), "{headers:?}");
    }
}

#[test]
fn a_client_refuses_every_other_answer() {
    for answer in [
        // The server would take its context over.
        "permessage-deflate",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=16",
        "permessage-deflate; server_no_context_takeover; server_max_window_bits=7",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover; unknown",
        "permessage-deflate; server_no_context_takeover=1",
    ] {
        let refused = HandshakeError::DeflateAnswer(answer.to_owned());
        assert_eq!(answered(true, &[answer]), Err(refused));
    }
    for answer in [
        "x-webkit-deflate-frame",
        &format!("{ANSWER}, foo"),
        &format!("{ANSWER}, {ANSWER}"),
    ] {
        let refused = HandshakeError::UnofferedExtension(answer.to_owned());
        assert_eq!(answered(true, &[answer]), Err(refused));
    }
    let malformed = HandshakeError::InvalidHeader("Sec-WebSocket-Extensions");
    assert_eq!(answered(true, &["permessage-deflate; \""]), Err(malformed));
    let unoffered = HandshakeError::UnofferedExtension(ANSWER.to_owned());
    assert_eq!(answered(false, &[ANSWER]), Err(unoffered));
}

proptest! {
    #[test]
    fn any_header_is_judged(header in "[ -~]{0,60}", deflate: bool) {
        let _ = accept(&[&header]);
        let _ = answered(deflate, &[&header]);
    }

    #[test]
    fn any_offer_is_answered_with_no_more_than_it_allows(
        bits in 8..16u8,
        hints in proptest::sample::subsequence(vec![
            "server_no_context_takeover", "client_no_context_takeover", "client_max_window_bits",
        ], 0..=3),
        is_limited: bool,
    ) {
        let mut parts = vec!["permessage-deflate".to_owned()];
        parts.extend(hints.iter().map(|&it| it.to_owned()));
        if is_limited {
            parts.push(format!("server_max_window_bits={bits}"));
        }
        let (deflate, answer) = accept(&[&parts.join("; ")]).unwrap();
        let window_bits_max = is_limited.then_some(bits);
        prop_assert_eq!(deflate, Some(Deflate { window_bits_max }));
        let answer = answer.unwrap();
        prop_assert!(!answer.contains("client_max_window_bits"));
        // Our own client, which offers no window of the server's, understands it.
        prop_assert_eq!(answered(true, &[&answer]), Ok(Some(Deflate::default())));
    }
}
