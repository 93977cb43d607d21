//! Registering, and which callee of a registration gets a call.

use serde_json::json;

use crate::simulated::{Client, Network, assert_error};

#[test]
fn check_40_a_procedure_is_registered_once() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    network.register(alice, "a.b", json!({}));
    for client in [alice, bob] {
        network.send(client, json!([64, 1, {}, "a.b"]));
        let error = network.receive(client);
        assert_error(&error, 64, 1, "wamp.error.procedure_already_exists");
        assert!(error[5][0].is_string());
    }
    // As soon as it is free, another may have it.
    network.leave(alice);
    network.register(bob, "a.b", json!({}));
}

#[test]
fn check_41_unregistering_what_is_not_held_is_refused() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    let registration = network.register(alice, "a.b", json!({}));
    for (client, id) in [(bob, registration), (alice, registration + 1)] {
        network.send(client, json!([66, 1, id]));
        assert_error(
            &network.receive(client),
            66,
            1,
            "wamp.error.no_such_registration",
        );
    }
    network.send(alice, json!([66, 2, registration]));
    assert_eq!(network.receive(alice), json!([67, 2]));
    network.send(alice, json!([66, 3, registration]));
    assert_error(
        &network.receive(alice),
        66,
        3,
        "wamp.error.no_such_registration",
    );
    network.send(bob, json!([48, 2, {}, "a.b"]));
    assert_error(&network.receive(bob), 48, 2, "wamp.error.no_such_procedure");
}

#[test]
fn a_call_on_its_way_outlives_its_registration() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    let registration = network.register(callee, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", callee);
    network.send(callee, json!([66, 1, registration]));
    network.received(callee);
    network.send(callee, json!([70, invocation, {}, ["still there"]]));
    assert_eq!(network.receive(caller), json!([50, 1, {}, ["still there"]]));
}

#[test]
fn check_45_registered_comes_before_the_first_invocation() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.send(callee, json!([64, 1, {}, "a.b"]));
    network.send(caller, json!([48, 1, {}, "a.b"]));
    let received = network.received(callee);
    assert_eq!((&received[0][0], &received[1][0]), (&json!(65), &json!(68)));
}

#[test]
fn check_66_another_callee_needs_the_same_shared_policy() {
    let policies = ["single", "roundrobin", "random", "first", "last"];
    for first in policies {
        for second in policies {
            let mut network = Network::new();
            let (alice, bob) = (network.join(), network.join());
            let registration = network.register(alice, "a.b", json!({"invoke": first}));
            network.send(bob, json!([64, 1, {"invoke": second}, "a.b"]));
            let answer = network.receive(bob);
            if first == second && first != "single" {
                assert_eq!(answer, json!([65, 1, registration]));
            } else {
                assert_error(&answer, 64, 1, "wamp.error.procedure_already_exists");
            }
        }
    }
}

#[test]
fn check_66_the_policy_is_free_again_when_the_last_callee_has_left() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    network.register(alice, "a.b", json!({"invoke": "last"}));
    network.leave(alice);
    network.register(bob, "a.b", json!({"invoke": "first"}));
}

#[test]
fn a_session_joins_a_shared_registration_only_once() {
    let mut network = Network::new();
    let client = network.join();
    network.register(client, "a.b", json!({"invoke": "roundrobin"}));
    network.send(client, json!([64, 1, {"invoke": "roundrobin"}, "a.b"]));
    assert_error(
        &network.receive(client),
        64,
        1,
        "wamp.error.procedure_already_exists",
    );
}

/// Three callees that share `a.b`, and a caller.
fn shared(invoke: &str) -> (Network, [Client; 3], Client) {
    let mut network = Network::new();
    let callees = [network.join(), network.join(), network.join()];
    for callee in callees {
        network.register(callee, "a.b", json!({"invoke": invoke}));
    }
    let caller = network.join();
    (network, callees, caller)
}

/// Calls `times` times: which callee, by its number, got each call.
fn order(network: &mut Network, callees: &[Client], caller: Client, times: u64) -> Vec<usize> {
    let mut order = Vec::new();
    for _ in 0..times {
        network.send(caller, json!([48, 1, {}, "a.b"]));
        for (number, &callee) in callees.iter().enumerate() {
            for invocation in network.received(callee) {
                order.push(number);
                network.send(callee, json!([70, invocation[1], {}]));
            }
        }
        assert_eq!(network.receive(caller), json!([50, 1, {}]));
    }
    order
}

#[test]
fn check_67_roundrobin_takes_turns() {
    let (mut network, callees, caller) = shared("roundrobin");
    assert_eq!(
        order(&mut network, &callees, caller, 7),
        [0, 1, 2, 0, 1, 2, 0]
    );
    // Who leaves is left out, and the others keep their turns.
    network.leave(callees[0]);
    assert_eq!(order(&mut network, &callees[1..], caller, 4), [0, 1, 0, 1]);
    network.leave(callees[2]);
    assert_eq!(order(&mut network, &callees[1..2], caller, 2), [0, 0]);
}

#[test]
fn check_67_first_and_last_stay_with_one_callee() {
    let (mut network, callees, caller) = shared("first");
    assert_eq!(order(&mut network, &callees, caller, 3), [0, 0, 0]);
    network.leave(callees[0]);
    assert_eq!(order(&mut network, &callees[1..], caller, 2), [0, 0]);
    let (mut network, callees, caller) = shared("last");
    assert_eq!(order(&mut network, &callees, caller, 3), [2, 2, 2]);
    network.leave(callees[2]);
    assert_eq!(order(&mut network, &callees[..2], caller, 2), [1, 1]);
}

#[test]
fn check_67_random_reaches_every_callee() {
    let (mut network, callees, caller) = shared("random");
    let order = order(&mut network, &callees, caller, 100);
    for number in 0..3 {
        let calls = order.iter().filter(|&&callee| callee == number).count();
        assert!(
            (15..60).contains(&calls),
            "callee {number} got {calls} of 100 calls"
        );
    }
}

#[test]
fn check_75_nothing_is_revoked_unasked() {
    // Killing another session's callee ends its registration without UNREGISTERED to anybody.
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    network.register(alice, "a.b", json!({"invoke": "first"}));
    network.register(bob, "a.b", json!({"invoke": "first"}));
    network.leave(alice);
    assert_eq!(network.received(bob), [json!(null); 0]);
}
