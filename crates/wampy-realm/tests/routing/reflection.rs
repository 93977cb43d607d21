//! `wamp.reflection.*` and `wamp.reflect.*`

use serde_json::{Value as Json, json};
use wampy_realm::RealmConfig;

use crate::authorization;
use crate::simulated::{Client, Network, assert_error};

const DEFINE: &str = "wamp.reflect.define";

fn define(network: &mut Network, client: Client, uri: &str, definition: Json) {
    let answer = network.ask(client, DEFINE, json!([uri, definition]));
    assert_eq!(answer, json!([]));
}

/// Takes back definitions, with these keyword arguments.
fn undefine(network: &mut Network, client: Client, uri: &str, kwargs: Json) {
    network.send(client, json!([48, 1, {}, DEFINE, [uri], kwargs]));
    assert_eq!(network.receive(client), json!([50, 1, {}]));
}

fn describe(network: &mut Network, client: Client, kind: &str, uri: &str) -> Json {
    let procedure = format!("wamp.reflection.{kind}.describe");
    network.ask(client, &procedure, json!([uri]))[0].clone()
}

fn describe_by(network: &mut Network, client: Client, kind: &str, uri: &str, policy: &str) -> Json {
    let procedure = format!("wamp.reflection.{kind}.describe");
    network.send(
        client,
        json!([48, 1, {}, procedure, [uri], {"match": policy}]),
    );
    network.receive(client)[3][0].clone()
}

fn list(network: &mut Network, client: Client, kind: &str, args: Json) -> Json {
    network.ask(client, &format!("wamp.reflection.{kind}.list"), args)[0].clone()
}

/// A client that watches what is defined and undefined.
fn watcher(network: &mut Network) -> Client {
    let watcher = network.join();
    network.subscribe(watcher, "wamp.reflect.", json!({"match": "prefix"}));
    watcher
}

/// The events that a watcher received: the last part of the topic, and the args.
fn events(network: &mut Network, watcher: Client) -> Vec<(String, Json)> {
    let received = network.received(watcher);
    let event = |m: Json| {
        let topic = m[3]["topic"].as_str().unwrap().to_owned();
        (topic.replace("wamp.reflect.", ""), m[4].clone())
    };
    received.into_iter().map(event).collect()
}

#[test]
fn definitions_are_listed_and_described() {
    let mut network = Network::new();
    let (author, reader) = (network.join(), network.join());
    let definition = json!({
        "uri": "app.add", "kind": "procedure", "doc": "Adds two numbers.",
        "args": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
        "kwargs": false, "result": {"type": "number"}, "x_custom": [1, {"deep": null}],
    });
    define(&mut network, author, "app.add", definition.clone());
    define(
        &mut network,
        author,
        "app.made",
        json!({"kind": "topic", "args": true}),
    );
    define(
        &mut network,
        author,
        "app.error.odd",
        json!({"kind": "error", "doc": null}),
    );
    for (kind, uri) in [
        ("procedure", "app.add"),
        ("topic", "app.made"),
        ("error", "app.error.odd"),
    ] {
        let lists = list(&mut network, reader, kind, json!([]));
        assert_eq!(lists, json!({"exact": [uri], "prefix": [], "wildcard": []}));
    }
    let mut expected = definition;
    expected["match"] = json!("exact");
    assert_eq!(
        describe(&mut network, reader, "procedure", "app.add"),
        expected
    );
    let expected = json!({"uri": "app.made", "kind": "topic", "match": "exact", "args": true});
    assert_eq!(
        describe(&mut network, reader, "topic", "app.made"),
        expected
    );
    // Each kind has definitions of its own.
    assert_eq!(
        describe(&mut network, reader, "topic", "app.add"),
        Json::Null
    );
    assert_eq!(
        describe(&mut network, reader, "error", "app.none"),
        Json::Null
    );
    let all = network.ask(reader, "wamp.reflect.describe", json!(["app.made"]));
    assert_eq!(all, json!([[expected]]));
    let none = network.ask(reader, "wamp.reflect.describe", json!(["app.none"]));
    assert_eq!(none, json!([[]]));
}

