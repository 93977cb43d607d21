//! Joining, leaving, and what breaks the protocol.

use serde_json::json;
use wampy_proto::{Feature, Role, SessionId};
use wampy_realm::{JoinRefused, SessionDetails};

use crate::simulated::{Network, assert_error, no_features};

#[test]
fn check_17_the_router_announces_both_roles_with_their_features() {
    let roles = Network::new().realm.welcome_roles();
    for feature in [
        Feature::CallCanceling,
        Feature::CallReroute,
        Feature::CallTimeout,
        Feature::CallTrustlevels,
        Feature::CallerIdentification,
        Feature::PatternBasedRegistration,
        Feature::ProgressiveCallResults,
        Feature::RegistrationMetaApi,
        Feature::RegistrationRevocation,
        Feature::SessionMetaApi,
        Feature::ShardedRegistration,
        Feature::SharedRegistration,
    ] {
        assert!(roles.supports(Role::Dealer, feature), "{feature:?}");
    }
    for feature in [
        Feature::PatternBasedSubscription,
        Feature::PublicationTrustlevels,
        Feature::PublisherExclusion,
        Feature::PublisherIdentification,
        Feature::SessionMetaApi,
        Feature::SubscriberBlackwhiteListing,
        Feature::SubscriptionMetaApi,
        Feature::SubscriptionRevocation,
    ] {
        assert!(roles.supports(Role::Broker, feature), "{feature:?}");
    }
    assert_eq!(roles.get(Role::Caller), None);
}

#[test]
fn check_18_unknown_options_have_no_effect() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    let subscription = network.subscribe(alice, "a.b", json!({"unheard_of": [1], "_private": {}}));
    network.send(
        bob,
        json!([16, 1, {"unheard_of": {"x": 1}, "acknowledge": true}, "a.b"]),
    );
    assert_eq!(network.receive(alice)[1], subscription);
    assert_eq!(network.receive(bob)[0], 17);
}

#[test]
fn check_19_ill_typed_options_break_the_protocol() {
    for message in [
        json!([16, 1, {"acknowledge": 1}, "a.b"]),
        json!([32, 1, {"match": "bogus"}, "a.b"]),
        json!([64, 1, {"invoke": "bogus"}, "a.b"]),
        json!([49, 1, {"mode": "bogus"}]),
    ] {
        let mut network = Network::new();
        let client = network.join();
        network.violate(client, message);
    }
}

#[test]
fn check_20_malformed_uris_are_refused() {
    let mut network = Network::new();
    let client = network.join();
    for uri in ["a..b", "a.#b", "a b", "", ".", "a."] {
        for (request_type, message) in [
            (32, json!([32, 1, {}, uri])),
            (64, json!([64, 1, {}, uri])),
            (48, json!([48, 1, {}, uri])),
            (16, json!([16, 1, {"acknowledge": true}, uri])),
        ] {
            network.send(client, message);
            let error = network.receive(client);
            assert_error(&error, request_type, 1, "wamp.error.invalid_uri");
            assert!(error[5][0].is_string(), "{error}");
        }
    }
    assert_eq!(network.realm.stats().subscriptions, 0);
    assert_eq!(network.realm.stats().registrations, 0);
}

#[test]
fn check_21_wildcard_patterns_may_have_empty_components() {
    let mut network = Network::new();
    let client = network.join();
    network.subscribe(client, "a..b", json!({"match": "wildcard"}));
    network.register(client, "a..b", json!({"match": "wildcard"}));
}

#[test]
fn check_22_applications_may_not_register_or_publish_below_wamp() {
    let mut network = Network::new();
    let client = network.join();
    for uri in ["wamp.x", "wamp", "wamp.session.on_join"] {
        network.send(client, json!([64, 1, {}, uri]));
        assert_error(&network.receive(client), 64, 1, "wamp.error.invalid_uri");
        network.send(client, json!([64, 1, {"match": "prefix"}, uri]));
        assert_error(&network.receive(client), 64, 1, "wamp.error.invalid_uri");
        network.send(client, json!([16, 1, {"acknowledge": true}, uri]));
        assert_error(&network.receive(client), 16, 1, "wamp.error.invalid_uri");
    }
    network.register(client, "wampy.x", json!({}));
}

#[test]
fn check_23_a_lost_transport_releases_everything() {
    let mut network = Network::new();
    let (alice, bob) = (network.join(), network.join());
    network.register(alice, "a.b", json!({}));
    network.register(bob, "b.a", json!({}));
    network.subscribe(alice, "a.b", json!({}));
    network.subscribe(alice, "a", json!({"match": "prefix"}));
    network.invoke(bob, 1, json!({"timeout": 50}), "a.b", alice);
    network.invoke(alice, 1, json!({"timeout": 50}), "b.a", bob);
    network.leave(alice);
    let stats = network.realm.stats();
    assert_eq!(
        (stats.sessions, stats.registrations, stats.subscriptions),
        (1, 1, 0)
    );
    assert_eq!((stats.pending_calls, stats.call_timers), (0, 0));
    network.received(bob);
    network.send(bob, json!([48, 2, {}, "a.b"]));
    assert_error(&network.receive(bob), 48, 2, "wamp.error.no_such_procedure");
}

