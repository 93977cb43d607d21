//! Batched WebSockets over real sockets: what is flushed together shares frames, everything else is
//! as on any other connection.

#![allow(clippy::unwrap_used)]

mod peer;

use std::io::Write as _;

use peer::{Host, Peer, Seen, Value, json};
use wampy_proto::Serializer;
use wampy_proto::framing::websocket::batched::{BatchedEncoder, OpenBatch};
use wampy_proto::framing::websocket::{CloseCode, WebSocketEncoder};
use wampy_router::Limits;

fn joined(host: &Host, serializer: Serializer) -> Peer {
    let mut peer = Peer::batched(Box::new(host.stream()), serializer);
    peer.join("realm1");
    peer
}

/// One frame with all these messages.
fn batch(peer: &Peer, messages: &[Value]) -> Vec<u8> {
    let binary = peer.serializer.row().binary;
    let encoder = BatchedEncoder::new(WebSocketEncoder::client(binary, || 7));
    let (mut open, mut out) = (OpenBatch::default(), Vec::new());
    for message in messages {
        let append = |out: &mut Vec<u8>| {
            out.extend_from_slice(&peer.encode(message));
            Ok::<(), wampy_proto::framing::TooLong>(())
        };
        encoder.append(&mut open, &mut out, append).unwrap();
    }
    encoder.finish(&mut open, &mut out);
    out
}

fn counts(ids: std::ops::Range<u64>) -> Vec<Value> {
    ids.map(|id| json!([48, id, {}, "wamp.session.count"]))
        .collect()
}

#[test]
fn check_93_a_whole_batch_is_routed_in_order() {
    let host = Host::new();
    for serializer in Serializer::ALL {
        let mut peer = joined(&host, serializer);
        // More than one turn of the router takes.
        let bytes = batch(&peer, &counts(1..1001));
        peer.send_bytes(&bytes);
        for id in 1..1001 {
            assert_eq!(peer.message(), json!([50, id, {}, [1]]));
        }
        drop(peer);
        host.eventually("the session is gone", |stats| stats.sessions == 0);
    }
}

#[test]
fn check_93_an_empty_batch_ends_the_connection() {
    let host = Host::new();
    for (serializer, first) in [(Serializer::Json, 0x81), (Serializer::Cbor, 0x82)] {
        let mut peer = joined(&host, serializer);
        peer.send_bytes(&[first, 0x80, 0, 0, 0, 0]);
        assert_eq!(peer.expect_end(), Some(1002));
    }
    host.eventually("the sessions are gone", |stats| stats.sessions == 0);
}

/// HELLO and requests in one batch: what comes behind a HELLO waits until that is answered, also
/// where the batch was assembled from fragments and is in no buffer.
#[test]
fn requests_may_be_in_the_batch_of_hello() {
    let host = Host::new();
    for fragmented in [false, true] {
        let mut peer = Peer::batched(Box::new(host.stream()), Serializer::Json);
        let messages = [vec![Peer::hello("realm1")], counts(1..4)].concat();
        let payload: Vec<u8> = messages
            .iter()
            .flat_map(|message| [message.to_string().as_bytes(), b"\x1e"].concat())
            .collect();
        let mask = |first: u8, payload: &[u8]| {
            let mut frame = vec![first, 0x80 | 126];
            frame.extend((payload.len() as u16).to_be_bytes());
            frame.extend([0; 4]);
            [&frame, payload].concat()
        };
        let half = payload.split_at(payload.len() / 2);
        let bytes = match fragmented {
            false => mask(0x81, &payload),
            true => [mask(0x01, half.0), mask(0x80, half.1)].concat(),
        };
        peer.send_bytes(&bytes);
        assert_eq!(peer.message()[0], 2);
        for id in 1..4 {
            assert_eq!(peer.message(), json!([50, id, {}, [1]]));
        }
    }
}

