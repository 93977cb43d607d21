//! What all connections of a router share.
//!
//! Deliberately absent: listening, beginning and ending (`router.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use crate::authenticator::Failures;
use crate::backlog::Backlog;
use crate::builder::Checked;
use crate::error::StartError;
use crate::hosted_realm::Clock;
use crate::http::cookies::Cookies;
use crate::http::longpoll::Transports;
use crate::lanes::Lanes;
use crate::network::Network;
use crate::realms::Realms;
use crate::registry::{Registry, SessionCount};
use crate::store::Store;
use crate::terms::Terms;

/// How many connections beyond the limit are told so at once; more are closed unheard.
const REFUSALS_MAX: usize = 64;

/// What all connections of a router share.
#[derive(Debug)]
pub(crate) struct Shared {
    terms: RwLock<Arc<Terms>>,
    pub(crate) cookies: Option<Cookies>,
    pub(crate) transports: Arc<Transports>,
    pub(crate) realms: Realms,
    pub(crate) failures: Failures,
    pub(crate) lanes: Lanes,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sessions: Arc<SessionCount>,
    pub(crate) counters: Counters,
}

/// What is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_accepted: AtomicU64,
    pub(crate) connections_refused: AtomicU64,
    pub(crate) sessions_cut_off: AtomicU64,
    pub(crate) violations: AtomicU64,
}

/// Counts one more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Shared {
    pub(crate) fn new(checked: Checked, store: Option<Arc<Store>>) -> Result<Self, StartError> {
        let Checked {
            builder,
            tls,
            origins,
            realms,
            template,
            ..
        } = checked;
        let terms = Terms::new(&builder, tls, origins);
        let limits = &terms.limits;
        let auto_created_max = builder.auto_created_max();
        let realms = Realms::new(&realms, template, Clock::start(), auto_created_max, store)?;
        realms.tell_of_others_in_store(auto_created_max > 0)?;
        let cookie = builder.cookie;
        let cookies = cookie.map(|cookie| Cookies::new(cookie, limits.cookies_max));
        let backlog = Backlog::new(limits.outbound_bytes_max, limits.connections_max);
        let lanes = Lanes::start(Duration::from_micros(limits.busy_poll_us));
        Ok(Self {
            failures: Failures::new(limits),
            terms: RwLock::new(Arc::new(terms)),
            cookies,
            transports: Arc::default(),
            realms,
            lanes,
            backlog: Arc::new(backlog),
            registry: Arc::default(),
            sessions: Arc::default(),
            counters: Counters::default(),
        })
    }

    /// What counts for a connection that comes now.
    pub(crate) fn terms(&self) -> Arc<Terms> {
        Arc::clone(&self.terms.read())
    }

    /// Whether there is room for another connection, by `network` where that counts; `None` if it cannot
    /// even be told that there is none.
    pub(crate) fn room_for(&self, network: Option<Network>) -> Option<bool> {
        let terms = self.terms();
        let limits = &terms.limits;
        let of_network = network.map_or(0, |network| self.registry.of_network(network));
        room([
            (self.registry.len(), limits.connections_max),
            (of_network, limits.connections_per_address_max),
        ])
    }

    pub(crate) fn set_terms(&self, terms: Terms) {
        self.backlog
            .set_connections_max(terms.limits.connections_max);
        *self.terms.write() = Arc::new(terms);
    }
}

/// Whether there is room for one more where there are as many as the first number of each pair says, and
/// may be as many as the second; `None` if it cannot even be told that there is none.
fn room(counts: [(usize, usize); 2]) -> Option<bool> {
    let are_below = |more: usize| {
        let mut counts = counts.iter();
        counts.all(|&(open, max)| open < max.saturating_add(more))
    };
    are_below(REFUSALS_MAX).then(|| are_below(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_told_so_and_far_too_many_are_not() {
        assert_eq!(room([(1, 2), (1, 2)]), Some(true));
        for one_too_many in [[(2, 2), (1, 2)], [(9, 100), (2, 2)]] {
            assert_eq!(room(one_too_many), Some(false));
        }
        let far = 2 + REFUSALS_MAX;
        for far_too_many in [[(far, 2), (1, 2)], [(9, 100), (far, 2)]] {
            assert_eq!(room(far_too_many), None);
        }
        assert_eq!(room([(far - 1, 2), (0, usize::MAX)]), Some(false));
    }
}
