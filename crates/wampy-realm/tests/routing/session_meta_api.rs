//! `wamp.session.*`

use serde_json::{Value as Json, json};
use wampy_proto::{SessionId, Value};
use wampy_realm::SessionDetails;

use crate::simulated::{Client, Network, all_features, assert_error};

const NOTHING: [Json; 0] = [];

/// An administrator and clients by authid and authrole.
fn crowd(who: &[(&str, &str)]) -> (Network, Client, Vec<Client>) {
    let mut network = Network::new();
    let admin = network.join_as("admin", "admin", all_features());
    let clients = who
        .iter()
        .map(|(id, role)| network.join_as(id, role, all_features()))
        .collect();
    (network, admin, clients)
}

#[test]
fn count_and_list_may_be_filtered_by_authrole() {
    let (mut network, admin, clients) = crowd(&[("joe", "user"), ("ann", "user"), ("eve", "x")]);
    let ids: Vec<_> = clients.iter().map(|&client| network.id(client)).collect();
    let own = network.id(admin);
    assert_eq!(
        network.ask(admin, "wamp.session.count", json!([])),
        json!([4])
    );
    assert_eq!(
        network.ask(admin, "wamp.session.count", json!([null])),
        json!([4])
    );
    assert_eq!(
        network.ask(admin, "wamp.session.count", json!([["user", "x"]])),
        json!([3])
    );
    assert_eq!(
        network.ask(admin, "wamp.session.count", json!([[]])),
        json!([0])
    );
    let all = network.ask(admin, "wamp.session.list", json!([]));
    assert_eq!(all, json!([[own, ids[0], ids[1], ids[2]]]));
    let users = network.ask(admin, "wamp.session.list", json!([["user"]]));
    assert_eq!(users, json!([[ids[0], ids[1]]]));
}

#[test]
fn get_tells_who_a_session_is() {
    let (mut network, admin, clients) = crowd(&[("joe", "user")]);
    let id = network.id(clients[0]);
    let details = json!({
        "session": id, "authid": "joe", "authrole": "user", "authmethod": "ticket",
        "authprovider": "static", "transport": {"type": "simulated", "serializer": "json"},
    });
    assert_eq!(
        network.ask(admin, "wamp.session.get", json!([id])),
        json!([details])
    );
}

#[test]
fn get_and_on_join_tell_what_the_authenticator_added() {
    let (mut network, admin, _) = crowd(&[]);
    network.subscribe(admin, "wamp.session.on_join", json!({}));
    let authextra = Value::Map(vec![("team".into(), Value::Text("blue".into()))]);
    let details = SessionDetails {
        id: SessionId::try_from(4711).unwrap(),
        authid: "joe".into(),
        authrole: "user".into(),
        authmethod: "ticket".into(),
        authprovider: "dynamic".into(),
        trust_level: None,
        authextra: Some(Box::new(authextra)),
        roles: all_features(),
        transport: None,
    };
    network.join_details(details).unwrap();
    let expected = json!({
        "session": 4711, "authid": "joe", "authrole": "user", "authmethod": "ticket",
        "authprovider": "dynamic", "authextra": {"team": "blue"},
    });
    assert_eq!(network.receive(admin)[4], json!([expected]));
    let answer = network.ask(admin, "wamp.session.get", json!([4711]));
    assert_eq!(answer, json!([expected]));
}

#[test]
fn arguments_too_long_to_be_decoded_are_refused() {
    let (mut network, admin, _) = crowd(&[]);
    let roles = |bytes| json!([["x".repeat(bytes)]]);
    let count = network.ask(admin, "wamp.session.count", roles(65_000));
    assert_eq!(count, json!([0]));
    let error = network.ask_in_vain(admin, "wamp.session.count", roles(66_000));
    assert_eq!(error, "wamp.error.invalid_argument");
}

#[test]
fn check_80_get_of_an_unknown_session_is_refused() {
    let (mut network, admin, clients) = crowd(&[("joe", "user")]);
    let gone = network.id(clients[0]);
    network.leave(clients[0]);
    for id in [gone, 12_345, 0, u64::MAX] {
        let error = network.ask_in_vain(admin, "wamp.session.get", json!([id]));
        assert_eq!(error, "wamp.error.no_such_session");
    }
}

#[test]
fn arguments_of_the_wrong_kind_are_refused() {
    let (mut network, admin, _) = crowd(&[]);
    for (procedure, args) in [
        ("wamp.session.get", json!([])),
        ("wamp.session.get", json!(["x"])),
        ("wamp.session.get", json!([-1])),
        ("wamp.session.count", json!([["a", 1]])),
        ("wamp.session.count", json!(["a"])),
        ("wamp.session.list", json!([{"a": 1}])),
        ("wamp.session.kill", json!([])),
        ("wamp.session.kill_by_authid", json!([7])),
        ("wamp.session.kill_by_authrole", json!([])),
    ] {
        let error = network.ask_in_vain(admin, procedure, args);
        assert_eq!(error, "wamp.error.invalid_argument", "{procedure}");
    }
}

