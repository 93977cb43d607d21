//! What is repeated of peers' words, in the router's log and in its answers: little, and nothing that a
//! terminal would obey. The log of this process is taken down as a whole.
//!
//! Deliberately absent: which lines there are at all.

#![allow(clippy::unwrap_used)]

mod peer;

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Instant;

use peer::joining::{claim, knock};
use peer::{Host, PATIENCE, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::{
    Authentication, Authenticator, Method, RealmConfig, RealmRole, RealmRoles, RealmSettings,
};

const PROCEDURE: &str = "com.example.authenticate";
const FAILED: &str = "wamp.error.authentication_failed";
/// More than any line or answer may have, and far less than what peers say here.
const BYTES_MAX: usize = 1500;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn take_down_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter("wampy_router=trace,wampy_transport=trace")
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// Waits for the line that has these words, and checks that it is no longer than a line may be.
#[track_caller]
fn logged(words: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let log = String::from_utf8(log).unwrap();
        if let Some(line) = log.lines().find(|line| line.contains(words)) {
            let begin = line.chars().take(BYTES_MAX).collect::<String>();
            assert!(line.len() < BYTES_MAX, "{} bytes: {begin}", line.len());
            assert!(!line.contains(char::is_control), "{line:?}");
            return line.to_owned();
        }
        assert!(Instant::now() < deadline, "no line has {words:?}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// A name that begins with this, of more bytes than anybody wants to read.
fn long(begin: &str) -> String {
    format!("{begin}{}", "ö".repeat(2500))
}

/// A router whose realm `closed` has one role and users by ticket only.
fn host() -> Host {
    take_down_log();
    let role = RealmRole::with_permissions("clerk", Vec::new()).unwrap();
    let config = RealmConfig {
        roles: RealmRoles::new(vec![role]).unwrap(),
        ..RealmConfig::default()
    };
    let authenticator = Authenticator::new(PROCEDURE).in_realm("realm1");
    let asked = Authentication::by([Method::Ticket]).authenticator(authenticator);
    let listed = Authentication::by([Method::Ticket, Method::Anonymous])
        .anonymous_role("clerk")
        .reveal_unknown_users(true);
    Host::with(|builder| {
        let realm = |name: &str| RealmSettings::new(name).config(config.clone());
        builder
            .realm_with(realm("closed").authentication(listed))
            .realm_with(realm("asking").authentication(asked))
    })
}

#[test]
fn of_what_a_client_says_the_begin_is_repeated() {
    let host = host();
    for (begin, hello, reason) in [
        (
            "someone",
            claim("ticket", &long("someone")),
            "wamp.error.no_such_principal",
        ),
        (
            "captain",
            json!({"authmethods": ["anonymous"], "authrole": long("captain")}),
            "wamp.error.no_such_role",
        ),
        (
            "telepathy",
            json!({"authmethods": [long("telepathy")], "authid": "joe"}),
            "wamp.error.no_matching_auth_method",
        ),
    ] {
        let mut peer = knock(&host, &hello);
        let problem = peer.expect_abort(reason);
        assert!(problem.contains(begin), "{problem:.900}");
        assert!(problem.len() < BYTES_MAX, "{problem:.900}");
        logged(begin);
    }
    // Escapes are written, not obeyed.
    knock(&host, &claim("ticket", "red\u{1b}[31m")).expect_abort("wamp.error.no_such_principal");
    logged("red");
    // What is no option's value can be as long as a message, too.
    let mut peer = host.session();
    peer.send(&json!([32, 1, {"match": long("nearly")}, "com.example"]));
    let problem = peer.expect_violation();
    assert!(problem.len() < BYTES_MAX, "{problem:.900}");
    logged("SUBSCRIBE: match");
}

/// Answers the authenticator's invocation.
fn answer(callee: &mut Peer, answer: impl FnOnce(&Value) -> Value) {
    let invocation = callee.message();
    assert_eq!(invocation[0], 68, "{invocation}");
    callee.send(&answer(&invocation[1]));
}

#[test]
fn of_what_an_authenticator_answers_the_begin_is_logged() {
    let host = host();
    let mut callee = host.session();
    callee.register(PROCEDURE);
    let mut fails = |authid: &str, words: &str, reply: &dyn Fn(&Value) -> Value| {
        let mut peer = host.rawsocket(Serializer::Json);
        assert_eq!(peer.greet("asking", &claim("ticket", authid))[0], 4);
        peer.send(&json!([5, "secret!!!", {}]));
        answer(&mut callee, reply);
        let problem = peer.expect_abort(FAILED);
        assert!(problem.len() < 100, "{problem:.900}");
        logged(words)
    };
    fails("joe", "the database", &|request| {
        json!([
            8,
            68,
            request,
            {},
            "com.example.error",
            [long("the database")]
        ])
    });
    for (role, words) in [
        (json!(long("admiral")), "admiral"),
        (
            json!({"role": "clerk", "realm": long("com.far.")}),
            "com.far.",
        ),
        (
            json!({"role": "clerk", "second_factor": long("a finger")}),
            "a finger",
        ),
        (json!(""), "the role in its answer is empty"),
        (
            json!("clerk\u{7}"),
            "the role in its answer has control characters",
        ),
        (
            json!({"role": "clerk", "authid": ""}),
            "the authid in its answer is empty",
        ),
        (
            json!({"role": "clerk", "authid": "joe\u{1b}[2J"}),
            "the authid in its answer has control characters",
        ),
    ] {
        fails("joe", words, &|request| json!([70, request, {}, [role]]));
    }
    // It lets somebody in, and does not say whom.
    for (authid, words) in [
        ("", "no authid, and the client's is empty"),
        (
            "joe\n",
            "no authid, and the client's has control characters",
        ),
    ] {
        fails(authid, words, &|request| {
            json!([70, request, {}, ["clerk"]])
        });
    }
}
