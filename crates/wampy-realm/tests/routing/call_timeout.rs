//! Time limits of calls, which the dealer keeps.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, FeatureSet, Role};
use wampy_realm::RealmConfig;

use crate::simulated::{Network, all_features, assert_error, features_with, features_without};

const NOTHING: [Json; 0] = [];

#[test]
fn check_54_without_a_limit_a_call_never_times_out() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.invoke(caller, 2, json!({"timeout": 0}), "a.b", callee);
    assert_eq!(network.realm.next_timeout_ms(), None);
    network.pass(u64::MAX / 2);
    assert_eq!(network.received(caller), NOTHING);
    assert_eq!(network.realm.stats().pending_calls, 2);
}

#[test]
fn check_55_a_call_that_takes_too_long_is_interrupted() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    network.pass(99);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    assert_eq!(
        network.receive(callee),
        json!([69, 1, {"mode": "killnowait"}])
    );
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn check_55_a_callee_that_takes_no_interrupt_gets_none() {
    let mut network = Network::new();
    let callee = network.join_with(features_without(&[Feature::CallCanceling]));
    let caller = network.join();
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    network.pass(100);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn a_call_answered_in_time_does_not_time_out() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (id, _) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    network.pass(99);
    network.send(callee, json!([70, id, {}]));
    assert_eq!(network.receive(caller)[0], 50);
    assert_eq!(network.realm.next_timeout_ms(), None);
    network.pass(100);
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn calls_time_out_in_the_order_of_their_deadlines() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    for (request, timeout) in [(1, 300), (2, 100), (3, 200), (4, 100)] {
        network.invoke(caller, request, json!({"timeout": timeout}), "a.b", callee);
    }
    assert_eq!(network.realm.stats().call_timers, 4);
    network.pass(1_000);
    let order: Vec<_> = network
        .received(caller)
        .iter()
        .map(|error| error[2].clone())
        .collect();
    assert_eq!(order, [2, 4, 3, 1]);
}

#[test]
fn check_56_the_limit_is_not_forwarded() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (_, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    assert_eq!(details, json!({}));
}

#[test]
fn check_56_the_limit_is_forwarded_to_a_callee_that_asks_for_it() {
    let mut network = Network::new();
    let callee = network.join_with(features_with(&[Feature::CallTimeout]));
    let caller = network.join();
    network.register(callee, "a.b", json!({"forward_timeout": true}));
    network.register(callee, "c.d", json!({"forward_timeout": false}));
    let (id, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    assert_eq!(details, json!({"timeout": 100}));
    assert_eq!(network.realm.next_timeout_ms(), None, "the callee minds it");
    network.pass(1_000);
    assert_eq!(network.received(caller), NOTHING);
    network.send(callee, json!([8, 68, id, {}, "wamp.error.timeout"]));
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    // Without a limit there is none to forward.
    let (_, details) = network.invoke(caller, 2, json!({}), "a.b", callee);
    assert_eq!(details, json!({}));
    // The other registration leaves it to the dealer.
    let (_, details) = network.invoke(caller, 3, json!({"timeout": 100}), "c.d", callee);
    assert_eq!(details, json!({}));
    network.pass(100);
    assert_error(&network.receive(caller), 48, 3, "wamp.error.timeout");
}

#[test]
fn check_56_a_callee_that_has_not_announced_time_limits_is_not_trusted_with_them() {
    let mut unannounced = all_features();
    unannounced.set(Role::Callee, FeatureSet::EMPTY);
    let mut network = Network::new();
    let (callee, caller) = (network.join_with(unannounced), network.join());
    network.register(callee, "a.b", json!({"forward_timeout": true}));
    let (_, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    assert_eq!(details, json!({}));
    network.pass(100);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
}

#[test]
fn check_56_each_callee_of_a_shared_registration_decides_for_itself() {
    let mut network = Network::new();
    let roles = features_with(&[Feature::CallTimeout]);
    let (minds, leaves) = (network.join_with(roles), network.join_with(roles));
    let caller = network.join();
    let shared = json!({"invoke": "roundrobin"});
    network.register(
        minds,
        "a.b",
        json!({"invoke": "roundrobin", "forward_timeout": true}),
    );
    network.register(leaves, "a.b", shared);
    let options = json!({"timeout": 100});
    let (_, details) = network.invoke(caller, 1, options.clone(), "a.b", minds);
    assert_eq!(details, options);
    let (_, details) = network.invoke(caller, 2, options, "a.b", leaves);
    assert_eq!(details, json!({}));
    network.pass(100);
    assert_error(&network.receive(caller), 48, 2, "wamp.error.timeout");
    assert_eq!(network.receive(leaves)[0], 69);
    assert_eq!(network.received(minds), NOTHING);
}

#[test]
fn check_57_each_progressive_result_restarts_the_time() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let options = json!({"timeout": 100, "receive_progress": true});
    let (id, _) = network.invoke(caller, 1, options, "a.b", callee);
    for _ in 0..5 {
        network.pass(90);
        network.send(callee, json!([70, id, {"progress": true}]));
        assert_eq!(network.receive(caller), json!([50, 1, {"progress": true}]));
    }
    network.pass(100);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    assert_eq!(network.receive(callee)[0], 69);
}

#[test]
fn a_killed_call_can_still_time_out() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    network.send(caller, json!([49, 1, {"mode": "kill"}]));
    assert_eq!(network.receive(callee)[0], 69);
    network.pass(100);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    assert_eq!(
        network.received(callee),
        NOTHING,
        "the callee was interrupted already"
    );
}

#[test]
fn endless_limits_are_cut() {
    let config = RealmConfig {
        call_timeout_ms_max: 500,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({"timeout": u64::MAX}), "a.b", callee);
    network.pass(499);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
}

#[test]
fn endless_limits_are_cut_before_they_are_forwarded() {
    let config = RealmConfig {
        call_timeout_ms_max: 500,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let callee = network.join_with(features_with(&[Feature::CallTimeout]));
    let caller = network.join();
    network.register(callee, "a.b", json!({"forward_timeout": true}));
    let (_, details) = network.invoke(caller, 1, json!({"timeout": 501}), "a.b", callee);
    assert_eq!(details, json!({"timeout": 500}));
}
