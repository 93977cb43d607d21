//! What browsers need and what protects their users: origins and cookies, with WebSockets and with
//! HTTP.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::http::{Answer, Http, Polled};
use peer::joining::by_ticket;
use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::{
    Authentication, Builder, CookieConfig, Method, RealmSettings, Router, SameSite, User,
};

const OPEN: &[u8] = br#"{"protocols": ["wamp.2.json"]}"#;

/// Asks for a WebSocket with these headers.
fn upgrade(host: &Host, headers: &[(&str, &str)]) -> Answer {
    let always = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "wamp.2.json"),
    ];
    Http::new(host).request("GET", "/", &[&always, headers].concat(), b"")
}

fn open(host: &Host, headers: &[(&str, &str)]) -> Answer {
    Http::new(host).request("POST", "/lp/open", headers, OPEN)
}

#[test]
fn by_default_pages_of_all_origins_are_served() {
    let host = Host::new();
    let origin = [("Origin", "https://anybody.example")];
    assert_eq!(upgrade(&host, &origin).status, 101);
    let opened = open(&host, &origin);
    assert_eq!(opened.status, 200);
    // By name: browsers send no cookies if an asterisk is answered.
    let allowed = opened.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://anybody.example"));
    assert_eq!(
        opened.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(opened.header("vary"), Some("Origin"));
    let without = open(&host, &[]);
    assert_eq!(without.header("access-control-allow-origin"), None);
}

#[test]
fn only_listed_origins_are_served_if_there_is_a_list() {
    let host = Host::with(|builder| builder.allowed_origins(["https://example.com"]));
    let good = [("Origin", "https://example.com")];
    let evil = [("Origin", "https://evil.example")];
    assert_eq!(upgrade(&host, &good).status, 101);
    assert_eq!(open(&host, &good).status, 200);
    assert_eq!(upgrade(&host, &[]).status, 101, "no browser");
    assert_eq!(open(&host, &[]).status, 200, "no browser");
    for refused in [upgrade(&host, &evil), open(&host, &evil)] {
        assert_eq!(refused.status, 403);
        assert!(
            refused.text().contains("https://evil.example"),
            "{}",
            refused.text()
        );
        assert_eq!(refused.header("access-control-allow-origin"), None);
    }
    let preflight = |origin| {
        let method = ("Access-Control-Request-Method", "POST");
        Http::new(&host).request("OPTIONS", "/lp/open", &[origin, method], b"")
    };
    let allowed = preflight(good[0]);
    assert_eq!(allowed.status, 204);
    assert_eq!(
        allowed.header("access-control-allow-methods"),
        Some("GET, POST")
    );
    assert_eq!(
        allowed.header("access-control-allow-headers"),
        Some("Content-Type")
    );
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://example.com")
    );
    assert_eq!(preflight(evil[0]).status, 403);
}

#[test]
fn no_cookie_is_set_unless_one_is_configured() {
    let host = Host::new();
    assert_eq!(upgrade(&host, &[]).header("set-cookie"), None);
    assert_eq!(open(&host, &[]).header("set-cookie"), None);
}

#[test]
fn websockets_and_long_polls_get_a_cookie_if_one_is_configured() {
    let cookie = CookieConfig {
        name: "visitor".to_owned(),
        max_age_s: 60,
        same_site: SameSite::Lax,
        secure: false,
    };
    let host = Host::with(|builder| builder.cookie(cookie));
    let mut values = Vec::new();
    for answer in [upgrade(&host, &[]), open(&host, &[])] {
        let set = answer.header("set-cookie").unwrap();
        let value = set.strip_prefix("visitor=").unwrap();
        let (value, rest) = value.split_once("; ").unwrap();
        assert_eq!(rest, "Max-Age=60; Path=/; HttpOnly; SameSite=Lax");
        values.push(value.to_owned());
    }
    assert_ne!(values[0], values[1]);
    // One with which nobody has authenticated is not taken over.
    let brought = format!("a=b; visitor={}", values[0]);
    let answer = upgrade(&host, &[("Cookie", &brought)]);
    assert!(
        answer
            .header("set-cookie")
            .is_some_and(|it| !it.contains(&values[0]))
    );
    assert_eq!(host.router.forget_cookies("realm1", "joe"), 0);
}

