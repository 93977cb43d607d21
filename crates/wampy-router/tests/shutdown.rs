//! How a router ends.

#![allow(clippy::unwrap_used)]

mod peer;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use peer::{Host, Peer, Seen, json};
use wampy_proto::Serializer;

#[test]
fn a_shutdown_says_goodbye_to_every_session_and_is_over_when_all_have_answered() {
    let host = Host::with_limits(|limits| limits.shutdown_timeout_ms = 15_000);
    let goodbyes = (0..20).map(|n| {
        let mut peer = match n % 3 {
            0 => host.rawsocket(Serializer::Cbor),
            1 => host.websocket(Serializer::MsgPack),
            _ => host.websocket(Serializer::Json),
        };
        peer.join(if n % 2 == 0 { "realm1" } else { "realm2" });
        peer.subscribe("wamp.session.on_leave");
        std::thread::spawn(move || {
            let goodbye = loop {
                let message = peer.message();
                if message[0] != 36 {
                    break message;
                }
            };
            assert_eq!(goodbye, json!([6, {}, "wamp.close.system_shutdown"]));
            peer.send(&json!([6, {}, "wamp.close.goodbye_and_out"]));
            peer.expect_end();
        })
    });
    let goodbyes: Vec<_> = goodbyes.collect();
    let address = host.address();
    let start = Instant::now();
    host.runtime.block_on(host.router.shutdown());
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    for goodbye in goodbyes {
        goodbye.join().unwrap();
    }
    assert!(
        TcpStream::connect(address).is_err(),
        "the port is still open"
    );
    let stats = host.stats();
    assert_eq!((stats.sessions, stats.connections), (0, 0));
    host.runtime.block_on(host.router.shutdown());
}

#[test]
fn a_shutdown_is_over_at_its_deadline_whoever_does_not_answer() {
    let host = Host::with_limits(|limits| {
        limits.shutdown_timeout_ms = 300;
        limits.close_timeout_ms = 60_000;
    });
    let mut mute = host.session();
    // These have no session, or do not even read.
    let _silent = host.stream();
    let _open = host.websocket(Serializer::Json);
    let mut stuck = host.session();
    stuck.subscribe("a.topic");
    for n in 0..200 {
        host.session()
            .publish("a.topic", json!([n, "x".repeat(20_000)]));
    }
    let start = Instant::now();
    host.runtime.block_on(host.router.shutdown());
    let took = start.elapsed();
    assert!(
        (Duration::from_millis(250)..Duration::from_secs(5)).contains(&took),
        "{took:?}"
    );
    assert_eq!(mute.message(), json!([6, {}, "wamp.close.system_shutdown"]));
    assert_eq!(mute.see(), Seen::End);
}

#[test]
fn the_port_is_free_for_the_next_router_at_once() {
    let host = Host::new();
    let address = host.address();
    let mut peer = host.session();
    let answering = std::thread::spawn(move || {
        assert_eq!(peer.message()[0], 6);
        peer.send(&json!([6, {}, "wamp.close.goodbye_and_out"]));
        peer.expect_end();
    });
    host.runtime.block_on(host.router.shutdown());
    answering.join().unwrap();
    let next = Host::with(|builder| builder.listen(address.to_string()));
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
    let mut peer = Peer::rawsocket(Box::new(stream), Serializer::Json);
    peer.join("realm1");
    assert_eq!(next.stats().sessions, 1);
}

#[test]
fn a_dropped_router_closes_everything_without_waiting() {
    let host = Host::new();
    let (mut peer, address) = (host.session(), host.address());
    let Host { router, runtime } = host;
    let start = Instant::now();
    drop(router);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(peer.see(), Seen::End);
    let deadline = Instant::now() + peer::PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the port is still open");
    }
    drop(runtime);
}

#[test]
fn a_killed_session_that_does_not_answer_is_closed() {
    let host = Host::with_limits(|limits| limits.close_timeout_ms = 100);
    let mut killer = host.session();
    let mut victim = host.websocket(Serializer::Json);
    let session = victim.join("realm1");
    assert_eq!(killer.call("wamp.session.kill", json!([session]))[0], 50);
    assert_eq!(victim.message(), json!([6, {}, "wamp.close.killed"]));
    assert_eq!(victim.expect_end(), Some(1008));
    host.eventually("the victim is gone", |stats| stats.connections == 1);
}

#[test]
fn a_router_is_at_home_on_any_thread() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    let host = Host::new();
    check(&host.router);
    let Host { router, runtime } = host;
    let ending = std::thread::spawn(move || {
        runtime.block_on(router.shutdown());
        drop(router);
        drop(runtime);
    });
    ending.join().unwrap();
}
