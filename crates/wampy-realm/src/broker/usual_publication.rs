//! The usual publication, by a shorter way than all others.
//!
//! Its event goes to all subscribers of exactly its topic and to nobody else, says nothing of its
//! publisher, and is not kept. What is true of a publication is decided in the other files: this way
//! leads to the same event with fewer questions, and leaves to them whatever is not usual, refusals
//! among it.

use std::mem::ManuallyDrop;

use wampy_proto::message::{Event, EventDetails, Publish, PublishOptions};
use wampy_proto::{Message, PublicationId, SubscriptionId};

use crate::config::Disclosure;
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::session::{Session, SessionKey};

/// Whether the event may be for all subscribers, and for nobody later.
#[inline]
fn is_usual(options: &PublishOptions) -> bool {
    options.rare.present().is_none() && !options.retain && !options.disclose_me
}

impl Realm {
    /// Publishes to the subscribers of `exact`, the subscription to exactly the topic. `None`, and
    /// nothing was done, if it is no usual publication.
    #[inline]
    pub(super) fn publish_as_usual(
        &mut self,
        from: SessionKey,
        publish: &Publish<'_>,
        exact: SubscriptionId,
        outbox: &mut impl Outbox,
    ) -> Option<PublicationId> {
        if !is_usual(&publish.options) || self.broker.history.is_some() {
            return None;
        }
        let publisher = self.sessions.get(from)?;
        if !self.is_usual_publisher(publisher, &publish.options, exact) {
            return None;
        }
        let subscription = self.broker.subscriptions.only_match(exact)?;
        let publication = PublicationId::from_random_bits(self.random.bits());
        // It owns nothing: not to look for what may be dropped is a part of the shorter way.
        let message = ManuallyDrop::new(Message::Event(Event {
            subscription: exact,
            publication,
            details: EventDetails::default(),
            payload: publish.payload.borrowed(),
        }));
        outbox.send_to_many(&subscription.members, &message);
        Some(publication)
    }

    /// Whether nothing is said of the publisher, and it is not among the subscribers itself.
    #[inline]
    fn is_usual_publisher(
        &self,
        publisher: &Session,
        options: &PublishOptions,
        exact: SubscriptionId,
    ) -> bool {
        publisher.details.trust_level.is_none()
            && self.config.publisher_disclosure != Disclosure::Always
            && (options.exclude_me == Some(false) || !publisher.subscriptions.contains_key(&exact))
    }
}
