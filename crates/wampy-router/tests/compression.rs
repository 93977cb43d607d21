//! Compression over real sockets (RFC 7692): agreed upon only where the router was told to, events
//! shared only among those who agreed to the same, and limits that hold after decompression.

#![allow(clippy::unwrap_used)]

mod peer;

use std::io::{Read, Result, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use peer::{Host, Peer, Seen, Stream, json};
use wampy_proto::Serializer;
use wampy_proto::framing::FramingError;
use wampy_proto::framing::websocket::{Deflate, WebSocketEncoder};

const OFFER: &str = "permessage-deflate";
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A stream that shows what was read from it.
struct Tap {
    stream: TcpStream,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Read for Tap {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let bytes = self.stream.read(buf)?;
        self.read.lock().unwrap().extend_from_slice(&buf[..bytes]);
        Ok(bytes)
    }
}

impl Write for Tap {
    fn write(&mut self, buf: &[u8]) -> Result<usize> {
        self.stream.write(buf)
    }

    fn flush(&mut self) -> Result<()> {
        self.stream.flush()
    }
}

impl Stream for Tap {
    fn shut_down_writing(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

/// A subscriber, and the bytes that it reads.
struct Subscriber {
    peer: Peer,
    read: Arc<Mutex<Vec<u8>>>,
}

impl Subscriber {
    fn new(host: &Host, serializer: Serializer, offer: &str) -> Self {
        let read = Arc::default();
        let tap = Tap {
            stream: host.stream(),
            read: Arc::clone(&read),
        };
        let (mut peer, _) = Peer::websocket_offering(Box::new(tap), serializer, offer);
        peer.join("realm1");
        peer.subscribe("com.example.topic");
        read.lock().unwrap().clear();
        Self { peer, read }
    }

    /// Takes the next event; returns its argument and its frame.
    fn event(&mut self) -> (peer::Value, Vec<u8>) {
        let event = self.peer.message();
        assert_eq!(event[0], 36, "{event}");
        let frame = std::mem::take(&mut *self.read.lock().unwrap());
        (event[4][0].clone(), frame)
    }
}

fn compressing() -> Host {
    Host::with(|builder| builder.compress(true))
}

#[test]
fn compression_is_agreed_upon_only_if_the_router_was_told_to() {
    let plain = Host::new();
    let offering = |host: &Host, offer| {
        Peer::websocket_offering(Box::new(host.stream()), Serializer::Json, offer)
    };
    assert_eq!(offering(&plain, OFFER).1, None);
    let host = compressing();
    assert_eq!(offering(&host, OFFER).1.as_deref(), Some(ANSWER));
    assert_eq!(offering(&host, "x-webkit-deflate-frame").1, None);
    let limited = format!("{OFFER}; unknown, {OFFER}; server_max_window_bits=10");
    let answer = format!("{ANSWER}; server_max_window_bits=10");
    assert_eq!(offering(&host, &limited).1, Some(answer));
    // Without the router's consent a compressed frame is a violation.
    let (mut peer, _) = offering(&plain, OFFER);
    peer.send_bytes(&[0xc1, 0x81, 0, 0, 0, 0, 0]);
    assert_eq!(peer.expect_end(), Some(1002));
}

#[test]
fn a_malformed_offer_is_refused() {
    let host = compressing();
    let mut stream = host.stream();
    let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Protocol: wamp.2.json\r\n\
                   Sec-WebSocket-Extensions: permessage-deflate;\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

/// An event goes to plain and compressed sessions, of two serializers, and with windows of their
/// own: each gets its own kind of frame, and those who agreed to the same get the same bytes.
#[test]
fn events_are_shared_only_among_those_who_agreed_to_the_same() {
    let host = compressing();
    let json = |offer| Subscriber::new(&host, Serializer::Json, offer);
    let cbor = |offer| Subscriber::new(&host, Serializer::Cbor, offer);
    let fifteen = format!("{OFFER}; server_max_window_bits=15");
    let nine = format!("{OFFER}; server_max_window_bits=9");
    let eight = format!("{OFFER}; server_max_window_bits=8");
    let mut rawsocket = host.session();
    rawsocket.subscribe("com.example.topic");
    // All offer something, but x-nothing is not known.
    let mut text = [json("x-nothing"), json("x-nothing"), json(&eight)];
    let mut text_deflate = [json(OFFER), json(&fifteen), json(OFFER)];
    let mut binary = [cbor("x-nothing"), cbor(&eight)];
    let mut binary_deflate = [cbor(OFFER), cbor(&fifteen)];
    let mut alone = [json(&nine), cbor(&nine)];
    let mut publisher = host.session();
    // A long one that shrinks, one that is too short, and one that does not shrink as text.
    let long = "lorem ipsum ".repeat(1000);
    for argument in [long.as_str(), "short"] {
        publisher.publish("com.example.topic", json!([argument]));
        let is_long = argument == long;
        let bit = if is_long { 0x40 } else { 0 };
        assert_eq!(rawsocket.message()[4][0], argument);
        let groups: [(&mut [Subscriber], u8); 4] = [
            (&mut text, 0x81),
            (&mut text_deflate, 0x81 | bit),
            (&mut binary, 0x82),
            (&mut binary_deflate, 0x82 | bit),
        ];
        for (group, first) in groups {
            let mut frames = Vec::new();
            for subscriber in group {
                let (received, frame) = subscriber.event();
                assert_eq!(received, argument);
                assert_eq!(frame[0], first, "{first:#x}");
                assert_eq!(frame.len() < 1000, bit & first != 0 || !is_long);
                // The id of the subscription is the same for all.
                frames.push(frame);
            }
            frames.dedup();
            assert_eq!(frames.len(), 1, "{first:#x}");
        }
        for (subscriber, first) in alone.iter_mut().zip([0x81 | bit, 0x82 | bit]) {
            let (received, frame) = subscriber.event();
            assert_eq!((received, frame[0]), (json!(argument), first));
        }
    }
}

#[test]
fn compressed_calls_reach_a_callee_without_compression_and_back() {
    let host = compressing();
    let mut callee = host.session();
    callee.register("com.example.echo");
    for offer in [OFFER, "permessage-deflate; server_max_window_bits=9"] {
        let (mut caller, answer) =
            Peer::websocket_offering(Box::new(host.stream()), Serializer::MsgPack, offer);
        assert!(answer.is_some());
        caller.join("realm1");
        let argument = "lorem ipsum ".repeat(10_000);
        let id = caller.id();
        let call = caller.encode(&json!([48, id, {}, "com.example.echo", [argument]]));
        assert!(caller.frame(&call).len() < 5000, "it is sent compressed");
        caller.send_payload(&call);
        let invocation = callee.message();
        assert_eq!(invocation[4][0], json!(argument));
        callee.send(&json!([70, invocation[1], {}, [argument]]));
        assert_eq!(caller.message()[3][0], json!(argument));
    }
}

/// Masks with the key 0, so that a frame can be written by hand.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | 126];
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

#[test]
fn a_bomb_ends_only_its_own_connection() {
    let host = Host::with(|builder| {
        let limits = wampy_router::Limits {
            message_bytes_max: 10_000,
            ..peer::limits()
        };
        builder.compress(true).limits(limits)
    });
    let mut neighbor = host.session();
    let message = |bytes: usize| {
        // A CALL of so many bytes, compressed by the codec, without its header.
        let head = r#"[48,1,{},"wamp.session.count",[],{"filler":""#;
        let text = format!("{head}{}\"}}]", "x".repeat(bytes - head.len() - 3));
        let writer = WebSocketEncoder::server(false).compressing(Some(Deflate::default()));
        let mut frame = Vec::new();
        writer.write_message(text.as_bytes(), &mut frame);
        assert_eq!(frame[0], 0xc1);
        frame.split_off(if frame[1] == 126 { 4 } else { 2 })
    };
    let peer = || {
        let stream = Box::new(host.stream());
        let (mut peer, _) = Peer::websocket_offering(stream, Serializer::Json, OFFER);
        peer.join("realm1");
        peer
    };
    // Exactly the limit: in one frame, in two, and in one for each byte.
    let at_limit = message(10_000);
    let (one, two) = at_limit.split_at(at_limit.len() / 2);
    let last = at_limit.len() - 1;
    let in_bytes = at_limit.iter().enumerate().flat_map(|(at, &byte)| {
        let first = if at == 0 { 0x41 } else { 0 } | if at == last { 0x80 } else { 0 };
        masked_short(first, &[byte])
    });
    for bytes in [
        masked_short(0xc1, &at_limit),
        [masked_short(0x41, one), masked_short(0x80, two)].concat(),
        in_bytes.collect(),
    ] {
        let mut fits = peer();
        fits.send_bytes(&bytes);
        assert_eq!(fits.message()[0], 50);
    }
    for bytes in [10_001, 10_000_000] {
        let payload = message(bytes);
        let mut whole = peer();
        whole.send_bytes(&masked_short(0xc1, &payload));
        assert_eq!(whole.expect_end(), Some(1009), "{bytes}");
        let mut fragmented = peer();
        let (one, two) = payload.split_at(payload.len() - 5);
        fragmented.send_bytes(&[masked_short(0x41, one), masked_short(0x80, two)].concat());
        assert_eq!(fragmented.expect_end(), Some(1009), "{bytes}");
    }
    // One that never ends: the limit is found before its last fragment comes.
    let mut endless = peer();
    let payload = message(10_000_000);
    endless.send_bytes(&masked_short(0x41, &payload[..payload.len() - 1]));
    assert_eq!(endless.expect_end(), Some(1009));
    neighbor.nothing_came();
}

/// The limit of a batch is that of all its messages together, decompressed.
#[test]
fn a_bomb_of_many_messages_ends_only_its_own_connection() {
    let host = Host::with(|builder| {
        let limits = wampy_router::Limits {
            message_bytes_max: 10_000,
            ..peer::limits()
        };
        builder.compress(true).limits(limits)
    });
    let mut neighbor = host.session();
    let batch = |bytes: usize| {
        let call = |id: u64| json!([48, id, {}, "wamp.session.count"]).to_string() + "\u{1e}";
        let mut text: String = (1..=100).map(call).collect();
        let filler = r#"[48,101,{},"wamp.session.count",[],{"x":""#;
        let rest = bytes - text.len() - filler.len() - 4;
        text += &format!("{filler}{}\"}}]\u{1e}", "x".repeat(rest));
        assert_eq!(text.len(), bytes);
        let writer = WebSocketEncoder::server(false).compressing(Some(Deflate::default()));
        let mut frame = Vec::new();
        writer.write_message(text.as_bytes(), &mut frame);
        masked_short(0xc1, &frame.split_off(4))
    };
    for (bytes, fits) in [(10_000, true), (10_001, false), (1_000_000, false)] {
        let (mut peer, answer) =
            Peer::batched_offering(Box::new(host.stream()), Serializer::Json, OFFER);
        assert!(answer.is_some());
        peer.join("realm1");
        peer.send_bytes(&batch(bytes));
        match fits {
            true => (1..=101).for_each(|id| assert_eq!(peer.message()[1], id)),
            false => assert_eq!(peer.expect_end(), Some(1009), "{bytes}"),
        }
    }
    neighbor.nothing_came();
}

/// Like [`masked`], with a length that is encoded as it must be.
fn masked_short(first: u8, payload: &[u8]) -> Vec<u8> {
    match payload.len() {
        bytes @ 0..126 => [&[first, 0x80 | bytes as u8, 0, 0, 0, 0][..], payload].concat(),
        _ => masked(first, payload),
    }
}

#[test]
fn garbage_is_refused_with_the_code_for_it() {
    let host = compressing();
    let stream = Box::new(host.stream());
    let (mut peer, _) = Peer::websocket_offering(stream, Serializer::Json, OFFER);
    peer.join("realm1");
    peer.send_bytes(&masked_short(0xc1, b"this was never compressed"));
    assert_eq!(
        peer.see(),
        Seen::Close(Some(FramingError::Deflate.close_code().number()))
    );
}
