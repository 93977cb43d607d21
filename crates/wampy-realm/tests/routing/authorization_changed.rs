//! New roles for a realm in which sessions are already.

use serde_json::{Value as Json, json};
use wampy_realm::RealmRoles;

use crate::authorization::{everything, join, network, roles};
use crate::simulated::{Client, Network, assert_error};

const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";

fn types(messages: &[Json]) -> Vec<u64> {
    let message_type = |message: &Json| message[0].as_u64().unwrap();
    messages.iter().map(message_type).collect()
}

#[test]
fn what_is_not_allowed_any_more_is_revoked_at_once() {
    let mut network = network(json!([everything()]));
    let client = join(&mut network, "alice", "backend");
    let (kept, lost) = (
        network.subscribe(client, "a.b", json!({})),
        network.subscribe(client, "", json!({"match": "prefix"})),
    );
    network.received(client);
    let (kept_registration, lost_registration) = (
        network.register(client, "a.b", json!({})),
        network.register(client, "c.d", json!({})),
    );
    network.received(client);
    network.set_roles(roles(json!([
        {"name": "backend", "permissions": [
            {"uri": "a.*", "subscribe": true, "register": true, "publish": true},
        ]},
    ])));
    let mut revoked = network.received(client);
    revoked.retain(|message| message[0] != 36);
    let reason = NOT_AUTHORIZED;
    assert_eq!(
        revoked,
        [
            json!([35, 0, {"subscription": lost, "reason": reason}]),
            json!([67, 0, {"registration": lost_registration, "reason": reason}]),
        ]
    );
    network.send(client, json!([16, 9, {"exclude_me": false}, "a.b"]));
    assert_eq!(network.receive(client)[1], kept);
    network.send(client, json!([66, 10, kept_registration]));
    assert_eq!(network.receive(client)[0], 67);
    // What was remembered is not any more.
    network.send(client, json!([16, 11, {"acknowledge": true}, "c.d"]));
    assert_error(&network.receive(client), 16, 11, NOT_AUTHORIZED);
}

#[test]
fn a_role_that_is_no_more_may_do_nothing_and_no_roles_allow_everything() {
    let mut network = network(json!([everything(), {"name": "user"}]));
    let (client, user) = (
        join(&mut network, "alice", "backend"),
        join(&mut network, "bob", "user"),
    );
    network.subscribe(client, "a.b", json!({}));
    network.set_roles(roles(json!([{"name": "user"}])));
    assert_eq!(types(&network.received(client)), [35]);
    assert_eq!(network.realm.stats().subscriptions, 0);
    network.set_roles(RealmRoles::default());
    network.subscribe(user, "a.b", json!({}));
    network.subscribe(client, "a.b", json!({}));
}

#[test]
fn the_first_roles_take_from_those_whose_role_they_do_not_list() {
    let mut network = Network::new();
    let client = join(&mut network, "alice", "backend");
    let subscription = network.subscribe(client, "a.b", json!({}));
    let registration = network.register(client, "a.b", json!({}));
    network.set_roles(roles(json!([{"name": "user"}])));
    let reason = NOT_AUTHORIZED;
    assert_eq!(
        network.received(client),
        [
            json!([35, 0, {"subscription": subscription, "reason": reason}]),
            json!([67, 0, {"registration": registration, "reason": reason}]),
        ]
    );
}

