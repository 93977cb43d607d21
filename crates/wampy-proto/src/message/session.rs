//! The messages by which a session begins and ends.

use std::borrow::Cow;

use super::details::{AbortDetails, ChallengeExtra, GoodbyeDetails, HelloDetails, WelcomeDetails};
use super::options::AuthenticateExtra;
use crate::id::SessionId;

/// `[HELLO, Realm|uri, Details|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Hello<'a> {
    /// The realm to join.
    pub realm: Cow<'a, str>,
    /// What the client is and can do.
    pub details: HelloDetails,
}

/// `[WELCOME, Session|id, Details|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Welcome {
    /// The new session.
    pub session: SessionId,
    /// What the router is and can do.
    pub details: WelcomeDetails,
}

/// `[ABORT, Details|dict, Reason|uri]` and optionally `Arguments|list`, `ArgumentsKw|dict`, which
/// are read over and not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Abort<'a> {
    /// More about it.
    pub details: AbortDetails,
    /// Why.
    pub reason: Cow<'a, str>,
}

/// `[CHALLENGE, AuthMethod|string, Extra|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Challenge<'a> {
    /// The authentication method.
    pub authmethod: Cow<'a, str>,
    /// What the method needs.
    pub extra: ChallengeExtra,
}

/// `[AUTHENTICATE, Signature|string, Extra|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Authenticate<'a> {
    /// The proof.
    pub signature: Cow<'a, str>,
    /// What the method adds.
    pub extra: AuthenticateExtra,
}

/// `[GOODBYE, Details|dict, Reason|uri]`
#[derive(Debug, Clone, PartialEq)]
pub struct Goodbye<'a> {
    /// More about it.
    pub details: GoodbyeDetails,
    /// Why.
    pub reason: Cow<'a, str>,
}

impl<'a> Abort<'a> {
    /// An ABORT for `reason`, explained by `message`.
    pub fn new(reason: impl Into<Cow<'a, str>>, message: impl Into<Box<str>>) -> Self {
        let details = AbortDetails {
            message: Some(message.into()),
            ..AbortDetails::default()
        };
        Self {
            details,
            reason: reason.into(),
        }
    }
}

impl<'a> Goodbye<'a> {
    /// A GOODBYE for `reason`.
    pub fn new(reason: impl Into<Cow<'a, str>>) -> Self {
        Self {
            details: GoodbyeDetails::default(),
            reason: reason.into(),
        }
    }
}
