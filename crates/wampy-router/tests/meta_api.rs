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
