//! Callees that take only so many calls at once, and calls that wait for them.

use std::collections::HashSet;

use serde_json::{Value as Json, json};
use wampy_proto::Feature;
use wampy_realm::{RealmConfig, Stats};

use crate::simulated::{Client, Network, assert_error, every_feature, features_without};

const NOTHING: [Json; 0] = [];

/// A callee of `a.b` that takes `concurrency` calls at once, and a caller.
fn limited(config: RealmConfig, concurrency: u64) -> (Network, Client, Client) {
    let mut network = Network::with(config);
    let (callee, caller) = (network.join_capable(), network.join_capable());
    let options = json!({"concurrency": concurrency});
    network.register(callee, "a.b", options);
    (network, callee, caller)
}

fn call(network: &mut Network, caller: Client, request: u64, options: Json) {
    network.send(caller, json!([48, request, options, "a.b", [request]]));
}

/// The requests whose invocations a callee has received, and their ids.
fn taken(network: &mut Network, callee: Client) -> Vec<(u64, u64)> {
    let number = |value: &Json| value.as_u64().unwrap();
    network
        .received(callee)
        .iter()
        .map(|invocation| {
            assert_eq!(invocation[0], 68, "{invocation}");
            (number(&invocation[4][0]), number(&invocation[1]))
        })
        .collect()
}

#[test]
fn a_callee_gets_as_many_calls_as_it_takes_and_the_next_when_it_answers() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 2);
    for request in 1..=5 {
        call(&mut network, caller, request, json!({}));
    }
    assert_eq!(taken(&mut network, callee), [(1, 1), (2, 2)]);
    assert_eq!(network.realm.stats().waiting_calls, 3);
    network.send(callee, json!([70, 2, {}]));
    assert_eq!(taken(&mut network, callee), [(3, 3)]);
    // An error is an answer, too; a part of a result is none.
    let error = json!([8, 68, 1, {}, "app.error"]);
    network.send(callee, error);
    assert_eq!(taken(&mut network, callee), [(4, 4)]);
    network.send(callee, json!([70, 3, {"progress": true}]));
    assert_eq!(taken(&mut network, callee), []);
    network.send(callee, json!([70, 3, {}]));
    assert_eq!(taken(&mut network, callee), [(5, 5)]);
    for invocation in [4, 5] {
        network.send(callee, json!([70, invocation, {}]));
    }
    let ended: HashSet<_> = network
        .received(caller)
        .iter()
        .map(|answer| {
            if answer[0] == 8 {
                answer[2].as_u64()
            } else {
                answer[1].as_u64()
            }
        })
        .collect();
    assert_eq!(ended, (1..=5).map(Some).collect());
    assert_eq!(network.realm.stats().kept_call_bytes, 0);
}

#[test]
fn a_call_that_waited_is_the_same_call() {
    let mut network = Network::new();
    let (callee, caller) = (network.join_capable(), network.join_capable());
    let options = json!({"concurrency": 1, "match": "prefix", "disclose_caller": true});
    network.register(callee, "a", options);
    for request in 1..=2 {
        let options = json!({"receive_progress": true, "timeout": 1000});
        let args = json!(["text", {"a": [null, 1.5]}]);
        network.send(
            caller,
            json!([48, request, options, "a.b.c", args, {"k": 1}]),
        );
    }
    let first = network.receive(callee);
    network.send(callee, json!([70, 1, {}]));
    let mut second = network.receive(callee);
    assert_eq!(second[1], 2);
    second[1] = json!(1);
    assert_eq!(first, second);
    assert_eq!(second[3]["procedure"], "a.b.c");
}

#[test]
fn calls_of_other_registrations_do_not_wait() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    network.register(callee, "a.c", json!({}));
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 2, json!({}));
    network.send(caller, json!([48, 3, {}, "a.c", [3]]));
    assert_eq!(taken(&mut network, callee), [(1, 1), (3, 2)]);
    network.send(callee, json!([70, 2, {}]));
    assert_eq!(
        taken(&mut network, callee),
        [],
        "another procedure's answer"
    );
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callee), [(2, 3)]);
}

