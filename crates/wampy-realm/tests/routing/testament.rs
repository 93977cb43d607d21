//! `wamp.session.add_testament` and `wamp.session.flush_testaments`

use serde_json::{Value as Json, json};
use wampy_proto::uri::Grammar;
use wampy_realm::{Disclosure, RealmConfig};

use crate::simulated::{Client, Network, all_features, assert_error};

const ADD: &str = "wamp.session.add_testament";
const FLUSH: &str = "wamp.session.flush_testaments";
const NOTHING: [Json; 0] = [];

/// A client that will leave, and one that watches every topic below `app`.
fn scene(config: RealmConfig) -> (Network, Client, Client) {
    let mut network = Network::with(config);
    let leaver = network.join_as("joe", "user", all_features());
    let watcher = network.join();
    network.subscribe(watcher, "app.", json!({"match": "prefix"}));
    (network, leaver, watcher)
}

/// Calls with args and kwargs; the answer.
fn call(network: &mut Network, client: Client, uri: &str, args: Json, kwargs: Json) -> Json {
    network.send(client, json!([48, 1, {}, uri, args, kwargs]));
    network.receive(client)
}

fn add(network: &mut Network, client: Client, args: Json, kwargs: Json) {
    let answer = call(network, client, ADD, args, kwargs);
    assert_eq!(answer, json!([50, 1, {}]));
}

#[track_caller]
fn refused(network: &mut Network, client: Client, args: Json, kwargs: Json, uri: &str) {
    let answer = call(network, client, ADD, args.clone(), kwargs.clone());
    assert_eq!(answer[4], uri, "{args} {kwargs}: {answer}");
    assert_error(&answer, 48, 1, uri);
}

/// Topic, args and kwargs of each event that a client received.
fn events(network: &mut Network, client: Client) -> Vec<Json> {
    let received = network.received(client);
    let event = |m: Json| {
        assert_eq!(m[0], 36, "{m}");
        json!([m[3]["topic"], m[4], m[5]])
    };
    received.into_iter().map(event).collect()
}

#[test]
fn check_82_testaments_are_published_when_their_session_is_gone() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    let scoped = |scope: &str| json!({"scope": scope});
    add(
        &mut network,
        leaver,
        json!(["app.1", ["a", 1], {"k": [2]}]),
        json!({}),
    );
    add(
        &mut network,
        leaver,
        json!(["app.2", [], {}]),
        scoped("detached"),
    );
    add(&mut network, leaver, json!(["app.3"]), scoped("destroyed"));
    add(
        &mut network,
        leaver,
        json!(["app.4", ["d"]]),
        scoped("detached"),
    );
    add(
        &mut network,
        leaver,
        json!(["app.1", null, {"z": 1}]),
        json!({"scope": null}),
    );
    assert_eq!(network.received(watcher), NOTHING);
    network.leave(leaver);
    let expected = [
        json!(["app.2", null, null]),
        json!(["app.4", ["d"], null]),
        json!(["app.1", ["a", 1], {"k": [2]}]),
        json!(["app.3", null, null]),
        json!(["app.1", [], {"z": 1}]),
    ];
    assert_eq!(events(&mut network, watcher), expected);
}

#[test]
fn check_82_flushing_empties_one_bucket() {
    for (flushed, left) in [
        (json!({}), json!(["app.detached"])),
        (json!({"scope": "destroyed"}), json!(["app.detached"])),
        (json!({"scope": "detached"}), json!(["app.destroyed"])),
    ] {
        let (mut network, leaver, watcher) = scene(RealmConfig::default());
        for scope in ["detached", "destroyed"] {
            let topic = format!("app.{scope}");
            add(
                &mut network,
                leaver,
                json!([topic, [], {}]),
                json!({"scope": scope}),
            );
        }
        let answer = call(&mut network, leaver, FLUSH, json!([]), flushed);
        assert_eq!(answer, json!([50, 1, {}]));
        network.leave(leaver);
        let topics: Vec<_> = events(&mut network, watcher)
            .into_iter()
            .map(|event| event[0].clone())
            .collect();
        assert_eq!(json!(topics), left);
    }
    let (mut network, leaver, _) = scene(RealmConfig::default());
    let answer = call(
        &mut network,
        leaver,
        FLUSH,
        json!([]),
        json!({"scope": "x"}),
    );
    assert_error(&answer, 48, 1, "wamp.error.invalid_argument");
}

