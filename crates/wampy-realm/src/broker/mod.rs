//! The broker: PUBLISH and what becomes of it.
//!
//! Subscriptions are in `subscription`; who gets an event, and what it says of its publisher, is
//! decided by the files named after the chapters of the specification. The receivers of a
//! subscription are kept ready as a slice; only a publication that leaves somebody out has them
//! copied, into one vector that is used again and again.
//!
//! Deliberately absent so far: retained events, event history, testaments.

mod publication_trustlevels;
mod publisher_exclusion;
mod publisher_identification;
mod subscriber_blackwhite_listing;
mod subscription;
mod subscription_revocation;

use wampy_proto::message::{Event, EventDetails, Publish, Published};
use wampy_proto::{MatchPolicy, Message, MessageType, PublicationId, SubscriptionId, Value};

use crate::hash::RandomState;
use crate::meta;
use crate::outbox::Outbox;
use crate::realm::{Realm, Violation};
use crate::records::Records;
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::{SessionKey, Sessions};
use publisher_exclusion::ExcludedPublisher;
use subscriber_blackwhite_listing::ReceiverLists;

/// The subscriptions of a realm.
#[derive(Debug)]
pub(crate) struct Broker {
    /// The members of a subscription are its subscribers, in no order.
    pub(crate) subscriptions: Records<SubscriptionId, Vec<SessionKey>>,
    /// The receivers of one event, where they are not all subscribers.
    receivers: Vec<SessionKey>,
}

/// Whom an event does not reach, though subscribed.
#[derive(Debug, Default)]
struct Exclusions<'s> {
    publisher: Option<ExcludedPublisher<'s>>,
    lists: Option<ReceiverLists>,
}

impl Broker {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            subscriptions: Records::new(hash),
            receivers: Vec::new(),
        }
    }

    /// Sends an event by every subscription that matches `topic`; `exact` is the one of its own.
    fn dispatch(
        &mut self,
        topic: &str,
        exact: Option<SubscriptionId>,
        event: Event<'_>,
        exclusions: &Exclusions<'_>,
        sessions: &Sessions,
        outbox: &mut impl Outbox,
    ) {
        let receivers = &mut self.receivers;
        let mut message = Message::Event(event);
        self.subscriptions
            .for_each_match(exact, topic, |id, subscription| {
                if let Message::Event(event) = &mut message {
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
                if excluded.is_none() && exclusions.lists.is_none() {
                    outbox.send_to_many(&subscription.members, &message);
                    return;
                }
                receivers.clear();
                receivers.extend(subscription.members.iter().filter(|&&key| {
                    Some(key) != excluded
                        && exclusions
                            .lists
                            .as_ref()
                            .is_none_or(|lists| lists.admit(key, sessions))
                }));
                if !receivers.is_empty() {
                    outbox.send_to_many(receivers, &message);
                }
            });
    }
}

impl Realm {
    pub(crate) fn handle_publish(
        &mut self,
        from: SessionKey,
        publish: &mut Publish<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        let options = &publish.options;
        if options.ppt_scheme.is_some() {
            return Err(Violation::new(
                "PUBLISH has ppt_scheme, but payload_passthru_mode was not announced",
            ));
        }
        let (request, acknowledge) = (publish.request, options.acknowledge);
        match self.publish(from, publish, outbox) {
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

    fn publish(
        &mut self,
        from: SessionKey,
        publish: &mut Publish<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<PublicationId, Refusal> {
        let exact = self.exact_subscription(&publish.topic);
        // Somebody has subscribed to it, so its form is known to be right.
        if exact.is_none() {
            self.config.check_uri(&publish.topic)?;
        }
        check_not_reserved(&publish.topic)?;
        let details = self.publisher_identity(from, publish.options.disclose_me)?;
        let publication = PublicationId::from_random_bits(self.random.bits());
        let exclusions = Exclusions {
            publisher: ExcludedPublisher::new(from, &publish.options, &self.sessions),
            lists: ReceiverLists::take(&mut publish.options),
        };
        let event = Event {
            subscription: SubscriptionId::FIRST,
            publication,
            details,
            payload: publish.payload.borrowed(),
        };
        self.broker.dispatch(
            &publish.topic,
            exact,
            event,
            &exclusions,
            &self.sessions,
            outbox,
        );
        Ok(publication)
    }

    fn exact_subscription(&self, topic: &str) -> Option<SubscriptionId> {
        self.broker.subscriptions.lookup(topic, MatchPolicy::Exact)
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
        let event = Event {
            subscription: SubscriptionId::FIRST,
            publication: PublicationId::from_random_bits(self.random.bits()),
            details: EventDetails::default(),
            payload,
        };
        let exclusions = Exclusions::default();
        self.broker
            .dispatch(topic, exact, event, &exclusions, &self.sessions, outbox);
    }
}
