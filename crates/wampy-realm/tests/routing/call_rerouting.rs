//! Calls whose callee is unavailable.

use serde_json::{Value as Json, json};
use wampy_proto::Feature;
use wampy_realm::RealmConfig;

use crate::simulated::{Client, Network, assert_error, features_without};

const NOTHING: [Json; 0] = [];
const UNAVAILABLE: &str = "wamp.error.unavailable";
const NO_AVAILABLE_CALLEE: &str = "wamp.error.no_available_callee";

/// Four callees that share `a.b`, and a caller.
fn shared(config: RealmConfig, invoke: &str) -> (Network, [Client; 4], Client) {
    let mut network = Network::with(config);
    let callees = [(); 4].map(|()| network.join_capable());
    for callee in callees {
        network.register(callee, "a.b", json!({"invoke": invoke}));
    }
    let caller = network.join_capable();
    (network, callees, caller)
}

/// Which callee, by its number, has received an invocation, and its id.
#[track_caller]
fn invoked(network: &mut Network, callees: &[Client]) -> Option<(usize, u64)> {
    let mut invoked = None;
    for (number, &callee) in callees.iter().enumerate() {
        for invocation in network.received(callee) {
            assert_eq!(invocation[0], 68, "{invocation}");
            let id = invocation[1].as_u64().unwrap();
            assert_eq!(invoked.replace((number, id)), None, "one invocation");
        }
    }
    invoked
}

fn refuse(network: &mut Network, callee: Client, invocation: u64) {
    let error = json!([8, 68, invocation, {}, UNAVAILABLE, ["busy"]]);
    network.send(callee, error);
}

/// Calls; the callees are unavailable one after the other: in which order they were asked.
fn order(network: &mut Network, callees: &[Client], caller: Client, request: u64) -> Vec<usize> {
    network.send(caller, json!([48, request, {}, "a.b", ["text"]]));
    let mut order = Vec::new();
    while let Some((number, id)) = invoked(network, callees) {
        order.push(number);
        refuse(network, callees[number], id);
    }
    assert_error(&network.receive(caller), 48, request, NO_AVAILABLE_CALLEE);
    order
}

#[test]
fn check_68_the_next_callee_gets_the_call_as_the_policy_says() {
    for (invoke, expected) in [
        ("first", [0, 1, 2, 3]),
        ("last", [3, 2, 1, 0]),
        ("roundrobin", [0, 1, 2, 3]),
    ] {
        let (mut network, callees, caller) = shared(RealmConfig::default(), invoke);
        let asked = order(&mut network, &callees, caller, 1);
        assert_eq!(asked, expected, "{invoke}");
        assert_eq!(network.realm.stats().kept_call_bytes, 0);
    }
}

#[test]
fn check_68_random_asks_each_callee_once() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "random");
    let mut orders = Vec::new();
    for request in 1..=20 {
        let mut asked = order(&mut network, &callees, caller, request);
        orders.push(asked.clone());
        asked.sort_unstable();
        assert_eq!(asked, [0, 1, 2, 3]);
    }
    orders.sort_unstable();
    orders.dedup();
    assert!(orders.len() > 5, "{orders:?}");
}

#[test]
fn check_68_a_single_callee_that_is_unavailable_ends_the_call() {
    let mut network = Network::new();
    let (callee, caller) = (network.join_capable(), network.join());
    for (procedure, options) in [("a.b", json!({})), ("a.c", json!({"invoke": "first"}))] {
        network.register(callee, procedure, options);
        let (id, _) = network.invoke(caller, 1, json!({}), procedure, callee);
        refuse(&mut network, callee, id);
        assert_error(&network.receive(caller), 48, 1, NO_AVAILABLE_CALLEE);
    }
}

