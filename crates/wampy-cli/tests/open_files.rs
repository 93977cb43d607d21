//! The limit of open files, as a shell or service manager sets it for a process.

#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// The command, started by a shell that limits it like this.
fn limited(limit: &str, arguments: &[&str]) -> Child {
    Command::new("sh")
        .args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_wampy"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the process says where it listens; whether it does, before it ends. And its standard output,
/// which must stay open.
fn listens(process: &mut Child) -> (bool, impl Sized + use<>) {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let is_there = lines.any(|line| line.unwrap().starts_with("listening"));
    (is_there, lines)
}

/// A shell often lets a process have few files open and raise that to many.
#[test]
fn the_router_raises_its_limit() {
    // So few that it could not even begin.
    let mut process = limited("-Sn 7", &["router", "--listen", "127.0.0.1:0"]);
    let (is_there, _stdout) = listens(&mut process);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(is_there);
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft_and_hard: Vec<_> = files.unwrap().split_whitespace().skip(3).take(2).collect();
    assert_eq!(soft_and_hard[0], soft_and_hard[1], "{limits}");
}

/// From no file at all to enough of them: each is told, and none is a panic.
#[test]
fn a_limit_that_leaves_no_room_is_named() {
    let router: &[&str] = &["router", "--listen", "127.0.0.1:0"];
    // Nobody listens there.
    let call: &[&str] = &["call", "a.b", "--url", "ws://127.0.0.1:1"];
    for arguments in [router, call] {
        let mut did_begin = false;
        // With less the command cannot even be loaded.
        for files in 4..24 {
            let mut process = limited(&format!("-n {files}"), arguments);
            let (is_there, _stdout) = listens(&mut process);
            if is_there {
                process.kill().unwrap();
            }
            let status = process.wait().unwrap();
            let mut said = String::new();
            let mut stderr = process.stderr.take().unwrap();
            stderr.read_to_string(&mut said).unwrap();
            let what = format!("{arguments:?} with {files} files: {status}, {said}");
            assert!(!said.contains("panicked"), "{what}");
            let has_no_room = said.contains("`ulimit -n`");
            assert!(!(did_begin && has_no_room), "{what}");
            did_begin |= !has_no_room;
            if has_no_room {
                assert_eq!(status.code(), Some(1), "{what}");
            } else if !is_there {
                // It says something else: what it could not open, or that nobody listens there.
                assert!(said.contains("wampy: "), "{what}");
            }
            assert!(files > 7 || has_no_room, "{what}");
        }
        assert!(did_begin, "{arguments:?}");
    }
}