#[test]
fn what_is_live_is_listed_and_described() {
    let mut network = Network::new();
    let (callee, other) = (network.join(), network.join());
    let shared = json!({"invoke": "roundrobin"});
    let registration = network.register(callee, "app.b", shared.clone());
    network.register(other, "app.b", shared);
    network.register(callee, "app.a", json!({}));
    network.register(callee, "app.x.", json!({"match": "prefix"}));
    let subscription = network.subscribe(other, "app.t", json!({}));
    network.subscribe(other, "app..t", json!({"match": "wildcard"}));
    network.subscribe(other, "wamp.session.on_join", json!({}));
    define(
        &mut network,
        callee,
        "app.b",
        json!({"kind": "procedure", "doc": "B"}),
    );
    define(&mut network, callee, "app.c", json!({"kind": "procedure"}));
    let procedures = list(&mut network, other, "procedure", json!([]));
    let expected =
        json!({"exact": ["app.a", "app.b", "app.c"], "prefix": ["app.x."], "wildcard": []});
    assert_eq!(procedures, expected);
    let procedures = list(&mut network, other, "procedure", json!(["app.b"]));
    assert_eq!(
        procedures,
        json!({"exact": ["app.b"], "prefix": [], "wildcard": []})
    );
    let topics = list(&mut network, other, "topic", json!([null]));
    assert_eq!(
        topics,
        json!({"exact": ["app.t"], "prefix": [], "wildcard": ["app..t"]})
    );
    let live = json!({"registration": registration, "invoke": "roundrobin", "callees": 2});
    let expected = json!({
        "uri": "app.b", "kind": "procedure", "match": "exact", "live": live, "doc": "B",
    });
    assert_eq!(
        describe(&mut network, other, "procedure", "app.b"),
        expected
    );
    let live = json!({"subscription": subscription, "subscribers": 1});
    let expected = json!({"uri": "app.t", "kind": "topic", "match": "exact", "live": live});
    assert_eq!(describe(&mut network, callee, "topic", "app.t"), expected);
    // The definition stays when its registration goes, and the other way round.
    network.send(callee, json!([66, 1, registration]));
    network.received(callee);
    let description = describe(&mut network, other, "procedure", "app.b");
    assert_eq!(
        (&description["live"]["callees"], &description["doc"]),
        (&json!(1), &json!("B"))
    );
    network.leave(callee);
    let description = describe(&mut network, other, "procedure", "app.b");
    assert_eq!(
        (&description["live"]["callees"], description.get("doc")),
        (&json!(1), None)
    );
}

#[test]
fn the_protocols_own_uris_are_not_described() {
    let mut network = Network::new();
    let client = network.join();
    network.subscribe(client, "wamp.session.on_join", json!({}));
    for (kind, uri) in [("topic", "wamp.session.on_join"), ("procedure", DEFINE)] {
        assert_eq!(describe(&mut network, client, kind, uri), Json::Null);
    }
    let error = network.ask_in_vain(client, DEFINE, json!(["wamp.x", {"kind": "topic"}]));
    assert_eq!(error, "wamp.error.invalid_uri");
}

#[test]
fn without_an_exact_match_the_best_pattern_is_described() {
    let mut network = Network::new();
    let (callee, client) = (network.join(), network.join());
    network.register(callee, "app.", json!({"match": "prefix"}));
    let prefix = json!({"kind": "procedure", "match": "prefix", "doc": "any"});
    define(&mut network, callee, "app.", prefix);
    // Only defined, so no call goes there.
    let longer = json!({"kind": "procedure", "match": "prefix", "doc": "later"});
    define(&mut network, callee, "app.long", longer);
    let topics = json!({"kind": "topic", "match": "wildcard", "doc": "sensors"});
    define(&mut network, callee, "app..t", topics);
    let description = describe(&mut network, client, "procedure", "app.longest");
    assert_eq!(
        (
            &description["uri"],
            &description["match"],
            &description["doc"]
        ),
        (&json!("app."), &json!("prefix"), &json!("any"))
    );
    let description = describe_by(&mut network, client, "procedure", "app.long", "prefix");
    assert_eq!(description["doc"], "later");
    let description = describe(&mut network, client, "topic", "app.1.t");
    assert_eq!(
        (&description["uri"], &description["doc"]),
        (&json!("app..t"), &json!("sensors"))
    );
    let by_policy = describe_by(&mut network, client, "procedure", "app.", "exact");
    assert_eq!(by_policy, Json::Null);
    network.send(callee, json!([66, 1, 1]));
    network.received(callee);
    let description = describe(&mut network, client, "procedure", "app.longest");
    assert_eq!(description["doc"], "later");
}

