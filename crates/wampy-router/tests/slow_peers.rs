//! Peers that do not read: they cost themselves their session, and nobody else anything.

#![allow(clippy::unwrap_used)]

mod peer;

use std::time::{Duration, Instant};

use peer::{Host, Peer, Seen, Value, json};
use wampy_proto::Serializer;

/// This process's memory in bytes, as the operating system sees it.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        << 10
}

#[test]
fn a_subscriber_that_stops_reading_is_cut_off_and_the_others_get_every_event() {
    const EVENTS: u64 = 2000;
    let host = Host::with_limits(|limits| {
        limits.message_bytes_max = 1 << 20;
        limits.outbound_bytes_per_session_max = 4 << 20;
    });
    let mut stuck: Vec<Peer> = (0..4).map(|_| host.session()).collect();
    for peer in &mut stuck {
        peer.subscribe("a.topic");
    }
    let mut reader = host.session();
    reader.subscribe("a.topic");
    let before = resident_bytes();
    let mut publisher = host.session();
    let blob = "x".repeat(32 << 10);
    let (has_read, keeps_up) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        for n in 0..EVENTS {
            let event = reader.message();
            assert_eq!((&event[0], &event[4][0]), (&json!(36), &json!(n)));
            if n % 32 == 31 {
                has_read.send(n).unwrap();
            }
        }
        reader
    });
    let mut most = 0;
    for n in 0..EVENTS {
        // Every now and then the reader has to have read it all: it is slow for no other reason
        // than that the machine is busy.
        let wait = n % 32 == 31;
        let id = publisher.id();
        publisher.send(&json!([16, id, {"acknowledge": wait}, "a.topic", [n, blob]]));
        if wait {
            assert_eq!(publisher.message()[0], 17);
            assert_eq!(keeps_up.recv_timeout(peer::PATIENCE), Ok(n));
            most = most.max(resident_bytes());
        }
    }
    let mut reader = reading.join().unwrap();
    host.eventually("the stuck ones are cut off", |stats| {
        (stats.sessions_cut_off, stats.sessions, stats.connections) == (4, 2, 2)
    });
    assert_eq!(host.stats().realms[0].subscriptions, 1);
    // 64 MiB went to each; 4 MiB may wait for each of five, and this test holds some itself.
    let grown = most.saturating_sub(before);
    assert!(grown < 100 << 20, "memory grew by {} MiB", grown >> 20);
    for peer in &mut stuck {
        while peer.see() != Seen::End {}
    }
    publisher.publish("a.topic", json!(["done"]));
    assert_eq!(reader.message()[4], json!(["done"]));
}

#[test]
fn a_caller_that_does_not_read_its_answers_is_not_read_from() {
    let host = Host::with_limits(|limits| limits.outbound_bytes_pause = 64 << 10);
    let mut flooder = host.rawsocket(Serializer::Json);
    flooder.join("realm1");
    // Each request is answered with an ERROR as long as itself, so a flood that is never read would
    // need more and more of the router's memory; instead the router stops reading.
    let call = |id: u64| json!([48, id, {}, format!("com.example.{}", "x".repeat(900))]);
    let flood = std::thread::spawn(move || {
        let mut sent = 0_u64;
        let frames = |from: u64| {
            let calls: Vec<Value> = (from + 1..=from + 64).map(call).collect();
            calls
        };
        // The write times out when the router does not read any more and all buffers are full.
        loop {
            let calls = frames(sent);
            let bytes: Vec<u8> = calls
                .iter()
                .flat_map(|it| flooder.frame(&flooder.encode(it)))
                .collect();
            if flooder.stream.write_all(&bytes).is_err() {
                return sent;
            }
            sent += 64;
            if sent > 500_000 {
                return sent;
            }
        }
    });
    // Meanwhile another session is served at once.
    let mut other = host.session();
    let start = Instant::now();
    for _ in 0..100 {
        other.nothing_came();
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    // The router stops taking requests: the count stands still although the flood goes on.
    let deadline = Instant::now() + peer::PATIENCE;
    let mut last = 0;
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let received = host.stats().realms[0].messages_received;
        if received == last {
            break;
        }
        last = received;
        assert!(Instant::now() < deadline, "the router reads on: {received}");
    }
    let stats = host.stats();
    assert_eq!(
        (stats.sessions, stats.sessions_cut_off),
        (2, 0),
        "slowed down, not cut off"
    );
    assert!(last < 400_000, "the router took {last} requests");
    drop(host);
    assert!(flood.join().unwrap() <= 500_000);
}

