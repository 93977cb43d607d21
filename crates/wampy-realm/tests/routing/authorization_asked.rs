//! Authorization by a procedure that is asked.

use serde_json::{Value as Json, json};
use wampy_realm::RealmConfig;

use crate::authorization::{everything, join, roles};
use crate::simulated::{Client, Network, assert_error};

const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";
const FAILED: &str = "wamp.error.authorization_failed";
const AUTHORIZER: &str = "com.example.authorize";

/// A realm with an authorizer that everything about `user` is asked.
pub struct Asked {
    pub network: Network,
    pub authorizer: Client,
    pub user: Client,
}

pub fn config() -> RealmConfig {
    RealmConfig {
        roles: roles(json!([everything(), {"name": "user", "authorizer": AUTHORIZER}])),
        ..RealmConfig::default()
    }
}

impl Asked {
    fn new() -> Self {
        Self::with(config())
    }

    pub fn with(config: RealmConfig) -> Self {
        let mut network = Network::with(config);
        let authorizer = join(&mut network, "judge", "backend");
        network.register(authorizer, AUTHORIZER, json!({}));
        let user = join(&mut network, "alice", "user");
        Self {
            network,
            authorizer,
            user,
        }
    }

    pub fn send(&mut self, message: Json) {
        self.network.send(self.user, message);
    }

    /// The question that the authorizer got: its id, and `uri` and `action`.
    #[track_caller]
    fn question(&mut self) -> (Json, Json, Json) {
        let invocation = self.network.receive(self.authorizer);
        assert_eq!(invocation[0], 68, "{invocation}");
        let args = &invocation[4];
        (invocation[1].clone(), args[1].clone(), args[2].clone())
    }

    /// Checks what is asked, and answers it.
    #[track_caller]
    pub fn answer(&mut self, uri: &str, action: &str, answer: Json) {
        let (id, asked_uri, asked_action) = self.question();
        assert_eq!((asked_uri, asked_action), (json!(uri), json!(action)));
        self.network
            .send(self.authorizer, json!([70, id, {}, [answer]]));
    }

    /// Whether a publication is granted, without a question.
    #[track_caller]
    fn publishes_unasked(&mut self, topic: &str) -> bool {
        self.send(json!([16, 900, {"acknowledge": true}, topic]));
        assert_eq!(self.network.received(self.authorizer), [Json::Null; 0]);
        self.network.receive(self.user)[0] == 17
    }

    #[track_caller]
    pub fn nothing_came(&mut self) {
        assert_eq!(self.network.received(self.user), [Json::Null; 0]);
    }
}

#[test]
fn an_authorizer_is_asked_about_each_request() {
    let mut asked = Asked::new();
    let id = asked.network.id(asked.user);
    asked.send(json!([32, 1, {"match": "prefix", "get_retained": true}, "a."]));
    asked.nothing_came();
    let invocation = asked.network.receive(asked.authorizer);
    let details = json!({
        "session": id, "authid": "alice", "authrole": "user", "authmethod": "ticket",
        "authprovider": "static", "realm": "realm1",
        "transport": {"type": "simulated", "serializer": "json"},
    });
    let options = json!({"match": "prefix", "get_retained": true});
    assert_eq!(invocation[4], json!([details, "a.", "subscribe", options]));
    asked
        .network
        .send(asked.authorizer, json!([70, invocation[1], {}, [true]]));
    assert_eq!(asked.network.receive(asked.user)[0], 33);

    for (request, action, request_type) in [
        (json!([48, 2, {"timeout": 5}, "a.b"]), "call", 48),
        (json!([64, 2, {}, "a.b"]), "register", 64),
        (
            json!([16, 2, {"acknowledge": true}, "a.b", ["payload"]]),
            "publish",
            16,
        ),
    ] {
        asked.send(request);
        asked.answer("a.b", action, json!(false));
        let error = asked.network.receive(asked.user);
        assert_error(&error, request_type, 2, NOT_AUTHORIZED);
        let why = format!("the role \"user\" may not {action} \"a.b\"");
        assert_eq!(error[5][0], why);
    }
}

#[test]
fn what_is_granted_is_done_as_it_was_asked_for() {
    let mut asked = Asked::new();
    let backend = join(&mut asked.network, "back", "backend");
    asked.network.register(backend, "a.b", json!({}));
    asked.network.subscribe(backend, "a.t", json!({}));
    asked.send(json!([48, 1, {"_x_custom": 1}, "a.b", ["arg"], {"key": 1.5}]));
    asked.answer("a.b", "call", json!({"allow": true, "disclose": true}));
    let invocation = asked.network.receive(backend);
    assert_eq!(invocation[4], json!(["arg"]));
    assert_eq!(invocation[5], json!({"key": 1.5}));
    assert_eq!(invocation[3]["caller_authid"], "alice");
    asked.send(json!([16, 2, {}, "a.t", [], {"k": "v"}]));
    asked.answer("a.t", "publish", json!({"allow": true, "disclose": false}));
    let event = asked.network.receive(backend);
    assert_eq!(event[5], json!({"k": "v"}));
    assert_eq!(event[3].get("publisher"), None);
    asked.nothing_came();
}

