//! The load generator against scripted NATS servers that work, lose, lie, refuse, or leave: it must
//! say so, and end. No real server is needed.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its peer has failed"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use wampy_bench::{BenchError, PubSub, Report, Rpc, Target, Workload, run};

const SHORT: Duration = Duration::from_millis(50);

const INFO: &str = "INFO {\"server_id\":\"X\",\"max_payload\":1048576}\r\n";

fn rpc(in_flight: usize, payload_bytes: usize) -> Workload {
    Workload::Rpc(Rpc {
        callers: 1,
        in_flight,
        callees: 1,
        payload_bytes,
    })
}

fn pubsub(payload_bytes: usize) -> Workload {
    Workload::PubSub(PubSub {
        publishers: 1,
        subscribers: 1,
        window: 4,
        payload_bytes,
    })
}

/// A connection from the server's side.
struct End {
    stream: BufReader<TcpStream>,
    /// The subject that it has subscribed to, if any.
    subject: Option<String>,
}

/// What a client has published.
struct Published {
    subject: String,
    reply: Option<String>,
    payload: Vec<u8>,
}

impl End {
    /// Reads what a client says first, and lets it in.
    fn accept(listener: &TcpListener) -> Self {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        stream.get_mut().write_all(INFO.as_bytes()).unwrap();
        let mut end = Self {
            stream,
            subject: None,
        };
        loop {
            let line = end.line().unwrap();
            if let Some(subscription) = line.strip_prefix("SUB ") {
                end.subject = subscription.split(' ').next().map(str::to_owned);
            }
            if line == "PING" {
                end.send(b"PONG\r\n");
                return end;
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let bytes = self.stream.read_line(&mut line).ok()?;
        (bytes > 0).then(|| line.trim_end().to_owned())
    }

    /// The next publication; `None` when the client has left.
    fn published(&mut self) -> Option<Published> {
        let line = self.line()?;
        let fields: Vec<&str> = line.split(' ').collect();
        let (subject, reply, length) = match fields[..] {
            ["PUB", subject, length] => (subject, None, length),
            ["PUB", subject, reply, length] => (subject, Some(reply.to_owned()), length),
            _ => panic!("not a publication: {line}"),
        };
        let mut payload = vec![0; length.parse::<usize>().unwrap() + 2];
        self.stream.read_exact(&mut payload).ok()?;
        assert_eq!(payload.split_off(payload.len() - 2), b"\r\n");
        Some(Published {
            subject: subject.to_owned(),
            reply,
            payload,
        })
    }

    /// Sends bytes; a client that has left does not want them.
    fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// Delivers a publication.
    fn deliver(&mut self, message: &Published) {
        let reply = message.reply.as_ref().map(|reply| format!("{reply} "));
        let line = format!(
            "MSG {} 1 {}{}\r\n",
            message.subject,
            reply.unwrap_or_default(),
            message.payload.len()
        );
        self.send(&[line.as_bytes(), &message.payload, b"\r\n"].concat());
    }
}

/// A server for one sink and one source: the load's sessions come in this order.
fn server(serve: impl FnOnce(End, End) + Send + 'static) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::nats(&listener.local_addr().unwrap().to_string()).unwrap();
    thread::spawn(move || {
        let sink = End::accept(&listener);
        let source = End::accept(&listener);
        serve(sink, source);
    });
    target
}

/// A server that says one thing and then waits for the client to leave.
fn saying(said: &'static str) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = Target::nats(&listener.local_addr().unwrap().to_string()).unwrap();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.write_all(said.as_bytes()).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    target
}

fn finished(workload: &Workload, target: &Target) -> Report {
    run(workload, target, SHORT, &mut |_| ()).unwrap()
}

fn refused(target: &Target) -> String {
    run(&rpc(1, 2000), target, SHORT, &mut |_| ())
        .unwrap_err()
        .to_string()
}

/// Passes requests on and answers back.
fn echo(mut sink: End, mut source: End) {
    let procedure = sink.subject.clone().unwrap();
    let inbox = source.subject.clone().unwrap();
    while let Some(request) = source.published() {
        assert_eq!(request.subject, procedure);
        sink.deliver(&request);
        let Some(answer) = sink.published() else {
            return;
        };
        assert_eq!(Some(&answer.subject), request.reply.as_ref());
        assert!(
            answer
                .subject
                .strip_prefix(inbox.trim_end_matches('*'))
                .is_some_and(|token| !token.contains('.')),
            "{} is not of the inbox {inbox}",
            answer.subject
        );
        source.deliver(&answer);
    }
}

#[test]
fn requests_are_answered_through_the_inbox() {
    for payload_bytes in [16, 5000, 300_000] {
        let report = finished(&rpc(3, payload_bytes), &server(echo));
        assert!(report.completed > 0, "{report:?}");
        assert_eq!(report.faults(), 0, "{report:?}");
    }
}

#[test]
fn events_arrive_and_pings_are_answered_between_them() {
    let target = server(|mut sink, mut source| {
        let topic = sink.subject.clone().unwrap();
        while let Some(event) = source.published() {
            assert_eq!((&event.subject, &event.reply), (&topic, &None));
            sink.send(b"PING\r\n");
            sink.deliver(&event);
            match sink.line() {
                Some(line) => assert_eq!(line, "PONG"),
                None => return,
            }
        }
    });
    let report = finished(&pubsub(16), &target);
    assert!(report.completed > 0, "{report:?}");
    assert_eq!(report.faults(), 0, "{report:?}");
}

#[test]
fn requests_without_answers_are_lost() {
    let target = server(|_sink, mut source| while source.published().is_some() {});
    let report = finished(&rpc(5, 16), &target);
    assert_eq!((report.completed, report.lost), (0, 5), "{report:?}");
}

#[test]
fn events_that_are_dropped_are_lost_and_the_others_count() {
    let target = server(|mut sink, mut source| {
        let mut number = 0;
        while let Some(event) = source.published() {
            number += 1;
            if number % 3 != 0 {
                sink.deliver(&event);
            }
        }
    });
    let report = finished(&pubsub(16), &target);
    assert!(report.completed > 0 && report.lost > 0, "{report:?}");
    assert_eq!((report.misplaced, report.corrupt), (0, 0), "{report:?}");
}

#[test]
fn a_request_without_responders_is_an_error() {
    let target = server(|_sink, mut source| {
        while let Some(request) = source.published() {
            let headers = "NATS/1.0 503\r\n\r\n";
            let (reply, length) = (request.reply.unwrap(), headers.len());
            source.send(format!("HMSG {reply} 1 {length} {length}\r\n{headers}\r\n").as_bytes());
        }
    });
    let report = finished(&rpc(2, 16), &target);
    assert!(report.errors > 0, "{report:?}");
    assert_eq!(report.first_error.as_deref(), Some("503"));
    assert_eq!(
        (report.completed, report.corrupt, report.misplaced),
        (0, 0, 0)
    );
}

#[test]
fn a_changed_payload_is_noticed() {
    let target = server(|mut sink, mut source| {
        while let Some(mut event) = source.published() {
            event.payload[15] ^= 0x40;
            sink.deliver(&event);
        }
    });
    let report = finished(&pubsub(16), &target);
    assert_eq!(report.completed, 0, "{report:?}");
    assert!(report.corrupt > 0, "{report:?}");
}

#[test]
fn answers_to_another_request_are_noticed() {
    let target = server(|mut sink, mut source| {
        while let Some(request) = source.published() {
            sink.deliver(&request);
            let Some(mut answer) = sink.published() else {
                return;
            };
            answer.subject.push('7');
            source.deliver(&answer);
        }
    });
    let report = finished(&rpc(1, 16), &target);
    assert_eq!(report.completed, 0, "{report:?}");
    assert!(report.misplaced > 0 && report.lost > 0, "{report:?}");
}

#[test]
fn an_error_of_the_server_ends_the_run_with_its_words() {
    let target = server(|mut sink, mut source| {
        source.published();
        sink.send(b"-ERR 'Slow Consumer'\r\n");
        let _ = sink.stream.read_to_end(&mut Vec::new());
    });
    let error = run(&pubsub(16), &target, Duration::from_secs(60), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BenchError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("Slow Consumer"), "{error}");
}

#[test]
fn what_cannot_be_joined_is_named() {
    let said = refused(&saying("INFO {\"max_payload\":1024}\r\n"));
    assert!(said.contains("at most 1024 bytes"), "{said}");
    let said = refused(&saying("HTTP/1.1 400 Bad Request\r\n"));
    assert!(said.contains("does not speak NATS"), "{said}");
    let said = refused(&saying(
        "INFO {\"max_payload\":1048576}\r\n-ERR 'Authorization Violation'\r\n",
    ));
    assert!(said.contains("Authorization Violation"), "{said}");
}
