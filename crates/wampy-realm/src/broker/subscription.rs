//! SUBSCRIBE and UNSUBSCRIBE.
//!
//! Sessions that subscribe to one topic with one match policy share a subscription and its id. The
//! topics of the meta API may be subscribed to like any other.

use wampy_proto::message::{Subscribe, Subscribed, Unsubscribe, Unsubscribed};
use wampy_proto::{Message, MessageType, SubscriptionId, error_uri};

use super::Broker;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::records::Record;
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey, Sessions};

/// What a SUBSCRIBE brought about, for the meta events.
#[derive(Debug)]
struct Joined {
    subscription: SubscriptionId,
    /// Whether the subscription is new.
    created: bool,
    /// Whether the session is new to it.
    added: bool,
}

impl Realm {
    pub(crate) fn handle_subscribe(
        &mut self,
        now: Now,
        from: SessionKey,
        subscribe: &Subscribe<'_>,
        outbox: &mut impl Outbox,
    ) {
        let request = subscribe.request;
        let joined = match self.subscribe(now, from, subscribe) {
            Ok(joined) => joined,
            Err(refusal) => return refusal.send(from, MessageType::Subscribe, request, outbox),
        };
        let subscription = joined.subscription;
        _ = outbox.send(
            from,
            &Message::Subscribed(Subscribed {
                request,
                subscription,
            }),
        );
        if subscribe.options.get_retained {
            self.send_retained(now, from, subscription, subscribe, outbox);
        }
        if joined.added {
            self.announce_subscribed(from, subscription, joined.created, outbox);
        }
    }

    fn subscribe(
        &mut self,
        now: Now,
        from: SessionKey,
        subscribe: &Subscribe<'_>,
    ) -> Result<Joined, Refusal> {
        let (topic, match_policy) = (&*subscribe.topic, subscribe.options.match_policy);
        self.config.check_pattern(topic, match_policy)?;
        let known = self.broker.subscriptions.lookup(topic, match_policy);
        let Some(session) = self.sessions.get_mut(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        let nkey = subscribe.options.nkey.as_deref();
        if let Some(subscription) = known
            && session.subscriptions.contains_key(&subscription)
        {
            self.broker.sharded.set(subscription, from, nkey);
            return Ok(Joined {
                subscription,
                created: false,
                added: false,
            });
        }
        let max = self.config.subscriptions_per_session_max;
        if session.subscriptions.len() >= max {
            return Err(Refusal::limit(
                error_uri::NOT_AUTHORIZED,
                "subscriptions",
                max,
            ));
        }
        let subscription = known.unwrap_or_else(|| {
            self.broker.subscriptions.insert(Record {
                uri: topic.into(),
                match_policy,
                created_unix_ms: now.unix_ms,
                members: Vec::new(),
            })
        });
        if let Some(record) = self.broker.subscriptions.get_mut(subscription) {
            session
                .subscriptions
                .insert(subscription, record.members.len());
            record.members.push(from);
        }
        self.broker.sharded.set(subscription, from, nkey);
        Ok(Joined {
            subscription,
            created: known.is_none(),
            added: true,
        })
    }

    pub(crate) fn handle_unsubscribe(
        &mut self,
        from: SessionKey,
        unsubscribe: &Unsubscribe,
        outbox: &mut impl Outbox,
    ) {
        let Unsubscribe {
            request,
            subscription,
        } = *unsubscribe;
        let Some(session) = self.sessions.get_mut(from) else {
            return;
        };
        let id = session.details.id;
        let Some(position) = session.subscriptions.remove(&subscription) else {
            let refusal = Refusal::new(error_uri::NO_SUCH_SUBSCRIPTION);
            return refusal.send(from, MessageType::Unsubscribe, request, outbox);
        };
        let deleted = self
            .broker
            .remove_subscriber(subscription, position, &mut self.sessions);
        let unsubscribed = Unsubscribed {
            request: Some(request),
            details: None,
        };
        _ = outbox.send(from, &Message::Unsubscribed(unsubscribed));
        self.announce_unsubscribed(id, subscription, deleted, outbox);
    }

    /// Takes a session that is gone from its subscriptions: which those were, and whether each was
    /// deleted with it.
    pub(crate) fn remove_subscriptions_of(
        &mut self,
        session: &Session,
    ) -> Vec<(SubscriptionId, bool)> {
        let mut held: Vec<_> = session
            .subscriptions
            .iter()
            .map(|(&id, &at)| (id, at))
            .collect();
        held.sort_unstable();
        held.into_iter()
            .map(|(id, at)| {
                (
                    id,
                    self.broker.remove_subscriber(id, at, &mut self.sessions),
                )
            })
            .collect()
    }
}

impl Broker {
    /// Takes the subscriber at `position` from a subscription; returns whether it was the last.
    pub(super) fn remove_subscriber(
        &mut self,
        id: SubscriptionId,
        position: usize,
        sessions: &mut Sessions,
    ) -> bool {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return false;
        };
        if position >= subscription.members.len() {
            return false;
        }
        let removed = subscription.members.swap_remove(position);
        self.sharded.remove(id, removed);
        if let Some(&moved) = subscription.members.get(position)
            && let Some(session) = sessions.get_mut(moved)
        {
            session.subscriptions.insert(id, position);
        }
        let deleted = subscription.members.is_empty();
        if deleted {
            self.subscriptions.remove(id);
        }
        deleted
    }
}
