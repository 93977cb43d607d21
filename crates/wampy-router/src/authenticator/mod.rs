//! Who a client is: from HELLO to an [`Identity`], or a refusal.
//!
//! To add an authmethod: `authenticator/<name>.rs` and a row in [`METHODS`]. A method that needs a
//! CHALLENGE will return one from its row; the session state of `wampy-proto` knows the state
//! already. The arithmetic of a method belongs into `wampy-proto`.

mod anonymous;

use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Hello};

/// Who a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) authid: Box<str>,
    pub(crate) authrole: Box<str>,
    pub(crate) authmethod: &'static str,
    pub(crate) authprovider: &'static str,
}

/// An authmethod.
struct Method {
    name: &'static str,
    authenticate: fn(&Hello<'_>) -> Identity,
}

/// Every authmethod that the router can do.
const METHODS: &[Method] = &[Method {
    name: anonymous::NAME,
    authenticate: anonymous::authenticate,
}];

/// Finds out who says HELLO. The client's methods are tried in the order in which it prefers them;
/// a client that names none is anonymous.
pub(crate) fn authenticate(hello: &Hello<'_>) -> Result<Identity, Abort<'static>> {
    let offered = match hello.details.authmethods.as_deref() {
        None | Some([]) => return Ok(anonymous::authenticate(hello)),
        Some(offered) => offered,
    };
    let method = offered
        .iter()
        .find_map(|name| METHODS.iter().find(|it| *it.name == **name));
    method
        .map(|method| (method.authenticate)(hello))
        .ok_or_else(|| {
            let ours: Vec<_> = METHODS.iter().map(|method| method.name).collect();
            let problem = format!(
                "the client offers {}; this router authenticates by {}",
                offered.join(", "),
                ours.join(", ")
            );
            Abort::new(error_uri::NO_MATCHING_AUTH_METHOD, problem)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wampy_proto::message::HelloDetails;

    fn hello(authmethods: Option<&[&str]>) -> Hello<'static> {
        let authmethods = authmethods.map(|names| names.iter().map(|&name| name.into()).collect());
        let details = HelloDetails {
            authmethods,
            authid: Some("admin".into()),
            ..Default::default()
        };
        Hello {
            realm: "realm1".into(),
            details,
        }
    }

    #[test]
    fn a_client_without_credentials_is_anonymous_under_an_authid_of_our_own() {
        for methods in [
            None,
            Some(&[][..]),
            Some(&["anonymous"]),
            Some(&["ticket", "anonymous"]),
        ] {
            let identity = authenticate(&hello(methods)).unwrap();
            assert_eq!(&*identity.authrole, "anonymous");
            assert_eq!(identity.authmethod, "anonymous");
            assert_ne!(
                &*identity.authid, "admin",
                "an unproven authid is not believed"
            );
        }
    }

    #[test]
    fn methods_that_we_lack_are_refused() {
        let abort = authenticate(&hello(Some(&["ticket", "cryptosign"]))).unwrap_err();
        assert_eq!(abort.reason, error_uri::NO_MATCHING_AUTH_METHOD);
        assert!(
            abort
                .details
                .message
                .unwrap()
                .contains("ticket, cryptosign")
        );
    }
}
