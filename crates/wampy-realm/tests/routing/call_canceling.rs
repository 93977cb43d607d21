//! CANCEL and INTERRUPT.

use serde_json::{Value as Json, json};
use wampy_proto::Feature;

use crate::simulated::{Client, Network, assert_error, features_without};

/// A call of `a.b` on its way: the network, its callee and its caller.
fn pending() -> (Network, Client, Client) {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 7, json!({}), "a.b", callee);
    (network, callee, caller)
}

const NOTHING: [Json; 0] = [];

#[test]
fn check_48_skip_leaves_the_callee_alone() {
    let (mut network, callee, caller) = pending();
    network.send(caller, json!([49, 7, {"mode": "skip"}]));
    assert_error(&network.receive(caller), 48, 7, "wamp.error.canceled");
    assert_eq!(network.received(callee), NOTHING);
    network.send(callee, json!([70, 1, {}, ["late"]]));
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn check_49_kill_waits_for_the_callee() {
    for (answer, expected) in [
        (json!([70, 1, {}, ["done"]]), json!([50, 7, {}, ["done"]])),
        (
            json!([8, 68, 1, {}, "wamp.error.canceled"]),
            json!([8, 48, 7, {}, "wamp.error.canceled"]),
        ),
    ] {
        let (mut network, callee, caller) = pending();
        network.send(caller, json!([49, 7, {"mode": "kill"}]));
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.receive(callee), json!([69, 1, {"mode": "kill"}]));
        network.send(callee, answer);
        assert_eq!(network.receive(caller), expected);
    }
}

#[test]
fn check_50_killnowait_does_both_at_once() {
    for options in [json!({"mode": "killnowait"}), json!({})] {
        let (mut network, callee, caller) = pending();
        network.send(caller, json!([49, 7, options]));
        assert_error(&network.receive(caller), 48, 7, "wamp.error.canceled");
        assert_eq!(
            network.receive(callee),
            json!([69, 1, {"mode": "killnowait"}])
        );
        network.send(callee, json!([8, 68, 1, {}, "wamp.error.canceled"]));
        assert_eq!(network.received(caller), NOTHING);
    }
}

#[test]
fn check_51_a_callee_without_the_feature_is_left_alone() {
    for mode in ["skip", "kill", "killnowait"] {
        let mut network = Network::new();
        let callee = network.join_with(features_without(&[Feature::CallCanceling]));
        let caller = network.join();
        network.register(callee, "a.b", json!({}));
        network.invoke(caller, 7, json!({}), "a.b", callee);
        network.send(caller, json!([49, 7, {"mode": mode}]));
        assert_error(&network.receive(caller), 48, 7, "wamp.error.canceled");
        assert_eq!(network.received(callee), NOTHING);
        network.send(callee, json!([70, 1, {}]));
        assert_eq!(network.received(caller), NOTHING);
    }
}

#[test]
fn canceling_what_is_over_or_was_never_called_is_ignored() {
    let (mut network, callee, caller) = pending();
    network.send(callee, json!([70, 1, {}]));
    network.received(caller);
    for request in [7, 8] {
        network.send(caller, json!([49, request, {}]));
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.received(callee), NOTHING);
    }
}

#[test]
fn canceling_another_sessions_call_is_ignored() {
    let (mut network, callee, caller) = pending();
    let stranger = network.join();
    network.send(stranger, json!([49, 7, {}]));
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(network.receive(caller), json!([50, 7, {}]));
}

#[test]
fn a_kill_can_be_hurried() {
    let (mut network, callee, caller) = pending();
    network.send(caller, json!([49, 7, {"mode": "kill"}]));
    network.send(caller, json!([49, 7, {"mode": "kill"}]));
    assert_eq!(network.receive(callee)[0], 69, "one INTERRUPT is enough");
    network.send(caller, json!([49, 7, {"mode": "killnowait"}]));
    assert_error(&network.receive(caller), 48, 7, "wamp.error.canceled");
    assert_eq!(network.received(callee), NOTHING);
    network.leave(caller);
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn a_killed_call_whose_caller_leaves_is_over() {
    let (mut network, callee, caller) = pending();
    network.send(caller, json!([49, 7, {"mode": "kill"}]));
    network.received(callee);
    network.leave(caller);
    assert_eq!(
        network.received(callee),
        NOTHING,
        "the callee knows already"
    );
    assert_eq!(network.realm.stats().pending_calls, 0);
}

#[test]
fn a_callee_that_leaves_after_kill_ends_the_call() {
    let (mut network, callee, caller) = pending();
    network.send(caller, json!([49, 7, {"mode": "kill"}]));
    network.leave(callee);
    assert_error(&network.receive(caller), 48, 7, "wamp.error.canceled");
}
