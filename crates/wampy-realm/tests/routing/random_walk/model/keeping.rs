//! Events that are kept: retained ones, and the history.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

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

impl Published {
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
    pub fn keep(&mut self, event: &Published) {
        let topic = &*event.topic;
        let names_sessions = ["eligible", "exclude"].map(|key| !event.options[key].is_null());
        if topic.starts_with(HISTORY_OF) && names_sessions == [false; 2] {
            self.history.push(event.clone());
            trim(&mut self.history, topic, false);
        }
        if event.options["retain"] == true {
            if event.is_for_everybody() {
                self.retained.retain(|it| it.topic != topic);
            }
            self.retained.push(event.clone());
            trim(&mut self.retained, topic, true);
        }
    }

    /// Of each topic the latest event that the subscriber would have got.
    pub fn send_retained(&mut self, to: Client, subscription: &Subscription) {
        let receiver = self.session(to).clone();
        let mut latest: Vec<Published> = Vec::new();
        for event in self.retained.iter().rev() {
            let matches = subscription.policy.matches(&subscription.uri, &event.topic);
            let known = latest.iter().any(|it| it.topic == event.topic);
            if matches && !known && event.reaches(&receiver) {
                latest.push(event.clone());
            }
        }
        let count = self.page(&latest, PER_REQUEST_MAX);
        for event in latest[..count].iter().rev() {
            let mut details = event.details_for(subscription.policy);
            details["retained"] = json!(true);
            if receiver.takes(&event.args) {
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
        let Some(subscription) = self.subscriptions.iter().find(|it| it.id == id).cloned() else {
            return self.expect_error(client, 48, request, "no_such_subscription");
        };
        if self.forbids(client, "subscribe", &subscription.uri, subscription.policy) {
            return self.expect_error(client, 48, request, "not_authorized");
        }
        let is_exact = subscription.policy == MatchPolicy::Exact;
        if is_exact && !subscription.uri.starts_with(HISTORY_OF) {
            return self.expect_error(client, 48, request, "feature_not_supported");
        }
        let receiver = self.session(client).clone();
        let visible = |it: &&Published| {
            subscription.policy.matches(&subscription.uri, &it.topic) && it.lists_admit(&receiver)
        };
        let visible: Vec<Published> = self.history.iter().filter(visible).cloned().collect();
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
        if events.iter().all(|it| receiver.takes(&it.args)) {
            self.expect(client, json!([50, request, {}, results, {"more": more}]));
        } else {
            self.expect_error(client, 48, request, "payload_size_exceeded");
        }
    }
}

/// What a caller of `get_events` wants.
#[derive(Default)]
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
