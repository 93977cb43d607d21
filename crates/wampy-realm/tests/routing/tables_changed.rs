//! The same message again and again, while the tables change that say where it goes: what was found for
//! the one before must not decide about the next.

use serde_json::json;
use wampy_proto::Message;
use wampy_proto::message::Goodbye;
use wampy_realm::{Outbox, RealmConfig, SendError};

use crate::simulated::{Client, Network, assert_error};

/// A publisher of one topic, and who else is there.
struct Publishing {
    network: Network,
    publisher: Client,
    others: [Client; 3],
}

impl Publishing {
    /// Publishes once more; who gets it, by which subscriptions.
    fn reached(&mut self) -> [Vec<u64>; 3] {
        self.network.send(
            self.publisher,
            json!([16, 1, {}, "com.example.house.kitchen"]),
        );
        self.others.map(|other| {
            let events = self.network.received(other);
            let subscription = |event: &serde_json::Value| {
                assert_eq!(event[0], 36);
                event[1].as_u64().unwrap()
            };
            events.iter().map(subscription).collect()
        })
    }

    fn subscribe(&mut self, at: usize, topic: &str, policy: &str) -> u64 {
        let options = json!({"match": policy});
        self.network.subscribe(self.others[at], topic, options)
    }

    fn unsubscribe(&mut self, at: usize, subscription: u64) {
        self.network
            .send(self.others[at], json!([34, 1, subscription]));
        assert_eq!(self.network.receive(self.others[at])[0], 35);
    }
}

#[test]
fn events_go_to_those_who_are_subscribed_now() {
    let mut network = Network::new();
    let publisher = network.join();
    let others = [network.join(), network.join(), network.join()];
    let mut it = Publishing {
        network,
        publisher,
        others,
    };
    let topic = "com.example.house.kitchen";
    assert_eq!(it.reached(), <[Vec<u64>; 3]>::default());
    let first = it.subscribe(0, topic, "exact");
    assert_eq!(it.reached(), [vec![first], vec![], vec![]]);
    assert_eq!(it.reached(), [vec![first], vec![], vec![]]);
    assert_eq!(it.subscribe(1, topic, "exact"), first);
    assert_eq!(it.reached(), [vec![first], vec![first], vec![]]);
    // Patterns beside it, one after the other.
    let prefix = it.subscribe(2, "com.example", "prefix");
    assert_eq!(it.reached(), [vec![first], vec![first], vec![prefix]]);
    let wildcard = it.subscribe(2, "com.example..kitchen", "wildcard");
    let both = vec![prefix, wildcard];
    assert_eq!(it.reached(), [vec![first], vec![first], both.clone()]);
    it.unsubscribe(2, prefix);
    assert_eq!(it.reached(), [vec![first], vec![first], vec![wildcard]]);
    // The exact subscription goes, and another topic's takes its place in the table.
    it.unsubscribe(0, first);
    it.unsubscribe(1, first);
    let other = it.subscribe(0, "com.example.house.cellar1", "exact");
    assert_eq!(it.reached(), [vec![], vec![], vec![wildcard]]);
    let second = it.subscribe(1, topic, "exact");
    assert!(second != first && second != other);
    assert_eq!(it.reached(), [vec![], vec![second], vec![wildcard]]);
    it.unsubscribe(2, wildcard);
    assert_eq!(it.reached(), [vec![], vec![second], vec![]]);
    // A pattern that reads like the topic is another subscription.
    it.unsubscribe(1, second);
    let alike = it.subscribe(1, topic, "prefix");
    assert_eq!(it.reached(), [vec![], vec![alike], vec![]]);
}

/// Where nothing is sent.
struct Unheard;

impl Outbox for Unheard {
    fn send(&mut self, _: Client, message: &Message<'_>) -> Result<(), SendError> {
        panic!("{message:?}");
    }

    fn send_to_many(&mut self, _: &[Client], message: &Message<'_>) {
        panic!("{message:?}");
    }

    fn end(&mut self, _: Client, goodbye: Goodbye<'_>) {
        panic!("{goodbye:?}");
    }
}

#[test]
fn topics_have_to_be_well_formed_by_the_settings_of_now() {
    let mut network = Network::new();
    let [publisher, subscriber] = [network.join(), network.join()];
    network.subscribe(subscriber, "com", json!({"match": "prefix"}));
    let publish = json!([16, 1, {"acknowledge": true}, "com.example.house.kitchen"]);
    for _ in 0..2 {
        network.send(publisher, publish.clone());
        assert_eq!(network.receive(publisher)[0], 17);
    }
    let config = RealmConfig {
        uri_bytes_max: 10,
        ..RealmConfig::default()
    };
    let now = network.now;
    let kept = network.realm.reconfigure(now, config, &mut Unheard);
    assert!(kept);
    network.send(publisher, publish);
    assert_error(&network.receive(publisher), 16, 1, "wamp.error.invalid_uri");
}

#[test]
fn calls_go_to_who_has_registered_now() {
    let mut network = Network::new();
    let [caller, alice, bob] = [network.join(), network.join(), network.join()];
    let procedure = "com.example.date.weekday";
    let mut request = 0;
    let mut called = |network: &mut Network, callee: Client, registration: u64| {
        request += 1;
        network.send(caller, json!([48, request, {}, procedure]));
        let invocation = network.receive(callee);
        assert_eq!(
            (&invocation[0], &invocation[2]),
            (&json!(68), &json!(registration))
        );
        network.send(callee, json!([70, invocation[1], {}]));
        assert_eq!(network.receive(caller), json!([50, request, {}]));
    };
    let first = network.register(alice, procedure, json!({}));
    called(&mut network, alice, first);
    called(&mut network, alice, first);
    // Another procedure's registration takes the place of the first in the table.
    network.send(alice, json!([66, 2, first]));
    assert_eq!(network.receive(alice)[0], 67);
    let other = network.register(bob, "com.example.date.evening", json!({}));
    network.send(caller, json!([48, 90, {}, procedure]));
    assert_error(
        &network.receive(caller),
        48,
        90,
        "wamp.error.no_such_procedure",
    );
    let second = network.register(bob, procedure, json!({"invoke": "roundrobin"}));
    assert!(second != first && second != other);
    called(&mut network, bob, second);
    // A second callee, and each in its turn.
    let shared = network.register(alice, procedure, json!({"invoke": "roundrobin"}));
    assert_eq!(shared, second);
    called(&mut network, bob, second);
    called(&mut network, alice, second);
    called(&mut network, bob, second);
    // And none but by a pattern.
    network.leave(bob);
    called(&mut network, alice, second);
    network.send(alice, json!([66, 3, second]));
    assert_eq!(network.receive(alice)[0], 67);
    let prefix = network.register(alice, procedure, json!({"match": "prefix"}));
    network.send(caller, json!([48, 91, {}, procedure]));
    let invocation = network.receive(alice);
    assert_eq!(invocation[2], prefix);
    assert_eq!(invocation[3], json!({"procedure": procedure}));
}
