//! `wamp.subscription.*`

use serde_json::{Value as Json, json};

use crate::simulated::{Client, Network};

const TOPICS: [&str; 4] = ["on_create", "on_subscribe", "on_unsubscribe", "on_delete"];

/// A network with a client that watches every event of subscriptions.
fn watched() -> (Network, Client) {
    let mut network = Network::new();
    let watcher = network.join();
    for topic in TOPICS {
        network.send(
            watcher,
            json!([32, 1, {}, format!("wamp.subscription.{topic}")]),
        );
    }
    network.received(watcher);
    (network, watcher)
}

/// The events that the watcher received: topic and args.
fn events(network: &mut Network, watcher: Client) -> Vec<(String, Json)> {
    let received = network.received(watcher);
    received
        .into_iter()
        .map(|event| {
            let topic = TOPICS[event[1].as_u64().unwrap() as usize - 1];
            (topic.to_owned(), event[4].clone())
        })
        .collect()
}

#[test]
fn check_76_subscriptions_are_announced_from_creation_to_deletion() {
    let (mut network, watcher) = watched();
    let (alice, bob) = (network.join(), network.join());
    let (alice_id, bob_id) = (network.id(alice), network.id(bob));
    let id = network.subscribe(alice, "a.", json!({"match": "wildcard"}));
    let details = json!({
        "id": id, "created": "2020-02-28T23:59:59.999Z", "uri": "a.", "match": "wildcard",
    });
    let created = ("on_create".to_owned(), json!([alice_id, details]));
    let subscribed = ("on_subscribe".to_owned(), json!([alice_id, id]));
    assert_eq!(events(&mut network, watcher), [created, subscribed]);
    network.subscribe(bob, "a.", json!({"match": "wildcard"}));
    let joined = ("on_subscribe".to_owned(), json!([bob_id, id]));
    assert_eq!(events(&mut network, watcher), [joined]);
    // Subscribing again changes nothing.
    network.subscribe(bob, "a.", json!({"match": "wildcard"}));
    assert_eq!(events(&mut network, watcher), []);
    network.send(alice, json!([34, 1, id]));
    let left = ("on_unsubscribe".to_owned(), json!([alice_id, id]));
    assert_eq!(events(&mut network, watcher), [left]);
    network.leave(bob);
    let left = ("on_unsubscribe".to_owned(), json!([bob_id, id]));
    let deleted = ("on_delete".to_owned(), json!([bob_id, id]));
    assert_eq!(events(&mut network, watcher), [left, deleted]);
}

#[test]
fn events_of_a_subscription_come_after_its_answer() {
    let mut network = Network::new();
    let client = network.join();
    network.subscribe(client, "wamp.subscription", json!({"match": "prefix"}));
    network.received(client);
    let mut types = |message: Json| {
        network.send(client, message);
        let received = network.received(client);
        json!(received.iter().map(|m| m[0].clone()).collect::<Vec<_>>())
    };
    assert_eq!(types(json!([32, 1, {}, "a.b"])), json!([33, 36, 36]));
    assert_eq!(types(json!([34, 2, 2])), json!([35, 36, 36]));
}

#[test]
fn subscriptions_are_listed_found_and_described() {
    let mut network = Network::new();
    let (subscriber, client) = (network.join(), network.join());
    let exact = network.subscribe(subscriber, "a.b.c", json!({}));
    let prefix = network.subscribe(subscriber, "a", json!({"match": "prefix"}));
    let wildcard = network.subscribe(subscriber, "a..c", json!({"match": "wildcard"}));
    network.subscribe(client, "a.b.c", json!({}));
    let mut ask = |procedure: &str, args: Json| {
        network.ask(client, &format!("wamp.subscription.{procedure}"), args)[0].clone()
    };
    let lists = json!({"exact": [exact], "prefix": [prefix], "wildcard": [wildcard]});
    assert_eq!(ask("list", json!([])), lists);
    assert_eq!(ask("lookup", json!(["a.b.c"])), exact);
    assert_eq!(ask("lookup", json!(["a", {"match": "prefix"}])), prefix);
    assert_eq!(
        ask("match", json!(["a.b.c"])),
        json!([exact, prefix, wildcard])
    );
    assert_eq!(ask("match", json!(["a.x"])), json!([prefix]));
    let details = ask("get", json!([prefix]));
    assert_eq!(
        (&details["uri"], &details["match"]),
        (&json!("a"), &json!("prefix"))
    );
    assert_eq!(details.get("invoke"), None);
    assert_eq!(ask("count_subscribers", json!([exact])), 2);
    assert_eq!(ask("count_subscribers", json!([prefix])), 1);
    let subscribers = ask("list_subscribers", json!([exact]));
    assert_eq!(
        subscribers,
        json!([network.id(subscriber), network.id(client)])
    );
}

#[test]
fn check_80_unknown_subscriptions_are_refused() {
    let mut network = Network::new();
    let client = network.join();
    for procedure in ["get", "list_subscribers", "count_subscribers"] {
        let procedure = format!("wamp.subscription.{procedure}");
        let error = network.ask_in_vain(client, &procedure, json!([1]));
        assert_eq!(error, "wamp.error.no_such_subscription");
        let error = network.ask_in_vain(client, &procedure, json!([null]));
        assert_eq!(error, "wamp.error.invalid_argument");
    }
}

#[test]
fn check_81_what_is_not_found_is_null() {
    let mut network = Network::new();
    let client = network.join();
    network.subscribe(client, "a.b", json!({}));
    let lookup = network.ask(client, "wamp.subscription.lookup", json!(["a"]));
    assert_eq!(lookup, json!([null]));
    let found = network.ask(client, "wamp.subscription.match", json!(["a.b.c"]));
    assert_eq!(found, json!([null]));
}