#[test]
fn a_busy_callee_is_passed_over_as_the_policy_allows() {
    for (invoke, counts) in [
        ("roundrobin", [2, 2]),
        ("random", [2, 2]),
        ("first", [2, 0]),
        ("last", [0, 2]),
    ] {
        let mut network = Network::new();
        let callees = [network.join(), network.join()];
        for callee in callees {
            let options = json!({"invoke": invoke, "concurrency": 2});
            network.register(callee, "a.b", options);
        }
        let caller = network.join();
        for request in 1..=6 {
            call(&mut network, caller, request, json!({}));
        }
        let got = callees.map(|callee| taken(&mut network, callee));
        assert_eq!(got.clone().map(|got| got.len()), counts, "{invoke}");
        let waiting = 6 - counts[0] - counts[1];
        assert_eq!(network.realm.stats().waiting_calls, waiting, "{invoke}");
        // Who is free first gets the next call, in the order of the calls.
        let next = (counts[0] + counts[1] + 1) as u64;
        let busy = if counts[1] > 0 { 1 } else { 0 };
        network.send(callees[busy], json!([70, got[busy][0].1, {}]));
        assert_eq!(taken(&mut network, callees[busy])[0].0, next, "{invoke}");
    }
}

#[test]
fn a_callee_without_a_limit_takes_what_others_cannot() {
    let mut network = Network::new();
    let (limited, other, caller) = (network.join(), network.join(), network.join());
    let options = json!({"invoke": "roundrobin", "concurrency": 1});
    network.register(limited, "a.b", options);
    network.register(other, "a.b", json!({"invoke": "roundrobin"}));
    for request in 1..=6 {
        call(&mut network, caller, request, json!({}));
    }
    assert_eq!(taken(&mut network, limited).len(), 1);
    assert_eq!(taken(&mut network, other).len(), 5);
}

#[test]
fn a_new_callee_takes_what_waits() {
    let mut network = Network::new();
    let (one, other, caller) = (network.join(), network.join(), network.join());
    let options = json!({"invoke": "roundrobin", "concurrency": 1});
    network.register(one, "a.b", options.clone());
    for request in 1..=3 {
        call(&mut network, caller, request, json!({}));
    }
    network.send(other, json!([64, 1, options, "a.b"]));
    let received = network.received(other);
    assert_eq!(received[0][0], 65, "REGISTERED comes first");
    assert_eq!(received[1][4], json!([2]));
    assert_eq!(network.realm.stats().waiting_calls, 1);
}

#[test]
fn a_call_that_waits_takes_nobodys_turn() {
    let mut network = Network::new();
    let [one, gone, new] = [(); 3].map(|()| network.join());
    let caller = network.join_capable();
    let options = json!({"invoke": "roundrobin", "concurrency": 1});
    network.register(one, "a.b", options.clone());
    let registration = network.register(gone, "a.b", options.clone());
    call(&mut network, caller, 1, json!({}));
    network.send(gone, json!([66, 2, registration]));
    network.received(gone);
    // The second turn was that of the callee that has left; whoever comes in its place has it.
    call(&mut network, caller, 2, json!({}));
    network.send(caller, json!([49, 2, {}]));
    network.send(one, json!([70, 1, {}]));
    network.register(new, "a.b", options);
    call(&mut network, caller, 3, json!({}));
    assert_eq!(taken(&mut network, one), [(1, 1)]);
    assert_eq!(taken(&mut network, new), [(3, 1)]);
}

#[test]
fn a_call_that_waits_can_be_canceled() {
    for mode in ["skip", "kill", "killnowait"] {
        let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
        for request in 1..=3 {
            call(&mut network, caller, request, json!({}));
        }
        network.send(caller, json!([49, 2, {"mode": mode}]));
        assert_error(&network.receive(caller), 48, 2, "wamp.error.canceled");
        assert_eq!(taken(&mut network, callee), [(1, 1)], "no INTERRUPT");
        network.send(callee, json!([70, 1, {}]));
        assert_eq!(taken(&mut network, callee), [(3, 2)]);
    }
}

