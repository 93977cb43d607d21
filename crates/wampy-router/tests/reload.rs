//! Other settings for a router that runs: what counts at once, what later, and what has to wait.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::joining::{by_ticket, claim, with_ticket};
use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::{
    Allow, Authentication, Builder, CookieConfig, Limits, Method, Permission, RealmConfig,
    RealmRole, RealmRoles, RealmSettings, Reloaded, Router, SameSite, User,
};

fn builder() -> Builder {
    Router::builder().listen("127.0.0.1:0")
}

fn try_reload(host: &Host, builder: Builder) -> Result<Reloaded, String> {
    let _guard = host.runtime.enter();
    host.router
        .reload(builder)
        .map_err(|error| error.to_string())
}

/// What has to wait for the next start.
fn reload(host: &Host, builder: Builder) -> Vec<String> {
    try_reload(host, builder).unwrap().needs_restart
}

/// A realm in which the role `user` may do everything with these URIs.
fn realm(name: &str, uris: &[&str]) -> RealmSettings {
    let permission = |uri: &&str| Permission::starred(uri, Allow::EVERYTHING).unwrap();
    let permissions = uris.iter().map(permission).collect();
    let role = RealmRole::with_permissions("user", permissions).unwrap();
    RealmSettings::new(name)
        .config(RealmConfig {
            roles: RealmRoles::new(vec![role]).unwrap(),
            ..RealmConfig::default()
        })
        .authentication(Authentication::by([Method::Anonymous]).anonymous_role("user"))
}

fn with_user(realm: RealmSettings, authid: &str, ticket: &str) -> RealmSettings {
    let user = User::new(authid, "user").credentials(by_ticket(ticket));
    realm.authentication(Authentication::by([Method::Ticket]).user(user))
}

fn log_in(host: &Host, authid: &str, ticket: &str) -> Value {
    with_ticket(host, "realm1", authid, ticket).1[0].clone()
}

#[test]
fn roles_count_at_once_also_for_sessions_that_stand() {
    let host = Host::start(builder().realm_with(realm("realm1", &["a.*", "b.*"])));
    let mut peer = host.session();
    peer.subscribe("a.topic");
    let lost = peer.register("b.procedure");
    assert_eq!(
        reload(&host, builder().realm_with(realm("realm1", &["a.*"]))),
        [""; 0]
    );
    // The peer does not know revocation, so it is told nothing; but the procedure is gone.
    let mut caller = host.session();
    assert_eq!(
        caller.call("b.procedure", json!([]))[4],
        "wamp.error.not_authorized"
    );
    let request = peer.id();
    peer.send(&json!([66, request, lost]));
    assert_eq!(peer.message()[4], "wamp.error.no_such_registration");
    caller.publish("a.topic", json!(["still"]));
    assert_eq!(peer.message()[4], json!(["still"]));
}

#[test]
fn users_change_and_sessions_that_stand_stay() {
    let host = Host::start(builder().realm_with(with_user(realm("realm1", &["*"]), "joe", "old")));
    let mut stands = host.rawsocket(Serializer::Json);
    stands.send(&Peer::hello_to("realm1", &claim("ticket", "joe")));
    stands.message();
    stands.send(&json!([5, "old", {}]));
    stands.expect_welcome();
    let realm = with_user(realm("realm1", &["*"]), "joe", "new");
    assert_eq!(reload(&host, builder().realm_with(realm)), [""; 0]);
    assert_eq!(log_in(&host, "joe", "old"), 3);
    assert_eq!(log_in(&host, "joe", "new"), 2);
    stands.send(&json!([32, 1, {}, "a"]));
    assert_eq!(stands.message()[0], 33);
}

#[test]
fn realms_come_and_policies_and_limits_of_realms_change() {
    let host = Host::start(builder().realm("realm1"));
    let mut early = host.session();
    let limits = Limits {
        subscriptions_per_session_max: 1,
        ..Limits::default()
    };
    let strict = RealmConfig {
        uri_grammar: wampy_proto::uri::Grammar::Strict,
        ..RealmConfig::default()
    };
    let other = builder()
        .limits(limits)
        .realm_config(strict)
        .realm("realm1")
        .realm("realm2");
    assert_eq!(reload(&host, other), [""; 0]);
    early.subscribe("a");
    let request = early.id();
    early.send(&json!([32, request, {}, "b"]));
    assert_eq!(early.message()[4], "wamp.error.not_authorized");
    assert_eq!(
        early.call("Not.Strict", json!([]))[4],
        "wamp.error.invalid_uri"
    );
    host.session_in("realm2");
}

