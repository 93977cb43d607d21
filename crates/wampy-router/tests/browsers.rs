//! What browsers need and what protects their users: origins and cookies, with WebSockets and with
//! HTTP.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::Host;
use peer::http::{Answer, Http};
use wampy_router::{CookieConfig, Router, SameSite};

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
    let unnamed = CookieConfig {
        name: String::new(),
        ..CookieConfig::default()
    };
    assert!(start(Router::builder().cookie(unnamed)).contains("no name"));
}