#[test]
fn requests_behind_one_that_waits_keep_their_order_and_others_go_on() {
    let mut asked = Asked::new();
    let backend = join(&mut asked.network, "back", "backend");
    asked
        .network
        .subscribe(backend, "a.", json!({"match": "prefix"}));
    for (request, topic) in [(1, "a.one"), (2, "a.two"), (3, "a.three")] {
        asked.send(json!([16, request, {"acknowledge": true}, topic]));
    }
    asked.send(json!([34, 4, 77]));
    // Another session is not held up.
    let other = join(&mut asked.network, "other", "backend");
    asked.network.send(other, json!([16, 1, {}, "a.other"]));
    assert_eq!(asked.network.receive(backend)[3]["topic"], "a.other");
    asked.nothing_came();
    asked.answer("a.one", "publish", json!(true));
    asked.answer("a.two", "publish", json!(false));
    asked.nothing_came_before_answer(&[17, 8]);
    asked.answer("a.three", "publish", json!(true));
    let topics: Vec<_> = asked.network.received(backend);
    let topics: Vec<_> = topics
        .iter()
        .map(|event| event[3]["topic"].clone())
        .collect();
    assert_eq!(topics, ["a.one", "a.three"]);
    let rest = asked.network.received(asked.user);
    assert_eq!(rest.len(), 2, "{rest:?}");
    assert_eq!(rest[0][0], 17);
    assert_error(&rest[1], 34, 4, "wamp.error.no_such_subscription");
}

impl Asked {
    #[track_caller]
    fn nothing_came_before_answer(&mut self, types: &[u64]) {
        let received = self.network.received(self.user);
        let received: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
        assert_eq!(received, types);
    }
}

#[test]
fn answers_to_others_do_not_wait() {
    let mut asked = Asked::new();
    let backend = join(&mut asked.network, "back", "backend");
    asked.send(json!([64, 1, {}, "a.service"]));
    asked.answer("a.service", "register", json!(true));
    asked.network.receive(asked.user);
    asked.send(json!([16, 2, {}, "a.topic"]));
    // The authorizer itself may need the service.
    let (id, _) = asked
        .network
        .invoke(backend, 1, json!({}), "a.service", asked.user);
    asked.send(json!([70, id, {}, ["served"]]));
    assert_eq!(asked.network.receive(backend)[3], json!(["served"]));
}

#[test]
fn an_answer_is_remembered_only_if_it_says_so_and_for_its_own_session() {
    let mut asked = Asked::new();
    let publish = |topic: &str| json!([16, 1, {"acknowledge": true}, topic]);
    for _ in 0..2 {
        asked.send(publish("a.b"));
        asked.answer("a.b", "publish", json!(true));
        assert_eq!(asked.network.receive(asked.user)[0], 17);
    }
    asked.send(publish("a.b"));
    asked.answer("a.b", "publish", json!({"allow": true, "cache": true}));
    asked.network.receive(asked.user);
    assert!(asked.publishes_unasked("a.b"));
    asked.send(publish("a.c"));
    asked.answer("a.c", "publish", json!({"allow": false, "cache": true}));
    asked.network.receive(asked.user);
    assert!(!asked.publishes_unasked("a.c"));
    // Another action, another policy, another session of the same authid and role: all are asked.
    asked.send(json!([32, 2, {}, "a.b"]));
    asked.answer("a.b", "subscribe", json!({"allow": true, "cache": true}));
    asked.network.receive(asked.user);
    asked.send(json!([32, 3, {"match": "prefix"}, "a.b"]));
    asked.answer("a.b", "subscribe", json!({"allow": false, "cache": true}));
    asked.network.receive(asked.user);
    asked.send(json!([32, 4, {"match": "prefix"}, "a.b"]));
    assert_error(&asked.network.receive(asked.user), 32, 4, NOT_AUTHORIZED);
    let again = join(&mut asked.network, "alice", "user");
    asked.network.send(again, publish("a.b"));
    asked.answer("a.b", "publish", json!(false));
    assert_error(&asked.network.receive(again), 16, 1, NOT_AUTHORIZED);
    // In time it is forgotten.
    asked.network.pass(config().authorizer_answer_lifetime_ms);
    asked.send(publish("a.b"));
    asked.answer("a.b", "publish", json!(false));
    assert_error(&asked.network.receive(asked.user), 16, 1, NOT_AUTHORIZED);
}