#[test]
fn joining_and_leaving_is_announced() {
    let (mut network, admin, _) = crowd(&[]);
    network.subscribe(admin, "wamp.session.on_join", json!({}));
    let joe = network.join_as("joe", "user", all_features());
    let event = network.receive(admin);
    assert_eq!(event[3], json!({}));
    let id = network.id(joe);
    assert_eq!(
        event[4],
        network.ask(admin, "wamp.session.get", json!([id]))
    );
    network.subscribe(admin, "wamp.session.on_leave", json!({}));
    network.leave(joe);
    assert_eq!(network.receive(admin)[4], json!([id, "joe", "user"]));
}

#[test]
fn meta_topics_match_by_pattern_too() {
    let (mut network, admin, _) = crowd(&[]);
    network.subscribe(admin, "wamp.session.", json!({"match": "wildcard"}));
    network.join();
    assert_eq!(
        network.receive(admin)[3],
        json!({"topic": "wamp.session.on_join"})
    );
}

#[test]
fn a_session_that_left_gets_no_event_of_its_own_leaving() {
    let (mut network, admin, clients) = crowd(&[("joe", "user")]);
    for topic in ["wamp.session", "wamp.registration", "wamp.subscription"] {
        network.subscribe(clients[0], topic, json!({"match": "prefix"}));
        network.register(clients[0], &format!("x.{topic}"), json!({}));
        network.received(clients[0]);
    }
    network.subscribe(admin, "wamp.", json!({"match": "prefix"}));
    network.received(admin);
    // The harness fails if anything is sent to a session that has left.
    network.leave(clients[0]);
    let topics: Vec<_> = network
        .received(admin)
        .iter()
        .map(|e| e[3]["topic"].clone())
        .collect();
    assert_eq!(topics.len(), 13, "{topics:?}");
    assert_eq!(topics.last(), Some(&json!("wamp.session.on_leave")));
}

#[test]
fn on_leave_is_the_last_that_is_heard_of_a_session() {
    let (mut network, admin, clients) = crowd(&[("joe", "user")]);
    let joe = clients[0];
    network.register(joe, "a.b", json!({}));
    network.subscribe(joe, "a.b", json!({}));
    network.send(admin, json!([48, 1, {}, "a.b"]));
    network.subscribe(admin, "wamp.", json!({"match": "prefix"}));
    network.received(admin);
    network.leave(joe);
    let received = network.received(admin);
    // What the session owed comes first.
    assert_error(&received[0], 48, 1, "wamp.error.canceled");
    let topics: Vec<_> = received[1..]
        .iter()
        .map(|m| m[3]["topic"].clone())
        .collect();
    let expected = [
        "wamp.registration.on_unregister",
        "wamp.registration.on_delete",
        "wamp.subscription.on_unsubscribe",
        "wamp.subscription.on_delete",
        "wamp.session.on_leave",
    ];
    assert_eq!(topics, expected);
}

#[test]
fn check_77_a_session_cannot_kill_itself() {
    let (mut network, admin, _) = crowd(&[]);
    let own = network.id(admin);
    let error = network.ask_in_vain(admin, "wamp.session.kill", json!([own]));
    assert_eq!(error, "wamp.error.no_such_session");
    let error = network.ask_in_vain(admin, "wamp.session.kill", json!([4711]));
    assert_eq!(error, "wamp.error.no_such_session");
}

#[test]
fn check_78_kill_says_goodbye_with_reason_and_message() {
    let (mut network, admin, clients) = crowd(&[("a", "u"), ("b", "u"), ("c", "u")]);
    let ids: Vec<_> = clients.iter().map(|&client| network.id(client)).collect();
    network.send(admin, json!([48, 1, {}, "wamp.session.kill", [ids[0]]]));
    assert_eq!(network.receive(admin), json!([50, 1, {}]));
    assert_eq!(
        network.receive(clients[0]),
        json!([6, {}, "wamp.close.killed"])
    );
    assert!(network.has_ended(clients[0]));

    let kwargs = json!({"reason": "com.app.bye", "message": "enough"});
    network.send(
        admin,
        json!([48, 2, {}, "wamp.session.kill", [ids[1]], kwargs]),
    );
    assert_eq!(network.receive(admin), json!([50, 2, {}]));
    let goodbye = json!([6, {"message": "enough"}, "com.app.bye"]);
    assert_eq!(network.receive(clients[1]), goodbye);

    for reason in [json!("a b"), json!(""), json!(7)] {
        let kwargs = json!({"reason": reason});
        network.send(
            admin,
            json!([48, 3, {}, "wamp.session.kill", [ids[2]], kwargs]),
        );
        assert_error(&network.receive(admin), 48, 3, "wamp.error.invalid_uri");
        let all = json!([48, 4, {}, "wamp.session.kill_all", [], kwargs]);
        network.send(admin, all);
        assert_error(&network.receive(admin), 48, 4, "wamp.error.invalid_uri");
    }
    let message = json!([48, 5, {}, "wamp.session.kill", [ids[2]], {"message": 7}]);
    network.send(admin, message);
    assert_error(
        &network.receive(admin),
        48,
        5,
        "wamp.error.invalid_argument",
    );
    assert_eq!(network.received(clients[2]), NOTHING);
    assert_eq!(network.realm.stats().sessions, 2);
}

