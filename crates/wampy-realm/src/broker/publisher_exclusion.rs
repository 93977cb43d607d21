//! Publisher Exclusion: a publisher gets no event of its own publication, unless it asks for it
//! with `exclude_me: false`.

use wampy_proto::message::PublishOptions;
use wampy_proto::{SessionId, SubscriptionId};

use crate::session::{Session, SessionKey, Sessions};

/// A publisher that gets no event.
#[derive(Debug)]
pub(super) struct ExcludedPublisher<'s> {
    key: SessionKey,
    session: &'s Session,
}

impl<'s> ExcludedPublisher<'s> {
    #[inline]
    pub(super) fn new(
        key: SessionKey,
        options: &PublishOptions,
        sessions: &'s Sessions,
    ) -> Option<Self> {
        if options.exclude_me == Some(false) {
            return None;
        }
        sessions.get(key).map(|session| Self { key, session })
    }

    /// The publisher, if it is among the subscribers of `subscription`.
    #[inline]
    pub(super) fn subscribed_to(&self, subscription: SubscriptionId) -> Option<SessionKey> {
        self.session
            .subscriptions
            .contains_key(&subscription)
            .then_some(self.key)
    }

    /// The publisher's session.
    pub(super) const fn session_id(&self) -> SessionId {
        self.session.details.id
    }
}
