//! Payloads that the router passes through, with their attributes.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, FeatureSet, Role, Roles};

use crate::simulated::{Client, Network, all_features, assert_error, features_with};

const NOTHING: [Json; 0] = [];

/// Bytes in JSON: U+0000 and base64. Nothing says that they are what the attributes say.
const SEALED: &str = "\u{0}AAECAwT//g==";

fn able() -> Roles {
    features_with(&[
        Feature::PayloadPassthruMode,
        Feature::ProgressiveCallInvocations,
    ])
}

/// All features, but the mode in only one role.
fn able_only_as(role: Role) -> Roles {
    let mut roles = all_features();
    let mut features = roles.get(role).unwrap_or(FeatureSet::EMPTY);
    features.insert(Feature::PayloadPassthruMode);
    roles.set(role, features);
    roles
}

/// Every attribute, with values that the specification does not know.
fn attributes() -> Json {
    json!({
        "ppt_scheme": "x_own", "ppt_serializer": "CBOR!", "ppt_cipher": "rot13",
        "ppt_keyid": "Schlüssel 7",
    })
}

fn with(mut options: Json, key: &str, value: impl Into<Json>) -> Json {
    options[key] = value.into();
    options
}

/// A callee of `a.b` and a caller.
fn network(callee: Roles, caller: Roles) -> (Network, Client, Client) {
    let mut network = Network::new();
    let (callee, caller) = (network.join_with(callee), network.join_with(caller));
    network.register(callee, "a.b", json!({}));
    (network, callee, caller)
}

#[test]
fn check_72_unannounced_payload_passthru_breaks_the_protocol() {
    let others = |role| {
        let mut roles = able();
        let mut features = roles.get(role).unwrap();
        features.remove(Feature::PayloadPassthruMode);
        roles.set(role, features);
        roles
    };
    let options = attributes();
    for (role, message) in [
        (Role::Caller, json!([48, 1, options, "a.b", [SEALED]])),
        (Role::Publisher, json!([16, 1, options, "a.b", [SEALED]])),
        (Role::Callee, json!([70, 1, options, [SEALED]])),
        (
            Role::Callee,
            json!([8, 68, 1, options, "a.error", [SEALED]]),
        ),
    ] {
        // That the peer has the mode in all its other roles is no excuse.
        let (mut network, callee, caller) = network(others(role), able());
        network.invoke(caller, 1, json!({}), "a.b", callee);
        let problem = network.violate(callee, message);
        let role = role.as_str();
        let expected =
            format!("has ppt_scheme, but the {role} did not announce payload_passthru_mode");
        assert!(problem.ends_with(&expected), "{problem}");
    }
}

#[test]
fn check_73_a_callee_without_the_mode_is_not_called() {
    let (mut network, callee, caller) = network(able_only_as(Role::Caller), able());
    network.send(caller, json!([48, 1, attributes(), "a.b", [SEALED]]));
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
    assert_eq!(
        error[5],
        json!(["the call has ppt_scheme, which its callee does not support"])
    );
    assert_eq!(network.received(callee), NOTHING);
    // Among several callees, one with the mode is called.
    network.register(callee, "shared", json!({"invoke": "first"}));
    let other = network.join_with(able());
    network.register(other, "shared", json!({"invoke": "first"}));
    network.invoke(caller, 2, attributes(), "shared", other);
    network.invoke(caller, 3, json!({}), "shared", callee);
}

#[test]
fn check_73_the_routers_own_procedures_read_no_such_payload() {
    let (mut network, _, caller) = network(able(), able());
    let call = json!([48, 1, attributes(), "wamp.session.count", [SEALED]]);
    network.send(caller, call);
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
}

#[test]
fn check_73_an_answer_that_its_caller_cannot_read_is_an_error() {
    let options = attributes();
    for answer in [
        json!([70, 1, options, [SEALED]]),
        json!([8, 68, 1, options, "a.error", [SEALED]]),
    ] {
        let (mut network, callee, caller) = network(able(), able_only_as(Role::Callee));
        network.invoke(caller, 1, json!({}), "a.b", callee);
        network.send(callee, answer);
        let error = network.receive(caller);
        assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
        assert!(error[5][0].as_str().unwrap().contains("ppt_scheme"));
        assert_eq!(network.received(callee), NOTHING);
        assert_eq!(network.realm.stats().pending_calls, 0);
    }
}

#[test]
fn check_73_progress_that_its_caller_cannot_read_ends_the_call() {
    let (mut network, callee, caller) = network(able(), able_only_as(Role::Callee));
    network.invoke(caller, 1, json!({"receive_progress": true}), "a.b", callee);
    let progress = with(attributes(), "progress", true);
    network.send(callee, json!([70, 1, progress, [SEALED]]));
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
    assert_eq!(
        network.receive(callee),
        json!([69, 1, {"mode": "killnowait"}])
    );
    // Progress that the caller did not ask for is not looked at.
    network.invoke(caller, 2, json!({}), "a.b", callee);
    network.send(callee, json!([70, 2, progress, [SEALED]]));
    assert_eq!(network.received(caller), NOTHING);
    network.send(callee, json!([70, 2, {}, ["plain"]]));
    assert_eq!(network.receive(caller), json!([50, 2, {}, ["plain"]]));
}

