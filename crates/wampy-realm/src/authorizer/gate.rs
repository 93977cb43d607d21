//! The gate: lets a request of a session through, or refuses it.

use wampy_proto::{MatchPolicy, Message, MessageType, error_uri};

use super::requirements::Requirement;
use super::rules::OwnRules;
use super::{Action, Decider, Standing};
use crate::config::Disclosure;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm, Violation};
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::SessionKey;

/// What is allowed, and under which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grant {
    /// Whether the caller or publisher is made known.
    disclose: bool,
}

impl Realm {
    /// Handles a message of a realm that has roles.
    pub(crate) fn handle_with_roles(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        match self.admit(from, message) {
            Ok(grant) => {
                self.disclose(grant, message);
                self.route(now, from, message, outbox)
            }
            Err(refusal) => {
                refuse(refusal, from, message, outbox);
                Ok(())
            }
        }
    }

    /// Whether a session may do what a message asks for.
    fn admit(&mut self, from: SessionKey, message: &Message<'_>) -> Result<Grant, Refusal> {
        if let Message::Call(call) = message
            && let Some(caller) = self.sessions.get(from)
            && caller.calls.contains(call.request)
        {
            // It belongs to a call that was allowed.
            return Ok(Grant::default());
        }
        match Requirement::of(message) {
            Some(requirement) => self.require(from, &requirement),
            None => Ok(Grant::default()),
        }
    }

    /// Whether a session may do something.
    pub(super) fn require(
        &mut self,
        from: SessionKey,
        requirement: &Requirement<'_>,
    ) -> Result<Grant, Refusal> {
        let Requirement {
            action,
            ref uri,
            match_policy,
        } = *requirement;
        let Some(session) = self.sessions.get(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        if matches!(action, Action::Register | Action::Publish) {
            check_not_reserved(uri)?;
        }
        let decider = match session.authority.standing {
            Standing::Unlisted => None,
            Standing::Role(at) => self.authorizer.deciders.get_mut(at as usize),
        };
        let Some(Decider::Rules(rules)) = decider else {
            self.config.check_pattern(uri, match_policy)?;
            return Err(refused(&session.details.authrole, requirement));
        };
        let nothing = OwnRules::default();
        let own = session.authority.own_rules.as_deref().unwrap_or(&nothing);
        if match_policy != MatchPolicy::Exact {
            self.config.check_pattern(uri, match_policy)?;
            return match rules.allow_all(own, action, uri, match_policy) {
                true => Ok(Grant::default()),
                false => Err(refused(&session.details.authrole, requirement)),
            };
        }
        if !rules.remembers(uri) {
            self.config.check_uri(uri)?;
        }
        match rules.for_uri(own, uri) {
            Some(rule)
                if rule.allow.allows(action)
                    && (!requirement.is_administrative() || rule.uri().starts_with("wamp.")) =>
            {
                Ok(Grant {
                    disclose: rule.discloses(action),
                })
            }
            _ => Err(refused(&session.details.authrole, requirement)),
        }
    }

    /// Makes the caller or publisher known, if it has to be: as if it had asked for that itself. So
    /// it goes wherever the request goes.
    fn disclose(&self, grant: Grant, message: &mut Message<'_>) {
        if !grant.disclose {
            return;
        }
        match message {
            Message::Call(call) if self.config.caller_disclosure != Disclosure::Denied => {
                call.options.disclose_me = true;
            }
            Message::Publish(publish) if self.config.publisher_disclosure != Disclosure::Denied => {
                publish.options.disclose_me = true;
            }
            _ => {}
        }
    }
}

/// Why a request is refused.
#[cold]
fn refused(authrole: &str, requirement: &Requirement<'_>) -> Refusal {
    let Requirement {
        action,
        uri,
        match_policy,
    } = requirement;
    let action = action.as_str();
    let message = match match_policy {
        MatchPolicy::Exact => format!("the role {authrole:?} may not {action} {uri:?}"),
        policy => format!(
            "the role {authrole:?} may not {action} all that {uri:?} can match (match policy: {})",
            policy.as_str()
        ),
    };
    Refusal::explained(error_uri::NOT_AUTHORIZED, message)
}

/// Answers a request with a refusal. A publication that wants no answer gets none.
pub(super) fn refuse(
    refusal: Refusal,
    from: SessionKey,
    message: &Message<'_>,
    outbox: &mut impl Outbox,
) {
    let (request_type, request) = match message {
        Message::Call(call) => (MessageType::Call, call.request),
        Message::Register(register) => (MessageType::Register, register.request),
        Message::Subscribe(subscribe) => (MessageType::Subscribe, subscribe.request),
        Message::Publish(publish) if publish.options.acknowledge => {
            (MessageType::Publish, publish.request)
        }
        _ => return,
    };
    refusal.send(from, request_type, request, outbox);
}
