//! Wire checks 1 to 20 and 23: how sessions begin, what they may say, how they end.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Seen, json};
use wampy_proto::{ID_MAX, Serializer};

#[test]
fn check_1_the_first_message_must_be_hello() {
    let host = Host::new();
    for first in [
        json!([48, 1, {}, "a.b"]),
        json!([5, "proof", {}]),
        json!([2, 1, {"roles": {"broker": {}}}]),
    ] {
        let mut peer = host.rawsocket(Serializer::Json);
        peer.send(&first);
        assert!(peer.expect_violation().contains("HELLO"), "{first}");
    }
}

#[test]
fn check_2_a_second_hello_breaks_the_protocol() {
    let host = Host::new();
    let mut peer = host.session();
    peer.send(&Peer::hello("realm1"));
    peer.expect_violation();
    host.eventually("the session is gone", |stats| stats.sessions == 0);
}

#[test]
fn check_4_authenticate_in_an_established_session_fails_it() {
    let host = Host::new();
    let mut peer = host.session();
    peer.send(&json!([5, "proof", {}]));
    peer.expect_violation();
}

#[test]
fn check_6_goodbye_before_the_session_breaks_the_protocol() {
    let host = Host::new();
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&json!([6, {}, "wamp.close.close_realm"]));
    peer.expect_violation();
}

#[test]
fn check_8_an_error_about_no_request_breaks_the_protocol() {
    let host = Host::new();
    let mut peer = host.session();
    peer.send(&json!([8, 70, 1, {}, "x.y"]));
    peer.expect_violation();
}

#[test]
fn check_9_a_yield_for_no_invocation_breaks_the_protocol() {
    let host = Host::new();
    let mut peer = host.session();
    peer.send(&json!([70, 1, {}]));
    peer.expect_violation();
}

#[test]
fn check_9_a_yield_for_a_canceled_call_is_dropped() {
    let host = Host::new();
    let (mut callee, mut caller) = (host.session(), host.session());
    callee.register("com.slow");
    let id = caller.id();
    caller.send(&json!([48, id, {}, "com.slow"]));
    let invocation = callee.message();
    caller.send(&json!([49, id, {"mode": "skip"}]));
    assert_eq!(caller.message()[4], "wamp.error.canceled");
    callee.send(&json!([70, invocation[1], {}, ["too late"]]));
    callee.nothing_came();
    caller.nothing_came();
}

#[test]
fn check_10_request_ids_count_up_from_1_without_gaps() {
    let host = Host::new();
    for ids in [&[2][..], &[1, 3], &[1, 1]] {
        let mut peer = host.session();
        let (last, good) = ids.split_last().unwrap();
        for id in good {
            peer.send(&json!([32, id, {}, "a.topic"]));
            assert_eq!(peer.message()[0], 33);
        }
        peer.send(&json!([16, last, {}, "a.topic"]));
        assert!(peer.expect_violation().contains("request id"), "{ids:?}");
    }
}

#[test]
fn check_10_any_request_id_is_a_leniency_that_can_be_switched_on() {
    let host = Host::with(|builder| builder.any_request_id(true));
    let mut peer = host.session();
    for id in [7_814_135, 12, 9_007_199_254_740_992_u64] {
        peer.send(&json!([32, id, {}, "a.topic"]));
        assert_eq!(peer.message()[1], id);
    }
}

#[test]
fn check_11_what_is_no_message_breaks_the_protocol() {
    let host = Host::new();
    let bad: [&[u8]; 12] = [
        b"",
        b"[]",
        b"{}",
        b"[",
        b"null",
        b"[99]",
        b"[1,2,3,4,5,6,7]",
        b"[\"1\"]",
        b"[48,1,{}]",
        b"[48,\"1\",{},\"a.b\"]",
        b"[48,1,{},\"a.b\",{}]",
        b"\xff\xfe\x00",
    ];
    for payload in bad {
        let mut peer = host.session();
        peer.send_payload(payload);
        peer.expect_violation();
    }
    for serializer in [Serializer::MsgPack, Serializer::Cbor] {
        let mut peer = host.rawsocket(serializer);
        peer.join("realm1");
        peer.send_payload(&[0xc1, 0xff]);
        peer.expect_violation();
    }
    host.eventually("all sessions are gone", |stats| stats.sessions == 0);
}

#[test]
fn check_12_abort_is_not_answered() {
    let host = Host::new();
    let mut peer = host.session();
    peer.send(&json!([3, {}, "com.example.enough"]));
    peer.expect_end();
    host.eventually("the session is gone", |stats| stats.sessions == 0);
}

