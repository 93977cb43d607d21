//! Calls that are made in several parts.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, Roles};
use wampy_realm::{Disclosure, RealmConfig};

use crate::simulated::{
    Client, Network, UNENCODABLE, all_features, assert_error, features_with, features_without,
};

const NOTHING: [Json; 0] = [];

fn able() -> Roles {
    features_with(&[Feature::ProgressiveCallInvocations])
}

/// A callee of `a.b` and a caller, both able.
fn able_network() -> (Network, Client, Client) {
    let mut network = Network::new();
    let (callee, caller) = (network.join_with(able()), network.join_with(able()));
    network.register(callee, "a.b", json!({}));
    (network, callee, caller)
}

/// The first part of call 1 of `a.b`; the invocation's id.
fn begin(network: &mut Network, caller: Client, callee: Client, mut options: Json) -> u64 {
    options["progress"] = true.into();
    network.invoke(caller, 1, options, "a.b", callee).0
}

#[test]
fn check_58_an_unannounced_progressive_invocation_breaks_the_protocol() {
    let mut network = Network::new();
    let (callee, caller) = (network.join_with(able()), network.join());
    network.register(callee, "a.b", json!({}));
    let problem = network.violate(caller, json!([48, 1, {"progress": true}, "a.b"]));
    assert_eq!(
        problem,
        "CALL has progress, but the caller did not announce progressive_call_invocations"
    );
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn check_59_a_callee_without_the_feature_is_not_called() {
    let both = [
        Feature::ProgressiveCallInvocations,
        Feature::PayloadPassthruMode,
    ];
    let mut without_canceling = able();
    let mut features = without_canceling.get(wampy_proto::Role::Callee).unwrap();
    features.remove(Feature::CallCanceling);
    without_canceling.set(wampy_proto::Role::Callee, features);
    for roles in [all_features(), without_canceling] {
        let mut network = Network::new();
        let (callee, caller) = (
            network.join_with(roles),
            network.join_with(features_with(&both)),
        );
        network.register(callee, "a.b", json!({}));
        network.send(caller, json!([48, 1, {"progress": true}, "a.b", [1]]));
        let error = network.receive(caller);
        assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
        assert_eq!(
            error[5],
            json!(["the call has progress, which its callee does not support"])
        );
        // The caller may send more before it knows.
        network.send(caller, json!([48, 1, {"progress": true}, "a.b", [2]]));
        network.send(caller, json!([48, 1, {}, "a.b", [3]]));
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.received(callee), NOTHING);
        // In one go it can be called.
        network.invoke(caller, 2, json!({}), "a.b", callee);
    }
}

#[test]
fn check_59_among_callees_those_with_the_feature_are_called() {
    let mut network = Network::new();
    let (unable, able, caller) = (
        network.join(),
        network.join_with(able()),
        network.join_with(able()),
    );
    for callee in [unable, able] {
        network.register(callee, "a.b", json!({"invoke": "roundrobin"}));
    }
    for request in 1..4 {
        network.invoke(caller, request, json!({"progress": true}), "a.b", able);
    }
    network.invoke(caller, 4, json!({}), "a.b", unable);
}