#[test]
fn calls_that_are_under_way_go_on() {
    let mut network = network(json!([everything()]));
    let (caller, callee) = (
        join(&mut network, "alice", "backend"),
        join(&mut network, "bob", "backend"),
    );
    network.register(callee, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", callee);
    network.set_roles(roles(json!([{"name": "backend"}])));
    network.received(callee);
    network.send(callee, json!([70, invocation, {}, ["done"]]));
    assert_eq!(network.receive(caller)[3], json!(["done"]));
}

fn asked() -> (Network, Client, Client) {
    let mut network = network(asked_roles("com.authorize"));
    let authorizer = join(&mut network, "judge", "backend");
    network.register(authorizer, "com.authorize", json!({}));
    network.register(authorizer, "com.other", json!({}));
    let user = join(&mut network, "alice", "user");
    (network, authorizer, user)
}

fn asked_roles(procedure: &str) -> Json {
    json!([everything(), {"name": "user", "authorizer": procedure}])
}

#[track_caller]
fn answer(network: &mut Network, authorizer: Client, uri: &str, answer: Json) {
    let question = network.receive(authorizer);
    assert_eq!(
        (&question[0], &question[4][1]),
        (&json!(68), &json!(uri)),
        "{question}"
    );
    network.send(authorizer, json!([70, question[1], {}, [answer]]));
}

#[test]
fn another_authorizer_is_asked_anew_about_what_is_held() {
    let (mut network, authorizer, user) = asked();
    for (request, topic) in [(1, "a.one"), (2, "a.two")] {
        network.send(user, json!([32, request, {}, topic]));
        answer(&mut network, authorizer, topic, json!(true));
    }
    let lost = network.received(user)[1][2].clone();
    // The same roles as before: what was granted stays.
    network.set_roles(roles(asked_roles("com.authorize")));
    assert_eq!(network.received(authorizer), [Json::Null; 0]);
    network.set_roles(roles(asked_roles("com.other")));
    // Meanwhile requests wait, and events come.
    network.send(user, json!([16, 3, {"acknowledge": true}, "a.b"]));
    network.send(authorizer, json!([16, 1, {}, "a.two"]));
    assert_eq!(types(&network.received(user)), [36]);
    answer(&mut network, authorizer, "a.one", json!(true));
    answer(&mut network, authorizer, "a.two", json!(false));
    let revoked = json!([35, 0, {"subscription": lost, "reason": NOT_AUTHORIZED}]);
    assert_eq!(network.received(user), [revoked]);
    answer(&mut network, authorizer, "a.b", json!(true));
    assert_eq!(network.receive(user)[0], 17);
    assert_eq!(network.realm.stats().subscriptions, 1);
}

#[test]
fn remembered_answers_are_forgotten() {
    let (mut network, authorizer, user) = asked();
    let publish = json!([16, 1, {"acknowledge": true}, "a.b"]);
    network.send(user, publish.clone());
    answer(
        &mut network,
        authorizer,
        "a.b",
        json!({"allow": true, "cache": true}),
    );
    network.received(user);
    network.set_roles(roles(asked_roles("com.authorize")));
    network.send(user, publish);
    answer(&mut network, authorizer, "a.b", json!(false));
    assert_error(&network.receive(user), 16, 1, NOT_AUTHORIZED);
}

#[test]
fn requests_that_wait_are_decided_by_the_new_roles() {
    let (mut network, authorizer, user) = asked();
    for request in [1, 2] {
        network.send(user, json!([16, request, {"acknowledge": true}, "a.b"]));
    }
    let question = network.receive(authorizer);
    network.set_roles(roles(json!([
        everything(),
        {"name": "user", "permissions": [{"uri": "a.b", "publish": true}]},
    ])));
    assert_eq!(types(&network.received(user)), [17, 17]);
    assert_eq!(types(&network.received(authorizer)), [69]);
    network.send(authorizer, json!([70, question[1], {}, [false]]));
    assert_eq!(network.received(user), [Json::Null; 0]);
    // And back again, with nobody to ask.
    network.leave(authorizer);
    network.set_roles(roles(asked_roles("com.authorize")));
    network.send(user, json!([16, 3, {"acknowledge": true}, "a.b"]));
    assert_error(
        &network.receive(user),
        16,
        3,
        "wamp.error.authorization_failed",
    );
}

#[test]
fn what_waits_passes_when_there_are_no_roles_any_more() {
    let (mut network, authorizer, user) = asked();
    network.send(user, json!([32, 1, {}, "a.topic"]));
    answer(&mut network, authorizer, "a.topic", json!(true));
    network.received(user);
    // The subscription is asked about again, and requests wait behind it.
    network.set_roles(roles(asked_roles("com.other")));
    for request in [2, 3] {
        network.send(user, json!([16, request, {"acknowledge": true}, "a.b"]));
    }
    assert_eq!(types(&network.received(authorizer)), [68]);
    network.set_roles(RealmRoles::default());
    assert_eq!(types(&network.received(user)), [17, 17]);
    assert_eq!(types(&network.received(authorizer)), [69]);
    assert_eq!(network.realm.stats().subscriptions, 1);
}

#[test]
fn what_waited_finds_all_sessions_in_their_new_roles() {
    let waiting = asked_roles("com.authorize");
    let (mut network, _, user) = asked();
    let gone = join(&mut network, "bob", "backend");
    let listener = join(&mut network, "eve", "backend");
    network.subscribe(listener, "a.b", json!({}));
    network.received(listener);
    network.ask(gone, "wamp.session.add_testament", json!(["a.b", [], {}]));
    let kill = json!([48, 1, {}, "wamp.session.kill", [network.id(gone)]]);
    network.send(user, kill);
    // The roles stand in another order, and only that of who is ended may publish.
    let kills = json!({"name": "user", "permissions": [
        {"uri": "wamp.*", "allow": {"call": true}},
    ]});
    network.set_roles(roles(json!([kills, waiting[0]])));
    assert_eq!(types(&network.received(user)), [50]);
    assert_eq!(types(&network.received(listener)), [36]);
}