#[test]
fn what_is_said_is_announced_after_it_is_so() {
    let mut network = Network::new();
    let watcher = watcher(&mut network);
    let (one, other) = (network.join(), network.join());
    let (one_id, other_id) = (network.id(one), network.id(other));
    let told = |session: u64, doc: &str| {
        let details = json!({"uri": "app.a", "kind": "topic", "match": "exact", "doc": doc});
        ("on_define".to_owned(), json!([session, details]))
    };
    let of = |doc: &str| json!({"kind": "topic", "doc": doc});
    define(&mut network, one, "app.a", of("1"));
    assert_eq!(events(&mut network, watcher), [told(one_id, "1")]);
    // The same again changes nothing, and neither does who comes second.
    define(&mut network, one, "app.a", of("1"));
    define(&mut network, other, "app.a", of("2"));
    assert_eq!(events(&mut network, watcher), []);
    define(&mut network, other, "app.a", of("3"));
    assert_eq!(events(&mut network, watcher), []);
    define(&mut network, one, "app.a", of("4"));
    assert_eq!(events(&mut network, watcher), [told(one_id, "4")]);
    assert_eq!(
        describe(&mut network, watcher, "topic", "app.a")["doc"],
        "4"
    );
    network.leave(one);
    assert_eq!(events(&mut network, watcher), [told(one_id, "3")]);
    assert_eq!(
        describe(&mut network, watcher, "topic", "app.a")["doc"],
        "3"
    );
    undefine(&mut network, other, "app.a", json!({}));
    let subject = json!({"uri": "app.a", "kind": "topic", "match": "exact"});
    let gone = ("on_undefine".to_owned(), json!([other_id, subject]));
    assert_eq!(events(&mut network, watcher), [gone]);
    assert_eq!(
        describe(&mut network, watcher, "topic", "app.a"),
        Json::Null
    );
}

#[test]
fn an_equal_definition_that_takes_over_is_not_announced() {
    let mut network = Network::new();
    let watcher = watcher(&mut network);
    let workers = [network.join(), network.join()];
    for worker in workers {
        define(
            &mut network,
            worker,
            "app.a",
            json!({"kind": "procedure", "doc": "same"}),
        );
    }
    assert_eq!(events(&mut network, watcher).len(), 1);
    network.leave(workers[0]);
    assert_eq!(events(&mut network, watcher), []);
    network.leave(workers[1]);
    assert_eq!(events(&mut network, watcher)[0].0, "on_undefine");
}

#[test]
fn definitions_go_with_their_session_before_on_leave() {
    let mut network = Network::new();
    let author = network.join();
    for uri in ["app.a", "app.b"] {
        define(&mut network, author, uri, json!({"kind": "procedure"}));
    }
    let testament = json!(["app.gone"]);
    network.ask(author, "wamp.session.add_testament", testament);
    let watcher = network.join();
    network.subscribe(watcher, "", json!({"match": "prefix"}));
    network.received(watcher);
    network.leave(author);
    let topics: Vec<_> = network
        .received(watcher)
        .iter()
        .map(|event| event[3]["topic"].as_str().unwrap().to_owned())
        .collect();
    let undefined = "wamp.reflect.on_undefine";
    assert_eq!(
        topics,
        [undefined, undefined, "app.gone", "wamp.session.on_leave"]
    );
    let lists = list(&mut network, watcher, "procedure", json!([]));
    assert_eq!(lists["exact"], json!([]));
}

#[test]
fn kill_all_takes_definitions_without_a_word() {
    let mut network = Network::new();
    let (author, watcher) = (network.join(), watcher(&mut network));
    define(&mut network, author, "app.a", json!({"kind": "procedure"}));
    network.received(watcher);
    let killed = network.ask(watcher, "wamp.session.kill_all", json!([]));
    assert_eq!(killed, json!([1]));
    assert_eq!(
        describe(&mut network, watcher, "procedure", "app.a"),
        Json::Null
    );
}

