//! What callees have registered and subscribers have subscribed to: records by id and by pattern.
//!
//! A pair of URI and match policy has one record, whichever sessions share it. Ids are 1, 2, 3, …
//! and never reused, so that a late request cannot mean a newer record.

use std::hash::Hash;

use hashbrown::HashMap;
use wampy_proto::{MatchPolicy, RegistrationId, SubscriptionId};

use crate::hash::RandomState;
use crate::pattern::PatternTable;

/// The id of a record.
pub(crate) trait RecordId: Copy + Eq + Hash + Ord {
    /// The first id.
    const FIRST: Self;
    /// The id after this one.
    fn following(self) -> Self;
    /// The id as a number.
    fn number(self) -> u64;
    /// The id with that number, if there is one.
    fn from_number(number: u64) -> Option<Self>;
}

macro_rules! record_ids {
    ($($id:ident),*) => {$(
        impl RecordId for $id {
            const FIRST: Self = Self::FIRST;

            fn following(self) -> Self {
                self.next()
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
    by_id: HashMap<I, Record<M>, RandomState>,
    next_id: I,
}

impl<I: RecordId, M> Records<I, M> {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            patterns: PatternTable::new(hash.clone()),
            by_id: HashMap::with_hasher(hash),
            next_id: I::FIRST,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&Record<M>> {
        self.by_id.get(&id)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut Record<M>> {
        self.by_id.get_mut(&id)
    }

    /// The record of exactly this URI and match policy.
    pub(crate) fn lookup(&self, uri: &str, match_policy: MatchPolicy) -> Option<I> {
        self.patterns.get(uri, match_policy)
    }

    /// Creates a record. There must be none for its URI and match policy.
    pub(crate) fn insert(&mut self, record: Record<M>) -> I {
        let id = self.next_id;
        self.next_id = id.following();
        self.patterns.insert(&record.uri, record.match_policy, id);
        self.by_id.insert(id, record);
        id
    }

    pub(crate) fn remove(&mut self, id: I) {
        if let Some(record) = self.by_id.remove(&id) {
            self.patterns.remove(&record.uri, record.match_policy);
        }
    }

    /// The record that a call of `uri` goes to.
    #[inline]
    pub(crate) fn best_match(&self, uri: &str) -> Option<I> {
        self.patterns.best_match(uri)
    }

    /// Hands every record that matches `uri` to `found`: exact, prefixes, wildcards.
    #[inline]
    pub(crate) fn for_each_match(&self, uri: &str, mut found: impl FnMut(I, &Record<M>)) {
        self.patterns.for_each_match(uri, |id| {
            if let Some(record) = self.by_id.get(&id) {
                found(id, record);
            }
        });
    }

    /// All records with their ids, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &Record<M>)> {
        self.by_id.iter().map(|(&id, record)| (id, record))
    }
}
