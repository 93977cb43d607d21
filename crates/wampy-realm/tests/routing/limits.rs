//! Every limit of a realm, reached.

use serde_json::{Value as Json, json};
use wampy_proto::uri::Grammar;
use wampy_realm::{JoinRefused, RealmConfig, WILDCARD_COMPONENTS_MAX};

use crate::simulated::{Network, all_features, assert_error};

#[track_caller]
fn assert_explained(error: &Json, request_type: u64, request: u64, uri: &str, why: &str) {
    assert_error(error, request_type, request, uri);
    let message = error[5][0].as_str().unwrap();
    assert!(message.contains(why), "{message}");
}

#[test]
fn sessions_max() {
    let mut network = Network::with(RealmConfig {
        sessions_max: 2,
        ..RealmConfig::default()
    });
    let alice = network.join();
    network.join();
    let refused = network.try_join("one", "more", all_features());
    assert_eq!(refused, Err(JoinRefused::TooManySessions));
    network.leave(alice);
    network.join();
}

#[test]
fn pending_calls_per_session_max() {
    let config = RealmConfig {
        pending_calls_per_session_max: 2,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller, other) = (network.join(), network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.invoke(caller, 2, json!({}), "a.b", callee);
    network.send(caller, json!([48, 3, {}, "a.b"]));
    let why = "2 pending calls";
    assert_explained(
        &network.receive(caller),
        48,
        3,
        "wamp.error.unavailable",
        why,
    );
    network.invoke(other, 1, json!({}), "a.b", callee);
    network.send(callee, json!([70, 1, {}]));
    network.received(caller);
    network.invoke(caller, 4, json!({}), "a.b", callee);
}

#[test]
fn pending_invocations_per_session_max() {
    let config = RealmConfig {
        pending_invocations_per_session_max: 1,
        ..RealmConfig::default()
    };
    for invoke in ["roundrobin", "random", "first", "last"] {
        let mut network = Network::with(config.clone());
        let (alice, bob, caller) = (network.join(), network.join(), network.join());
        for callee in [alice, bob] {
            network.register(callee, "a.b", json!({"invoke": invoke}));
        }
        // Two calls fill both callees, whatever the policy prefers.
        for request in [1, 2] {
            network.send(caller, json!([48, request, {}, "a.b"]));
        }
        assert_eq!(network.receive(alice)[0], 68, "{invoke}");
        assert_eq!(network.receive(bob)[0], 68, "{invoke}");
        network.send(caller, json!([48, 3, {}, "a.b"]));
        let error = network.receive(caller);
        assert_explained(
            &error,
            48,
            3,
            "wamp.error.no_available_callee",
            "1 invocations",
        );
        network.send(bob, json!([70, 1, {}]));
        network.received(caller);
        network.invoke(caller, 4, json!({}), "a.b", bob);
    }
}

#[test]
fn registrations_per_session_max() {
    let config = RealmConfig {
        registrations_per_session_max: 1,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (alice, bob) = (network.join(), network.join());
    let registration = network.register(alice, "a.b", json!({}));
    network.send(alice, json!([64, 1, {}, "a.c"]));
    let why = "1 registrations";
    assert_explained(
        &network.receive(alice),
        64,
        1,
        "wamp.error.not_authorized",
        why,
    );
    assert_eq!(network.realm.stats().registrations, 1);
    network.register(bob, "a.c", json!({}));
    network.send(alice, json!([66, 2, registration]));
    network.received(alice);
    network.register(alice, "a.d", json!({}));
}

#[test]
fn subscriptions_per_session_max() {
    let config = RealmConfig {
        subscriptions_per_session_max: 1,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (alice, bob) = (network.join(), network.join());
    let subscription = network.subscribe(alice, "a.b", json!({}));
    network.send(alice, json!([32, 1, {}, "a.c"]));
    let why = "1 subscriptions";
    assert_explained(
        &network.receive(alice),
        32,
        1,
        "wamp.error.not_authorized",
        why,
    );
    assert_eq!(network.realm.stats().subscriptions, 1);
    assert_eq!(
        network.subscribe(alice, "a.b", json!({})),
        subscription,
        "held already"
    );
    network.subscribe(bob, "a.c", json!({}));
    network.send(alice, json!([34, 2, subscription]));
    network.received(alice);
    network.subscribe(alice, "a.d", json!({}));
}

#[test]
fn uri_bytes_max() {
    let mut network = Network::with(RealmConfig {
        uri_bytes_max: 10,
        ..RealmConfig::default()
    });
    let client = network.join();
    let (fits, too_long) = ("a".repeat(10), "a".repeat(11));
    network.subscribe(client, &fits, json!({}));
    network.register(client, &fits, json!({}));
    let long_meta = format!("wamp.{too_long}");
    for (request_type, message) in [
        (48, json!([48, 1, {}, long_meta])),
        (32, json!([32, 1, {}, too_long])),
        (64, json!([64, 1, {}, too_long])),
        (48, json!([48, 1, {}, too_long])),
        (16, json!([16, 1, {"acknowledge": true}, too_long])),
    ] {
        network.send(client, message);
        let error = network.receive(client);
        assert_explained(
            &error,
            request_type,
            1,
            "wamp.error.invalid_uri",
            "10 bytes",
        );
    }
}

#[test]
fn wildcard_components_max() {
    let config = RealmConfig {
        uri_bytes_max: usize::MAX,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let client = network.join();
    let deepest = ".".repeat(WILDCARD_COMPONENTS_MAX - 1);
    network.subscribe(client, &deepest, json!({"match": "wildcard"}));
    network.send(
        client,
        json!([32, 1, {"match": "wildcard"}, ".".repeat(1_000_000)]),
    );
    let why = "components";
    assert_explained(
        &network.receive(client),
        32,
        1,
        "wamp.error.invalid_uri",
        why,
    );
    // Deep exact URIs and prefixes are no trouble.
    let deep = format!("a{}", ".a".repeat(100_000));
    network.subscribe(client, &deep, json!({"match": "prefix"}));
    network.send(client, json!([16, 2, {"exclude_me": false}, deep]));
    assert_eq!(network.receive(client)[0], 36);
}

#[test]
fn the_strict_grammar() {
    let config = RealmConfig {
        uri_grammar: Grammar::Strict,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let client = network.join();
    network.subscribe(client, "com.my_app.topic1", json!({}));
    network.send(client, json!([32, 1, {}, "com.MyApp"]));
    assert_explained(
        &network.receive(client),
        32,
        1,
        "wamp.error.invalid_uri",
        "com.MyApp",
    );
}
