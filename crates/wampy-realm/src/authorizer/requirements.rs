//! What a request has to be allowed.

use std::borrow::Cow;

use wampy_proto::{MatchPolicy, Message};

use super::permission::Action;

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
    pub(crate) action: Action,
    pub(crate) uri: Cow<'m, str>,
    pub(crate) match_policy: MatchPolicy,
}

impl<'m> Requirement<'m> {
    pub(crate) fn new(action: Action, uri: &'m str, match_policy: MatchPolicy) -> Self {
        Self {
            action,
            uri: Cow::Borrowed(uri),
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

    /// Whether only a permission that is meant for the meta API will do.
    pub(super) fn is_administrative(&self) -> bool {
        self.action == Action::Call && ADMINISTRATIVE.contains(&&*self.uri)
    }
}
