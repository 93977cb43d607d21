//! The authorizer: what the sessions of each role may do, decided before anything else is done with
//! a request.
//!
//! Without roles it costs one branch for each message. With roles every CALL, REGISTER, SUBSCRIBE and
//! PUBLISH passes the gate; other messages only refer to what was allowed before. `requirements` says
//! what a request needs, `rules` which permission decides about it, `gate` lets it through or not.
//!
//! Deliberately absent so far: authorizers that are procedures. The sessions of their roles may do
//! nothing.

mod coverage;
mod crossbar_syntax;
mod gate;
mod permission;
mod placeholder;
mod requirements;
mod role;
mod rules;

pub use permission::{Action, Allow, Disclose, Permission, PermissionError};
pub(crate) use requirements::Requirement;
pub use role::{Authorization, RealmRole, RealmRoles, RoleError};

use crate::config::RealmConfig;
use crate::hash::RandomState;
use crate::session::SessionDetails;
use rules::{OwnRules, Rules};

/// The roles of a realm, ready to be asked.
#[derive(Debug)]
pub(crate) struct Authorizer {
    roles: RealmRoles,
    deciders: Vec<Decider>,
}

/// What decides for a role.
#[derive(Debug)]
enum Decider {
    Rules(Box<Rules>),
    Procedure,
}

/// What decides for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Standing {
    /// Its role is not among those of the realm: it may do nothing.
    #[default]
    Unlisted,
    /// The role at this place.
    Role(u32),
}

/// What only the sessions of a realm with roles have.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    standing: Standing,
    /// Present if there are any.
    own_rules: Option<Box<OwnRules>>,
}

/// Of those sessions that have none.
static NO_RULES: OwnRules = OwnRules::NONE;

impl Authority {
    fn own_rules(&self) -> &OwnRules {
        self.own_rules.as_deref().unwrap_or(&NO_RULES)
    }
}

impl Authorizer {
    pub(crate) fn new(config: &RealmConfig, hash: &RandomState) -> Self {
        let roles = config.roles.clone();
        let remembered_max = config.remembered_decisions_per_role_max;
        let decider = |role: &RealmRole| match role.authorization() {
            Authorization::Permissions(permissions) => {
                let rules = Rules::new(permissions, remembered_max, hash);
                Decider::Rules(Box::new(rules))
            }
            Authorization::Authorizer(_) => Decider::Procedure,
        };
        let deciders = roles.iter().map(decider).collect();
        Self { roles, deciders }
    }

    /// Whether there are roles, so that not everybody may do everything.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        !self.deciders.is_empty()
    }

    /// What decides for a session's role, if the realm has that role.
    #[inline]
    fn decider(&mut self, authority: &Authority) -> Option<&mut Decider> {
        match authority.standing {
            Standing::Unlisted => None,
            Standing::Role(at) => self.deciders.get_mut(at as usize),
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
        Authority {
            standing: Standing::Role(at),
            own_rules: (!own_rules.is_empty()).then(|| Box::new(own_rules)),
        }
    }
}
