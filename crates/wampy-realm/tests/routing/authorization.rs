//! Authorization by permissions: what each role may do.

use serde_json::{Value as Json, json};
use wampy_realm::{Disclosure, RealmConfig, RealmRoles};

use crate::simulated::{Client, Network, assert_error, every_feature};

pub fn roles(roles: Json) -> RealmRoles {
    serde_json::from_value(roles).unwrap()
}

pub fn network(of: Json) -> Network {
    Network::with(RealmConfig {
        roles: roles(of),
        ..RealmConfig::default()
    })
}

pub fn join(network: &mut Network, authid: &str, authrole: &str) -> Client {
    network.join_as(authid, authrole, every_feature())
}

const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";

/// A role whose sessions may do everything, such as the callees of a test.
pub fn everything() -> Json {
    json!({"name": "backend", "permissions": [
        {"uri": "*", "allow": {"call": true, "register": true, "publish": true, "subscribe": true}},
    ]})
}

#[test]
fn each_action_is_allowed_on_its_own_and_refused_in_words() {
    let requests = [
        ("call", json!([48, 1, {}, "a.b"]), 48),
        ("register", json!([64, 1, {}, "a.b"]), 64),
        ("publish", json!([16, 1, {"acknowledge": true}, "a.b"]), 16),
        ("subscribe", json!([32, 1, {}, "a.b"]), 32),
    ];
    for (allowed, ..) in &requests {
        let mut network = network(json!([
            {"name": "user", "permissions": [{"uri": "a.b", "allow": {*allowed: true}}]},
        ]));
        let client = join(&mut network, "alice", "user");
        for (action, request, request_type) in &requests {
            network.send(client, request.clone());
            let answer = network.receive(client);
            if action == allowed {
                assert!(
                    answer[0] != 8 || answer[4] == "wamp.error.no_such_procedure",
                    "{answer}"
                );
            } else {
                assert_error(&answer, *request_type, 1, NOT_AUTHORIZED);
                let why = format!("the role \"user\" may not {action} \"a.b\"");
                assert_eq!(answer[5][0], why);
            }
        }
    }
}

#[test]
fn without_roles_everybody_may_do_everything_and_with_some_others_nothing() {
    let mut open = Network::new();
    let client = open.join();
    open.subscribe(client, "", json!({"match": "prefix"}));
    open.register(client, "a.b", json!({}));

    let mut closed = network(json!([everything()]));
    let (listed, other) = (
        join(&mut closed, "alice", "backend"),
        join(&mut closed, "bob", "stranger"),
    );
    closed.subscribe(listed, "", json!({"match": "prefix"}));
    closed.send(other, json!([32, 1, {}, "a.b"]));
    assert_error(&closed.receive(other), 32, 1, NOT_AUTHORIZED);
    let refused = closed.ask_in_vain(other, "wamp.session.count", json!([]));
    assert_eq!(refused, NOT_AUTHORIZED);
}

#[test]
fn a_publication_that_wants_no_answer_is_refused_silently() {
    let mut network = network(json!([
        everything(),
        {"name": "user", "permissions": [{"uri": "b.*", "publish": true}]},
    ]));
    let (subscriber, user) = (
        join(&mut network, "sub", "backend"),
        join(&mut network, "alice", "user"),
    );
    network.subscribe(subscriber, "a.b", json!({}));
    network.subscribe(subscriber, "b.c", json!({}));
    network.send(user, json!([16, 1, {}, "a.b", ["secret"]]));
    assert_eq!(network.received(user), [Json::Null; 0]);
    assert_eq!(network.received(subscriber), [Json::Null; 0]);
    network.send(user, json!([16, 2, {}, "b.c", ["open"]]));
    assert_eq!(network.receive(subscriber)[4], json!(["open"]));
}

#[test]
fn the_longest_permission_wins() {
    let mut network = network(json!([
        {"name": "user", "permissions": [
            {"uri": "com.*", "publish": true},
            {"uri": "com.secret.*", "allow": {}},
            {"uri": "com.secret.open", "publish": true},
            {"uri": "net.*.news", "publish": true},
            {"uri": "net.*.*", "allow": {}},
        ]},
    ]));
    let client = join(&mut network, "alice", "user");
    // Twice, since the second time it is remembered.
    for request in [1, 2] {
        for (topic, allowed) in [
            ("com.news", true),
            ("com.secret", true),
            ("com.secret.plan", false),
            ("com.secret.open", true),
            ("com.secret.open.not", false),
            ("net.example.news", true),
            ("net.example.other", false),
            ("org.news", false),
        ] {
            network.send(client, json!([16, request, {"acknowledge": true}, topic]));
            let answer = network.receive(client);
            assert_eq!(answer[0] == 17, allowed, "{topic}: {answer}");
        }
    }
}