#[test]
fn a_killed_session_leaves_its_testaments() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    add(&mut network, leaver, json!(["app.1"]), json!({}));
    let id = network.id(leaver);
    network.ask(watcher, "wamp.session.count", json!([]));
    network.send(watcher, json!([48, 9, {}, "wamp.session.kill", [id]]));
    let received = network.received(watcher);
    assert_eq!((&received[0][0], &received[1][0]), (&json!(36), &json!(50)));
}

#[test]
fn check_79_kill_all_publishes_no_testaments() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    for scope in ["detached", "destroyed"] {
        add(
            &mut network,
            leaver,
            json!(["app.1"]),
            json!({"scope": scope}),
        );
    }
    let killed = network.ask(watcher, "wamp.session.kill_all", json!([]));
    assert_eq!(killed, json!([1]));
    assert_eq!(network.received(watcher), NOTHING);
}

#[test]
fn testaments_come_when_the_session_holds_nothing_and_before_on_leave() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    network.subscribe(watcher, "wamp.", json!({"match": "prefix"}));
    network.subscribe(leaver, "app.", json!({"match": "prefix"}));
    network.register(leaver, "app.proc", json!({}));
    add(&mut network, leaver, json!(["app.1"]), json!({}));
    network.received(watcher);
    // The harness fails if the testament reaches the session that left it.
    network.leave(leaver);
    let topics: Vec<_> = events(&mut network, watcher)
        .into_iter()
        .map(|event| event[0].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "wamp.registration.on_unregister",
        "wamp.registration.on_delete",
        "wamp.subscription.on_unsubscribe",
        "app.1",
        "wamp.session.on_leave",
    ];
    assert_eq!(topics, expected);
}

#[test]
fn publish_options_are_honored() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    let other = network.join_as("ann", "admin", all_features());
    network.subscribe(other, "app.", json!({"match": "prefix"}));
    let (own, watching) = (network.id(leaver), network.id(watcher));
    let options = |options: Json| json!({"publish_options": options});
    let cases = [
        ("app.eligible", json!({"eligible": [watching, own]}), [1, 0]),
        ("app.exclude", json!({"exclude": [watching]}), [0, 1]),
        ("app.role", json!({"eligible_authrole": ["admin"]}), [0, 1]),
        ("app.authid", json!({"exclude_authid": ["ann"]}), [1, 0]),
        (
            "app.ack",
            json!({"acknowledge": true, "exclude_me": false}),
            [1, 1],
        ),
        ("app.null", json!({"acknowledge": null}), [1, 1]),
        ("app.disclosed", json!({"disclose_me": true}), [1, 1]),
    ];
    for (topic, given, _) in &cases {
        add(
            &mut network,
            leaver,
            json!([topic, [7]]),
            options(given.clone()),
        );
    }
    add(
        &mut network,
        leaver,
        json!(["app.none"]),
        json!({"publish_options": null}),
    );
    network.leave(leaver);
    let received = [network.received(watcher), network.received(other)];
    let count = |at: usize, topic: &str| {
        let hits = received[at].iter().filter(|m| m[3]["topic"] == topic);
        hits.count()
    };
    for (topic, given, expected) in cases {
        assert_eq!(
            [count(0, topic), count(1, topic)],
            expected,
            "{topic} {given}"
        );
    }
    assert_eq!([count(0, "app.none"), count(1, "app.none")], [1, 1]);
    let disclosed = received[0]
        .iter()
        .find(|m| m[3]["topic"] == "app.disclosed");
    let expected = json!({
        "topic": "app.disclosed", "publisher": own,
        "publisher_authid": "joe", "publisher_authrole": "user",
    });
    assert_eq!(disclosed.unwrap()[3], expected);
}

