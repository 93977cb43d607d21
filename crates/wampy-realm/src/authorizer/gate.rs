//! The gate: lets a request of a session through, or refuses it.

use wampy_proto::message::Publish;
use wampy_proto::{MatchPolicy, Message, MessageType, error_uri, uri};

use super::requirements::Requirement;
use super::{Action, Authorizer, Decider};
use crate::config::{Disclosure, RealmConfig};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm, Violation};
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::{Session, SessionKey};

/// What is allowed, and under which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grant {
    /// Whether the caller or publisher is made known.
    disclose: bool,
}

impl Grant {
    fn discloses_caller(self, config: &RealmConfig) -> bool {
        self.disclose && config.caller_disclosure != Disclosure::Denied
    }

    fn discloses_publisher(self, config: &RealmConfig) -> bool {
        self.disclose && config.publisher_disclosure != Disclosure::Denied
    }
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
        match self.admit(now, from, message) {
            Ok(grant) => {
                self.disclose(grant, message);
                self.route(now, from, message, outbox)
            }
            Err(refusal) => {
                if let Message::Call(call) = message
                    && call.options.progress
                {
                    self.note_progressive_call(from, call);
                }
                refuse(refusal, from, message, outbox);
                Ok(())
            }
        }
    }

    /// Whether a session may do what a message asks for.
    fn admit(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &Message<'_>,
    ) -> Result<Grant, Refusal> {
        let Some(session) = self.sessions.get(from) else {
            return Ok(Grant::default());
        };
        let Some(requirement) = Requirement::of(message) else {
            return Ok(Grant::default());
        };
        let Message::Call(call) = message else {
            return self.authorizer.decide(&self.config, session, &requirement);
        };
        if session.has_begun(call.request) {
            // It belongs to a call about which was decided.
            return Ok(Grant::default());
        }
        let grant = self
            .authorizer
            .decide(&self.config, session, &requirement)?;
        if uri::is_reserved(&call.procedure)
            && let Some(further) = self.further_requirement(now, call)
        {
            self.authorizer.decide(&self.config, session, &further)?;
        }
        Ok(grant)
    }

    /// Whether what a session that is gone left behind may be published, and as what it says.
    pub(crate) fn admit_testament(&mut self, gone: &Session, publish: &mut Publish<'_>) -> bool {
        if !self.authorizer.is_on() {
            return true;
        }
        let requirement = Requirement::new(Action::Publish, &publish.topic, MatchPolicy::Exact);
        match self.authorizer.decide(&self.config, gone, &requirement) {
            Ok(grant) => {
                publish.options.disclose_me |= grant.discloses_publisher(&self.config);
                true
            }
            Err(_) => false,
        }
    }

    /// Makes the caller or publisher known, if it has to be: as if it had asked for that itself. So
    /// it goes wherever the request goes.
    fn disclose(&self, grant: Grant, message: &mut Message<'_>) {
        match message {
            Message::Call(call) => {
                call.options.disclose_me |= grant.discloses_caller(&self.config);
            }
            Message::Publish(publish) => {
                publish.options.disclose_me |= grant.discloses_publisher(&self.config);
            }
            _ => {}
        }
    }
}

impl Authorizer {
    /// Whether a session may do something, by the permissions of its role.
    fn decide(
        &mut self,
        config: &RealmConfig,
        session: &Session,
        requirement: &Requirement<'_>,
    ) -> Result<Grant, Refusal> {
        let Requirement {
            action,
            ref uri,
            match_policy,
        } = *requirement;
        if matches!(action, Action::Register | Action::Publish) {
            check_not_reserved(uri)?;
        }
        let refused = || refused(&session.details.authrole, requirement);
        let Some(Decider::Rules(rules)) = self.decider(&session.authority) else {
            config.check_pattern(uri, match_policy)?;
            return Err(refused());
        };
        let own = session.authority.own_rules();
        if match_policy != MatchPolicy::Exact {
            config.check_pattern(uri, match_policy)?;
            return match rules.allow_all(own, action, uri, match_policy) {
                true => Ok(Grant::default()),
                false => Err(refused()),
            };
        }
        if !rules.remembers(uri) {
            config.check_uri(uri)?;
        }
        match rules.for_uri(own, uri) {
            Some(rule) if rule.allows(requirement) => Ok(Grant {
                disclose: rule.discloses(action),
            }),
            _ => Err(refused()),
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
