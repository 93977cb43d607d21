//! Events that are kept: retained ones, and the history.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;
use wampy_realm::Keeping;

use super::broker::{Published, Subscription};
use super::{Model, is_large};
use crate::simulated::Client;

/// The most events of one topic, and of all, on either shelf; and how many of them may be large.
pub const PER_TOPIC_MAX: usize = 3;
pub const EVENTS_MAX: usize = 7;
pub const LARGE_PER_TOPIC_MAX: usize = 1;
pub const LARGE_EVENTS_MAX: usize = 2;
/// The most retained events that a SUBSCRIBE brings, and the most events of a history that a call
/// does; and how many of them may be large.
pub const PER_REQUEST_MAX: usize = 3;
pub const LARGE_PER_REQUEST_MAX: usize = 1;
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
    pub fn new(keeping: &Keeping) -> Self {
        Self {
            events: Vec::new(),
            keeping: keeping.clone(),
            sweep_at: None,
        }
    }

    /// Keeps an event, if a rule is for its topic.
    fn push(&mut self, mut event: Published, at: Moment, spares_first: bool) {
        let mut rules = self.keeping.rules.iter();
        let rule = rules.find(|it| it.match_policy.matches(&it.topic, &event.topic));
        let Some(rule) = rule else { return };
        if event.is_too_large() {
            return;
        }
        event.expires = rule.age_ms_max.map(|age| event.unix_ms + age);
        let topic = event.topic.clone();
        self.events.push(event);
        self.schedule(at);
        trim(&mut self.events, &topic, spares_first);
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
        self.events.retain(|it| it.is_fresh(at.unix_ms));
        self.schedule(at);
        self.events.len() < before
    }

    /// The router ends, and another begins with the same store.
    pub fn restart(&mut self, at: Moment) {
        self.sweep_at = None;
        self.schedule(at);
        self.events.retain(|it| it.is_fresh(at.unix_ms));
        for event in &mut self.events {
            event.excluded = None;
        }
    }
}

