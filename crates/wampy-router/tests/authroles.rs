//! Which authid and authrole a client gets.

#![allow(clippy::unwrap_used)]

mod peer;

use peer::joining::{asked, by_ticket, claim, knock};
use peer::{Host, Peer, json};
use wampy_proto::Serializer;
use wampy_router::{
    Allow, Authentication, Method, Permission, RealmConfig, RealmRole, RealmRoles, RealmSettings,
    Router, User,
};

fn role(name: &str, uri: &str) -> RealmRole {
    let permission = Permission::starred(uri, Allow::EVERYTHING).unwrap();
    RealmRole::with_permissions(name, vec![permission]).unwrap()
}

#[test]
fn a_client_may_ask_for_the_role_that_it_has_and_for_no_other() {
    let config = RealmConfig {
        roles: RealmRoles::new(vec![role("user", "*"), role("admin", "*")]).unwrap(),
        ..RealmConfig::default()
    };
    let authentication = Authentication::by([Method::Ticket])
        .user(User::new("joe", "user").credentials(by_ticket("secret!!!")));
    let host = Host::with(|builder| {
        let closed = RealmSettings::new("closed").config(config);
        builder.realm_with(closed.authentication(authentication))
    });
    let ask_for = |role: &str| {
        let mut hello = claim("ticket", "joe");
        hello["authrole"] = json!(role);
        let (mut peer, _) = asked(&host, &hello);
        peer.send(&json!([5, "secret!!!", {}]));
        peer.message()
    };
    assert_eq!(ask_for("user")[2]["authrole"], "user");
    assert_eq!(ask_for("admin")[2], "wamp.error.no_such_role");
    assert_eq!(ask_for("unheard-of")[2], "wamp.error.no_such_role");
}

#[test]
fn a_client_without_credentials_is_anonymous_under_an_authid_of_our_own() {
    let host = Host::new();
    for details in [
        json!({"authid": "admin"}),
        json!({"authid": "admin", "authmethods": []}),
        json!({"authid": "admin", "authmethods": ["anonymous"]}),
        json!({"authid": "admin", "authmethods": ["ticket", "anonymous"]}),
    ] {
        let mut peer = host.rawsocket(Serializer::Json);
        peer.send(&Peer::hello_to("realm1", &details));
        let welcome = peer.expect_welcome();
        assert_eq!(welcome[2]["authrole"], "anonymous");
        assert_eq!(welcome[2]["authmethod"], "anonymous");
        assert_ne!(
            welcome[2]["authid"], "admin",
            "an unproven authid is not believed"
        );
    }
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&Peer::hello_to(
        "realm1",
        &json!({"authmethods": ["ticket", "cryptosign"]}),
    ));
    let problem = peer.expect_abort("wamp.error.no_matching_auth_method");
    assert!(problem.contains("ticket, cryptosign"), "{problem}");
}

#[test]
fn anonymous_clients_have_the_role_that_they_are_given() {
    let authentication =
        Authentication::by([Method::Anonymous, Method::Ticket]).anonymous_role("guest");
    let host = Host::with(|builder| {
        let closed = RealmSettings::new("closed");
        builder.realm_with(closed.authentication(authentication))
    });
    for details in [
        json!({}),
        json!({"authmethods": ["anonymous"]}),
        json!({"authmethods": ["ticket", "anonymous"]}),
    ] {
        let mut peer = knock(&host, &details);
        let welcome = peer.expect_welcome();
        assert_eq!(welcome[2]["authrole"], "guest");
        assert_eq!(welcome[2]["authmethod"], "anonymous");
    }
}

#[test]
fn an_authid_or_a_role_that_is_none_is_refused() {
    let by_ticket = || Authentication::by([Method::Ticket, Method::Anonymous]);
    for (authentication, expected) in [
        (
            by_ticket().user(User::new("", "user")),
            "user \"\": the authid is empty",
        ),
        (
            by_ticket().user(User::new("joe", "user\n")),
            "user \"joe\": the role has control characters",
        ),
        (
            by_ticket().anonymous_role(""),
            "anonymous: the role is empty",
        ),
    ] {
        let realm = RealmSettings::new("closed").authentication(authentication);
        let refused = Router::builder().realm_with(realm).check().unwrap_err();
        assert_eq!(refused.to_string(), format!("realm \"closed\": {expected}"));
    }
}

#[test]
fn callees_learn_how_far_a_role_is_trusted() {
    let authentication = Authentication::by([Method::Anonymous, Method::Ticket])
        .user(User::new("joe", "user").credentials(by_ticket("secret!!!")));
    let host = Host::with(|builder| {
        let closed = RealmSettings::new("closed").trust_level("user", 3);
        builder.realm_with(closed.authentication(authentication))
    });
    let mut callee = host.rawsocket(Serializer::Json);
    let mut hello = Peer::hello("closed");
    hello[2]["roles"]["callee"] = json!({"features": {"call_trustlevels": true}});
    callee.send(&hello);
    callee.expect_welcome();
    callee.register("com.example.who");
    let (mut joe, _) = asked(&host, &claim("ticket", "joe"));
    joe.send(&json!([5, "secret!!!", {}]));
    joe.expect_welcome();
    joe.send(&json!([48, 1, {}, "com.example.who"]));
    assert_eq!(callee.message()[3]["trustlevel"], 3);
    let mut guest = knock(&host, &json!({}));
    guest.expect_welcome();
    guest.send(&json!([48, 1, {}, "com.example.who"]));
    assert_eq!(callee.message()[3].get("trustlevel"), None);
}