#[test]
fn check_59_the_routers_own_procedures_take_no_parts() {
    let (mut network, _, caller) = able_network();
    let part = json!([48, 1, {"progress": true}, "wamp.session.count"]);
    network.send(caller, part.clone());
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.feature_not_supported");
    network.send(caller, part);
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn check_60_parts_of_a_call_go_to_one_callee_as_one_invocation() {
    for policy in ["roundrobin", "random", "first", "last"] {
        let mut network = Network::new();
        let callees: Vec<_> = (0..4).map(|_| network.join_with(able())).collect();
        let caller = network.join_with(able());
        let mut registration = 0;
        for &callee in &callees {
            registration = network.register(callee, "a.b", json!({ "invoke": policy }));
        }
        network.send(caller, json!([48, 1, {"progress": true}, "a.b", [0]]));
        let chosen = |network: &mut Network| {
            let mut got = callees
                .iter()
                .map(|&callee| (callee, network.received(callee)));
            let (callee, messages) = got.find(|(_, messages)| !messages.is_empty()).unwrap();
            assert!(got.all(|(_, messages)| messages.is_empty()), "one callee");
            (callee, messages)
        };
        let (callee, first) = chosen(&mut network);
        let expected = json!([68, 1, registration, {"progress": true}, [0]]);
        assert_eq!(first, [expected], "{policy}");
        for n in 1..10 {
            // What else the caller does in between changes nothing, nor do others that come and go.
            let other = network.join_with(able());
            network.register(other, "a.b", json!({ "invoke": policy }));
            network.leave(other);
            network.send(caller, json!([48, 1, {"progress": true}, "a.b", [n]]));
            let expected = json!([68, 1, registration, {"progress": true}, [n]]);
            assert_eq!(chosen(&mut network), (callee, vec![expected]), "{policy}");
        }
        network.send(caller, json!([48, 1, {}, "a.b", ["last"]]));
        let expected = json!([68, 1, registration, {}, ["last"]]);
        assert_eq!(chosen(&mut network), (callee, vec![expected]), "{policy}");
        network.send(callee, json!([70, 1, {}, [45]]));
        assert_eq!(network.receive(caller), json!([50, 1, {}, [45]]));
        assert_eq!(network.realm.stats().pending_calls, 0);
    }
}

#[test]
fn check_60_invocations_between_the_parts_have_the_next_ids() {
    let (mut network, callee, caller) = able_network();
    assert_eq!(begin(&mut network, caller, callee, json!({})), 1);
    assert_eq!(network.invoke(caller, 2, json!({}), "a.b", callee).0, 2);
    let progress = json!({"progress": true});
    let (id, _) = network.invoke(caller, 3, progress.clone(), "a.b", callee);
    assert_eq!(id, 3);
    for (request, invocation) in [(1, 1), (3, 3), (1, 1)] {
        let (id, _) = network.invoke(caller, request, progress.clone(), "a.b", callee);
        assert_eq!(id, invocation);
    }
    assert_eq!(network.invoke(caller, 4, json!({}), "a.b", callee).0, 4);
}

#[test]
fn check_60_parts_reach_a_callee_that_has_unregistered() {
    let (mut network, callee, caller) = able_network();
    let id = begin(&mut network, caller, callee, json!({}));
    let registration = network.ask(caller, "wamp.registration.lookup", json!(["a.b"]))[0].clone();
    network.send(callee, json!([66, 1, registration]));
    assert_eq!(network.receive(callee), json!([67, 1]));
    // Another one takes the procedure over; it has no part in this call.
    let other = network.join_with(able());
    network.register(other, "a.b", json!({}));
    network.send(caller, json!([48, 1, {}, "a.b", [2]]));
    assert_eq!(
        network.receive(callee),
        json!([68, id, registration, {}, [2]])
    );
    assert_eq!(network.received(other), NOTHING);
}

#[test]
fn check_62_a_call_with_the_id_of_a_pending_call_breaks_the_protocol() {
    for roles in [all_features(), able()] {
        let mut network = Network::new();
        let (callee, caller) = (network.join(), network.join_with(roles));
        network.register(callee, "a.b", json!({}));
        network.invoke(caller, 5, json!({}), "a.b", callee);
        let problem = network.violate(caller, json!([48, 5, {}, "a.b"]));
        assert!(problem.contains("request id 5 of a call"), "{problem}");
        // The violator's call is over, as with every session that leaves.
        assert_eq!(
            network.receive(callee),
            json!([69, 1, {"mode": "killnowait"}])
        );
    }
}

#[test]
fn check_62_nothing_may_come_behind_the_last_part() {
    for options in [json!({"progress": true}), json!({})] {
        let (mut network, callee, caller) = able_network();
        begin(&mut network, caller, callee, json!({}));
        network.send(caller, json!([48, 1, {}, "a.b", ["last"]]));
        assert_eq!(network.receive(callee)[4], json!(["last"]));
        network.violate(caller, json!([48, 1, options, "a.b", ["too late"]]));
        assert_eq!(network.receive(callee)[0], 69);
    }
}

#[test]
fn check_62_a_part_may_not_name_another_procedure() {
    let (mut network, callee, caller) = able_network();
    network.register(callee, "c.d", json!({}));
    begin(&mut network, caller, callee, json!({}));
    let problem = network.violate(caller, json!([48, 1, {}, "c.d"]));
    assert_eq!(
        problem,
        r#"CALL goes on with request 1, a call of "a.b", but names "c.d""#
    );
}

#[test]
fn check_63_parts_of_a_call_that_has_ended_are_dropped() {
    let answers = [
        json!([70, 1, {}, ["early"]]),
        json!([8, 68, 1, {}, "a.error"]),
    ];
    for answer in answers {
        let (mut network, callee, caller) = able_network();
        begin(&mut network, caller, callee, json!({}));
        network.send(callee, answer);
        network.receive(caller);
        // Other calls come in between; the ids of the late parts stay those of the past.
        network.invoke(caller, 2, json!({}), "a.b", callee);
        for n in 0..3 {
            network.send(caller, json!([48, 1, {"progress": true}, "a.b", [n]]));
        }
        network.send(caller, json!([48, 1, {}, "a.b", ["last"]]));
        assert_eq!(network.received(callee), NOTHING);
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.realm.stats().pending_calls, 1);
        network.invoke(caller, 3, json!({}), "a.b", callee);
    }
}

