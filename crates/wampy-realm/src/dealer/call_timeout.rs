//! Call Timeout: the dealer ends calls whose `timeout` is over, in milliseconds.
//!
//! The time runs from the CALL to the first result, and from each progressive result to the next.
//! The dealer keeps the time itself and does not forward the limit (but see `silent_cancel`), unless
//! the callee has registered with `forward_timeout` and has announced that it minds time limits.

use std::collections::BTreeSet;

use wampy_proto::message::{CallOptions, RegisterOptions};
use wampy_proto::{Feature, Role, error_uri};

use super::Dealer;
use crate::config::RealmConfig;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::session::Session;
use crate::slots::Slot;

/// The deadlines of pending calls, the next first. There are at most as many as pending calls.
#[derive(Debug, Default)]
pub(crate) struct CallTimers {
    deadlines: BTreeSet<(u64, Slot)>,
}

impl CallTimers {
    pub(crate) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// The next deadline.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.deadlines.first().map(|&(deadline_ms, _)| deadline_ms)
    }

    pub(super) fn remove(&mut self, deadline_ms: u64, slot: Slot) {
        self.deadlines.remove(&(deadline_ms, slot));
    }

    /// A call whose deadline is not after `now`.
    fn overdue(&self, now: Now) -> Option<Slot> {
        self.deadlines
            .first()
            .filter(|&&(deadline_ms, _)| deadline_ms <= now.monotonic_ms)
            .map(|&(_, slot)| slot)
    }
}

/// A call's time limit, and when it is over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    timeout_ms: u64,
    deadline_ms: u64,
}

impl Limit {
    /// The limit of a call that was made just now, if it has one.
    pub(super) fn of(call: &CallOptions, config: &RealmConfig, now: Now) -> Option<Self> {
        let timeout_ms = config.call_timeout_ms(call);
        (timeout_ms > 0).then(|| Self {
            timeout_ms,
            deadline_ms: now.monotonic_ms.saturating_add(timeout_ms),
        })
    }

    /// How much is left, in milliseconds; not 0, which would mean that there is no limit.
    pub(super) fn left_ms(self, now: Now) -> u64 {
        self.deadline_ms.saturating_sub(now.monotonic_ms).max(1)
    }
}

/// Whether a callee that registers minds the time limits of its calls itself. One that has not
/// announced the feature cannot: the specification has the dealer keep the time then.
pub(super) fn is_forwarded(options: &RegisterOptions, callee: &Session) -> bool {
    let roles = &callee.details.roles;
    options.forward_timeout && roles.supports(Role::Callee, Feature::CallTimeout)
}

impl RealmConfig {
    /// A call's time limit; 0 for none.
    pub(super) fn call_timeout_ms(&self, options: &CallOptions) -> u64 {
        options.timeout_ms.min(self.call_timeout_ms_max)
    }
}

impl Dealer {
    /// Starts a call's time anew, if the call has a limit.
    pub(super) fn restart_timer(&mut self, now: Now, slot: Slot) {
        let Some(call) = self.calls.get_mut(slot) else {
            return;
        };
        if call.timeout_ms == 0 {
            return;
        }
        let deadline_ms = now.monotonic_ms.saturating_add(call.timeout_ms);
        self.set_timer(slot, Some(deadline_ms));
    }

    /// Says when a call's time is over, if ever.
    fn set_timer(&mut self, slot: Slot, deadline_ms: Option<u64>) {
        let Some(call) = self.calls.get_mut(slot) else {
            return;
        };
        let old_ms = std::mem::replace(&mut call.deadline_ms, deadline_ms);
        if old_ms == deadline_ms {
            return;
        }
        if let Some(old_ms) = old_ms {
            self.timers.deadlines.remove(&(old_ms, slot));
        }
        if let Some(deadline_ms) = deadline_ms {
            self.timers.deadlines.insert((deadline_ms, slot));
        }
    }

    /// A call that was kept has got a callee, or waits for one: the dealer minds its time, unless the
    /// callee does. The time runs from the CALL.
    pub(super) fn mind_time(&mut self, slot: Slot, limit: Option<Limit>) {
        if let Some(call) = self.calls.get_mut(slot) {
            call.timeout_ms = limit.map_or(0, |limit| limit.timeout_ms);
        }
        self.set_timer(slot, limit.map(|limit| limit.deadline_ms));
    }
}

impl Realm {
    pub(crate) fn end_overdue_calls(&mut self, now: Now, outbox: &mut impl Outbox) {
        while let Some(slot) = self.dealer.timers.overdue(now) {
            let Some(call) = self.end_call(slot) else {
                return;
            };
            self.interrupt(&call, outbox);
            self.give_up(&call, error_uri::TIMEOUT, outbox);
        }
    }

    /// Checks that timers and pending calls refer to each other.
    pub(crate) fn check_timers(&self) -> Result<(), String> {
        let timed = self
            .dealer
            .calls
            .iter()
            .filter(|(_, call)| call.deadline_ms.is_some())
            .count();
        if timed != self.dealer.timers.len() {
            return Err(format!(
                "{timed} calls have a deadline, {:?}",
                self.dealer.timers
            ));
        }
        for &(deadline_ms, slot) in &self.dealer.timers.deadlines {
            if self
                .dealer
                .calls
                .get(slot)
                .and_then(|call| call.deadline_ms)
                != Some(deadline_ms)
            {
                return Err(format!(
                    "the timer {deadline_ms} of {slot:?} belongs to no call"
                ));
            }
        }
        Ok(())
    }
}