#[test]
fn a_pattern_is_allowed_only_if_all_that_it_matches_is() {
    let mut network = network(json!([
        {"name": "user", "permissions": [
            {"uri": "com.*", "subscribe": true, "register": true},
            {"uri": "com.secret.*", "allow": {}},
            {"uri": "net.*.news", "subscribe": true, "register": true},
        ]},
    ]));
    let client = join(&mut network, "alice", "user");
    for (uri, policy, allowed) in [
        ("com.news", "prefix", true),
        ("com.", "prefix", false),
        ("com", "prefix", false),
        ("", "prefix", false),
        ("com.s", "prefix", false),
        ("com.secret.x", "prefix", false),
        ("com..x", "wildcard", false),
        ("com.open.", "wildcard", true),
        ("net..news", "wildcard", true),
        ("net..", "wildcard", false),
        ("net.example.news", "wildcard", true),
        ("net.", "prefix", false),
    ] {
        for (request_type, answer_type) in [(32, 33), (64, 65)] {
            network.send(client, json!([request_type, 1, {"match": policy}, uri]));
            let answer = network.receive(client);
            assert_eq!(
                answer[0] == answer_type,
                allowed,
                "{uri} {policy}: {answer}"
            );
            if !allowed {
                assert_error(&answer, request_type, 1, NOT_AUTHORIZED);
                let why = answer[5][0].as_str().unwrap();
                assert!(why.contains("all that") && why.contains(policy), "{why}");
            }
        }
    }
}

#[test]
fn placeholders_confine_a_session_to_its_own_uris() {
    let mut network = network(json!([
        {"name": "user", "permissions": [
            {"uri": "com.*", "call": true},
            {"uri": "com.users.{authid}.*", "publish": true, "subscribe": true},
            {"uri": "com.sessions.{session}", "publish": true},
        ]},
    ]));
    let publish = |network: &mut Network, client, topic: &str| {
        network.send(client, json!([16, 1, {"acknowledge": true}, topic]));
        network.receive(client)[0] == 17
    };
    let (al, alice) = (
        join(&mut network, "al", "user"),
        join(&mut network, "alice", "user"),
    );
    for (client, name, other) in [(al, "al", "alice"), (alice, "alice", "al")] {
        assert!(publish(
            &mut network,
            client,
            &format!("com.users.{name}.news")
        ));
        assert!(!publish(
            &mut network,
            client,
            &format!("com.users.{other}.news")
        ));
        assert!(!publish(&mut network, client, "com.users.{authid}.news"));
        let own = format!("com.sessions.{}", network.id(client));
        assert!(publish(&mut network, client, &own));
        network.subscribe(
            client,
            &format!("com.users.{name}."),
            json!({"match": "prefix"}),
        );
        network.send(
            client,
            json!([32, 2, {"match": "prefix"}, format!("com.users.{name}")]),
        );
        assert_error(&network.receive(client), 32, 2, NOT_AUTHORIZED);
    }
    let of_alice = format!("com.sessions.{}", network.id(alice));
    assert!(!publish(&mut network, al, &of_alice));
}

#[test]
fn an_authid_that_is_no_component_of_a_uri_widens_nothing() {
    for authid in ["", "alice.private", ".", "a b", "#"] {
        let mut network = network(json!([
            {"name": "user", "permissions": [
                {"uri": "*", "publish": true},
                {"uri": "com.users.{authid}.*", "allow": {}},
                {"uri": "com.users.open", "publish": true},
            ]},
        ]));
        let client = join(&mut network, authid, "user");
        for (topic, allowed) in [
            ("com.other", true),
            ("com.users.open", true),
            ("com.users.alice", false),
            ("com.users.alice.private.x", false),
            ("com.users.bob.x", false),
        ] {
            network.send(client, json!([16, 1, {"acknowledge": true}, topic]));
            let answer = network.receive(client);
            assert_eq!(answer[0] == 17, allowed, "{authid:?} {topic}: {answer}");
        }
    }
}

