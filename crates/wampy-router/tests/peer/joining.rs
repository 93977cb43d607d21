//! Clients that prove who they are, in tests of who may join: the realm is `closed`.

use serde_json::{Value, json};
use wampy_proto::Serializer;
use wampy_router::auth::Credentials;

use super::{Host, Peer};

/// What a client that is to prove itself by a method says in HELLO.
pub fn claim(method: &str, authid: &str) -> Value {
    json!({"authmethods": [method], "authid": authid})
}

/// The credentials of a user with that ticket.
pub fn by_ticket(ticket: &str) -> Credentials {
    Credentials {
        ticket: Some(ticket.into()),
        ..Credentials::default()
    }
}

/// A client that says HELLO with these details to the closed realm.
pub fn knock(host: &Host, details: &Value) -> Peer {
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&Peer::hello_to("closed", details));
    peer
}

/// A client that is asked something.
pub fn asked(host: &Host, details: &Value) -> (Peer, Value) {
    let mut peer = knock(host, details);
    let challenge = peer.message();
    assert_eq!(challenge[0], 4, "{challenge}");
    (peer, challenge)
}

/// A client that shows its ticket to a realm, and what it is answered: WELCOME or ABORT.
pub fn with_ticket(host: &Host, realm: &str, authid: &str, ticket: &str) -> (Peer, Value) {
    let mut peer = host.rawsocket(Serializer::Json);
    let challenge = peer.greet(realm, &claim("ticket", authid));
    assert_eq!(challenge[0], 4, "{challenge}");
    peer.send(&json!([5, ticket, {}]));
    let answer = peer.message();
    (peer, answer)
}