#[test]
fn a_call_that_was_canceled_makes_room() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 2, json!({}));
    network.send(caller, json!([49, 1, {}]));
    let received = network.received(callee);
    let codes: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
    assert_eq!(codes, [68, 69, 68]);
}

#[test]
fn a_call_that_waits_can_time_out() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 2, json!({"timeout": 100}));
    call(&mut network, caller, 3, json!({"timeout": 300}));
    network.pass(100);
    assert_error(&network.receive(caller), 48, 2, "wamp.error.timeout");
    // The time that a call waited counts.
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callee), [(1, 1), (3, 2)]);
    network.received(caller);
    network.pass(199);
    assert_eq!(network.received(caller), NOTHING);
    network.pass(1);
    assert_error(&network.receive(caller), 48, 3, "wamp.error.timeout");
    assert_eq!(network.receive(callee)[0], 69);
}

#[test]
fn a_callee_that_minds_time_limits_is_told_what_is_left() {
    let mut network = Network::new();
    let (callee, caller) = (network.join_capable(), network.join());
    let options = json!({"concurrency": 1, "forward_timeout": true});
    network.register(callee, "a.b", options);
    call(&mut network, caller, 1, json!({"timeout": 500}));
    assert_eq!(network.receive(callee)[3], json!({"timeout": 500}));
    call(&mut network, caller, 2, json!({"timeout": 300}));
    call(&mut network, caller, 3, json!({"timeout": 300}));
    network.pass(200);
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(network.receive(callee)[3], json!({"timeout": 100}));
    // The callee minds the time of the second now, the dealer that of the third.
    network.received(caller);
    network.pass(100);
    assert_error(&network.receive(caller), 48, 3, "wamp.error.timeout");
    network.pass(1000);
    assert_eq!(network.received(caller), NOTHING);
    network.send(callee, json!([70, 2, {}]));
    assert_eq!(network.receive(caller), json!([50, 2, {}]));
}

#[test]
fn a_call_in_parts_does_not_wait() {
    let mut network = Network::new();
    let (callee, caller) = (network.join_capable(), network.join_capable());
    network.register(callee, "a.b", json!({"concurrency": 1}));
    call(&mut network, caller, 1, json!({"progress": true}));
    call(&mut network, caller, 2, json!({"progress": true}));
    assert_error(&network.receive(caller), 48, 2, "wamp.error.unavailable");
    // The further parts of the first go where it went; it counts until it is answered.
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 3, json!({}));
    assert_eq!(taken(&mut network, callee), [(1, 1), (1, 1)]);
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callee), [(3, 2)]);
}

#[test]
fn a_payload_that_is_passed_through_waits_with_its_attributes() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    let options = json!({"ppt_scheme": "x_a", "ppt_cipher": "x_b", "ppt_keyid": "k"});
    call(&mut network, caller, 1, options.clone());
    call(&mut network, caller, 2, options.clone());
    network.send(callee, json!([70, 1, {}]));
    let received = network.received(callee);
    assert_eq!((&received[0][3], &received[1][3]), (&options, &options));
}

#[test]
fn a_call_that_times_out_makes_room() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    call(&mut network, caller, 1, json!({"timeout": 100}));
    call(&mut network, caller, 2, json!({}));
    network.pass(100);
    let received = network.received(callee);
    assert_eq!(received[1][0], 69);
    assert_eq!(received[2][4], json!([2]));
}

#[test]
fn calls_that_wait_go_with_their_caller() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    let other = network.join();
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 2, json!({}));
    call(&mut network, other, 3, json!({}));
    network.leave(caller);
    let received = network.received(callee);
    let codes: Vec<_> = received.iter().map(|message| message[0].clone()).collect();
    assert_eq!(
        codes,
        [68, 69, 68],
        "invocation, interrupt, the other's call"
    );
    assert_eq!(received[2][4], json!([3]));
    assert_eq!(network.realm.stats().waiting_calls, 0);
}

