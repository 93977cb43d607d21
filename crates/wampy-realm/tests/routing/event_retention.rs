//! Event Retention: the last event of a topic for who subscribes later.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::{Keeping, KeepingRule, RealmConfig};

use crate::simulated::{Client, Network, all_features, assert_error};

/// What a client receives by subscribing with `get_retained`: the events behind SUBSCRIBED.
#[track_caller]
fn retained(network: &mut Network, client: Client, topic: &str, match_policy: &str) -> Vec<Json> {
    let options = json!({"get_retained": true, "match": match_policy});
    network.send(client, json!([32, 1, options, topic]));
    let received = network.received(client);
    assert_eq!(received[0][0], 33, "SUBSCRIBED comes first: {received:?}");
    // Whoever subscribes to everything learns of its own subscription, too.
    let is_meta = |event: &Json| {
        let topic = event[3]["topic"].as_str().unwrap_or_default();
        topic.starts_with("wamp.")
    };
    let events = received[1..].iter().filter(|event| !is_meta(event));
    events.cloned().collect()
}

/// The payloads of the events that a new session receives by subscribing with `get_retained`.
#[track_caller]
fn payloads(network: &mut Network, topic: &str, match_policy: &str) -> Vec<Json> {
    let client = network.join();
    let events = retained(network, client, topic, match_policy);
    network.leave(client);
    events.iter().map(|event| event[4].clone()).collect()
}

fn retain(network: &mut Network, publisher: Client, topic: &str, options: Json, args: Json) {
    let mut all = json!({"retain": true});
    let map = all.as_object_mut().unwrap();
    map.extend(options.as_object().unwrap().clone());
    network.send(publisher, json!([16, 1, all, topic, args]));
}

fn keeping(events_max: usize, rule: KeepingRule) -> RealmConfig {
    RealmConfig {
        event_retention: Keeping {
            rules: vec![rule],
            events_max,
            ..Keeping::retention()
        },
        ..RealmConfig::default()
    }
}

fn everything() -> KeepingRule {
    KeepingRule::retention("", MatchPolicy::Prefix)
}

#[test]
fn check_37_a_retained_event_comes_to_later_subscribers_that_ask() {
    let mut network = Network::new();
    let (publisher, early) = (network.join(), network.join());
    network.subscribe(early, "a.b", json!({}));
    let options = json!({"retain": true, "acknowledge": true, "disclose_me": true});
    network.send(publisher, json!([16, 1, options, "a.b", [1], {"k": 2}]));
    let publication = network.receive(publisher)[2].clone();
    let details = network.receive(early)[3].clone();
    assert!(details.get("retained").is_none(), "{details}");

    let late = network.join();
    let events = retained(&mut network, late, "a.b", "exact");
    let details = json!({
        "retained": true,
        "publisher": network.id(publisher),
        "publisher_authid": "someone",
        "publisher_authrole": "member",
    });
    let subscription = network.subscribe(late, "a.b", json!({}));
    assert_eq!(
        events,
        [json!([36, subscription, publication, details, [1], {"k": 2}])]
    );
    assert_eq!(network.received(late), [json!(null); 0], "not asked again");
    let unasking = network.join();
    network.subscribe(unasking, "a.b", json!({}));
    assert_eq!(network.received(unasking), [json!(null); 0]);
    // An event without `retain` changes nothing; another with it takes the place of the first.
    network.send(publisher, json!([16, 2, {}, "a.b", [2]]));
    assert_eq!(payloads(&mut network, "a.b", "exact"), [json!([1])]);
    retain(&mut network, publisher, "a.b", json!({}), json!([3]));
    assert_eq!(payloads(&mut network, "a.b", "exact"), [json!([3])]);
    assert_eq!(network.realm.stats().retained_events, 1);
}

#[test]
fn whoever_subscribes_again_may_ask_for_the_retained_event_again() {
    let mut network = Network::new();
    let (publisher, client) = (network.join(), network.join());
    network.subscribe(client, "a.b", json!({}));
    retain(&mut network, publisher, "a.b", json!({}), json!([1]));
    network.received(client);
    assert_eq!(retained(&mut network, client, "a.b", "exact").len(), 1);
}

