//! The events that a realm keeps, by topic and in the order in which they were published: retained
//! ones, or those of the history.
//!
//! Each has a number that grows; a store knows it by that. Limits are kept by forgetting the oldest.
//! An event that is too old is never handed out, and forgotten when the realm's timer next sweeps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use hashbrown::HashMap;
use wampy_proto::MatchPolicy;

use super::kept_event::KeptEvent;
use crate::hash::RandomState;
use crate::keeping::{Keeping, KeepingRule};
use crate::outbox::{Outbox, Shelf, StoreChange, StoreFailed};
use crate::realm::Now;

/// The least time between two sweeps for events that are too old.
const SWEEP_INTERVAL_MS: u64 = 1000;

/// The events of one shelf.
#[derive(Debug)]
pub(crate) struct KeptEvents {
    shelf: Shelf,
    keeping: Keeping,
    events: BTreeMap<u64, Entry>,
    topics: HashMap<Arc<str>, Topic, RandomState>,
    /// When events become too old (in milliseconds since 1970), each with its number.
    expiries: BTreeSet<(u64, u64)>,
    bytes: usize,
    next_number: u64,
    /// When the realm's timer next looks for events that are too old, on the monotonic clock.
    sweep_ms: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    event: Arc<KeptEvent>,
    expires_unix_ms: Option<u64>,
}

/// The events of one topic.
#[derive(Debug)]
struct Topic {
    /// Which rule decides about the topic.
    rule: usize,
    /// Their numbers, the oldest first.
    numbers: VecDeque<u64>,
    bytes: usize,
}

impl KeptEvents {
    /// Nothing yet; `None` if nothing would ever be kept.
    pub(crate) fn new(shelf: Shelf, keeping: &Keeping, hash: RandomState) -> Option<Box<Self>> {
        if keeping.rules.is_empty() {
            return None;
        }
        Some(Box::new(Self {
            shelf,
            keeping: keeping.clone(),
            events: BTreeMap::new(),
            topics: HashMap::with_hasher(hash),
            expiries: BTreeSet::new(),
            bytes: 0,
            next_number: 1,
            sweep_ms: None,
        }))
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) const fn sweep_ms(&self) -> Option<u64> {
        self.sweep_ms
    }

    /// Whether events of `topic` are kept.
    pub(crate) fn keeps(&self, topic: &str) -> bool {
        self.rule(topic).is_some()
    }

    /// The rule that decides about `topic`.
    fn rule(&self, topic: &str) -> Option<usize> {
        if let Some(topic) = self.topics.get(topic) {
            return Some(topic.rule);
        }
        self.keeping
            .rules
            .iter()
            .position(|rule| rule.match_policy.matches(&rule.topic, topic))
    }

    /// Keeps an event whose topic is to be kept, and tells the store; returns its number.
    ///
    /// # Errors
    /// The store could not keep it. If it `must_be_stored` it is not kept at all then.
    pub(super) fn keep(
        &mut self,
        now: Now,
        event: &Arc<KeptEvent>,
        must_be_stored: bool,
        outbox: &mut impl Outbox,
    ) -> Result<Option<u64>, StoreFailed> {
        let Some(rule) = self.rule(&event.topic) else {
            return Ok(None);
        };
        let number = self.next_number;
        let fits = event.bytes() <= self.bytes_max_of_one(rule);
        if fits {
            let stored = outbox.store(StoreChange::Keep {
                shelf: self.shelf,
                number,
                event,
                must_be_stored,
            });
            if must_be_stored {
                stored?;
            }
        }
        self.supersede(event, outbox);
        if fits {
            self.insert(now, rule, number, Arc::clone(event));
            self.trim(&event.topic, outbox);
        }
        Ok(fits.then_some(number))
    }

    /// Forgets an event that has just been kept.
    pub(super) fn take_back(&mut self, number: u64, outbox: &mut impl Outbox) {
        self.remove(number, outbox);
    }

    /// Takes in an event that a store had kept before this realm was; they come in the order of
    /// their numbers. What the rules of today do not keep is forgotten.
    pub(crate) fn restore(
        &mut self,
        now: Now,
        number: u64,
        event: KeptEvent,
        outbox: &mut impl Outbox,
    ) {
        self.next_number = self.next_number.max(number.saturating_add(1));
        self.supersede(&event, outbox);
        let rule = self.rule(&event.topic);
        match rule.filter(|&rule| event.bytes() <= self.bytes_max_of_one(rule)) {
            Some(rule) => {
                let topic = Arc::clone(&event.topic);
                self.insert(now, rule, number, Arc::new(event));
                self.trim(&topic, outbox);
                self.expire(now, outbox);
            }
            None => forget(self.shelf, number, outbox),
        }
    }