#[test]
fn calls_that_wait_go_with_their_registration() {
    for leaves in [true, false] {
        let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
        for request in 1..=3 {
            call(&mut network, caller, request, json!({}));
        }
        if leaves {
            network.leave(callee);
        } else {
            let lookup = network.ask(caller, "wamp.registration.lookup", json!(["a.b"]));
            network.send(callee, json!([66, 1, lookup[0]]));
        }
        let mut received = network.received(caller);
        if leaves {
            assert_error(&received.remove(0), 48, 1, "wamp.error.canceled");
        }
        received.sort_by_key(|error| error[2].as_u64());
        assert_eq!(received.len(), 2);
        for (error, request) in received.iter().zip([2, 3]) {
            assert_error(error, 48, request, "wamp.error.no_available_callee");
        }
        let calls = network.realm.stats().pending_calls;
        assert_eq!(calls, usize::from(!leaves));
    }
}

#[test]
fn calls_that_wait_stay_while_a_callee_is_left() {
    let mut network = Network::new();
    let callees = [network.join(), network.join()];
    let caller = network.join();
    for callee in callees {
        let options = json!({"invoke": "roundrobin", "concurrency": 1});
        network.register(callee, "a.b", options);
    }
    for request in 1..=3 {
        call(&mut network, caller, request, json!({}));
    }
    network.leave(callees[0]);
    assert_error(&network.receive(caller), 48, 1, "wamp.error.canceled");
    assert_eq!(taken(&mut network, callees[1]), [(2, 1)]);
    network.send(callees[1], json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callees[1]), [(3, 2)]);
}

#[test]
fn what_a_callee_was_asked_before_it_came_back_counts() {
    let mut network = Network::new();
    let (callee, other, caller) = (network.join(), network.join(), network.join());
    let options = json!({"invoke": "first", "concurrency": 1});
    let registration = network.register(callee, "a.b", options.clone());
    network.register(other, "a.b", json!({"invoke": "first"}));
    call(&mut network, caller, 1, json!({}));
    network.send(callee, json!([66, 1, registration]));
    assert_eq!(network.received(callee).len(), 2);
    network.send(other, json!([66, 1, registration]));
    network.received(other);
    // The same registration goes on only if somebody else holds it.
    network.register(other, "a.b", json!({"invoke": "last"}));
    let registration = network.register(callee, "a.b", json!({"invoke": "last", "concurrency": 1}));
    call(&mut network, caller, 2, json!({}));
    assert_eq!(taken(&mut network, callee), [(2, 2)]);
    network.send(callee, json!([66, 2, registration]));
    network.received(callee);
    network.register(callee, "a.b", json!({"invoke": "last", "concurrency": 1}));
    call(&mut network, caller, 3, json!({}));
    assert_eq!(taken(&mut network, callee), [], "it still has the second");
    network.send(callee, json!([70, 2, {}]));
    assert_eq!(taken(&mut network, callee), [(3, 3)]);
}

#[test]
fn a_concurrency_of_nothing_is_refused() {
    let mut network = Network::new();
    let callee = network.join();
    network.send(callee, json!([64, 1, {"concurrency": 0}, "a.b"]));
    assert_error(
        &network.receive(callee),
        64,
        1,
        "wamp.error.invalid_argument",
    );
    // More than there can be at once is no limit.
    network.register(callee, "a.b", json!({"concurrency": u64::MAX}));
}

#[test]
fn a_call_that_can_only_be_refused_does_not_wait() {
    let config = RealmConfig {
        caller_disclosure: wampy_realm::Disclosure::Denied,
        ..RealmConfig::default()
    };
    let (mut network, _, caller) = limited(config, 1);
    call(&mut network, caller, 1, json!({}));
    call(&mut network, caller, 2, json!({"disclose_me": true}));
    let error = "wamp.error.option_disallowed.disclose_me";
    assert_error(&network.receive(caller), 48, 2, error);
}

