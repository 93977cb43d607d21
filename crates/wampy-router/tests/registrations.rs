//! What becomes of registrations and of calls that find their callee busy, unavailable or gone, over
//! real sockets and across serializers. The rules themselves are tested in `wampy-realm`.

// Tests fail by panicking; the lint exempts only the test functions themselves.
#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::{ForceReregister, RealmConfig};

/// A session in realm1 with these features, in this serializer.
fn join(host: &Host, serializer: Serializer, features: &[&str]) -> (Peer, u64) {
    let mut peer = host.rawsocket(serializer);
    let id = peer.join_with(features);
    (peer, id)
}

fn register(peer: &mut Peer, options: &Value) -> u64 {
    let id = peer.id();
    peer.send(&json!([64, id, options, "com.example.work"]));
    let registered = peer.message();
    assert_eq!(registered[0], 65, "{registered}");
    registered[2].as_u64().unwrap()
}

/// Arguments of every kind, which each serializer writes in its own way.
fn arguments(number: u64) -> (Value, Value) {
    let args = json!([number, "text", -1.5, null, [true, {"key": []}]]);
    (args, json!({"name": "ü"}))
}

fn call(peer: &mut Peer, options: &Value, number: u64) -> u64 {
    let id = peer.id();
    let (args, kwargs) = arguments(number);
    peer.send(&json!([48, id, options, "com.example.work", args, kwargs]));
    id
}

/// Takes an invocation and checks its payload; returns its id.
#[track_caller]
fn invoked(callee: &mut Peer, number: u64) -> u64 {
    let invocation = callee.message();
    let (args, kwargs) = arguments(number);
    assert_eq!(
        (&invocation[0], &invocation[4], &invocation[5]),
        (&json!(68), &args, &kwargs),
        "{invocation}"
    );
    invocation[1].as_u64().unwrap()
}

#[test]
fn calls_wait_for_a_busy_callee_whatever_serializers_they_came_in() {
    let host = Host::new();
    let (mut callee, _) = join(&host, Serializer::Json, &[]);
    register(&mut callee, &json!({"concurrency": 1}));
    let mut callers = Serializer::ALL.map(|serializer| join(&host, serializer, &[]).0);
    let mut ids = [0; Serializer::ALL.len()];
    for (number, caller) in callers.iter_mut().enumerate() {
        ids[number] = call(caller, &json!({}), number as u64);
        host.eventually("the call is pending", |stats| {
            stats.realms[0].pending_calls == number + 1
        });
    }
    for (number, caller) in callers.iter_mut().enumerate() {
        let invocation = invoked(&mut callee, number as u64);
        if number == 0 {
            callee.nothing_came();
        }
        callee.send(&json!([70, invocation, {}, [number]]));
        assert_eq!(caller.message(), json!([50, ids[number], {}, [number]]));
    }
}

#[test]
fn calls_that_wait_go_with_their_caller_and_time_out() {
    let host = Host::new();
    let (mut callee, _) = join(&host, Serializer::Cbor, &[]);
    register(&mut callee, &json!({"concurrency": 1}));
    let (mut caller, _) = join(&host, Serializer::Json, &[]);
    let (mut gone, _) = join(&host, Serializer::Json, &[]);
    call(&mut caller, &json!({}), 1);
    let first = invoked(&mut callee, 1);
    call(&mut gone, &json!({}), 2);
    host.eventually("the call is pending", |stats| {
        stats.realms[0].pending_calls == 2
    });
    let late = call(&mut caller, &json!({"timeout": 20}), 3);
    let error = caller.message();
    assert_eq!(
        (&error[0], &error[2], &error[4]),
        (&json!(8), &json!(late), &json!("wamp.error.timeout"))
    );
    call(&mut caller, &json!({}), 4);
    drop(gone);
    host.eventually("the caller has gone", |stats| {
        stats.realms[0].pending_calls == 2
    });
    callee.send(&json!([70, first, {}]));
    invoked(&mut callee, 4);
}