#[test]
fn taking_back_may_name_kind_and_match_policy() {
    let mut network = Network::new();
    let (author, other) = (network.join(), network.join());
    let all = [
        ("procedure", "exact"),
        ("procedure", "prefix"),
        ("topic", "exact"),
        ("topic", "wildcard"),
    ];
    let left = |network: &mut Network| {
        all.map(|(kind, policy)| describe_by(network, other, kind, "app.a", policy) != Json::Null)
    };
    for (kwargs, expected) in [
        (
            json!({"kind": "procedure", "match": "prefix"}),
            [true, false, true, true],
        ),
        (json!({"kind": "topic"}), [true, true, false, false]),
        (json!({"match": "exact"}), [false, true, false, true]),
        (json!({"kind": null}), [false; 4]),
    ] {
        for (kind, policy) in all {
            let definition = json!({"kind": kind, "match": policy});
            define(&mut network, author, "app.a", definition);
        }
        // Nobody takes back what another has said.
        undefine(&mut network, other, "app.a", json!({}));
        assert_eq!(left(&mut network), [true; 4]);
        undefine(&mut network, author, "app.a", kwargs.clone());
        assert_eq!(left(&mut network), expected, "{kwargs}");
    }
}

#[test]
fn what_is_no_definition_is_refused() {
    let mut network = Network::new();
    let client = network.join();
    let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
    // The definition itself is a level, too.
    let deepest = json!({"kind": "topic", "x": nested(63)});
    define(&mut network, client, "app.deep", deepest);
    for (uri, definition, error) in [
        ("app.a", json!({}), "invalid_argument"),
        ("app.a", json!({"kind": "thing"}), "invalid_argument"),
        ("app.a", json!({"kind": 1}), "invalid_argument"),
        ("app.a", json!("text"), "invalid_argument"),
        (
            "app.a",
            json!({"kind": "topic", "match": "x"}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "topic", "uri": "app.b"}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "topic", "doc": 1}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "topic", "args": []}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "procedure", "result": "int"}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "error", "match": "prefix"}),
            "invalid_argument",
        ),
        (
            "app.a",
            json!({"kind": "topic", "x": nested(64)}),
            "invalid_argument",
        ),
        ("a..b", json!({"kind": "topic"}), "invalid_uri"),
        ("", json!({"kind": "topic"}), "invalid_uri"),
    ] {
        network.send(client, json!([48, 1, {}, DEFINE, [uri, definition]]));
        let uri = format!("wamp.error.{error}");
        let answer = network.receive(client);
        assert_eq!(answer[4], uri, "{definition}: {answer}");
        assert_error(&answer, 48, 1, &uri);
    }
    for args in [json!([]), json!([7])] {
        for procedure in [
            DEFINE,
            "wamp.reflection.topic.describe",
            "wamp.reflect.describe",
        ] {
            let error = network.ask_in_vain(client, procedure, args.clone());
            assert_eq!(error, "wamp.error.invalid_argument");
        }
    }
    let error = network.ask_in_vain(client, "wamp.reflection.topic.list", json!([7]));
    assert_eq!(error, "wamp.error.invalid_argument");
}

#[test]
fn a_definition_needs_the_permission_for_what_it_describes() {
    let mut network = authorization::network(json!([{"name": "user", "permissions": [
        {"uri": "wamp.*", "allow": {"call": true}},
        {"uri": "app.proc.*", "allow": {"register": true}},
        {"uri": "app.topic.*", "allow": {"publish": true, "subscribe": true}},
    ]}]));
    let client = authorization::join(&mut network, "alice", "user");
    for (uri, definition, allowed) in [
        ("app.proc.a", json!({"kind": "procedure"}), true),
        (
            "app.proc.",
            json!({"kind": "procedure", "match": "prefix"}),
            true,
        ),
        (
            "app.",
            json!({"kind": "procedure", "match": "prefix"}),
            false,
        ),
        ("app.topic.a", json!({"kind": "procedure"}), false),
        ("app.topic.a", json!({"kind": "topic"}), true),
        ("app.proc.a", json!({"kind": "topic"}), false),
        ("app.error.a", json!({"kind": "error"}), true),
    ] {
        network.send(client, json!([48, 1, {}, DEFINE, [uri, definition]]));
        let answer = network.receive(client);
        if allowed {
            assert_eq!(answer, json!([50, 1, {}]), "{uri} {definition}");
        } else {
            assert_error(&answer, 48, 1, "wamp.error.not_authorized");
        }
    }
    undefine(&mut network, client, "app.proc.a", json!({}));
    let error = network.ask_in_vain(client, DEFINE, json!(["app.a", {"kind": "thing"}]));
    assert_eq!(error, "wamp.error.invalid_argument");
}