#[test]
fn check_13_goodbye_is_answered_exactly_once() {
    let host = Host::new();
    let mut peer = host.websocket(Serializer::Json);
    peer.join("realm1");
    peer.send(&json!([6, {}, "wamp.close.close_realm"]));
    assert_eq!(peer.message(), json!([6, {}, "wamp.close.goodbye_and_out"]));
    host.eventually("the session is gone", |stats| stats.sessions == 0);
    // The connection is still there, and nothing else came over it.
    peer.send_ping(b"still there?");
    assert_eq!(peer.see(), Seen::Pong(b"still there?".to_vec()));
}

#[test]
fn check_14_after_the_routers_goodbye_requests_are_ignored() {
    let host = Host::new();
    let (mut killer, mut victim) = (host.session(), host.rawsocket(Serializer::Json));
    let session = victim.join("realm1");
    assert_eq!(killer.call("wamp.session.kill", json!([session]))[0], 50);
    assert_eq!(victim.message(), json!([6, {}, "wamp.close.killed"]));
    victim.send_all(&[
        json!([48, 1, {}, "wamp.session.count"]),
        json!([99]),
        json!([6, {}, "wamp.close.goodbye_and_out"]),
    ]);
    victim.expect_end();
    killer.nothing_came();
}

#[test]
fn check_15_hello_without_roles_is_refused() {
    let host = Host::new();
    for details in [json!({}), json!({"roles": {}})] {
        let mut peer = host.rawsocket(Serializer::Json);
        peer.send(&json!([1, "realm1", details]));
        assert!(peer.expect_violation().contains("role"));
    }
}

#[test]
fn check_16_an_absent_realm_is_refused() {
    let host = Host::new();
    let mut peer = host.websocket(Serializer::MsgPack);
    peer.send(&Peer::hello("realm3"));
    assert!(
        peer.expect_abort("wamp.error.no_such_realm")
            .contains("realm3")
    );
    assert_eq!(peer.expect_end(), Some(1000));
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&Peer::hello("no realm"));
    peer.expect_abort("wamp.error.invalid_uri");
}

#[test]
fn check_16_realms_come_into_being_where_that_is_allowed() {
    let limits = wampy_router::Limits {
        auto_created_realms_max: 1,
        ..wampy_router::Limits::default()
    };
    let host = Host::with(|builder| builder.auto_create_realms(true).limits(limits));
    host.session_in("com.example.new").subscribe("a.topic");
    host.session_in("com.example.new");
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&Peer::hello("com.example.one_too_many"));
    peer.expect_abort("wamp.error.no_such_realm");
}

