//! Subscriber black- and whitelisting.

use serde_json::{Value as Json, json};

use crate::simulated::{Client, Network, all_features};

/// A network with a publisher, which is subscribed too, and subscribers by authid and authrole.
struct Audience {
    network: Network,
    publisher: Client,
    subscribers: Vec<Client>,
}

impl Audience {
    fn new(who: &[(&str, &str)]) -> Self {
        let mut network = Network::new();
        let publisher = network.join_as("publisher", "staff", all_features());
        network.subscribe(publisher, "a.b", json!({}));
        let mut subscribers = Vec::new();
        for (authid, authrole) in who {
            let client = network.join_as(authid, authrole, all_features());
            network.subscribe(client, "a.b", json!({}));
            subscribers.push(client);
        }
        Self {
            network,
            publisher,
            subscribers,
        }
    }

    fn ids(&self) -> Vec<u64> {
        self.subscribers
            .iter()
            .map(|&client| self.network.id(client))
            .collect()
    }

    /// Publishes with these options: which subscribers, by their numbers, got the event.
    fn reached(&mut self, options: Json) -> Vec<usize> {
        self.network
            .send(self.publisher, json!([16, 1, options, "a.b"]));
        let own = self.network.received(self.publisher);
        assert!(own.is_empty(), "the publisher stays excluded: {own:?}");
        let mut reached = Vec::new();
        for (number, &client) in self.subscribers.iter().enumerate() {
            let events = self.network.received(client);
            assert!(events.len() <= 1, "{events:?}");
            if !events.is_empty() {
                reached.push(number);
            }
        }
        reached
    }
}

#[test]
fn check_34_lists_of_session_ids_are_combined() {
    let mut audience = Audience::new(&[("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")]);
    let ids = audience.ids();
    let publisher = audience.network.id(audience.publisher);
    let absent = 77_777;
    let eligible = json!({"eligible": [ids[2], ids[0], ids[1], absent], "exclude": [ids[0]]});
    assert_eq!(audience.reached(eligible), [1, 2]);
    assert_eq!(
        audience.reached(json!({"exclude": [ids[3], ids[1]]})),
        [0, 2]
    );
    assert_eq!(
        audience.reached(json!({"eligible": [publisher, ids[0]]})),
        [0]
    );
    assert_eq!(audience.reached(json!({"eligible": []})), [0; 0]);
    assert_eq!(audience.reached(json!({"exclude": []})), [0, 1, 2, 3]);
    assert_eq!(audience.reached(json!({})), [0, 1, 2, 3]);
}

#[test]
fn check_34_lists_of_authids_and_authroles_are_combined() {
    let who = [
        ("joe", "boss"),
        ("joe", "staff"),
        ("ann", "boss"),
        ("eve", "staff"),
    ];
    let mut audience = Audience::new(&who);
    let ids = audience.ids();
    assert_eq!(
        audience.reached(json!({"eligible_authid": ["joe"]})),
        [0, 1]
    );
    assert_eq!(
        audience.reached(json!({"exclude_authid": ["eve", "ann"]})),
        [0, 1]
    );
    assert_eq!(
        audience.reached(json!({"eligible_authrole": ["staff", "guest"]})),
        [1, 3]
    );
    assert_eq!(
        audience.reached(json!({"exclude_authrole": ["staff"]})),
        [0, 2]
    );
    let both = json!({"eligible_authid": ["ann", "joe"], "eligible_authrole": ["boss"]});
    assert_eq!(audience.reached(both), [0, 2]);
    let mixed = json!({"eligible_authrole": ["boss"], "exclude": [ids[0]]});
    assert_eq!(audience.reached(mixed), [2]);
    let never = json!({"eligible_authid": ["joe"], "exclude_authid": ["joe"]});
    assert_eq!(audience.reached(never), [0; 0]);
}
