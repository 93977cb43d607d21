//! The broker: PUBLISH and what becomes of it.
//!
//! Subscriptions are in `subscription`; who gets an event, and what it says of its publisher, is
//! decided by the files named after the chapters of the specification, and for most publications by the
//! shorter way of `usual_publication`. The receivers of a
//! subscription are kept ready as a slice; only a publication that leaves somebody out has them
//! copied, into one vector that is used again and again.

mod event_history;
mod event_retention;
mod kept_event;
mod kept_events;
mod publication_trustlevels;
mod publisher_exclusion;
mod publisher_identification;
mod sharded_subscription;
mod subscriber_blackwhite_listing;
mod subscription;
mod subscription_revocation;
mod usual_publication;

use wampy_proto::message::{Event, EventDetails, Publish, PublishOptions, Published};
use wampy_proto::{
    MatchPolicy, Message, MessageType, PublicationId, Role, SubscriptionId, Value, error_uri,
};

use crate::config::RealmConfig;
use crate::hash::RandomState;
use crate::meta;
use crate::outbox::{Outbox, Shelf, StoreFailed};
use crate::realm::{Now, Realm, Violation};
use crate::records::Records;
use crate::refusal::{Refusal, check_not_reserved};
use crate::rendezvous;
use crate::session::{SessionDetails, SessionKey, Sessions};
pub use kept_event::KeptEvent;
pub(crate) use kept_events::KeptEvents;
use publisher_exclusion::ExcludedPublisher;
use sharded_subscription::ShardedSubscriptions;
use subscriber_blackwhite_listing::ReceiverLists;

/// The subscriptions of a realm.
#[derive(Debug)]
pub(crate) struct Broker {
    /// The members of a subscription are its subscribers, in no order.
    pub(crate) subscriptions: Records<SubscriptionId, Vec<SessionKey>>,
    pub(crate) sharded: ShardedSubscriptions,
    /// The receivers of one event, where they are not all subscribers.
    receivers: Vec<SessionKey>,
    /// Retained events, unless the realm retains none.
    pub(crate) retained: Option<Box<KeptEvents>>,
    /// The event history, if the realm has one.
    pub(crate) history: Option<Box<KeptEvents>>,
}

/// Whom an event does not reach, though subscribed.
#[derive(Debug, Default)]
struct Exclusions<'s> {
    publisher: Option<ExcludedPublisher<'s>>,
    selection: Option<Box<Selection>>,
}

/// What few publications have: options that choose among the subscribers.
#[derive(Debug, Clone)]
struct Selection {
    lists: ReceiverLists,
    /// The hash of the `rkey`.
    rkey: Option<u64>,
    /// Whether the payload is passed through, so that subscribers need that mode to read it.
    passed_through: bool,
}

impl Selection {
    /// Takes what chooses from the options, if there is anything.
    #[cold]
    fn take(options: &mut PublishOptions) -> Option<Box<Self>> {
        let rkey = options.rkey.as_deref();
        let rkey = rkey.filter(|key| !key.is_empty()).map(rendezvous::hash);
        let passed_through = options.is_passed_through();
        Self::new(ReceiverLists::take(options), rkey, passed_through).map(Box::new)
    }

    /// A selection, if these choose anybody.
    fn new(lists: ReceiverLists, rkey: Option<u64>, passed_through: bool) -> Option<Self> {
        (rkey.is_some() || passed_through || !lists.is_empty()).then_some(Self {
            lists,
            rkey,
            passed_through,
        })
    }

    /// Whether a subscriber may get the event, whatever the `rkey` says.
    fn admits(&self, key: SessionKey, sessions: &Sessions) -> bool {
        self.lists.admit(key, sessions)
            && (!self.passed_through
                || sessions
                    .get(key)
                    .is_some_and(|session| session.passes_through(Role::Subscriber)))
    }
}

impl Broker {
    pub(crate) fn new(config: &RealmConfig, hash: RandomState) -> Self {
        let retention = &config.event_retention;
        Self {
            retained: KeptEvents::new(Shelf::Retained, retention, hash.clone()),
            history: KeptEvents::new(Shelf::History, &config.event_history, hash.clone()),
            subscriptions: Records::new(hash.clone()),
            sharded: ShardedSubscriptions::new(hash),
            receivers: Vec::new(),
        }
    }

    /// Sends the event in `message` by every subscription that matches `topic`; `exact` is the one of
    /// its own.
    #[inline]
    fn dispatch(
        &mut self,
        topic: &str,
        exact: Option<SubscriptionId>,
        message: &mut Message<'_>,
        exclusions: &Exclusions<'_>,
        sessions: &Sessions,
        outbox: &mut impl Outbox,
    ) {
        let receivers = &mut self.receivers;
        let sharded = &self.sharded;
        self.subscriptions
            .for_each_match(exact, topic, |id, subscription| {
                if let Message::Event(event) = message {
                    event.subscription = id;
                    // The exact subscription comes first, so what is set here stays right.
                    if subscription.match_policy != MatchPolicy::Exact
                        && event.details.topic.is_none()
                    {
                        event.details.topic = Some(topic.into());
                    }
                }
                let excluded = exclusions
                    .publisher
                    .as_ref()
                    .and_then(|p| p.subscribed_to(id));
                let selection = exclusions.selection.as_deref();
                if excluded.is_none() && selection.is_none() {
                    outbox.send_to_many(&subscription.members, message);
                    return;
                }
                let rkey = selection.and_then(|selection| selection.rkey);
                let shard = rkey.and_then(|rkey| sharded.shard(id, rkey));
                receivers.clear();
                receivers.extend(subscription.members.iter().filter(|&&key| {
                    Some(key) != excluded
                        && selection.is_none_or(|selection| selection.admits(key, sessions))
                        && shard.as_ref().is_none_or(|shard| shard.admits(key))
                }));
                if !receivers.is_empty() {
                    outbox.send_to_many(receivers, message);
                }
            });
    }
}

