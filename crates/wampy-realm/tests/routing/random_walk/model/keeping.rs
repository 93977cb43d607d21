//! What is kept of published events: who gets retained ones, and what the history answers.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::broker::{Published, Subscription};
use super::shelf::{Moment, Shelf};
use super::{Model, large_within};
use crate::simulated::Client;

impl Model {
    fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            unix_ms: self.unix_ms(),
        }
    }

    /// Whether any event that is kept is large.
    pub fn keeps_large_events(&self) -> bool {
        let mut all = self.retained.events.iter().chain(&self.history.events);
        all.any(Published::is_large)
    }

    pub fn shelf(&mut self, is_retained: bool) -> &mut Shelf {
        match is_retained {
            true => &mut self.retained,
            false => &mut self.history,
        }
    }

    /// Keeps an event; returns whether that went well.
    pub fn keep(&mut self, event: &Published, must_be_stored: bool) -> bool {
        let at = self.moment();
        let names_sessions = ["eligible", "exclude"].map(|key| !event.options[key].is_null());
        let is_history = names_sessions == [false; 2];
        if is_history && !self.history.push(event, at, must_be_stored) {
            return false;
        }
        if event.options["retain"] == true && !self.retained.push(event, at, must_be_stored) {
            self.history.forget(|it| it.number() == event.number());
            return false;
        }
        true
    }

    /// What the history of a subscription has for somebody.
    pub fn history_for(&self, client: Client, subscription: u64) -> Vec<&Published> {
        let (receiver, unix_ms) = (self.session(client), self.unix_ms());
        let mut all = self.subscriptions.iter();
        let Some(of) = all.find(|it| it.id == subscription) else {
            return Vec::new();
        };
        let events = self.history.events.iter();
        let visible = events.filter(|it| {
            of.policy.matches(of.uri, &it.topic) && it.lists_admit(receiver) && it.is_fresh(unix_ms)
        });
        visible.collect()
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
        let mut notes = Vec::new();
        let at = self.moment();
        for shelf in [&mut self.retained, &mut self.history] {
            let number = |it: &Published| it.number().clone();
            let before: Vec<Json> = shelf.events.iter().map(number).collect();
            shelf.restart(at);
            let now: Vec<Json> = shelf.events.iter().map(number).collect();
            let is_lost = before.iter().any(|it| !now.contains(it));
            let is_back = now.iter().any(|it| !before.contains(it));
            notes.extend(is_back.then_some("what could not be forgotten was there again"));
            notes.extend(
                (is_lost && before.len() > now.len())
                    .then_some("what could not be stored was gone"),
            );
        }
        notes.into_iter().for_each(|note| self.note(note));
        if !self.retained.events.is_empty() || !self.history.events.is_empty() {
            self.note("kept events outlived the router");
        }
        self.internal = None;
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
        let max = self.config.retained_events_per_subscribe_max;
        let bytes_max = self.config.retained_bytes_per_subscribe_max;
        let count = self.page(&latest, max, bytes_max);
        for event in latest[..count].iter().rev() {
            let mut details = event.details_for(subscription.policy);
            details["retained"] = json!(true);
            if receiver.why_not_take(&event.args).is_none() {
                self.note("a retained event was sent");
                self.expect(to, json!([36, subscription.id, 0, details, event.args]));
            }
        }
    }

    /// How many of the events go into one answer: the first in any case.
    fn page(&mut self, events: &[Published], max: usize, bytes_max: usize) -> usize {
        let mut count = 0;
        while count < max.min(events.len()) {
            let large = events[..=count].iter().filter(|it| it.is_large()).count();
            if count > 0 && large > large_within(bytes_max) {
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
        if !self.history.is_on() || is_exact && !self.history.keeps(subscription.uri) {
            return self.expect_error(client, 48, request, "feature_not_supported");
        }
        let receiver = self.session(client).clone();
        let mut all = self.history.events.iter();
        let has_old = all.any(|it| {
            subscription.policy.matches(subscription.uri, &it.topic)
                && it.lists_admit(&receiver)
                && !it.is_fresh(unix_ms)
        });
        if has_old {
            self.note("an event of the history was too old");
        }
        let visible = self.history_for(client, id);
        let visible: Vec<Published> = visible.into_iter().cloned().collect();
        let Some(mut events) = filter.choose(visible) else {
            self.note("a filter named a publication that was not there");
            return self.expect_error(client, 48, request, "invalid_argument");
        };
        if filter.reverse {
            events.reverse();
        }
        let max = self.config.history_events_per_call_max;
        let max = filter.limit.unwrap_or(max).min(max);
        let count = self.page(&events, max, self.config.history_bytes_per_call_max);
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