/// The frames of what comes, up to `messages` of them, as the payloads of a WebSocket without
/// batches.
fn frames(host: &Host, subprotocol: &str, send: &[u8], separators: usize) -> Vec<Vec<u8>> {
    let mut stream = host.stream();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        std::io::Read::read_exact(&mut stream, &mut byte).unwrap();
        head.extend(byte);
    }
    stream.write_all(send).unwrap();
    let mut frames = Vec::new();
    let mut found = 0;
    while found < separators {
        let mut start = [0; 2];
        std::io::Read::read_exact(&mut stream, &mut start).unwrap();
        let mut length = usize::from(start[1]);
        if start[1] == 126 {
            let mut extended = [0; 2];
            std::io::Read::read_exact(&mut stream, &mut extended).unwrap();
            length = usize::from(u16::from_be_bytes(extended));
        }
        let mut payload = vec![0; length];
        std::io::Read::read_exact(&mut stream, &mut payload).unwrap();
        found += payload
            .iter()
            .filter(|byte| matches!(byte, 0x18 | 0x1e))
            .count();
        frames.push(payload);
    }
    frames
}

fn text_batch(separator: u8, messages: &[Value]) -> Vec<u8> {
    let payload: Vec<u8> = messages
        .iter()
        .flat_map(|message| [message.to_string().as_bytes(), &[separator]].concat())
        .collect();
    let mut frame = Vec::new();
    WebSocketEncoder::client(false, || 7).write_message(&payload, &mut frame);
    frame
}

#[test]
fn answers_that_are_ready_together_share_a_frame() {
    let host = Host::new();
    let messages = [vec![Peer::hello("realm1")], counts(1..101)].concat();
    let send = text_batch(0x1e, &messages);
    let frames = frames(&host, "wamp.2.json.batched", &send, 101);
    // WELCOME, and one batch of the 100 results.
    assert!(frames.len() <= 3, "{} frames", frames.len());
    assert!(frames.iter().all(|frame| frame.ends_with(b"\x1e")));
}

#[test]
fn the_router_separates_as_its_peer_does() {
    let host = Host::new();
    for separator in [0x1e, 0x18] {
        let other = 0x1e ^ 0x18 ^ separator;
        let messages = [
            Peer::hello("realm1"),
            json!([32, 1, {}, "com.example.topic"]),
            json!([16, 2, {"exclude_me": false}, "com.example.topic", ["x".repeat(100)]]),
        ];
        let send = text_batch(separator, &messages);
        let frames = frames(&host, "wamp.2.json.batched", &send, 3);
        assert!(frames.iter().all(|frame| frame.last() == Some(&separator)));
        assert!(frames.iter().all(|frame| !frame.contains(&other)));
    }
}

/// Events of every size go to batched and plain sessions alike, alone and several at a time.
#[test]
fn events_for_many_reach_batched_and_plain_sessions_in_order() {
    let host = Host::with(|builder| builder.compress(true));
    let mut peers: Vec<Peer> = Vec::new();
    for serializer in Serializer::ALL {
        peers.push(joined(&host, serializer));
        peers.push(joined(&host, serializer));
        let mut plain = host.websocket(serializer);
        plain.join("realm1");
        peers.push(plain);
    }
    for peer in &mut peers {
        peer.subscribe("com.example.topic");
    }
    let mut publisher = host.session();
    let sizes = [1, 5000, 70_000, 300_000, 2];
    for size in sizes {
        let id = publisher.id();
        let publish = json!([16, id, {}, "com.example.topic", ["x".repeat(size)]]);
        publisher.send(&publish);
    }
    for peer in &mut peers {
        for size in sizes {
            let event = peer.message();
            assert_eq!(event[0], 36);
            assert_eq!(event[4][0].as_str().unwrap().len(), size);
        }
        peer.nothing_came();
    }
}

