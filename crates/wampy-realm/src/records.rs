//! What callees have registered and subscribers have subscribed to: records by id and by pattern.
//!
//! A pair of URI and match policy has one record, whichever sessions share it. An id says where its
//! record is, so that finding one takes no search, and in which generation, so that a late request
//! does not mean a newer record.

use hashbrown::HashMap;
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

/// For how many URIs the patterns that match are remembered. Beyond that all is forgotten, as it is
/// when a pattern comes or goes.
const REMEMBERED_MAX: usize = 4096;
/// How many patterns of one URI are remembered; with more, looking them up is not what takes the time.
const REMEMBERED_PATTERNS_MAX: usize = 64;

/// The records of one kind.
#[derive(Debug)]
pub(crate) struct Records<I, M> {
    patterns: PatternTable<I>,
    slots: Slots<Record<M>>,
    /// Which prefixes and wildcards match a URI, in this order: walking the trees of many patterns
    /// takes longer than all the rest of a publication.
    remembered: HashMap<Box<str>, Box<[I]>, RandomState>,
}

impl<I: RecordId, M> Records<I, M> {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            patterns: PatternTable::new(hash.clone()),
            slots: Slots::new(),
            remembered: HashMap::with_hasher(hash),
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
            if record.match_policy != MatchPolicy::Exact {
                self.remembered.clear();
            }
        }
        id
    }

    pub(crate) fn remove(&mut self, id: I) {
        if let Some(record) = self.slots.remove(id.slot()) {
            self.patterns.remove(&record.uri, record.match_policy);
            if record.match_policy != MatchPolicy::Exact {
                self.remembered.clear();
            }
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
        &mut self,
        exact: Option<I>,
        uri: &str,
        mut found: impl FnMut(I, &Record<M>),
    ) {
        if let Some((id, record)) = exact.and_then(|id| Some((id, self.get(id)?))) {
            found(id, record);
        }
        if !self.patterns.has_patterns() {
            return;
        }
        let looked_up;
        let ids = match self.remembered.get(uri) {
            Some(ids) => ids,
            None => {
                looked_up = self.look_up(uri);
                &looked_up
            }
        };
        for &id in ids {
            if let Some(record) = self.slots.get(id.slot()) {
                found(id, record);
            }
        }
    }

    /// Hands the ids of the prefixes and wildcards that match `uri` to `found`, in this order.
    pub(crate) fn for_each_pattern(&self, uri: &str, found: impl FnMut(I)) {
        self.patterns.for_each_pattern(uri, found);
    }

    /// The patterns that match `uri`, which are remembered if they are not too many.
    #[cold]
    fn look_up(&mut self, uri: &str) -> Box<[I]> {
        let mut ids = Vec::new();
        self.for_each_pattern(uri, |id| ids.push(id));
        let ids: Box<[I]> = ids.into();
        if ids.len() <= REMEMBERED_PATTERNS_MAX {
            if self.remembered.len() == REMEMBERED_MAX {
                self.remembered.clear();
            }
            self.remembered.insert(uri.into(), ids.clone());
        }
        ids
    }

    /// All records with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &Record<M>)> {
        self.slots
            .iter()
            .map(|(slot, record)| (I::from_slot(slot), record))
    }
}
