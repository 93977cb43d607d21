//! TLS on the router's ports: sessions as on plain ones, and peers that break it at every stage.

#![allow(clippy::unwrap_used)]

#[path = "../../wampy-transport/tests/authority/mod.rs"]
mod authority;
mod peer;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::Authority;
use peer::tls::{TlsStream, client, stream, trusting};
use peer::{Host, Peer, Seen, json};
use rustls::ClientConfig;
use wampy_proto::Serializer;
use wampy_router::{BoundAddress, Builder, Limits, Router};

/// A router's certificate, and what a client has to trust for it.
struct Certificate {
    authority: Authority,
    trusting: Arc<ClientConfig>,
}

impl Certificate {
    fn new() -> Self {
        let authority = Authority::new();
        authority.sign("router", &["localhost"]);
        let config = trusting(authority.issuer.der(), rustls::ALL_VERSIONS);
        Self {
            trusting: Arc::new(config.with_no_client_auth()),
            authority,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.authority.file(name)
    }

    /// A router whose last port speaks TLS.
    fn host(&self, set_up: impl FnOnce(Builder) -> Builder) -> Host {
        Host::with(|builder| set_up(builder).tls(self.file("router.pem"), self.file("router.key")))
    }

    fn stream(&self, host: &Host) -> TlsStream {
        stream(host, Arc::clone(&self.trusting))
    }

    fn rawsocket(&self, host: &Host) -> Peer {
        Peer::rawsocket(Box::new(self.stream(host)), Serializer::Json)
    }

    fn session(&self, host: &Host) -> Peer {
        joined(self.rawsocket(host))
    }
}

fn joined(mut peer: Peer) -> Peer {
    peer.join("realm1");
    peer
}

fn impatient(limits: &mut Limits) {
    limits.handshake_timeout_ms = 300;
}

/// A router with the limits changed so.
fn limited(certificate: &Certificate, change: impl FnOnce(&mut Limits)) -> Host {
    let mut limits = peer::limits();
    change(&mut limits);
    certificate.host(|builder| builder.limits(limits))
}

/// What the first bytes of a handshake are.
fn client_hello(certificate: &Certificate) -> Vec<u8> {
    let mut client = client(Arc::clone(&certificate.trusting));
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

#[test]
fn one_port_takes_websocket_and_rawsocket_with_every_serializer() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut callee = certificate.session(&host);
    callee.register("com.example.echo");
    for serializer in Serializer::ALL {
        let rawsocket = Peer::rawsocket(Box::new(certificate.stream(&host)), serializer);
        let websocket = Peer::websocket(Box::new(certificate.stream(&host)), serializer);
        for mut caller in [joined(rawsocket), joined(websocket)] {
            let id = caller.id();
            caller.send(&json!([48, id, {}, "com.example.echo", [1]]));
            let invocation = callee.message();
            callee.send(&json!([70, invocation[1], {}, invocation[4]]));
            assert_eq!(caller.message()[3], json!([1]));
        }
    }
    assert!(host.router.url().starts_with("wss://127.0.0.1:"));
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_http_1_1_is_agreed_upon() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    for version in rustls::ALL_VERSIONS {
        let issuer = certificate.authority.issuer.der();
        let mut config = trusting(issuer, &[version]).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut stream = stream(&host, Arc::new(config));
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        joined(Peer::websocket(Box::new(stream), Serializer::Json)).nothing_came();
    }
}

#[test]
fn a_port_that_is_to_stay_plain_does_beside_one_with_tls() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder.listen("plain:127.0.0.1:0"));
    let Some(BoundAddress::Tcp(address)) = host.router.addresses().first() else {
        panic!("no plain port: {:?}", host.router.addresses());
    };
    let plain = TcpStream::connect(address).unwrap();
    plain.set_read_timeout(Some(peer::PATIENCE)).unwrap();
    let mut subscriber = joined(Peer::rawsocket(Box::new(plain), Serializer::Json));
    subscriber.subscribe("a.topic");
    certificate
        .session(&host)
        .publish("a.topic", json!(["secret"]));
    assert_eq!(subscriber.message()[4], json!(["secret"]));
}

#[test]
fn a_unix_socket_stays_plain() {
    let certificate = Certificate::new();
    let path = certificate.file("socket");
    let _host = certificate.host(|builder| builder.listen(format!("unix:{}", path.display())));
    let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
    joined(Peer::rawsocket(Box::new(stream), Serializer::Json)).nothing_came();
}

#[test]
fn one_connection_too_many_is_refused_in_the_words_of_its_protocol() {
    let certificate = Certificate::new();
    let host = limited(&certificate, |limits| limits.connections_max = 1);
    let _only = certificate.session(&host);
    let mut stream = certificate.stream(&host);
    stream.write_all(b"\x7f\xf1\0\0").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"\x7f\x40\0\0");
}