#[test]
fn check_68_an_unavailable_callees_call_goes_to_the_next_in_its_own_serializer() {
    let host = Host::new();
    let features = ["call_reroute"];
    let mut callees = [Serializer::MsgPack, Serializer::Json, Serializer::Cbor]
        .map(|serializer| join(&host, serializer, &features).0);
    for callee in &mut callees {
        register(callee, &json!({"invoke": "first"}));
    }
    let (mut caller, _) = join(&host, Serializer::Json, &[]);
    let id = call(&mut caller, &json!({}), 7);
    for callee in &mut callees[..2] {
        let invocation = invoked(callee, 7);
        callee.send(&json!([8, 68, invocation, {}, "wamp.error.unavailable"]));
    }
    let invocation = invoked(&mut callees[2], 7);
    callees[2].send(&json!([70, invocation, {}, ["done"]]));
    assert_eq!(caller.message(), json!([50, id, {}, ["done"]]));
    let id = call(&mut caller, &json!({}), 8);
    for callee in &mut callees {
        let invocation = invoked(callee, 8);
        callee.send(&json!([8, 68, invocation, {}, "wamp.error.unavailable"]));
    }
    let error = caller.message();
    let expected = (json!(8), json!(id), json!("wamp.error.no_available_callee"));
    assert_eq!(
        (error[0].clone(), error[2].clone(), error[4].clone()),
        expected
    );
}

#[test]
fn a_callee_that_comes_back_takes_its_procedure_and_the_calls_that_wait() {
    let config = RealmConfig {
        force_reregister: ForceReregister::Everybody,
        ..RealmConfig::default()
    };
    let host = Host::with(|builder| builder.realm_config(config));
    let features = ["registration_revocation"];
    let (mut ghost, _) = join(&host, Serializer::Json, &features);
    let old = register(&mut ghost, &json!({"concurrency": 1}));
    let (mut caller, _) = join(&host, Serializer::MsgPack, &[]);
    call(&mut caller, &json!({}), 1);
    invoked(&mut ghost, 1);
    let waits = call(&mut caller, &json!({}), 2);
    host.eventually("both calls are pending", |stats| {
        stats.realms[0].pending_calls == 2
    });
    let (mut back, _) = join(&host, Serializer::Cbor, &features);
    let options = json!({"force_reregister": true, "concurrency": 1});
    let new = register(&mut back, &options);
    assert_ne!(old, new);
    let revoked = ghost.message();
    assert_eq!((&revoked[0], &revoked[1]), (&json!(67), &json!(0)));
    assert_eq!(revoked[2]["registration"], old);
    let invocation = invoked(&mut back, 2);
    back.send(&json!([70, invocation, {}, ["back"]]));
    assert_eq!(caller.message(), json!([50, waits, {}, ["back"]]));
}

#[test]
fn check_75_and_39_what_is_revoked_is_told_to_whom_it_was_taken_from() {
    let host = Host::new();
    let features = ["registration_revocation", "subscription_revocation"];
    let (mut victim, id) = join(&host, Serializer::MsgPack, &features);
    let (mut admin, _) = join(&host, Serializer::Json, &[]);
    let registration = register(&mut victim, &json!({}));
    let subscription = victim.subscribe("com.example.news");
    for (procedure, given) in [
        ("wamp.registration.remove_callee", registration),
        ("wamp.subscription.remove_subscriber", subscription),
    ] {
        let request = admin.id();
        let call = json!([48, request, {}, procedure, [given, id], {"reason": "why"}]);
        admin.send(&call);
        assert_eq!(admin.message(), json!([50, request, {}]));
    }
    let details = json!({"registration": registration, "reason": "why"});
    assert_eq!(victim.message(), json!([67, 0, details]));
    let details = json!({"subscription": subscription, "reason": "why"});
    assert_eq!(victim.message(), json!([35, 0, details]));
    admin.publish("com.example.news", json!([]));
    victim.nothing_came();
}