#[test]
fn patterns_bring_the_retained_events_of_all_topics_that_match() {
    let mut network = Network::new();
    let publisher = network.join();
    for (topic, number) in [("a.b", 1), ("a.c", 2), ("b.c", 3), ("a.b", 4), ("a.c.d", 5)] {
        retain(&mut network, publisher, topic, json!({}), json!([number]));
    }
    let client = network.join();
    let events = retained(&mut network, client, "a.", "prefix");
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event[3]["topic"].as_str().unwrap(), &event[4][0]))
        .collect();
    let expected = [("a.c", &json!(2)), ("a.b", &json!(4)), ("a.c.d", &json!(5))];
    assert_eq!(seen, expected, "in the order of publication");
    assert!(events.iter().all(|event| event[3]["retained"] == true));
    assert_eq!(
        payloads(&mut network, ".c", "wildcard"),
        [[2], [3]].map(|n| json!(n))
    );
    assert_eq!(payloads(&mut network, "z", "prefix"), [json!(null); 0]);
}

#[test]
fn a_pattern_brings_no_more_retained_events_than_allowed() {
    let config = RealmConfig {
        retained_events_per_subscribe_max: 3,
        retained_bytes_per_subscribe_max: 1000,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let publisher = network.join();
    for number in 1..=5 {
        let topic = format!("a.t{number}");
        retain(&mut network, publisher, &topic, json!({}), json!([number]));
    }
    let latest = [[3], [4], [5]].map(|n| json!(n));
    assert_eq!(payloads(&mut network, "a", "prefix"), latest);
    let large = json!(["x".repeat(2000)]);
    retain(&mut network, publisher, "a.large", json!({}), large.clone());
    assert_eq!(
        payloads(&mut network, "a", "prefix"),
        [large],
        "the latest in any case"
    );
}

#[test]
fn check_38_a_retained_event_does_not_come_to_whom_it_excluded() {
    let mut network = Network::new();
    let publisher = network.join();
    let alice = network.join_as("alice", "staff", all_features());
    let bob = network.join_as("bob", "staff", all_features());
    let eve = network.join_as("eve", "guest", all_features());
    retain(
        &mut network,
        publisher,
        "a.b",
        json!({}),
        json!(["for all"]),
    );
    let alice_id = network.id(alice);
    for (options, receivers) in [
        (json!({"exclude": [alice_id]}), [bob, eve].as_slice()),
        (json!({"eligible": [alice_id]}), &[alice]),
        (json!({"exclude_authid": ["alice", "bob"]}), &[eve]),
        (json!({"eligible_authid": ["bob"]}), &[bob]),
        (json!({"exclude_authrole": ["guest"]}), &[alice, bob]),
        (
            json!({"eligible_authrole": ["guest"], "exclude_authid": ["x"]}),
            &[eve],
        ),
    ] {
        let args = json!([options.to_string()]);
        retain(&mut network, publisher, "a.b", options, args.clone());
        for client in [alice, bob, eve] {
            let events = retained(&mut network, client, "a.b", "exact");
            let got = events.iter().any(|event| event[4] == args);
            assert_eq!(got, receivers.contains(&client), "{args}");
            assert_eq!(
                events.len(),
                1,
                "{args}: the latest that it may get, or an earlier one"
            );
            // A live event must not come beside the next retained one.
            let subscription = network.subscribe(client, "a.b", json!({}));
            network.send(client, json!([34, 9, subscription]));
            network.received(client);
        }
    }
    // Another for all takes the place of all that were for some.
    retain(&mut network, publisher, "a.b", json!({}), json!(["again"]));
    assert_eq!(network.realm.stats().retained_events, 1);
}

#[test]
fn a_publisher_gets_its_own_retained_event_only_if_it_asks() {
    let mut network = Network::new();
    let publisher = network.join();
    retain(&mut network, publisher, "a.b", json!({}), json!([1]));
    assert_eq!(
        retained(&mut network, publisher, "a.b", "exact"),
        [json!(null); 0]
    );
    let options = json!({"exclude_me": false});
    retain(&mut network, publisher, "a.c", options, json!([1]));
    assert_eq!(retained(&mut network, publisher, "a.c", "exact").len(), 1);
}

#[test]
fn events_for_some_are_kept_beside_the_one_for_all_up_to_a_limit() {
    let rule = KeepingRule {
        events_per_topic_max: 3,
        ..everything()
    };
    let mut network = Network::with(keeping(100, rule));
    let publisher = network.join();
    retain(&mut network, publisher, "a.b", json!({}), json!(["all"]));
    for name in ["one", "two", "three"] {
        let options = json!({"eligible_authid": [name]});
        retain(&mut network, publisher, "a.b", options, json!([name]));
    }
    assert_eq!(network.realm.stats().retained_events, 3);
    for (authid, expected) in [("one", "all"), ("two", "two"), ("three", "three")] {
        let client = network.join_as(authid, "member", all_features());
        let events = retained(&mut network, client, "a.b", "exact");
        assert_eq!(events[0][4], json!([expected]), "{authid}");
    }
}

#[test]
fn the_oldest_retained_events_of_the_realm_go_first() {
    let mut network = Network::with(keeping(2, everything()));
    let publisher = network.join();
    for topic in ["a", "b", "a", "c"] {
        retain(&mut network, publisher, topic, json!({}), json!([topic]));
    }
    assert_eq!(
        payloads(&mut network, "", "prefix"),
        [json!(["a"]), json!(["c"])]
    );

    let mut config = keeping(100, everything());
    config.event_retention.bytes_max = 2000;
    let mut network = Network::with(config);
    let publisher = network.join();
    for topic in ["a", "b", "c"] {
        let text = topic.repeat(600);
        retain(&mut network, publisher, topic, json!({}), json!([text]));
    }
    assert_eq!(network.realm.stats().retained_events, 2);
    assert_eq!(payloads(&mut network, "a", "exact"), [json!(null); 0]);
}

#[test]
fn an_event_that_is_too_large_is_not_retained_and_takes_the_outdated_one_away() {
    let rule = KeepingRule {
        bytes_per_topic_max: 1000,
        ..everything()
    };
    let mut network = Network::with(keeping(10, rule));
    let publisher = network.join();
    retain(&mut network, publisher, "a.b", json!({}), json!([1]));
    let options = json!({"eligible_authid": vec!["somebody".repeat(10); 20]});
    retain(&mut network, publisher, "a.b", options, json!([2]));
    assert_eq!(
        payloads(&mut network, "a.b", "exact"),
        [json!([1])],
        "lists count, too"
    );
    let large = json!(["x".repeat(1000)]);
    retain(&mut network, publisher, "a.b", json!({}), large);
    assert_eq!(payloads(&mut network, "a.b", "exact"), [json!(null); 0]);
}

#[test]
fn retained_events_are_forgotten_when_they_are_too_old() {
    let rule = KeepingRule {
        age_ms_max: Some(10_000),
        ..everything()
    };
    let mut network = Network::with(keeping(10, rule));
    network.date_goes_on = true;
    let publisher = network.join();
    retain(&mut network, publisher, "a", json!({}), json!([1]));
    network.pass(6_000);
    retain(&mut network, publisher, "b", json!({}), json!([2]));
    network.pass(3_999);
    assert_eq!(payloads(&mut network, "", "prefix").len(), 2);
    network.now.unix_ms += 1;
    assert_eq!(
        payloads(&mut network, "", "prefix"),
        [json!([2])],
        "also before it is swept"
    );
    network.pass(1);
    assert_eq!(network.realm.stats().retained_events, 1);
    network.pass(10_000);
    assert_eq!(network.realm.stats().retained_events, 0);
    assert_eq!(network.realm.next_timeout_ms(), None);
}

#[test]
fn the_first_rule_that_matches_decides_and_without_one_nothing_is_retained() {
    let mut config = keeping(10, KeepingRule::retention("a.b", MatchPolicy::Exact));
    config.event_retention.rules.push(KeepingRule {
        events_per_topic_max: 1,
        ..KeepingRule::retention("a.", MatchPolicy::Prefix)
    });
    let mut network = Network::with(config);
    let publisher = network.join();
    for topic in ["a.b", "a.c", "b"] {
        for number in [1, 2] {
            let options = json!({"exclude_authid": ["x"]});
            retain(
                &mut network,
                publisher,
                topic,
                options,
                json!([topic, number]),
            );
        }
    }
    assert_eq!(network.realm.stats().retained_events, 3);
    assert_eq!(payloads(&mut network, "b", "exact"), [json!(null); 0]);

    let mut config = RealmConfig::default();
    config.event_retention.rules.clear();
    let mut network = Network::with(config);
    let publisher = network.join();
    retain(&mut network, publisher, "a.b", json!({}), json!([1]));
    assert_eq!(payloads(&mut network, "a.b", "exact"), [json!(null); 0]);
    let broker = network.realm.welcome_roles().get(Role::Broker).unwrap();
    assert!(
        !broker.contains(Feature::EventRetention),
        "nothing to announce"
    );
}

#[test]
fn retained_events_outlive_the_router_that_has_a_store() {
    let mut network = Network::new();
    let publisher = network.join();
    retain(&mut network, publisher, "a", json!({}), json!(["old"]));
    for topic in ["b", "a"] {
        retain(&mut network, publisher, topic, json!({}), json!([topic]));
    }
    let options = json!({"eligible_authid": ["alice"]});
    retain(&mut network, publisher, "a", options, json!(["alice"]));
    network.restart(RealmConfig::default());
    assert_eq!(
        payloads(&mut network, "", "prefix"),
        [json!(["b"]), json!(["a"])]
    );
    let alice = network.join_as("alice", "member", all_features());
    let events = retained(&mut network, alice, "a", "exact");
    assert_eq!(events[0][4], json!(["alice"]));
    // Numbers go on where they were, and the rules of the new realm hold.
    let publisher = network.join();
    retain(&mut network, publisher, "c", json!({}), json!(["c"]));
    network.restart(keeping(10, KeepingRule::retention("c", MatchPolicy::Exact)));
    assert_eq!(payloads(&mut network, "", "prefix"), [json!(["c"])]);
    network.restart(RealmConfig::default());
    assert_eq!(
        network.realm.stats().retained_events,
        1,
        "the others were forgotten for good"
    );
}

#[test]
fn an_event_that_cannot_be_stored_is_not_acknowledged() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join(), network.join());
    network.subscribe(subscriber, "a", json!({}));
    network.break_store();
    let options = json!({"retain": true, "acknowledge": true});
    network.send(publisher, json!([16, 1, options, "a", [1]]));
    assert_error(&network.receive(publisher), 16, 1, "wamp.error.unavailable");
    assert_eq!(
        network.received(subscriber),
        [json!(null); 0],
        "nor published"
    );
    assert_eq!(payloads(&mut network, "a", "exact"), [json!(null); 0]);
    // Who does not want to know gets what can be had.
    retain(&mut network, publisher, "a", json!({}), json!([2]));
    assert_eq!(network.receive(subscriber)[4], json!([2]));
    assert_eq!(payloads(&mut network, "a", "exact"), [json!([2])]);
}

