//! The command `scale` from its arguments to its page, with a door in the place of the router: what is
//! measured here says nothing, but every process, socket and file is real.

#![cfg(all(target_os = "linux", feature = "scale"))]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot set up its files has failed"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BENCH: &str = env!("CARGO_BIN_EXE_wampy-bench");

/// A program that takes the arguments of `wampy router` and is a door.
const STAND_IN: &str = r#"#!/bin/sh
for word in "$@"; do
    case $word in --help | --version) exit 0 ;; esac
    case $last in --listen) listen="$listen --listen $word" ;; esac
    last=$word
done
exec "$BENCH" door $listen
"#;

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("wampy-{name}-{}", std::process::id()));
    fs::create_dir_all(&directory).unwrap();
    directory
}

fn stand_in(directory: &Path) -> PathBuf {
    let program = directory.join("wampy");
    fs::write(&program, STAND_IN).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

fn scale(program: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(BENCH);
    command.args(["scale", "--quick", "--wampy"]).arg(program);
    command.args(arguments).env("BENCH", BENCH);
    command.output().unwrap()
}

#[test]
fn a_quick_run_writes_its_page_and_charts() {
    let directory = directory("scale");
    let out = directory.join("docs");
    let only = ["memory", "joining", "start"].map(|name| format!("--only={name}"));
    let mut arguments: Vec<&str> = only.iter().map(String::as_str).collect();
    let out_argument = format!("--out={}", out.display());
    arguments.push(&out_argument);
    let output = scale(&stand_in(&directory), &arguments);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(out.join("scaling.md")).unwrap();
    for expected in [
        "# How cost grows",
        "memory of an idle session, RawSocket, 500",
        "| sessions without a GOODBYE in return, RawSocket | ≤ 0 | 0 | yes |",
        "| sessions without a GOODBYE in return, WebSocket | ≤ 0 | 0 | yes |",
        "start to first session",
        "![Memory of the router for each idle session](scaling/memory.svg)",
    ] {
        assert!(page.contains(expected), "no `{expected}` in {page}");
    }
    assert!(
        !page.contains("## Realms"),
        "only what was asked for: {page}"
    );
    let chart = fs::read_to_string(out.join("scaling/memory.svg")).unwrap();
    assert_eq!(
        chart.matches("<circle").count(),
        4,
        "two lines of two points"
    );
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_measurement_that_fails_is_named() {
    let directory = directory("scale-fails");
    // The door never grants a subscription.
    let output = scale(&stand_in(&directory), &["--only=slow"]);
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("these measurements failed: slow"), "{said}");
    fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let output = scale(Path::new("/nowhere/wampy"), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("/nowhere/wampy"),
        "{said}"
    );
}
