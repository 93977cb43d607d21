//! Many sessions at once: order, and a thousand of them.

#![allow(clippy::unwrap_used)]

mod peer;

use std::collections::HashMap;

use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;

fn all_kinds(host: &Host, count: usize) -> Vec<Peer> {
    (0..count)
        .map(|n| {
            let serializer = Serializer::ALL[n % 3];
            let is_raw = n % 2 == 0;
            let mut peer = if is_raw {
                host.rawsocket(serializer)
            } else {
                host.websocket(serializer)
            };
            peer.join("realm1");
            peer
        })
        .collect()
}

#[test]
fn check_35_each_subscriber_sees_each_publishers_events_in_order_across_topics() {
    const PUBLISHERS: usize = 6;
    const EVENTS: u64 = 3000;
    let host = Host::new();
    let mut subscribers = all_kinds(&host, 6);
    for peer in &mut subscribers {
        for topic in ["topic.a", "topic.b", "topic.c"] {
            peer.subscribe(topic);
        }
    }
    let publishing = all_kinds(&host, PUBLISHERS)
        .into_iter()
        .enumerate()
        .map(|(n, mut peer)| {
            std::thread::spawn(move || {
                let topics = ["topic.a", "topic.b", "topic.c"];
                for batch in 0..EVENTS / 30 {
                    let event = |i| {
                        let i = batch * 30 + i;
                        json!([16, i + 1, {}, topics[i as usize % 3], [n, i]])
                    };
                    peer.send_all(&(0..30).map(event).collect::<Vec<Value>>());
                }
                peer
            })
        });
    let publishing: Vec<_> = publishing.collect();
    let reading = subscribers.into_iter().map(|mut peer| {
        std::thread::spawn(move || {
            let mut next: HashMap<u64, u64> = HashMap::new();
            for _ in 0..PUBLISHERS as u64 * EVENTS {
                let event = peer.message();
                let args = &event[4];
                let (publisher, n) = (args[0].as_u64().unwrap(), args[1].as_u64().unwrap());
                let expected = next.entry(publisher).or_default();
                assert_eq!(n, *expected, "from publisher {publisher}");
                *expected += 1;
            }
        })
    });
    for reader in reading.collect::<Vec<_>>() {
        reader.join().unwrap();
    }
    for publisher in publishing {
        publisher.join().unwrap();
    }
}

#[test]
fn check_45_each_callers_calls_reach_a_callee_in_order_across_procedures() {
    const CALLERS: usize = 6;
    const CALLS: u64 = 2000;
    let host = Host::new();
    let mut callee = host.session();
    callee.register("proc.a");
    callee.register("proc.b");
    let calling = all_kinds(&host, CALLERS)
        .into_iter()
        .enumerate()
        .map(|(n, mut peer)| {
            std::thread::spawn(move || {
                let mut answered = 0;
                for batch in 0..CALLS / 20 {
                    let call = |i| {
                        let i = batch * 20 + i;
                        let procedure = if i % 2 == 0 { "proc.a" } else { "proc.b" };
                        json!([48, i + 1, {}, procedure, [n, i]])
                    };
                    peer.send_all(&(0..20).map(call).collect::<Vec<Value>>());
                    for _ in 0..20 {
                        let result = peer.message();
                        assert_eq!(result[0], 50, "{result}");
                        assert_eq!(result[3], json!([n, result[1].as_u64().unwrap() - 1]));
                        answered += 1;
                    }
                }
                answered
            })
        });
    let calling: Vec<_> = calling.collect();
    let mut next = [0; CALLERS];
    for request in 1..=CALLERS as u64 * CALLS {
        let invocation = callee.message();
        assert_eq!(
            (&invocation[0], &invocation[1]),
            (&json!(68), &json!(request))
        );
        let caller = invocation[4][0].as_u64().unwrap() as usize;
        assert_eq!(invocation[4][1], next[caller], "from caller {caller}");
        next[caller] += 1;
        callee.send(&json!([70, request, {}, invocation[4]]));
    }
    for caller in calling {
        assert_eq!(caller.join().unwrap(), CALLS);
    }
}

#[test]
fn a_thousand_sessions_get_an_event_each() {
    const SESSIONS: usize = 1000;
    let host = Host::new();
    let mut peers = all_kinds(&host, SESSIONS);
    for peer in &mut peers {
        peer.subscribe("com.example.news");
    }
    assert_eq!(host.stats().sessions, SESSIONS);
    let (publisher, subscribers) = peers.split_first_mut().unwrap();
    publisher.publish("com.example.news", json!(["extra"]));
    for peer in subscribers {
        assert_eq!(peer.message()[4], json!(["extra"]));
    }
    drop(peers);
    host.eventually("all have left", |stats| {
        (
            stats.sessions,
            stats.connections,
            stats.realms[0].subscriptions,
        ) == (0, 0, 0)
    });
}

#[test]
fn sessions_that_come_and_go_all_the_time_leave_nothing_behind() {
    let host = Host::new();
    let visitors = (0..4).map(|n| {
        let address = host.address();
        std::thread::spawn(move || {
            for round in 0..100 {
                let stream = std::net::TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
                let mut peer = Peer::rawsocket(Box::new(stream), Serializer::MsgPack);
                peer.join("realm1");
                peer.register(&format!("com.example.visitor{n}.{round}"));
                peer.subscribe("com.example.visitors");
                let id = peer.id();
                peer.send(&json!([16, id, {}, "com.example.visitors", [n, round]]));
                if round % 2 == 0 {
                    peer.send(&json!([6, {}, "wamp.close.close_realm"]));
                    while peer.message()[0] != 6 {}
                }
            }
        })
    });
    for visitor in visitors.collect::<Vec<_>>() {
        visitor.join().unwrap();
    }
    host.eventually("nothing is left", |stats| {
        let realm = &stats.realms[0];
        (
            stats.connections,
            realm.sessions,
            realm.registrations,
            realm.subscriptions,
        ) == (0, 0, 0, 0)
    });
}

#[test]
fn meta_events_tell_who_comes_and_goes() {
    let host = Host::new();
    let mut observer = host.session();
    let joins = observer.subscribe("wamp.session.on_join");
    let leaves = observer.subscribe("wamp.session.on_leave");
    let mut visitor = host.websocket(Serializer::Cbor);
    let id = visitor.join("realm1");
    let event = observer.message();
    assert_eq!(
        (&event[1], &event[4][0]["session"]),
        (&json!(joins), &json!(id))
    );
    let details = &event[4][0];
    assert_eq!(
        details["transport"],
        json!({"type": "websocket", "serializer": "cbor"})
    );
    drop(visitor);
    let event = observer.message();
    assert_eq!((&event[1], &event[4][0]), (&json!(leaves), &json!(id)));
}
