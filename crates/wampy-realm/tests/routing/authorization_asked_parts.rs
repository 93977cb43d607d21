//! Calls in parts while an authorizer is asked about their caller.

use serde_json::{Value as Json, json};
use wampy_realm::RealmConfig;

use crate::authorization::join;
use crate::authorization_asked::{Asked, config};
use crate::simulated::{Client, Network, assert_error};

const NOT_AUTHORIZED: &str = "wamp.error.not_authorized";

/// The first arguments of the invocations that a callee got, and whether more parts follow.
fn parts(network: &mut Network, callee: Client) -> Vec<(Json, bool)> {
    let received = network.received(callee);
    let invocations = received.iter().filter(|message| message[0] == 68);
    invocations
        .map(|message| (message[4][0].clone(), message[3]["progress"] == true))
        .collect()
}

fn part(request: u64, more: bool, arg: u64) -> Json {
    json!([48, request, {"progress": more}, "a.b", [arg]])
}

fn asked_with_callee() -> (Asked, Client) {
    let mut asked = Asked::with(RealmConfig {
        waiting_messages_per_session_max: 3,
        ..config()
    });
    let callee = join(&mut asked.network, "callee", "backend");
    asked.network.register(callee, "a.b", json!({}));
    (asked, callee)
}

#[test]
fn parts_of_a_call_wait_with_it_and_are_asked_about_once() {
    let (mut asked, callee) = asked_with_callee();
    asked.send(part(1, true, 1));
    asked.send(part(1, true, 2));
    assert_eq!(parts(&mut asked.network, callee), []);
    asked.answer("a.b", "call", json!(true));
    asked.send(part(1, false, 3));
    assert_eq!(
        parts(&mut asked.network, callee),
        [(json!(1), true), (json!(2), true), (json!(3), false)]
    );
    assert_eq!(asked.network.received(asked.authorizer), [Json::Null; 0]);
}

#[test]
fn parts_of_a_call_that_is_refused_or_canceled_are_dropped() {
    for cancel in [false, true] {
        let (mut asked, callee) = asked_with_callee();
        asked.send(part(1, true, 1));
        asked.send(part(1, true, 2));
        let expected = if cancel {
            asked.send(json!([49, 1, {}]));
            "wamp.error.canceled"
        } else {
            asked.answer("a.b", "call", json!(false));
            NOT_AUTHORIZED
        };
        assert_error(&asked.network.receive(asked.user), 48, 1, expected);
        asked.send(part(1, false, 3));
        asked.nothing_came();
        assert_eq!(parts(&mut asked.network, callee), []);
        let received = asked.network.received(asked.authorizer);
        assert!(
            received.iter().all(|message| message[0] != 68 || cancel),
            "{received:?}"
        );
    }
}

#[test]
fn a_call_in_parts_that_ends_does_not_end_those_before_it() {
    for overflow in [false, true] {
        let (mut asked, callee) = asked_with_callee();
        asked.send(json!([48, 1, {}, "a.b", [10]]));
        asked.send(json!([48, 2, {}, "a.b", [20]]));
        if overflow {
            asked.send(json!([48, 3, {}, "a.b", [30]]));
            asked.send(part(4, true, 40));
            let error = asked.network.receive(asked.user);
            assert_error(&error, 48, 4, "wamp.error.unavailable");
        } else {
            asked.send(part(4, true, 40));
            asked.send(json!([49, 4, {}]));
            let error = asked.network.receive(asked.user);
            assert_error(&error, 48, 4, "wamp.error.canceled");
        }
        // A part that was on its way.
        asked.send(part(4, true, 41));
        asked.nothing_came();
        asked.send(json!([16, 5, {}, "a.b"]));
        for arg in [10, 20, 30] {
            if arg == 30 && !overflow {
                continue;
            }
            asked.answer("a.b", "call", json!(true));
            assert_eq!(parts(&mut asked.network, callee), [(json!(arg), false)]);
        }
        if !overflow {
            asked.answer("a.b", "publish", json!(true));
        }
        asked.send(part(4, false, 42));
        asked.nothing_came();
        assert_eq!(parts(&mut asked.network, callee), []);
    }
}

