//! Event Retention: of each topic, the broker keeps the event that was last published with
//! `retain: true`, for subscribers that come later and ask for it with `get_retained: true`.
//!
//! A subscriber gets the latest event that it would have got, had it subscribed before: events that
//! were published for some receivers only are kept beside the one for everybody. A pattern brings the
//! events of all topics that match, the oldest first, at most
//! [`RealmConfig::retained_events_per_subscribe_max`](crate::RealmConfig). They follow SUBSCRIBED. A
//! topic of which no events may be retained takes `retain` without effect. Deliberately absent: a
//! way to take a retained event back but to publish another.

use wampy_proto::message::{Event, Subscribe};
use wampy_proto::{MatchPolicy, Message, SubscriptionId};

use super::kept_event::KeptEvent;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::session::SessionKey;

impl Realm {
    /// Sends a subscriber the retained events that its subscription matches.
    pub(super) fn send_retained(
        &self,
        now: Now,
        to: SessionKey,
        subscription: SubscriptionId,
        subscribe: &Subscribe<'_>,
        outbox: &mut impl Outbox,
    ) {
        let Some(retained) = &self.broker.retained else {
            return;
        };
        let match_policy = subscribe.options.match_policy;
        let mut latest_first =
            retained.latest_of_each(now, &subscribe.topic, match_policy, |event| {
                let rkey = event.rkey();
                let shard = rkey.and_then(|rkey| self.broker.sharded.shard(subscription, rkey));
                event.reaches(to, &self.sessions) && shard.is_none_or(|shard| shard.admits(to))
            });
        latest_first.truncate(self.config.retained_events_per_subscribe_max);
        let bytes_max = self.config.retained_bytes_per_subscribe_max;
        let mut bytes = 0;
        let fitting = latest_first.iter().take_while(|event| {
            let is_first = bytes == 0;
            bytes += event.bytes();
            is_first || bytes <= bytes_max
        });
        let count = fitting.count();
        for event in latest_first[..count].iter().rev() {
            let message = Message::Event(retained_event(event, subscription, match_policy));
            // Who cannot take this event may take the next.
            _ = outbox.send(to, &message);
        }
    }
}

fn retained_event(
    kept: &KeptEvent,
    subscription: SubscriptionId,
    match_policy: MatchPolicy,
) -> Event<'_> {
    let mut details = kept.details_for(match_policy);
    details.retained = true;
    Event {
        subscription,
        publication: kept.publication,
        details,
        payload: kept.payload.borrowed(),
    }
}
