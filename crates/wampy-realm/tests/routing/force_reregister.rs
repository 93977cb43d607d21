//! Callees that come back and take their procedures over.

use serde_json::{Value as Json, json};
use wampy_proto::Feature;
use wampy_realm::{ForceReregister, RealmConfig};

use crate::simulated::{Network, assert_error, every_feature, features_without};

const NOTHING: [Json; 0] = [];

fn forced() -> Json {
    json!({"force_reregister": true})
}

#[test]
fn a_callee_that_comes_back_takes_over() {
    let mut network = Network::new();
    let (ghost, caller) = (network.join_capable(), network.join());
    let watcher = network.join();
    let old = network.register(ghost, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", ghost);
    let prefix = json!({"match": "prefix"});
    network.subscribe(watcher, "wamp.registration", prefix);
    let back = network.join_capable();
    let new = network.register(back, "a.b", forced());
    assert_ne!(old, new);
    let revoked = network.receive(ghost);
    assert_eq!((&revoked[0], &revoked[1]), (&json!(67), &json!(0)));
    assert_eq!(revoked[2]["registration"], old);
    assert!(revoked[2]["reason"].is_string());
    let heard: Vec<_> = network
        .received(watcher)
        .iter()
        .map(|event| (event[3]["topic"].clone(), event[4][0].clone()))
        .collect();
    let (ghost_id, back_id) = (network.id(ghost), network.id(back));
    let expected = [
        (json!("wamp.registration.on_unregister"), json!(ghost_id)),
        (json!("wamp.registration.on_delete"), json!(ghost_id)),
        (json!("wamp.registration.on_create"), json!(back_id)),
        (json!("wamp.registration.on_register"), json!(back_id)),
    ];
    assert_eq!(heard, expected);
    network.invoke(caller, 2, json!({}), "a.b", back);
    // The ghost may still answer what it was asked, and has nothing to unregister.
    network.send(ghost, json!([70, invocation, {}, ["late"]]));
    assert_eq!(network.receive(caller), json!([50, 1, {}, ["late"]]));
    network.send(ghost, json!([66, 1, old]));
    assert_error(
        &network.receive(ghost),
        66,
        1,
        "wamp.error.no_such_registration",
    );
    network.leave(ghost);
    network.invoke(caller, 3, json!({}), "a.b", back);
}

#[test]
fn nobody_is_ousted_where_nobody_has_registered() {
    let mut network = Network::new();
    let callee = network.join();
    network.register(callee, "a.b", forced());
    // A session may take over from itself, to change the options.
    let options = json!({"force_reregister": true, "invoke": "first"});
    network.register(callee, "a.b", options);
    let other = network.join();
    network.register(other, "a.b", json!({"invoke": "first"}));
    assert_eq!(network.realm.stats().registrations, 1);
}

#[test]
fn all_callees_of_a_shared_registration_lose_it() {
    let mut network = Network::new();
    let roles = features_without(&[Feature::RegistrationRevocation]);
    let olds = [network.join_capable(), network.join_with(roles)];
    for callee in olds {
        network.register(callee, "a.b", json!({"invoke": "roundrobin"}));
    }
    let new = network.join_capable();
    network.register(new, "a.b", forced());
    assert_eq!(network.receive(olds[0])[0], 67);
    assert_eq!(network.received(olds[1]), NOTHING, "it did not announce it");
    for request in 1..=3 {
        network.invoke(olds[0], request, json!({}), "a.b", new);
    }
    // The policy is the new one: single.
    network.send(olds[0], json!([64, 9, {"invoke": "roundrobin"}, "a.b"]));
    let error = network.receive(olds[0]);
    assert_error(&error, 64, 9, "wamp.error.procedure_already_exists");
}

#[test]
fn only_the_same_authid_may_take_over() {
    let mut network = Network::new();
    let ann = network.join_as("ann", "member", every_feature());
    let joe = network.join_as("joe", "member", every_feature());
    network.register(ann, "a.b", json!({}));
    network.send(joe, json!([64, 1, forced(), "a.b"]));
    assert_error(&network.receive(joe), 64, 1, "wamp.error.not_authorized");
    assert_eq!(network.received(ann), NOTHING);
    network.invoke(joe, 2, json!({}), "a.b", ann);
    let back = network.join_as("ann", "another role", every_feature());
    network.register(back, "a.b", forced());
    assert_eq!(network.receive(ann)[0], 67);
}

#[test]
fn everybody_may_take_over_where_that_is_allowed() {
    let config = RealmConfig {
        force_reregister: ForceReregister::Everybody,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let ann = network.join_as("ann", "member", every_feature());
    let joe = network.join_as("joe", "member", every_feature());
    network.register(ann, "a.b", json!({}));
    network.register(joe, "a.b", forced());
    assert_eq!(network.receive(ann)[0], 67);
}

#[test]
fn nobody_may_take_over_where_that_is_denied() {
    let config = RealmConfig {
        force_reregister: ForceReregister::Denied,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (ghost, back) = (network.join_capable(), network.join_capable());
    network.register(ghost, "a.b", json!({}));
    network.send(back, json!([64, 1, forced(), "a.b"]));
    assert_error(
        &network.receive(back),
        64,
        1,
        "wamp.error.option_not_allowed",
    );
    assert_eq!(network.received(ghost), NOTHING);
}

#[test]
fn calls_that_waited_for_the_ghost_go_to_the_callee_that_comes_back() {
    let mut network = Network::new();
    let (ghost, caller) = (network.join_capable(), network.join());
    network.register(ghost, "a.b", json!({"concurrency": 1}));
    for request in 1..=3 {
        network.send(caller, json!([48, request, {}, "a.b", [request]]));
    }
    assert_eq!(network.received(ghost).len(), 1);
    let back = network.join_capable();
    let options = json!({"force_reregister": true, "concurrency": 1});
    network.send(back, json!([64, 1, options, "a.b"]));
    let received = network.received(back);
    assert_eq!((&received[0][0], &received[1][0]), (&json!(65), &json!(68)));
    assert_eq!(received[1][4], json!([2]));
    network.send(back, json!([70, 1, {}]));
    assert_eq!(network.receive(back)[4], json!([3]));
    network.leave(ghost);
    let received = network.received(caller);
    assert_eq!(received[0], json!([50, 2, {}]));
    assert_error(&received[1], 48, 1, "wamp.error.canceled");
}
