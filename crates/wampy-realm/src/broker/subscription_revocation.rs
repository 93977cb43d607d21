//! Subscription Revocation: the router takes a subscription from a subscriber, asked by
//! `wamp.subscription.remove_subscriber`.
//!
//! The subscriber gets `[UNSUBSCRIBED, 0, {subscription, reason?}]` if it announced the feature, and
//! nothing otherwise; no event comes by the subscription after that.

use wampy_proto::message::{RevocationDetails, Unsubscribed};
use wampy_proto::{Feature, Message, Role, SubscriptionId};

use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::session::SessionKey;

impl Realm {
    /// Takes a subscription from a subscriber that has it.
    pub(crate) fn revoke_subscription(
        &mut self,
        id: SubscriptionId,
        subscriber: SessionKey,
        reason: Option<&str>,
        outbox: &mut impl Outbox,
    ) {
        let Some(session) = self.sessions.get_mut(subscriber) else {
            return;
        };
        let Some(position) = session.subscriptions.remove(&id) else {
            return;
        };
        let roles = session.details.roles;
        let session = session.details.id;
        let deleted = self
            .broker
            .remove_subscriber(id, position, &mut self.sessions);
        if roles.supports(Role::Subscriber, Feature::SubscriptionRevocation) {
            let unsubscribed = Unsubscribed {
                request: None,
                details: Some(RevocationDetails {
                    subscription: Some(id.value()),
                    reason: reason.map(Into::into),
                    ..RevocationDetails::default()
                }),
            };
            _ = outbox.send(subscriber, &Message::Unsubscribed(unsubscribed));
        }
        self.announce_unsubscribed(session, id, deleted, outbox);
    }
}
