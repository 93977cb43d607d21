//! Subscribing and publishing.

use serde_json::json;
use wampy_proto::ID_MAX;
use wampy_realm::{Disclosure, RealmConfig};

use crate::simulated::{Network, assert_error};

#[test]
fn check_24_subscribing_again_gives_the_same_subscription() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    let subscription = network.subscribe(alice, "a.b", json!({}));
    assert_eq!(network.subscribe(alice, "a.b", json!({})), subscription);
    assert_eq!(
        network.subscribe(bob, "a.b", json!({"match": "exact"})),
        subscription
    );
    assert_ne!(
        network.subscribe(alice, "a.b", json!({"match": "prefix"})),
        subscription
    );
    // Subscribed twice, but only one event comes by it.
    let publisher = network.join();
    network.send(publisher, json!([16, 1, {}, "a.b"]));
    let events = network.received(alice);
    assert_eq!(
        events
            .iter()
            .filter(|event| event[1] == subscription)
            .count(),
        1
    );
    assert_eq!(network.receive(bob)[1], subscription);
    // And one UNSUBSCRIBE ends it.
    network.send(alice, json!([34, 2, subscription]));
    assert_eq!(network.receive(alice), json!([35, 2]));
    network.send(alice, json!([34, 3, subscription]));
    assert_error(
        &network.receive(alice),
        34,
        3,
        "wamp.error.no_such_subscription",
    );
}

#[test]
fn check_25_subscribed_comes_before_any_event() {
    let mut network = Network::new();
    let client = network.join();
    // The subscription announces itself to its own subscriber: the earliest event there can be.
    network.send(client, json!([32, 1, {}, "wamp.subscription.on_subscribe"]));
    let received = network.received(client);
    assert_eq!(received[0][0], 33);
    assert_eq!(received[1][0], 36);
    assert_eq!(received.len(), 2);
}

#[test]
fn check_26_unsubscribing_from_what_is_not_held_is_refused() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    let foreign = network.subscribe(bob, "a.b", json!({}));
    for subscription in [foreign, foreign + 1, ID_MAX] {
        network.send(alice, json!([34, 1, subscription]));
        assert_error(
            &network.receive(alice),
            34,
            1,
            "wamp.error.no_such_subscription",
        );
    }
    network.send(alice, json!([16, 2, {}, "a.b"]));
    assert_eq!(
        network.receive(bob)[0],
        36,
        "the other's subscription stands"
    );
}

#[test]
fn after_unsubscribed_no_event_comes() {
    let mut network = Network::new();
    let (alice, bob, publisher) = (network.join(), network.join(), network.join());
    let subscription = network.subscribe(alice, "a.b", json!({}));
    network.subscribe(bob, "a.b", json!({}));
    network.send(alice, json!([34, 1, subscription]));
    network.received(alice);
    network.send(publisher, json!([16, 1, {}, "a.b"]));
    assert_eq!(network.received(alice), [json!(null); 0]);
    assert_eq!(network.receive(bob)[0], 36);
}

#[test]
fn check_27_without_acknowledge_a_publisher_hears_nothing() {
    let mut network = Network::new();
    let client = network.join();
    for message in [
        json!([16, 1, {}, "a.b"]),
        json!([16, 2, {}, "a..b"]),
        json!([16, 3, {"acknowledge": false}, "wamp.x"]),
    ] {
        network.send(client, message);
        assert_eq!(network.received(client), [json!(null); 0]);
    }
}

#[test]
fn check_28_the_publication_is_the_same_for_publisher_and_subscriber() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    let subscription = network.subscribe(subscriber, "a.b", json!({}));
    network.send(
        publisher,
        json!([16, 1, {"acknowledge": true}, "a.b", [1, "x"], {"k": [2]}]),
    );
    let published = network.receive(publisher);
    assert_eq!((&published[0], &published[1]), (&json!(17), &json!(1)));
    let publication = &published[2];
    let event = json!([36, subscription, publication, {}, [1, "x"], {"k": [2]}]);
    assert_eq!(network.receive(subscriber), event);
    network.send(publisher, json!([16, 2, {"acknowledge": true}, "a b"]));
    assert_error(&network.receive(publisher), 16, 2, "wamp.error.invalid_uri");
}

