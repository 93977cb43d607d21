//! Shared Registration: several callees of one registration, and which of them gets a call.

use wampy_proto::message::InvocationPolicy;

use crate::random::Random;
use crate::session::SessionKey;

/// The callees of a registration, in the order in which they registered.
#[derive(Debug)]
pub(crate) struct Callees {
    pub(crate) policy: InvocationPolicy,
    pub(crate) list: Vec<Callee>,
    /// Whose turn it is (`roundrobin`).
    turn: usize,
}

/// A callee of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Callee {
    pub(crate) session: SessionKey,
    /// Whether it asked to learn who calls.
    pub(crate) disclose_caller: bool,
    /// Whether it minds the time limits of calls itself.
    pub(crate) forward_timeout: bool,
}

impl Callees {
    pub(crate) const fn new(policy: InvocationPolicy) -> Self {
        Self {
            policy,
            list: Vec::new(),
            turn: 0,
        }
    }

    /// Whether a callee that wants `policy` may join.
    pub(super) fn takes(&self, session: SessionKey, policy: InvocationPolicy) -> bool {
        policy == self.policy
            && (policy != InvocationPolicy::Single || self.list.is_empty())
            && self.list.iter().all(|callee| callee.session != session)
    }

    /// Takes a callee away; the turns of the others stay.
    pub(super) fn remove(&mut self, session: SessionKey) {
        let Some(position) = self
            .list
            .iter()
            .position(|callee| callee.session == session)
        else {
            return;
        };
        self.list.remove(position);
        if position < self.turn {
            self.turn -= 1;
        }
    }

    /// The callee that gets the next call: by the policy the first that has room.
    pub(super) fn choose(
        &mut self,
        random: &mut Random,
        has_room: impl Fn(&Callee) -> bool,
    ) -> Option<Callee> {
        let len = self.list.len();
        let start = match self.policy {
            InvocationPolicy::Single | InvocationPolicy::First => 0,
            InvocationPolicy::Last => {
                return self
                    .list
                    .iter()
                    .rev()
                    .find(|callee| has_room(callee))
                    .copied();
            }
            InvocationPolicy::RoundRobin => self.turn,
            InvocationPolicy::Random => random.below(len),
        };
        let position = (start..len)
            .chain(0..start.min(len))
            .find(|&at| has_room(&self.list[at]))?;
        self.turn = (position + 1) % len;
        Some(self.list[position])
    }
}
