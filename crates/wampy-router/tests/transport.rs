//! Wire checks 92 and 94 to 99 over real sockets, and what may share a port.

#![allow(clippy::unwrap_used)]

mod peer;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;

use peer::{Host, Peer, Seen, json};
use wampy_proto::Serializer;
use wampy_proto::framing::websocket::CloseCode;
use wampy_router::{BoundAddress, Limits, Router};

/// Sends `bytes` and reads all that comes back until the end.
fn answer(host: &Host, bytes: &[u8]) -> Vec<u8> {
    let mut stream = host.stream();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as any.
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn check_92_text_frames_are_for_json_and_binary_frames_for_the_others() {
    let host = Host::new();
    for serializer in Serializer::ALL {
        let mut peer = host.websocket(serializer);
        peer.join("realm1");
        // A masked frame of the other kind, with the key 0.
        let opcode = if serializer.row().binary { 0x81 } else { 0x82 };
        peer.send_bytes(&[opcode, 0x82, 0, 0, 0, 0, b'[', b']']);
        assert_eq!(peer.expect_end(), Some(1003), "{serializer:?}");
    }
    host.eventually("the sessions are gone", |stats| stats.sessions == 0);
}

#[test]
fn check_92_the_router_answers_in_the_kind_of_the_subprotocol() {
    let host = Host::new();
    for serializer in Serializer::ALL {
        let mut peer = host.websocket(serializer);
        let hello = peer.encode(&Peer::hello("realm1"));
        peer.send_payload(&hello);
        let mut first = [0];
        peer.stream.read_exact(&mut first).unwrap();
        assert_eq!(first[0], if serializer.row().binary { 0x82 } else { 0x81 });
    }
}

#[test]
fn check_94_what_is_neither_rawsocket_nor_http_is_closed() {
    let host = Host::new();
    for garbage in [
        &b"\x00\x01\x02"[..],
        b"\x16\x03\x01\x02\x00",
        b"\xff",
        b"hello\r\n\r\n",
        b"\x7e\xf1\0\0",
    ] {
        assert_eq!(answer(&host, garbage), b"", "{garbage:?}");
    }
    host.eventually("all are gone", |stats| stats.connections == 0);
    assert_eq!(host.stats().connections_refused, 5);
}

#[test]
fn check_95_rawsocket_handshakes_are_refused_by_number() {
    let host = Host::with(|builder| builder.serializers([Serializer::Json]));
    for (hello, refusal) in [
        (b"\x7f\xf9\0\0", &b"\x7f\x10\0\0"[..]),
        (b"\x7f\xf2\0\0", b"\x7f\x10\0\0"),
        (b"\x7f\xf1\x01\0", b"\x7f\x30\0\0"),
        (b"\x7f\xf1\0\x01", b"\x7f\x30\0\0"),
        (b"\x7f\xf0\0\0", b""),
    ] {
        assert_eq!(answer(&host, hello), refusal, "{hello:?}");
    }
}

#[test]
fn check_96_the_router_echoes_the_serializer_and_announces_its_own_limit() {
    let host = Host::with_limits(|limits| limits.message_bytes_max = 5000);
    let mut stream = host.stream();
    stream.write_all(b"\x7f\xf2\0\0").unwrap();
    let mut accept = [0; 4];
    stream.read_exact(&mut accept).unwrap();
    // 4096 is the largest power of two that is not above 5000.
    assert_eq!(&accept, b"\x7f\x32\0\0");
}

#[test]
fn check_97_a_frame_above_the_announced_limit_fails_the_connection() {
    let host = Host::with_limits(|limits| limits.message_bytes_max = 4096);
    let mut peer = host.session();
    peer.send_bytes(&[0, 0, 0x10, 0x01]);
    peer.expect_end();
    host.eventually("the session is gone", |stats| stats.sessions == 0);
}

#[test]
fn check_97_the_router_never_sends_more_than_the_peer_takes() {
    let host = Host::new();
    let mut stream = host.stream();
    stream.write_all(b"\x7f\x01\0\0").unwrap();
    let mut accept = [0; 4];
    stream.read_exact(&mut accept).unwrap();
    // This peer takes 512 octets: too little for WELCOME with all its features, so it can have no
    // session.
    let hello = Peer::hello("realm1").to_string();
    let mut frame = (hello.len() as u32).to_be_bytes().to_vec();
    frame.extend(hello.bytes());
    stream.write_all(&frame).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    host.eventually("the session is gone", |stats| {
        stats.connections == 0 && stats.sessions == 0
    });
}

#[test]
fn check_97_an_event_too_large_for_one_subscriber_reaches_the_others() {
    let host = Host::new();
    let (mut large, mut publisher) = (host.session(), host.session());
    let mut small = Peer::rawsocket_with_limit(Box::new(host.stream()), Serializer::Json, 4096);
    small.join("realm1");
    small.subscribe("a.topic");
    large.subscribe("a.topic");
    publisher.publish("a.topic", json!(["x".repeat(5000)]));
    publisher.publish("a.topic", json!(["short"]));
    assert_eq!(large.message()[4][0].as_str().unwrap().len(), 5000);
    assert_eq!(large.message()[4], json!(["short"]));
    assert_eq!(small.message()[4], json!(["short"]));
}

#[test]
fn check_98_each_ping_gets_one_pong_at_once() {
    let host = Host::new();
    for mut peer in [
        host.rawsocket(Serializer::MsgPack),
        host.websocket(Serializer::Json),
    ] {
        peer.send_ping(b"before the session");
        assert_eq!(peer.see(), Seen::Pong(b"before the session".to_vec()));
        peer.join("realm1");
        for payload in [&b""[..], b"p", &[0, 255, 10]] {
            peer.send_ping(payload);
            assert_eq!(peer.see(), Seen::Pong(payload.to_vec()));
        }
        peer.send_pong(b"unasked");
        peer.nothing_came();
    }
}

#[test]
fn check_99_messages_of_2_to_the_24_octets_have_their_own_header() {
    let host = Host::new();
    let (mut callee, mut caller) = (host.session(), host.session());
    callee.register("com.example.echo");
    let overhead = json!([48, 1, {}, "com.example.echo", [""]])
        .to_string()
        .len();
    for (id, octets, header) in [
        (1, (1 << 24) - 1, [0x00, 0xff, 0xff, 0xff]),
        (2, 1 << 24, [0x08, 0, 0, 0]),
    ] {
        let call = json!([
            48,
            id,
            {},
            "com.example.echo",
            ["x".repeat(octets - overhead)]
        ]);
        let frame = caller.frame(&caller.encode(&call));
        assert_eq!(frame[..4], header);
        caller.send_bytes(&frame);
        // INVOCATION is a little shorter than CALL, so it passes the callee's limit.
        let invocation = callee.message();
        assert_eq!(invocation[4], call[4]);
        callee.send(&json!([70, invocation[1], {}, invocation[4]]));
        assert_eq!(caller.message()[3], call[4]);
    }
}

#[test]
fn messages_pass_up_to_the_limit_and_fail_above_it() {
    let limit = 1 << 20;
    let host = Host::with_limits(|limits| limits.message_bytes_max = limit);
    let overhead = json!([16, 1, {}, "a.topic", [""]]).to_string().len();
    let message = |octets: usize| json!([16, 1, {}, "a.topic", ["x".repeat(octets - overhead)]]);
    let mut subscriber = host.session();
    subscriber.subscribe("a.topic");
    for octets in [limit - 1, limit] {
        for mut peer in [host.session(), joined(host.websocket(Serializer::Json))] {
            peer.send(&message(octets));
            assert_eq!(subscriber.message()[4], message(octets)[4]);
        }
    }
    let mut peer = joined(host.websocket(Serializer::Json));
    peer.send(&message(limit + 1));
    assert_eq!(peer.expect_end(), Some(1009));
    let mut peer = host.session();
    // The whole frame may not fit into the socket before the router closes it.
    let _ = peer.stream.write_all(&[0, 0x10, 0, 1]);
    peer.expect_end();
    subscriber.nothing_came();
}

fn joined(mut peer: Peer) -> Peer {
    peer.join("realm1");
    peer
}

#[test]
fn every_serializer_over_every_framing_meets_every_other_on_one_port() {
    let host = Host::new();
    let payload = json!(["ünï", 1, -1, 1.5, true, null, {"deep": [{"er": []}]}]);
    let mut peers: Vec<Peer> = Serializer::ALL
        .into_iter()
        .flat_map(|serializer| [host.rawsocket(serializer), host.websocket(serializer)])
        .map(joined)
        .collect();
    for (n, peer) in peers.iter_mut().enumerate() {
        peer.register(&format!("com.example.echo{n}"));
        peer.subscribe("com.example.topic");
    }
    for caller in 0..peers.len() {
        for callee in 0..peers.len() {
            let id = peers[caller].id();
            let procedure = format!("com.example.echo{callee}");
            peers[caller].send(&json!([48, id, {}, procedure, payload, {"k": "v"}]));
            let invocation = peers[callee].message();
            assert_eq!(
                (&invocation[4], &invocation[5]),
                (&payload, &json!({"k": "v"}))
            );
            let result = json!([70, invocation[1], {}, invocation[4], invocation[5]]);
            peers[callee].send(&result);
            assert_eq!(
                peers[caller].message(),
                json!([50, id, {}, payload, {"k": "v"}])
            );
        }
        peers[caller].publish("com.example.topic", payload.clone());
        for (n, peer) in peers.iter_mut().enumerate().filter(|(n, _)| *n != caller) {
            assert_eq!(peer.message()[4], payload, "from {caller} to {n}");
        }
    }
}

#[test]
fn websockets_open_at_any_path_with_any_origin() {
    let host = Host::new();
    for target in ["/", "/ws", "//8080", "/a/b?c=d"] {
        let headers = [("Origin", "ws://localhost:8080"), ("User-Agent", "x")];
        let stream = Box::new(host.stream());
        let mut peer = Peer::websocket_at(stream, Serializer::Json, target, &headers);
        peer.join("realm1");
    }
}

#[test]
fn a_browser_gets_a_friendly_text() {
    let host = Host::new();
    let text = answer(&host, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let text = String::from_utf8(text).unwrap();
    assert!(text.starts_with("HTTP/1.1 426 "), "{text}");
    assert!(text.contains("This is a WAMP router"), "{text}");
    let upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: wamp.9.morse\r\n\r\n";
    let text = String::from_utf8(answer(&host, upgrade.as_bytes())).unwrap();
    assert!(
        text.starts_with("HTTP/1.1 400 ") && text.contains("wamp.2.json"),
        "{text}"
    );
}

#[test]
fn a_websockets_close_is_answered_with_its_code() {
    let host = Host::new();
    let mut peer = joined(host.websocket(Serializer::Json));
    peer.send_close(CloseCode::GOING_AWAY);
    assert_eq!(peer.expect_end(), Some(1001));
    host.eventually("the session is gone", |stats| stats.sessions == 0);
}

#[test]
fn frames_may_come_right_behind_the_handshake() {
    let host = Host::new();
    let mut stream = host.stream();
    let hello = Peer::hello("realm1").to_string();
    let mut bytes = b"\x7f\xf1\0\0".to_vec();
    bytes.extend((hello.len() as u32).to_be_bytes());
    bytes.extend(hello.bytes());
    // One octet at a time, so that every state sees a handshake or a frame that is not complete.
    for byte in &bytes {
        stream.write_all(&[*byte]).unwrap();
    }
    let mut accept = [0; 4];
    stream.read_exact(&mut accept).unwrap();
    let mut header = [0; 8];
    stream.read_exact(&mut header).unwrap();
    assert_eq!(&header[4..7], b"[2,");
}

#[test]
fn a_message_in_fragments_is_one_message() {
    let host = Host::new();
    let mut peer = joined(host.websocket(Serializer::Json));
    let call = json!([48, 1, {}, "wamp.session.count"]).to_string();
    let mut bytes = Vec::new();
    let last = call.len() - 1;
    for (n, byte) in call.bytes().enumerate() {
        let fin = if n == last { 0x80 } else { 0 };
        let opcode = if n == 0 { 1 } else { 0 };
        bytes.extend([fin | opcode, 0x81, 0, 0, 0, 0, byte]);
    }
    // A ping in the middle, and another request behind.
    let middle = bytes.len() / 7 / 2 * 7;
    bytes.splice(middle..middle, [0x89, 0x80, 0, 0, 0, 0]);
    bytes.extend(
        peer.frame(
            json!([48, 2, {}, "wamp.session.count"])
                .to_string()
                .as_bytes(),
        ),
    );
    peer.send_bytes(&bytes);
    assert_eq!(peer.see(), Seen::Pong(Vec::new()));
    assert_eq!(peer.message(), json!([50, 1, {}, [1]]));
    assert_eq!(peer.message(), json!([50, 2, {}, [1]]));
}

#[test]
fn localhost_is_both_ipv4_and_ipv6_on_one_port() {
    let host = Host::with(|builder| builder.listen("localhost:0"));
    let mut sockets = 0;
    for address in host.router.addresses() {
        let BoundAddress::Tcp(address) = address else {
            continue;
        };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
        joined(Peer::rawsocket(Box::new(stream), Serializer::Json));
        sockets += 1;
    }
    // Where the host has no IPv6, `localhost` is 127.0.0.1 alone.
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    assert_eq!(sockets, if has_ipv6 { 3 } else { 2 });
}

#[test]
fn a_unix_socket_speaks_the_same_and_goes_with_the_router() {
    let directory = std::env::temp_dir().join(format!("wampy-router-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("socket");
    let host = Host::with(|builder| builder.listen(format!("unix:{}", path.display())));
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
        Box::new(stream)
    };
    let mut callee = joined(Peer::rawsocket(connect(), Serializer::MsgPack));
    callee.register("com.example.echo");
    let mut caller = joined(Peer::websocket(connect(), Serializer::Json));
    let id = caller.id();
    caller.send(&json!([48, id, {}, "com.example.echo", [1]]));
    let invocation = callee.message();
    callee.send(&json!([70, invocation[1], {}, invocation[4]]));
    assert_eq!(caller.message()[3], json!([1]));
    host.runtime.block_on(host.router.shutdown());
    assert!(!path.exists());
    let _ = std::fs::remove_dir_all(&directory);
}

#[test]
fn too_many_connections_are_refused_in_their_own_words() {
    let host = Host::with_limits(|limits| limits.connections_max = 1);
    let _only = host.session();
    assert_eq!(answer(&host, b"\x7f\xf1\0\0"), b"\x7f\x40\0\0");
    let text = answer(&host, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        text.starts_with(b"HTTP/1.1 503 "),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

/// The addresses of this host, other than loopback, from which it would talk to others: IPv4, IPv6.
fn own_addresses() -> Vec<IpAddr> {
    let unspecified: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    // Addresses of documentation. UDP sends nothing to connect.
    let elsewhere = ["192.0.2.1:9", "[2001:db8::1]:9"].map(|it| it.parse::<SocketAddr>().unwrap());
    let own = unspecified.into_iter().zip(elsewhere);
    own.filter_map(|(any, elsewhere)| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.connect(elsewhere).ok()?;
        let own = socket.local_addr().ok()?.ip();
        // It must be possible to listen there, and to connect.
        let listener = std::net::TcpListener::bind((own, 0)).ok()?;
        TcpStream::connect(listener.local_addr().ok()?).ok()?;
        (!own.is_loopback()).then_some(own)
    })
    .collect()
}

#[test]
fn one_address_may_have_so_many_connections_but_for_loopback() {
    let own = own_addresses();
    if own.is_empty() {
        // The decision alone has tests beside its code.
        eprintln!("not tested: this host has no address but loopback");
    }
    for own in own {
        let host = Host::start({
            let limits = Limits {
                connections_per_address_max: 2,
                ..Limits::default()
            };
            let builder = Router::builder().realm("realm1").limits(limits);
            let here = SocketAddr::new(own, 0).to_string();
            builder.listen(here).listen("127.0.0.1:0")
        });
        let BoundAddress::Tcp(here) = host.router.addresses()[0] else {
            panic!("{:?}", host.router.addresses());
        };
        let connect = || {
            let stream = TcpStream::connect(here).unwrap();
            stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
            stream
        };
        let first = joined(Peer::rawsocket(Box::new(connect()), Serializer::Json));
        let _second = joined(Peer::websocket(Box::new(connect()), Serializer::Json));
        let refused = || {
            let mut stream = connect();
            stream.write_all(b"\x7f\xf1\0\0").unwrap();
            let mut answer = [0; 4];
            stream.read_exact(&mut answer).unwrap();
            answer == *b"\x7f\x40\0\0"
        };
        assert!(refused(), "{own}");
        // Others go on, of which some may be a proxy's.
        let _others: Vec<_> = (0..4).map(|_| host.session()).collect();
        // A place that is given up is free again, soon.
        drop(first);
        host.eventually("the first has left", |stats| stats.sessions == 5);
        let deadline = std::time::Instant::now() + peer::PATIENCE;
        while refused() {
            assert!(std::time::Instant::now() < deadline, "{own}");
        }
    }
}

#[test]
fn a_router_that_cannot_start_says_why() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    let start = |builder: wampy_router::Builder| {
        runtime
            .block_on(builder.start())
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    assert!(start(Router::builder().listen(taken.clone())).contains(&taken));
    assert!(start(Router::builder().listen("nowhere")).contains("HOST:PORT"));
    assert!(start(Router::builder().listen("127.0.0.1:0").realm("no realm")).contains("no realm"));
    assert!(start(Router::builder().listen("127.0.0.1:0").serializers([])).contains("serializer"));
    let limits = Limits {
        outbound_bytes_per_session_max: 1,
        ..Limits::default()
    };
    assert!(start(Router::builder().listen("127.0.0.1:0").limits(limits)).contains("outbound"));
}
