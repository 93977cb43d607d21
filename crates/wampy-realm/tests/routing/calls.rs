//! Calling, answering, progress, and who calls.

use serde_json::json;
use wampy_proto::Feature;
use wampy_realm::{Disclosure, RealmConfig};

use crate::simulated::{Network, UNENCODABLE, all_features, assert_error, features_without};

#[test]
fn a_call_comes_back_with_its_result() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    let registration = network.register(callee, "a.b", json!({}));
    network.send(caller, json!([48, 7, {}, "a.b", [1, "x"], {"k": null}]));
    let invocation = json!([68, 1, registration, {}, [1, "x"], {"k": null}]);
    assert_eq!(network.receive(callee), invocation);
    assert_eq!(network.received(caller), [json!(null); 0]);
    network.send(callee, json!([70, 1, {}, [], {"sum": 3}]));
    assert_eq!(network.receive(caller), json!([50, 7, {}, [], {"sum": 3}]));
    assert_eq!(network.realm.stats().pending_calls, 0);
}

#[test]
fn a_session_may_call_its_own_procedure() {
    let mut network = Network::new();
    let client = network.join();
    network.register(client, "a.b", json!({}));
    let (invocation, _) = network.invoke(client, 3, json!({}), "a.b", client);
    network.send(client, json!([70, invocation, {}, [1]]));
    assert_eq!(network.receive(client), json!([50, 3, {}, [1]]));
    network.invoke(client, 4, json!({"timeout": 10}), "a.b", client);
    network.leave(client);
    assert_eq!(network.realm.stats().pending_calls, 0);
}

#[test]
fn check_42_a_call_of_nothing_is_refused() {
    let mut network = Network::new();
    let client = network.join();
    for procedure in ["a.b", "wamp.no.such.thing"] {
        network.send(client, json!([48, 1, {}, procedure]));
        let error = network.receive(client);
        assert_error(&error, 48, 1, "wamp.error.no_such_procedure");
        assert!(error[5][0].as_str().unwrap().contains(procedure));
    }
}

#[test]
fn check_43_invocations_are_numbered_for_each_callee() {
    let mut network = Network::new();
    let (alice, bob, caller) = (network.join(), network.join(), network.join());
    network.register(alice, "a", json!({}));
    network.register(alice, "also.a", json!({}));
    network.register(bob, "b", json!({}));
    for (request, (procedure, callee, expected)) in [
        ("a", alice, 1),
        ("also.a", alice, 2),
        ("b", bob, 1),
        ("a", alice, 3),
        ("b", bob, 2),
    ]
    .into_iter()
    .enumerate()
    {
        let request = 100 + request as u64;
        let (invocation, _) = network.invoke(caller, request, json!({}), procedure, callee);
        assert_eq!(invocation, expected);
    }
    // A new session counts anew.
    network.leave(alice);
    let alice = network.join();
    network.register(alice, "a", json!({}));
    assert_eq!(network.invoke(caller, 200, json!({}), "a", alice).0, 1);
}

#[test]
fn check_44_errors_of_the_callee_reach_the_caller() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    for (request, (sent, expected)) in [
        (json!([["x"], {"k": 1}]), json!([["x"], {"k": 1}])),
        (json!([[], {"k": 1}]), json!([[], {"k": 1}])),
        (json!([[1]]), json!([[1]])),
        (json!([]), json!([])),
    ]
    .into_iter()
    .enumerate()
    {
        let (invocation, _) = network.invoke(caller, request as u64 + 1, json!({}), "a.b", callee);
        let mut error = json!([8, 68, invocation, {}, "com.app.error"]);
        error
            .as_array_mut()
            .unwrap()
            .extend(sent.as_array().unwrap().clone());
        network.send(callee, error);
        let mut forwarded = json!([8, 48, request + 1, {}, "com.app.error"]);
        forwarded
            .as_array_mut()
            .unwrap()
            .extend(expected.as_array().unwrap().clone());
        assert_eq!(network.receive(caller), forwarded);
    }
}

#[test]
fn a_malformed_error_uri_does_not_reach_the_caller() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", callee);
    network.send(
        callee,
        json!([8, 68, invocation, {}, "no uri at all", ["why"]]),
    );
    let error = network.receive(caller);
    assert_eq!(
        error,
        json!([8, 48, 1, {}, "wamp.error.invalid_uri", ["why"]])
    );
}

