//! Event History: `wamp.subscription.get_events`.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::{Keeping, KeepingRule, RealmConfig, Shelf};

use crate::authorization::{everything, roles};
use crate::simulated::{Client, Network, all_features, assert_error};

fn keeping(rules: impl Into<Vec<KeepingRule>>) -> RealmConfig {
    RealmConfig {
        event_history: Keeping {
            rules: rules.into(),
            ..Keeping::history()
        },
        ..RealmConfig::default()
    }
}

/// A realm with a history of all topics below `log.`.
fn logging() -> Network {
    Network::with(keeping([log_rule()]))
}

fn log_rule() -> KeepingRule {
    KeepingRule::history("log.", MatchPolicy::Prefix)
}

/// Calls `get_events`: its events, and whether there are more.
#[track_caller]
fn get_events(
    network: &mut Network,
    client: Client,
    subscription: u64,
    kwargs: Json,
) -> (Vec<Json>, bool) {
    let procedure = "wamp.subscription.get_events";
    network.send(
        client,
        json!([48, 1, {}, procedure, [subscription], kwargs]),
    );
    let result = network.receive(client);
    assert_eq!(
        (&result[0], &result[1]),
        (&json!(50), &json!(1)),
        "{result}"
    );
    let events = result[3].as_array().unwrap().clone();
    (events, result[4]["more"].as_bool().unwrap())
}

/// The numbers that the events of a call of `get_events` carry.
#[track_caller]
fn numbers(network: &mut Network, client: Client, subscription: u64, kwargs: Json) -> Vec<u64> {
    let (events, _) = get_events(network, client, subscription, kwargs);
    events
        .iter()
        .map(|event| event["args"][0].as_u64().unwrap())
        .collect()
}

/// The ERROR that `get_events` gets: its URI and why.
#[track_caller]
fn refusal(network: &mut Network, client: Client, args: Json, kwargs: Json) -> (String, String) {
    network.send(
        client,
        json!([48, 1, {}, "wamp.subscription.get_events", args, kwargs]),
    );
    let error = network.receive(client);
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    assert_error(&error, 48, 1, &text(&error[4]));
    (text(&error[4]), text(&error[5][0]))
}

/// Publishes events 1, 2, … to `topics`, one second after each other; their publication ids.
fn publish(network: &mut Network, publisher: Client, topics: &[&str]) -> Vec<u64> {
    network.date_goes_on = true;
    let mut publications = Vec::new();
    for (number, topic) in (1..).zip(topics) {
        let options = json!({"acknowledge": true});
        network.send(publisher, json!([16, 1, options, topic, [number]]));
        publications.push(network.receive(publisher)[2].as_u64().unwrap());
        network.pass(1000);
    }
    publications
}

#[test]
fn each_subscription_has_the_events_of_its_topics_in_their_order() {
    let mut network = logging();
    let (publisher, client) = (network.join(), network.join());
    // The example of the specification; nobody has subscribed yet.
    let (auth, basket, checkout) = ("log.auth", "log.basket", "log.checkout");
    publish(
        &mut network,
        publisher,
        &[auth, basket, basket, basket, checkout, "other"],
    );
    for (topic, match_policy, expected) in [
        (auth, "exact", vec![1]),
        (basket, "exact", vec![2, 3, 4]),
        ("log.never", "exact", vec![]),
        ("log", "prefix", vec![1, 2, 3, 4, 5]),
        (".basket", "wildcard", vec![2, 3, 4]),
        ("other", "prefix", vec![]),
    ] {
        let subscription = network.subscribe(client, topic, json!({"match": match_policy}));
        let found = numbers(&mut network, client, subscription, json!({}));
        assert_eq!(found, expected, "{topic} {match_policy}");
    }
    let broker = network.realm.welcome_roles().get(Role::Broker).unwrap();
    assert!(broker.contains(Feature::EventHistory));
}

