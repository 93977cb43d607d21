//! Authorization over real connections: by permissions, by a procedure, and roles that change.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::{RealmConfig, RealmRoles};

const AUTHORIZER: &str = "com.example.authorize";

fn roles(roles: Value) -> RealmRoles {
    serde_json::from_value(roles).unwrap()
}

fn asked() -> RealmRoles {
    roles(json!([{"name": "anonymous", "authorizer": AUTHORIZER}]))
}

fn host(roles: RealmRoles) -> Host {
    host_with(RealmConfig {
        roles,
        ..RealmConfig::default()
    })
}

fn host_with(config: RealmConfig) -> Host {
    Host::with(|builder| builder.realm_config(config))
}

fn publish(peer: &mut Peer, topic: &str) -> Value {
    let id = peer.id();
    peer.send(&json!([16, id, {"acknowledge": true}, topic]));
    peer.message()
}

/// Answers the next question about `uri`.
fn answer(authorizer: &mut Peer, uri: &str, answer: Value) {
    let question = authorizer.message();
    assert_eq!((&question[0], &question[4][1]), (&json!(68), &json!(uri)));
    authorizer.send(&json!([70, question[1], {}, [answer]]));
}

#[test]
fn permissions_hold_for_every_serializer_and_both_framings() {
    let host = host(roles(json!([{"name": "anonymous", "permissions": [
        {"uri": "com.*", "publish": true, "subscribe": true},
        {"uri": "com.secret.*", "allow": {}},
        {"uri": "own.{session}", "publish": true},
    ]}])));
    for serializer in Serializer::ALL {
        for mut peer in [host.rawsocket(serializer), host.websocket(serializer)] {
            let session = peer.join("realm1");
            assert_eq!(publish(&mut peer, "com.open")[0], 17);
            assert_eq!(publish(&mut peer, &format!("own.{session}"))[0], 17);
            let refused = publish(&mut peer, "com.secret.plan");
            assert_eq!(refused[4], "wamp.error.not_authorized", "{refused}");
            let why = "the role \"anonymous\" may not publish \"com.secret.plan\"";
            assert_eq!(refused[5], json!([why]));
            let id = peer.id();
            peer.send(&json!([32, id, {"match": "prefix"}, "com."]));
            assert_eq!(peer.message()[4], "wamp.error.not_authorized");
            let id = peer.id();
            peer.send(&json!([48, id, {}, "wamp.session.kill", [1]]));
            assert_eq!(peer.message()[4], "wamp.error.not_authorized");
        }
    }
}

#[test]
fn each_realm_has_its_own_roles_and_they_change_at_once() {
    let host = host(RealmRoles::default());
    let (mut peer, mut other) = (host.session(), host.session_in("realm2"));
    peer.subscribe("a.b");
    let nothing = roles(json!([{"name": "anonymous"}]));
    assert!(host.router.set_roles("realm1", nothing.clone()));
    assert!(!host.router.set_roles("realm3", nothing));
    host.eventually("the subscription is revoked", |stats| {
        stats.realms.iter().all(|realm| realm.subscriptions == 0)
    });
    assert_eq!(publish(&mut peer, "a.b")[4], "wamp.error.not_authorized");
    assert_eq!(publish(&mut other, "a.b")[0], 17);
    assert!(host.router.set_roles("realm1", RealmRoles::default()));
    assert_eq!(publish(&mut peer, "a.b")[0], 17);
}

#[test]
fn an_authorizer_decides_while_others_go_on() {
    let host = host(RealmRoles::default());
    let mut authorizer = host.session();
    authorizer.register(AUTHORIZER);
    assert!(host.router.set_roles("realm1", asked()));
    let (mut slow, mut quick) = (host.session(), host.session());
    let id = slow.id();
    slow.send(&json!([16, id, {"acknowledge": true}, "a.slow"]));
    let question = authorizer.message();
    assert_eq!(question[4][1], "a.slow");
    let id = quick.id();
    quick.send(&json!([16, id, {"acknowledge": true}, "a.quick"]));
    answer(
        &mut authorizer,
        "a.quick",
        json!({"allow": true, "cache": true}),
    );
    assert_eq!(quick.message()[0], 17);
    assert_eq!(publish(&mut quick, "a.quick")[0], 17);
    authorizer.nothing_came();
    authorizer.send(&json!([70, question[1], {}, [false]]));
    assert_eq!(slow.message()[4], "wamp.error.not_authorized");
}

#[test]
fn an_authorizer_whose_connection_is_lost_lets_nothing_through() {
    let host = host(RealmRoles::default());
    let mut authorizer = host.session();
    authorizer.register(AUTHORIZER);
    assert!(host.router.set_roles("realm1", asked()));
    let mut user = host.session();
    for _ in 0..2 {
        let id = user.id();
        user.send(&json!([16, id, {"acknowledge": true}, "a.b"]));
    }
    authorizer.message();
    drop(authorizer);
    for _ in 0..2 {
        assert_eq!(user.message()[4], "wamp.error.authorization_failed");
    }
}

#[test]
fn an_authorizer_that_does_not_answer_is_given_up() {
    let host = host_with(RealmConfig {
        authorizer_timeout_ms: 50,
        ..RealmConfig::default()
    });
    let mut authorizer = host.session();
    authorizer.register(AUTHORIZER);
    assert!(host.router.set_roles("realm1", asked()));
    let mut user = host.session();
    let refused = publish(&mut user, "a.b");
    assert_eq!(refused[4], "wamp.error.authorization_failed");
    assert_eq!(
        refused[5],
        json!(["the authorizer did not answer within 50 ms"])
    );
}

#[test]
fn a_user_whose_connection_is_lost_leaves_nothing_behind() {
    let host = host(RealmRoles::default());
    let mut authorizer = host.session();
    authorizer.register(AUTHORIZER);
    assert!(host.router.set_roles("realm1", asked()));
    let mut user = host.session();
    let id = user.id();
    user.send(&json!([16, id, {}, "a.b"]));
    let question = authorizer.message();
    assert_eq!(host.stats().realms[0].pending_calls, 1);
    drop(user);
    host.eventually("the question is withdrawn", |stats| {
        stats.sessions == 1 && stats.realms.iter().all(|realm| realm.pending_calls == 0)
    });
    // Its answer comes too late, and does no harm.
    authorizer.send(&json!([70, question[1], {}, [true]]));
}