#[test]
fn a_permission_may_make_callers_and_publishers_known() {
    for disclosure in [
        Disclosure::OnRequest,
        Disclosure::Always,
        Disclosure::Denied,
    ] {
        let roles = roles(json!([
            everything(),
            {"name": "user", "permissions": [
                {"uri": "a.*", "allow": {"call": true, "publish": true},
                 "disclose": {"caller": true, "publisher": true}},
                {"uri": "b.*", "allow": {"call": true, "publish": true}},
            ]},
        ]));
        let mut network = Network::with(RealmConfig {
            roles,
            caller_disclosure: disclosure,
            publisher_disclosure: disclosure,
            ..RealmConfig::default()
        });
        let (backend, user) = (
            join(&mut network, "back", "backend"),
            join(&mut network, "alice", "user"),
        );
        for (uri, by_permission) in [("a.x", true), ("b.x", false)] {
            network.subscribe(backend, uri, json!({}));
            let known = match disclosure {
                Disclosure::OnRequest => by_permission,
                Disclosure::Always => true,
                Disclosure::Denied => false,
            };
            let expected = if known { json!("alice") } else { Json::Null };
            network.register(backend, uri, json!({}));
            let (invocation, details) = network.invoke(user, 1, json!({}), uri, backend);
            assert_eq!(details["caller_authid"], expected, "{uri} {disclosure:?}");
            network.send(backend, json!([70, invocation, {}]));
            network.send(user, json!([16, 2, {}, uri]));
            let event = network.receive(backend);
            assert_eq!(
                event[3]["publisher_authid"], expected,
                "{uri} {disclosure:?}"
            );
        }
    }
}

#[test]
fn procedures_that_end_sessions_need_a_permission_of_their_own() {
    let mut network = network(json!([
        everything(),
        {"name": "admin", "permissions": [
            {"uri": "wamp.*", "call": true, "subscribe": true},
            {"uri": "wamp.session.kill_all", "allow": {}},
        ]},
    ]));
    let (backend, admin, victim) = (
        join(&mut network, "back", "backend"),
        join(&mut network, "root", "admin"),
        join(&mut network, "victim", "backend"),
    );
    let id = network.id(victim);
    for (procedure, args) in [
        ("wamp.session.kill", json!([id])),
        ("wamp.session.kill_by_authid", json!(["victim"])),
        ("wamp.session.kill_by_authrole", json!(["backend"])),
        ("wamp.session.kill_all", json!([])),
    ] {
        let refused = network.ask_in_vain(backend, procedure, args);
        assert_eq!(refused, NOT_AUTHORIZED, "{procedure}");
    }
    assert_eq!(
        network.ask(backend, "wamp.session.count", json!([])),
        json!([3])
    );
    network.subscribe(backend, "wamp.session.on_leave", json!({}));
    let refused = network.ask_in_vain(admin, "wamp.session.kill_all", json!([]));
    assert_eq!(refused, NOT_AUTHORIZED);
    network.ask(admin, "wamp.session.kill", json!([id]));
    assert!(network.has_ended(victim));
}

#[test]
fn a_testament_needs_the_permission_to_publish_it() {
    let mut network = network(json!([
        everything(),
        {"name": "user", "permissions": [
            {"uri": "wamp.session.add_testament", "call": true},
            {"uri": "a.*", "allow": {"publish": true}, "disclose": {"publisher": true}},
        ]},
    ]));
    let (subscriber, user) = (
        join(&mut network, "back", "backend"),
        join(&mut network, "alice", "user"),
    );
    network.subscribe(subscriber, "a.will", json!({}));
    let add = "wamp.session.add_testament";
    let refused = network.ask_in_vain(user, add, json!(["b.will", [], {}]));
    assert_eq!(refused, NOT_AUTHORIZED);
    let refused = network.ask_in_vain(user, add, json!([1, [], {}]));
    assert_eq!(refused, "wamp.error.invalid_argument");
    network.ask(user, add, json!(["a.will", ["gone"], {}]));
    network.leave(user);
    let event = network.receive(subscriber);
    assert_eq!(event[4], json!(["gone"]));
    assert_eq!(event[3]["publisher_authid"], "alice");
}

#[test]
fn what_breaks_the_grammar_is_malformed_first_and_forbidden_second() {
    let mut network = network(json!([
        {"name": "user", "permissions": [{"uri": "wamp.*", "call": true}]},
    ]));
    let client = join(&mut network, "alice", "user");
    for (request, request_type) in [
        (json!([48, 1, {}, "a..b"]), 48),
        (json!([16, 1, {"acknowledge": true}, "a b"]), 16),
        (json!([16, 1, {"acknowledge": true}, "wamp.x"]), 16),
        (json!([32, 1, {"match": "prefix"}, "a.."]), 32),
        (json!([64, 1, {}, "wamp.x"]), 64),
        (json!([64, 1, {"match": "wildcard"}, "a. .b"]), 64),
    ] {
        network.send(client, request);
        assert_error(
            &network.receive(client),
            request_type,
            1,
            "wamp.error.invalid_uri",
        );
    }
}
