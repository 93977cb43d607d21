//! The load generator against peers that refuse, lose, lie, or leave: it must say so, and end.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its peer has failed"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use wampy_bench::{BenchError, PubSub, Report, Rpc, Target, Workload, run};

const SHORT: Duration = Duration::from_millis(50);

fn rpc(in_flight: usize) -> Workload {
    Workload::Rpc(Rpc {
        callers: 1,
        in_flight,
        callees: 1,
        payload_bytes: 16,
    })
}

fn pubsub() -> Workload {
    Workload::PubSub(PubSub {
        publishers: 1,
        subscribers: 1,
        window: 4,
        payload_bytes: 16,
    })
}

/// Runs `serve` on the first connections that come, and returns where they have to go.
fn listen(connections: usize, serve: impl FnOnce(Vec<TcpStream>) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        serve(
            (0..connections)
                .map(|_| listener.accept().unwrap().0)
                .collect(),
        );
    });
    address
}

fn rawsocket(address: SocketAddr) -> Target {
    Target::parse(&format!("rs://{address}")).unwrap()
}

/// A relay for one source and one sink, told what to do with what the source sends.
fn relay(pass: impl Fn(&mut TcpStream, &mut TcpStream) + Send + 'static) -> Target {
    let address = listen(2, move |mut ends| {
        let mut hello = [0; 4];
        for end in &mut ends {
            end.read_exact(&mut hello).unwrap();
        }
        for end in &mut ends {
            end.write_all(&[1]).unwrap();
        }
        let mut source = ends.pop().unwrap();
        let mut sink = ends.pop().unwrap();
        pass(&mut source, &mut sink);
    });
    rawsocket(address).relay()
}

fn finished(workload: &Workload, target: &Target) -> Report {
    run(workload, target, SHORT, &mut |_| ()).unwrap()
}

fn refused(target: &Target) -> String {
    run(&rpc(1), target, SHORT, &mut |_| ())
        .unwrap_err()
        .to_string()
}

#[test]
fn calls_without_answers_are_lost() {
    let target = relay(|source, _sink| {
        let mut buffer = [0; 4096];
        while source.read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
    });
    let report = finished(&rpc(5), &target);
    assert_eq!((report.completed, report.lost), (0, 5));
}

#[test]
fn events_that_are_dropped_are_lost_and_the_others_count() {
    // Every frame of this run has the same length; each third one is dropped.
    let target = relay(|source, sink| {
        let mut header = [0; 4];
        let mut number = 0;
        while source.read_exact(&mut header).is_ok() {
            let mut body = vec![0; usize::from(header[3])];
            source.read_exact(&mut body).unwrap();
            number += 1;
            if number % 3 != 0 && sink.write_all(&[&header[..], &body].concat()).is_err() {
                return;
            }
        }
    });
    let report = finished(&pubsub(), &target);
    assert!(report.completed > 0 && report.lost > 0, "{report:?}");
    assert_eq!((report.misplaced, report.corrupt), (0, 0), "{report:?}");
}

#[test]
fn a_changed_payload_is_noticed() {
    let target = relay(|source, sink| {
        let mut buffer = [0; 4096];
        while let Ok(bytes @ 1..) = source.read(&mut buffer) {
            let frames = buffer[..bytes].chunks_mut(usize::from(buffer_frame(bytes)));
            frames.for_each(|frame| *frame.last_mut().unwrap() ^= 0x40);
            if sink.write_all(&buffer[..bytes]).is_err() {
                return;
            }
        }
    });
    let report = finished(&pubsub(), &target);
    assert_eq!(report.completed, 0, "{report:?}");
    assert!(report.corrupt > 0, "{report:?}");
}

/// Length of one EVENT frame of 16 bytes: it divides every read of whole frames.
fn buffer_frame(bytes: usize) -> u8 {
    const EVENT_FRAME: u8 = 4 + 2 + 1 + 5 + 1 + 1 + 1 + 16;
    assert_eq!(bytes % usize::from(EVENT_FRAME), 0);
    EVENT_FRAME
}

#[test]
fn a_peer_that_leaves_ends_the_run_at_once() {
    let target = relay(|source, _sink| {
        let mut byte = [0];
        source.read_exact(&mut byte).unwrap();
    });
    let error = run(&rpc(1), &target, Duration::from_secs(60), &mut |_| ()).unwrap_err();
    assert!(matches!(error, BenchError::Ended { .. }), "{error}");
}

#[test]
fn a_refused_handshake_is_named() {
    let address = listen(1, |mut ends| {
        ends[0].read_exact(&mut [0; 4]).unwrap();
        ends[0].write_all(&[0x7f, 0x10, 0, 0]).unwrap();
    });
    let said = refused(&rawsocket(address));
    assert!(
        said.contains("callee 0") && said.contains("code 1"),
        "{said}"
    );
}

#[test]
fn a_router_that_takes_only_short_messages_is_named() {
    let address = listen(1, |mut ends| {
        ends[0].read_exact(&mut [0; 4]).unwrap();
        ends[0].write_all(&[0x7f, 0x02, 0, 0]).unwrap();
    });
    let said = refused(&rawsocket(address));
    assert!(said.contains("at most 512 bytes"), "{said}");
}

#[test]
fn an_abort_is_told_with_its_reason() {
    let address = listen(1, |mut ends| {
        ends[0].read_exact(&mut [0; 4]).unwrap();
        ends[0].write_all(&[0x7f, 0xf2, 0, 0]).unwrap();
        let reason = b"wamp.error.no_such_realm";
        let mut abort = vec![0, 0, 0, 3 + 1 + reason.len() as u8, 0x93, 3, 0x80];
        abort.push(0xa0 | reason.len() as u8);
        abort.extend_from_slice(reason);
        ends[0].write_all(&abort).unwrap();
        // The peer reads it before the connection ends.
        let _ = ends[0].read_to_end(&mut Vec::new());
    });
    let said = refused(&rawsocket(address));
    assert!(said.contains("wamp.error.no_such_realm"), "{said}");
}

#[test]
fn a_web_server_without_websocket_is_named() {
    let address = listen(1, |mut ends| {
        let mut buffer = [0; 4096];
        let _ = ends[0].read(&mut buffer).unwrap();
        ends[0]
            .write_all(b"HTTP/1.1 404 Not Found\r\n\r\n")
            .unwrap();
        let _ = ends[0].read_to_end(&mut Vec::new());
    });
    let said = refused(&Target::parse(&format!("ws://{address}/none")).unwrap());
    assert!(said.contains("404"), "{said}");
}

#[test]
fn nobody_there_is_said_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let said = refused(&rawsocket(address));
    assert!(said.contains("no connection"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_spoken_to() {
    let path = std::env::temp_dir().join(format!("wampy-bench-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let serving = thread::spawn(move || {
        let (mut end, _) = listener.accept().unwrap();
        let mut hello = [0; 4];
        end.read_exact(&mut hello).unwrap();
        end.write_all(&[0x7f, 0x40, 0, 0]).unwrap();
        hello
    });
    let said = refused(&Target::parse(&format!("unix://{}", path.display())).unwrap());
    assert!(said.contains("code 4"), "{said}");
    assert_eq!(serving.join().unwrap(), [0x7f, 0xf2, 0, 0]);
    std::fs::remove_file(&path).unwrap();
}