#[test]
fn a_call_that_its_callee_cannot_take_ends_when_its_turn_comes() {
    let (mut network, callee, caller) = limited(RealmConfig::default(), 1);
    network.limit_messages(callee, 100);
    call(&mut network, caller, 1, json!({}));
    let large = "x".repeat(200);
    network.send(caller, json!([48, 2, {}, "a.b", [large]]));
    call(&mut network, caller, 3, json!({}));
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callee), [(1, 1), (3, 2)]);
    let received = network.received(caller);
    assert_error(&received[1], 48, 2, "wamp.error.payload_size_exceeded");
}

#[test]
fn waiting_calls_per_registration_max() {
    let config = RealmConfig {
        waiting_calls_per_registration_max: 2,
        ..RealmConfig::default()
    };
    let (mut network, callee, caller) = limited(config, 1);
    network.register(callee, "a.c", json!({"concurrency": 1}));
    for request in 1..=4 {
        call(&mut network, caller, request, json!({}));
    }
    let error = network.receive(caller);
    assert_error(&error, 48, 4, "wamp.error.unavailable");
    assert!(
        error[5][0].as_str().unwrap().contains("2 calls wait"),
        "{error}"
    );
    // Another registration has a line of its own.
    for request in 5..=7 {
        network.send(caller, json!([48, request, {}, "a.c"]));
    }
    assert_eq!(network.received(caller), NOTHING);
    assert_eq!(network.realm.stats().waiting_calls, 4);
}

#[test]
fn waiting_bytes_per_registration_max() {
    let config = RealmConfig {
        waiting_bytes_per_registration_max: 2000,
        ..RealmConfig::default()
    };
    let (mut network, callee, caller) = limited(config, 1);
    for request in 1..=4 {
        let args = json!([request, "x".repeat(700)]);
        network.send(caller, json!([48, request, {}, "a.b", args]));
    }
    assert_error(&network.receive(caller), 48, 4, "wamp.error.unavailable");
    assert_eq!(taken(&mut network, callee), [(1, 1)]);
    network.send(callee, json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callee), [(2, 2)]);
}

#[test]
fn kept_call_bytes_max_bounds_all_lines_together() {
    let config = RealmConfig {
        kept_call_bytes_max: 2000,
        ..RealmConfig::default()
    };
    let (mut network, callee, caller) = limited(config, 1);
    network.register(callee, "a.c", json!({"concurrency": 1}));
    for (request, procedure) in (1..).zip(["a.b", "a.b", "a.c", "a.c", "a.c"]) {
        let args = json!([request, "x".repeat(700)]);
        network.send(caller, json!([48, request, {}, procedure, args]));
    }
    assert_error(&network.receive(caller), 48, 5, "wamp.error.unavailable");
    assert_eq!(network.realm.stats().waiting_calls, 2);
}

#[test]
fn calls_that_wait_count_as_pending_calls() {
    let config = RealmConfig {
        pending_calls_per_session_max: 2,
        ..RealmConfig::default()
    };
    let (mut network, _, caller) = limited(config, 1);
    for request in 1..=3 {
        call(&mut network, caller, request, json!({}));
    }
    assert_error(&network.receive(caller), 48, 3, "wamp.error.unavailable");
}