#[test]
fn files_that_are_no_certificate_and_key_are_named_with_the_reason() {
    let (ours, theirs) = (Certificate::new(), Certificate::new());
    let empty = ours.file("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let problem = |certificate: PathBuf, key: PathBuf| {
        let builder = Router::builder().listen("127.0.0.1:0");
        let start = builder.tls(certificate, key).start();
        runtime.block_on(start).map(drop).unwrap_err().to_string()
    };
    let (cert, key) = (|| ours.file("router.pem"), || ours.file("router.key"));
    let cases = [
        (ours.file("none.pem"), key(), "none.pem", "No such file"),
        (cert(), ours.file("none.pem"), "none.pem", "No such file"),
        (empty.clone(), key(), "empty.pem", "no PEM certificate"),
        (cert(), empty, "empty.pem", "no PEM private key"),
        (key(), key(), "router.key", "no PEM certificate"),
        (cert(), cert(), "router.pem", "no PEM private key"),
        (
            cert(),
            theirs.file("router.key"),
            "router.key",
            "not that of the certificate",
        ),
    ];
    for (certificate, key, file, reason) in cases {
        let said = problem(certificate, key);
        assert!(said.contains(file) && said.contains(reason), "{said}");
    }
}

#[test]
fn plain_bytes_to_a_port_with_tls_are_refused() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let answer = |bytes: &[u8]| {
        let mut stream = host.stream();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is as good an end as any.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    };
    let said = answer(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        said.starts_with("HTTP/1.1 400 ") && said.contains("wss://"),
        "{said}"
    );
    assert_eq!(answer(b"\x7f\xf1\0\0"), "");
    assert_eq!(answer(b"\0"), "");
    host.eventually("all are counted and gone", |stats| {
        (stats.connections, stats.connections_refused) == (0, 3)
    });
    certificate.session(&host).nothing_came();
}

#[test]
fn a_handshake_that_is_cut_short_or_nonsense_ends_only_its_own_connection() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut witness = certificate.session(&host);
    let hello = client_hello(&certificate);
    for bytes in [&hello[..1], &hello[..hello.len() / 2], &hello] {
        let mut stream = host.stream();
        stream.write_all(bytes).unwrap();
        drop(stream);
    }
    for bytes in [
        &b"\x16nonsense that is no record"[..],
        b"\x16\x03\x01\xff\xff",
    ] {
        let mut stream = host.stream();
        stream.write_all(bytes).unwrap();
        let mut alert = Vec::new();
        let _ = stream.read_to_end(&mut alert);
    }
    let stranger = Authority::new();
    let config = trusting(stranger.issuer.der(), rustls::ALL_VERSIONS);
    let mut distrusting = stream(&host, Arc::new(config.with_no_client_auth()));
    assert!(distrusting.write_all(b"\x7f\xf1\0\0").is_err());
    host.eventually("all are gone", |stats| {
        (stats.connections, stats.connections_refused) == (1, 6)
    });
    witness.nothing_came();
}

#[test]
fn a_slow_handshake_is_cut_off_at_the_deadline() {
    let certificate = Certificate::new();
    let host = limited(&certificate, impatient);
    let hello = client_hello(&certificate);
    for silent_after in [0, 1, hello.len() / 2, hello.len()] {
        let mut stream = host.stream();
        stream.write_all(&hello[..silent_after]).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    // One byte after another buys no time.
    let (start, mut stream) = (Instant::now(), host.stream());
    for byte in hello.iter().cycle() {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        assert!(start.elapsed() < peer::PATIENCE, "still open");
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nor does TLS that leads to no WAMP.
    let mut idle = certificate.stream(&host);
    idle.conn.complete_io(&mut idle.sock).unwrap();
    let _ = idle.read(&mut [0]);
    host.eventually("all are gone", |stats| {
        (stats.connections, stats.connections_refused) == (0, 6)
    });
}

#[test]
fn large_messages_go_both_ways_at_once() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut callee = Peer::websocket(Box::new(certificate.stream(&host)), Serializer::Json);
    callee.join("realm1");
    callee.register("com.example.echo");
    let echo = std::thread::spawn(move || {
        for _ in 0..4 {
            let invocation = callee.message();
            callee.send(&json!([70, invocation[1], {}, invocation[4]]));
        }
    });
    let mut caller = certificate.session(&host);
    for bytes in [1, 16 << 10, 100_001, 8 << 20] {
        let args = json!(["x".repeat(bytes)]);
        let result = caller.call("com.example.echo", args.clone());
        assert!(result[3] == args, "{bytes} bytes did not come back");
    }
    echo.join().unwrap();
}

#[test]
fn what_many_tasks_write_to_one_connection_stays_in_order() {
    const PUBLISHERS: usize = 4;
    const EVENTS: u64 = 500;
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut subscriber = certificate.session(&host);
    subscriber.subscribe("a.topic");
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|number| {
            let mut publisher = certificate.session(&host);
            std::thread::spawn(move || {
                let blob = "x".repeat(3000);
                for n in 0..EVENTS {
                    let id = publisher.id();
                    publisher.send(&json!([16, id, {}, "a.topic", [number, n, blob]]));
                }
                publisher.nothing_came();
            })
        })
        .collect();
    let mut next = [0; PUBLISHERS];
    let (mut events, mut answers, mut calls) = (0, 0, 0);
    while events < PUBLISHERS as u64 * EVENTS || answers < calls {
        // Its own requests make the router read and write on one connection at the same time.
        if calls - answers < 10 && events < PUBLISHERS as u64 * EVENTS {
            let id = subscriber.id();
            subscriber.send(&json!([48, id, {}, "wamp.session.count"]));
            calls += 1;
        }
        let message = subscriber.message();
        if message[0] == 50 {
            answers += 1;
            continue;
        }
        let publisher = message[4][0].as_u64().unwrap() as usize;
        assert_eq!(message[4][1], json!(next[publisher]));
        next[publisher] += 1;
        events += 1;
    }
    for publisher in publishers {
        publisher.join().unwrap();
    }
}