#[test]
fn an_authorizer_that_is_not_there_or_fails_lets_nothing_through() {
    let mut asked = Asked::new();
    let call = json!([48, 1, {}, "a.b"]);
    let fails = |asked: &mut Asked, why: &str| {
        let error = asked.network.receive(asked.user);
        assert_error(&error, 48, 1, FAILED);
        let text = error[5][0].as_str().unwrap();
        assert!(text.contains(why), "{text}");
    };
    asked.send(call.clone());
    let (id, ..) = asked.question();
    asked.network.send(
        asked.authorizer,
        json!([8, 68, id, {}, "com.example.broken"]),
    );
    fails(&mut asked, "failed with com.example.broken");
    asked.send(call.clone());
    asked.answer("a.b", "call", json!("yes"));
    fails(&mut asked, "neither a boolean nor a dict");
    asked.send(call.clone());
    asked.question();
    asked.network.leave(asked.authorizer);
    fails(&mut asked, "failed with wamp.error.canceled");
    asked.send(call.clone());
    fails(&mut asked, "is not registered");
    // A pattern that happens to match it makes nobody an authorizer.
    let wide = join(&mut asked.network, "wide", "backend");
    asked
        .network
        .register(wide, "com.", json!({"match": "prefix"}));
    asked.send(call.clone());
    fails(&mut asked, "is not registered");
    // A publication is dropped silently.
    asked.send(json!([16, 2, {}, "a.b"]));
    asked.nothing_came();
}

#[test]
fn an_authorizer_that_does_not_answer_in_time_lets_nothing_through() {
    let mut asked = Asked::new();
    asked.network.pass(1);
    asked.send(json!([48, 1, {}, "a.b"]));
    asked.send(json!([48, 2, {}, "a.c"]));
    let (id, ..) = asked.question();
    let timeout_ms = config().authorizer_timeout_ms;
    asked.network.pass(timeout_ms - 1);
    asked.nothing_came();
    asked.network.pass(1);
    let error = asked.network.receive(asked.user);
    assert_error(&error, 48, 1, FAILED);
    assert_eq!(error[5][0], "the authorizer did not answer within 10000 ms");
    let received = asked.network.received(asked.authorizer);
    let interrupt = received.iter().find(|message| message[0] == 69);
    assert_eq!(interrupt.unwrap()[1], id);
    // What it says now is too late, and the next has its own time.
    asked
        .network
        .send(asked.authorizer, json!([70, id, {}, [true]]));
    asked.nothing_came();
    asked.network.pass(timeout_ms);
    assert_error(&asked.network.receive(asked.user), 48, 2, FAILED);
}

#[test]
fn a_session_that_leaves_takes_its_questions_with_it() {
    let mut asked = Asked::new();
    asked.send(json!([48, 1, {}, "a.b"]));
    asked.send(json!([16, 2, {}, "a.b"]));
    let (id, ..) = asked.question();
    asked.network.leave(asked.user);
    assert_eq!(asked.network.receive(asked.authorizer)[0], 69);
    asked
        .network
        .send(asked.authorizer, json!([70, id, {}, [true]]));
    assert_eq!(asked.network.received(asked.authorizer), [Json::Null; 0]);
    assert_eq!(asked.network.realm.stats().pending_calls, 0);
    assert_eq!(asked.network.realm.next_timeout_ms(), None);
}

#[test]
fn a_call_may_be_canceled_before_it_is_allowed() {
    for canceled in [1, 2, 3] {
        let mut asked = Asked::new();
        let backend = join(&mut asked.network, "back", "backend");
        asked.network.register(backend, "a.b", json!({}));
        for request in 1..=3 {
            asked.send(json!([48, request, {}, "a.b", [request]]));
        }
        asked.send(json!([49, canceled, {}]));
        let error = asked.network.receive(asked.user);
        assert_error(&error, 48, canceled, "wamp.error.canceled");
        if canceled == 1 {
            // It is not asked about any more, but about the next.
            let received = asked.network.received(asked.authorizer);
            let types: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
            assert_eq!(types, [68, 69, 68]);
            let id = received[2][1].clone();
            asked
                .network
                .send(asked.authorizer, json!([70, id, {}, [true]]));
            asked.answer("a.b", "call", json!(true));
        } else {
            asked.answer("a.b", "call", json!(true));
            asked.answer("a.b", "call", json!(true));
        }
        let left: Vec<u64> = (1..=3).filter(|&request| request != canceled).collect();
        let invoked = asked.network.received(backend);
        let invoked: Vec<_> = invoked
            .iter()
            .map(|message| message[4][0].clone())
            .collect();
        assert_eq!(invoked, left);
        asked.nothing_came();
    }
}

