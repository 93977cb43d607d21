//! The switches that serve clients with habits: `silent_cancel`, for those that take ERROR after
//! CANCEL for a mistake, and `progress_without_canceling`.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, FeatureSet, Role, Roles};
use wampy_realm::RealmConfig;

use crate::simulated::{Client, Network, all_features, assert_error, features_without};

const NOTHING: [Json; 0] = [];

/// What wampy 1.1.0 announces: `call_timeout` in every role and nothing about canceling.
fn wampy_1_1_0() -> Roles {
    let mut features = FeatureSet::EMPTY;
    features.insert(Feature::CallTimeout);
    let mut roles = Roles::default();
    for role in Role::CLIENT {
        roles.set(role, features);
    }
    roles
}

/// A network with the switch, a callee of `a.b` and a caller.
fn lenient(caller: Roles) -> (Network, Client, Client) {
    let config = RealmConfig {
        silent_cancel: true,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join(), network.join_with(caller));
    network.register(callee, "a.b", json!({}));
    (network, callee, caller)
}

#[test]
fn a_canceled_call_ends_without_an_error() {
    for options in [
        json!({}),
        json!({"mode": "skip"}),
        json!({"mode": "killnowait"}),
    ] {
        let (mut network, callee, caller) = lenient(wampy_1_1_0());
        network.invoke(caller, 1, json!({}), "a.b", callee);
        network.send(caller, json!([49, 1, options]));
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.realm.stats().pending_calls, 0);
    }
}

#[test]
fn a_call_that_times_out_ends_without_an_error() {
    let (mut network, callee, caller) = lenient(wampy_1_1_0());
    let (_, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    assert_eq!(
        details,
        json!({"timeout": 100}),
        "the callee is told the limit"
    );
    network.pass(100);
    assert_eq!(network.received(caller), NOTHING);
    assert_eq!(network.receive(callee)[0], 69);
    assert_eq!(network.realm.stats().pending_calls, 0);
}

#[test]
fn a_callee_that_leaves_is_still_reported() {
    let (mut network, callee, caller) = lenient(wampy_1_1_0());
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.leave(callee);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
}

#[test]
fn other_clients_are_answered_as_the_specification_says() {
    let mut one_role_cancels = wampy_1_1_0();
    let mut features = one_role_cancels.get(Role::Caller).unwrap();
    features.insert(Feature::CallCanceling);
    one_role_cancels.set(Role::Caller, features);
    let mut one_role_lacks_timeout = wampy_1_1_0();
    one_role_lacks_timeout.set(Role::Subscriber, FeatureSet::EMPTY);
    for roles in [all_features(), one_role_cancels, one_role_lacks_timeout] {
        let (mut network, callee, caller) = lenient(roles);
        let (_, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
        assert_eq!(details, json!({}));
        network.send(caller, json!([49, 1, {}]));
        assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    }
}

#[test]
fn the_switch_is_off_by_default() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join_with(wampy_1_1_0()));
    network.register(callee, "a.b", json!({}));
    let (_, details) = network.invoke(caller, 1, json!({"timeout": 100}), "a.b", callee);
    assert_eq!(details, json!({}));
    network.pass(100);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
}

#[test]
fn a_callee_that_cannot_be_stopped_may_be_asked_for_progress() {
    let config = RealmConfig {
        progress_without_canceling: true,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let roles = features_without(&[Feature::CallCanceling]);
    let (callee, caller) = (network.join_with(roles), network.join());
    network.register(callee, "a.b", json!({}));
    let options = json!({"receive_progress": true});
    let (id, details) = network.invoke(caller, 1, options, "a.b", callee);
    assert_eq!(details, json!({"receive_progress": true}));
    network.send(callee, json!([70, id, {"progress": true}, [1]]));
    assert_eq!(
        network.receive(caller),
        json!([50, 1, {"progress": true}, [1]])
    );
}
