//! Registrations and subscriptions that the router takes back.

use serde_json::{Value as Json, json};
use wampy_proto::Feature;

use crate::simulated::{Client, Network, assert_error, every_feature, features_without};

const NOTHING: [Json; 0] = [];

/// Calls a procedure with a keyword argument `reason`; it must answer nothing.
#[track_caller]
fn remove(network: &mut Network, admin: Client, procedure: &str, args: Json, reason: Option<&str>) {
    let mut call = json!([48, 9, {}, procedure, args]);
    if let Some(reason) = reason {
        let call = call.as_array_mut().unwrap();
        call.push(json!({"reason": reason}));
    }
    network.send(admin, call);
    assert_eq!(network.receive(admin), json!([50, 9, {}]));
}

/// What a watcher heard: the topics, by their subscriptions, with the args.
fn heard(network: &mut Network, watcher: Client) -> Vec<(String, Json)> {
    let received = network.received(watcher);
    let topic = |event: &Json| event[3]["topic"].as_str().unwrap().to_owned();
    received
        .iter()
        .map(|event| (topic(event), event[4].clone()))
        .collect()
}

#[test]
fn check_75_a_revoked_registration_is_told_to_a_callee_that_announced_it() {
    let mut network = Network::new();
    let (callee, admin, watcher) = (network.join_capable(), network.join(), network.join());
    let registration = network.register(callee, "a.b", json!({}));
    let (invocation, _) = network.invoke(admin, 1, json!({}), "a.b", callee);
    let prefix = json!({"match": "prefix"});
    network.subscribe(watcher, "wamp.registration", prefix);
    let (id, args) = (
        network.id(callee),
        json!([registration, network.id(callee)]),
    );
    remove(
        &mut network,
        admin,
        "wamp.registration.remove_callee",
        args,
        Some("moved"),
    );
    let expected = json!([67, 0, {"registration": registration, "reason": "moved"}]);
    assert_eq!(network.receive(callee), expected);
    let args = json!([id, registration]);
    let expected = [
        "wamp.registration.on_unregister",
        "wamp.registration.on_delete",
    ]
    .map(|topic| (topic.to_owned(), args.clone()));
    assert_eq!(heard(&mut network, watcher), expected);
    let error = network.ask_in_vain(admin, "a.b", json!([]));
    assert_eq!(error, "wamp.error.no_such_procedure");
    // It has the registration no more, but may answer what it was asked before.
    network.send(callee, json!([66, 1, registration]));
    assert_error(
        &network.receive(callee),
        66,
        1,
        "wamp.error.no_such_registration",
    );
    network.send(callee, json!([70, invocation, {}]));
    assert_eq!(network.receive(admin), json!([50, 1, {}]));
}

#[test]
fn check_75_a_callee_that_did_not_announce_it_hears_nothing() {
    let mut network = Network::new();
    let roles = features_without(&[Feature::RegistrationRevocation]);
    let (callee, other) = (network.join_with(roles), network.join_capable());
    let shared = json!({"invoke": "roundrobin"});
    let registration = network.register(callee, "a.b", shared.clone());
    network.register(other, "a.b", shared);
    let args = json!([registration, network.id(callee)]);
    remove(
        &mut network,
        other,
        "wamp.registration.remove_callee",
        args,
        None,
    );
    assert_eq!(network.received(callee), NOTHING);
    // The others keep the registration.
    network.invoke(callee, 1, json!({}), "a.b", other);
    // Who removes itself is told like anybody else.
    let args = json!([registration, network.id(other)]);
    network.send(
        other,
        json!([48, 9, {}, "wamp.registration.remove_callee", args]),
    );
    let expected = [
        json!([67, 0, {"registration": registration}]),
        json!([50, 9, {}]),
    ];
    assert_eq!(network.received(other), expected);
}

#[test]
fn check_39_a_revoked_subscription_is_told_to_a_subscriber_that_announced_it() {
    let mut network = Network::new();
    let (subscriber, other) = (network.join_capable(), network.join());
    let (admin, watcher) = (network.join(), network.join());
    let subscription = network.subscribe(subscriber, "a.b", json!({}));
    network.subscribe(other, "a.b", json!({}));
    let prefix = json!({"match": "prefix"});
    network.subscribe(watcher, "wamp.subscription", prefix);
    network.received(watcher);
    let id = network.id(subscriber);
    remove(
        &mut network,
        admin,
        "wamp.subscription.remove_subscriber",
        json!([subscription, id]),
        Some("no longer authorized"),
    );
    let reason = "no longer authorized";
    let expected = json!([35, 0, {"subscription": subscription, "reason": reason}]);
    assert_eq!(network.receive(subscriber), expected);
    let topic = "wamp.subscription.on_unsubscribe".to_owned();
    let expected = [(topic, json!([id, subscription]))];
    assert_eq!(heard(&mut network, watcher), expected);
    network.send(admin, json!([16, 1, {}, "a.b"]));
    assert_eq!(network.received(subscriber), NOTHING);
    assert_eq!(network.receive(other)[0], 36);
}

#[test]
fn check_39_a_subscriber_that_did_not_announce_it_hears_nothing() {
    let mut network = Network::new();
    let roles = features_without(&[Feature::SubscriptionRevocation]);
    let (subscriber, admin) = (network.join_with(roles), network.join());
    let subscription = network.subscribe(subscriber, "a.b", json!({}));
    let args = json!([subscription, network.id(subscriber)]);
    remove(
        &mut network,
        admin,
        "wamp.subscription.remove_subscriber",
        args,
        Some("why not"),
    );
    assert_eq!(network.received(subscriber), NOTHING);
    assert_eq!(network.realm.stats().subscriptions, 0);
}

#[test]
fn only_what_a_session_has_is_revoked() {
    let mut network = Network::new();
    let (callee, admin) = (network.join_with(every_feature()), network.join());
    let registration = network.register(callee, "a.b", json!({}));
    let subscription = network.subscribe(callee, "a.b", json!({}));
    let (callee_id, admin_id) = (network.id(callee), network.id(admin));
    for (family, role, id) in [
        ("registration", "callee", registration),
        ("subscription", "subscriber", subscription),
    ] {
        let procedure = format!("wamp.{family}.remove_{role}");
        let missing = format!("wamp.error.no_such_{family}");
        for (args, error) in [
            (json!([id + 1, callee_id]), &*missing),
            (json!([id, admin_id]), &*missing),
            (json!([id, 77]), "wamp.error.no_such_session"),
            (json!([id]), "wamp.error.invalid_argument"),
            (json!([]), "wamp.error.invalid_argument"),
        ] {
            assert_eq!(network.ask_in_vain(admin, &procedure, args), error);
        }
        let args = json!([id, callee_id]);
        network.send(
            admin,
            json!([48, 9, {}, procedure, args, {"reason": ["not", "text"]}]),
        );
        assert_error(
            &network.receive(admin),
            48,
            9,
            "wamp.error.invalid_argument",
        );
    }
    assert_eq!(network.received(callee), NOTHING);
    let stats = network.realm.stats();
    assert_eq!((stats.registrations, stats.subscriptions), (1, 1));
}