#[test]
fn a_call_of_a_partition_waits_for_its_own_callee() {
    let mut network = Network::new();
    let callees = [network.join_capable(), network.join_capable()];
    for (callee, nkey) in callees.into_iter().zip(["n1", "n2"]) {
        let options = json!({"invoke": "roundrobin", "concurrency": 1, "nkey": nkey});
        network.register(callee, "a.b", options);
    }
    let caller = network.join();
    let key = json!({"runmode": "partition", "rkey": "sn1"});
    call(&mut network, caller, 1, key.clone());
    call(&mut network, caller, 2, key.clone());
    let mut got = callees.map(|callee| taken(&mut network, callee));
    let owner = if got[0].is_empty() { 1 } else { 0 };
    assert_eq!(
        got[owner],
        [(1, 1)],
        "the second waits, though a callee is free"
    );
    // Others need not wait for it.
    call(&mut network, caller, 3, json!({}));
    call(&mut network, caller, 4, json!({}));
    got = callees.map(|callee| taken(&mut network, callee));
    assert_eq!(got[1 - owner], [(3, 1)]);
    network.send(callees[1 - owner], json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callees[1 - owner]), [(4, 2)]);
    network.send(callees[owner], json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callees[owner]), [(2, 2)]);
    // When the callee goes, another owns the key.
    call(&mut network, caller, 5, key);
    network.leave(callees[owner]);
    network.send(callees[1 - owner], json!([70, 2, {}]));
    assert_eq!(taken(&mut network, callees[1 - owner]), [(5, 3)]);
}

#[test]
fn an_unavailable_callee_makes_room_and_its_call_waits_for_another() {
    let mut network = Network::new();
    let callees = [network.join_capable(), network.join_capable()];
    for callee in callees {
        let options = json!({"invoke": "roundrobin", "concurrency": 1});
        network.register(callee, "a.b", options);
    }
    let caller = network.join();
    for request in 1..=3 {
        call(&mut network, caller, request, json!({}));
    }
    assert_eq!(taken(&mut network, callees[0]), [(1, 1)]);
    assert_eq!(taken(&mut network, callees[1]), [(2, 1)]);
    let error = json!([8, 68, 1, {}, "wamp.error.unavailable"]);
    network.send(callees[0], error.clone());
    // The third goes to the callee that has room; the first waits for the other.
    assert_eq!(taken(&mut network, callees[0]), [(3, 2)]);
    network.send(callees[0], json!([70, 2, {}]));
    assert_eq!(taken(&mut network, callees[0]), [], "it was unavailable");
    network.send(callees[1], json!([70, 1, {}]));
    assert_eq!(taken(&mut network, callees[1]), [(1, 2)]);
    network.received(caller);
    let error = json!([8, 68, 2, {}, "wamp.error.unavailable"]);
    network.send(callees[1], error);
    let error = network.receive(caller);
    assert_error(&error, 48, 1, "wamp.error.no_available_callee");
}

/// A small generator of its own, so that a seed means the same for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) % sides
    }
}

/// Everything that may happen to calls that wait and are rerouted, at random. After each step the
/// realm's tables agree; every call ends once, and invocations are those of calls that have not.
struct Storm {
    network: Network,
    dice: Dice,
    clients: Vec<Client>,
    requests: u64,
    open: HashSet<(Client, u64)>,
    /// Invocations that are not answered.
    invocations: Vec<(Client, u64)>,
}

impl Storm {
    fn gather(&mut self) {
        for client in self.clients.clone() {
            for message in self.network.received(client) {
                let number = |at: usize| message[at].as_u64().unwrap_or_default();
                match number(0) {
                    68 => self.invocations.push((client, number(1))),
                    50 if message[2]["progress"] == true => {}
                    50 => assert!(self.open.remove(&(client, number(1))), "{message}"),
                    8 if number(1) == 48 => {
                        assert!(self.open.remove(&(client, number(2))), "{message}");
                    }
                    _ => {}
                }
            }
        }
    }

    fn join(&mut self) {
        let roles = match self.dice.roll(3) {
            0 => features_without(&[Feature::CallReroute, Feature::CallCanceling]),
            _ => every_feature(),
        };
        let authid = if self.dice.roll(2) == 0 { "joe" } else { "ann" };
        self.clients
            .push(self.network.join_as(authid, "member", roles));
    }

