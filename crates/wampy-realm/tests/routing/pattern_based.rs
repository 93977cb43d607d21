//! Subscriptions and registrations by pattern.

use serde_json::json;

use crate::simulated::{Network, assert_error};

#[test]
fn check_30_every_matching_subscription_gives_an_event_of_one_publication() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    let exact = network.subscribe(subscriber, "a.b.c", json!({}));
    let prefix = network.subscribe(subscriber, "a.b", json!({"match": "prefix"}));
    let wildcard = network.subscribe(subscriber, "a..c", json!({"match": "wildcard"}));
    network.send(
        publisher,
        json!([16, 1, {"acknowledge": true}, "a.b.c", [1]]),
    );
    let publication = network.receive(publisher)[2].clone();
    let topic = json!({"topic": "a.b.c"});
    assert_eq!(
        network.received(subscriber),
        [
            json!([36, exact, publication, {}, [1]]),
            json!([36, prefix, publication, topic, [1]]),
            json!([36, wildcard, publication, topic, [1]]),
        ]
    );
}

#[test]
fn check_31_events_by_pattern_name_their_topic() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "", json!({"match": "prefix"}));
    // An empty prefix matches the meta events, too: those of this very subscription.
    assert_eq!(network.received(subscriber).len(), 2);
    network.send(publisher, json!([16, 1, {}, "some.topic"]));
    assert_eq!(
        network.receive(subscriber)[3],
        json!({"topic": "some.topic"})
    );
}

#[test]
fn check_32_prefixes_are_prefixes_of_the_text() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a.bc", json!({"match": "prefix"}));
    for (topic, events) in [
        ("a.bc", 1),
        ("a.bcd", 1),
        ("a.bc.d", 1),
        ("a.b", 0),
        ("a.bd", 0),
    ] {
        network.send(publisher, json!([16, 1, {}, topic]));
        assert_eq!(network.received(subscriber).len(), events, "{topic}");
    }
}

#[test]
fn check_33_wildcards_stand_for_one_component() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a..c", json!({"match": "wildcard"}));
    for (topic, events) in [
        ("a.x.c", 1),
        ("a.x.c.d", 0),
        ("a.x.y", 0),
        ("a.c", 0),
        ("b.x.c", 0),
    ] {
        network.send(publisher, json!([16, 1, {}, topic]));
        assert_eq!(network.received(subscriber).len(), events, "{topic}");
    }
}

#[test]
fn check_69_a_call_goes_to_the_best_match() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    let mut registrations = Vec::new();
    for (procedure, policy) in [
        ("a1.b2.c3.d4.e55", "exact"),
        ("a1.b2.c3", "prefix"),
        ("a1.b2.c3.d4", "prefix"),
        ("a1.b2..d4.e5", "wildcard"),
        ("a1.b2..d4.e5..g7", "wildcard"),
        ("a1.b2..d4..f6.g7", "wildcard"),
    ] {
        registrations.push(network.register(callee, procedure, json!({"match": policy})));
    }
    for (request, (procedure, expected)) in [
        ("a1.b2.c3.d4.e55", 1),
        ("a1.b2.c3.d98.e74", 2),
        ("a1.b2.c3.d4.e325", 3),
        ("a1.b2.c55.d4.e5", 4),
        ("a1.b2.c88.d4.e5.f6.g7", 5),
    ]
    .into_iter()
    .enumerate()
    {
        network.send(caller, json!([48, request + 1, {}, procedure]));
        assert_eq!(
            network.receive(callee)[2],
            registrations[expected - 1],
            "{procedure}"
        );
    }
    network.send(caller, json!([48, 9, {}, "a2.b2.c2.d2.e2"]));
    assert_error(
        &network.receive(caller),
        48,
        9,
        "wamp.error.no_such_procedure",
    );
}

#[test]
fn check_70_invocations_by_pattern_name_their_procedure() {
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a", json!({"match": "prefix"}));
    network.register(callee, "b.", json!({"match": "wildcard"}));
    network.register(callee, "b.exact", json!({}));
    let (_, details) = network.invoke(caller, 1, json!({}), "a.b", callee);
    assert_eq!(details, json!({"procedure": "a.b"}));
    let (_, details) = network.invoke(caller, 2, json!({}), "b.x", callee);
    assert_eq!(details, json!({"procedure": "b.x"}));
    let (_, details) = network.invoke(caller, 3, json!({}), "b.exact", callee);
    assert_eq!(details, json!({}));
}

#[test]
fn one_uri_may_be_registered_once_by_each_match_policy() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    let mut ids = Vec::new();
    for policy in ["exact", "prefix", "wildcard"] {
        ids.push(network.register(alice, "a.b", json!({"match": policy})));
        network.send(bob, json!([64, 1, {"match": policy}, "a.b"]));
        assert_error(
            &network.receive(bob),
            64,
            1,
            "wamp.error.procedure_already_exists",
        );
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