#[test]
fn what_waits_is_bounded_by_count_and_bytes() {
    let mut asked = Asked::with(RealmConfig {
        waiting_messages_per_session_max: 3,
        waiting_bytes_per_session_max: 200,
        ..config()
    });
    let refused = |asked: &mut Asked, request, why: &str| {
        let error = asked.network.receive(asked.user);
        assert_error(&error, 48, request, "wamp.error.unavailable");
        let text = error[5][0].as_str().unwrap();
        assert!(text.contains(why), "{text}");
    };
    // The one that is asked about may be of any size.
    let long = "x".repeat(300);
    asked.send(json!([48, 1, {}, "a.b", [long]]));
    asked.send(json!([48, 2, {}, "a.b", []]));
    refused(&mut asked, 2, "200 bytes");
    asked.answer("a.b", "call", json!(false));
    asked.network.receive(asked.user);
    for request in 3..=6 {
        asked.send(json!([48, request, {}, "a.b"]));
    }
    refused(&mut asked, 6, "3 requests");
    for request in 3..=5 {
        asked.answer("a.b", "call", json!(false));
        assert_error(
            &asked.network.receive(asked.user),
            48,
            request,
            NOT_AUTHORIZED,
        );
    }
}

#[test]
fn the_authorizer_is_not_asked_about_itself() {
    let both = json!([{"name": "judge", "authorizer": AUTHORIZER}, everything()]);
    let mut network = Network::with(RealmConfig {
        roles: roles(both),
        ..RealmConfig::default()
    });
    // While there is none, nobody of its role can become one.
    let judge = join(&mut network, "judge", "judge");
    network.send(judge, json!([64, 1, {}, AUTHORIZER]));
    assert_error(&network.receive(judge), 64, 1, FAILED);
    let backend = join(&mut network, "back", "backend");
    network.register(backend, AUTHORIZER, json!({"invoke": "roundrobin"}));
    network.send(judge, json!([64, 2, {"invoke": "roundrobin"}, AUTHORIZER]));
    let question = network.receive(backend);
    network.send(backend, json!([70, question[1], {}, [true]]));
    assert_eq!(network.receive(judge)[0], 65);
    // From now on it is one.
    network.subscribe(judge, "a.b", json!({}));
    network.send(judge, json!([16, 3, {"exclude_me": false}, "a.b"]));
    assert_eq!(network.receive(judge)[0], 36);
    assert_eq!(network.received(backend), [Json::Null; 0]);
}

#[test]
fn a_testament_is_asked_about_as_a_call_and_as_a_publication() {
    let mut asked = Asked::new();
    let backend = join(&mut asked.network, "back", "backend");
    asked.network.subscribe(backend, "a.will", json!({}));
    let add = "wamp.session.add_testament";
    for (cached, published) in [(true, false), (false, true)] {
        asked.send(json!([48, 1, {}, add, ["a.will", [published], {}]]));
        asked.answer(add, "call", json!({"allow": true, "cache": cached}));
        asked.answer("a.will", "publish", json!(published));
        let answer = asked.network.receive(asked.user);
        if published {
            assert_eq!(answer[0], 50, "{answer}");
        } else {
            assert_error(&answer, 48, 1, NOT_AUTHORIZED);
            asked.network.pass(config().authorizer_answer_lifetime_ms);
        }
    }
    asked.network.leave(asked.user);
    assert_eq!(asked.network.receive(backend)[4], json!([true]));
}

#[test]
fn malformed_uris_are_not_asked_about() {
    let mut asked = Asked::new();
    for (request, request_type) in [
        (json!([48, 1, {}, "a..b"]), 48),
        (json!([64, 1, {}, "wamp.x"]), 64),
        (json!([32, 1, {"match": "prefix"}, "a b"]), 32),
    ] {
        asked.send(request);
        let error = asked.network.receive(asked.user);
        assert_error(&error, request_type, 1, "wamp.error.invalid_uri");
    }
    assert_eq!(asked.network.received(asked.authorizer), [Json::Null; 0]);
}

#[test]
fn nobody_sees_who_asks() {
    let mut asked = Asked::new();
    assert_eq!(
        asked
            .network
            .ask(asked.authorizer, "wamp.session.count", json!([])),
        json!([2])
    );
    assert_eq!(asked.network.realm.stats().sessions, 2);
}