#[test]
fn check_45_invocations_of_one_caller_keep_their_order() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "p.one", json!({}));
    network.register(callee, "p.two", json!({}));
    network.register(callee, "p.", json!({"match": "wildcard"}));
    for n in 0..20 {
        let procedure = ["p.one", "p.two", "p.three"][n % 3];
        network.send(caller, json!([48, n + 1, {}, procedure, [n]]));
    }
    let order: Vec<_> = network
        .received(callee)
        .iter()
        .map(|i| i[4][0].clone())
        .collect();
    assert_eq!(order, (0..20).map(|n| json!(n)).collect::<Vec<_>>());
}

#[test]
fn check_46_a_callee_that_leaves_cancels_its_calls() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.invoke(caller, 2, json!({"receive_progress": true}), "a.b", callee);
    network.send(callee, json!([70, 2, {"progress": true}, [1]]));
    network.leave(callee);
    let received = network.received(caller);
    assert_eq!(received[0], json!([50, 2, {"progress": true}, [1]]));
    assert_error(&received[1], 48, 1, "wamp.error.canceled");
    assert_error(&received[2], 48, 2, "wamp.error.canceled");
    assert_eq!(received.len(), 3);
}

#[test]
fn check_47_a_caller_that_leaves_interrupts_its_calls() {
    let mut network = Network::new();
    let able = network.join();
    let unable = network.join_with(features_without(&[Feature::CallCanceling]));
    let caller = network.join();
    network.register(able, "able", json!({}));
    network.register(unable, "unable", json!({}));
    network.invoke(caller, 1, json!({}), "able", able);
    network.invoke(caller, 2, json!({}), "unable", unable);
    network.leave(caller);
    assert_eq!(
        network.receive(able),
        json!([69, 1, {"mode": "killnowait"}])
    );
    assert_eq!(network.received(unable), [json!(null); 0]);
    // What they still answer goes nowhere, and is no violation.
    let next = network.join();
    network.send(able, json!([70, 1, {}]));
    network.send(able, json!([8, 68, 1, {}, "wamp.error.canceled"]));
    network.send(unable, json!([70, 1, {}]));
    assert_eq!(network.received(next), [json!(null); 0]);
}

#[test]
fn check_52_progress_is_asked_only_of_callees_that_can_be_stopped() {
    let without_progress = features_without(&[Feature::ProgressiveCallResults]);
    let without_canceling = features_without(&[Feature::CallCanceling]);
    for (roles, expected) in [
        (all_features(), json!({"receive_progress": true})),
        (without_progress, json!({})),
        (without_canceling, json!({})),
    ] {
        let mut network = Network::new();
        let (callee, caller) = (network.join_with(roles), network.join());
        network.register(callee, "a.b", json!({}));
        let options = json!({"receive_progress": true});
        assert_eq!(
            network.invoke(caller, 1, options, "a.b", callee).1,
            expected
        );
        assert_eq!(
            network.invoke(caller, 2, json!({}), "a.b", callee).1,
            json!({})
        );
    }
}

#[test]
fn check_53_results_come_in_parts() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (id, _) = network.invoke(caller, 5, json!({"receive_progress": true}), "a.b", callee);
    for n in 0..3 {
        network.send(callee, json!([70, id, {"progress": true}, [n]]));
        assert_eq!(
            network.receive(caller),
            json!([50, 5, {"progress": true}, [n]])
        );
    }
    network.send(callee, json!([70, id, {}, ["end"]]));
    assert_eq!(network.receive(caller), json!([50, 5, {}, ["end"]]));
    network.send(callee, json!([70, id, {"progress": true}, ["late"]]));
    network.send(callee, json!([70, id, {}, ["late"]]));
    assert_eq!(network.received(caller), [json!(null); 0]);
}

#[test]
fn check_53_parts_may_end_in_an_error() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (id, _) = network.invoke(caller, 5, json!({"receive_progress": true}), "a.b", callee);
    network.send(callee, json!([70, id, {"progress": true}]));
    network.send(callee, json!([8, 68, id, {}, "a.error"]));
    let expected = [
        json!([50, 5, {"progress": true}]),
        json!([8, 48, 5, {}, "a.error"]),
    ];
    assert_eq!(network.received(caller), expected);
}

#[test]
fn progress_that_nobody_asked_for_counts_for_nothing() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (id, _) = network.invoke(caller, 1, json!({}), "a.b", callee);
    network.send(callee, json!([70, id, {"progress": true}, [1]]));
    assert_eq!(network.received(caller), [json!(null); 0]);
    network.send(callee, json!([70, id, {}, [2]]));
    assert_eq!(network.receive(caller), json!([50, 1, {}, [2]]));
}