#[test]
fn events_tell_when_and_by_whom_they_were_published() {
    let mut network = logging();
    let (publisher, client) = (network.join(), network.join());
    let options = json!({"acknowledge": true, "disclose_me": true});
    network.send(
        publisher,
        json!([16, 1, options, "log.a", [1.5, "\u{0}AAE="], {"k": [null]}]),
    );
    let first = network.receive(publisher)[2].clone();
    network.send(publisher, json!([16, 1, {"acknowledge": true}, "log.a"]));
    let second = network.receive(publisher)[2].clone();
    let subscription = network.subscribe(client, "log", json!({"match": "prefix"}));
    let (events, more) = get_events(&mut network, client, subscription, json!({}));
    let publisher = network.id(publisher);
    let expected = json!([
        {
            "timestamp": "2020-02-28T23:59:59.999Z",
            "subscription": subscription,
            "publication": first,
            "details": {
                "topic": "log.a",
                "publisher": publisher,
                "publisher_authid": "someone",
                "publisher_authrole": "member",
            },
            "args": [1.5, "\u{0}AAE="],
            "kwargs": {"k": [null]},
        },
        {
            "timestamp": "2020-02-28T23:59:59.999Z",
            "subscription": subscription,
            "publication": second,
            "details": {"topic": "log.a"},
        },
    ]);
    assert_eq!(json!(events), expected);
    assert!(!more);
    let exact = network.subscribe(client, "log.a", json!({}));
    let (events, _) = get_events(&mut network, client, exact, json!({}));
    assert_eq!(events[1]["details"], json!({}), "the topic is known");
}

#[test]
fn every_filter_leaves_out_what_it_says() {
    let mut network = logging();
    let (publisher, client) = (network.join(), network.join());
    let topics = ["log.a", "log.b", "log.a", "log.b", "log.a"];
    let ids = publish(&mut network, publisher, &topics);
    let subscription = network.subscribe(client, "log", json!({"match": "prefix"}));
    // Published at :59.999, then :00.999, :01.999, :02.999, :03.999.
    let third = "2020-02-29T00:00:01.999Z";
    for (filter, expected) in [
        (json!({}), vec![1, 2, 3, 4, 5]),
        (json!({"reverse": false}), vec![1, 2, 3, 4, 5]),
        (json!({"reverse": true}), vec![5, 4, 3, 2, 1]),
        (json!({"limit": 2}), vec![1, 2]),
        (json!({"limit": 2, "reverse": true}), vec![5, 4]),
        (json!({"limit": 9, "topic": null}), vec![1, 2, 3, 4, 5]),
        (json!({"from_time": third}), vec![3, 4, 5]),
        (json!({"after_time": third}), vec![4, 5]),
        (json!({"before_time": third}), vec![1, 2]),
        (json!({"until_time": third}), vec![1, 2, 3]),
        (
            json!({"from_time": "2020-02-29T02:00:01.999+02:00"}),
            vec![3, 4, 5],
        ),
        (
            json!({"from_time": "2020-02-28t19:00:01.9990001-05:00"}),
            vec![4, 5],
        ),
        (
            json!({"from_time": "1969-01-01T00:00:00Z"}),
            vec![1, 2, 3, 4, 5],
        ),
        (json!({"topic": "log.b"}), vec![2, 4]),
        (json!({"topic": "log"}), vec![]),
        (json!({"from_publication": ids[2]}), vec![3, 4, 5]),
        (json!({"after_publication": ids[2]}), vec![4, 5]),
        (json!({"before_publication": ids[2]}), vec![1, 2]),
        (json!({"until_publication": ids[2]}), vec![1, 2, 3]),
        (json!({"after_publication": ids[4]}), vec![]),
        (json!({"before_publication": ids[0]}), vec![]),
        (
            json!({"from_publication": ids[3], "until_publication": ids[1]}),
            vec![],
        ),
        (
            json!({"after_publication": ids[0], "until_publication": ids[3], "topic": "log.a"}),
            vec![3],
        ),
        (
            json!({"after_publication": ids[2], "topic": "log.b", "reverse": true}),
            vec![4],
        ),
        (
            json!({"from_time": third, "before_publication": ids[4], "limit": 1}),
            vec![3],
        ),
    ] {
        let found = numbers(&mut network, client, subscription, filter.clone());
        assert_eq!(found, expected, "{filter}");
    }
}