/// A router of which realm1 and realm2 let `joe` in by ticket and by cookie, and realm3 only by ticket.
fn host_with_joe() -> Host {
    Host::start(with_joe("clerk", "secret"))
}

fn with_joe(role: &str, ticket: &str) -> Builder {
    let joe = || User::new("joe", role).credentials(by_ticket(ticket));
    let realm = |name: &str, methods: &[Method]| {
        let authentication = Authentication::by(methods.iter().copied()).user(joe());
        RealmSettings::new(name).authentication(authentication)
    };
    let both = [Method::Cookie, Method::Ticket, Method::Anonymous];
    Router::builder()
        .listen("127.0.0.1:0")
        .cookie(CookieConfig::default())
        .realm_with(realm("realm1", &both))
        .realm_with(realm("realm2", &both))
        .realm_with(realm("realm3", &[Method::Ticket]))
}

/// HELLO to a realm by these methods.
fn hello(realm: &str, authid: Option<&str>, authmethods: &[&str]) -> Value {
    let mut details = json!({"roles": {"caller": {}}, "authmethods": authmethods});
    if let Some(authid) = authid {
        details["authid"] = json!(authid);
    }
    json!([1, realm, details])
}

/// What HELLO is answered with on a WebSocket that brings this cookie.
fn answer_with(host: &Host, cookie: &str, hello: &Value) -> Value {
    let headers = [("Cookie", cookie)];
    let stream = Box::new(host.stream());
    let mut peer = Peer::websocket_at(stream, Serializer::Json, "/", &headers);
    peer.send(hello);
    peer.message()
}

/// Joins a realm over long-polling, with a ticket; returns the cookie that the client got.
fn cookie_of_joe(host: &Host, realm: &str) -> String {
    let mut polled = Polled::open(host, "/longpoll", "wamp.2.json");
    let cookie = polled.opened.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    polled.send(&hello(realm, Some("joe"), &["ticket"]));
    assert_eq!(polled.message()[0], 4);
    polled.send(&json!([5, "secret", {}]));
    let welcome = polled.message();
    assert_eq!(
        (&welcome[0], &welcome[2]["authid"]),
        (&json!(2), &json!("joe"))
    );
    cookie
}

#[test]
fn who_has_authenticated_is_known_again_by_the_cookie() {
    let host = host_with_joe();
    let cookie = cookie_of_joe(&host, "realm1");
    let by_cookie = hello("realm1", None, &["cookie"]);
    let welcome = answer_with(&host, &cookie, &by_cookie);
    assert_eq!(welcome[0], 2, "{welcome}");
    let details = &welcome[2];
    assert_eq!(details["authid"], "joe");
    assert_eq!(details["authrole"], "clerk");
    assert_eq!(details["authmethod"], "cookie");
    // Also if the client says who it is, and offers something else besides.
    let offer = hello("realm1", Some("joe"), &["ticket", "cookie"]);
    assert_eq!(
        answer_with(&host, &cookie, &offer)[0],
        4,
        "the client's order counts"
    );
    let offer = hello("realm1", Some("joe"), &["cookie", "ticket"]);
    assert_eq!(answer_with(&host, &cookie, &offer)[0], 2);
    // Until it is forgotten.
    assert_eq!(host.router.forget_cookies("realm1", "joe"), 1);
    assert_eq!(answer_with(&host, &cookie, &by_cookie)[0], 3);
    assert_eq!(
        answer_with(&host, &cookie, &offer)[0],
        4,
        "the ticket is still good"
    );
}

/// Who has lost a ticket to somebody else gets another one, and that is the end of the other's cookie.
#[test]
fn a_cookie_is_as_good_as_the_secret_that_it_stands_for() {
    let host = host_with_joe();
    let cookie = cookie_of_joe(&host, "realm1");
    let answer = || answer_with(&host, &cookie, &hello("realm1", None, &["cookie"]));
    let reload = |builder: Builder| {
        let _guard = host.runtime.enter();
        host.router.reload(builder).unwrap();
    };
    reload(with_joe("boss", "secret"));
    let welcome = answer();
    assert_eq!(welcome[2]["authrole"], "boss", "{welcome}");
    reload(with_joe("boss", "another secret"));
    assert_eq!(answer()[0], 3);
    let removed = Authentication::by([Method::Cookie]);
    let realm = RealmSettings::new("realm1").authentication(removed);
    reload(with_joe("boss", "secret").realm_with(RealmSettings::new("realm4")));
    assert_eq!(answer()[0], 2, "the secret is what it was");
    let builder = Router::builder().listen("127.0.0.1:0");
    reload(builder.cookie(CookieConfig::default()).realm_with(realm));
    assert_eq!(answer()[0], 3);
}