#[test]
fn a_call_of_which_a_part_finds_no_room_ends_once() {
    // While it waits itself.
    let (mut asked, callee) = asked_with_callee();
    for arg in 1..=4 {
        asked.send(part(1, true, arg));
    }
    assert_error(
        &asked.network.receive(asked.user),
        48,
        1,
        "wamp.error.unavailable",
    );
    asked.send(part(1, false, 5));
    asked.nothing_came();
    assert_eq!(parts(&mut asked.network, callee), []);

    // While it runs, and its caller waits for something else.
    let (mut asked, callee) = asked_with_callee();
    asked.send(part(1, true, 1));
    asked.answer("a.b", "call", json!(true));
    asked.send(json!([16, 2, {}, "a.slow"]));
    for arg in 2..=4 {
        asked.send(part(1, true, arg));
    }
    assert_error(
        &asked.network.receive(asked.user),
        48,
        1,
        "wamp.error.unavailable",
    );
    let received = asked.network.received(callee);
    let types: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
    assert_eq!(types, [68, 69]);
    asked.answer("a.slow", "publish", json!(true));
    asked.send(part(1, false, 5));
    asked.nothing_came();
    assert_eq!(parts(&mut asked.network, callee), []);
}

#[test]
fn a_call_that_runs_is_canceled_once_though_parts_of_it_wait() {
    let (mut asked, callee) = asked_with_callee();
    asked.send(part(1, true, 1));
    asked.answer("a.b", "call", json!(true));
    asked.send(json!([16, 2, {}, "a.slow"]));
    asked.send(part(1, true, 2));
    asked.send(json!([49, 1, {"mode": "killnowait"}]));
    assert_error(
        &asked.network.receive(asked.user),
        48,
        1,
        "wamp.error.canceled",
    );
    let received = asked.network.received(callee);
    let types: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
    assert_eq!(types, [68, 69]);
    asked
        .network
        .send(callee, json!([70, received[0][1], {}, ["too late"]]));
    asked.answer("a.slow", "publish", json!(true));
    asked.nothing_came();
    assert_eq!(parts(&mut asked.network, callee), []);
}

#[test]
fn a_call_that_was_refused_is_not_canceled_though_parts_of_it_wait() {
    let (mut asked, callee) = asked_with_callee();
    asked.send(part(1, true, 1));
    asked.answer("a.b", "call", json!(false));
    assert_error(&asked.network.receive(asked.user), 48, 1, NOT_AUTHORIZED);
    asked.send(json!([16, 2, {}, "a.slow"]));
    // These were on their way.
    asked.send(part(1, true, 2));
    asked.send(json!([49, 1, {}]));
    asked.nothing_came();
    asked.answer("a.slow", "publish", json!(true));
    asked.nothing_came();
    assert_eq!(parts(&mut asked.network, callee), []);
}

#[test]
fn a_call_that_found_no_room_stays_ended_when_an_earlier_one_is_given_up() {
    let (mut asked, callee) = asked_with_callee();
    asked.send(json!([16, 1, {}, "a.slow"]));
    asked.send(part(2, true, 1));
    asked.send(json!([16, 3, {}, "a.slow"]));
    asked.send(part(4, true, 1));
    let error = asked.network.receive(asked.user);
    assert_error(&error, 48, 4, "wamp.error.unavailable");
    asked.answer("a.slow", "publish", json!(true));
    // The second of these finds no room, so that the first goes with it.
    asked.send(part(2, true, 2));
    asked.send(part(2, true, 3));
    let error = asked.network.receive(asked.user);
    assert_error(&error, 48, 2, "wamp.error.unavailable");
    for arg in 2..=4 {
        asked.send(part(4, true, arg));
    }
    asked.nothing_came();
    asked.network.received(asked.authorizer);
    assert_eq!(parts(&mut asked.network, callee), []);
}
