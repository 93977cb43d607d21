//! `wampy router --crossbar-config` and `wampy convert-config`, with real processes.

// A helper of a test may fail like the test itself.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A directory with a node configuration, removed at the end.
struct Node(PathBuf);

impl Drop for Node {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed when the test is done with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

const CONFIG: &str = r#"{"version": 2, "controller": {"options": {}}, "workers": [
    {"type": "router",
     "realms": [{"name": "realm1", "roles": [{"name": "user", "permissions": [
        {"uri": "", "match": "prefix", "allow": {"call": true}},
        {"uri": "wamp.", "match": "prefix", "allow": {"call": true}}]}]}],
     "transports": [{"type": "websocket",
        "endpoint": {"type": "tcp", "port": "$CROSSBAR_TEST_PORT", "interface": "127.0.0.1"},
        "auth": {"ticket": {"type": "static", "principals": {
            "joe": {"ticket": "${CROSSBAR_TEST_TICKET}", "role": "user"}}}}}]},
    {"type": "guest", "executable": "node", "options": {}}]}"#;

impl Node {
    fn new(name: &str) -> Self {
        let directory = format!("wampy-cli-crossbar-{}-{name}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("config.json"), CONFIG).unwrap();
        Self(directory)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

fn wampy(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wampy"));
    command
        .args(args)
        .env("CROSSBAR_TEST_PORT", "0")
        .env("CROSSBAR_TEST_TICKET", "from the environment")
        .stdin(Stdio::null());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a router, and calls a procedure of it as a user whose ticket came from the environment.
fn is_joined_by_ticket(args: &[&str]) {
    let router = wampy(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut router = Process(router.unwrap());
    // The pipe stays open, or the router could not print any more.
    let mut lines = BufReader::new(router.0.stdout.take().unwrap()).lines();
    let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let at = line.find("ws://")?;
        line[at..].split_whitespace().next().map(str::to_owned)
    });
    let call = ["call", "wamp.session.count", "--authid", "joe", "--url"];
    let url = url.unwrap();
    let call = [&call[..], &[url.as_str()]].concat();
    let with = |ticket: &str| wampy(&call).env("WAMPY_TICKET", ticket).output().unwrap();
    let right = with("from the environment");
    assert_eq!(String::from_utf8_lossy(&right.stdout), "1\n", "{right:?}");
    assert_eq!(with("guessed").status.code(), Some(3));
}

#[test]
fn a_router_runs_from_a_node_configuration_and_from_what_it_is_converted_to() {
    let node = Node::new("runs");
    let file = node.path("config.json");
    is_joined_by_ticket(&["router", "--crossbar-config", &file, "--router-only"]);
    let out = node.path("wampy.toml");
    let converted = wampy(&["convert-config", &file, "--router-only", "--out", &out]).output();
    let converted = converted.unwrap();
    assert!(converted.status.success(), "{converted:?}");
    let warnings = stderr(&converted);
    for expected in [
        "config.json:1: controller: ignored: there is no node controller",
        "port: taken from the environment variable CROSSBAR_TEST_PORT",
        "joe.ticket: taken from the environment variable CROSSBAR_TEST_TICKET",
        "workers[1]: left out: a worker of the type \"guest\" is no part of a router",
    ] {
        assert!(warnings.contains(expected), "{expected}: {warnings}");
    }
    is_joined_by_ticket(&["router", "--config", &out]);
    is_private(Path::new(&out));
    // A file that is there is not overwritten.
    let again = wampy(&["convert-config", &file, "--router-only", "--out", &out]).output();
    let again = again.unwrap();
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    assert!(stderr(&again).contains("is there already"), "{again:?}");
    // Without a file it goes to standard output.
    let printed = wampy(&["convert-config", &file, "--router-only"]).output();
    let printed = String::from_utf8(printed.unwrap().stdout).unwrap();
    assert_eq!(printed, std::fs::read_to_string(&out).unwrap());
}

#[cfg(unix)]
fn is_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn is_private(_: &Path) {}

#[test]
fn mistakes_end_the_command_and_say_where_they_are() {
    let node = Node::new("mistakes");
    let file = node.path("config.json");
    for args in [
        &["router", "--crossbar-config", &file][..],
        &["router", "--crossbar-config", &file, "--check-config"],
        &["convert-config", &file],
    ] {
        let output = wampy(args)
            .env_remove("CROSSBAR_TEST_TICKET")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = stderr(&output);
        for expected in [
            "config.json:9: workers[0].transports[0].auth.ticket.principals.joe.ticket: the \
             environment variable CROSSBAR_TEST_TICKET is not set",
            "config.json:10: workers[1]: a worker of the type \"guest\" is no part of a router; \
             router_only leaves it out",
        ] {
            assert!(said.contains(expected), "{said}");
        }
    }
    let both = ["router", "--crossbar-config", &file, "--realm", "x"];
    assert_eq!(wampy(&both).output().unwrap().status.code(), Some(2));
    let alone = wampy(&["router", "--router-only"]).output().unwrap();
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    let check = [
        "router",
        "--crossbar-config",
        &file,
        "--router-only",
        "--check-config",
    ];
    let check = wampy(&check).output().unwrap();
    assert!(
        check.status.success() && check.stdout.is_empty(),
        "{check:?}"
    );
}