#[test]
fn check_63_parts_of_a_call_whose_callee_left_are_dropped() {
    let (mut network, callee, caller) = able_network();
    begin(&mut network, caller, callee, json!({}));
    network.leave(callee);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    let other = network.join_with(able());
    network.register(other, "a.b", json!({}));
    network.send(caller, json!([48, 1, {"progress": true}, "a.b"]));
    network.send(caller, json!([48, 1, {}, "a.b"]));
    assert_eq!(network.received(caller), NOTHING);
    assert_eq!(network.received(other), NOTHING);
}

#[test]
fn check_63_parts_of_a_call_that_was_not_allowed_are_dropped() {
    let member = json!({"name": "member", "permissions": [{"uri": "a.b", "allow": {
        "call": true, "register": true,
    }}]});
    let mut network = Network::with(RealmConfig {
        roles: serde_json::from_value(json!([member])).unwrap(),
        ..RealmConfig::default()
    });
    let (callee, caller) = (network.join_with(able()), network.join_with(able()));
    network.send(caller, json!([48, 1, {"progress": true}, "c.d"]));
    assert_error(&network.receive(caller), 48, 1, "wamp.error.not_authorized");
    network.send(caller, json!([48, 1, {"progress": true}, "c.d"]));
    network.send(caller, json!([48, 1, {}, "c.d"]));
    assert_eq!(network.received(caller), NOTHING);
    // What is allowed is decided with the first part, and then goes on.
    network.register(callee, "a.b", json!({}));
    let progress = json!({"progress": true});
    let (id, _) = network.invoke(caller, 2, progress.clone(), "a.b", callee);
    assert_eq!(network.invoke(caller, 2, progress, "a.b", callee).0, id);
    network.send(callee, json!([70, id, {}]));
    assert_eq!(network.receive(caller)[0], 50);
    network.send(caller, json!([48, 2, {}, "a.b"]));
    assert_eq!(network.received(caller), NOTHING);
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn a_caller_that_leaves_in_the_middle_interrupts_its_call() {
    let (mut network, callee, caller) = able_network();
    let id = begin(&mut network, caller, callee, json!({}));
    network.leave(caller);
    assert_eq!(
        network.receive(callee),
        json!([69, id, {"mode": "killnowait"}])
    );
    assert_eq!(network.realm.stats().pending_calls, 0);
    network.send(callee, json!([70, id, {}]));
}

#[test]
fn a_call_can_be_canceled_in_the_middle() {
    for mode in ["skip", "killnowait"] {
        let (mut network, callee, caller) = able_network();
        let id = begin(&mut network, caller, callee, json!({}));
        network.send(caller, json!([49, 1, { "mode": mode }]));
        assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
        let interrupts = network.received(callee);
        match mode {
            "skip" => assert_eq!(interrupts, NOTHING),
            _ => assert_eq!(interrupts, [json!([69, id, { "mode": mode }])]),
        }
        network.send(caller, json!([48, 1, {"progress": true}, "a.b"]));
        network.send(caller, json!([48, 1, {}, "a.b"]));
        assert_eq!(network.received(callee), NOTHING);
        assert_eq!(network.received(caller), NOTHING);
    }
}

#[test]
fn a_call_that_is_killed_in_the_middle_ends_by_its_callees_answer() {
    let (mut network, callee, caller) = able_network();
    let id = begin(&mut network, caller, callee, json!({}));
    network.send(caller, json!([49, 1, {"mode": "kill"}]));
    assert_eq!(network.receive(callee), json!([69, id, {"mode": "kill"}]));
    assert_eq!(network.received(caller), NOTHING);
    network.send(callee, json!([8, 68, id, {}, "wamp.error.canceled"]));
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    network.send(caller, json!([48, 1, {}, "a.b"]));
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn check_64_the_options_of_the_first_part_apply_to_all() {
    let mut network = Network::new();
    let callee = network.join_with(able());
    let caller = network.join_as("joe", "clerk", able());
    let registration = network.register(callee, "a.", json!({"match": "prefix"}));
    let frozen = json!({
        "caller": network.id(caller), "caller_authid": "joe", "caller_authrole": "clerk",
        "receive_progress": true, "procedure": "a.b", "progress": true,
    });
    let options = json!({
        "progress": true, "disclose_me": true, "receive_progress": true, "timeout": 100,
    });
    let (id, details) = network.invoke(caller, 1, options, "a.b", callee);
    assert_eq!(details, frozen);
    for options in [
        json!({"progress": true}),
        // None of these counts, not even those that would be refused in a first part.
        json!({
            "progress": true, "disclose_me": false, "receive_progress": false, "timeout": 5,
            "ppt_scheme": "wamp", "rkey": "x", "runmode": "partition", "_private": 1,
        }),
    ] {
        network.send(caller, json!([48, 1, options, "a.b", ["more"]]));
        let expected = json!([68, id, registration, frozen, ["more"]]);
        assert_eq!(network.receive(callee), expected);
    }
    network.send(caller, json!([48, 1, {"timeout": 1}, "a.b"]));
    let mut last = frozen.clone();
    last.as_object_mut().unwrap().remove("progress");
    assert_eq!(network.receive(callee), json!([68, id, registration, last]));
    // The time limit is that of the first part, too.
    network.pass(99);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
}

#[test]
fn check_64_options_of_further_parts_take_no_effect_by_themselves() {
    let config = RealmConfig {
        caller_disclosure: Disclosure::Denied,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join_with(able()), network.join_with(able()));
    network.register(callee, "a.b", json!({}));
    let id = begin(&mut network, caller, callee, json!({}));
    let options = json!({"disclose_me": true, "receive_progress": true, "timeout": 10});
    assert_eq!(
        network.invoke(caller, 1, options, "a.b", callee),
        (id, json!({}))
    );
    network.send(callee, json!([70, id, {"progress": true}]));
    network.pass(1_000);
    assert_eq!(network.received(caller), NOTHING);
}

#[test]
fn both_sides_may_send_in_parts_at_once() {
    let (mut network, callee, caller) = able_network();
    let both = json!({"progress": true, "receive_progress": true});
    let (id, details) = network.invoke(caller, 1, both.clone(), "a.b", callee);
    assert_eq!(details, both);
    // Parts of both sides come in any number, whichever side is ahead.
    for (up, down) in [(1, 0), (2, 1), (0, 3), (1, 1)] {
        for n in 0..up {
            network.send(caller, json!([48, 1, {"progress": true}, "a.b", [n]]));
            assert_eq!(network.receive(callee)[4], json!([n]));
        }
        for n in 0..down {
            network.send(callee, json!([70, id, {"progress": true}, [n]]));
            let expected = json!([50, 1, {"progress": true}, [n]]);
            assert_eq!(network.receive(caller), expected);
        }
    }
    network.send(caller, json!([48, 1, {}, "a.b", ["end"]]));
    assert_eq!(
        network.receive(callee)[3],
        json!({"receive_progress": true})
    );
    network.send(callee, json!([70, id, {"progress": true}, ["more"]]));
    network.send(callee, json!([70, id, {}, ["end"]]));
    let expected = [
        json!([50, 1, {"progress": true}, ["more"]]),
        json!([50, 1, {}, ["end"]]),
    ];
    assert_eq!(network.received(caller), expected);
}

#[test]
fn the_time_runs_to_the_first_result_and_parts_do_not_restart_it() {
    let (mut network, callee, caller) = able_network();
    let options = json!({"timeout": 100, "receive_progress": true});
    let id = begin(&mut network, caller, callee, options);
    network.pass(60);
    // A result restarts it.
    network.send(callee, json!([70, id, {"progress": true}]));
    assert_eq!(network.receive(caller)[0], 50);
    network.pass(60);
    network.send(caller, json!([48, 1, {"progress": true}, "a.b"]));
    assert_eq!(network.receive(callee)[0], 68);
    network.pass(39);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.timeout");
    assert_eq!(
        network.receive(callee),
        json!([69, id, {"mode": "killnowait"}])
    );
    network.send(caller, json!([48, 1, {}, "a.b"]));
    assert_eq!(network.received(callee), NOTHING);
}

#[test]
fn a_forwarded_time_limit_is_told_with_every_part() {
    let mut network = Network::new();
    let features = [Feature::ProgressiveCallInvocations, Feature::CallTimeout];
    let callee = network.join_with(features_with(&features));
    let caller = network.join_with(able());
    network.register(callee, "a.b", json!({"forward_timeout": true}));
    begin(&mut network, caller, callee, json!({"timeout": 100}));
    let (_, details) = network.invoke(caller, 1, json!({}), "a.b", callee);
    assert_eq!(details, json!({"timeout": 100}));
    assert_eq!(network.realm.next_timeout_ms(), None);
}

#[test]
fn a_part_that_the_callee_cannot_take_ends_the_call() {
    for (part, error) in [
        (json!(["x".repeat(500)]), "wamp.error.payload_size_exceeded"),
        (json!([UNENCODABLE]), "wamp.error.invalid_argument"),
    ] {
        let (mut network, callee, caller) = able_network();
        network.limit_messages(callee, 300);
        network.make_picky(callee);
        let id = begin(&mut network, caller, callee, json!({}));
        network.send(caller, json!([48, 1, {"progress": true}, "a.b", part]));
        assert_error(&network.receive(caller), 48, 1, error);
        assert_eq!(
            network.receive(callee),
            json!([69, id, {"mode": "killnowait"}])
        );
        network.send(caller, json!([48, 1, {}, "a.b"]));
        assert_eq!(network.received(callee), NOTHING);
        assert_eq!(network.received(caller), NOTHING);
        assert_eq!(network.realm.stats().pending_calls, 0);
    }
}

#[test]
fn a_session_may_call_itself_in_parts() {
    let mut network = Network::new();
    let client = network.join_with(able());
    network.register(client, "a.b", json!({}));
    let id = begin(&mut network, client, client, json!({}));
    assert_eq!(network.invoke(client, 1, json!({}), "a.b", client).0, id);
    network.send(client, json!([70, id, {}]));
    assert_eq!(network.receive(client), json!([50, 1, {}]));
}

#[test]
fn the_number_of_parts_is_not_limited_and_only_calls_are_counted() {
    let config = RealmConfig {
        pending_calls_per_session_max: 2,
        pending_invocations_per_session_max: 2,
        ..RealmConfig::default()
    };
    let mut network = Network::with(config);
    let (callee, caller) = (network.join_with(able()), network.join_with(able()));
    network.register(callee, "a.b", json!({}));
    begin(&mut network, caller, callee, json!({}));
    for _ in 0..10_000 {
        begin(&mut network, caller, callee, json!({}));
        assert_eq!(network.realm.stats().pending_calls, 1);
    }
    network.invoke(caller, 2, json!({}), "a.b", callee);
    network.send(caller, json!([48, 3, {"progress": true}, "a.b"]));
    assert_error(&network.receive(caller), 48, 3, "wamp.error.unavailable");
    network.send(caller, json!([48, 3, {}, "a.b"]));
    assert_eq!(network.received(caller), NOTHING);
    begin(&mut network, caller, callee, json!({}));
}

#[test]
fn a_callee_without_progressive_results_takes_parts_all_the_same() {
    let mut roles = features_without(&[Feature::ProgressiveCallResults]);
    let mut features = roles.get(wampy_proto::Role::Callee).unwrap();
    features.insert(Feature::ProgressiveCallInvocations);
    roles.set(wampy_proto::Role::Callee, features);
    let mut network = Network::new();
    let (callee, caller) = (network.join_with(roles), network.join_with(able()));
    network.register(callee, "a.b", json!({}));
    let options = json!({"progress": true, "receive_progress": true});
    let (_, details) = network.invoke(caller, 1, options, "a.b", callee);
    assert_eq!(details, json!({"progress": true}));
}
