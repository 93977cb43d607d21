//! Sharded Subscription over real connections: each event with an `rkey` reaches one node, in order.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::{Host, Peer, json};
use wampy_proto::Serializer;

const TOPIC: &str = "app.reading";
const KEYS: u64 = 20;
const ROUNDS: u64 = 5;

fn subscriber(host: &Host, serializer: Serializer, nkey: Option<&str>) -> Peer {
    let mut peer = host.websocket(serializer);
    peer.join("realm1");
    let id = peer.id();
    peer.send(&json!([32, id, { "nkey": nkey }, TOPIC]));
    assert_eq!(peer.message()[0], 33);
    peer
}

/// The key and round of every event up to the last, which goes to everybody.
fn readings(peer: &mut Peer) -> Vec<(u64, u64)> {
    let mut readings = Vec::new();
    loop {
        let event = peer.message();
        match (event[4][0].as_u64(), event[4][1].as_u64()) {
            (Some(key), Some(round)) => readings.push((key, round)),
            _ => return readings,
        }
    }
}

#[test]
fn events_are_divided_among_the_nodes_and_each_key_stays_with_one() {
    let host = Host::new();
    let nkeys = ["node1", "node2", "node3"];
    let mut nodes: Vec<Peer> = Serializer::ALL
        .into_iter()
        .zip(nkeys)
        .map(|(serializer, nkey)| subscriber(&host, serializer, Some(nkey)))
        .collect();
    let mut observer = subscriber(&host, Serializer::Json, None);
    let mut publisher = host.session();
    for round in 0..ROUNDS {
        for key in 0..KEYS {
            let id = publisher.id();
            let options = json!({"rkey": format!("sn{key}")});
            publisher.send(&json!([16, id, options, TOPIC, [key, round]]));
        }
    }
    publisher.publish(TOPIC, json!(["done"]));
    let all: Vec<_> = (0..ROUNDS)
        .flat_map(|round| (0..KEYS).map(move |key| (key, round)))
        .collect();
    assert_eq!(readings(&mut observer), all);
    let mut owners = vec![0; KEYS as usize];
    for node in &mut nodes {
        let got = readings(node);
        let mut keys: Vec<u64> = got.iter().map(|&(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert!(!keys.is_empty(), "every node has its share");
        keys.iter().for_each(|&key| owners[key as usize] += 1);
        let expected: Vec<_> = all
            .iter()
            .copied()
            .filter(|(key, _)| keys.contains(key))
            .collect();
        assert_eq!(got, expected, "all of its keys, in order");
    }
    assert_eq!(owners, vec![1; KEYS as usize]);
}