#[test]
fn payloads_keep_their_shape() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a.b", json!({}));
    network.send(publisher, json!([16, 1, {}, "a.b"]));
    assert_eq!(network.receive(subscriber).as_array().unwrap().len(), 4);
    network.send(publisher, json!([16, 2, {}, "a.b", [1]]));
    assert_eq!(network.receive(subscriber).as_array().unwrap().len(), 5);
    network.send(publisher, json!([16, 3, {}, "a.b", [], {"k": 1}]));
    assert_eq!(
        network.receive(subscriber).as_array().unwrap()[4..],
        [json!([]), json!({"k": 1})]
    );
}

#[test]
fn check_29_a_publisher_gets_its_own_event_only_if_it_asks() {
    let mut network = Network::new();
    let (publisher, other) = (network.join(), network.join());
    network.subscribe(publisher, "a.b", json!({}));
    network.subscribe(other, "a.b", json!({}));
    for options in [json!({}), json!({"exclude_me": true})] {
        network.send(publisher, json!([16, 1, options, "a.b"]));
        assert_eq!(network.received(publisher), [json!(null); 0]);
        assert_eq!(network.receive(other)[0], 36);
    }
    network.send(publisher, json!([16, 2, {"exclude_me": false}, "a.b"]));
    assert_eq!(network.receive(publisher)[0], 36);
    assert_eq!(network.receive(other)[0], 36);
}

#[test]
fn check_35_events_of_one_publisher_keep_their_order() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "t.one", json!({}));
    network.subscribe(subscriber, "t.two", json!({}));
    network.subscribe(subscriber, "t", json!({"match": "prefix"}));
    for n in 0..20 {
        let topic = if n % 3 == 0 { "t.one" } else { "t.two" };
        network.send(publisher, json!([16, n + 1, {}, topic, [n]]));
    }
    let order: Vec<_> = network
        .received(subscriber)
        .iter()
        .map(|e| e[4][0].clone())
        .collect();
    let expected: Vec<_> = (0..20).flat_map(|n| [json!(n), json!(n)]).collect();
    assert_eq!(order, expected);
}

#[test]
fn check_36_a_publisher_may_disclose_itself() {
    let mut network = Network::new();
    let publisher = network.join_as("joe", "clerk", crate::simulated::all_features());
    let subscriber = network.join();
    network.subscribe(subscriber, "a.b", json!({}));
    network.send(publisher, json!([16, 1, {"disclose_me": true}, "a.b"]));
    let id = network.id(publisher);
    let disclosed =
        json!({"publisher": id, "publisher_authid": "joe", "publisher_authrole": "clerk"});
    assert_eq!(network.receive(subscriber)[3], disclosed);
    network.send(publisher, json!([16, 2, {}, "a.b"]));
    assert_eq!(network.receive(subscriber)[3], json!({}));
}

#[test]
fn check_36_a_realm_may_deny_disclosure() {
    let config = RealmConfig {
        publisher_disclosure: Disclosure::Denied,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a.b", json!({}));
    network.send(
        publisher,
        json!([16, 1, {"disclose_me": true, "acknowledge": true}, "a.b"]),
    );
    let denied = "wamp.error.option_disallowed.disclose_me";
    assert_error(&network.receive(publisher), 16, 1, denied);
    network.send(publisher, json!([16, 2, {"disclose_me": true}, "a.b"]));
    assert_eq!(network.received(publisher), [json!(null); 0]);
    assert_eq!(network.received(subscriber), [json!(null); 0]);
    network.send(publisher, json!([16, 3, {}, "a.b"]));
    assert_eq!(network.receive(subscriber)[3], json!({}));
}

#[test]
fn a_realm_may_always_disclose() {
    let config = RealmConfig {
        publisher_disclosure: Disclosure::Always,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a.b", json!({}));
    network.send(publisher, json!([16, 1, {}, "a.b"]));
    assert_eq!(
        network.receive(subscriber)[3]["publisher"],
        network.id(publisher)
    );
}

#[test]
fn a_receiver_for_whom_an_event_is_too_long_is_left_out() {
    let mut network = Network::new();
    let (publisher, small, large) = (network.join(), network.join(), network.join());
    network.subscribe(small, "a.b", json!({}));
    network.subscribe(large, "a.b", json!({}));
    network.limit_messages(small, 60);
    network.send(
        publisher,
        json!([16, 1, {"acknowledge": true}, "a.b", ["x".repeat(100)]]),
    );
    assert_eq!(network.receive(publisher)[0], 17);
    assert_eq!(network.receive(large)[0], 36);
    assert_eq!(network.received(small), [json!(null); 0]);
}
