//! Event History: the broker keeps the events of the topics that the realm's configuration names.
//!
//! They are kept by topic, whether or not anybody has subscribed, so that every subscription has the
//! history of all topics that it matches and no subscription need be there beforehand. Events that
//! were published with lists of session ids are not kept: later sessions have other ids.
//! `wamp.subscription.get_events` is in `meta/event_history.rs`.

use std::sync::Arc;

use wampy_proto::message::{Event, Publish};

use super::kept_event::KeptEvent;
use super::{Broker, Exclusions};
use crate::outbox::{Outbox, StoreFailed};
use crate::realm::Now;

impl Broker {
    /// Keeps a published event as history, and retains it if its publisher asks for that.
    ///
    /// # Errors
    /// The store could not keep it, and the publisher wants to know.
    #[cold]
    pub(super) fn keep(
        &mut self,
        now: Now,
        publish: &Publish<'_>,
        event: &Event<'_>,
        exclusions: &Exclusions<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), StoreFailed> {
        let topic = &*publish.topic;
        let names_sessions = exclusions
            .selection
            .as_deref()
            .is_some_and(|selection| selection.lists.name_sessions());
        let history = self.history.as_deref_mut();
        let mut history = history.filter(|history| !names_sessions && history.keeps(topic));
        let retained = self.retained.as_deref_mut();
        let retained = retained.filter(|kept| publish.options.retain && kept.keeps(topic));
        if history.is_none() && retained.is_none() {
            return Ok(());
        }
        let event = Arc::new(KeptEvent {
            topic: topic.into(),
            publication: event.publication,
            unix_ms: now.unix_ms,
            details: event.details.clone(),
            selection: exclusions.selection.as_deref().cloned(),
            excluded: exclusions.publisher.as_ref().map(|it| it.session_id()),
            payload: event.payload.clone().into_owned(),
        });
        let must = publish.options.acknowledge;
        let number = match &mut history {
            Some(history) => history.keep(now, &event, must, outbox)?,
            None => None,
        };
        let retained = retained.map_or(Ok(None), |kept| kept.keep(now, &event, must, outbox));
        if let (Err(_), Some(history), Some(number)) = (&retained, history, number) {
            // It will not be published.
            history.take_back(number, outbox);
        }
        retained.map(drop)
    }
}