#[test]
fn what_could_not_be_published_is_refused_at_once() {
    let config = RealmConfig {
        publisher_disclosure: Disclosure::Denied,
        ..RealmConfig::default()
    };
    let (mut network, leaver, watcher) = scene(config);
    let options = |options: Json| json!({"publish_options": options});
    for (args, kwargs, uri) in [
        (json!(["a..b", [], {}]), json!({}), "invalid_uri"),
        (json!(["wamp.x", [], {}]), json!({}), "invalid_uri"),
        (json!([]), json!({}), "invalid_argument"),
        (json!([7, [], {}]), json!({}), "invalid_argument"),
        (json!(["app.1", {}, {}]), json!({}), "invalid_argument"),
        (json!(["app.1", [], []]), json!({}), "invalid_argument"),
        (json!(["app.1"]), json!({"scope": "x"}), "invalid_argument"),
        (json!(["app.1"]), json!({"scope": 1}), "invalid_argument"),
        (json!(["app.1"]), options(json!([])), "invalid_argument"),
        (
            json!(["app.1"]),
            options(json!({"exclude": 1})),
            "invalid_argument",
        ),
        (
            json!(["app.1"]),
            options(json!({"disclose_me": 1})),
            "invalid_argument",
        ),
        (
            json!(["app.1"]),
            options(json!({"disclose_me": true})),
            "option_disallowed.disclose_me",
        ),
        (
            json!(["app.1"]),
            options(json!({"ppt_scheme": "wamp"})),
            "option_not_allowed",
        ),
    ] {
        refused(
            &mut network,
            leaver,
            args,
            kwargs,
            &format!("wamp.error.{uri}"),
        );
    }
    network.leave(leaver);
    assert_eq!(network.received(watcher), NOTHING);
}

#[test]
fn testaments_per_session_max() {
    let config = RealmConfig {
        testaments_per_session_max: 2,
        ..RealmConfig::default()
    };
    let (mut network, leaver, watcher) = scene(config);
    add(&mut network, leaver, json!(["app.1"]), json!({}));
    add(
        &mut network,
        leaver,
        json!(["app.2"]),
        json!({"scope": "detached"}),
    );
    let one_more = json!(["app.3"]);
    refused(
        &mut network,
        leaver,
        one_more.clone(),
        json!({}),
        "wamp.error.not_authorized",
    );
    // Another session has its own.
    add(&mut network, watcher, one_more.clone(), json!({}));
    call(&mut network, leaver, FLUSH, json!([]), json!({}));
    add(&mut network, leaver, one_more, json!({}));
    network.leave(leaver);
    assert_eq!(network.received(watcher).len(), 2);
}

#[test]
fn testament_bytes_per_session_max() {
    let config = RealmConfig {
        testament_bytes_per_session_max: 200,
        ..RealmConfig::default()
    };
    let (mut network, leaver, _) = scene(config);
    let text = "x".repeat(100);
    add(&mut network, leaver, json!(["app.1", [text]]), json!({}));
    let error = "wamp.error.not_authorized";
    refused(
        &mut network,
        leaver,
        json!(["app.2", [text]]),
        json!({}),
        error,
    );
    let long_options = json!({"publish_options": {"exclude_authid": [text]}});
    refused(&mut network, leaver, json!(["app.2"]), long_options, error);
    add(&mut network, leaver, json!(["app.2", ["small"]]), json!({}));
    call(&mut network, leaver, FLUSH, json!([]), json!({}));
    add(&mut network, leaver, json!(["app.2", [text]]), json!({}));
}

#[test]
fn a_payload_longer_than_decoded_arguments_may_be_is_kept() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    let text = "x".repeat(100_000);
    add(&mut network, leaver, json!(["app.1", [text]]), json!({}));
    network.leave(leaver);
    assert_eq!(network.receive(watcher)[4], json!([text]));
}

#[test]
fn a_topic_that_the_grammar_allows_no_more_when_the_session_leaves_is_none() {
    let (mut network, leaver, watcher) = scene(RealmConfig::default());
    add(
        &mut network,
        leaver,
        json!(["app.Big", ["gone"]]),
        json!({}),
    );
    network.reconfigure(RealmConfig {
        uri_grammar: Grammar::Strict,
        ..RealmConfig::default()
    });
    network.leave(leaver);
    assert_eq!(network.received(watcher), NOTHING);
    // Nor may others publish to it because somebody has.
    let options = json!({"acknowledge": true});
    network.send(watcher, json!([16, 1, options, "app.Big"]));
    assert_error(&network.receive(watcher), 16, 1, "wamp.error.invalid_uri");
}
