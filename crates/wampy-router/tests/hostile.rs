//! Bad input of every kind ends only its own session, with the right reason, and within its limits.

#![allow(clippy::unwrap_used)]

mod peer;

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use peer::{Host, Peer, Seen, json};
use wampy_proto::Serializer;
use wampy_router::Limits;

/// Runs `attack` beside a session that must not notice it.
fn beside_a_witness(host: &Host, attack: impl FnOnce(&Host)) {
    let mut witness = host.session();
    witness.subscribe("com.example.witness");
    attack(host);
    host.eventually("only the witness is left", |stats| {
        (stats.connections, stats.sessions) == (1, 1)
    });
    witness.nothing_came();
}

fn joined(mut peer: Peer) -> Peer {
    peer.join("realm1");
    peer
}

/// Sends what the peer may cut off in the middle.
fn pour(peer: &mut Peer, bytes: &[u8]) {
    let _ = peer.stream.write_all(bytes);
}

fn impatient(host_limits: impl FnOnce(&mut Limits)) -> Host {
    Host::with_limits(|limits| {
        limits.handshake_timeout_ms = 300;
        host_limits(limits);
    })
}

#[test]
fn a_connection_that_says_nothing_is_closed_at_its_deadline() {
    let host = impatient(|_| {});
    beside_a_witness(&host, |host| {
        let start = Instant::now();
        let mut stream = host.stream();
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        assert!(
            start.elapsed() >= Duration::from_millis(250),
            "{:?}",
            start.elapsed()
        );
    });
}

#[test]
fn half_a_handshake_is_closed_at_its_deadline() {
    let host = impatient(|_| {});
    beside_a_witness(&host, |host| {
        for half in [
            &b"\x7f"[..],
            b"\x7f\xf1\0",
            b"GET / HTTP/1.1\r\nHost:",
            b"G",
        ] {
            let mut stream = host.stream();
            stream.write_all(half).unwrap();
            assert_eq!(stream.read(&mut [0]).unwrap(), 0, "{half:?}");
        }
    });
}

