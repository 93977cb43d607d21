//! What a request has to be allowed.
//!
//! Most need one thing: to call, register, publish or subscribe to what they name. Procedures of the
//! meta API that do more for their caller need that, too; which those are is known to `meta`.

use std::borrow::Cow;

use wampy_proto::{MatchPolicy, Message};

use super::permission::Action;
use crate::config::RealmConfig;
use crate::refusal::{Refusal, check_not_reserved};

/// The procedures that end other sessions, or take from them what they hold. A permission reaches
/// them only if its URI begins with `wamp.`: one for everything, which is often given, does not.
const ADMINISTRATIVE: [&str; 6] = [
    "wamp.session.kill",
    "wamp.session.kill_by_authid",
    "wamp.session.kill_by_authrole",
    "wamp.session.kill_all",
    "wamp.registration.remove_callee",
    "wamp.subscription.remove_subscriber",
];

/// An action on a URI or pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement<'m> {
    pub(super) action: Action,
    pub(super) uri: Cow<'m, str>,
    pub(super) match_policy: MatchPolicy,
}

impl<'m> Requirement<'m> {
    pub(super) fn new(action: Action, uri: &'m str, match_policy: MatchPolicy) -> Self {
        Self {
            action,
            uri: Cow::Borrowed(uri),
            match_policy,
        }
    }

    /// The same, with a URI of its own.
    pub(super) fn into_owned(self) -> Requirement<'static> {
        Requirement {
            action: self.action,
            uri: Cow::Owned(self.uri.into_owned()),
            match_policy: self.match_policy,
        }
    }

    /// To publish to a topic that the caller of a meta procedure names.
    pub(crate) const fn publish(topic: String) -> Self {
        Self {
            action: Action::Publish,
            uri: Cow::Owned(topic),
            match_policy: MatchPolicy::Exact,
        }
    }

    /// To do something to what the caller of a meta procedure names, which may be a pattern.
    pub(crate) const fn of_caller(action: Action, uri: String, match_policy: MatchPolicy) -> Self {
        Self {
            action,
            uri: Cow::Owned(uri),
            match_policy,
        }
    }

    /// What a message needs, if it is one of the four requests.
    #[inline]
    pub(super) fn of(message: &'m Message<'_>) -> Option<Self> {
        let exact = MatchPolicy::Exact;
        Some(match message {
            Message::Call(call) => Self::new(Action::Call, &call.procedure, exact),
            Message::Publish(publish) => Self::new(Action::Publish, &publish.topic, exact),
            Message::Register(register) => {
                let policy = register.options.match_policy;
                Self::new(Action::Register, &register.procedure, policy)
            }
            Message::Subscribe(subscribe) => {
                let policy = subscribe.options.match_policy;
                Self::new(Action::Subscribe, &subscribe.topic, policy)
            }
            _ => return None,
        })
    }

    /// Checks the form of the URI, and that it is not the protocol's own.
    pub(super) fn check(&self, config: &RealmConfig) -> Result<(), Refusal> {
        config.check_pattern(&self.uri, self.match_policy)?;
        self.check_not_reserved()
    }

    #[inline]
    pub(super) fn check_not_reserved(&self) -> Result<(), Refusal> {
        match self.action {
            Action::Register | Action::Publish => check_not_reserved(&self.uri),
            Action::Call | Action::Subscribe => Ok(()),
        }
    }

    /// Whether only a permission that is meant for the meta API will do.
    pub(super) fn is_administrative(&self) -> bool {
        self.action == Action::Call && ADMINISTRATIVE.contains(&&*self.uri)
    }
}
