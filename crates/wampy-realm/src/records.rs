//! What callees have registered and subscribers have subscribed to: records by id and by pattern.
//!
//! A pair of URI and match policy has one record, whichever sessions share it. An id says where its
//! record is, so that finding one takes no search, and in which generation, so that a late request
//! does not mean a newer record.

use wampy_proto::{MatchPolicy, RegistrationId, SubscriptionId};

use crate::hash::RandomState;
use crate::pattern::PatternTable;
use crate::slots::{Slot, Slots};

/// The id of a record: its slot's number, and 1.
pub(crate) trait RecordId: Copy + Eq + Ord {
    /// The id of the record in that slot.
    fn from_slot(slot: Slot) -> Self;
    /// The slot of the record with this id.
    fn slot(self) -> Slot;
    /// The id as a number.
    fn number(self) -> u64;
    /// The id with that number, if there is one.
    fn from_number(number: u64) -> Option<Self>;
}

macro_rules! record_ids {
    ($($id:ident),*) => {$(
        impl RecordId for $id {
            fn from_slot(slot: Slot) -> Self {
                // Slots have 53 bits, and so become ids one by one.
                Self::from_random_bits(slot.number())
            }

            fn slot(self) -> Slot {
                Slot::from_number(self.value() - 1)
            }

            fn number(self) -> u64 {
                self.value()
            }

            fn from_number(number: u64) -> Option<Self> {
                Self::try_from(number).ok()
            }
        }
    )*};
}
record_ids!(RegistrationId, SubscriptionId);

/// A registration or subscription; `M` holds its members.
#[derive(Debug)]
pub(crate) struct Record<M> {
    /// The procedure, topic or pattern.
    pub(crate) uri: Box<str>,
    pub(crate) match_policy: MatchPolicy,
    /// When it was created, in milliseconds since 1970.
    pub(crate) created_unix_ms: u64,
    pub(crate) members: M,
}

/// The records of one kind.
#[derive(Debug)]
pub(crate) struct Records<I, M> {
    patterns: PatternTable<I>,
    slots: Slots<Record<M>>,
}

impl<I: RecordId, M> Records<I, M> {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            patterns: PatternTable::new(hash),
            slots: Slots::new(),
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&Record<M>> {
        self.slots.get(id.slot())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut Record<M>> {
        self.slots.get_mut(id.slot())
    }

    /// The record of exactly this URI and match policy.
    #[inline]
    pub(crate) fn lookup(&self, uri: &str, match_policy: MatchPolicy) -> Option<I> {
        self.patterns.get(uri, match_policy)
    }

    /// Creates a record. There must be none for its URI and match policy.
    pub(crate) fn insert(&mut self, record: Record<M>) -> I {
        let slot = self.slots.insert(record);
        let id = I::from_slot(slot);
        if let Some(record) = self.slots.get(slot) {
            self.patterns.insert(&record.uri, record.match_policy, id);
        }
        id
    }

    pub(crate) fn remove(&mut self, id: I) {
        if let Some(record) = self.slots.remove(id.slot()) {
            self.patterns.remove(&record.uri, record.match_policy);
        }
    }

    /// The record whose pattern a call of `uri` goes to, where there is no exact one.
    #[inline]
    pub(crate) fn best_pattern(&self, uri: &str) -> Option<I> {
        self.patterns.best_pattern(uri)
    }

    /// Hands every record that matches `uri` to `found`: `exact`, which was looked up before, then
    /// prefixes and wildcards.
    #[inline]
    pub(crate) fn for_each_match(
        &self,
        exact: Option<I>,
        uri: &str,
        mut found: impl FnMut(I, &Record<M>),
    ) {
        let mut found = |id| {
            if let Some(record) = self.get(id) {
                found(id, record);
            }
        };
        if let Some(exact) = exact {
            found(exact);
        }
        self.patterns.for_each_pattern(uri, found);
    }

    /// All records with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &Record<M>)> {
        self.slots
            .iter()
            .map(|(slot, record)| (I::from_slot(slot), record))
    }
}
