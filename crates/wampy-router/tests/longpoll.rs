//! Long-polling over real sockets: what each request is answered with, and that a session behind it
//! is one like any other.

#![allow(clippy::unwrap_used)]

mod peer;

use std::time::Duration;

use peer::http::{Http, Polled};
use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;

const OPEN: &[u8] = br#"{"protocols": ["wamp.2.json"]}"#;

fn count(id: u64) -> Value {
    json!([48, id, {}, "wamp.session.count"])
}

#[test]
fn check_100_open_without_a_common_protocol_fails() {
    let host = Host::with(|builder| builder.serializers([Serializer::Json]));
    let mut http = Http::new(&host);
    for (body, problem) in [
        (
            r#"{"protocols": ["wamp.2.cbor", "wamp.3.json", 7]}"#,
            "supports: wamp.2.json, wamp.2.json.batched",
        ),
        (r#"{"protocols": []}"#, "supports none"),
        (r#"{"protocols": "wamp.2.json"}"#, "no list"),
        ("{}", "no list"),
        ("[]", "protocols"),
        ("", "protocols"),
        ("{", "protocols"),
    ] {
        let answer = http.post("/longpoll/open", body.as_bytes());
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(problem), "{body}: {}", answer.text());
    }
    let both = br#"{"protocols": ["wamp.2.cbor", "wamp.2.json.batched", "wamp.2.json"]}"#;
    let opened = http.post("/longpoll/open?x=382913", both);
    assert_eq!(opened.status, 200);
    assert_eq!(opened.header("content-type"), Some("application/json"));
    assert_eq!(opened.json()["protocol"], "wamp.2.json.batched");
}

#[test]
fn check_100_a_poll_without_batches_brings_one_message() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    for id in 1..4 {
        polled.send(&count(id));
    }
    for id in 1..4 {
        let answer = polled.post("receive?x=1", b"");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json(), json!([50, id, {}, [1]]));
    }
}

#[test]
fn a_poll_with_batches_brings_all_messages() {
    let host = Host::new();
    for serializer in Serializer::ALL {
        let row = serializer.row();
        let mut polled = Polled::open(&host, "/longpoll", row.batched_subprotocol);
        // Only for its way to encode.
        let peer = Peer::batched(Box::new(host.stream()), serializer);
        let batch = |messages: &[Value]| -> Vec<u8> {
            let framed = |message: &Value| {
                let message = peer.encode(message);
                match row.binary {
                    true => [&(message.len() as u32).to_be_bytes()[..], &message].concat(),
                    false => [&message[..], b"\x1e"].concat(),
                }
            };
            messages.iter().flat_map(framed).collect()
        };
        let messages: Vec<Value> = std::iter::once(Peer::hello("realm1"))
            .chain((1..101).map(count))
            .collect();
        assert_eq!(polled.post("send", &batch(&messages)).status, 202);
        let mut received = Vec::new();
        let mut polls = 0;
        while received.len() < 101 {
            let answer = polled.post("receive", b"");
            assert_eq!(answer.status, 200);
            for message in
                wampy_proto::framing::websocket::batched::messages(&answer.body, row.binary)
            {
                let message = wampy_proto::Message::decode(serializer, message.unwrap()).unwrap();
                received.push(message.message_type());
            }
            polls += 1;
        }
        assert_eq!(received[0], wampy_proto::MessageType::Welcome);
        assert!(
            received[1..]
                .iter()
                .all(|it| *it == wampy_proto::MessageType::Result)
        );
        assert!(polls < 10, "{polls} polls");
        polled.post("close", b"");
    }
}

