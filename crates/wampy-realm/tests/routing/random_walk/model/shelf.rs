//! A shelf of events that are kept: retained ones, or the history.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;
use wampy_realm::{Keeping, KeepingRule};

use super::broker::Published;
use super::is_large;

/// The most events of one topic, and of all, on either shelf; and how many of them may be large.
pub const PER_TOPIC_MAX: usize = 3;
pub const EVENTS_MAX: usize = 7;
pub const LARGE_PER_TOPIC_MAX: usize = 1;
pub const LARGE_EVENTS_MAX: usize = 2;
/// Topics that begin so have a history.
pub const HISTORY_OF: &str = "a";
/// Topics that begin so may have rules of their own about the age of events.
pub const AGED: &str = "a.b";
/// How often the realm looks for events that are too old, at the most.
const SWEEP_INTERVAL_MS: u64 = 1000;

/// The events of one kind that are kept: the oldest first.
pub struct Shelf {
    pub events: Vec<Published>,
    keeping: Keeping,
    /// Whether of several events of a topic the first is spared if it is for everybody, and goes when
    /// another comes that is.
    is_retained: bool,
    /// What the store has, which cannot always be written.
    stored: Vec<Published>,
    pub is_broken: bool,
    /// When those that are too old are forgotten next.
    pub sweep_at: Option<u64>,
}

/// The time: of the clock that the realm's timers have, and of the date.
#[derive(Clone, Copy)]
pub struct Moment {
    pub now: u64,
    pub unix_ms: u64,
}

impl Shelf {
    pub fn new(keeping: &Keeping, is_retained: bool) -> Self {
        Self {
            events: Vec::new(),
            keeping: keeping.clone(),
            is_retained,
            stored: Vec::new(),
            is_broken: false,
            sweep_at: None,
        }
    }

    /// The topics of which there are several events.
    pub fn crowded(&self) -> Vec<String> {
        let topics = self.events.iter().map(|it| &it.topic);
        let is_crowded = |topic: &&String| topics.clone().filter(|it| it == topic).count() > 1;
        topics.clone().filter(is_crowded).cloned().collect()
    }

    /// Whether events of any topic are kept.
    pub fn is_on(&self) -> bool {
        !self.keeping.rules.is_empty()
    }

    /// Whether events of a topic are kept.
    pub fn keeps(&self, topic: &str) -> bool {
        self.rule(topic).is_some()
    }

    fn rule(&self, topic: &str) -> Option<&KeepingRule> {
        let mut rules = self.keeping.rules.iter();
        rules.find(|it| it.match_policy.matches(&it.topic, topic))
    }

    /// Keeps an event, if a rule is for its topic. Returns whether that went well: it does not if the
    /// event must be stored and cannot be.
    pub fn push(&mut self, event: &Published, at: Moment, must_be_stored: bool) -> bool {
        if !self.keeps(&event.topic) {
            return true;
        }
        let fits = !event.is_too_large();
        if fits && self.is_broken && must_be_stored {
            return false;
        }
        if fits && !self.is_broken {
            self.stored.push(event.clone());
        }
        self.insert(event, at);
        true
    }

    /// Takes in an event, which the store has as far as it can.
    fn insert(&mut self, event: &Published, at: Moment) {
        if self.is_retained && event.is_for_everybody() {
            self.forget(|it| it.topic == event.topic);
        }
        let Some(rule) = self.rule(&event.topic).filter(|_| !event.is_too_large()) else {
            return;
        };
        let mut event = event.clone();
        event.expires = rule.age_ms_max.map(|age| event.unix_ms + age);
        let topic = event.topic.clone();
        self.events.push(event);
        self.schedule(at);
        self.trim(&topic);
    }

    /// Forgets events, and the store does if it can be written.
    pub fn forget(&mut self, which: impl Fn(&Published) -> bool) {
        let gone: Vec<Json> = self
            .events
            .iter()
            .filter(|it| which(it))
            .map(|it| it.number().clone())
            .collect();
        self.events.retain(|it| !gone.contains(it.number()));
        if !self.is_broken {
            self.stored.retain(|it| !gone.contains(it.number()));
        }
    }

    /// Forgets the oldest until there are no more than the limits allow.
    fn trim(&mut self, topic: &str) {
        while let Some(number) = self.too_much(topic) {
            self.forget(|it| *it.number() == number);
        }
    }

    /// The event that goes first, if there are too many or too large ones.
    fn too_much(&self, topic: &str) -> Option<Json> {
        let large = |all: &[&Published]| all.iter().filter(|it| it.is_large()).count();
        let of_topic: Vec<&Published> = self.events.iter().filter(|it| it.topic == topic).collect();
        if of_topic.len() > PER_TOPIC_MAX || large(&of_topic) > LARGE_PER_TOPIC_MAX {
            let is_spared =
                self.is_retained && of_topic.len() > 1 && of_topic[0].is_for_everybody();
            return Some(of_topic[usize::from(is_spared)].number().clone());
        }
        let all: Vec<&Published> = self.events.iter().collect();
        let is_too_much = all.len() > EVENTS_MAX || large(&all) > LARGE_EVENTS_MAX;
        is_too_much.then(|| all[0].number().clone())
    }

    fn schedule(&mut self, at: Moment) {
        let Some(first) = self.events.iter().filter_map(|it| it.expires).min() else {
            return;
        };
        let wait = first.saturating_sub(at.unix_ms).max(SWEEP_INTERVAL_MS);
        let due = at.now + wait;
        self.sweep_at = Some(self.sweep_at.map_or(due, |set| set.min(due)));
    }

    /// Forgets what is too old, if it is time for that; returns whether there was anything.
    pub fn sweep(&mut self, at: Moment) -> bool {
        if self.sweep_at.is_none_or(|due| due > at.now) {
            return false;
        }
        self.sweep_at = None;
        let before = self.events.len();
        self.forget(|it| !it.is_fresh(at.unix_ms));
        self.schedule(at);
        self.events.len() < before
    }

    /// The router ends, and another begins with the same store.
    pub fn restart(&mut self, at: Moment) {
        self.sweep_at = None;
        self.events.clear();
        for mut event in self.stored.clone() {
            event.excluded = None;
            self.insert(&event, at);
            self.forget(|it| !it.is_fresh(at.unix_ms));
        }
    }
}

impl Published {
    pub fn is_fresh(&self, unix_ms: u64) -> bool {
        self.expires.is_none_or(|expires| unix_ms < expires)
    }

    /// Whether it is larger than what is kept of a topic.
    pub fn is_too_large(&self) -> bool {
        let large = self
            .args
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| is_large(it));
        large.count() > LARGE_PER_TOPIC_MAX
    }

    pub fn is_large(&self) -> bool {
        is_large(&self.args)
    }

    fn is_for_everybody(&self) -> bool {
        let mut keys = self.options.as_object().unwrap().keys();
        !keys.any(|key| {
            key.contains("eligible") || key.starts_with("exclude") && key != "exclude_me"
        }) && self.options["rkey"].is_null()
            && self.options["ppt_scheme"].is_null()
    }

    pub fn details_for(&self, policy: MatchPolicy) -> Json {
        let mut details = self.details.clone();
        if policy != MatchPolicy::Exact {
            details["topic"] = json!(self.topic);
        }
        details
    }
}