#[test]
fn check_71_callers_are_disclosed_on_request() {
    let mut network = Network::new();
    let callee = network.join();
    let caller = network.join_as("joe", "clerk", all_features());
    network.register(callee, "plain", json!({}));
    network.register(callee, "curious", json!({"disclose_caller": true}));
    let id = network.id(caller);
    let disclosed = json!({"caller": id, "caller_authid": "joe", "caller_authrole": "clerk"});
    for (request, (procedure, options, expected)) in [
        ("plain", json!({}), json!({})),
        ("plain", json!({"disclose_me": true}), disclosed.clone()),
        ("curious", json!({}), disclosed.clone()),
        ("curious", json!({"disclose_me": true}), disclosed),
    ]
    .into_iter()
    .enumerate()
    {
        let request = request as u64 + 1;
        let (_, details) = network.invoke(caller, request, options, procedure, callee);
        assert_eq!(details, expected);
    }
}

#[test]
fn check_71_a_realm_may_deny_disclosure() {
    let config = RealmConfig {
        caller_disclosure: Disclosure::Denied,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let denied = "wamp.error.option_disallowed.disclose_me";
    network.send(caller, json!([48, 1, {"disclose_me": true}, "a.b"]));
    assert_error(&network.receive(caller), 48, 1, denied);
    assert_eq!(network.received(callee), [json!(null); 0]);
    network.send(callee, json!([64, 1, {"disclose_caller": true}, "c.d"]));
    assert_error(&network.receive(callee), 64, 1, denied);
    assert_eq!(
        network.invoke(caller, 2, json!({}), "a.b", callee).1,
        json!({})
    );
}

#[test]
fn a_realm_may_always_disclose() {
    let config = RealmConfig {
        caller_disclosure: Disclosure::Always,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (_, details) = network.invoke(caller, 1, json!({}), "a.b", callee);
    assert_eq!(details["caller"], network.id(caller));
}

#[test]
fn arguments_too_long_for_the_callee_are_refused() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.limit_messages(callee, 100);
    network.send(caller, json!([48, 1, {}, "a.b", ["x".repeat(200)]]));
    assert_error(
        &network.receive(caller),
        48,
        1,
        "wamp.error.payload_size_exceeded",
    );
    assert_eq!(network.received(callee), [json!(null); 0]);
    assert_eq!(network.realm.stats().pending_calls, 0);
    // The numbers of invocations have no gap.
    assert_eq!(network.invoke(caller, 2, json!({}), "a.b", callee).0, 1);
}

#[test]
fn a_result_too_long_for_the_caller_becomes_an_error() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.limit_messages(caller, 160);
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.send(callee, json!([70, 1, {}, ["x".repeat(200)]]));
    assert_error(
        &network.receive(caller),
        48,
        1,
        "wamp.error.payload_size_exceeded",
    );
    network.invoke(caller, 2, json!({}), "a.b", callee);
    network.send(callee, json!([8, 68, 2, {}, "a.error", ["x".repeat(200)]]));
    assert_error(
        &network.receive(caller),
        48,
        2,
        "wamp.error.payload_size_exceeded",
    );
    assert_eq!(network.received(callee), [json!(null); 0]);
}

#[test]
fn progress_too_long_for_the_caller_ends_the_call() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.limit_messages(caller, 160);
    network.invoke(caller, 1, json!({"receive_progress": true}), "a.b", callee);
    network.send(
        callee,
        json!([70, 1, {"progress": true}, ["x".repeat(200)]]),
    );
    assert_error(
        &network.receive(caller),
        48,
        1,
        "wamp.error.payload_size_exceeded",
    );
    assert_eq!(
        network.receive(callee),
        json!([69, 1, {"mode": "killnowait"}])
    );
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(network.received(caller), [json!(null); 0]);
}

#[test]
fn payloads_that_the_receiver_cannot_express_are_invalid_arguments() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.make_picky(callee);
    network.send(caller, json!([48, 1, {}, "a.b", [UNENCODABLE]]));
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.invalid_argument");
    assert!(error[5][0].as_str().unwrap().contains(UNENCODABLE));
    assert_eq!(network.received(callee), [json!(null); 0]);
    assert_eq!(network.realm.stats().pending_calls, 0);

    network.make_picky(caller);
    network.invoke(caller, 2, json!({}), "a.b", callee);
    network.send(callee, json!([70, 1, {}, [UNENCODABLE]]));
    assert_error(
        &network.receive(caller),
        48,
        2,
        "wamp.error.invalid_argument",
    );
    assert_eq!(network.realm.stats().pending_calls, 0);
}