#[test]
fn what_clients_bring_into_being_changes_with_its_settings() {
    let everybody = || builder().auto_create_realms(true).realm("realm1");
    let host = Host::start(everybody());
    let mut peer = host.session_in("made");
    peer.subscribe("b.topic");
    let settings = realm("", &["a.*"]);
    reload(&host, everybody().auto_created_realms_with(settings));
    let mut other = host.session_in("made");
    assert_eq!(other.call("b.x", json!([]))[4], "wamp.error.not_authorized");
    assert_eq!(
        other.call("a.x", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
    // The first one has no role any more that the realm has, and so holds nothing.
    host.eventually("the subscription goes", |stats| {
        stats.realms.iter().all(|realm| realm.subscriptions == 0)
    });
    reload(&host, builder().realm("realm1"));
    let mut late = host.rawsocket(Serializer::Json);
    late.send(&Peer::hello("another"));
    late.expect_abort("wamp.error.no_such_realm");
}

#[test]
fn limits_of_connections_count_for_those_that_come_later() {
    let host = Host::start(builder().realm("realm1"));
    let mut early = host.session();
    let limits = Limits {
        message_bytes_max: 1024,
        sessions_max: 2,
        ..Limits::default()
    };
    let other = builder().limits(limits).realm("realm1");
    assert_eq!(reload(&host, other), [""; 0]);
    let long = json!([16, 1, {"acknowledge": true}, "a", ["x".repeat(2000)]]);
    early.send(&long);
    assert_eq!(early.message()[0], 17);
    let mut late = host.websocket(Serializer::Json);
    late.join("realm1");
    late.send(&long);
    assert_eq!(late.expect_end(), Some(1009));
    drop(late);
    host.eventually("one left", |stats| stats.sessions == 1);
    let _second = host.session();
    let mut third = host.rawsocket(Serializer::Json);
    third.send(&Peer::hello("realm1"));
    third.expect_abort("wamp.close.too_many_sessions");
}

#[test]
fn what_cannot_change_is_named_and_stays() {
    let kept = RealmConfig {
        event_history: wampy_router::Keeping {
            rules: vec![wampy_router::KeepingRule::history(
                "a",
                wampy_proto::MatchPolicy::Prefix,
            )],
            ..wampy_router::Keeping::history()
        },
        ..RealmConfig::default()
    };
    let host = Host::start(builder().realm("realm1").realm("realm2"));
    let limits = Limits {
        busy_poll_us: 0,
        authentication_failures_free: 1,
        ..Limits::default()
    };
    let other = Router::builder()
        .listen("127.0.0.1:1")
        .limits(limits)
        .cookie(CookieConfig::default())
        .store("/nowhere")
        .realm_with(RealmSettings::new("realm1").config(kept));
    assert_eq!(
        reload(&host, other),
        [
            "listen",
            "store",
            "cookie",
            "limits.busy_poll_us",
            "limits.authentication_failures_free",
            "realm \"realm2\": goes",
            "realm \"realm1\": event_retention, event_history",
        ]
    );
    host.session_in("realm2");
}

#[test]
fn wrong_settings_change_nothing() {
    let host = Host::start(builder().realm("realm1"));
    let wrong = builder().realm_with(realm("realm1", &[])).realm("a realm");
    let problem = try_reload(&host, wrong).unwrap_err();
    assert!(problem.contains("\"a realm\""), "{problem}");
    let mut peer = host.session();
    assert_eq!(
        peer.call("b.x", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
}

#[test]
fn a_cookie_for_listed_sites_stays_for_listed_sites() {
    let cookie = CookieConfig {
        same_site: SameSite::None,
        secure: true,
        ..CookieConfig::default()
    };
    let listed = || builder().allowed_origins(["https://example.com"]);
    let host = Host::start(listed().cookie(cookie));
    // The cookie goes only with a restart, so pages of all sites are not let in before.
    let refused = try_reload(&host, builder()).unwrap_err();
    assert!(refused.contains("until a restart"), "{refused}");
    assert_eq!(reload(&host, listed()), ["cookie"]);
}