#[test]
fn a_testament_can_be_retained() {
    let mut network = Network::new();
    let sensor = network.join();
    let testament = json!(["sensor.state", ["gone"], {}]);
    let kwargs = json!({"publish_options": {"retain": true}});
    let procedure = "wamp.session.add_testament";
    network.send(sensor, json!([48, 1, {}, procedure, testament, kwargs]));
    network.leave(sensor);
    assert_eq!(
        payloads(&mut network, "sensor.state", "exact"),
        [json!(["gone"])]
    );
}

#[test]
fn retained_events_with_an_rkey_come_to_the_node_to_which_they_belong() {
    let mut network = Network::new();
    let publisher = network.join();
    let nodes = ["one", "two"].map(|nkey| {
        let node = network.join();
        network.subscribe(node, "a", json!({"nkey": nkey}));
        (node, nkey)
    });
    let mut owners = Vec::new();
    for number in 0..8 {
        let options = json!({"rkey": format!("key {number}")});
        retain(&mut network, publisher, "a", options, json!([number]));
        let owner = nodes
            .iter()
            .position(|&(node, _)| !network.received(node).is_empty());
        owners.push(owner.unwrap());
    }
    assert!(owners.contains(&0) && owners.contains(&1), "{owners:?}");
    for (at, (node, nkey)) in nodes.into_iter().enumerate() {
        let options = json!({"get_retained": true, "nkey": nkey});
        network.send(node, json!([32, 1, options, "a"]));
        let received = network.received(node);
        let latest = owners.iter().rposition(|&owner| owner == at).unwrap();
        assert_eq!(received[1][4], json!([latest]), "{received:?}");
    }
    assert_eq!(
        payloads(&mut network, "a", "exact"),
        [json!([7])],
        "no node: all"
    );
}