#[test]
fn a_call_that_was_rerouted_is_the_same_call() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    let options = json!({"disclose_me": true, "receive_progress": true});
    let args = json!(["text", [1, 2.5, null]]);
    network.send(caller, json!([48, 1, options, "a.b", args, {"key": {}}]));
    let first = network.receive(callees[0]);
    refuse(&mut network, callees[0], 1);
    let second = network.receive(callees[1]);
    assert_eq!(first, second);
    assert_eq!(second[3]["caller"], network.id(caller));
    // What the first callee still says counts for nothing.
    network.send(callees[0], json!([70, 1, {}, ["late"]]));
    assert_eq!(network.received(caller), NOTHING);
    network.send(callees[1], json!([70, 1, {}, ["done"]]));
    assert_eq!(network.receive(caller), json!([50, 1, {}, ["done"]]));
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
}

#[test]
fn a_call_by_pattern_is_rerouted_with_its_procedure() {
    let mut network = Network::new();
    let (one, other, caller) = (
        network.join_capable(),
        network.join_capable(),
        network.join(),
    );
    for callee in [one, other] {
        let options = json!({"match": "prefix", "invoke": "roundrobin"});
        network.register(callee, "a", options);
    }
    let (id, _) = network.invoke(caller, 1, json!({}), "a.b.c", one);
    refuse(&mut network, one, id);
    assert_eq!(network.receive(other)[3], json!({"procedure": "a.b.c"}));
}

#[test]
fn the_error_of_a_callee_that_did_not_announce_it_goes_to_the_caller() {
    let mut network = Network::new();
    let roles = features_without(&[Feature::CallReroute]);
    let callees = [network.join_with(roles), network.join_capable()];
    for callee in callees {
        network.register(callee, "a.b", json!({"invoke": "first"}));
    }
    let caller = network.join();
    let (id, _) = network.invoke(caller, 1, json!({}), "a.b", callees[0]);
    refuse(&mut network, callees[0], id);
    let expected = json!([8, 48, 1, {}, UNAVAILABLE, ["busy"]]);
    assert_eq!(network.receive(caller), expected);
    assert_eq!(network.received(callees[1]), NOTHING);
}

#[test]
fn who_has_come_meanwhile_may_get_the_call_and_who_left_may_not() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    let (id, _) = network.invoke(caller, 1, json!({}), "a.b", callees[0]);
    for callee in &callees[1..] {
        network.leave(*callee);
    }
    let late = network.join_capable();
    network.register(late, "a.b", json!({"invoke": "first"}));
    refuse(&mut network, callees[0], id);
    assert_eq!(network.receive(late)[0], 68);
    refuse(&mut network, late, 1);
    assert_error(&network.receive(caller), 48, 1, NO_AVAILABLE_CALLEE);
}

#[test]
fn a_registration_that_has_gone_has_no_available_callee() {
    let mut network = Network::new();
    let callees = [network.join_capable(), network.join_capable()];
    let caller = network.join();
    let mut registration = 0;
    for callee in callees {
        registration = network.register(callee, "a.b", json!({"invoke": "first"}));
    }
    let (id, _) = network.invoke(caller, 1, json!({}), "a.b", callees[0]);
    for callee in callees {
        network.send(callee, json!([66, 1, registration]));
    }
    refuse(&mut network, callees[0], id);
    assert_error(&network.receive(caller), 48, 1, NO_AVAILABLE_CALLEE);
}

#[test]
fn the_time_limit_of_a_call_runs_on_while_it_is_rerouted() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callees[0]);
    network.pass(60);
    refuse(&mut network, callees[0], 1);
    assert_eq!(network.receive(callees[1])[0], 68);
    network.pass(39);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    // The callee that has the call is interrupted, the first is left alone.
    assert_eq!(network.receive(callees[1])[0], 69);
    assert_eq!(network.received(callees[0]), NOTHING);
}