#[test]
fn pages_follow_each_other_in_both_directions() {
    let mut network = logging();
    let (publisher, client) = (network.join(), network.join());
    publish(&mut network, publisher, &["log.a"; 5]);
    let subscription = network.subscribe(client, "log.a", json!({}));
    for (reverse, next, expected) in [
        (false, "after_publication", [1, 2, 3, 4, 5]),
        (true, "before_publication", [5, 4, 3, 2, 1]),
    ] {
        let mut filter = json!({"limit": 2, "reverse": reverse});
        let mut seen = Vec::new();
        loop {
            let (events, more) = get_events(&mut network, client, subscription, filter.clone());
            seen.extend(
                events
                    .iter()
                    .map(|event| event["args"][0].as_u64().unwrap()),
            );
            filter[next] = events.last().unwrap()["publication"].clone();
            assert_eq!(more, seen.len() < 5);
            if !more {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

#[test]
fn one_call_returns_no_more_than_allowed() {
    let config = RealmConfig {
        history_events_per_call_max: 3,
        history_bytes_per_call_max: 100,
        ..keeping([log_rule()])
    };
    let mut network = Network::with(config);
    let (publisher, client) = (network.join(), network.join());
    publish(&mut network, publisher, &["log.a"; 5]);
    let subscription = network.subscribe(client, "log.a", json!({}));
    let (events, more) = get_events(&mut network, client, subscription, json!({"limit": 4}));
    assert_eq!((events.len(), more), (3, true));
    for _ in 0..2 {
        network.send(publisher, json!([16, 1, {}, "log.a", ["x".repeat(200)]]));
    }
    network.received(client);
    let latest = json!({"reverse": true});
    let (events, more) = get_events(&mut network, client, subscription, latest);
    assert_eq!(
        (events.len(), more),
        (1, true),
        "the first event in any case"
    );
}

#[test]
fn mistakes_in_the_arguments_are_named() {
    let mut network = logging();
    let client = network.join();
    let subscription = network.subscribe(client, "log.a", json!({}));
    for (kwargs, problem) in [
        (json!({"reverse": 1}), "reverse must be a boolean"),
        (json!({"limit": 0}), "limit must be an integer of 1 or more"),
        (
            json!({"limit": "2"}),
            "limit must be an integer of 1 or more",
        ),
        (
            json!({"from_time": "yesterday"}),
            "from_time must be a time of RFC 3339",
        ),
        (json!({"after_time": 5}), "after_time must be a string"),
        (json!({"topic": 5}), "topic must be a string"),
        (
            json!({"until_publication": -1}),
            "until_publication must be an integer",
        ),
        (
            json!({"from_publication": 77}),
            "from_publication: the history has no publication 77",
        ),
    ] {
        let (uri, message) = refusal(&mut network, client, json!([subscription]), kwargs);
        assert_eq!(uri, "wamp.error.invalid_argument", "{problem}");
        assert!(message.contains(problem), "{message}");
    }
    let (uri, _) = refusal(&mut network, client, json!([]), json!({}));
    assert_eq!(uri, "wamp.error.invalid_argument");
    let (uri, _) = refusal(&mut network, client, json!([subscription + 1]), json!({}));
    assert_eq!(uri, "wamp.error.no_such_subscription");
    let other = network.subscribe(client, "other", json!({}));
    let (uri, message) = refusal(&mut network, client, json!([other]), json!({}));
    assert_eq!(uri, "wamp.error.feature_not_supported");
    assert!(message.contains("\"other\""), "{message}");
}

#[test]
fn a_realm_without_rules_has_no_history() {
    let mut network = Network::new();
    let client = network.join();
    let subscription = network.subscribe(client, "log", json!({"match": "prefix"}));
    let (uri, _) = refusal(&mut network, client, json!([subscription]), json!({}));
    assert_eq!(uri, "wamp.error.feature_not_supported");
    let broker = network.realm.welcome_roles().get(Role::Broker).unwrap();
    assert!(
        !broker.contains(Feature::EventHistory),
        "nothing to announce"
    );
}

#[test]
fn check_83_lists_of_sessions_keep_an_event_out_and_lists_of_names_apply_to_who_asks() {
    let mut network = logging();
    let publisher = network.join();
    let lists = [
        json!({}),
        json!({"exclude": [17]}),
        json!({"eligible": [18], "eligible_authid": ["alice"]}),
        json!({"exclude_authid": ["alice"]}),
        json!({"eligible_authid": ["alice", "bob"]}),
        json!({"exclude_authrole": ["guest"]}),
        json!({"eligible_authrole": ["guest"], "exclude_me": false}),
    ];
    for (number, lists) in (0..).zip(lists) {
        network.send(publisher, json!([16, 1, lists, "log.a", [number]]));
    }
    for (authid, authrole, expected) in [
        ("alice", "staff", vec![0, 4, 5]),
        ("bob", "guest", vec![0, 3, 4, 6]),
        ("carol", "staff", vec![0, 3, 5]),
    ] {
        let client = network.join_as(authid, authrole, all_features());
        let subscription = network.subscribe(client, "log.a", json!({}));
        let found = numbers(&mut network, client, subscription, json!({}));
        assert_eq!(found, expected, "{authid}");
    }
    // What one may not see, one cannot ask about either.
    let mallory = network.join_as("alice", "guest", all_features());
    let subscription = network.subscribe(mallory, "log.a", json!({}));
    let bob = network.join_as("bob", "staff", all_features());
    let (events, _) = get_events(&mut network, bob, subscription, json!({}));
    let hidden = events
        .iter()
        .find(|event| event["args"] == json!([3]))
        .unwrap();
    let kwargs = json!({"from_publication": hidden["publication"]});
    let (uri, _) = refusal(&mut network, mallory, json!([subscription]), kwargs);
    assert_eq!(uri, "wamp.error.invalid_argument");
}

#[test]
fn the_oldest_events_of_a_topic_and_of_the_realm_go_first() {
    let few = KeepingRule {
        events_per_topic_max: 2,
        ..log_rule()
    };
    let mut config = keeping([few]);
    config.event_history.events_max = 3;
    let mut network = Network::with(config);
    let (publisher, client) = (network.join(), network.join());
    let subscription = network.subscribe(client, "log", json!({"match": "prefix"}));
    let topics = ["log.a", "log.a", "log.a", "log.b"];
    publish(&mut network, publisher, &topics);
    network.received(client);
    assert_eq!(
        numbers(&mut network, client, subscription, json!({})),
        [2, 3, 4]
    );
    publish(&mut network, publisher, &["log.c"]);
    network.received(client);
    assert_eq!(
        numbers(&mut network, client, subscription, json!({})),
        [3, 4, 1]
    );

    let small = KeepingRule {
        bytes_per_topic_max: 1000,
        ..log_rule()
    };
    let mut network = Network::with(keeping([small]));
    let (publisher, client) = (network.join(), network.join());
    for number in 1..=4 {
        network.send(
            publisher,
            json!([16, 1, {}, "log.a", [number, "x".repeat(150)]]),
        );
    }
    network.send(
        publisher,
        json!([16, 1, {}, "log.a", [5, "x".repeat(1000)]]),
    );
    let subscription = network.subscribe(client, "log.a", json!({}));
    let found = numbers(&mut network, client, subscription, json!({}));
    assert_eq!(
        found,
        [3, 4],
        "and what is too large by itself costs nobody its place"
    );
}

#[test]
fn events_that_are_too_old_are_forgotten() {
    let short = KeepingRule {
        age_ms_max: Some(2500),
        ..log_rule()
    };
    let mut network = Network::with(keeping([short]));
    let (publisher, client) = (network.join(), network.join());
    publish(&mut network, publisher, &["log.a"; 4]);
    let subscription = network.subscribe(client, "log.a", json!({}));
    assert_eq!(
        numbers(&mut network, client, subscription, json!({})),
        [3, 4]
    );
    network.pass(3000);
    assert_eq!(network.realm.stats().history_events, 0);
}

#[test]
fn history_outlives_the_router_that_has_a_store() {
    let mut network = logging();
    let publisher = network.join();
    let before = publish(&mut network, publisher, &["log.a", "log.b", "log.a"]);
    let few = KeepingRule {
        events_per_topic_max: 2,
        ..log_rule()
    };
    network.restart(keeping([few]));
    let (publisher, client) = (network.join(), network.join());
    publish(&mut network, publisher, &["log.a"]);
    let subscription = network.subscribe(client, "log", json!({"match": "prefix"}));
    let (events, _) = get_events(&mut network, client, subscription, json!({}));
    let publications: Vec<_> = events.iter().map(|event| &event["publication"]).collect();
    assert_eq!(publications[..2], [&json!(before[1]), &json!(before[2])]);
    assert_eq!(events.len(), 3);
    network.restart(RealmConfig::default());
    assert_eq!(
        network.realm.stats().history_events,
        0,
        "no rule keeps them any longer"
    );
}

#[test]
fn payloads_too_deep_for_a_result_are_left_out() {
    let mut network = logging();
    let (publisher, client) = (network.join(), network.join());
    let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
    for levels in [127, 100] {
        network.send(publisher, json!([16, 1, {}, "log.a", nested(levels)]));
    }
    let subscription = network.subscribe(client, "log.a", json!({}));
    let (events, more) = get_events(&mut network, client, subscription, json!({}));
    assert_eq!((events.len(), more), (1, false));
    assert_eq!(events[0]["args"], nested(100));
}

#[test]
fn check_83_who_may_not_subscribe_may_not_ask_for_history() {
    let mut network = Network::with(RealmConfig {
        roles: roles(json!([everything(), {"name": "user", "permissions": [
            {"uri": "wamp.subscription.*", "allow": {"call": true}},
            {"uri": "log.public.*", "allow": {"subscribe": true}},
        ]}])),
        ..keeping([log_rule()])
    });
    let backend = network.join_as("backend", "backend", all_features());
    let user = network.join_as("alice", "user", all_features());
    publish(&mut network, backend, &["log.public.a", "log.secret"]);
    for (topic, match_policy, allowed) in [
        ("log.public.a", "exact", true),
        ("log.public.", "prefix", true),
        ("log.secret", "exact", false),
        ("log.", "prefix", false),
    ] {
        let subscription = network.subscribe(backend, topic, json!({"match": match_policy}));
        let reference = json!([subscription]);
        if allowed {
            assert_eq!(numbers(&mut network, user, subscription, json!({})), [1]);
        } else {
            let (uri, why) = refusal(&mut network, user, reference, json!({}));
            assert_eq!(uri, "wamp.error.not_authorized");
            assert!(why.contains("may not subscribe"), "{why}");
        }
    }
    let (uri, _) = refusal(&mut network, user, json!([999]), json!({}));
    assert_eq!(uri, "wamp.error.no_such_subscription");
}

#[test]
fn an_event_that_cannot_be_retained_is_no_history_either() {
    let mut network = logging();
    let publisher = network.join();
    network.break_shelf(Shelf::Retained);
    let options = json!({"retain": true, "acknowledge": true});
    network.send(publisher, json!([16, 1, options, "log.a", [1]]));
    assert_error(&network.receive(publisher), 16, 1, "wamp.error.unavailable");
    assert_eq!(
        network.realm.stats().history_events,
        0,
        "it was not published"
    );
    // Who does not want to know gets what can be had.
    network.send(publisher, json!([16, 2, {"retain": true}, "log.a", [2]]));
    let reader = network.join();
    let subscription = network.subscribe(reader, "log.a", json!({}));
    assert_eq!(numbers(&mut network, reader, subscription, json!({})), [2]);
}
