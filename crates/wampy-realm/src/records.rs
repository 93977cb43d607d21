//! What callees have registered and subscribers have subscribed to: records by id and by pattern.
//!
//! A pair of URI and match policy has one record, whichever sessions share it. An id says where its
//! record is, so that finding one takes no search, and in which generation, so that a late request
//! does not mean a newer record. So what is remembered of ids needs no care: an id of a record that is
//! gone finds nothing.

use hashbrown::HashMap;
use wampy_proto::{MatchPolicy, RegistrationId, SubscriptionId};

use crate::hash::RandomState;
use crate::pattern::PatternTable;
use crate::recent::{self, Recent};
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

/// For how many URIs without an exact record the patterns that match are remembered. Beyond that all is
/// forgotten, as it is when a pattern comes or goes.
const REMEMBERED_MAX: usize = 4096;
/// How many patterns of one URI are remembered; with more, looking them up is not what takes the time.
const REMEMBERED_PATTERNS_MAX: usize = 64;

/// The records of one kind.
///
/// Walking the trees of many patterns takes longer than all the rest of a publication, so it is
/// remembered which prefixes and wildcards match a URI, in this order: beside the exact record of the
/// URI, or by the URI where there is none.
#[derive(Debug)]
pub(crate) struct Records<I, M> {
    patterns: PatternTable<I>,
    slots: Slots<Place<I, M>>,
    /// Exact records that were looked for.
    recent: Recent<I>,
    remembered: HashMap<Box<str>, Box<[I]>, RandomState>,
    /// How often patterns came or went, and 1.
    pattern_changes: u64,
}

/// A record, and what else matches its URI if it is an exact one.
#[derive(Debug)]
struct Place<I, M> {
    record: Record<M>,
    patterns: Box<[I]>,
    /// After which change of patterns these were looked up; 0 if never.
    looked_up_after: u64,
}

impl<I: RecordId, M> Records<I, M> {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            patterns: PatternTable::new(hash.clone()),
            slots: Slots::new(),
            recent: Recent::new(),
            remembered: HashMap::with_hasher(hash),
            pattern_changes: 1,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(crate) fn get(&self, id: I) -> Option<&Record<M>> {
        self.slots.get(id.slot()).map(|place| &place.record)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut Record<M>> {
        self.slots.get_mut(id.slot()).map(|place| &mut place.record)
    }

    /// The record of exactly this URI and match policy.
    #[inline]
    pub(crate) fn lookup(&self, uri: &str, match_policy: MatchPolicy) -> Option<I> {
        self.patterns.get(uri, match_policy)
    }

    /// The record with the match policy `exact` of a URI that is likely to be asked for again.
    #[inline]
    pub(crate) fn exact(&mut self, uri: &str) -> Option<I> {
        let tag = recent::tag(uri);
        if let Some(id) = self.recent.get(tag)
            && let Some(record) = self.get(id)
            && record.match_policy == MatchPolicy::Exact
            && *record.uri == *uri
        {
            return Some(id);
        }
        self.look_up_exact(tag, uri)
    }

    #[inline(never)]
    fn look_up_exact(&mut self, tag: u64, uri: &str) -> Option<I> {
        let id = self.lookup(uri, MatchPolicy::Exact)?;
        self.recent.set(tag, id);
        Some(id)
    }

    /// Creates a record. There must be none for its URI and match policy.
    pub(crate) fn insert(&mut self, record: Record<M>) -> I {
        let slot = self.slots.insert(Place {
            record,
            patterns: Box::default(),
            looked_up_after: 0,
        });
        let id = I::from_slot(slot);
        if let Some(Place { record, .. }) = self.slots.get(slot) {
            self.patterns.insert(&record.uri, record.match_policy, id);
            if record.match_policy != MatchPolicy::Exact {
                self.forget_patterns();
            }
        }
        id
    }

    pub(crate) fn remove(&mut self, id: I) {
        if let Some(Place { record, .. }) = self.slots.remove(id.slot()) {
            self.patterns.remove(&record.uri, record.match_policy);
            if record.match_policy != MatchPolicy::Exact {
                self.forget_patterns();
            }
        }
    }

    /// Whether it is remembered which patterns match a URI without an exact record, so that its form
    /// is known to be right.
    #[inline]
    pub(crate) fn remembers(&self, uri: &str) -> bool {
        self.patterns.has_patterns() && self.remembered.contains_key(uri)
    }

    /// Forgets which patterns match: one has come or gone, or other URIs are well formed now.
    pub(crate) fn forget_patterns(&mut self) {
        self.remembered.clear();
        self.pattern_changes += 1;
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
        let looked_up;
        let patterns: &[I] = if !self.patterns.has_patterns() {
            &[]
        } else {
            match self.remembered_patterns(exact, uri) {
                Some(patterns) => patterns,
                None => {
                    looked_up = self.look_up_patterns(exact, uri);
                    &looked_up
                }
            }
        };
        for &id in exact.iter().chain(patterns) {
            if let Some(record) = self.get(id) {
                found(id, record);
            }
        }
    }

    /// An exact record, if it is known that no prefix or wildcard matches its URI.
    #[inline]
    pub(crate) fn only_match(&self, exact: I) -> Option<&Record<M>> {
        let place = self.slots.get(exact.slot())?;
        let is_only = !self.patterns.has_patterns()
            || (place.patterns.is_empty() && place.looked_up_after == self.pattern_changes);
        is_only.then_some(&place.record)
    }

    /// What is remembered of the prefixes and wildcards that match `uri`.
    fn remembered_patterns(&self, exact: Option<I>, uri: &str) -> Option<&[I]> {
        match exact.and_then(|id| self.slots.get(id.slot())) {
            Some(place) if place.looked_up_after == self.pattern_changes => Some(&place.patterns),
            Some(_) => None,
            None => self.remembered.get(uri).map(|patterns| &**patterns),
        }
    }

    /// Hands the ids of the prefixes and wildcards that match `uri` to `found`, in this order.
    pub(crate) fn for_each_pattern(&self, uri: &str, found: impl FnMut(I)) {
        self.patterns.for_each_pattern(uri, found);
    }

    /// The patterns that match `uri`, which are remembered if they are not too many.
    #[cold]
    fn look_up_patterns(&mut self, exact: Option<I>, uri: &str) -> Box<[I]> {
        let mut ids = Vec::new();
        self.for_each_pattern(uri, |id| ids.push(id));
        let ids: Box<[I]> = ids.into();
        if ids.len() > REMEMBERED_PATTERNS_MAX {
            return ids;
        }
        if let Some(place) = exact.and_then(|id| self.slots.get_mut(id.slot())) {
            place.patterns = ids.clone();
            place.looked_up_after = self.pattern_changes;
            return ids;
        }
        if self.remembered.len() == REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(uri.into(), ids.clone());
        ids
    }

    /// All records with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &Record<M>)> {
        self.slots
            .iter()
            .map(|(slot, place)| (I::from_slot(slot), &place.record))
    }
}