#[test]
fn whoever_gets_a_rerouted_call_minds_its_time_as_it_registered() {
    let mut network = Network::new();
    let (callees, caller) = ([(); 3].map(|()| network.join_capable()), network.join());
    for (callee, forward) in callees.into_iter().zip([true, false, true]) {
        let options = json!({"invoke": "first", "forward_timeout": forward});
        network.register(callee, "a.b", options);
    }
    network.send(caller, json!([48, 1, {"timeout": 100}, "a.b"]));
    network.send(caller, json!([48, 2, {"timeout": 100}, "a.b"]));
    let received = network.received(callees[0]);
    assert_eq!(received[0][3], json!({"timeout": 100}));
    network.pass(40);
    for invocation in [1, 2] {
        refuse(&mut network, callees[0], invocation);
    }
    let received = network.received(callees[1]);
    assert_eq!(received[0][3], json!({}), "the dealer minds the time now");
    network.pass(20);
    refuse(&mut network, callees[1], 2);
    assert_eq!(network.receive(callees[2])[3], json!({"timeout": 40}));
    network.pass(40);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    network.pass(1000);
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn a_call_in_parts_is_not_rerouted() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    network.invoke(caller, 1, json!({"progress": true}), "a.b", callees[0]);
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
    refuse(&mut network, callees[0], 1);
    assert_error(&network.receive(caller), 48, 1, UNAVAILABLE);
    assert_eq!(network.received(callees[1]), NOTHING);
}

#[test]
fn parts_of_a_result_forbid_rerouting() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    let options = json!({"receive_progress": true});
    network.invoke(caller, 1, options, "a.b", callees[0]);
    assert!(network.realm.stats().kept_call_bytes > 0);
    network.send(callees[0], json!([70, 1, {"progress": true}, ["part"]]));
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
    refuse(&mut network, callees[0], 1);
    let received = network.received(caller);
    assert_eq!(received[0], json!([50, 1, {"progress": true}, ["part"]]));
    assert_eq!(received[1], json!([8, 48, 1, {}, UNAVAILABLE, ["busy"]]));
    assert_eq!(network.received(callees[1]), NOTHING);
}

#[test]
fn a_call_that_was_killed_is_not_rerouted() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    network.invoke(caller, 1, json!({}), "a.b", callees[0]);
    network.send(caller, json!([49, 1, {"mode": "kill"}]));
    assert_eq!(network.receive(callees[0])[0], 69);
    refuse(&mut network, callees[0], 1);
    assert_error(&network.receive(caller), 48, 1, UNAVAILABLE);
    assert_eq!(network.received(callees[1]), NOTHING);
}

#[test]
fn rerouted_call_bytes_max() {
    let config = RealmConfig {
        rerouted_call_bytes_max: 1000,
        ..RealmConfig::default()
    };
    let (mut network, callees, caller) = shared(config, "first");
    let large = "x".repeat(1000);
    network.send(caller, json!([48, 1, {}, "a.b", [large]]));
    network.received(callees[0]);
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
    refuse(&mut network, callees[0], 1);
    assert_error(&network.receive(caller), 48, 1, UNAVAILABLE);
    network.send(caller, json!([48, 2, {}, "a.b", ["small"]]));
    refuse(&mut network, callees[0], 2);
    assert_eq!(network.receive(callees[1])[0], 68);
}

#[test]
fn kept_call_bytes_max() {
    let config = RealmConfig {
        kept_call_bytes_max: 1000,
        ..RealmConfig::default()
    };
    let (mut network, callees, caller) = shared(config, "first");
    for request in 1..=2 {
        let args = json!(["x".repeat(400)]);
        network.send(caller, json!([48, request, {}, "a.b", args]));
    }
    network.received(callees[0]);
    let kept = network.realm.stats().kept_call_bytes;
    assert!((400..1000).contains(&kept), "{kept}");
    // There was no room for the second.
    refuse(&mut network, callees[0], 2);
    assert_error(&network.receive(caller), 48, 2, UNAVAILABLE);
    refuse(&mut network, callees[0], 1);
    assert_eq!(network.receive(callees[1])[0], 68);
    // The room is free again when the call ends.
    network.send(callees[1], json!([70, 1, {}]));
    network.received(caller);
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
}

#[test]
fn a_callee_that_leaves_does_not_reroute() {
    let (mut network, callees, caller) = shared(RealmConfig::default(), "first");
    network.invoke(caller, 1, json!({}), "a.b", callees[0]);
    network.leave(callees[0]);
    // It may have begun the work: another callee must not do it twice.
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    assert_eq!(network.received(callees[1]), NOTHING);
}
