//! The meta API over real connections: wire checks 76 to 82.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;

/// A session over WebSocket.
fn websocket(host: &Host, serializer: Serializer) -> Peer {
    let mut peer = host.websocket(serializer);
    peer.join("realm1");
    peer
}

/// Calls with args and kwargs; the answer.
fn call(peer: &mut Peer, procedure: &str, args: Value, kwargs: Value) -> Value {
    let id = peer.id();
    peer.send(&json!([48, id, {}, procedure, args, kwargs]));
    peer.message()
}

#[test]
fn check_82_a_lost_connection_leaves_its_testaments() {
    let host = Host::new();
    let mut watcher = host.session();
    watcher.subscribe("app.gone");
    for serializer in Serializer::ALL {
        let mut leaver = websocket(&host, serializer);
        for (word, scope) in [("second", "destroyed"), ("first", "detached")] {
            let args = json!(["app.gone", [word, 1.5], {"name": "ä"}]);
            let kwargs = json!({"scope": scope, "publish_options": {"acknowledge": true}});
            let added = call(&mut leaver, "wamp.session.add_testament", args, kwargs);
            assert_eq!(added[0], 50, "{added}");
        }
        watcher.nothing_came();
        drop(leaver);
        for word in ["first", "second"] {
            let event = watcher.message();
            assert_eq!((&event[0], &event[4]), (&json!(36), &json!([word, 1.5])));
            assert_eq!(event[5], json!({"name": "ä"}));
        }
    }
}

#[test]
fn check_82_a_session_that_says_goodbye_may_flush_its_testaments_before() {
    let host = Host::new();
    let mut watcher = host.session();
    watcher.subscribe("app.gone");
    let mut leaver = host.session();
    for scope in ["detached", "destroyed"] {
        let kwargs = json!({"scope": scope});
        let args = json!(["app.gone", [scope]]);
        call(&mut leaver, "wamp.session.add_testament", args, kwargs);
    }
    let flushed = json!({"scope": "detached"});
    call(
        &mut leaver,
        "wamp.session.flush_testaments",
        json!([]),
        flushed,
    );
    leaver.send(&json!([6, {}, "wamp.close.close_realm"]));
    assert_eq!(leaver.message()[0], 6);
    assert_eq!(watcher.message()[4], json!(["destroyed"]));
    watcher.nothing_came();
}

#[test]
fn definitions_made_in_one_serializer_are_read_in_another() {
    let host = Host::new();
    let definition = json!({
        "kind": "procedure", "doc": "Adds ä and b.", "result": {"type": "number", "minimum": -1.5},
    });
    for writer in Serializer::ALL {
        for reader in Serializer::ALL {
            let mut watcher = websocket(&host, reader);
            watcher.subscribe("wamp.reflect.on_define");
            let mut author = websocket(&host, writer);
            author.register("app.add");
            let defined = author.call("wamp.reflect.define", json!(["app.add", definition]));
            assert_eq!(defined[0], 50, "{defined}");
            let event = watcher.message();
            assert_eq!(event[4][1]["doc"], definition["doc"]);
            let answer = watcher.call("wamp.reflection.procedure.describe", json!(["app.add"]));
            let description = &answer[3][0];
            assert_eq!(description["result"], definition["result"], "{answer}");
            assert_eq!(description["live"]["callees"], 1);
            let answer = watcher.call("wamp.reflection.procedure.list", json!([]));
            assert_eq!(answer[3][0]["exact"], json!(["app.add"]));
            watcher.subscribe("wamp.reflect.on_undefine");
            drop(author);
            assert_eq!(watcher.message()[4][1]["uri"], "app.add");
            let answer = watcher.call("wamp.reflection.procedure.describe", json!(["app.add"]));
            assert_eq!(answer[3][0], Value::Null);
        }
    }
}

/// An event of a meta topic: its args.
fn event(peer: &mut Peer) -> Value {
    let event = peer.message();
    assert_eq!(event[0], 36, "{event}");
    event[4].clone()
}

/// A session that watches these topics, in this order, below `wamp.`.
fn watcher(host: &Host, topics: &[&str]) -> Peer {
    let mut watcher = host.session();
    for topic in topics {
        watcher.subscribe(&format!("wamp.{topic}"));
    }
    watcher
}

