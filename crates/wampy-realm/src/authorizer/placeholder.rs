//! Placeholders in the URIs of permissions: `{authid}` and `{session}`.
//!
//! A placeholder is a whole component and stands for exactly one component, so that what a client is
//! called can never make a permission wider. Where it cannot stand for that, the permission becomes
//! a refusal of everything below the text before it: leaving it out could uncover a wider one.

use std::borrow::Cow;

use wampy_proto::uri::Grammar;

use crate::session::SessionDetails;

/// A component that any placeholder could stand for, to check the form of a pattern.
pub(super) const EXAMPLE: &str = "x";

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placeholder {
    Authid,
    Session,
}

/// The URI of a permission, for one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expanded {
    /// The pattern, with what its placeholders stand for.
    Pattern(Box<str>),
    /// Something is no component of a URI: everything that begins with this is meant.
    Everything { below: Box<str> },
}

impl Placeholder {
    /// The placeholder that a component is, if it is one.
    pub(super) fn parse(component: &str) -> Result<Option<Self>, String> {
        match component {
            "{authid}" => Ok(Some(Self::Authid)),
            "{session}" => Ok(Some(Self::Session)),
            _ if !component.contains(['{', '}']) => Ok(None),
            _ if component.contains("{authid}") || component.contains("{session}") => Err(format!(
                "in {component:?} the placeholder is not a whole component"
            )),
            _ => Err(format!(
                "{component:?} is no placeholder: there are {{authid}} and {{session}}"
            )),
        }
    }

    fn of(self, session: &SessionDetails) -> Cow<'_, str> {
        match self {
            Self::Authid => Cow::Borrowed(&session.authid),
            Self::Session => Cow::Owned(session.id.to_string()),
        }
    }
}

/// Whether there is a placeholder in the URI of a permission.
pub(super) fn is_in(uri: &str) -> bool {
    uri.contains('{')
}

/// The URI of a permission for a session.
pub(super) fn expand(uri: &str, session: &SessionDetails) -> Expanded {
    let mut expanded = String::with_capacity(uri.len());
    for (at, component) in uri.split('.').enumerate() {
        if at > 0 {
            expanded.push('.');
        }
        match Placeholder::parse(component) {
            Ok(Some(placeholder)) => {
                let value = placeholder.of(session);
                if value.contains('.') || !Grammar::Loose.accepts(&value) {
                    let below = expanded.into();
                    return Expanded::Everything { below };
                }
                expanded.push_str(&value);
            }
            Ok(None) | Err(_) => expanded.push_str(component),
        }
    }
    Expanded::Pattern(expanded.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wampy_proto::{Roles, SessionId};

    fn session(authid: &str) -> SessionDetails {
        SessionDetails {
            id: SessionId::try_from(17).unwrap(),
            authid: authid.into(),
            authrole: "user".into(),
            authmethod: "ticket".into(),
            authprovider: "static".into(),
            trust_level: None,
            authextra: None,
            roles: Roles::default(),
            transport: None,
        }
    }

    #[test]
    fn placeholders_stand_for_one_component() {
        for (uri, expected) in [
            ("a.{authid}.b", "a.alice.b"),
            ("{authid}.", "alice."),
            ("a.{session}", "a.17"),
            ("{authid}..{session}", "alice..17"),
            ("a.b", "a.b"),
        ] {
            let expanded = expand(uri, &session("alice"));
            assert_eq!(expanded, Expanded::Pattern(expected.into()));
        }
    }

    #[test]
    fn an_authid_that_is_no_component_turns_a_permission_into_a_refusal() {
        for authid in ["", "a.b", ".", "a b", "a#", "a\n", "a\u{a0}"] {
            let below = |uri| match expand(uri, &session(authid)) {
                Expanded::Everything { below } => below,
                Expanded::Pattern(pattern) => panic!("{authid:?}: {pattern}"),
            };
            assert_eq!(&*below("com.{authid}.x"), "com.");
            assert_eq!(&*below("{authid}"), "");
        }
        // Braces are nothing special in an authid.
        let odd = expand("a.{authid}", &session("{session}"));
        assert_eq!(odd, Expanded::Pattern("a.{session}".into()));
    }
}
