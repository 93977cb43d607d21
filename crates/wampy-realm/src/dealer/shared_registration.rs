//! Shared Registration: several callees of one registration, and which of them gets a call.

use wampy_proto::message::InvocationPolicy;

use super::registration_concurrency::WaitingCalls;
use super::sharded_registration::Shard;
use crate::random::Random;
use crate::session::SessionKey;

/// The callees of a registration, in the order in which they registered.
#[derive(Debug)]
pub(crate) struct Callees {
    pub(crate) policy: InvocationPolicy,
    pub(crate) list: Vec<Callee>,
    /// Whose turn it is (`roundrobin`).
    turn: usize,
    /// The calls that wait until one of the callees is free; `None` where none does.
    pub(crate) waiting: Option<Box<WaitingCalls>>,
}

/// A callee of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Callee {
    pub(crate) session: SessionKey,
    /// Whether it asked to learn who calls.
    pub(crate) disclose_caller: bool,
    /// Whether it minds the time limits of calls itself.
    pub(crate) forward_timeout: bool,
    /// How many calls of this registration it takes at once (`concurrency`).
    pub(crate) concurrency: Option<u32>,
    /// How many it has, if it limits them.
    pub(crate) running: u32,
    /// What its partition is called, as a hash (`rendezvous`).
    pub(crate) node: u64,
}

/// Who gets a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The callee at this place.
    Callee(usize),
    /// Somebody who is busy: the call waits.
    Wait,
    /// Nobody can take it.
    Nobody,
}

impl Callee {
    /// Whether its `concurrency` leaves room for another call.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        self.concurrency
            .is_none_or(|concurrency| self.running < concurrency)
    }

    /// Whether it takes any number of calls, and wants to know nothing of them.
    #[inline]
    pub(super) const fn is_usual(&self) -> bool {
        self.concurrency.is_none() && !self.disclose_caller && !self.forward_timeout
    }
}

impl Callees {
    pub(crate) const fn new(policy: InvocationPolicy) -> Self {
        Self {
            policy,
            list: Vec::new(),
            turn: 0,
            waiting: None,
        }
    }

    /// Whether a callee that wants `policy` may join.
    pub(super) fn takes(&self, session: SessionKey, policy: InvocationPolicy) -> bool {
        policy == self.policy
            && (policy != InvocationPolicy::Single || self.list.is_empty())
            && self.list.iter().all(|callee| callee.session != session)
    }

    /// Whether it is the first callee's turn, as it is after a call of the only one.
    #[inline]
    pub(super) const fn has_first_turn(&self) -> bool {
        self.turn == 0
    }

    pub(super) fn callee_mut(&mut self, session: SessionKey) -> Option<&mut Callee> {
        self.list
            .iter_mut()
            .find(|callee| callee.session == session)
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

    /// Who gets a call: by the policy the first callee that suits. One that is busy is passed over by
    /// `roundrobin` and `random` only: the others name one callee.
    #[inline]
    pub(super) fn choose(
        &mut self,
        random: &mut Random,
        shard: Option<Shard>,
        suits: impl Fn(&Callee) -> bool,
    ) -> Choice {
        match (&*self.list, shard) {
            // Of most procedures there is one callee, with which all policies are the same.
            ([callee], None) if suits(callee) => {
                if !callee.is_free() {
                    return Choice::Wait;
                }
                self.turn = 0;
                Choice::Callee(0)
            }
            ([_], None) => Choice::Nobody,
            _ => self.choose_among(random, shard, suits),
        }
    }

    /// Who of several callees gets a call.
    #[inline(never)]
    fn choose_among(
        &mut self,
        random: &mut Random,
        shard: Option<Shard>,
        suits: impl Fn(&Callee) -> bool,
    ) -> Choice {
        if let Some(shard) = shard {
            let owner = shard.owner(&self.list);
            return match owner.filter(|&at| suits(&self.list[at])) {
                Some(at) => self.take_or_wait(at),
                None => Choice::Nobody,
            };
        }
        let len = self.list.len();
        let start = match self.policy {
            InvocationPolicy::Single | InvocationPolicy::First => {
                let first = self.list.iter().position(suits);
                return first.map_or(Choice::Nobody, |at| self.take_or_wait(at));
            }
            InvocationPolicy::Last => {
                let last = self.list.iter().rposition(suits);
                return last.map_or(Choice::Nobody, |at| self.take_or_wait(at));
            }
            InvocationPolicy::RoundRobin => self.turn,
            InvocationPolicy::Random => random.below(len),
        };
        let mut somebody = false;
        for at in (start..len).chain(0..start.min(len)) {
            let callee = &self.list[at];
            if !suits(callee) {
                continue;
            }
            if callee.is_free() {
                self.turn = (at + 1) % len;
                return Choice::Callee(at);
            }
            somebody = true;
        }
        if somebody {
            Choice::Wait
        } else {
            Choice::Nobody
        }
    }

    #[inline]
    fn take_or_wait(&self, at: usize) -> Choice {
        if self.list[at].is_free() {
            Choice::Callee(at)
        } else {
            Choice::Wait
        }
    }
}
