//! Events that are kept: retained ones, and the history.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::Model;
use super::broker::{Published, Subscription};
use crate::simulated::Client;

/// The most events of one topic, and of all, on either shelf.
pub const PER_TOPIC_MAX: usize = 3;
pub const EVENTS_MAX: usize = 7;
/// Topics that begin so have a history.
pub const HISTORY_OF: &str = "a";

impl Published {
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
        if of_topic.len() <= PER_TOPIC_MAX {
            break;
        }
        let is_spared = spares_first && shelf[of_topic[0]].is_for_everybody();
        shelf.remove(of_topic[usize::from(is_spared)]);
    }
    while shelf.len() > EVENTS_MAX {
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
        let mut topics = Vec::new();
        for event in self.retained.clone().into_iter().rev() {
            let matches = subscription.policy.matches(&subscription.uri, &event.topic);
            if !matches || topics.contains(&event.topic) || !event.reaches(&receiver) {
                continue;
            }
            let mut details = event.details_for(subscription.policy);
            details["retained"] = json!(true);
            topics.push(event.topic);
            self.note("a retained event was sent");
            self.expect(to, json!([36, subscription.id, 0, details, event.args]));
        }
    }

    /// `wamp.subscription.get_events`
    pub fn get_events(&mut self, client: Client, request: u64, id: u64, kwargs: &Json) {
        let Some(subscription) = self.subscriptions.iter().find(|it| it.id == id).cloned() else {
            return self.expect_error(client, 48, request, "no_such_subscription");
        };
        if self.forbids(client, &subscription.uri, subscription.policy) {
            return self.expect_error(client, 48, request, "not_authorized");
        }
        let is_exact = subscription.policy == MatchPolicy::Exact;
        if is_exact && !subscription.uri.starts_with(HISTORY_OF) {
            return self.expect_error(client, 48, request, "feature_not_supported");
        }
        let receiver = self.session(client);
        let wanted = |it: &&Published| {
            subscription.policy.matches(&subscription.uri, &it.topic)
                && it.lists_admit(receiver)
                && (kwargs["topic"].is_null() || kwargs["topic"] == *it.topic)
        };
        let mut events: Vec<&Published> = self.history.iter().filter(wanted).collect();
        if kwargs["reverse"] == true {
            events.reverse();
        }
        let limit = kwargs["limit"]
            .as_u64()
            .map_or(events.len(), |it| it as usize);
        let more = events.len() > limit;
        events.truncate(limit);
        let events = events.into_iter().map(|it| {
            json!({
                "timestamp": "2020-02-28T23:59:59.999Z", "subscription": id, "publication": 0,
                "details": it.details_for(subscription.policy), "args": it.args,
            })
        });
        let events: Vec<Json> = events.collect();
        if more {
            self.note("a history was longer than its limit");
        }
        self.expect(client, json!([50, request, {}, events, {"more": more}]));
    }
}
