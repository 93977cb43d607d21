//! The dynamic authenticator: a procedure of some client that the router asks who may join.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::joining::{claim, knock};
use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::auth::{PrivateKey, wampcra};
use wampy_router::{
    Authentication, Authenticator, Builder, Limits, Method, RealmConfig, RealmRole, RealmRoles,
    RealmSettings,
};

const PROCEDURE: &str = "com.example.authenticate";
const DENIED: &str = "wamp.error.authentication_denied";
const FAILED: &str = "wamp.error.authentication_failed";

fn authenticator() -> Authenticator {
    Authenticator::new(PROCEDURE).in_realm("realm1")
}

fn authentication() -> Authentication {
    Authentication::by([Method::Ticket, Method::WampCra, Method::Cryptosign])
        .authenticator(authenticator())
}

/// A router whose realms `closed` and `next` are authenticated by a procedure in `realm1`, and that
/// procedure's callee.
fn host_with(set_up: impl FnOnce(Builder) -> Builder) -> (Host, Peer) {
    let host = Host::with(|builder| {
        let realm = |name| RealmSettings::new(name).authentication(authentication());
        set_up(
            builder
                .realm_with(realm("closed"))
                .realm_with(realm("next")),
        )
    });
    let mut callee = host.session();
    callee.register(PROCEDURE);
    (host, callee)
}

fn host() -> (Host, Peer) {
    host_with(|builder| builder)
}

/// A client that shows its ticket.
fn with_ticket(host: &Host) -> Peer {
    let mut peer = knock(host, &claim("ticket", "joe"));
    assert_eq!(peer.message(), json!([4, "ticket", {}]));
    peer.send(&json!([5, "secret!!!", {}]));
    peer
}

/// The invocation of the authenticator: its request and its arguments.
fn invocation(callee: &mut Peer) -> (Value, Value) {
    let invocation = callee.message();
    assert_eq!(invocation[0], 68, "{invocation}");
    (invocation[1].clone(), invocation[4].clone())
}

fn answer(callee: &mut Peer, answer: Value) {
    let (request, _) = invocation(callee);
    callee.send(&json!([70, request, {}, [answer]]));
}

fn raise(callee: &mut Peer, error: &str) {
    let (request, _) = invocation(callee);
    callee.send(&json!([8, 68, request, {}, error, ["whatever"]]));
}

fn expect_welcome(mut peer: Peer) -> Value {
    peer.expect_welcome()[2].clone()
}

#[test]
fn the_authenticator_learns_who_asks_and_says_the_role() {
    let (host, mut callee) = host();
    let mut peer = knock(
        &host,
        &json!({
            "authmethods": ["ticket"],
            "authid": "joe",
            "authrole": "clerk",
            "authextra": {"badge": 7},
        }),
    );
    assert_eq!(peer.message(), json!([4, "ticket", {}]));
    peer.send(&json!([5, "secret!!!", {}]));
    let (request, args) = invocation(&mut callee);
    let details = &args[2];
    assert_eq!((&args[0], &args[1]), (&json!("closed"), &json!("joe")));
    for (key, value) in [
        ("authmethod", json!("ticket")),
        ("authid", json!("joe")),
        ("ticket", json!("secret!!!")),
        ("authrole", json!("clerk")),
        ("authextra", json!({"badge": 7})),
    ] {
        assert_eq!(details[key], value, "{details}");
    }
    assert_eq!(details["session"], details["session_id"]);
    let transport = &details["transport"];
    assert_eq!(
        (&transport["type"], &transport["serializer"]),
        (&json!("rawsocket"), &json!("json"))
    );
    assert!(
        transport["peer"]
            .as_str()
            .unwrap()
            .starts_with("127.0.0.1:"),
        "{transport}"
    );
    callee.send(&json!([70, request, {}, ["clerk"]]));
    let welcome = peer.message();
    assert_eq!(welcome[1], details["session"], "{welcome}");
    for (key, value) in [
        ("realm", "closed"),
        ("authid", "joe"),
        ("authrole", "clerk"),
        ("authmethod", "ticket"),
        ("authprovider", "dynamic"),
    ] {
        assert_eq!(welcome[2][key], value, "{welcome}");
    }
}