#[test]
fn check_74_payload_and_attributes_survive_a_call() {
    let (mut network, callee, caller) = network(able(), able());
    let (options, scheme_only) = (attributes(), json!({"ppt_scheme": "mqtt"}));
    for (request, options) in [(1, options.clone()), (2, scheme_only)] {
        network.send(caller, json!([48, request, options, "a.b", [SEALED]]));
        let invocation = network.receive(callee);
        assert_eq!(
            (&invocation[3], &invocation[4]),
            (&options, &json!([SEALED]))
        );
        network.send(callee, json!([70, request, options, [SEALED]]));
        assert_eq!(
            network.receive(caller),
            json!([50, request, options, [SEALED]])
        );
    }
    // Neither has to answer in kind.
    network.send(caller, json!([48, 3, options, "a.b", [SEALED]]));
    network.receive(callee);
    network.send(callee, json!([70, 3, {}, ["plain"]]));
    assert_eq!(network.receive(caller), json!([50, 3, {}, ["plain"]]));
    network.invoke(caller, 4, json!({}), "a.b", callee);
    let error = json!([8, 68, 4, options, "a.error", [SEALED]]);
    network.send(callee, error);
    assert_eq!(
        network.receive(caller),
        json!([8, 48, 4, options, "a.error", [SEALED]])
    );
}

#[test]
fn check_74_parts_of_calls_and_results_have_the_attributes() {
    let (mut network, callee, caller) = network(able(), able());
    let mut options = with(attributes(), "progress", true);
    options["receive_progress"] = true.into();
    let (id, details) = network.invoke(caller, 1, options.clone(), "a.b", callee);
    assert_eq!(details, options);
    // The first part's attributes are those of all parts, repeated or not.
    network.send(caller, json!([48, 1, {"progress": true}, "a.b", [SEALED]]));
    assert_eq!(network.receive(callee)[3], options);
    network.send(
        caller,
        json!([48, 1, {"ppt_scheme": "other"}, "a.b", [SEALED]]),
    );
    let last = with(attributes(), "receive_progress", true);
    assert_eq!(network.receive(callee)[3], last);
    let progress = with(attributes(), "progress", true);
    network.send(callee, json!([70, id, progress, [SEALED]]));
    assert_eq!(network.receive(caller), json!([50, 1, progress, [SEALED]]));
}

#[test]
fn check_74_payload_and_attributes_survive_a_publication() {
    let mut network = Network::new();
    let (publisher, subscriber) = (network.join_with(able()), network.join_with(able()));
    let exact = network.subscribe(subscriber, "t.a", json!({}));
    let prefix = network.subscribe(subscriber, "t.", json!({"match": "prefix"}));
    network.send(publisher, json!([16, 1, attributes(), "t.a", [SEALED]]));
    let events = network.received(subscriber);
    assert_eq!(events.len(), 2);
    for (event, subscription) in events.iter().zip([exact, prefix]) {
        let mut details = attributes();
        if subscription == prefix {
            details["topic"] = "t.a".into();
        }
        assert_eq!(event[1], subscription);
        assert_eq!((&event[3], &event[4]), (&details, &json!([SEALED])));
    }
}

#[test]
fn check_74_a_testament_may_be_passed_through() {
    let mut network = Network::new();
    let (leaver, able, unable) = (
        network.join_with(able()),
        network.join_with(able()),
        network.join(),
    );
    for subscriber in [able, unable] {
        network.subscribe(subscriber, "t.a", json!({}));
    }
    let options = json!({"publish_options": attributes()});
    let args = json!(["t.a", [SEALED], {}]);
    network.send(
        leaver,
        json!([48, 1, {}, "wamp.session.add_testament", args, options]),
    );
    assert_eq!(network.receive(leaver)[0], 50);
    network.leave(leaver);
    let event = network.receive(able);
    assert_eq!((&event[3], &event[4]), (&attributes(), &json!([SEALED])));
    assert_eq!(network.received(unable), NOTHING);
}

#[test]
fn subscribers_without_the_mode_get_no_such_event() {
    let mut network = Network::new();
    let publisher = network.join_with(able());
    let (able, unable) = (
        network.join_with(able()),
        network.join_with(able_only_as(Role::Publisher)),
    );
    for subscriber in [unable, able] {
        network.subscribe(subscriber, "t.a", json!({}));
    }
    network.subscribe(unable, "t.", json!({"match": "prefix"}));
    let options = with(attributes(), "acknowledge", true);
    network.send(publisher, json!([16, 1, options, "t.a", [SEALED]]));
    assert_eq!(network.receive(publisher)[0], 17);
    assert_eq!(network.receive(able)[3], attributes());
    assert_eq!(network.received(unable), NOTHING);
    // It is still left out where lists or exclusion say who else is, and gets plain events.
    let id = network.id(able);
    let options = with(attributes(), "exclude", json!([id]));
    network.send(publisher, json!([16, 2, options, "t.a", [SEALED]]));
    assert_eq!(network.received(able), NOTHING);
    assert_eq!(network.received(unable), NOTHING);
    network.send(publisher, json!([16, 3, {}, "t.a", ["plain"]]));
    assert_eq!(network.receive(able)[4], json!(["plain"]));
    assert_eq!(network.received(unable).len(), 2);
}

#[test]
fn attributes_without_a_scheme_mean_nothing() {
    let (mut network, callee, caller) = network(all_features(), all_features());
    for (request, options) in [
        json!({"ppt_serializer": "cbor", "ppt_cipher": "c", "ppt_keyid": "k"}),
        json!({"ppt_scheme": "", "ppt_keyid": "k"}),
        json!({"ppt_scheme": null}),
    ]
    .into_iter()
    .enumerate()
    {
        let request = request as u64 + 1;
        let (id, details) = network.invoke(caller, request, options.clone(), "a.b", callee);
        assert_eq!(details, json!({}));
        network.send(callee, json!([70, id, options]));
        assert_eq!(network.receive(caller), json!([50, request, {}]));
    }
}
