//! The gate: lets a request of a session through, or refuses it.

use wampy_proto::message::Publish;
use wampy_proto::{MatchPolicy, Message, error_uri, uri};

use super::requirements::Requirement;
use super::{Action, Authorizer, Decider};
use crate::config::{Disclosure, RealmConfig};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm, Violation};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};

/// What is allowed, and under which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grant {
    /// Whether the caller or publisher is made known.
    pub(super) disclose: bool,
}

/// What authorizers have granted of what a request needs: the request itself, and what a procedure of
/// the meta API needs besides.
pub(super) type Answered = [Option<Grant>; 2];

/// No authorizer was asked yet.
pub(super) const NOT_ASKED: Answered = [None; 2];

/// What became of a message at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handled {
    /// It was let through, or refused.
    Done,
    /// An authorizer has to be asked about the requirement at `place`.
    MustAsk { place: usize },
}

/// What is known about a message.
enum Verdict {
    Granted(Grant),
    /// An authorizer has to be asked about the requirement at `place`.
    MustAsk {
        place: usize,
    },
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
        if self.authorizer.asks() {
            return self.listening(now, outbox, |realm, outbox| {
                realm.handle_or_wait(now, from, message, outbox)
            });
        }
        // Without authorizers there is nothing to wait for.
        self.handle_once(now, from, message, &NOT_ASKED, outbox)?;
        Ok(())
    }

    /// Handles a message of the router's own session in a realm that has roles: it may do everything,
    /// but what it does may end what authorizers were asked.
    #[cold]
    pub(crate) fn handle_of_router(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        self.listening(now, outbox, |realm, outbox| {
            realm.route(now, from, message, outbox)
        })
    }

    /// Lets a message through or refuses it, if that can be decided.
    pub(super) fn handle_once(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        answered: &Answered,
        outbox: &mut impl Outbox,
    ) -> Result<Handled, Violation> {
        match self.admit(now, from, message, answered) {
            Ok(Verdict::Granted(grant)) => {
                self.disclose(grant, message);
                self.route(now, from, message, outbox)?;
            }
            Ok(Verdict::MustAsk { place }) => return Ok(Handled::MustAsk { place }),
            Err(refusal) => self.refuse(refusal, from, message, outbox),
        }
        Ok(Handled::Done)
    }

    /// Whether a session may do what a message asks for.
    fn admit(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &Message<'_>,
        answered: &Answered,
    ) -> Result<Verdict, Refusal> {
        let passes = self.sessions.get(from).is_none_or(|session| {
            session.authority.is_trusted() || belongs_to_earlier_call(session, message)
        });
        let mut granted = Grant::default();
        if passes {
            return Ok(Verdict::Granted(granted));
        }
        for (place, answer) in answered.iter().enumerate() {
            let grant = match *answer {
                Some(grant) => grant,
                None => {
                    let Some(requirement) = self.requirement(now, message, place) else {
                        break;
                    };
                    match self.decide(now, from, &requirement)? {
                        Some(grant) => grant,
                        None => return Ok(Verdict::MustAsk { place }),
                    }
                }
            };
            if place == 0 {
                granted = grant;
            }
        }
        Ok(Verdict::Granted(granted))
    }

    /// What a message needs: the first of its requirements, or what it needs besides.
    #[inline]
    pub(super) fn requirement<'m>(
        &self,
        now: Now,
        message: &'m Message<'_>,
        place: usize,
    ) -> Option<Requirement<'m>> {
        match message {
            _ if place == 0 => Requirement::of(message),
            Message::Call(call) if uri::is_reserved(&call.procedure) => {
                self.further_requirement(now, call)
            }
            _ => None,
        }
    }

    /// Whether a session may do something, if that is known without asking an authorizer.
    pub(super) fn decide(
        &mut self,
        now: Now,
        from: SessionKey,
        requirement: &Requirement<'_>,
    ) -> Result<Option<Grant>, Refusal> {
        let Some(session) = self.sessions.get(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        if !self.authorizer.is_on() {
            // What has waited for an authorizer, in a realm that has no roles any more.
            return Ok(Some(Grant::default()));
        }
        let Some(procedure) = self.authorizer.procedure(&session.authority) else {
            let decided = self.authorizer.decide(&self.config, session, requirement);
            return decided.map(Some);
        };
        requirement.check(&self.config)?;
        if let Some(answer) = session.authority.answer(now, requirement) {
            let refused = || refused(&session.details.authrole, requirement);
            return answer.map(Some).ok_or_else(refused);
        }
        // Whoever answers for a role is not asked about itself.
        let registration = self.authorizer_registration(procedure);
        let is_authorizer = registration.is_some_and(|id| session.registrations.contains(&id));
        Ok(is_authorizer.then(Grant::default))
    }

    /// Whether a session sees that there is something: what its role may do one of these actions with.
    /// Where a procedure decides for its role, that has let it ask, and it sees everything.
    pub(crate) fn sees(
        &self,
        session: &Session,
        actions: [Action; 2],
        uri: &str,
        match_policy: MatchPolicy,
    ) -> bool {
        if !self.authorizer.is_on() || session.authority.is_trusted() {
            return true;
        }
        let Some(decider) = self.authorizer.decider_of(&session.authority) else {
            return false;
        };
        let Decider::Rules(rules) = decider else {
            return true;
        };
        let own = session.authority.own_rules();
        actions
            .into_iter()
            .any(|action| rules.allow_all(own, action, uri, match_policy))
    }

    /// Whether what a session that is gone left behind may be published, and as what it says.
    pub(crate) fn admit_testament(&mut self, gone: &Session, publish: &mut Publish<'_>) -> bool {
        if !self.authorizer.is_on() {
            return true;
        }
        if gone.authority.is_trusted() || self.authorizer.procedure(&gone.authority).is_some() {
            // An authorizer was asked when it was added.
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
        let refused = || refused(&session.details.authrole, requirement);
        let Some(Decider::Rules(rules)) = self.decider(&session.authority) else {
            requirement.check(config)?;
            return Err(refused());
        };
        let own = session.authority.own_rules();
        if match_policy != MatchPolicy::Exact {
            requirement.check(config)?;
            return match rules.allow_all(own, action, uri, match_policy) {
                true => Ok(Grant::default()),
                false => Err(refused()),
            };
        }
        let remembered = rules.remembered(uri);
        if remembered.is_none() {
            config.check_uri(uri)?;
        }
        requirement.check_not_reserved()?;
        match rules.for_uri(own, uri, remembered) {
            Some(rule) if rule.allows(requirement) => Ok(Grant {
                disclose: rule.discloses(action),
            }),
            _ => Err(refused()),
        }
    }
}

/// Why a request is refused.
#[cold]
pub(super) fn refused(authrole: &str, requirement: &Requirement<'_>) -> Refusal {
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

impl Realm {
    /// Answers a request with a refusal. A publication that wants no answer gets none.
    pub(super) fn refuse(
        &mut self,
        refusal: Refusal,
        from: SessionKey,
        message: &Message<'_>,
        outbox: &mut impl Outbox,
    ) {
        let request = match message {
            Message::Call(call) => {
                if call.options.progress {
                    self.note_progressive_call(from, call.request);
                }
                call.request
            }
            Message::Register(register) => register.request,
            Message::Unregister(unregister) => unregister.request,
            Message::Subscribe(subscribe) => subscribe.request,
            Message::Unsubscribe(unsubscribe) => unsubscribe.request,
            Message::Publish(publish) if publish.options.acknowledge => publish.request,
            _ => return,
        };
        refusal.send(from, message.message_type(), request, outbox);
    }
}

/// Whether a message belongs to a call about which was decided.
fn belongs_to_earlier_call(session: &Session, message: &Message<'_>) -> bool {
    matches!(message, Message::Call(call) if session.has_begun(call.request))
}
