//! Calls in parts, with time limits, and with payloads passed through, over real sockets: wire checks
//! 55, 56, 60, 61, 63 and 74.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;

const PROGRESSIVE: [&str; 2] = ["progressive_call_invocations", "progressive_call_results"];

/// Enough that they fill several reads and buffers.
const PARTS: u64 = 5_000;

/// A caller and a callee of `a.b` that have the features, over different transports.
fn pair(host: &Host, features: &[&str]) -> (Peer, Peer) {
    let mut callee = host.websocket(Serializer::MsgPack);
    callee.join_with(features);
    callee.register("a.b");
    let mut caller = host.rawsocket(Serializer::Json);
    caller.join_with(features);
    (caller, callee)
}

/// The parts of a call, the last without `progress`.
fn parts(message_type: u64, id: u64, options: &Value, procedure: Option<&str>) -> Vec<Value> {
    let part = |n| {
        let mut options = options.clone();
        if n < PARTS {
            options["progress"] = true.into();
        }
        let mut part = vec![json!(message_type), json!(id), options];
        part.extend(procedure.map(Value::from));
        part.push(json!([n]));
        Value::from(part)
    };
    (1..=PARTS).map(part).collect()
}

#[test]
fn check_60_a_call_and_its_result_stream_in_both_directions_at_once() {
    let host = Host::new();
    let (mut caller, mut callee) = pair(&host, &PROGRESSIVE);
    let id = caller.id();
    let options = json!({"receive_progress": true});
    let calls = parts(48, id, &options, Some("a.b"));
    let yields = parts(70, 1, &json!({}), None);
    caller.send_all(&calls[..1]);
    assert_eq!(callee.message()[1], 1);
    // Both write while neither reads.
    caller.send_all(&calls[1..]);
    callee.send_all(&yields[..yields.len() - 1]);
    for n in 2..=PARTS {
        let invocation = callee.message();
        assert_eq!((&invocation[0], &invocation[1]), (&json!(68), &json!(1)));
        assert_eq!(invocation[4], json!([n]), "in order");
        assert_eq!(invocation[3]["progress"] == true, n < PARTS);
    }
    callee.send_all(&yields[yields.len() - 1..]);
    for n in 1..=PARTS {
        let result = caller.message();
        assert_eq!((&result[0], &result[1]), (&json!(50), &json!(id)));
        assert_eq!(result[3], json!([n]), "in order");
        assert_eq!(result[2]["progress"] == true, n < PARTS);
    }
    assert_eq!(host.stats().realms[0].pending_calls, 0);
}

#[test]
fn check_63_parts_that_come_late_are_dropped_and_the_session_lives_on() {
    let host = Host::new();
    let (mut caller, mut callee) = pair(&host, &PROGRESSIVE);
    let id = caller.id();
    let part = json!([48, id, {"progress": true}, "a.b", ["part"]]);
    caller.send(&part);
    callee.message();
    callee.send(&json!([8, 68, 1, {}, "app.enough"]));
    assert_eq!(caller.message()[4], "app.enough");
    caller.send_all(&[part.clone(), part, json!([48, id, {}, "a.b", ["last"]])]);
    caller.nothing_came();
    callee.nothing_came();
}

#[test]
fn check_61_a_gap_behind_a_call_in_parts_breaks_the_protocol() {
    let host = Host::new();
    let (mut caller, mut callee) = pair(&host, &PROGRESSIVE);
    caller.send(&json!([48, 1, {"progress": true}, "a.b"]));
    callee.message();
    caller.send(&json!([48, 3, {}, "a.b"]));
    assert!(caller.expect_violation().contains("request id 3"));
    assert_eq!(callee.message(), json!([69, 1, {"mode": "killnowait"}]));
}

#[test]
fn a_caller_that_is_lost_in_the_middle_of_its_parts_interrupts_the_callee() {
    let host = Host::new();
    let (mut caller, mut callee) = pair(&host, &PROGRESSIVE);
    caller.send(&json!([48, 1, {"progress": true}, "a.b"]));
    assert_eq!(callee.message()[0], 68);
    drop(caller);
    assert_eq!(callee.message(), json!([69, 1, {"mode": "killnowait"}]));
    callee.send(&json!([70, 1, {}]));
    callee.nothing_came();
}

