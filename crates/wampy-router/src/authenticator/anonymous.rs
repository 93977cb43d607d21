//! `anonymous`: nothing is proven, so nothing that the client claims about itself is believed; it
//! gets an authid drawn at random.

use super::Identity;
use super::users::STATIC;
use crate::settings::Method;

/// An anonymous client of `realm`, in this role.
pub(super) fn identity(realm: &str, authrole: &str) -> Identity {
    Identity {
        realm: realm.into(),
        authid: format!("{:032x}", rand::random::<u128>()).into(),
        authrole: authrole.into(),
        authmethod: Method::Anonymous.as_str(),
        authprovider: STATIC,
        authextra: None,
        proof_extra: Vec::new(),
        trust_level: None,
    }
}