    /// The most bytes that one event may have.
    fn bytes_max_of_one(&self, rule: usize) -> usize {
        let of_topic = self.keeping.rules.get(rule);
        of_topic.map_or(0, |rule| {
            rule.bytes_per_topic_max.min(self.keeping.bytes_max)
        })
    }

    /// A retained event for everybody takes the place of all that its topic had.
    fn supersede(&mut self, event: &KeptEvent, outbox: &mut impl Outbox) {
        if self.shelf == Shelf::Retained && event.is_for_everybody() {
            while let Some(oldest) = self.oldest_of(&event.topic) {
                self.remove(oldest, outbox);
            }
        }
    }

    fn oldest_of(&self, topic: &str) -> Option<u64> {
        self.topics.get(topic)?.numbers.front().copied()
    }

    fn insert(&mut self, now: Now, rule: usize, number: u64, event: Arc<KeptEvent>) {
        self.next_number = number.saturating_add(1);
        let age_ms_max = self
            .keeping
            .rules
            .get(rule)
            .and_then(|rule| rule.age_ms_max);
        let expires_unix_ms = age_ms_max.map(|age_ms| event.unix_ms.saturating_add(age_ms));
        if let Some(unix_ms) = expires_unix_ms {
            self.expiries.insert((unix_ms, number));
            self.schedule_sweep(now);
        }
        let bytes = event.bytes();
        let topic = self
            .topics
            .entry(Arc::clone(&event.topic))
            .or_insert_with(|| Topic {
                rule,
                numbers: VecDeque::new(),
                bytes: 0,
            });
        topic.numbers.push_back(number);
        topic.bytes += bytes;
        self.bytes += bytes;
        let entry = Entry {
            event,
            expires_unix_ms,
        };
        self.events.insert(number, entry);
    }

    /// Forgets what is beyond the limits of a topic and of the realm.
    fn trim(&mut self, topic: &str, outbox: &mut impl Outbox) {
        while let Some(victim) = self.too_much_of(topic) {
            self.remove(victim, outbox);
        }
        while self.events.len() > self.keeping.events_max || self.bytes > self.keeping.bytes_max {
            let Some((&oldest, _)) = self.events.first_key_value() else {
                return;
            };
            self.remove(oldest, outbox);
        }
    }

    /// The event that goes first if a topic has too many or too large ones.
    fn too_much_of(&self, topic: &str) -> Option<u64> {
        let topic = self.topics.get(topic)?;
        let KeepingRule {
            events_per_topic_max,
            bytes_per_topic_max,
            ..
        } = *self.keeping.rules.get(topic.rule)?;
        if topic.numbers.len() <= events_per_topic_max && topic.bytes <= bytes_per_topic_max {
            return None;
        }
        let oldest = *topic.numbers.front()?;
        let is_the_retained_one = self.shelf == Shelf::Retained
            && self
                .events
                .get(&oldest)
                .is_some_and(|entry| entry.event.is_for_everybody());
        // The newest, which is the last, may be the one that goes; the one for everybody does not.
        match topic.numbers.get(1) {
            Some(&second) if is_the_retained_one => Some(second),
            _ => Some(oldest),
        }
    }

    fn remove(&mut self, number: u64, outbox: &mut impl Outbox) {
        let Some(Entry {
            event,
            expires_unix_ms,
        }) = self.events.remove(&number)
        else {
            return;
        };
        if let Some(unix_ms) = expires_unix_ms {
            self.expiries.remove(&(unix_ms, number));
        }
        let bytes = event.bytes();
        self.bytes -= bytes;
        if let Some(topic) = self.topics.get_mut(&event.topic) {
            topic.bytes -= bytes;
            if let Ok(position) = topic.numbers.binary_search(&number) {
                topic.numbers.remove(position);
            }
            if topic.numbers.is_empty() {
                self.topics.remove(&event.topic);
            }
        }
        forget(self.shelf, number, outbox);
    }

    /// Forgets what is too old.
    fn expire(&mut self, now: Now, outbox: &mut impl Outbox) {
        while let Some(&(unix_ms, number)) = self.expiries.first()
            && unix_ms <= now.unix_ms
        {
            self.remove(number, outbox);
        }
    }

