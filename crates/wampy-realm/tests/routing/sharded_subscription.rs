//! Sharded Subscription: `nkey` of SUBSCRIBE and `rkey` of PUBLISH.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::simulated::{Client, Network};

const TOPIC: &str = "app.reading";
const NOTHING: [Json; 0] = [];

/// A publisher, and a subscriber for each node key; no key for `None`.
fn scene(nkeys: &[Option<&str>]) -> (Network, Client, Vec<Client>) {
    let mut network = Network::new();
    let publisher = network.join();
    let subscribers = nkeys
        .iter()
        .map(|nkey| {
            let subscriber = network.join();
            network.subscribe(subscriber, TOPIC, json!({ "nkey": nkey }));
            subscriber
        })
        .collect();
    (network, publisher, subscribers)
}

/// Publishes with these options; which of the subscribers got the event.
fn publish(
    network: &mut Network,
    publisher: Client,
    subscribers: &[Client],
    options: &Json,
) -> Vec<usize> {
    network.send(publisher, json!([16, 1, options, TOPIC, [7]]));
    (0..subscribers.len())
        .filter(|&at| network.received(subscribers[at]).len() == 1)
        .collect()
}

fn rkey(number: usize) -> Json {
    json!({"rkey": format!("sn{number}")})
}

/// The node of each of 200 keys, by its name.
fn owners(nkeys: &[&str]) -> Vec<String> {
    let keys: Vec<_> = nkeys.iter().copied().map(Some).collect();
    let (mut network, publisher, subscribers) = scene(&keys);
    (0..200)
        .map(|number| {
            let receivers = publish(&mut network, publisher, &subscribers, &rkey(number));
            assert_eq!(receivers.len(), 1, "one node for each key");
            nkeys[receivers[0]].to_owned()
        })
        .collect()
}

#[test]
fn an_event_with_an_rkey_goes_to_one_node() {
    let keys = [
        Some("node1"),
        None,
        Some("node2"),
        Some("node1"),
        Some("node3"),
        Some(""),
    ];
    let (mut network, publisher, subscribers) = scene(&keys);
    let mut counts = BTreeMap::new();
    for number in 0..100 {
        let options = rkey(number);
        let receivers = publish(&mut network, publisher, &subscribers, &options);
        // Those without a node key always get it, and both subscribers of node1 or none.
        let expected: [&[usize]; 3] = [&[0, 1, 3, 5], &[1, 2, 5], &[1, 4, 5]];
        assert!(expected.contains(&&*receivers), "{receivers:?}");
        assert_eq!(
            publish(&mut network, publisher, &subscribers, &options),
            receivers
        );
        *counts.entry(receivers).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), 3, "every node has its share: {counts:?}");
    assert!(counts.values().all(|&count| count > 15), "{counts:?}");
}

#[test]
fn events_without_an_rkey_go_to_every_node() {
    let (mut network, publisher, subscribers) = scene(&[Some("a"), Some("b"), None]);
    for options in [json!({}), json!({"rkey": null}), json!({"rkey": ""})] {
        let receivers = publish(&mut network, publisher, &subscribers, &options);
        assert_eq!(receivers, [0, 1, 2]);
    }
}

#[test]
fn an_rkey_means_nothing_where_no_subscriber_has_an_nkey() {
    let (mut network, publisher, subscribers) = scene(&[None, None]);
    assert_eq!(
        publish(&mut network, publisher, &subscribers, &rkey(1)),
        [0, 1]
    );
}

#[test]
fn every_router_finds_the_same_node() {
    let one = owners(&["node1", "node2", "node3"]);
    let other = owners(&["node3", "node1", "node2"]);
    assert_eq!(one, other);
    // These must never change: keys would move when a router is replaced by a newer one.
    assert_eq!(
        one[..6],
        ["node2", "node1", "node2", "node2", "node1", "node2"]
    );
}

#[test]
fn when_a_node_goes_only_its_keys_move() {
    let before = owners(&["node1", "node2", "node3"]);
    let nkeys = [Some("node1"), Some("node2"), Some("node3")];
    let (mut network, publisher, mut subscribers) = scene(&nkeys);
    network.leave(subscribers.remove(1));
    for (number, before) in before.iter().enumerate() {
        let receivers = publish(&mut network, publisher, &subscribers, &rkey(number));
        let after = ["node1", "node3"][receivers[0]];
        assert_eq!(receivers.len(), 1);
        assert!(before == after || before == "node2", "{before} to {after}");
    }
}

#[test]
fn the_last_subscribe_says_the_node() {
    let (mut network, publisher, subscribers) = scene(&[Some("a"), Some("b")]);
    let of_a = (0..)
        .map(rkey)
        .find(|key| publish(&mut network, publisher, &subscribers, key) == [0])
        .unwrap();
    network.subscribe(subscribers[1], TOPIC, json!({"nkey": "a"}));
    assert_eq!(
        publish(&mut network, publisher, &subscribers, &of_a),
        [0, 1]
    );
    network.subscribe(subscribers[0], TOPIC, json!({"nkey": "c"}));
    network.subscribe(subscribers[1], TOPIC, json!({}));
    for number in 0..10 {
        // Only one node is left, and one subscriber without a node key.
        let receivers = publish(&mut network, publisher, &subscribers, &rkey(number));
        assert_eq!(receivers, [0, 1]);
    }
    network.send(subscribers[0], json!([34, 1, 1]));
    assert_eq!(network.receive(subscribers[0]), json!([35, 1]));
    assert_eq!(publish(&mut network, publisher, &subscribers, &of_a), [1]);
}

#[test]
fn no_node_takes_the_place_of_one_that_is_excluded() {
    let (mut network, publisher, subscribers) = scene(&[Some("a"), Some("b"), None]);
    for number in 0..20 {
        let owner = publish(&mut network, publisher, &subscribers, &rkey(number))[0];
        let mut options = rkey(number);
        options["exclude"] = json!([network.id(subscribers[owner])]);
        let receivers = publish(&mut network, publisher, &subscribers, &options);
        assert_eq!(receivers, [2]);
        // The publisher itself is a node, too.
        network.send(subscribers[owner], json!([16, 1, rkey(number), TOPIC]));
        let others = [0, 1].map(|at| network.received(subscribers[at]));
        assert_eq!(others, [NOTHING; 2]);
        assert_eq!(network.received(subscribers[2]).len(), 1);
    }
}

#[test]
fn each_subscription_has_nodes_of_its_own() {
    let mut network = Network::new();
    let (publisher, exact, pattern) = (network.join(), network.join(), network.join());
    network.subscribe(exact, TOPIC, json!({"nkey": "a"}));
    network.subscribe(pattern, "app.", json!({"match": "prefix", "nkey": "b"}));
    for number in 0..10 {
        let receivers = publish(&mut network, publisher, &[exact, pattern], &rkey(number));
        assert_eq!(receivers, [0, 1]);
    }
    network.leave(exact);
    network.leave(pattern);
    assert_eq!(network.realm.stats().subscriptions, 0);
}
