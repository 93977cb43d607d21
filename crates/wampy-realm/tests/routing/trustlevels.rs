//! Trust levels of calls and publications.

use serde_json::json;
use wampy_proto::{Feature, Roles, SessionId};
use wampy_realm::SessionDetails;

use crate::simulated::{Client, Network, every_feature, features_without};

fn join(network: &mut Network, id: u64, trust_level: Option<u64>, roles: Roles) -> Client {
    let details = SessionDetails {
        id: SessionId::try_from(id).unwrap(),
        authid: "someone".into(),
        authrole: "member".into(),
        authmethod: "ticket".into(),
        authprovider: "static".into(),
        trust_level,
        authextra: None,
        roles,
        transport: None,
    };
    network.join_details(details).unwrap()
}

#[test]
fn a_callee_that_asks_learns_how_far_its_caller_is_trusted() {
    let mut network = Network::new();
    let incurious = features_without(&[Feature::CallTrustlevels]);
    let curious = join(&mut network, 1, None, every_feature());
    let other = join(&mut network, 2, None, incurious);
    let callers = [Some(0), Some(7), None].map(|level| {
        join(
            &mut network,
            10 + level.unwrap_or(9),
            level,
            every_feature(),
        )
    });
    network.register(curious, "a.b", json!({}));
    network.register(other, "a.c", json!({}));
    for (caller, expected) in callers.into_iter().zip([
        json!({"trustlevel": 0}),
        json!({"trustlevel": 7}),
        json!({}),
    ]) {
        let (_, details) = network.invoke(caller, 1, json!({}), "a.b", curious);
        assert_eq!(details, expected);
        let (_, details) = network.invoke(caller, 2, json!({}), "a.c", other);
        assert_eq!(details, json!({}));
    }
}

#[test]
fn events_say_how_far_their_publisher_is_trusted() {
    let mut network = Network::new();
    // An event is the same for all its receivers, whether they know the attribute or not.
    let subscribers = [every_feature(), features_without(&Feature::ALL)];
    let subscribers = subscribers.map(|roles| network.join_with(roles));
    let trusted = join(&mut network, 1, Some(3), every_feature());
    let unrated = join(&mut network, 2, None, every_feature());
    for subscriber in subscribers {
        network.subscribe(subscriber, "a.b", json!({}));
    }
    network.send(trusted, json!([16, 1, {}, "a.b"]));
    network.send(unrated, json!([16, 1, {}, "a.b"]));
    for subscriber in subscribers {
        let received = network.received(subscriber);
        assert_eq!(received[0][3], json!({"trustlevel": 3}));
        assert_eq!(received[1][3], json!({}));
    }
}