#[test]
fn definitions_per_session_max() {
    let config = RealmConfig {
        definitions_per_session_max: 2,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (author, other) = (network.join(), network.join());
    let definition = json!({"kind": "topic"});
    define(&mut network, author, "app.a", definition.clone());
    define(&mut network, author, "app.b", definition.clone());
    let error = network.ask_in_vain(author, DEFINE, json!(["app.c", definition]));
    assert_eq!(error, "wamp.error.not_authorized");
    // Saying something else of the same needs no room.
    define(
        &mut network,
        author,
        "app.b",
        json!({"kind": "topic", "doc": "new"}),
    );
    define(&mut network, other, "app.c", definition.clone());
    undefine(&mut network, author, "app.a", json!({}));
    define(&mut network, author, "app.c", definition);
}

#[test]
fn definition_bytes_per_session_max() {
    let config = RealmConfig {
        definition_bytes_per_session_max: 300,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let author = network.join();
    let of = |bytes: usize| json!({"kind": "topic", "doc": "x".repeat(bytes)});
    // The first one has to fit, too.
    let error = network.ask_in_vain(author, DEFINE, json!(["app.a", of(300)]));
    assert_eq!(error, "wamp.error.not_authorized");
    define(&mut network, author, "app.a", of(200));
    let error = network.ask_in_vain(author, DEFINE, json!(["app.b", of(200)]));
    assert_eq!(error, "wamp.error.not_authorized");
    // What is replaced does not count.
    define(&mut network, author, "app.a", of(250));
    define(&mut network, author, "app.a", of(100));
    define(&mut network, author, "app.b", of(100));
}

#[test]
fn a_session_sees_what_its_role_may_do_something_with() {
    let all = json!({"call": true, "register": true, "publish": true, "subscribe": true});
    let mut network = authorization::network(json!([
        authorization::everything(),
        {"name": "guest", "permissions": [
            {"uri": "wamp.*", "call": true},
            {"uri": "open.*", "call": true, "subscribe": true},
            {"uri": "open.secret", "allow": {}},
            {"uri": "mine.{authid}.*", "allow": all},
        ]},
        {"name": "asked", "authorizer": "com.example.authorize"},
    ]));
    let backend = authorization::join(&mut network, "backend", "backend");
    for uri in [
        "open.a",
        "open.secret",
        "hidden.a",
        "mine.joe.a",
        "mine.ann.a",
    ] {
        network.register(backend, uri, json!({}));
        network.subscribe(backend, uri, json!({}));
    }
    network.register(backend, "open.", json!({"match": "prefix"}));
    network.register(backend, "open.b.", json!({"match": "prefix"}));
    define(
        &mut network,
        backend,
        "hidden.error",
        json!({"kind": "error"}),
    );
    network.received(backend);
    let joe = authorization::join(&mut network, "joe", "guest");
    let seen = json!({
        "exact": ["mine.joe.a", "open.a"], "prefix": ["open.b."], "wildcard": [],
    });
    assert_eq!(list(&mut network, joe, "procedure", json!([])), seen);
    let topics = list(&mut network, joe, "topic", json!([]));
    assert_eq!(topics["exact"], json!(["mine.joe.a", "open.a"]));
    let errors = list(&mut network, joe, "error", json!([]));
    assert_eq!(errors["exact"], json!(["hidden.error"]));
    for kind in ["procedure", "topic"] {
        for hidden in ["hidden.a", "open.secret", "mine.ann.a"] {
            assert_eq!(describe(&mut network, joe, kind, hidden), json!(null));
        }
        assert_eq!(describe(&mut network, joe, kind, "open.a")["uri"], "open.a");
    }
    // Not all that it matches may be called.
    assert_eq!(
        describe_by(&mut network, joe, "procedure", "open.", "prefix"),
        json!(null)
    );
    let everything = list(&mut network, backend, "procedure", json!([]));
    assert_eq!(everything["exact"].as_array().unwrap().len(), 5);
}
