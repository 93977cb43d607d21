//! Who may join a realm, and how it is found out.

use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Hello};

use super::dialog::Verdict;
use super::{Identity, anonymous};

/// What a realm demands of those who join it.
#[derive(Debug, Default)]
pub(crate) struct Access {}

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

impl Access {
    /// Finds out who says HELLO. The client's methods are tried in the order in which it prefers them;
    /// a client that names none is anonymous.
    pub(super) fn identify(&self, hello: &Hello<'_>) -> Verdict {
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
            let identity = Access::default().identify(&hello(methods)).unwrap();
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
        let access = Access::default();
        let abort = access
            .identify(&hello(Some(&["ticket", "cryptosign"])))
            .unwrap_err();
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
