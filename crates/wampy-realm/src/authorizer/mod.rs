//! The authorizer: what the sessions of each role may do, decided before anything else is done with
//! a request.
//!
//! Without roles it costs one branch for each message. With roles every CALL, REGISTER, SUBSCRIBE and
//! PUBLISH passes the gate; other messages only refer to what was allowed before. `requirements` says
//! what a request needs, `rules` which permission decides about it, `gate` lets it through or not.
//!
//! Where a procedure decides, `asking` calls it, `question` is what it is asked and answers,
//! `waiting` what its session asks for meanwhile, `resuming` what becomes of that, `answers` what may
//! be remembered. `role_change` is for new roles in a realm with sessions.
//!
//! Deliberately absent: `on_authorization_denied`, a meta event of the specification's catalog: who
//! is refused learns it, and nobody else has to.

mod answers;
mod asking;
mod coverage;
mod crossbar_syntax;
mod gate;
mod permission;
mod placeholder;
mod question;
mod requirements;
mod resuming;
mod role;
mod role_change;
mod rules;
mod waiting;

pub use permission::{Action, Allow, Disclose, Permission, PermissionError};
pub(crate) use requirements::Requirement;
pub use role::{Authorization, RealmRole, RealmRoles, RoleError};

use wampy_proto::RequestId;

use crate::config::RealmConfig;
use crate::hash::RandomState;
use crate::realm::{Now, Realm};
use crate::session::{Session, SessionDetails, SessionKey};
use answers::Answers;
use asking::Asking;
use gate::Grant;
use rules::{OwnRules, Rules};
use waiting::Waiting;

/// The roles of a realm, ready to be asked.
#[derive(Debug)]
pub(crate) struct Authorizer {
    roles: RealmRoles,
    deciders: Vec<Decider>,
    hash: RandomState,
    asking: Asking,
}

/// What decides for a role.
#[derive(Debug)]
enum Decider {
    Rules(Box<Rules>),
    Procedure(Box<str>),
}

/// What decides for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Standing {
    /// Its role is not among those of the realm: it may do nothing.
    #[default]
    Unlisted,
    /// It is the router's own: it may do everything.
    Trusted,
    /// The role at this place.
    Role(u32),
}

/// What decides for a session, and what it waits for.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    standing: Standing,
    rare: Option<Box<RareAuthority>>,
}

/// What not all sessions have.
#[derive(Debug)]
struct RareAuthority {
    own_rules: OwnRules,
    answers: Answers,
    waiting: Option<Waiting>,
}

/// Of those sessions that have none.
static NO_RULES: OwnRules = OwnRules::NONE;

impl Default for RareAuthority {
    fn default() -> Self {
        Self {
            own_rules: OwnRules::NONE,
            answers: Answers::default(),
            waiting: None,
        }
    }
}

impl Authority {
    /// Of the router's own sessions.
    pub(crate) const TRUSTED: Self = Self {
        standing: Standing::Trusted,
        rare: None,
    };

    fn is_trusted(&self) -> bool {
        self.standing == Standing::Trusted
    }

    fn own_rules(&self) -> &OwnRules {
        self.rare.as_ref().map_or(&NO_RULES, |rare| &rare.own_rules)
    }

    fn answer(&self, now: Now, requirement: &Requirement<'_>) -> Option<Option<Grant>> {
        self.rare.as_ref()?.answers.get(now, requirement)
    }

    fn remember(
        &mut self,
        now: Now,
        requirement: &Requirement<'_>,
        grant: Option<Grant>,
        config: &RealmConfig,
    ) {
        self.rare.get_or_insert_default().answers.remember(
            now,
            requirement,
            grant,
            config.authorizer_answer_lifetime_ms,
            config.authorizer_answers_per_session_max,
        );
    }

    fn waiting(&self) -> Option<&Waiting> {
        self.rare.as_ref()?.waiting.as_ref()
    }

    fn waiting_mut(&mut self) -> Option<&mut Waiting> {
        self.rare.as_mut()?.waiting.as_mut()
    }

    fn set_waiting(&mut self, waiting: Waiting) {
        self.rare.get_or_insert_default().waiting = Some(waiting);
    }

    fn take_waiting(&mut self) -> Option<Waiting> {
        self.rare.as_mut()?.waiting.take()
    }

    /// The question that an authorizer has not answered yet.
    pub(crate) fn question(&self) -> Option<RequestId> {
        self.waiting().map(|waiting| waiting.question)
    }
}