#[test]
fn large_payloads_between_serializers_and_back() {
    let host = Host::new();
    let mut callee = joined(&host, Serializer::Json);
    callee.register("com.example.echo");
    for serializer in Serializer::ALL {
        let mut caller = joined(&host, serializer);
        for size in [10, 100_000, 3_000_000] {
            let id = caller.id();
            let text = "y".repeat(size);
            let call = json!([48, id, {}, "com.example.echo", [text]]);
            caller.send(&call);
            let invocation = callee.message();
            assert_eq!(invocation[4][0].as_str().unwrap().len(), size);
            callee.send(&json!([70, invocation[1], {}, invocation[4]]));
            assert_eq!(caller.message()[3][0].as_str().unwrap().len(), size);
        }
    }
}

/// A ping in the middle of requests is answered in a frame of its own, not within a batch.
#[test]
fn control_frames_do_not_get_into_batches() {
    let host = Host::new();
    let mut peer = joined(&host, Serializer::MsgPack);
    let mut bytes = batch(&peer, &counts(1..3));
    bytes.extend([0x89, 0x81, 0, 0, 0, 0, b'p']);
    bytes.extend(batch(&peer, &counts(3..5)));
    peer.send_bytes(&bytes);
    let mut seen = Vec::new();
    while seen.len() < 5 {
        seen.push(peer.see());
    }
    let pong = Seen::Pong(b"p".to_vec());
    assert_eq!(seen.iter().filter(|it| **it == pong).count(), 1);
    seen.retain(|it| *it != pong);
    let results = (1..5).map(|id| Seen::Message(json!([50, id, {}, [1]])));
    assert_eq!(seen, results.collect::<Vec<_>>());
    peer.send_close(CloseCode::NORMAL);
    assert_eq!(peer.expect_end(), Some(1000));
}

#[test]
fn limits_hold_for_the_whole_batch() {
    let host = Host::with_limits(|limits: &mut Limits| limits.message_bytes_max = 1000);
    let mut peer = joined(&host, Serializer::Json);
    let filler = |id: u64, bytes: usize| {
        let head = json!([48, id, {}, "wamp.session.count", [], {"x": ""}]).to_string();
        json!([48, id, {}, "wamp.session.count", [], {"x": "x".repeat(bytes - head.len())}])
    };
    // Two of 499 octets and their separators are exactly the limit.
    let within = text_batch(0x1e, &[filler(1, 499), filler(2, 499)]);
    peer.send_bytes(&within);
    assert_eq!(peer.message()[1], 1);
    assert_eq!(peer.message()[1], 2);
    let above = text_batch(0x1e, &[filler(3, 499), filler(4, 500)]);
    peer.send_bytes(&above);
    assert_eq!(peer.expect_end(), Some(1009));
}

#[test]
fn a_violation_within_a_batch_is_answered_like_any_other() {
    let host = Host::new();
    let mut peer = joined(&host, Serializer::Json);
    let messages = [&counts(1..2)[..], &[json!([99])], &counts(2..3)].concat();
    peer.send_bytes(&text_batch(0x1e, &messages));
    assert_eq!(peer.message()[0], 50);
    peer.expect_abort("wamp.error.protocol_violation");
    assert_eq!(peer.expect_end(), Some(1002));
}

/// The client's first choice counts; a router that has only one serializer offers its batches too.
#[test]
fn the_clients_preference_decides() {
    let host = Host::with(|builder| builder.serializers([Serializer::Cbor]));
    let answer = |offer: &str| {
        let mut stream = host.stream();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {offer}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let offer = "wamp.2.json.batched, wamp.2.cbor.batched, wamp.2.cbor";
    assert!(answer(offer).contains("Sec-WebSocket-Protocol: wamp.2.cbor.batched\r\n"));
    let offer = "wamp.2.cbor, wamp.2.cbor.batched";
    assert!(answer(offer).contains("Sec-WebSocket-Protocol: wamp.2.cbor\r\n"));
    let refused = answer("wamp.2.json.batched");
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(
        refused.contains("wamp.2.cbor, wamp.2.cbor.batched"),
        "{refused}"
    );
}