#[test]
fn check_100_send_is_accepted_and_a_bad_body_is_400() {
    let host = Host::new();
    for (base, done) in [("/longpoll", 202), ("/lp", 204)] {
        let mut polled = Polled::open(&host, base, "wamp.2.json");
        let hello = Peer::hello("realm1").to_string();
        let answer = polled.post("send", hello.as_bytes());
        assert_eq!((answer.status, &answer.body[..]), (done, &b""[..]));
        assert_eq!(polled.message()[0], 2);
        let answer = polled.post("send", b"[48, 1");
        assert_eq!(answer.status, 400);
        assert!(
            answer.text().contains("no WAMP message in json"),
            "{}",
            answer.text()
        );
        // The session ends as on any other transport, and its last words are there.
        let abort = polled.message();
        assert_eq!(
            (&abort[0], &abort[2]),
            (&json!(3), &json!("wamp.error.protocol_violation"))
        );
        assert_eq!(polled.post("receive", b"").status, 410);
        host.eventually("the transport is gone", |stats| stats.sessions == 0);
        for body in [&b""[..], b"[1]"] {
            let mut batched = Polled::open(&host, base, "wamp.2.json.batched");
            let answer = batched.post("send", body);
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(answer.text().contains("no batch"), "{}", answer.text());
        }
    }
}

#[test]
fn paths_and_methods_that_lead_nowhere_say_so() {
    let host = Host::new();
    let mut http = Http::new(&host);
    for (method, path, status) in [
        ("POST", "/longpoll/nobody/receive", 404),
        ("POST", "/longpoll/nobody/send", 404),
        ("POST", "/longpoll/nobody/close", 404),
        ("POST", "/longpoll/a/b/c", 404),
        ("POST", "/longpoll", 404),
        ("POST", "/longpolling/open", 404),
        ("GET", "/elsewhere", 404),
        ("GET", "/longpoll/open", 405),
        ("PUT", "/lp/nobody/send", 405),
    ] {
        let answer = http.request(method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(answer.text().len() > 20, "{method} {path} has no words");
        assert_eq!(answer.header("allow"), (status == 405).then_some("POST"));
    }
}

#[test]
fn it_can_be_switched_off() {
    let host = Host::with(|builder| builder.longpoll(false));
    assert_eq!(Http::new(&host).post("/longpoll/open", OPEN).status, 404);
}

#[test]
fn bodies_have_limits() {
    let host = Host::with_limits(|limits| {
        limits.message_bytes_max = 1000;
        limits.http_body_bytes_max = 100;
    });
    let mut polled = Polled::joined(&host);
    let call = |filler: usize| {
        json!([48, 1, {}, "wamp.session.count", [], {"x": "x".repeat(filler)}]).to_string()
    };
    let beside = call(0).len();
    let too_long = polled.post("send", call(1001 - beside).as_bytes());
    assert_eq!(too_long.status, 413);
    assert!(too_long.text().contains("1000"), "{}", too_long.text());
    // The session has not seen it, so the id is still free. The connection may be closed, as the
    // body was not read.
    polled.http = Http::new(&host);
    assert_eq!(
        polled.post("send", call(1000 - beside).as_bytes()).status,
        202
    );
    assert_eq!(polled.message()[1], 1);
    // Also without an announced length.
    let mut http = Http::new(&host);
    let head = format!(
        "POST {}/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        polled.path
    );
    http.send_bytes(head.as_bytes());
    http.send_bytes(format!("{:x}\r\n{}\r\n0\r\n\r\n", 1001, "x".repeat(1001)).as_bytes());
    assert_eq!(http.answer().unwrap().status, 413);
    let large = format!("{{\"protocols\": [\"{}\"]}}", "x".repeat(100));
    assert_eq!(
        Http::new(&host).post("/lp/open", large.as_bytes()).status,
        413
    );
}

#[test]
fn ids_cannot_be_guessed() {
    let host = Host::new();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..50 {
        let id = Polled::open(&host, "/lp", "wamp.2.json").path;
        let id = id.strip_prefix("/lp/").unwrap().to_owned();
        assert!(id.len() >= 22, "128 bits in Base64 at least: {id}");
        assert!(
            id.bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
        );
        // The ends of two ids would be alike if only a part of them was random.
        for part in [&id[..8], &id[id.len() - 8..]] {
            assert!(ids.insert(part.to_owned()));
        }
    }
}

#[test]
fn a_closed_transport_is_gone_and_its_poll_ends() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    let mut other = Http::new(&host);
    polled
        .http
        .send("POST", &format!("{}/receive", polled.path), &[], b"");
    let closed = other.post(&format!("{}/close", polled.path), b"");
    assert_eq!(closed.status, 202);
    assert_eq!(polled.http.answer().unwrap().status, 204);
    host.eventually("the session is gone", |stats| stats.sessions == 0);
    for verb in ["receive", "send", "close"] {
        assert_eq!(polled.post(verb, b"[]").status, 404, "{verb}");
    }
}

