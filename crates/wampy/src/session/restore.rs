//! Registrations, subscriptions and testaments in a new session.
//!
//! A router that has not noticed the end of the old session refuses a registration that the old
//! session still holds, so what is refused is asked for again, at growing intervals.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Shared;
use super::records::{RegistrationRecord, SubscriptionRecord};
use super::state::Phase;
use crate::status::Status;

/// What the new session does not have yet.
struct Missing {
    registrations: Vec<Arc<RegistrationRecord>>,
    subscriptions: Vec<Arc<SubscriptionRecord>>,
}

/// Restores what session number `epoch` does not have, and then says that it is established.
pub(super) async fn run(shared: Arc<Shared>, epoch: u64) {
    let reconnect = shared.options.reconnect.clone().unwrap_or_default();
    let mut attempt = 0;
    while let Some(missing) = shared.missing(epoch) {
        let refused = shared.restore_testaments(epoch).await;
        let failures = refused + restore(&shared, missing).await;
        attempt += 1;
        if attempt == 1 {
            shared.established(epoch);
        }
        if failures == 0 {
            return;
        }
        tokio::time::sleep(reconnect.delay(attempt)).await;
    }
}

/// Asks for all that is missing, all at once; returns how much was refused.
async fn restore(shared: &Arc<Shared>, missing: Missing) -> usize {
    let mut requests = JoinSet::new();
    for record in missing.subscriptions {
        let shared = Arc::clone(shared);
        requests.spawn(async move {
            let outcome = shared.subscribe(&record).await;
            // What has been ended meanwhile is not missed.
            let refused = outcome.err().filter(|_| !record.has_ended());
            refused.inspect(|error| {
                tracing::warn!(%error, topic = &*record.topic, "the subscription is not restored");
            })
        });
    }
    for record in missing.registrations {
        let shared = Arc::clone(shared);
        requests.spawn(async move {
            let outcome = shared.register(&record).await;
            let refused = outcome.err().filter(|_| !record.has_ended());
            refused.inspect(|error| {
                let procedure = &*record.procedure;
                tracing::warn!(%error, procedure, "the registration is not restored");
            })
        });
    }
    let outcomes = requests.join_all().await;
    outcomes.iter().flatten().count()
}

impl Shared {
    /// What the session number `epoch` lacks; `None` if it is over.
    fn missing(&self, epoch: u64) -> Option<Missing> {
        let mut state = self.lock();
        state.session(epoch)?;
        let registrations = state.registrations.values();
        let subscriptions = state.subscriptions.values();
        Some(Missing {
            registrations: registrations
                .filter(|it| it.id().is_none())
                .cloned()
                .collect(),
            subscriptions: subscriptions
                .filter(|it| it.id().is_none())
                .cloned()
                .collect(),
        })
    }

    /// Says that session number `epoch` is established, if it still is.
    fn established(&self, epoch: u64) {
        let state = self.lock();
        if matches!(&state.phase, Phase::Online(online) if online.epoch == epoch) {
            let session = state.welcome.session;
            self.set_status(Status::Established { session });
        }
    }
}