#[test]
fn check_23_realms_are_apart() {
    let (mut here, mut there) = (Network::new(), Network::new());
    let (callee, caller) = (here.join(), there.join());
    here.register(callee, "a.b", json!({}));
    here.subscribe(callee, "a.b", json!({}));
    there.send(caller, json!([48, 1, {}, "a.b"]));
    assert_error(
        &there.receive(caller),
        48,
        1,
        "wamp.error.no_such_procedure",
    );
    there.send(caller, json!([16, 2, {"exclude_me": false}, "a.b"]));
    assert_eq!(here.received(callee), [json!(null); 0]);
}

#[test]
fn check_9_an_answer_to_an_invocation_that_was_never_made_breaks_the_protocol() {
    for answer in [json!([70, 1, {}]), json!([8, 68, 1, {}, "a.error"])] {
        let mut network = Network::new();
        let client = network.join();
        let problem = network.violate(client, answer);
        assert!(problem.contains("never made"), "{problem}");
    }
    let mut network = Network::new();
    let (callee, caller) = (network.join(), network.join());
    network.register(callee, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", callee);
    network.send(callee, json!([70, invocation, {}]));
    assert_eq!(network.receive(caller), json!([50, 1, {}]));
    // An answer too many counts for nothing.
    network.send(callee, json!([70, invocation, {}]));
    network.send(callee, json!([8, 68, invocation, {}, "a.error"]));
    assert_eq!(network.received(caller), [json!(null); 0]);
    network.violate(callee, json!([70, invocation + 1, {}]));
}

#[test]
fn a_client_answers_nothing_but_invocations() {
    let mut network = Network::new();
    let client = network.join();
    network.violate(client, json!([8, 48, 1, {}, "a.error"]));
}

#[test]
fn messages_that_only_a_router_sends_break_the_protocol() {
    for message in [
        json!([17, 1, 1]),
        json!([33, 1, 1]),
        json!([35, 1]),
        json!([36, 1, 1, {}]),
        json!([50, 1, {}]),
        json!([65, 1, 1]),
        json!([67, 1]),
        json!([68, 1, 1, {}]),
        json!([69, 1, {}]),
        json!([2, 1, {}]),
    ] {
        let mut network = Network::new();
        let client = network.join();
        network.violate(client, message);
    }
}

#[test]
fn roles_that_were_not_announced_harm_nobody() {
    let mut network = Network::new();
    let mut roles = no_features();
    roles = {
        let mut only = wampy_proto::Roles::default();
        only.set(Role::Subscriber, roles.get(Role::Subscriber).unwrap());
        only
    };
    let (client, caller) = (network.join_with(roles), network.join_with(roles));
    network.register(client, "a.b", json!({}));
    let (invocation, _) = network.invoke(caller, 1, json!({}), "a.b", client);
    network.send(client, json!([70, invocation, {}, ["done"]]));
    assert_eq!(network.receive(caller), json!([50, 1, {}, ["done"]]));
}

#[test]
fn a_session_that_is_gone_is_ignored() {
    let mut network = Network::new();
    let gone = network.join();
    network.leave(gone);
    let next = network.join();
    assert_eq!(next.index(), gone.index(), "the index is reused");
    network.send(gone, json!([32, 1, {}, "a.b"]));
    network.leave(gone);
    assert_eq!(network.realm.stats().sessions, 1);
    assert_eq!(network.realm.stats().subscriptions, 0);
}

#[test]
fn a_session_id_is_used_once_at_a_time() {
    let mut network = Network::new();
    let first = network.join();
    let id = network.id(first);
    let details = |id| SessionDetails {
        id: SessionId::try_from(id).unwrap(),
        authid: "joe".into(),
        authrole: "user".into(),
        authmethod: "anonymous".into(),
        authprovider: "static".into(),
        trust_level: None,
        authextra: None,
        roles: no_features(),
        transport: None,
    };
    assert_eq!(
        network.join_details(details(id)),
        Err(JoinRefused::SessionIdInUse)
    );
    network.leave(first);
    let second = network.join_details(details(id)).unwrap();
    let described = network.ask(second, "wamp.session.get", json!([id]));
    assert_eq!(
        described[0].get("transport"),
        None,
        "there is nothing to tell of it"
    );
}