#[test]
fn a_subscriber_that_stops_reading_is_cut_off_and_the_others_get_every_event() {
    const EVENTS: u64 = 1000;
    let certificate = Certificate::new();
    let host = limited(&certificate, |limits| {
        limits.message_bytes_max = 1 << 20;
        limits.outbound_bytes_per_session_max = 4 << 20;
    });
    let mut stuck = certificate.session(&host);
    stuck.subscribe("a.topic");
    let (mut reader, mut publisher) = (certificate.session(&host), certificate.session(&host));
    reader.subscribe("a.topic");
    let blob = "x".repeat(32 << 10);
    for n in 0..EVENTS {
        publisher.publish("a.topic", json!([n, blob]));
        assert_eq!(reader.message()[4][0], json!(n));
    }
    host.eventually("the stuck one is cut off", |stats| {
        (stats.sessions_cut_off, stats.sessions, stats.connections) == (1, 2, 2)
    });
    // It was in the middle of its events, and nobody pretends that these were all.
    let mut rest = Vec::new();
    let error = stuck.stream.read_to_end(&mut rest).unwrap_err();
    let kinds = [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset];
    assert!(kinds.contains(&error.kind()), "{error}");
}

#[test]
fn answers_that_are_read_late_come_whole_and_in_order() {
    let certificate = Certificate::new();
    let host = limited(&certificate, |limits| {
        limits.outbound_bytes_pause = 64 << 10
    });
    let mut peer = certificate.session(&host);
    // Each is answered by an ERROR as long as itself, and all are sent before one is read.
    let procedure = format!("com.example.{}", "x".repeat(900));
    let sent: u64 = 3000;
    let frames: Vec<u8> = (1..=sent)
        .map(|id| json!([48, id, {}, procedure]))
        .flat_map(|call| peer.frame(&peer.encode(&call)))
        .collect();
    peer.send_bytes(&frames);
    for id in 1..=sent {
        let error = peer.message();
        assert_eq!((&error[0], &error[2]), (&json!(8), &json!(id)));
    }
}

#[test]
fn a_peer_that_closes_without_close_notify_leaves_nothing_behind() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut witness = certificate.session(&host);
    for is_half in [true, false] {
        let mut peer = certificate.session(&host);
        peer.subscribe("a.topic");
        if is_half {
            peer.stream.shut_down_writing();
            host.eventually("the session is gone", |stats| stats.sessions == 1);
        }
        drop(peer);
        host.eventually("the connection is gone", |stats| {
            (stats.sessions, stats.connections) == (1, 1)
        });
    }
    witness.nothing_came();
}

#[test]
fn records_that_cannot_be_decrypted_end_only_their_own_session() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut witness = certificate.session(&host);
    let mut tls = certificate.stream(&host);
    tls.write_all(b"\x7f\xf1\0\0").unwrap();
    let mut accept = [0; 4];
    tls.read_exact(&mut accept).unwrap();
    // A record of application data that nobody encrypted.
    let record = [&[0x17, 3, 3, 0, 32][..], &[0x55; 32]].concat();
    tls.sock.write_all(&record).unwrap();
    let error = tls.read(&mut [0]).unwrap_err();
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
    host.eventually("it is gone", |stats| stats.connections == 1);
    witness.nothing_came();
}

#[test]
fn an_orderly_end_says_close_notify() {
    let certificate = Certificate::new();
    let host = certificate.host(|builder| builder);
    let mut violator = certificate.session(&host);
    violator.send_payload(b"[nonsense");
    // `Peer::see` takes an end without close_notify for a failure.
    violator.expect_violation();
    let mut peer = certificate.session(&host);
    let shutdown = host.router.shutdown();
    let leaving = std::thread::spawn(move || {
        assert_eq!(peer.message()[0], 6);
        peer.send(&json!([6, {}, "wamp.close.goodbye_and_out"]));
        assert_eq!(peer.see(), Seen::End);
    });
    host.runtime.block_on(shutdown);
    leaving.join().unwrap();
}