#[test]
fn a_cookie_stands_for_nothing_else() {
    let host = host_with_joe();
    let cookie = cookie_of_joe(&host, "realm1");
    let refused = |cookie: &str, hello: Value| {
        let abort = answer_with(&host, cookie, &hello);
        assert_eq!(abort[0], 3, "{abort}");
        abort[2].as_str().unwrap().to_owned()
    };
    // Another realm, another user, another cookie, a part of it, and none.
    let by_cookie = || hello("realm1", None, &["cookie"]);
    let required = "wamp.error.authentication_required";
    assert_eq!(
        refused(&cookie, hello("realm2", None, &["cookie"])),
        required
    );
    assert_eq!(
        refused(&cookie, hello("realm1", Some("ann"), &["cookie"])),
        required
    );
    assert_eq!(refused(&cookie[..cookie.len() - 1], by_cookie()), required);
    assert_eq!(refused("wampy=", by_cookie()), required);
    assert_eq!(refused("a=b", by_cookie()), required);
    // A realm that is not told to let cookies stand for anything.
    let no_match = "wamp.error.no_matching_auth_method";
    assert_eq!(
        refused(&cookie, hello("realm3", None, &["cookie"])),
        no_match
    );
    let other = cookie_of_joe(&host, "realm3");
    assert_eq!(refused(&other, by_cookie()), required);
    assert_eq!(host.router.forget_cookies("realm3", "joe"), 0);
}

#[test]
fn anonymous_clients_and_failures_are_not_remembered() {
    let host = host_with_joe();
    // Each message, and the code of its answer.
    for messages in [
        vec![(hello("realm1", None, &["anonymous"]), 2)],
        vec![
            (hello("realm1", Some("joe"), &["ticket"]), 4),
            (json!([5, "wrong", {}]), 3),
        ],
    ] {
        let mut polled = Polled::open(&host, "/longpoll", "wamp.2.json");
        let cookie = polled.opened.header("set-cookie").unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        for (message, code) in messages {
            polled.send(&message);
            assert_eq!(polled.message()[0], code);
        }
        let abort = answer_with(&host, &cookie, &hello("realm1", None, &["cookie"]));
        assert_eq!(abort[0], 3, "{abort}");
    }
}

/// The cookie of a connection is a known one only if somebody has authenticated with it; then it is
/// kept as it is.
#[test]
fn a_known_cookie_is_not_set_again() {
    let host = host_with_joe();
    let cookie = cookie_of_joe(&host, "realm1");
    assert_eq!(
        upgrade(&host, &[("Cookie", &cookie)]).header("set-cookie"),
        None
    );
    assert_eq!(
        open(&host, &[("Cookie", &cookie)]).header("set-cookie"),
        None
    );
}

#[test]
fn settings_that_make_no_sense_are_named() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let start = |builder: wampy_router::Builder| {
        let starting = builder.listen("127.0.0.1:0").start();
        runtime
            .block_on(starting)
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    let origins = Router::builder().allowed_origins(["example.com"]);
    assert!(start(origins).contains("\"example.com\" is no origin"));
    let everywhere = CookieConfig {
        same_site: SameSite::None,
        ..CookieConfig::default()
    };
    assert!(start(Router::builder().cookie(everywhere)).contains("allowed origins"));
    let secure_by_name = CookieConfig {
        name: "__Host-wampy".to_owned(),
        ..CookieConfig::default()
    };
    assert!(start(Router::builder().cookie(secure_by_name)).contains("over TLS only"));
    let unnamed = CookieConfig {
        name: String::new(),
        ..CookieConfig::default()
    };
    assert!(start(Router::builder().cookie(unnamed)).contains("no name"));
    let authentication = Authentication::by([Method::Cookie]);
    let realm = RealmSettings::new("realm1").authentication(authentication);
    assert!(start(Router::builder().realm_with(realm)).contains("needs a cookie"));
}
