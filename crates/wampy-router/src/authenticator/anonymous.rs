//! `anonymous`: nothing is proven, so nothing that the client claims about itself is believed; it
//! gets an authid drawn at random.

use wampy_proto::message::Hello;

use super::Identity;

pub(super) const NAME: &str = "anonymous";

pub(super) fn authenticate(hello: &Hello<'_>) -> Identity {
    Identity {
        realm: (*hello.realm).into(),
        authid: format!("{:032x}", rand::random::<u128>()).into(),
        authrole: "anonymous".into(),
        authmethod: NAME,
        authprovider: "static",
        authextra: None,
    }
}