impl Realm {
    pub(crate) fn handle_publish(
        &mut self,
        now: Now,
        from: SessionKey,
        publish: &mut Publish<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        let options = &publish.options;
        if options.is_passed_through() {
            self.check_passes_through(from, Role::Publisher, MessageType::Publish)?;
        }
        let (request, acknowledge) = (publish.request, options.acknowledge);
        match self.publish(now, from, publish, outbox) {
            Ok(publication) if acknowledge => {
                let published = Message::Published(Published {
                    request,
                    publication,
                });
                _ = outbox.send(from, &published);
            }
            Err(refusal) if acknowledge => {
                refusal.send(from, MessageType::Publish, request, outbox);
            }
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn publish(
        &mut self,
        now: Now,
        from: SessionKey,
        publish: &mut Publish<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<PublicationId, Refusal> {
        let exact = self.exact_subscription(&publish.topic);
        // Where somebody has subscribed to it, its form is known to be right.
        if exact.is_none() && !self.broker.subscriptions.remembers(&publish.topic) {
            self.config.check_uri(&publish.topic)?;
        }
        check_not_reserved(&publish.topic)?;
        if let Some(exact) = exact
            && let Some(publication) = self.publish_as_usual(from, publish, exact, outbox)
        {
            return Ok(publication);
        }
        let Some(session) = self.sessions.get(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        let disclose_me = publish.options.disclose_me;
        let details = self
            .config
            .publisher_identity(&session.details, disclose_me)?;
        self.publish_event(now, Some(from), details, publish, exact, outbox)
    }

    /// Publishes what a session that is gone left behind.
    pub(crate) fn publish_for_gone(
        &mut self,
        now: Now,
        gone: &SessionDetails,
        publish: &mut Publish<'_>,
        outbox: &mut impl Outbox,
    ) {
        publish.options.acknowledge = false;
        let disclose_me = publish.options.disclose_me;
        let Ok(details) = self.config.publisher_identity(gone, disclose_me) else {
            return;
        };
        let exact = self.exact_subscription(&publish.topic);
        // It was well formed when it was added; since then the grammar may have become stricter.
        if exact.is_none() && self.config.check_uri(&publish.topic).is_err() {
            return;
        }
        // Nobody is left who could be told that it failed.
        _ = self.publish_event(now, None, details, publish, exact, outbox);
    }

    /// Publishes what was found to be allowed; `from` is the publisher if it is still there.
    #[inline(never)]
    fn publish_event(
        &mut self,
        now: Now,
        from: Option<SessionKey>,
        mut details: EventDetails,
        publish: &mut Publish<'_>,
        exact: Option<SubscriptionId>,
        outbox: &mut impl Outbox,
    ) -> Result<PublicationId, Refusal> {
        let mut selection = None;
        if publish.options.rare.present().is_some() {
            if let Some(passthru) = publish.options.passthru() {
                details.set_passthru(passthru);
            }
            selection = Selection::take(&mut publish.options);
        }
        let publication = PublicationId::from_random_bits(self.random.bits());
        let exclusions = Exclusions {
            publisher: from
                .and_then(|from| ExcludedPublisher::new(from, &publish.options, &self.sessions)),
            selection,
        };
        let mut message = Message::Event(Event {
            subscription: SubscriptionId::FIRST,
            publication,
            details,
            payload: publish.payload.borrowed(),
        });
        if (publish.options.retain || self.broker.history.is_some())
            && let Message::Event(event) = &message
        {
            let kept = self.broker.keep(now, publish, event, &exclusions, outbox);
            kept.map_err(cannot_store)?;
        }
        self.broker.dispatch(
            &publish.topic,
            exact,
            &mut message,
            &exclusions,
            &self.sessions,
            outbox,
        );
        // Dropping what is known to be an event is less work than dropping any message.
        if let Message::Event(event) = message {
            drop(event);
        }
        Ok(publication)
    }

    #[inline]
    fn exact_subscription(&mut self, topic: &str) -> Option<SubscriptionId> {
        self.broker.subscriptions.exact(topic)
    }

    /// Publishes an event of the realm's own, whose args are made only if somebody subscribed.
    pub(crate) fn publish_meta_event(
        &mut self,
        topic: &str,
        args: impl FnOnce(&Self) -> Vec<Value>,
        outbox: &mut impl Outbox,
    ) {
        let mut wanted = false;
        let exact = self.exact_subscription(topic);
        self.broker
            .subscriptions
            .for_each_match(exact, topic, |_, _| wanted = true);
        if !wanted {
            return;
        }
        let payload = meta::event_payload(&args(self));
        let mut message = Message::Event(Event {
            subscription: SubscriptionId::FIRST,
            publication: PublicationId::from_random_bits(self.random.bits()),
            details: EventDetails::default(),
            payload,
        });
        let exclusions = Exclusions::default();
        self.broker.dispatch(
            topic,
            exact,
            &mut message,
            &exclusions,
            &self.sessions,
            outbox,
        );
    }
}

/// An event that was to be acknowledged could not be stored: nobody gets it.
#[cold]
fn cannot_store(error: StoreFailed) -> Refusal {
    Refusal::explained(error_uri::UNAVAILABLE, error.to_string())
}
