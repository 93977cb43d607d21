//! Sessions of the router itself.

use serde_json::json;
use wampy_realm::{Allow, Permission, RealmConfig, RealmRole, RealmRoles};

use crate::authorization::roles;
use crate::simulated::{Client, Network, all_features, assert_error};

fn network_with_internal(config: RealmConfig) -> (Network, Client) {
    let mut network = Network::with(config);
    let internal = network.join_internal(77);
    (network, internal)
}

#[test]
fn an_internal_session_calls_like_any_other() {
    let (mut network, internal) = network_with_internal(RealmConfig::default());
    let callee = network.join();
    network.register(callee, "a.b", json!({}));
    network.send(internal, json!([48, 1, {"timeout": 500}, "a.b", [1]]));
    let invocation = network.receive(callee);
    assert_eq!(invocation[4], json!([1]));
    network.send(callee, json!([70, invocation[1], {}, [2]]));
    assert_eq!(network.receive(internal), json!([50, 1, {}, [2]]));
    network.send(internal, json!([48, 2, {"timeout": 500}, "a.b"]));
    network.pass(500);
    assert_eq!(network.receive(internal)[4], "wamp.error.timeout");
    network.leave(internal);
    assert_eq!(network.realm.stats().sessions, 1);
}

#[test]
fn an_internal_session_needs_no_permission() {
    let callee = RealmRole::with_permissions(
        "callee",
        vec![Permission::starred("a.b", Allow::EVERYTHING).unwrap()],
    );
    let config = RealmConfig {
        roles: RealmRoles::new(vec![callee.unwrap()]).unwrap(),
        ..RealmConfig::default()
    };
    let (mut network, internal) = network_with_internal(config);
    let callee = network.join_as("callee", "callee", all_features());
    network.register(callee, "a.b", json!({}));
    network.send(internal, json!([48, 1, {}, "a.b"]));
    assert_eq!(network.receive(callee)[0], 68);
}

#[test]
fn no_client_counts_lists_finds_kills_or_hears_of_an_internal_session() {
    let config = RealmConfig {
        sessions_max: 1,
        ..RealmConfig::default()
    };
    let (mut network, internal) = network_with_internal(config);
    // It counts for no limit.
    let client = network.join();
    network.subscribe(client, "wamp.session.", json!({"match": "prefix"}));
    assert_eq!(network.realm.stats().sessions, 1);
    assert_eq!(
        network.ask(client, "wamp.session.count", json!([])),
        json!([1])
    );
    let own = network.id(client);
    assert_eq!(
        network.ask(client, "wamp.session.list", json!([])),
        json!([[own]])
    );
    let get = network.ask_in_vain(client, "wamp.session.get", json!([77]));
    assert_eq!(get, "wamp.error.no_such_session");
    let kill = network.ask_in_vain(client, "wamp.session.kill", json!([77]));
    assert_eq!(kill, "wamp.error.no_such_session");
    for (procedure, args, nobody) in [
        (
            "wamp.session.kill_by_authid",
            json!(["router"]),
            json!([[]]),
        ),
        (
            "wamp.session.kill_by_authrole",
            json!(["router"]),
            json!([0]),
        ),
        ("wamp.session.kill_all", json!([]), json!([0])),
    ] {
        assert_eq!(network.ask(client, procedure, args), nobody);
    }
    assert!(!network.has_ended(internal));
    network.leave(internal);
    assert!(network.received(client).is_empty(), "no event tells of it");
}

#[test]
fn what_an_authorizer_was_asked_fails_at_once_if_the_router_ends_its_session() {
    let config = RealmConfig {
        roles: roles(json!([
            {"name": "member", "authorizer": "auth"},
            {"name": "authorizer", "permissions": [{"uri": "*", "allow": {"register": true}}]},
        ])),
        ..RealmConfig::default()
    };
    let (mut network, internal) = network_with_internal(config);
    let authorizer = network.join_as("authorizer", "authorizer", all_features());
    network.register(authorizer, "auth", json!({}));
    let client = network.join();
    network.send(client, json!([32, 1, {}, "a.b"]));
    assert_eq!(network.receive(authorizer)[0], 68);
    let victim = network.id(authorizer);
    network.send(internal, json!([48, 1, {}, "wamp.session.kill", [victim]]));
    assert_eq!(network.receive(internal), json!([50, 1, {}]));
    let error = network.receive(client);
    assert_error(&error, 32, 1, "wamp.error.authorization_failed");
}