impl Published {
    fn is_fresh(&self, unix_ms: u64) -> bool {
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

    fn is_large(&self) -> bool {
        is_large(&self.args)
    }

    fn is_for_everybody(&self) -> bool {
        let mut keys = self.options.as_object().unwrap().keys();
        !keys.any(|key| {
            key.contains("eligible") || key.starts_with("exclude") && key != "exclude_me"
        }) && self.options["rkey"].is_null()
            && self.options["ppt_scheme"].is_null()
    }

    fn details_for(&self, policy: MatchPolicy) -> Json {
        let mut details = self.details.clone();
        if policy != MatchPolicy::Exact {
            details["topic"] = json!(self.topic);
        }
        details
    }
}

/// Forgets the oldest until there are no more than the limits allow.
fn trim(shelf: &mut Vec<Published>, topic: &str, spares_first: bool) {
    loop {
        let of_topic = (0..shelf.len()).filter(|&at| shelf[at].topic == topic);
        let of_topic: Vec<usize> = of_topic.collect();
        let large = of_topic.iter().filter(|&&at| shelf[at].is_large());
        if of_topic.len() <= PER_TOPIC_MAX && large.count() <= LARGE_PER_TOPIC_MAX {
            break;
        }
        let is_spared = spares_first && of_topic.len() > 1 && shelf[of_topic[0]].is_for_everybody();
        shelf.remove(of_topic[usize::from(is_spared)]);
    }
    let large = |shelf: &[Published]| shelf.iter().filter(|it| it.is_large()).count();
    while shelf.len() > EVENTS_MAX || large(shelf) > LARGE_EVENTS_MAX {
        shelf.remove(0);
    }
}

impl Model {
    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            unix_ms: self.unix_ms(),
        }
    }

    pub fn keep(&mut self, event: &Published) {
        let (topic, at) = (&*event.topic, self.moment());
        let names_sessions = ["eligible", "exclude"].map(|key| !event.options[key].is_null());
        if names_sessions == [false; 2] {
            self.history.push(event.clone(), at, false);
        }
        if event.options["retain"] == true {
            if event.is_for_everybody() {
                self.retained.events.retain(|it| it.topic != topic);
            }
            self.retained.push(event.clone(), at, true);
        }
    }

    /// When the next event is too old that is not yet.
    pub fn next_expiry(&self) -> Option<u64> {
        let events = self.retained.events.iter().chain(&self.history.events);
        let expiries = events.filter_map(|it| it.expires);
        expiries.filter(|&it| it > self.unix_ms()).min()
    }

    /// Forgets the events that are too old.
    pub fn sweep(&mut self) {
        let at = self.moment();
        let forgotten = [self.retained.sweep(at), self.history.sweep(at)];
        if forgotten.contains(&true) {
            self.note("events that were too old were forgotten");
        }
    }

    /// All sessions are gone without a word, and another router begins with the same store.
    pub fn restart(&mut self) {
        let at = self.moment();
        self.retained.restart(at);
        self.history.restart(at);
        if !self.retained.events.is_empty() && !self.history.events.is_empty() {
            self.note("kept events outlived the router");
        }
        self.sessions.clear();
        self.subscriptions.clear();
        self.registrations.clear();
        self.calls.clear();
        self.definitions.clear();
        self.waiting.clear();
        self.questions.clear();
        self.answers_kept.clear();
        self.unsettled.clear();
        self.last_question = 0;
        self.subscription_ids.clear();
        self.registration_ids.clear();
    }

    /// Of each topic the latest event that the subscriber would have got.
    pub fn send_retained(&mut self, to: Client, subscription: &Subscription) {
        let (receiver, unix_ms) = (self.session(to).clone(), self.unix_ms());
        let mut latest: Vec<Published> = Vec::new();
        let mut notes = Vec::new();
        for event in self.retained.events.iter().rev() {
            let matches = subscription.policy.matches(subscription.uri, &event.topic);
            let known = latest.iter().any(|it| it.topic == event.topic);
            if !matches || known || !event.reaches(&receiver) {
                continue;
            }
            let rkey = event.options["rkey"].as_str();
            if !event.is_fresh(unix_ms) {
                notes.push("a retained event was too old");
            } else if !subscription.gives(rkey, to) {
                notes.push("a retained event belonged to another node");
            } else {
                if rkey.is_some() && subscription.node(to).is_some() {
                    notes.push("a retained event came to the node of its key");
                }
                latest.push(event.clone());
            }
        }
        notes.into_iter().for_each(|note| self.note(note));
        let count = self.page(&latest, PER_REQUEST_MAX);
        for event in latest[..count].iter().rev() {
            let mut details = event.details_for(subscription.policy);
            details["retained"] = json!(true);
            if receiver.why_not_take(&event.args).is_none() {
                self.note("a retained event was sent");
                self.expect(to, json!([36, subscription.id, 0, details, event.args]));
            }
        }
    }

    /// How many of the events go into one answer.
    fn page(&mut self, events: &[Published], max: usize) -> usize {
        let mut count = 0;
        while count < max.min(events.len()) {
            let large = events[..=count].iter().filter(|it| it.is_large()).count();
            if large > LARGE_PER_REQUEST_MAX {
                self.note("events were too large for one answer");
                break;
            }
            count += 1;
        }
        count
    }

    /// `wamp.subscription.get_events`
    pub fn get_events(&mut self, client: Client, request: u64, id: u64, filter: &Filter) {
        let unix_ms = self.unix_ms();
        let Some(subscription) = self.subscriptions.iter().find(|it| it.id == id).cloned() else {
            return self.expect_error(client, 48, request, "no_such_subscription");
        };
        let is_exact = subscription.policy == MatchPolicy::Exact;
        if is_exact && !subscription.uri.starts_with(HISTORY_OF) {
            return self.expect_error(client, 48, request, "feature_not_supported");
        }
        let receiver = self.session(client).clone();
        let visible = |it: &&Published| {
            subscription.policy.matches(subscription.uri, &it.topic) && it.lists_admit(&receiver)
        };
        let all: Vec<Published> = self
            .history
            .events
            .iter()
            .filter(visible)
            .cloned()
            .collect();
        let count = all.len();
        let visible: Vec<Published> = all.into_iter().filter(|it| it.is_fresh(unix_ms)).collect();
        if visible.len() < count {
            self.note("an event of the history was too old");
        }
        let Some(mut events) = filter.choose(visible) else {
            self.note("a filter named a publication that was not there");
            return self.expect_error(client, 48, request, "invalid_argument");
        };
        if filter.reverse {
            events.reverse();
        }
        let limit = filter.limit.unwrap_or(PER_REQUEST_MAX);
        let count = self.page(&events, limit.min(PER_REQUEST_MAX));
        let more = events.len() > count;
        events.truncate(count);
        if more {
            self.note("a history was longer than its limit");
        }
        let results = events.iter().map(|it| {
            json!({
                "timestamp": self.date(it.unix_ms), "subscription": id, "publication": 0,
                "details": it.details_for(subscription.policy), "args": it.args,
            })
        });
        let results: Vec<Json> = results.collect();
        match receiver.why_not_take(&json!(results)) {
            None => self.expect(client, json!([50, request, {}, results, {"more": more}])),
            Some(error) => self.expect_error(client, 48, request, error),
        }
    }
}

/// What a caller of `get_events` wants.
#[derive(Clone, Default)]
pub struct Filter {
    pub reverse: bool,
    pub limit: Option<usize>,
    pub topic: Option<&'static str>,
    /// Bounds of the time, by the names of their arguments.
    pub times: Vec<(&'static str, u64)>,
    /// Publications by their numbers, by the names of their arguments; null is one that never was.
    pub publications: Vec<(&'static str, Json)>,
}

impl Filter {
    /// The events that pass; nothing if a publication is not among those that can be seen.
    fn choose(&self, visible: Vec<Published>) -> Option<Vec<Published>> {
        let mut bounds = Vec::new();
        for (name, number) in &self.publications {
            bounds.push((*name, visible.iter().position(|it| it.number() == number)?));
        }
        let within = |at: usize| {
            bounds.iter().all(|&(name, bound)| match name {
                "from_publication" => at >= bound,
                "after_publication" => at > bound,
                "before_publication" => at < bound,
                _ => at <= bound,
            })
        };
        let in_time = |it: &Published| {
            self.times.iter().all(|&(name, bound)| match name {
                "from_time" => it.unix_ms >= bound,
                "after_time" => it.unix_ms > bound,
                "before_time" => it.unix_ms < bound,
                _ => it.unix_ms <= bound,
            })
        };
        let chosen = visible.into_iter().enumerate().filter(|(at, it)| {
            within(*at) && in_time(it) && self.topic.is_none_or(|topic| topic == it.topic)
        });
        Some(chosen.map(|(_, it)| it).collect())
    }
}
