//! Ports at which only some of a realm's methods of authentication are offered.

#![allow(clippy::unwrap_used)]

mod peer;

use std::net::TcpStream;

use peer::http::Polled;
use peer::joining::{by_ticket, claim};
use peer::{Host, Peer, json};
use wampy_proto::Serializer;
use wampy_router::{Authentication, BoundAddress, Builder, Method, RealmSettings, Router, User};

/// A router with a port for these methods, the first of its ports, and one for tickets, the last.
fn host(first: &[Method]) -> Host {
    let joe = User::new("joe", "user").credentials(by_ticket("secret!!!"));
    let authentication = Authentication::by([Method::Anonymous, Method::Ticket]).user(joe);
    let set_up = |builder: Builder| {
        builder
            .realm_with(RealmSettings::new("closed").authentication(authentication))
            .realm("open")
            .listen_for("127.0.0.1:0", first.iter().copied())
            .listen_for("127.0.0.1:0", [Method::Ticket])
    };
    Host::start(set_up(Router::builder()))
}

fn peer_at_first(host: &Host) -> Peer {
    let BoundAddress::Tcp(address) = &host.router.addresses()[0] else {
        panic!("the first port is one of TCP");
    };
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(peer::PATIENCE)).unwrap();
    Peer::rawsocket(Box::new(stream), Serializer::Json)
}

#[test]
fn a_port_offers_the_methods_that_it_has_and_no_others() {
    let host = host(&[Method::Anonymous]);
    let mut inside = peer_at_first(&host);
    inside.send(&Peer::hello("closed"));
    let welcome = inside.message();
    assert_eq!(welcome[2]["authmethod"], "anonymous", "{welcome}");

    let mut outside = host.rawsocket(Serializer::Json);
    outside.send(&Peer::hello("closed"));
    let problem = outside.expect_abort("wamp.error.authentication_required");
    assert!(problem.ends_with("by ticket"), "{problem}");

    let mut outside = host.websocket(Serializer::Json);
    outside.send(&Peer::hello_to("closed", &claim("ticket", "joe")));
    assert_eq!(outside.message()[0], 4);
    outside.send(&json!([5, "secret!!!", {}]));
    let welcome = outside.message();
    assert_eq!(welcome[2]["authmethod"], "ticket", "{welcome}");

    // The secret does not help where it is not asked for.
    let mut inside = peer_at_first(&host);
    inside.send(&Peer::hello_to("closed", &claim("ticket", "joe")));
    let problem = inside.expect_abort("wamp.error.no_matching_auth_method");
    assert!(problem.ends_with("by anonymous"), "{problem}");
}

#[test]
fn a_client_that_offers_several_methods_goes_by_one_that_the_port_has() {
    let host = host(&[Method::Anonymous]);
    let hello = json!({"authmethods": ["ticket", "anonymous"], "authid": "joe"});
    let mut inside = peer_at_first(&host);
    inside.send(&Peer::hello_to("closed", &hello));
    assert_eq!(inside.message()[2]["authmethod"], "anonymous");
    let hello = json!({"authmethods": ["anonymous", "ticket"], "authid": "joe"});
    let mut outside = host.rawsocket(Serializer::Json);
    outside.send(&Peer::hello_to("closed", &hello));
    assert_eq!(outside.message()[0], 4);
}

#[test]
fn nobody_joins_a_realm_that_has_none_of_the_methods() {
    let host = host(&[Method::Anonymous]);
    let mut inside = peer_at_first(&host);
    inside.join("open");
    for details in [json!({}), claim("ticket", "joe")] {
        let mut outside = host.rawsocket(Serializer::Json);
        outside.send(&Peer::hello_to("open", &details));
        let problem = outside.expect_abort("wamp.error.no_matching_auth_method");
        assert!(problem.contains("at this address"), "{problem}");
    }
}

#[test]
fn long_polling_has_the_methods_of_its_port() {
    let host = host(&[Method::Anonymous]);
    let mut outside = Polled::open(&host, "/longpoll", "wamp.2.json");
    outside.send(&Peer::hello("closed"));
    let abort = outside.message();
    assert_eq!(abort[2], "wamp.error.authentication_required", "{abort}");
}

#[test]
fn other_methods_of_a_port_wait_for_the_next_start() {
    let host = host(&[Method::Anonymous]);
    let BoundAddress::Tcp(first) = host.router.addresses()[0] else {
        panic!("the first port is one of TCP");
    };
    let builder = |methods: [Method; 1]| {
        let authentication = Authentication::by([Method::Anonymous, Method::Ticket]);
        Router::builder()
            .realm_with(RealmSettings::new("closed").authentication(authentication))
            .listen_for(first.to_string(), methods)
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    drop(host);
    let router = runtime
        .block_on(builder([Method::Anonymous]).start())
        .unwrap();
    let _inside = runtime.enter();
    let same = router.reload(builder([Method::Anonymous])).unwrap();
    assert!(same.needs_restart.is_empty(), "{same:?}");
    let other = router.reload(builder([Method::Ticket])).unwrap();
    assert_eq!(other.needs_restart, ["listen"]);
}