#[test]
fn check_17_welcome_has_a_random_session_id_and_the_routers_roles() {
    let host = Host::new();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let mut peer = host.rawsocket(Serializer::Cbor);
        peer.send(&json!([1, "realm1", {"roles": {"caller": {}}, "authid": "root"}]));
        let welcome = peer.message();
        let details = &welcome[2];
        assert!(details["roles"]["broker"].is_object() && details["roles"]["dealer"].is_object());
        assert_eq!(details["realm"], "realm1");
        assert_eq!(details["authrole"], "anonymous");
        assert_eq!(details["authmethod"], "anonymous");
        assert_eq!(details["authprovider"], "static");
        assert_ne!(
            details["authid"], "root",
            "an unproven authid is not believed"
        );
        ids.push(welcome[1].as_u64().unwrap());
    }
    assert!(ids.iter().all(|id| (1..=ID_MAX).contains(id)));
    // Twenty of 2^53: all below an eighth of the range has a chance of 2^-60.
    assert!(ids.iter().any(|&id| id > ID_MAX / 8), "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

#[test]
fn check_18_unknown_details_have_no_effect() {
    let host = Host::new();
    let mut peer = host.rawsocket(Serializer::Json);
    let features = json!({"no_such_feature": true, "call_canceling": {"odd": 1}});
    let roles = json!({"caller": {"features": features, "x": 1}, "conductor": {}});
    peer.send(&json!([1, "realm1", {"roles": roles, "foo": [1, {"bar": 2}], "_private": 1}]));
    assert_eq!(peer.message()[0], 2);
    peer.send(&json!([48, 1, {"foo": "bar", "_mine": {}}, "wamp.session.count"]));
    assert_eq!(peer.message(), json!([50, 1, {}, [1]]));
}

#[test]
fn check_19_known_options_of_another_type_break_the_protocol() {
    let host = Host::new();
    let bad = [
        json!([16, 1, {"acknowledge": 1}, "a.topic"]),
        json!([32, 1, {"match": "bogus"}, "a.topic"]),
        json!([48, 1, {"timeout": -1}, "a.procedure"]),
        json!([64, 1, {"invoke": true}, "a.procedure"]),
    ];
    for message in bad {
        let mut peer = host.session();
        peer.send(&message);
        peer.expect_violation();
    }
}

#[test]
fn check_20_a_malformed_topic_gets_an_error_and_the_session_lives_on() {
    let host = Host::new();
    let mut peer = host.session();
    for topic in ["a..b", "a.#b", "a b", ""] {
        let id = peer.id();
        peer.send(&json!([32, id, {}, topic]));
        let error = peer.message();
        assert_eq!(
            (&error[0], &error[1], &error[2]),
            (&json!(8), &json!(32), &json!(id))
        );
        assert_eq!(error[4], "wamp.error.invalid_uri", "{topic:?}");
    }
    peer.nothing_came();
}

#[test]
fn check_23_a_lost_connection_releases_all_that_its_session_held() {
    let host = Host::new();
    let (mut callee, mut caller) = (host.session(), host.session());
    callee.register("com.example.echo");
    callee.subscribe("com.example.topic");
    let id = caller.id();
    caller.send(&json!([48, id, {}, "com.example.echo"]));
    assert_eq!(callee.message()[0], 68);
    drop(callee);
    let error = caller.message();
    assert_eq!(
        (&error[2], &error[4]),
        (&json!(id), &json!("wamp.error.canceled"))
    );
    host.eventually("nothing is left", |stats| {
        let realm = &stats.realms[0];
        (
            realm.sessions,
            realm.registrations,
            realm.subscriptions,
            realm.pending_calls,
        ) == (1, 0, 0, 0)
    });
    assert_eq!(
        caller.call("com.example.echo", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
}

#[test]
fn check_23_realms_are_apart() {
    let host = Host::new();
    let (mut one, mut other) = (host.session(), host.session_in("realm2"));
    one.register("com.example.echo");
    one.subscribe("com.example.topic");
    assert_eq!(
        other.call("com.example.echo", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
    other.publish("com.example.topic", json!(["hi"]));
    one.nothing_came();
}

#[test]
fn trap_25_a_transport_carries_one_session_after_the_other() {
    let host = Host::new();
    let mut peer = host.websocket(Serializer::Cbor);
    let first = peer.join("realm1");
    peer.subscribe("a.topic");
    // All in one write: what comes behind GOODBYE and HELLO has to wait for them.
    peer.send_all(&[
        json!([16, 2, {"acknowledge": true}, "b.topic"]),
        json!([6, {}, "wamp.close.close_realm"]),
        Peer::hello("realm2"),
        json!([48, 1, {}, "wamp.session.count"]),
        json!([48, 2, {}, "wamp.session.count"]),
    ]);
    assert_eq!(peer.message()[0], 17);
    assert_eq!(peer.message()[0], 6);
    let welcome = peer.message();
    assert_eq!(welcome[2]["realm"], "realm2");
    assert_ne!(welcome[1], first);
    assert_eq!(peer.message(), json!([50, 1, {}, [1]]));
    assert_eq!(peer.message(), json!([50, 2, {}, [1]]));
    let stats = host.stats();
    assert_eq!(
        (stats.realms[0].sessions, stats.realms[0].subscriptions),
        (0, 0)
    );
}

#[test]
fn authmethods_without_anonymous_are_refused() {
    let host = Host::new();
    for (methods, welcome) in [
        (json!([]), true),
        (json!(["anonymous"]), true),
        (json!(["ticket", "anonymous"]), true),
        (json!(["ticket", "wampcra"]), false),
    ] {
        let mut peer = host.rawsocket(Serializer::Json);
        let details = json!({"roles": {"caller": {}}, "authmethods": methods, "authid": "joe"});
        peer.send(&json!([1, "realm1", details]));
        if welcome {
            assert_eq!(peer.message()[0], 2, "{methods}");
        } else {
            peer.expect_abort("wamp.error.no_matching_auth_method");
            peer.expect_end();
        }
    }
}

#[test]
fn a_router_full_of_sessions_says_so() {
    let host = Host::with_limits(|limits| limits.sessions_max = 2);
    let (_one, two) = (host.session(), host.session_in("realm2"));
    let mut third = host.rawsocket(Serializer::Json);
    third.send(&Peer::hello("realm1"));
    third.expect_abort("wamp.close.too_many_sessions");
    third.expect_end();
    drop(two);
    host.eventually("there is room again", |stats| stats.sessions == 1);
    host.session();
}