#[test]
fn a_poll_without_messages_ends_after_a_while() {
    let host = Host::with_limits(|limits| limits.longpoll_poll_timeout_ms = 50);
    let mut polled = Polled::joined(&host);
    for _ in 0..3 {
        let answer = polled.post("receive", b"");
        assert_eq!((answer.status, answer.body), (204, Vec::new()));
    }
    polled.send(&count(1));
    assert_eq!(polled.message()[0], 50);
}

#[test]
fn a_session_that_nobody_polls_ends() {
    let host = Host::with_limits(|limits| {
        limits.longpoll_poll_timeout_ms = 300;
        limits.longpoll_session_timeout_ms = 100;
    });
    let mut polled = Polled::joined(&host);
    // A poll may take longer than the time that may be between two of them.
    assert_eq!(polled.post("receive", b"").status, 204);
    host.eventually("the session is gone", |stats| stats.sessions == 0);
    assert_eq!(polled.post("receive", b"").status, 404);
    // One without a session, too.
    let mut opened = Polled::open(&host, "/lp", "wamp.2.json");
    host.eventually("the transport is gone", |stats| stats.connections <= 2);
    assert_eq!(opened.post("receive", b"").status, 404);
}

#[test]
fn of_two_polls_the_later_one_counts() {
    // No poll ends by itself in this time.
    let host = Host::with_limits(|limits| limits.longpoll_poll_timeout_ms = 60_000);
    let mut polled = Polled::joined(&host);
    let receive = format!("{}/receive", polled.path);
    let (ended, answers) = std::sync::mpsc::channel();
    for _ in 0..2 {
        let (mut http, receive, ended) = (Http::new(&host), receive.clone(), ended.clone());
        std::thread::spawn(move || ended.send(http.post(&receive, b"")));
    }
    // Whichever of them came first, it ends while the other one waits.
    assert_eq!(answers.recv_timeout(peer::PATIENCE).unwrap().status, 204);
    polled.send(&count(1));
    let later = answers.recv_timeout(peer::PATIENCE).unwrap();
    assert_eq!(later.json(), json!([50, 1, {}, [1]]));
}

#[test]
fn a_poll_whose_client_has_gone_takes_no_message() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    let receive = format!("{}/receive", polled.path);
    for id in 1..20 {
        let mut gone = Http::new(&host);
        gone.send("POST", &receive, &[], b"");
        // The session, its client's connection, and the one that goes.
        host.eventually("a third one is there", |stats| stats.connections == 3);
        drop(gone);
        host.eventually("it is known to be gone", |stats| stats.connections == 2);
        polled.send(&count(id));
        assert_eq!(polled.message(), json!([50, id, {}, [1]]));
    }
}

#[test]
fn transports_have_limits_in_all_and_for_each_address() {
    let host = Host::with_limits(|limits| limits.longpoll_transports_max = 2);
    let mut first = Polled::open(&host, "/lp", "wamp.2.json");
    let _second = Polled::open(&host, "/lp", "wamp.2.json");
    assert_eq!(Http::new(&host).post("/lp/open", OPEN).status, 503);
    first.post("close", b"");
    let mut http = Http::new(&host);
    let deadline = std::time::Instant::now() + peer::PATIENCE;
    while http.post("/lp/open", OPEN).status != 200 {
        assert!(
            std::time::Instant::now() < deadline,
            "its place is never free"
        );
    }
    let host = Host::with_limits(|limits| limits.longpoll_transports_per_address_max = 1);
    let _only = Polled::open(&host, "/lp", "wamp.2.json");
    let refused = Http::new(&host).post("/lp/open", OPEN);
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("address"), "{}", refused.text());
    let host = Host::with_limits(|limits| limits.connections_max = 1);
    assert_eq!(Http::new(&host).post("/lp/open", OPEN).status, 503);
}