#[test]
fn nobody_sees_the_session_by_which_the_router_calls() {
    let (host, mut callee) = host();
    let mut watcher = host.session();
    watcher.subscribe("wamp.session.on_join");
    let mut peer = with_ticket(&host);
    answer(&mut callee, json!("clerk"));
    assert_eq!(peer.message()[0], 2);
    // No event came before the answer.
    assert_eq!(watcher.call("wamp.session.count", json!([]))[3], json!([2]));
    assert_eq!(host.stats().sessions, 3);
}

#[test]
fn a_dict_says_more() {
    let (host, mut callee) = host();
    let peer = with_ticket(&host);
    let extra = json!({"name": "Joe"});
    answer(
        &mut callee,
        json!({"role": "clerk", "authid": "joe@example.com", "extra": extra, "cache": true}),
    );
    let welcome = expect_welcome(peer);
    assert_eq!(welcome["authid"], "joe@example.com");
    assert_eq!(welcome["authextra"], extra);
}

#[test]
fn what_has_to_be_proven_comes_in_our_form_or_in_crossbars() {
    let (host, mut callee) = host();
    for credentials in [
        json!({"role": "clerk", "wampcra": {"secret": "secret1"}}),
        json!({"role": "clerk", "secret": "secret1"}),
    ] {
        let mut peer = knock(&host, &claim("wampcra", "joe"));
        answer(&mut callee, credentials.clone());
        let challenge = peer.message();
        let text = challenge[2]["challenge"].as_str().unwrap();
        assert!(text.contains("\"authprovider\":\"dynamic\""), "{text}");
        peer.send(&json!([5, wampcra::signature(&"secret1".into(), text), {}]));
        assert_eq!(expect_welcome(peer)["authrole"], "clerk");
        // Knowing the user does not let it in.
        let mut peer = knock(&host, &claim("wampcra", "joe"));
        answer(&mut callee, credentials);
        peer.message();
        peer.send(&json!([5, "nonsense", {}]));
        peer.expect_abort(DENIED);
    }
    let key = PrivateKey::from_seed(&[1; 32]);
    let public = key.public_key().to_string();
    for credentials in [
        json!({"role": "device", "cryptosign": [public]}),
        json!({"role": "device", "pubkey": public}),
        json!({"role": "device", "authorized_keys": [public]}),
    ] {
        let mut hello = claim("cryptosign", "joe");
        hello["authextra"] = json!({"pubkey": public});
        let mut peer = knock(&host, &hello);
        answer(&mut callee, credentials);
        let hex = peer.message()[2]["challenge"].as_str().unwrap().to_owned();
        let challenge: [u8; 32] =
            std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap());
        peer.send(&json!([5, key.sign(&challenge, None), {}]));
        assert_eq!(expect_welcome(peer)["authrole"], "device");
    }
}

#[test]
fn who_is_turned_away_looks_like_one_with_a_wrong_secret() {
    let (host, mut callee) = host();
    for error in [
        "wamp.error.no_such_principal",
        "wamp.error.authentication_denied",
        "wamp.error.not_authorized",
    ] {
        let mut peer = with_ticket(&host);
        raise(&mut callee, error);
        peer.expect_abort(DENIED);
        peer.expect_end();
        let mut peer = knock(&host, &claim("wampcra", "joe"));
        raise(&mut callee, error);
        // It is asked something all the same.
        assert_eq!(peer.message()[0], 4);
        peer.send(&json!([5, "nonsense", {}]));
        peer.expect_abort(DENIED);
    }
    host.eventually("nobody is in", |stats| stats.sessions == 1);
}

