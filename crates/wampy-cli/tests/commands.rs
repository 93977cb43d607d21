//! The `wampy` command as scripts use it: the real binary, a real router, pipes and exit codes.

// A helper of a test may fail like the test itself.
#![allow(clippy::unwrap_used)]

#[path = "../../wampy-transport/tests/authority/mod.rs"]
mod authority;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use authority::Authority;

/// How long a process may take to do what is awaited.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that is killed when the test is done with it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Process {
    fn start(url: Option<&str>, args: &[&str]) -> Self {
        let mut command = wampy(url);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Reads standard error up to a line with `text`.
    fn await_stderr(&mut self, text: &str) {
        let stderr = BufReader::new(self.0.stderr.take().unwrap());
        assert!(
            stderr
                .lines()
                .map_while(Result::ok)
                .any(|line| line.contains(text)),
            "{text}"
        );
    }

    /// Waits until the process ends, and returns its exit code and standard output.
    fn finish(mut self) -> (i32, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.0.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the process does not end"),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let mut stdout = String::new();
        if let Some(mut pipe) = self.0.stdout.take() {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        (status.code().unwrap_or(-1), stdout)
    }
}

/// A router on a free port.
struct Router {
    process: Process,
    url: String,
}

impl Router {
    fn start(args: &[&str]) -> Self {
        Self::start_with(&[&["--listen", "127.0.0.1:0"], args].concat())
    }

    fn start_with(args: &[&str]) -> Self {
        let args = [&["router"], args].concat();
        let mut process = Process::start(None, &args);
        let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        let url = loop {
            line.clear();
            assert!(
                stdout.read_line(&mut line).unwrap() > 0,
                "the router says where it listens"
            );
            if let Some(at) = line.find("wss://").or_else(|| line.find("ws://")) {
                let url = line[at..].split_whitespace().next().unwrap();
                break url.to_owned();
            }
        };
        // Keep the pipe open and empty, or the router could not print any more.
        std::thread::spawn(move || stdout.read_to_string(&mut String::new()));
        Self { process, url }
    }

    fn run(&self, args: &[&str]) -> Output {
        wampy(Some(&self.url))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a command that must succeed, and returns what it prints.
    fn stdout(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn start_process(&self, args: &[&str], ready: &str) -> Process {
        let mut process = Process::start(Some(&self.url), args);
        process.await_stderr(ready);
        process
    }
}

fn wampy(url: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wampy"));
    command.env_remove("WAMPY_REALM").env_remove("WAMPY_URL");
    if let Some(url) = url {
        command.env("WAMPY_URL", url);
    }
    command
}

fn signal(process: &Process, name: &str) {
    let pid = process.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn an_echo_answers_with_args_and_kwargs() {
    let router = Router::start(&[]);
    let _echo = router.start_process(&["register", "a.echo", "--echo"], "registered");
    assert_eq!(router.stdout(&["call", "a.echo", "1"]), "1\n");
    assert_eq!(
        router.stdout(&["call", "a.echo", "two words"]),
        "\"two words\"\n"
    );
    assert_eq!(router.stdout(&["call", "a.echo", "-5"]), "-5\n");
    assert_eq!(router.stdout(&["call", "a.echo"]), "null\n");
    let both = router.stdout(&["call", "a.echo", "[1,2.5]", "null", "-k", "key=true"]);
    assert_eq!(
        both,
        "{\"args\":[[1,2.5],null],\"kwargs\":{\"key\":true}}\n"
    );
}

#[test]
fn every_serializer_and_transport_carries_the_same() {
    let router = Router::start(&[]);
    let _echo = router.start_process(&["register", "a.echo", "--echo"], "registered");
    let rawsocket = router.url.replace("ws://", "rs://");
    for url in [router.url.as_str(), rawsocket.trim_end_matches('/')] {
        for serializer in ["json", "msgpack", "cbor"] {
            let argument = r#"{"text":"ü\u0001","list":[1,-2,3.5,18446744073709551615,null]}"#;
            let call = [
                "call",
                "a.echo",
                argument,
                "--serializer",
                serializer,
                "--url",
                url,
            ];
            let echoed: serde_json::Value = serde_json::from_str(&router.stdout(&call)).unwrap();
            let sent: serde_json::Value = serde_json::from_str(argument).unwrap();
            assert_eq!(echoed, sent, "{url} {serializer}");
        }
    }
}

#[test]
fn a_shell_command_answers_calls() {
    let router = Router::start(&[]);
    let command = r#"read line; echo "$line""#;
    let register = ["register", "a.", "--match", "prefix", "--exec", command];
    let _exec = router.start_process(&register, "registered");
    let input = router.stdout(&["call", "a.any", "1", "-k", "b=2"]);
    assert_eq!(
        input,
        "{\"procedure\":\"a.any\",\"args\":[1],\"kwargs\":{\"b\":2}}\n"
    );
}

#[test]
fn text_of_a_shell_command_is_text() {
    let router = Router::start(&[]);
    let exec = ["register", "a.text", "--exec", "echo it works"];
    let _exec = router.start_process(&exec, "registered");
    assert_eq!(router.stdout(&["call", "a.text"]), "\"it works\"\n");
}

#[test]
fn a_failing_shell_command_is_an_error() {
    let router = Router::start(&[]);
    let exec = ["register", "a.fail", "--exec", "echo no luck >&2; exit 7"];
    let _exec = router.start_process(&exec, "registered");
    let output = router.run(&["call", "a.fail"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("wampy.error.command_failed"), "{stderr}");
    assert!(
        stderr.contains("no luck") && stderr.contains("\"exit_code\":7"),
        "{stderr}"
    );
}

#[test]
fn register_ends_after_its_count_and_its_last_caller_has_the_answer() {
    let router = Router::start(&[]);
    let echo = router.start_process(
        &["register", "a.echo", "--echo", "--count", "2"],
        "registered",
    );
    assert_eq!(router.stdout(&["call", "a.echo", "1"]), "1\n");
    assert_eq!(router.stdout(&["call", "a.echo", "2"]), "2\n");
    assert_eq!(echo.finish().0, 0);
}

#[test]
fn events_are_printed_a_line_each() {
    let router = Router::start(&[]);
    let subscribe = ["subscribe", "a.", "--match", "prefix", "--count", "3"];
    let events = router.start_process(&subscribe, "subscribed");
    router.stdout(&["publish", "a.one", "1", "two", "-k", "three=3"]);
    let mut lines = wampy(Some(&router.url))
        .args(["publish", "a.lines", "--lines"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    lines
        .stdin
        .take()
        .unwrap()
        .write_all(b"first line\n{\"second\":2}\n")
        .unwrap();
    assert!(lines.wait().unwrap().success());
    let (code, stdout) = events.finish();
    assert_eq!(code, 0);
    let printed: Vec<serde_json::Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(printed[0]["topic"], "a.one");
    assert_eq!(printed[0]["args"], serde_json::json!([1, "two"]));
    assert_eq!(printed[0]["kwargs"], serde_json::json!({"three": 3}));
    assert_eq!(printed[1]["args"], serde_json::json!(["first line"]));
    assert_eq!(printed[2]["args"], serde_json::json!([{"second": 2}]));
    assert!(printed[0]["publication"].is_u64());
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let router = Router::start(&[]);
    let code = |args: &[&str]| router.run(args).status.code();
    assert_eq!(code(&["call", "a.nobody"]), Some(1), "no such procedure");
    assert_eq!(code(&["call"]), Some(2), "missing argument");
    assert_eq!(
        code(&["call", "a.b", "-k", "novalue"]),
        Some(2),
        "malformed keyword argument"
    );
    assert_eq!(
        code(&["call", "a.b", "--url", "ws://127.0.0.1:1"]),
        Some(3),
        "nobody listens"
    );
    assert_eq!(
        code(&["call", "a.b", "--url", "ftp://127.0.0.1"]),
        Some(2),
        "unknown scheme"
    );
    assert_eq!(
        code(&["call", "a.b", "--realm", "elsewhere"]),
        Some(3),
        "no such realm"
    );
    assert_eq!(
        code(&["subscribe", "a.b", "--timeout", "0.1"]),
        Some(4),
        "no event came"
    );
}

#[test]
fn a_call_gives_up_after_its_timeout() {
    let router = Router::start(&[]);
    let _slow = router.start_process(&["register", "a.slow", "--exec", "sleep 60"], "registered");
    let output = router.run(&["call", "a.slow", "--timeout", "0.2"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    // Also on a router that does not even answer the handshake.
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", hanging.local_addr().unwrap());
    let output = router.run(&["call", "a.slow", "--timeout", "0.2", "--url", &url]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn standard_input_is_an_argument() {
    let router = Router::start(&[]);
    let _echo = router.start_process(&["register", "a.echo", "--echo"], "registered");
    let mut call = wampy(Some(&router.url))
        .args(["call", "a.echo", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    call.stdin
        .take()
        .unwrap()
        .write_all(b"{\"piped\": [1]}\n")
        .unwrap();
    let output = call.wait_with_output().unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "{\"piped\":[1]}\n"
    );
}

#[test]
fn signals_end_the_router_in_order() {
    for name in ["INT", "TERM"] {
        let router = Router::start(&[]);
        let subscriber = router.start_process(&["subscribe", "a.b"], "subscribed");
        signal(&router.process, name);
        assert_eq!(router.process.finish().0, 0, "SIG{name}");
        assert_eq!(
            subscriber.finish().0,
            3,
            "the subscriber's session was ended"
        );
    }
}

#[test]
fn a_signal_right_after_the_announcement_ends_the_router_in_order() {
    for attempt in 0..8 {
        let socket = std::env::temp_dir().join(format!(
            "wampy-cli-{}-early-{attempt}.sock",
            std::process::id()
        ));
        let unix = format!("unix:{}", socket.display());
        let router = Router::start(&["--listen", &unix]);
        signal(&router.process, "TERM");
        assert_eq!(router.process.finish().0, 0);
        assert!(!socket.exists(), "a router that ends removes its socket");
    }
}

#[test]
fn a_router_outlives_the_reader_of_its_standard_error() {
    let text = "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'realm1'\n";
    let config = ConfigFile::new("unread", text);
    // Each connection has a line written.
    let mut router = Router::start_with(&["--config", config.path(), "--log", "debug"]);
    drop(router.process.0.stderr.take());
    signal(&router.process, "HUP");
    for _ in 0..3 {
        assert_eq!(router.stdout(&["call", "wamp.session.count"]), "1\n");
    }
    signal(&router.process, "TERM");
    assert_eq!(router.process.finish().0, 0);
}

#[test]
fn interrupted_commands_exit_with_130() {
    let router = Router::start(&[]);
    let subscriber = router.start_process(&["subscribe", "a.b"], "subscribed");
    signal(&subscriber, "INT");
    assert_eq!(subscriber.finish().0, 130);
}

#[test]
fn the_router_says_what_is_wrong_with_its_arguments() {
    for (args, expected, code) in [
        (["--listen", "nonsense"], "nonsense", 2),
        (["--realm", "a realm"], "a realm", 2),
        (["--listen", "256.1.1.1:80"], "256.1.1.1", 1),
    ] {
        let output = wampy(None).arg("router").args(args).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn retained_events_come_to_who_subscribes_later_and_asks_for_them() {
    let router = Router::start(&[]);
    router.stdout(&["publish", "com.example.state", "off", "--retain"]);
    router.stdout(&["publish", "com.example.state", "on", "--retain"]);
    router.stdout(&["publish", "com.example.state", "lost"]);
    let subscribe = ["subscribe", "com.example.state", "--count", "1"];
    let line = router.stdout(&[&subscribe[..], &["--get-retained"]].concat());
    assert!(line.contains(r#""args":["on"]"#), "{line}");
    assert!(line.contains(r#""retained":true"#), "{line}");
    let nothing = router.run(&[&subscribe[..], &["--timeout", "0.2"]].concat());
    assert_eq!(nothing.status.code(), Some(4), "{nothing:?}");
}

/// A configuration file of its own, removed at the end.
struct ConfigFile(std::path::PathBuf);

impl ConfigFile {
    fn new(name: &str, text: &str) -> Self {
        let file = format!("wampy-cli-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_router_runs_by_its_configuration_file() {
    let config = ConfigFile::new(
        "runs",
        "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'shop'\n[[realms]]\nname = 'bar'\n",
    );
    let router = Router::start_with(&["--config", config.path()]);
    let count = router.stdout(&["call", "--realm", "shop", "wamp.session.count"]);
    assert_eq!(count, "1\n");
    let output = router.run(&["call", "wamp.session.count"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("no_such_realm"), "{stderr}");
}

#[test]
fn sighup_has_the_configuration_file_read_again() {
    let text = |listen: &str, action: &str| {
        format!(
            "listen = ['{listen}']\n[[realms]]\nname = 'realm1'\n[[realms.roles]]\n\
             name = 'anonymous'\npermissions = [{{ uri = 'a.*', allow = {{ {action} = true }} }}]\n"
        )
    };
    let config = ConfigFile::new("hup", &text("127.0.0.1:0", "call"));
    let mut router = Router::start_with(&["--config", config.path()]);
    let stderr = BufReader::new(router.process.0.stderr.take().unwrap());
    let mut lines = stderr.lines().map_while(Result::ok);
    let mut reload = |router: &Router, text: &str, expected: &str| {
        std::fs::write(config.path(), text).unwrap();
        signal(&router.process, "HUP");
        let line = lines.find(|line| line.contains("SIGHUP")).unwrap();
        assert!(line.contains(expected), "{line}");
    };
    let error = |router: &Router| {
        let stderr = router.run(&["call", "a.x"]).stderr;
        String::from_utf8(stderr).unwrap()
    };
    assert!(error(&router).contains("no_such_procedure"));
    reload(&router, &text("127.0.0.1:0", "publish"), "was read again");
    assert!(error(&router).contains("not_authorized"));
    reload(&router, "compres = true\nlisten = 3\n", "stay as they were");
    // Whoever writes the file anew may be half done.
    for half in [
        "",
        "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'realm1'\n",
    ] {
        reload(&router, half, "stay as they were");
    }
    assert!(error(&router).contains("not_authorized"));
    reload(
        &router,
        &text("127.0.0.1:1", "call"),
        "waits for a restart: listen",
    );
    assert!(error(&router).contains("no_such_procedure"));
}

#[test]
fn a_configuration_file_is_checked_without_running() {
    let right = ConfigFile::new("right", "[[realms]]\nname = 'shop'\n");
    let check = |config: &ConfigFile, more: &[&str]| {
        let args = ["router", "--config", config.path()];
        wampy(None).args(args).args(more).output().unwrap()
    };
    let output = check(&right, &["--check-config"]);
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{output:?}"
    );

    let wrong = ConfigFile::new("wrong", "compres = true\n[[realms]]\nname = 'a shop'\n");
    for more in [&["--check-config"][..], &[]] {
        let output = check(&wrong, more);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        let path = wrong.path();
        let first = format!("{path}:1: compres: there is no such key; did you mean compress?");
        assert!(stderr.contains(&first), "{stderr}");
        assert!(
            stderr.contains(&format!("{path}:3: realms[0].name:")),
            "{stderr}"
        );
    }
    // A file and other settings are refused together.
    for more in [
        &["--listen", "localhost:0"][..],
        &["--compress"],
        &["--sessions-max", "5"],
    ] {
        let output = check(&right, more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("cannot be used with"), "{stderr}");
    }
    let output = wampy(None)
        .args(["router", "--check-config"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "there is nothing to check");
}

#[test]
fn a_router_with_a_certificate_is_called_over_tls() {
    let authority = Authority::new();
    let signed = authority.sign("router", &["127.0.0.1"]);
    let (cert, key) = (&signed.certificate_file, &signed.key_file);
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let ca_file = authority.file("ca.pem");
    let router = Router::start(&["--tls-cert", cert, "--tls-key", key]);
    assert!(router.url.starts_with("wss://"), "{}", router.url);
    let count = [
        "call",
        "wamp.session.count",
        "--ca-file",
        ca_file.to_str().unwrap(),
    ];
    assert_eq!(router.stdout(&count), "1\n");
    let untrusting = router.run(&["call", "wamp.session.count"]);
    assert_eq!(untrusting.status.code(), Some(3), "{untrusting:?}");
}

#[test]
fn a_busy_port_is_named() {
    let router = Router::start(&[]);
    let address = router.url.trim_start_matches("ws://").trim_end_matches('/');
    let output = wampy(None)
        .args(["router", "--listen", address])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(address), "{stderr}");
}

#[test]
fn a_store_that_cannot_be_used_is_no_usage_error() {
    let file = ConfigFile::new("no-directory", "");
    let output = wampy(None)
        .args(["router", "--listen", "127.0.0.1:0", "--store", file.path()])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(file.path()), "{stderr}");
}

#[test]
fn arguments_that_make_no_sense_are_usage_errors() {
    let router = Router::start(&[]);
    for (args, expected) in [
        (&["router", "--realm", "a realm"][..], "a realm"),
        (&["router", "--sessions-max", "0"], "sessions_max"),
        (
            &["router", "--listen", "ws://localhost:0"],
            "without a scheme",
        ),
        (&["router", "--tls-cert", "a.pem"], "--tls-key"),
        (
            &["router", "--tls-cert", "no-such.pem", "--tls-key", "b.pem"],
            "no-such.pem: ",
        ),
        (
            &["call", "a.b", "-k", "x=1", "-k", "x=2"],
            "\"x\" is given twice",
        ),
        (
            &["call", "a.b", "--timeout", "-1"],
            "\"-1\" is no number of seconds",
        ),
        (
            &["register", "a.b", "--echo", "--concurrency", "0"],
            "0 is not in 1..",
        ),
        (&["register", "a.b"], "--exec"),
        (&["bench", "rpc", "--callers", "0"], "at least one"),
    ] {
        let output = router.run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
    }
}

#[test]
fn a_reader_that_leaves_ends_a_command_quietly() {
    let router = Router::start(&[]);
    let _echo = router.start_process(&["register", "a.echo", "--echo"], "registered");
    let mut call = wampy(Some(&router.url))
        .args(["call", "a.echo", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(call.stdout.take());
    let output = call.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = wampy(None).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        for command in [
            "router",
            "call",
            "publish",
            "subscribe",
            "register",
            "bench",
        ] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_readme_s_shell_commands_work() {
    let router = Router::start(&[]);
    let readme = include_str!("../../../README.md");
    let lines = |command: &str| {
        let prefix = format!("wampy {command} ");
        let found: Vec<&str> = readme
            .lines()
            .filter(|line| line.starts_with(&prefix))
            .collect();
        assert!(!found.is_empty(), "the readme shows wampy {command}");
        found
    };
    let mut servers = Vec::new();
    for (command, ready) in [("register", "registered"), ("subscribe", "subscribed")] {
        for line in lines(command) {
            servers.push(router.start_process(&words(line)[1..], ready));
        }
    }
    for command in ["call", "publish"] {
        for line in lines(command) {
            router.stdout(&words(line)[1..]);
        }
    }
}

/// The words of a simple shell line: split at spaces, double quotes kept together.
fn words(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace()),
            _ => words.push(part),
        }
    }
    words
}