#[test]
fn a_subscriber_that_does_not_poll_is_cut_off_and_hurts_nobody() {
    let host = Host::with_limits(|limits| {
        limits.message_bytes_max = 100_000;
        limits.outbound_bytes_per_session_max = 200_000;
        limits.longpoll_pending_bytes_max = 10_000;
    });
    let mut polled = Polled::joined(&host);
    polled.send(&json!([32, 1, {}, "com.example.topic"]));
    assert_eq!(polled.message()[0], 33);
    let mut neighbor = host.session();
    neighbor.subscribe("com.example.topic");
    let mut publisher = host.session();
    for _ in 0..20 {
        publisher.publish("com.example.topic", json!(["x".repeat(20_000)]));
        assert_eq!(neighbor.message()[0], 36);
    }
    host.eventually("it is cut off", |stats| stats.sessions_cut_off == 1);
    host.eventually("only the others are left", |stats| stats.sessions == 2);
}

/// A client whose connection breaks while a message of its is on the way may go on over another.
#[test]
fn a_message_whose_client_has_gone_is_no_part_of_the_next_one() {
    let host = Host::with_limits(|limits| {
        limits.longpoll_pending_bytes_max = 1000;
        limits.outbound_bytes_pause = 1000;
    });
    let mut polled = Polled::open(&host, "/longpoll", "wamp.2.json.batched");
    let batch = |messages: &[Value]| -> String {
        let framed = messages.iter().map(|message| format!("{message}\x1e"));
        framed.collect()
    };
    let hello = batch(&[Peer::hello("realm1")]);
    assert_eq!(polled.post("send", hello.as_bytes()).status, 202);
    let welcome = polled.post("receive", b"").text();
    assert!(welcome.starts_with("[2,"), "{welcome}");
    let calls: Vec<_> = (1..2000).map(count).collect();
    assert_eq!(polled.post("send", batch(&calls).as_bytes()).status, 202);
    // As nobody polls, the session takes no more than a part of this.
    let filler = json!([48, 2000, {}, "wamp.session.count", [], {"x": "x".repeat(1_000_000)}]);
    polled.http.set_patience(Duration::from_millis(300));
    let path = format!("{}/send", polled.path);
    polled
        .http
        .send("POST", &path, &[], batch(&[filler]).as_bytes());
    let answer = polled.http.answer();
    assert!(answer.is_none(), "it waits: {answer:?}");
    polled.http = Http::new(&host);
    let mut received = 0;
    let mut receive = |polled: &mut Polled, wanted| {
        while received < wanted {
            let answer = polled.post("receive", b"");
            assert_eq!(answer.status, 200, "{}", answer.text());
            for message in answer.text().split_terminator('\x1e') {
                let message: Value = serde_json::from_str(message).unwrap();
                received += 1;
                assert_eq!(message, json!([50, received, {}, [1]]));
            }
        }
    };
    receive(&mut polled, 1999);
    let next = batch(&[count(2001)]);
    assert_eq!(polled.post("send", next.as_bytes()).status, 202);
    receive(&mut polled, 2001);
}