#[test]
fn an_authenticator_that_fails_lets_nobody_in() {
    let roles = RealmRoles::new(vec![
        RealmRole::with_permissions("clerk", Vec::new()).unwrap(),
    ]);
    let (host, mut callee) = host_with(|builder| {
        let config = RealmConfig {
            roles: roles.unwrap(),
            ..RealmConfig::default()
        };
        let strict = RealmSettings::new("strict").config(config);
        builder.realm_with(strict.authentication(authentication()))
    });
    let mut peer = with_ticket(&host);
    raise(&mut callee, "com.example.error.database");
    let problem = peer.expect_abort(FAILED);
    assert!(
        !problem.contains("database"),
        "what failed is not the client's business: {problem}"
    );
    for nonsense in [
        json!(null),
        json!(5),
        json!({}),
        json!({"role": 5}),
        json!({"role": "clerk", "extra": 1}),
        json!({"role": "clerk", "wampcra": 1}),
        json!({"role": "clerk", "authid": ""}),
        json!({"role": "clerk", "authid": "joe\u{1b}[2J"}),
        json!({"role": "clerk", "authid": "joe\n"}),
        json!({"role": "clerk\u{85}"}),
        json!(""),
    ] {
        let mut peer = with_ticket(&host);
        answer(&mut callee, nonsense);
        peer.expect_abort(FAILED);
        peer.expect_end();
    }
    // A role that the realm does not have.
    let mut peer = host.rawsocket(Serializer::Json);
    let mut hello = Peer::hello("strict");
    hello[2]["authmethods"] = json!(["ticket"]);
    hello[2]["authid"] = json!("joe");
    peer.send(&hello);
    peer.message();
    peer.send(&json!([5, "x", {}]));
    answer(&mut callee, json!("boss"));
    peer.expect_abort(FAILED);
    // It is gone: nobody can be asked.
    drop(callee);
    host.eventually("the callee is gone", |stats| stats.sessions == 0);
    with_ticket(&host).expect_abort(FAILED);
}

#[test]
fn an_authenticator_that_does_not_answer_costs_a_bounded_time_and_is_told() {
    let (host, mut callee) = host_with(|builder| {
        builder.limits(Limits {
            handshake_timeout_ms: 1000,
            ..Limits::default()
        })
    });
    let mut peer = with_ticket(&host);
    let (request, _) = invocation(&mut callee);
    let pending = || -> usize {
        let realms = host.stats().realms;
        realms.iter().map(|realm| realm.pending_calls).sum()
    };
    assert_eq!(pending(), 1);
    peer.expect_abort(FAILED);
    peer.expect_end();
    // The call has been canceled.
    let interrupt = callee.message();
    assert_eq!((&interrupt[0], &interrupt[1]), (&json!(69), &request));
    callee.send(&json!([70, request, {}, ["clerk"]]));
    callee.nothing_came();
    assert_eq!(host.stats().sessions, 1);
    assert_eq!(pending(), 0);
}

#[test]
fn what_a_client_sends_while_the_authenticator_thinks_waits() {
    let (host, mut callee) = host();
    let mut peer = knock(&host, &claim("ticket", "joe"));
    peer.message();
    // Nothing may be sent before WELCOME; what is on its way all the same is not lost.
    peer.send_all(&[
        json!([5, "secret!!!", {}]),
        json!([48, 1, {}, "wamp.session.count"]),
    ]);
    answer(&mut callee, json!("clerk"));
    assert_eq!(peer.message()[0], 2);
    assert_eq!(peer.message(), json!([50, 1, {}, [1]]));
}

#[test]
fn an_authenticator_sends_clients_only_to_realms_that_are_its_own() {
    let (host, mut callee) = host_with(|builder| {
        let users = Authentication::by([Method::Ticket]);
        builder.realm_with(RealmSettings::new("others").authentication(users))
    });
    let peer = with_ticket(&host);
    answer(&mut callee, json!({"role": "clerk", "realm": "next"}));
    assert_eq!(expect_welcome(peer)["realm"], "next");
    for realm in ["realm2", "others", "nowhere"] {
        let mut peer = with_ticket(&host);
        answer(&mut callee, json!({"role": "clerk", "realm": realm}));
        peer.expect_abort(FAILED);
        peer.expect_end();
    }
}

#[test]
fn a_second_factor_follows_what_the_authenticator_has_looked_at() {
    let (host, mut callee) = host();
    let both = json!({"authmethods": ["ticket", "wampcra"], "authid": "joe"});
    for (secret, code) in [("secret1", 2), ("wrong", 3)] {
        let mut peer = knock(&host, &both.clone());
        assert_eq!(peer.message(), json!([4, "ticket", {}]));
        peer.send(&json!([5, "secret!!!", {}]));
        let second =
            json!({"role": "clerk", "second_factor": "wampcra", "wampcra": {"secret": "secret1"}});
        answer(&mut callee, second);
        let challenge = peer.message();
        assert_eq!(challenge[1], "wampcra", "{challenge}");
        let text = challenge[2]["challenge"].as_str().unwrap();
        peer.send(&json!([5, wampcra::signature(&secret.into(), text), {}]));
        assert_eq!(peer.message()[0], code);
    }
}