    /// Forgets what is too old, if it is time to look for it.
    pub(crate) fn sweep(&mut self, now: Now, outbox: &mut impl Outbox) {
        if self
            .sweep_ms
            .is_some_and(|due_ms| due_ms <= now.monotonic_ms)
        {
            self.sweep_ms = None;
            self.expire(now, outbox);
            self.schedule_sweep(now);
        }
    }

    fn schedule_sweep(&mut self, now: Now) {
        let Some(&(unix_ms, _)) = self.expiries.first() else {
            return;
        };
        let wait_ms = unix_ms.saturating_sub(now.unix_ms).max(SWEEP_INTERVAL_MS);
        let due_ms = now.monotonic_ms.saturating_add(wait_ms);
        self.sweep_ms = Some(self.sweep_ms.map_or(due_ms, |set_ms| set_ms.min(due_ms)));
    }

    /// The numbers of the events of each topic that matches, the oldest of each first.
    fn topics_matching(
        &self,
        pattern: &str,
        match_policy: MatchPolicy,
    ) -> impl Iterator<Item = &VecDeque<u64>> {
        let exact = match match_policy {
            MatchPolicy::Exact => self.topics.get(pattern),
            MatchPolicy::Prefix | MatchPolicy::Wildcard => None,
        };
        let by_pattern = self.topics.iter().filter(move |(topic, _)| {
            match_policy != MatchPolicy::Exact && match_policy.matches(pattern, topic)
        });
        exact
            .into_iter()
            .chain(by_pattern.map(|(_, topic)| topic))
            .map(|topic| &topic.numbers)
    }

    /// The event with a number, if it is not too old.
    fn get(&self, now: Now, number: u64) -> Option<&Arc<KeptEvent>> {
        let entry = self.events.get(&number)?;
        let is_fresh = entry
            .expires_unix_ms
            .is_none_or(|unix_ms| now.unix_ms < unix_ms);
        is_fresh.then_some(&entry.event)
    }

    /// All events of the topics that match and for which `wanted` holds, the oldest first.
    pub(crate) fn matching(
        &self,
        now: Now,
        pattern: &str,
        match_policy: MatchPolicy,
        wanted: impl Fn(&KeptEvent) -> bool,
    ) -> Vec<&Arc<KeptEvent>> {
        let mut found: Vec<(u64, _)> = self
            .topics_matching(pattern, match_policy)
            .flatten()
            .filter_map(|&number| Some((number, self.get(now, number)?)))
            .filter(|(_, event)| wanted(event))
            .collect();
        found.sort_unstable_by_key(|&(number, _)| number);
        found.into_iter().map(|(_, event)| event).collect()
    }

    /// Of each topic that matches, the latest event for which `wanted` holds; the latest first.
    pub(super) fn latest_of_each(
        &self,
        now: Now,
        pattern: &str,
        match_policy: MatchPolicy,
        wanted: impl Fn(&KeptEvent) -> bool,
    ) -> Vec<&Arc<KeptEvent>> {
        let latest = |numbers: &VecDeque<u64>| {
            numbers
                .iter()
                .rev()
                .filter_map(|&number| Some((number, self.get(now, number)?)))
                .find(|(_, event)| wanted(event))
        };
        let mut found: Vec<(u64, _)> = self
            .topics_matching(pattern, match_policy)
            .filter_map(latest)
            .collect();
        found.sort_unstable_by_key(|&(number, _)| std::cmp::Reverse(number));
        found.into_iter().map(|(_, event)| event).collect()
    }

    /// Checks that the tables agree with each other and with the limits.
    pub(crate) fn check(&self) -> Result<(), String> {
        let numbers: usize = self.topics.values().map(|topic| topic.numbers.len()).sum();
        let bytes: usize = self.events.values().map(|entry| entry.event.bytes()).sum();
        let aged = self
            .events
            .values()
            .filter(|entry| entry.expires_unix_ms.is_some())
            .count();
        let agree = numbers == self.events.len()
            && bytes == self.bytes
            && aged == self.expiries.len()
            && (aged == 0 || self.sweep_ms.is_some());
        let within = self.events.len() <= self.keeping.events_max
            && self.bytes <= self.keeping.bytes_max
            && self
                .topics
                .keys()
                .all(|topic| self.too_much_of(topic).is_none())
            && self.topics.values().all(|topic| !topic.numbers.is_empty());
        match agree && within {
            true => Ok(()),
            false => Err(format!("the kept events do not agree: {self:?}")),
        }
    }
}

fn forget(shelf: Shelf, number: u64, outbox: &mut impl Outbox) {
    // What is not forgotten now is when the realm is next restored: limits apply there, too.
    _ = outbox.store(StoreChange::Forget { shelf, number });
}