/// A client that asks for much and reads nothing holds no connection for ever.
#[test]
fn a_client_that_does_not_read_its_answers_is_given_up() {
    let host = Host::with_limits(|limits| {
        limits.paused_timeout_ms = 100;
        limits.longpoll_session_timeout_ms = 60_000;
    });
    let mut polled = Polled::joined(&host);
    polled.send(&json!([32, 1, {}, "com.example.topic"]));
    assert_eq!(polled.message()[0], 33);
    let mut publisher = host.session();
    publisher.publish("com.example.topic", json!(["x".repeat(12_000_000)]));
    let mut deaf = Http::new(&host);
    deaf.send("POST", &format!("{}/receive", polled.path), &[], b"");
    host.eventually("it is there", |stats| stats.connections == 4);
    host.eventually("it is given up", |stats| stats.connections == 3);
}

#[test]
fn sessions_of_all_transports_meet() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    let mut socket = host.websocket(Serializer::MsgPack);
    socket.join("realm1");
    socket.register("com.example.echo");
    polled.send(&json!([32, 1, {}, "com.example.topic"]));
    assert_eq!(polled.message()[0], 33);
    for (id, bytes) in [(2, 10), (3, 100_000), (4, 2_000_000)] {
        let text = json!("ü".repeat(bytes / 2));
        polled.send(&json!([48, id, {}, "com.example.echo", [text]]));
        let invocation = socket.message();
        assert_eq!(invocation[4][0], text);
        socket.send(&json!([70, invocation[1], {}, [text]]));
        assert_eq!(polled.message(), json!([50, id, {}, [text]]));
        socket.publish("com.example.topic", json!([text]));
        assert_eq!(polled.message()[4][0], text);
    }
    polled.send(&json!([48, 5, {}, "wamp.session.list"]));
    let ids = polled.message()[3][0].clone();
    let mut transports: Vec<String> = Vec::new();
    for (request, id) in (6..).zip(ids.as_array().unwrap()) {
        polled.send(&json!([48, request, {}, "wamp.session.get", [id]]));
        transports.push(polled.message()[3][0]["transport"].to_string());
    }
    assert!(
        transports.iter().any(|it| it.contains("longpoll")),
        "{transports:?}"
    );
}

#[test]
fn goodbye_reaches_a_client_that_polls_when_the_router_shuts_down() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| host.runtime.block_on(host.router.shutdown()));
        let goodbye = polled.message();
        assert_eq!(
            (&goodbye[0], &goodbye[2]),
            (&json!(6), &json!("wamp.close.system_shutdown"))
        );
        // Its answer is still taken, over the connection that is there.
        let answer = json!([6, {}, "wamp.close.goodbye_and_out"]).to_string();
        let answer = polled.post("send", answer.as_bytes());
        answer.status
    });
    assert_eq!(ended, 202);
    assert_eq!(host.stats().connections, 0);
    assert!(polled.http.answer().is_none(), "the connection ends, too");
}

#[test]
fn goodbye_of_the_client_is_answered() {
    let host = Host::new();
    let mut polled = Polled::joined(&host);
    polled.send(&json!([6, {}, "wamp.close.close_realm"]));
    assert_eq!(polled.message()[0], 6);
    // The transport stays, for another session.
    polled.send(&Peer::hello("realm2"));
    assert_eq!(polled.message()[0], 2);
}

#[test]
fn requests_may_come_byte_by_byte_and_several_at_once() {
    let host = Host::new();
    let mut http = Http::new(&host);
    let request = format!(
        "POST /lp/open HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{}",
        OPEN.len(),
        String::from_utf8_lossy(OPEN)
    );
    for byte in request.bytes() {
        http.send_bytes(&[byte]);
    }
    http.send_bytes(request.repeat(3).as_bytes());
    for _ in 0..4 {
        assert_eq!(http.answer().unwrap().status, 200);
    }
}

#[test]
fn a_websocket_among_other_requests_is_answered_with_words() {
    let host = Host::new();
    let mut http = Http::new(&host);
    http.post("/lp/open", OPEN);
    let answer = http.request(
        "GET",
        "/",
        &[("Upgrade", "websocket"), ("Connection", "Upgrade")],
        b"",
    );
    assert_eq!(answer.status, 426);
    assert!(http.answer().is_none());
}