#[test]
fn check_55_the_router_minds_time_limits_and_check_56_forwards_them() {
    let host = Host::new();
    let (mut caller, mut callee) = pair(&host, &["call_timeout"]);
    let register = json!([64, callee.id(), {"forward_timeout": true}, "c.d"]);
    callee.send(&register);
    assert_eq!(callee.message()[0], 65);
    let id = caller.id();
    caller.send(&json!([48, id, {"timeout": 30}, "a.b"]));
    assert_eq!(callee.message()[3], json!({}));
    let error = caller.message();
    assert_eq!(
        (&error[2], &error[4]),
        (&json!(id), &json!("wamp.error.timeout"))
    );
    assert_eq!(callee.message(), json!([69, 1, {"mode": "killnowait"}]));
    // The other call began before one that times out after more time, and yet it does not.
    let (forwarded, minded) = (caller.id(), caller.id());
    caller.send(&json!([48, forwarded, {"timeout": 1}, "c.d"]));
    caller.send(&json!([48, minded, {"timeout": 30}, "a.b"]));
    assert_eq!(callee.message()[3], json!({"timeout": 1}));
    assert_eq!(callee.message()[3], json!({}));
    assert_eq!(caller.message()[2], minded);
    assert_eq!(callee.message()[1], 3);
    callee.send(&json!([70, 2, {}, ["took its time"]]));
    assert_eq!(
        caller.message(),
        json!([50, forwarded, {}, ["took its time"]])
    );
}

/// Bytes as they stand in JSON, of any length, with every value of a byte.
fn sealed(len: usize) -> Value {
    let bytes: Vec<u8> = (0..len).map(|n| (n * 7 % 256) as u8).collect();
    let bytes = wampy_proto::Value::List(vec![wampy_proto::Value::Bytes(bytes)]);
    let payload = wampy_proto::Payload::encode(Serializer::Json, &bytes, &()).unwrap();
    serde_json::from_slice(payload.encoded_args()).unwrap()
}

#[test]
fn check_74_what_is_passed_through_is_the_same_in_every_serializer() {
    let host = Host::new();
    let features = ["payload_passthru_mode"];
    let options = json!({
        "ppt_scheme": "wamp", "ppt_serializer": "cbor", "ppt_cipher": "xsalsa20poly1305",
        "ppt_keyid": "0xAbC",
    });
    for from in Serializer::ALL {
        for to in Serializer::ALL {
            let (mut sender, mut receiver) = (host.rawsocket(from), host.websocket(to));
            sender.join_with(&features);
            receiver.join_with(&features);
            let topic = format!("t.{}.{}", from.row().subprotocol, to.row().subprotocol);
            receiver.register(&topic);
            receiver.subscribe(&topic);
            // The last one is shared with its receivers where that is possible.
            for (at, len) in [0, 1, 1_000, 100_000].into_iter().enumerate() {
                let (sealed, invocation) = (sealed(len), at as u64 * 2 + 1);
                let id = sender.id();
                sender.send(&json!([48, id, options, topic, sealed]));
                let message = receiver.message();
                assert_eq!((&message[0], &message[3]), (&json!(68), &options));
                assert_eq!(message[4], sealed);
                receiver.send(&json!([70, invocation, options, sealed]));
                assert_eq!(sender.message(), json!([50, id, options, sealed]));

                let id = sender.id();
                sender.send(&json!([48, id, options, topic, sealed]));
                receiver.message();
                receiver.send(&json!([
                    8,
                    68,
                    invocation + 1,
                    options,
                    "app.error",
                    sealed
                ]));
                let error = json!([8, 48, id, options, "app.error", sealed]);
                assert_eq!(sender.message(), error);

                let id = sender.id();
                sender.send(&json!([16, id, options, topic, sealed]));
                let event = receiver.message();
                assert_eq!((&event[0], &event[3]), (&json!(36), &options));
                assert_eq!(event[4], sealed);
            }
        }
    }
}
