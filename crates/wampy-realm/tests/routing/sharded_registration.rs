//! Calls of one partition.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use wampy_proto::Feature;

use crate::simulated::{Client, Network, assert_error, every_feature, features_without};

/// Callees of `a.b` with these partitions, and a caller.
fn shards(nkeys: &[&str]) -> (Network, Vec<Client>, Client) {
    let mut network = Network::new();
    let callees = nkeys
        .iter()
        .map(|nkey| {
            let callee = network.join_capable();
            let options = json!({"invoke": "roundrobin", "nkey": nkey});
            network.register(callee, "a.b", options);
            callee
        })
        .collect();
    let caller = network.join_capable();
    (network, callees, caller)
}

/// Calls with this key: which callee, by its number, gets the call.
fn owner(network: &mut Network, callees: &[Client], caller: Client, rkey: &str) -> usize {
    let options = json!({"runmode": "partition", "rkey": rkey});
    network.send(caller, json!([48, 1, options, "a.b"]));
    let mut owner = None;
    for (number, &callee) in callees.iter().enumerate() {
        for invocation in network.received(callee) {
            assert_eq!(owner.replace(number), None, "one call, one invocation");
            network.send(callee, json!([70, invocation[1], {}]));
        }
    }
    assert_eq!(network.receive(caller), json!([50, 1, {}]));
    owner.unwrap()
}

#[test]
fn the_calls_of_a_key_go_to_one_callee() {
    let (mut network, callees, caller) = shards(&["n1", "n2", "n3"]);
    let mut counts = [0; 3];
    for number in 0..300 {
        let rkey = format!("sn{number}");
        let first = owner(&mut network, &callees, caller, &rkey);
        counts[first] += 1;
        assert_eq!(owner(&mut network, &callees, caller, &rkey), first);
    }
    assert!(
        counts.iter().all(|count| (60..140).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn another_router_and_another_order_give_the_same_callee() {
    let (mut one, one_callees, one_caller) = shards(&["n1", "n2", "n3"]);
    let (mut other, other_callees, other_caller) = shards(&["n3", "n1", "n2"]);
    for number in 0..100 {
        let rkey = format!("sn{number}");
        let owner_of_one = owner(&mut one, &one_callees, one_caller, &rkey);
        let owner_of_other = owner(&mut other, &other_callees, other_caller, &rkey);
        assert_eq!(owner_of_one, (owner_of_other + 2) % 3);
    }
    // What a key belongs to must not change from version to version.
    let nodes = ["sn0", "sn1", "sn2", "sn3", "sn4", "sn5", "sn6", "sn7"]
        .map(|rkey| owner(&mut one, &one_callees, one_caller, rkey));
    assert_eq!(nodes, [0, 1, 0, 2, 2, 0, 1, 2]);
}

#[test]
fn only_the_keys_of_a_callee_that_goes_or_comes_move() {
    let (mut network, mut callees, caller) = shards(&["n1", "n2", "n3", "n4"]);
    let keys: Vec<String> = (0..200).map(|number| format!("sn{number}")).collect();
    let owners = |network: &mut Network, callees: &[Client]| -> HashMap<String, Client> {
        let owner = |key: &String| callees[owner(network, callees, caller, key)];
        keys.iter().cloned().zip(keys.iter().map(owner)).collect()
    };
    let before = owners(&mut network, &callees);
    let gone = callees.remove(1);
    network.leave(gone);
    let without = owners(&mut network, &callees);
    for key in &keys {
        assert!(before[key] == without[key] || before[key] == gone);
    }
    // It comes back as another session and gets the same keys.
    let back = network.join_capable();
    let options = json!({"invoke": "roundrobin", "nkey": "n2"});
    network.register(back, "a.b", options);
    callees.push(back);
    let after = owners(&mut network, &callees);
    for key in &keys {
        assert_eq!(after[key] == back, before[key] == gone);
        assert!(after[key] == back || after[key] == before[key]);
    }
}

#[test]
fn a_partition_is_called_by_the_authid_where_it_has_no_name() {
    let mut network = Network::new();
    let mut callees = Vec::new();
    for authid in ["n1", "n2", "n3"] {
        let callee = network.join_as(authid, "worker", every_feature());
        network.register(callee, "a.b", json!({"invoke": "random"}));
        callees.push(callee);
    }
    let caller = network.join();
    let (mut named, named_callees, named_caller) = shards(&["n1", "n2", "n3"]);
    for number in 0..50 {
        let rkey = format!("sn{number}");
        assert_eq!(
            owner(&mut network, &callees, caller, &rkey),
            owner(&mut named, &named_callees, named_caller, &rkey),
        );
    }
}

#[test]
fn callees_of_one_name_share_its_keys() {
    let (mut network, callees, caller) = shards(&["n1", "n1", "n2"]);
    let mut counts = [0; 3];
    for number in 0..400 {
        let rkey = format!("sn{number}");
        counts[owner(&mut network, &callees, caller, &rkey)] += 1;
    }
    assert!((150..250).contains(&counts[2]), "{counts:?}");
    assert!(counts.iter().all(|&count| count > 60), "{counts:?}");
}

#[test]
fn a_partition_needs_its_key() {
    let (mut network, callees, caller) = shards(&["n1"]);
    for (options, error) in [
        (
            json!({"runmode": "partition"}),
            "wamp.error.invalid_argument",
        ),
        (json!({"runmode": "all"}), "wamp.error.option_not_allowed"),
        (
            json!({"runmode": "all", "rkey": "sn1"}),
            "wamp.error.option_not_allowed",
        ),
    ] {
        network.send(caller, json!([48, 1, options, "a.b"]));
        assert_error(&network.receive(caller), 48, 1, error);
    }
    // A key alone says nothing.
    network.invoke(caller, 1, json!({"rkey": "sn1"}), "a.b", callees[0]);
}

#[test]
fn a_partition_whose_callee_lacks_a_feature_cannot_be_called_with_it() {
    let mut network = Network::new();
    let roles = [
        every_feature(),
        features_without(&[Feature::PayloadPassthruMode]),
    ];
    let callees = roles.map(|roles| network.join_with(roles));
    for (callee, nkey) in callees.into_iter().zip(["n1", "n2"]) {
        let options = json!({"invoke": "roundrobin", "nkey": nkey});
        network.register(callee, "a.b", options);
    }
    let caller = network.join_capable();
    let mut refused = 0;
    for request in 1..=20 {
        let options = json!({
            "runmode": "partition", "rkey": request.to_string(), "ppt_scheme": "x_a",
        });
        network.send(caller, json!([48, request, options, "a.b"]));
        if network.received(callees[0]).is_empty() {
            let error = network.receive(caller);
            assert_error(&error, 48, request, "wamp.error.feature_not_supported");
            refused += 1;
        }
        assert_eq!(network.received(callees[1]), [Json::Null; 0]);
    }
    assert!((1..20).contains(&refused), "{refused}");
}

#[test]
fn the_callee_of_a_partition_has_no_substitute() {
    let (mut network, callees, caller) = shards(&["n1", "n2"]);
    let options = json!({"runmode": "partition", "rkey": "sn1"});
    let number = owner(&mut network, &callees, caller, "sn1");
    let (invocation, _) = network.invoke(caller, 2, options, "a.b", callees[number]);
    let unavailable = json!([8, 68, invocation, {}, "wamp.error.unavailable"]);
    network.send(callees[number], unavailable);
    assert_error(
        &network.receive(caller),
        48,
        2,
        "wamp.error.no_available_callee",
    );
    assert_eq!(network.received(callees[1 - number]), [Json::Null; 0]);
}