#[test]
fn killing_ends_all_that_the_session_held() {
    let (mut network, admin, clients) = crowd(&[("a", "u"), ("b", "u")]);
    let [callee, caller] = clients[..] else {
        panic!()
    };
    network.register(callee, "a.b", json!({}));
    network.register(admin, "c.d", json!({}));
    network.subscribe(callee, "a.b", json!({}));
    network.invoke(caller, 1, json!({}), "a.b", callee);
    network.invoke(callee, 1, json!({}), "c.d", admin);
    network.subscribe(admin, "wamp.session.on_leave", json!({}));
    let id = network.id(callee);
    network.send(admin, json!([48, 1, {}, "wamp.session.kill", [id]]));
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    let received = network.received(admin);
    assert_eq!(received[0], json!([69, 1, {"mode": "killnowait"}]));
    assert_eq!(received[1][4], json!([id, "a", "u"]));
    assert_eq!(received[2], json!([50, 1, {}]));
    // A message that was on its way when the session was ended is ignored.
    network.send(callee, json!([32, 9, {}, "x"]));
    assert_eq!(network.realm.stats().subscriptions, 1);
}

#[test]
fn check_79_killing_many_spares_the_caller() {
    let who = [("admin", "user"), ("joe", "user"), ("joe", "admin")];
    let (mut network, admin, clients) = crowd(&who);
    let ids: Vec<_> = clients.iter().map(|&client| network.id(client)).collect();
    network.subscribe(clients[2], "wamp.session.on_leave", json!({}));
    let killed = network.ask(admin, "wamp.session.kill_by_authid", json!(["admin"]));
    assert_eq!(killed, json!([[ids[0]]]));
    assert_eq!(
        network.receive(clients[0]),
        json!([6, {}, "wamp.close.killed"])
    );
    assert_eq!(network.receive(clients[2])[4][0], ids[0]);
    let killed = network.ask(admin, "wamp.session.kill_by_authrole", json!(["user"]));
    assert_eq!(killed, json!([1]));
    assert_eq!(network.receive(clients[1])[0], 6);
    network.received(clients[2]);
    let killed = network.ask(admin, "wamp.session.kill_by_authid", json!(["nobody"]));
    assert_eq!(killed, json!([[]]));
    let killed = network.ask(admin, "wamp.session.kill_by_authrole", json!(["admin"]));
    assert_eq!(killed, json!([1]));
    assert!(!network.has_ended(admin));
    assert_eq!(network.realm.stats().sessions, 1);
}

#[test]
fn check_79_kill_all_is_not_announced() {
    let (mut network, admin, clients) = crowd(&[("a", "u"), ("b", "u"), ("c", "u")]);
    network.register(clients[0], "a.b", json!({}));
    network.invoke(admin, 1, json!({}), "a.b", clients[0]);
    network.subscribe(clients[1], "x", json!({}));
    for topic in ["wamp.session", "wamp.registration", "wamp.subscription"] {
        network.subscribe(admin, topic, json!({"match": "prefix"}));
        network.received(admin);
    }
    network.send(
        admin,
        json!([48, 2, {}, "wamp.session.kill_all", [], {"message": "closing"}]),
    );
    let received = network.received(admin);
    // The caller's own pending call still has to end.
    assert_error(&received[0], 48, 1, "wamp.error.canceled");
    assert_eq!(received[1..], [json!([50, 2, {}, [3]])]);
    for client in clients {
        let goodbye = json!([6, {"message": "closing"}, "wamp.close.killed"]);
        assert_eq!(network.received(client).last(), Some(&goodbye));
        assert!(network.has_ended(client));
    }
    let stats = network.realm.stats();
    assert_eq!(
        (stats.sessions, stats.registrations, stats.subscriptions),
        (1, 0, 3)
    );
}
