//! Large payloads: they are shared between their receivers, and arrive as they were sent, whatever
//! the receivers speak and whatever stands around them.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;

/// Around the size from which a payload is shared, that of one read, and far beyond.
const SIZES: [usize; 4] = [65_500, 65_536, 150_000, 1_200_000];

/// One for each serializer and framing.
fn peers(host: &Host) -> Vec<Peer> {
    let mut peers: Vec<Peer> = Serializer::ALL
        .into_iter()
        .flat_map(|serializer| [host.rawsocket(serializer), host.websocket(serializer)])
        .collect();
    for peer in &mut peers {
        peer.join("realm1");
    }
    peers
}

/// One for each serializer; every other speaks RawSocket, the first if `first_is_raw`.
fn one_each(host: &Host, first_is_raw: bool) -> Vec<Peer> {
    let serializers = Serializer::ALL.into_iter().enumerate();
    let peers = serializers.map(|(number, serializer)| {
        let mut peer = match (number % 2 == 0) == first_is_raw {
            true => host.rawsocket(serializer),
            false => host.websocket(serializer),
        };
        peer.join("realm1");
        peer
    });
    peers.collect()
}

/// Payloads of about `bytes`: in `args`, in `kwargs`, in both, and beside small parts.
fn payloads(bytes: usize) -> [Value; 4] {
    let large = |seed: usize| -> String {
        let letter = |at: usize| char::from(b'a' + ((at * 7 + seed + at / 1000) % 26) as u8);
        (0..bytes).map(letter).collect()
    };
    [
        json!([[1, large(0), "end"]]),
        json!([[], {"key": large(1)}]),
        json!([[large(2)], {"a": 1, "b": large(3)}]),
        json!([[true], {"a": large(4), "z": [1, 2]}]),
    ]
}

fn with_payload(mut head: Value, payload: &Value) -> Value {
    let list = head.as_array_mut().unwrap();
    list.extend(payload.as_array().unwrap().iter().cloned());
    head
}

fn payload_of(message: &Value, from: usize) -> Value {
    json!(message.as_array().unwrap()[from..])
}

#[test]
fn a_large_event_reaches_everybody_whole_and_small_ones_around_it_too() {
    let host = Host::new();
    let mut subscribers = peers(&host);
    for peer in &mut subscribers {
        peer.subscribe("a.topic");
    }
    for mut publisher in one_each(&host, true) {
        for payload in SIZES.into_iter().flat_map(payloads) {
            publisher.publish("a.topic", json!(["before"]));
            let id = publisher.id();
            publisher.send(&with_payload(json!([16, id, {}, "a.topic"]), &payload));
            publisher.publish("a.topic", json!(["behind"]));
            for peer in &mut subscribers {
                assert_eq!(peer.message()[4], json!(["before"]));
                let event = peer.message();
                assert!(payload_of(&event, 4) == payload, "another payload came");
                assert_eq!(peer.message()[4], json!(["behind"]));
            }
        }
    }
}

#[test]
fn large_arguments_and_results_are_whole_also_when_they_are_pipelined() {
    let host = Host::new();
    // A callee of one framing for a caller of the other.
    let pairs = one_each(&host, true)
        .into_iter()
        .zip(one_each(&host, false));
    for (mut callee, mut caller) in pairs {
        callee.register("a.procedure");
        let payloads: Vec<Value> = SIZES.into_iter().flat_map(payloads).collect();
        let expected = payloads.clone();
        let answering = std::thread::spawn(move || {
            for payload in &expected {
                let invocation = callee.message();
                assert!(payload_of(&invocation, 4) == *payload, "another call came");
                callee.send(&with_payload(json!([70, invocation[1], {}]), payload));
            }
            callee
        });
        // Two at once, so that one begins in the read that ends the other.
        for pair in payloads.chunks(2) {
            for payload in pair {
                let id = caller.id();
                caller.send(&with_payload(json!([48, id, {}, "a.procedure"]), payload));
            }
            for payload in pair {
                let result = caller.message();
                assert!(payload_of(&result, 3) == *payload, "another result came");
            }
        }
        drop(answering.join().unwrap());
        host.eventually("the callee has left", |stats| {
            stats.realms[0].registrations == 0
        });
    }
}