#[test]
fn a_slow_http_request_does_not_buy_time() {
    let host = impatient(|_| {});
    beside_a_witness(&host, |host| {
        let (start, mut stream) = (Instant::now(), host.stream());
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        while stream.write_all(b"X-Slow: loris\r\n").is_ok() {
            assert!(start.elapsed() < peer::PATIENCE, "still open");
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn a_connection_without_hello_is_closed_at_its_deadline_whatever_else_it_says() {
    let host = impatient(|_| {});
    beside_a_witness(&host, |host| {
        let mut peer = host.websocket(Serializer::Json);
        let (start, mut code) = (Instant::now(), None);
        while code.is_none() {
            assert!(start.elapsed() < peer::PATIENCE, "still open");
            peer.send_ping(b"busy");
            if let Seen::Close(closed) = peer.see() {
                code = closed;
            }
        }
        assert_eq!(code, Some(1008));
    });
}

#[test]
fn a_connection_without_a_second_hello_is_closed_at_its_deadline() {
    let host = impatient(|_| {});
    beside_a_witness(&host, |host| {
        let mut peer = joined(host.websocket(Serializer::Json));
        peer.send(&json!([6, {}, "wamp.close.close_realm"]));
        assert_eq!(peer.message()[0], 6);
        assert_eq!(peer.expect_end(), Some(1008));
    });
}

#[test]
fn an_endless_http_head_is_refused() {
    let host = Host::new();
    beside_a_witness(&host, |host| {
        let mut stream = host.stream();
        let mut request = b"GET / HTTP/1.1\r\nX: ".to_vec();
        request.resize(20 << 10, b'x');
        stream.write_all(&request).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    });
}

#[test]
fn websocket_violations_close_with_their_codes() {
    let host = Host::with_limits(|limits| limits.fragments_max = 100);
    let fragments: Vec<u8> = (0..200)
        .flat_map(|n| [u8::from(n == 0), 0x81, 0, 0, 0, 0, b' '])
        .collect();
    let cases: [(&str, &[u8], u16); 10] = [
        ("unmasked", b"\x81\x02[]", 1002),
        ("reserved bit", b"\xc1\x80\0\0\0\0", 1002),
        ("reserved opcode", b"\x83\x80\0\0\0\0", 1002),
        ("long ping", b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
        ("nothing to continue", b"\x80\x80\0\0\0\0", 1002),
        ("close without code", b"\x88\x81\0\0\0\0x", 1002),
        ("invalid UTF-8", b"\x81\x82\0\0\0\0\xff\xff", 1007),
        (
            "too large",
            b"\x81\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0",
            1009,
        ),
        (
            "one octet above 16 MiB",
            b"\x81\xff\0\0\0\0\x01\0\0\x01\0\0\0\0",
            1009,
        ),
        ("too many fragments", &fragments, 1008),
    ];
    beside_a_witness(&host, |host| {
        for (name, bytes, code) in cases {
            let mut peer = joined(host.websocket(Serializer::Json));
            pour(&mut peer, bytes);
            assert_eq!(peer.expect_end(), Some(code), "{name}");
        }
    });
    assert_eq!(host.stats().violations, 10);
}

#[test]
fn rawsocket_violations_close() {
    let host = Host::new();
    beside_a_witness(&host, |host| {
        for bytes in [
            &b"\x10\0\0\0"[..],
            b"\x03\0\0\0",
            b"\x08\0\0\x01",
            b"\xff\xff\xff\xff",
        ] {
            let mut peer = host.session();
            pour(&mut peer, bytes);
            assert_eq!(peer.expect_end(), None, "{bytes:?}");
        }
    });
}

#[test]
fn bombs_and_lies_about_lengths_break_the_protocol() {
    let host = Host::new();
    let deep = |open: &str, close: &str| {
        format!(
            "[48,1,{{}},\"a.b\",[{}{}]]",
            open.repeat(100_000),
            close.repeat(100_000)
        )
    };
    let json_bombs = [deep("[", "]"), deep("{\"a\":", "}"), "[".repeat(1_000_000)];
    // Lists, maps, texts and bytes of billions of elements that do not come.
    let msgpack: [&[u8]; 5] = [
        b"\xdd\xff\xff\xff\xff",
        b"\x95\x30\x01\xdf\xff\xff\xff\xff",
        b"\x95\x30\x01\x80\xdb\xff\xff\xff\xff",
        b"\x96\x30\x01\x80\xa3a.b\xdd\x7f\xff\xff\xff",
        b"\x96\x30\x01\x80\xa3a.b\x91\xc6\x7f\xff\xff\xff",
    ];
    let cbor: [&[u8]; 4] = [
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x85\x18\x30\x01\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x85\x18\x30\x01\xa0\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\x9f\x9f\x9f\x9f\x9f",
    ];
    beside_a_witness(&host, |host| {
        for bomb in &json_bombs {
            let mut peer = host.session();
            peer.send_payload(bomb.as_bytes());
            peer.expect_violation();
        }
        for (serializer, bombs) in [
            (Serializer::MsgPack, &msgpack[..]),
            (Serializer::Cbor, &cbor),
        ] {
            for bomb in bombs {
                let mut peer = joined(host.rawsocket(serializer));
                peer.send_payload(bomb);
                peer.expect_violation();
            }
        }
    });
}

#[test]
fn a_payload_that_is_malformed_never_reaches_a_subscriber() {
    let host = Host::new();
    let mut subscriber = host.session();
    subscriber.subscribe("a.topic");
    for payload in [
        "[1,]",
        "[\"\\ud800x\\q\"]",
        "[nul]",
        "[01]",
        "[1] x",
        "[\u{1}]",
    ] {
        let mut peer = host.session();
        peer.send_payload(format!("[16,1,{{}},\"a.topic\",{payload}]").as_bytes());
        peer.expect_violation();
    }
    subscriber.nothing_came();
}

#[test]
fn random_bytes_at_every_stage_end_only_their_own_connection() {
    let host = impatient(|_| {});
    // A small generator, so that a failure repeats.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    beside_a_witness(&host, |host| {
        for round in 0..300 {
            let mut peer = match round % 5 {
                0 => {
                    let mut stream = host.stream();
                    let bytes: Vec<u8> = (0..random() % 200).map(|_| random() as u8).collect();
                    let _ = stream.write_all(&bytes);
                    continue;
                }
                1 => host.rawsocket(Serializer::MsgPack),
                2 => joined(host.rawsocket(Serializer::Cbor)),
                3 => joined(host.websocket(Serializer::MsgPack)),
                _ => host.session(),
            };
            for _ in 0..random() % 4 {
                let payload: Vec<u8> = (0..random() % 100).map(|_| random() as u8).collect();
                // Sometimes in a frame, sometimes not.
                let bytes = if random() % 2 == 0 {
                    peer.frame(&payload)
                } else {
                    payload
                };
                pour(&mut peer, &bytes);
            }
        }
    });
}

#[test]
fn sessions_that_vanish_in_the_middle_of_calls_leave_nothing_behind() {
    let host = Host::new();
    let mut steady = host.session();
    for _ in 0..20 {
        let (mut callee, mut caller) = (host.session(), host.session());
        callee.register("com.example.work");
        let calls: Vec<_> = (1..=50)
            .map(|id| json!([48, id, {}, "com.example.work"]))
            .collect();
        caller.send_all(&calls);
        for n in 1..=50 {
            assert_eq!(callee.message()[1], n);
            if n % 2 == 0 {
                callee.send(&json!([70, n, {}]));
            }
        }
        // In the middle of a frame, both of them, either first.
        pour(&mut caller, &[0, 0, 1]);
        drop((caller, callee));
        host.eventually("all is released", |stats| {
            let realm = &stats.realms[0];
            (realm.sessions, realm.registrations, realm.pending_calls) == (1, 0, 0)
        });
    }
    steady.nothing_came();
}

#[test]
fn a_silent_peer_gets_a_ping_and_is_closed_without_an_answer() {
    // On a busy machine an answer takes its time.
    let host = Host::with_limits(|limits| {
        limits.keepalive_interval_ms = 50;
        limits.keepalive_timeout_ms = 3000;
    });
    let mut lively = joined(host.websocket(Serializer::Json));
    lively.subscribe("com.example.end");
    let mut mute = joined(host.websocket(Serializer::Json));
    // Until it is told of the end it says nothing but that it is there.
    let answering = std::thread::spawn(move || {
        let mut answered = 0;
        loop {
            match lively.see() {
                Seen::Ping(payload) => {
                    assert!(payload.is_ascii() && payload.len() >= 2);
                    lively.send_pong(&payload);
                    answered += 1;
                }
                Seen::Message(_) => return answered,
                other => panic!("expected a ping, came {other:?}"),
            }
        }
    });
    assert!(matches!(mute.see(), Seen::Ping(_)));
    assert_eq!(mute.see(), Seen::End);
    host.eventually("only the lively one is left", |stats| stats.sessions == 1);
    host.session().publish("com.example.end", json!([]));
    assert!(answering.join().unwrap() > 0);
}

#[test]
fn rawsocket_peers_are_pinged_only_if_asked_for() {
    let quick = Limits {
        keepalive_interval_ms: 50,
        keepalive_timeout_ms: 2000,
        ..Limits::default()
    };
    let host = Host::with(|builder| builder.limits(quick.clone()).rawsocket_ping(true));
    assert!(matches!(host.session().see(), Seen::Ping(_)));
    let host = Host::with(|builder| builder.limits(quick));
    let mut quiet = host.session();
    // A WebSocket peer is pinged twice meanwhile.
    let mut other = joined(host.websocket(Serializer::Json));
    for _ in 0..2 {
        let Seen::Ping(payload) = other.see() else {
            panic!("expected a ping")
        };
        other.send_pong(&payload);
    }
    quiet.nothing_came();
}

#[test]
fn a_router_without_file_descriptors_waits_and_goes_on() {
    const CHILD: &str = "WAMPY_TEST_FEW_FILES";
    if std::env::var_os(CHILD).is_none() {
        // The limit holds for a whole process, so the test runs again in one of its own.
        let name = "a_router_without_file_descriptors_waits_and_goes_on";
        let status = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 64 && exec \"$0\" --exact \"$1\""])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(CHILD, "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let host = Host::new();
    let mut steady = host.session();
    let mut files: Vec<std::fs::File> = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    // The one descriptor that becomes free is the client's own; none is left for the router.
    files.pop();
    let mut stream = host.stream();
    stream.write_all(b"\x7f\xf1\0\0").unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let mut accept = [0; 4];
    assert!(
        stream.read_exact(&mut accept).is_err(),
        "it was taken in without a descriptor"
    );
    steady.nothing_came();
    drop(files);
    stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
    stream.read_exact(&mut accept).unwrap();
    assert_eq!(&accept, b"\x7f\xf1\0\0");
}

#[test]
fn a_realm_with_an_endless_name_is_neither_created_nor_repeated() {
    let host = Host::with(|builder| builder.auto_create_realms(true));
    let configured = host.stats().realms.len();
    beside_a_witness(&host, |host| {
        for name in ["x".repeat(1 << 15), "no uri ".repeat(1 << 12)] {
            let mut peer = host.rawsocket(Serializer::Json);
            peer.send(&Peer::hello(&name));
            let problem = peer.expect_abort("wamp.error.invalid_uri");
            assert!(problem.len() < 100, "{} bytes", problem.len());
        }
        assert_eq!(host.stats().realms.len(), configured);
    });
    host.session_in(&"x".repeat(1024));
}