    fn step(&mut self) {
        let at = self.dice.roll(self.clients.len() as u64) as usize;
        let client = self.clients[at];
        let procedure = ["a.b", "a.c"][self.dice.roll(2) as usize];
        self.requests += 1;
        let request = self.requests;
        match self.dice.roll(20) {
            0 if self.clients.len() < 8 => self.join(),
            1 if self.clients.len() > 2 => {
                self.clients.remove(at);
                self.network.leave(client);
                self.open.retain(|&(caller, _)| caller != client);
                self.invocations.retain(|&(callee, _)| callee != client);
            }
            2..=4 => {
                let invoke = ["roundrobin", "random", "first", "last", "single"];
                let invoke = invoke[self.dice.roll(5) as usize];
                let mut options = json!({"invoke": invoke, "concurrency": 1 + self.dice.roll(3)});
                if self.dice.roll(3) == 0 {
                    options.as_object_mut().unwrap().remove("concurrency");
                }
                options["force_reregister"] = json!(self.dice.roll(8) == 0);
                let message = json!([64, request, options, procedure]);
                self.network.send(client, message);
            }
            5 => {
                let found = json!([48, request, {}, "wamp.registration.lookup", [procedure]]);
                self.network.send(client, found);
                let found = self.network.received(client).pop().unwrap();
                let message = json!([66, request, found[3][0].as_u64().unwrap_or(1)]);
                self.network.send(client, message);
            }
            6..=11 => {
                let mut options = json!({"receive_progress": self.dice.roll(4) == 0});
                if self.dice.roll(4) == 0 {
                    options["timeout"] = json!(1 + self.dice.roll(50));
                }
                if self.dice.roll(5) == 0 {
                    options["runmode"] = json!("partition");
                    options["rkey"] = json!(self.dice.roll(9).to_string());
                }
                self.open.insert((client, request));
                let message = json!([48, request, options, procedure, [request]]);
                self.network.send(client, message);
            }
            12 => self.network.pass(self.dice.0 % 30),
            13 => {
                let open = self
                    .open
                    .iter()
                    .copied()
                    .min_by_key(|&(_, request)| request);
                if let Some((caller, request)) = open {
                    let mode = ["skip", "kill", "killnowait"][self.dice.roll(3) as usize];
                    self.network
                        .send(caller, json!([49, request, {"mode": mode}]));
                }
            }
            _ if !self.invocations.is_empty() => {
                let at = self.dice.roll(self.invocations.len() as u64) as usize;
                let (callee, id) = self.invocations[at];
                let message = match self.dice.roll(6) {
                    0 => json!([70, id, {"progress": true}]),
                    1..=2 => json!([8, 68, id, {}, "wamp.error.unavailable"]),
                    3 => json!([8, 68, id, {}, "app.error"]),
                    _ => json!([70, id, {}]),
                };
                if message[2]["progress"] != true {
                    self.invocations.swap_remove(at);
                }
                self.network.send(callee, message);
            }
            _ => {}
        }
        self.gather();
    }
}

#[test]
fn calls_that_wait_and_are_rerouted_end_exactly_once() {
    let mut waited = 0;
    for seed in 1..=8_u64 {
        println!("seed {seed}");
        let config = RealmConfig {
            waiting_calls_per_registration_max: 5,
            kept_call_bytes_max: 4000,
            ..RealmConfig::default()
        };
        let mut storm = Storm {
            network: Network::with(config),
            dice: Dice(0x9E37_79B9_7F4A_7C15 ^ seed),
            clients: Vec::new(),
            requests: 0,
            open: HashSet::new(),
            invocations: Vec::new(),
        };
        storm.join();
        for _ in 0..4000 {
            storm.step();
            waited += usize::from(storm.network.realm.stats().waiting_calls > 0);
            let open = storm.open.len();
            assert_eq!(storm.network.realm.stats().pending_calls, open);
        }
        for client in std::mem::take(&mut storm.clients) {
            storm.network.leave(client);
        }
        assert_eq!(storm.network.realm.stats(), Stats::default());
    }
    assert!(waited > 1000, "calls waited in {waited} steps");
}