#[test]
fn many_that_do_not_read_are_cut_off_before_any_of_them_has_too_much_alone() {
    const EVENTS: u64 = 512;
    let host = Host::with_limits(|limits| limits.outbound_bytes_max = 32 << 20);
    let mut stuck: Vec<Peer> = (0..8).map(|_| host.session()).collect();
    for peer in &mut stuck {
        peer.subscribe("a.topic");
    }
    let (mut reader, mut publisher) = (host.session(), host.session());
    reader.subscribe("a.topic");
    let blob = "x".repeat(32 << 10);
    // 16 MiB for each, of which its socket takes some; one alone could have 32 MiB.
    for n in 0..EVENTS {
        publisher.publish("a.topic", json!([n, blob]));
        assert_eq!(reader.message()[4][0], json!(n));
    }
    assert!(host.stats().sessions_cut_off > 0, "{:?}", host.stats());
    reader.nothing_came();
}

#[test]
fn a_peer_that_floods_does_not_read_and_says_no_more_is_cut_off_in_the_end() {
    let host = Host::with_limits(|limits| {
        limits.outbound_bytes_pause = 64 << 10;
        limits.paused_timeout_ms = 1000;
    });
    let mut witness = host.session();
    let stream = host.stream();
    stream
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut flooder = Peer::rawsocket(Box::new(stream.try_clone().unwrap()), Serializer::Json);
    flooder.join("realm1");
    let calls: Vec<u8> = (1..=20_000)
        .map(|id| json!([48, id, {}, format!("com.example.{}", "x".repeat(900))]))
        .flat_map(|call| flooder.frame(&flooder.encode(&call)))
        .collect();
    // As much as the router takes; what comes behind, such as the end, it does not see any more.
    assert!(flooder.stream.write_all(&calls).is_err());
    let _ = stream.shutdown(std::net::Shutdown::Write);
    host.eventually("it is cut off", |stats| {
        (stats.sessions_cut_off, stats.sessions, stats.connections) == (1, 1, 1)
    });
    witness.nothing_came();
}

#[test]
fn a_flooding_publisher_does_not_starve_a_caller() {
    let host = Host::new();
    let mut publisher = host.session();
    let is_done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let until = std::sync::Arc::clone(&is_done);
    let flood = std::thread::spawn(move || {
        let mut id = 0;
        while !until.load(std::sync::atomic::Ordering::Relaxed) {
            let events: Vec<Value> = (id + 1..=id + 256)
                .map(|id| json!([16, id, {}, "nobody.listens"]))
                .collect();
            publisher.send_all(&events);
            id += 256;
        }
    });
    let mut caller = host.session();
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let start = Instant::now();
        caller.nothing_came();
        slowest = slowest.max(start.elapsed());
    }
    is_done.store(true, std::sync::atomic::Ordering::Relaxed);
    flood.join().unwrap();
    assert!(slowest < Duration::from_secs(2), "a call took {slowest:?}");
}

#[test]
fn a_single_event_larger_than_what_may_wait_is_too_long_for_its_receiver() {
    let host = Host::with_limits(|limits| {
        limits.message_bytes_max = 1 << 20;
        limits.outbound_bytes_per_session_max = 1 << 20;
    });
    let (mut binary, mut text) = (host.rawsocket(Serializer::MsgPack), host.session());
    binary.join("realm1");
    text.subscribe("a.topic");
    // 900 000 control characters take one octet each in MessagePack and six in JSON.
    let args = json!(["\u{1}".repeat(900_000)]);
    binary.publish("a.topic", args);
    binary.publish("a.topic", json!(["short"]));
    assert_eq!(text.message()[4], json!(["short"]));
    assert_eq!(host.stats().sessions_cut_off, 0);
}

#[test]
fn nothing_more_is_routed_for_a_session_that_was_cut_off_by_its_own_requests() {
    let host = Host::with_limits(|limits| {
        limits.message_bytes_max = 64 << 10;
        limits.outbound_bytes_per_session_max = 64 << 10;
    });
    let mut witness = host.session();
    witness.subscribe("a.topic");
    let mut peer = host.session();
    for n in 0..3000 {
        peer.register(&format!("com.example.procedure{n}"));
    }
    // Each answer lists 3000 ids; all together are more than the sockets' buffers take, and what may
    // wait beside them. With each go two events, which count only if the answer could be kept.
    let batch: Vec<_> = (0..1000)
        .flat_map(|_| {
            let call = json!([48, peer.id(), {}, "wamp.registration.list"]);
            let mut publish = || json!([16, peer.id(), {}, "a.topic"]);
            [call, publish(), publish()]
        })
        .collect();
    let before = host.stats().realms[0].messages_sent;
    peer.send_all(&batch);
    host.eventually("the peer is cut off", |stats| {
        (stats.sessions_cut_off, stats.sessions) == (1, 1)
    });
    let sent = host.stats().realms[0].messages_sent - before;
    let id = witness.id();
    witness.send(&json!([48, id, {}, "wamp.session.count"]));
    let mut events = 0;
    while witness.message()[0] == 36 {
        events += 1;
    }
    // The last answer was one too much; nothing came after it.
    assert!(events > 0);
    assert_eq!(
        3 * events,
        2 * (sent - 1),
        "{events} events of {sent} messages"
    );
}
