//! `wamp.registration.*`

use serde_json::{Value as Json, json};

use crate::simulated::{Client, Network};

const TOPICS: [&str; 4] = ["on_create", "on_register", "on_unregister", "on_delete"];

/// A network with a client that watches every event of registrations.
fn watched() -> (Network, Client) {
    let mut network = Network::new();
    let watcher = network.join();
    for topic in TOPICS {
        network.subscribe(watcher, &format!("wamp.registration.{topic}"), json!({}));
    }
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
fn check_76_registrations_are_announced_from_creation_to_deletion() {
    let (mut network, watcher) = watched();
    let (alice, bob) = (network.join(), network.join());
    let (alice_id, bob_id) = (network.id(alice), network.id(bob));
    let id = network.register(alice, "a.b", json!({"invoke": "roundrobin"}));
    let details = json!({
        "id": id, "created": "2020-02-28T23:59:59.999Z", "uri": "a.b", "match": "exact",
        "invoke": "roundrobin",
    });
    let created = ("on_create".to_owned(), json!([alice_id, details]));
    let registered = ("on_register".to_owned(), json!([alice_id, id]));
    assert_eq!(events(&mut network, watcher), [created, registered]);
    network.register(bob, "a.b", json!({"invoke": "roundrobin"}));
    let joined = ("on_register".to_owned(), json!([bob_id, id]));
    assert_eq!(events(&mut network, watcher), [joined]);
    network.send(alice, json!([66, 1, id]));
    let left = ("on_unregister".to_owned(), json!([alice_id, id]));
    assert_eq!(events(&mut network, watcher), [left]);
    network.leave(bob);
    let left = ("on_unregister".to_owned(), json!([bob_id, id]));
    let deleted = ("on_delete".to_owned(), json!([bob_id, id]));
    assert_eq!(events(&mut network, watcher), [left, deleted]);
}

#[test]
fn a_refused_registration_is_not_announced() {
    let (mut network, watcher) = watched();
    let client = network.join();
    network.send(client, json!([64, 1, {}, "a..b"]));
    network.send(client, json!([66, 2, 99]));
    assert_eq!(events(&mut network, watcher), []);
}

#[test]
fn events_never_precede_the_state_that_they_announce() {
    let mut network = Network::new();
    let client = network.join();
    network.subscribe(client, "wamp.registration", json!({"match": "prefix"}));
    network.send(client, json!([64, 1, {}, "a.b"]));
    let types: Vec<_> = network
        .received(client)
        .iter()
        .map(|m| m[0].clone())
        .collect();
    assert_eq!(types, [65, 36, 36]);
    network.send(client, json!([66, 2, 1]));
    let types: Vec<_> = network
        .received(client)
        .iter()
        .map(|m| m[0].clone())
        .collect();
    assert_eq!(types, [67, 36, 36]);
}

#[test]
fn registrations_are_listed_found_and_described() {
    let mut network = Network::new();
    let (callee, client) = (network.join(), network.join());
    let exact = network.register(callee, "a.b", json!({"invoke": "first"}));
    let prefix = network.register(callee, "a", json!({"match": "prefix"}));
    let wildcard = network.register(callee, "a..c", json!({"match": "wildcard"}));
    let other = network.register(callee, "z", json!({}));
    let mut ask = |procedure: &str, args: Json| {
        network.ask(client, &format!("wamp.registration.{procedure}"), args)[0].clone()
    };
    let lists = json!({"exact": [exact, other], "prefix": [prefix], "wildcard": [wildcard]});
    assert_eq!(ask("list", json!([])), lists);
    assert_eq!(ask("lookup", json!(["a.b"])), exact);
    assert_eq!(ask("lookup", json!(["a", {"match": "prefix"}])), prefix);
    assert_eq!(
        ask("lookup", json!(["a..c", {"match": "wildcard"}])),
        wildcard
    );
    assert_eq!(ask("match", json!(["a.b"])), exact);
    assert_eq!(ask("match", json!(["a.x.c"])), prefix);
    assert_eq!(ask("get", json!([wildcard]))["match"], "wildcard");
    assert_eq!(ask("get", json!([exact]))["invoke"], "first");
    assert_eq!(ask("count_callees", json!([exact])), 1);
    let callees = ask("list_callees", json!([exact]));
    assert_eq!(callees, json!([network.id(callee)]));
}

#[test]
fn callees_are_listed_in_the_order_in_which_they_registered() {
    let mut network = Network::new();
    let callees = [network.join(), network.join(), network.join()];
    let mut id = 0;
    for callee in [callees[2], callees[0], callees[1]] {
        id = network.register(callee, "a.b", json!({"invoke": "last"}));
    }
    let listed = network.ask(callees[0], "wamp.registration.list_callees", json!([id]));
    let ids = [2, 0, 1].map(|n: usize| network.id(callees[n]));
    assert_eq!(listed, json!([ids]));
}

#[test]
fn check_80_unknown_registrations_are_refused() {
    let mut network = Network::new();
    let client = network.join();
    for procedure in ["get", "list_callees", "count_callees"] {
        let procedure = format!("wamp.registration.{procedure}");
        for id in [json!(1), json!(0), json!(u64::MAX)] {
            let error = network.ask_in_vain(client, &procedure, json!([id]));
            assert_eq!(error, "wamp.error.no_such_registration");
        }
        for args in [json!([]), json!(["x"]), json!([1.5])] {
            let error = network.ask_in_vain(client, &procedure, args);
            assert_eq!(error, "wamp.error.invalid_argument");
        }
    }
    for args in [
        json!([]),
        json!([1]),
        json!(["a", {"match": "x"}]),
        json!(["a", "exact"]),
    ] {
        let error = network.ask_in_vain(client, "wamp.registration.lookup", args);
        assert_eq!(error, "wamp.error.invalid_argument");
    }
}

#[test]
fn check_81_what_is_not_found_is_null() {
    let mut network = Network::new();
    let client = network.join();
    network.register(client, "a.b", json!({}));
    for (procedure, args) in [
        ("lookup", json!(["a"])),
        ("lookup", json!(["a.b", {"match": "prefix"}])),
        ("match", json!(["a.b.c"])),
        ("match", json!(["not a uri"])),
    ] {
        let procedure = format!("wamp.registration.{procedure}");
        assert_eq!(network.ask(client, &procedure, args), json!([null]));
    }
}