/// The first result of a meta procedure, or the URI of its error.
fn ask(peer: &mut Peer, procedure: &str, args: Value) -> Value {
    let answer = peer.call(&format!("wamp.{procedure}"), args);
    match answer[0].as_u64() {
        Some(50) => answer[3][0].clone(),
        _ => answer[4].clone(),
    }
}

#[test]
fn who_hears_of_a_session_finds_it_so() {
    let host = Host::new();
    let mut watcher = watcher(&host, &["session.on_join", "session.on_leave"]);
    let joined = host.session();
    let details = event(&mut watcher)[0].clone();
    let id = details["session"].clone();
    assert_eq!(ask(&mut watcher, "session.get", json!([id])), details);
    assert_eq!(ask(&mut watcher, "session.count", json!([])), 2);
    drop(joined);
    assert_eq!(event(&mut watcher)[0], id);
    let missing = "wamp.error.no_such_session";
    assert_eq!(ask(&mut watcher, "session.get", json!([id])), missing);
    assert_eq!(ask(&mut watcher, "session.count", json!([])), 1);
    assert_eq!(ask(&mut watcher, "session.kill", json!([id])), missing);
}

#[test]
fn who_hears_of_a_registration_finds_it_so() {
    let host = Host::new();
    let topics = ["create", "register", "unregister", "delete"]
        .map(|word| format!("registration.on_{word}"));
    let mut watcher = watcher(&host, &topics.each_ref().map(String::as_str));
    let mut callee = host.session();
    let registration = callee.register("app.proc");
    let created = event(&mut watcher);
    let (session, details) = (created[0].clone(), created[1].clone());
    let joined = event(&mut watcher);
    assert_eq!(joined, json!([session, registration]));
    assert_eq!(
        ask(&mut watcher, "registration.get", json!([registration])),
        details
    );
    let callees = ask(
        &mut watcher,
        "registration.list_callees",
        json!([registration]),
    );
    assert_eq!(callees, json!([session]));
    let id = watcher.id();
    watcher.send(&json!([48, id, {}, "app.proc"]));
    let invocation = callee.message();
    callee.send(&json!([70, invocation[1], {}, ["done"]]));
    assert_eq!(watcher.message()[3], json!(["done"]));

    let id = callee.id();
    callee.send(&json!([66, id, registration]));
    for _ in 0..2 {
        assert_eq!(event(&mut watcher), json!([session, registration]));
    }
    let missing = "wamp.error.no_such_registration";
    assert_eq!(
        ask(&mut watcher, "registration.get", json!([registration])),
        missing
    );
    assert_eq!(
        ask(&mut watcher, "registration.match", json!(["app.proc"])),
        Value::Null
    );
    assert_eq!(
        watcher.call("app.proc", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
}

#[test]
fn who_hears_of_a_subscription_finds_it_so() {
    let host = Host::new();
    let mut watcher = host.session();
    let id = watcher.id();
    watcher.send(&json!([32, id, {"match": "prefix"}, "wamp.subscription."]));
    assert_eq!(watcher.message()[0], 33);
    // The watcher hears of its own subscription, too: that it was created and joined.
    let own = [event(&mut watcher), event(&mut watcher)];
    assert_eq!(own[0][1]["id"], own[1][1]);
    let mut subscriber = host.session();
    let subscription = subscriber.subscribe("app.topic");
    let created = event(&mut watcher);
    let (session, details) = (created[0].clone(), created[1].clone());
    let joined = event(&mut watcher);
    assert_eq!(joined, json!([session, subscription]));
    assert_eq!(
        ask(&mut watcher, "subscription.get", json!([subscription])),
        details
    );
    let subscribers = ask(
        &mut watcher,
        "subscription.list_subscribers",
        json!([subscription]),
    );
    assert_eq!(subscribers, json!([session]));
    watcher.publish("app.topic", json!(["news"]));
    assert_eq!(subscriber.message()[4], json!(["news"]));

    drop(subscriber);
    for _ in 0..2 {
        assert_eq!(event(&mut watcher), json!([session, subscription]));
    }
    let missing = "wamp.error.no_such_subscription";
    assert_eq!(
        ask(&mut watcher, "subscription.get", json!([subscription])),
        missing
    );
    let found = ask(&mut watcher, "subscription.match", json!(["app.topic"]));
    assert_eq!(found, Value::Null);
}