impl Authorizer {
    pub(crate) fn new(config: &RealmConfig, hash: RandomState) -> Self {
        let mut authorizer = Self {
            roles: RealmRoles::default(),
            deciders: Vec::new(),
            hash,
            asking: Asking::default(),
        };
        authorizer.set_roles(config);
        authorizer
    }

    fn set_roles(&mut self, config: &RealmConfig) {
        let remembered_max = config.remembered_decisions_per_role_max;
        let decider = |role: &RealmRole| match role.authorization() {
            Authorization::Permissions(permissions) => {
                let rules = Rules::new(permissions, remembered_max, &self.hash);
                Decider::Rules(Box::new(rules))
            }
            Authorization::Authorizer(procedure) => Decider::Procedure(procedure.clone()),
        };
        self.deciders = config.roles.iter().map(decider).collect();
        self.roles = config.roles.clone();
    }

    /// Whether there are roles, so that not everybody may do everything.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        !self.deciders.is_empty()
    }

    /// Whether a procedure decides for some role.
    fn has_procedures(&self) -> bool {
        let is_procedure = |it: &Decider| matches!(it, Decider::Procedure(_));
        self.deciders.iter().any(is_procedure)
    }

    /// Whether answers may come, so that the realm has to listen.
    #[inline]
    pub(crate) fn asks(&self) -> bool {
        self.asking.session.is_some()
    }

    /// How many questions were not answered yet.
    pub(crate) fn questions(&self) -> usize {
        self.asking.len()
    }

    /// When the next question has waited for too long.
    pub(crate) fn next_timeout_ms(&self) -> Option<u64> {
        self.asking.next_ms()
    }

    /// What decides for a session's role, if the realm has that role.
    #[inline]
    fn decider(&mut self, authority: &Authority) -> Option<&mut Decider> {
        match authority.standing {
            Standing::Unlisted | Standing::Trusted => None,
            Standing::Role(at) => self.deciders.get_mut(at as usize),
        }
    }

    /// The same, to look at.
    fn decider_of(&self, authority: &Authority) -> Option<&Decider> {
        match authority.standing {
            Standing::Unlisted | Standing::Trusted => None,
            Standing::Role(at) => self.deciders.get(at as usize),
        }
    }

    /// The procedure that decides for a session's role, if one does.
    #[inline]
    fn procedure(&self, authority: &Authority) -> Option<&str> {
        match authority.standing {
            Standing::Role(at) => match self.deciders.get(at as usize) {
                Some(Decider::Procedure(procedure)) => Some(procedure),
                _ => None,
            },
            Standing::Unlisted | Standing::Trusted => None,
        }
    }

    /// What decides for a session.
    pub(crate) fn authority(&self, session: &SessionDetails) -> Authority {
        let mut roles = self.roles.iter().zip(0..);
        let Some((_, at)) = roles.find(|(role, _)| role.name() == &*session.authrole) else {
            return Authority::default();
        };
        let own_rules = match self.deciders.get(at as usize) {
            Some(Decider::Rules(rules)) => rules.own(session),
            _ => OwnRules::NONE,
        };
        let rare = (!own_rules.is_empty()).then(|| {
            Box::new(RareAuthority {
                own_rules,
                ..RareAuthority::default()
            })
        });
        Authority {
            standing: Standing::Role(at),
            rare,
        }
    }
}

impl Realm {
    /// Checks that questions and waiting sessions refer to each other.
    pub(crate) fn check_waiting(&self, key: SessionKey, session: &Session) -> Result<(), String> {
        let Some(waiting) = session.authority.waiting() else {
            return Ok(());
        };
        let asking = &self.authorizer.asking;
        let asker = asking.session.and_then(|asker| self.sessions.get(asker));
        let asks = asker.is_some_and(|asker| asker.calls.get(waiting.question).is_some());
        if !asks || !asking.is_about(waiting.question, key) {
            return Err(format!("{key:?} waits, but nobody is asked: {waiting:?}"));
        }
        waiting.queue.check()
    }

    /// Checks that nobody is asked about a session that does not wait for it.
    pub(crate) fn check_questions(&self) -> Result<(), String> {
        let waits = |session: &Session| session.authority.waiting().is_some();
        let waiting = self.sessions.iter().filter(|(_, it)| waits(it)).count();
        let questions = self.authorizer.questions();
        match waiting == questions {
            true => Ok(()),
            false => Err(format!("{waiting} sessions wait for {questions} answers")),
        }
    }
}
