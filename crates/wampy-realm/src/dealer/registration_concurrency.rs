//! Registration concurrency: REGISTER `concurrency` says how many calls of a registration a callee
//! takes at once; more wait in the dealer.
//!
//! The specification does not know this option; Crossbar.io does, and here as there:
//!
//! - Calls wait for the registration, not for one of its callees: whoever is free first gets the next.
//!   A busy callee is passed over with the policies `roundrobin` and `random`, whose calls wait
//!   only while all are busy; `single`, `first` and `last` name one callee, and wait for it.
//! - What a callee has is what it has not answered by a final YIELD or ERROR; a call that was canceled
//!   or took too long counts no more, although the callee may still work on it.
//!
//! What Crossbar.io leaves open is decided so:
//!
//! - Calls of one registration are sent in the order in which they came. Calls of other
//!   registrations pass those that wait, also to the same callee: it asked for that, and otherwise
//!   one slow procedure would block all others that a caller uses.
//! - A call that waits has been made: its `timeout` runs, it can be canceled, and it goes with its
//!   caller. When the last callee leaves it ends by `wamp.error.no_available_callee`.
//! - The line is bounded by number and bytes (`RealmConfig`); who finds no place gets
//!   `wamp.error.unavailable`. So does a call that comes in parts (progressive call invocations): it
//!   does not wait.
//! - A `concurrency` of 0 is `wamp.error.invalid_argument`.
//! - Lines that can go on are served when all else of a message is done: first the calls end whose
//!   registration has gone, in the order in which they came; then the lines of registrations go on, in
//!   the order of the registrations' ids. It matters where one callee of several registrations has
//!   room for one invocation more.

use std::collections::BTreeMap;
use std::ops::Bound;

use wampy_proto::message::Call;
use wampy_proto::{RegistrationId, RequestId, error_uri};

use super::Dealer;
use super::invoking::Placed;
use super::kept_call::{self, RareCall};
use super::pending::PendingCall;
use crate::config::RealmConfig;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};
use crate::slots::{Slot, Slots};

/// The calls that wait for a callee of one registration.
#[derive(Debug, Default)]
pub(crate) struct WaitingCalls {
    /// By the order in which they came.
    pub(crate) line: BTreeMap<u64, Slot>,
    /// What they count together.
    pub(crate) bytes: usize,
    /// How many of them suit every callee.
    pub(crate) plain: usize,
}

/// What a message left to be done when all else of it is done, in the order in which it is done.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unsettled {
    /// The call with this number has waited for a registration that has gone.
    Orphan(u64, Slot),
    /// Calls may wait for nothing.
    Room(RegistrationId),
}

/// The limit that a callee asked for.
pub(super) fn limit(concurrency: Option<u64>) -> Result<Option<u32>, Refusal> {
    match concurrency {
        Some(0) => Err(Refusal::explained(
            error_uri::INVALID_ARGUMENT,
            "a callee with a concurrency of 0 would never get a call",
        )),
        // More than there can be at once is as good as no limit.
        limit => Ok(limit.and_then(|limit| u32::try_from(limit).ok())),
    }
}

impl Realm {
    /// Enters a call that has to wait.
    #[cold]
    pub(super) fn wait_for_callee(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        registration: RegistrationId,
    ) -> Result<(), Refusal> {
        let options = &call.options;
        if options.progress {
            return Err(busy("every callee is busy, and calls in parts do not wait"));
        }
        // What would be refused later is refused at once.
        self.config.discloses_caller(options.disclose_me, false)?;
        self.dealer
            .check_line(&self.config, registration, kept_call::bytes_of(call))?;
        let kept = self.dealer.keep(call, &self.config, now);
        let Some(kept) = kept else {
            return Err(busy("every callee is busy, and too many calls wait"));
        };
        let timeout_ms = self.config.call_timeout_ms(options);
        let mut pending = PendingCall::new(from, call, timeout_ms);
        pending.rare = Some(Box::new(RareCall::new(registration, Some(kept))));
        let slot = self.begin_call(now, pending);
        self.dealer.join_line(slot);
        Ok(())
    }

    /// Does what the last message left to be done.
    #[inline]
    pub(crate) fn settle(&mut self, now: Now, outbox: &mut impl Outbox) {
        if !self.dealer.unsettled.is_empty() {
            self.settle_all(now, outbox);
        }
    }

    #[cold]
    fn settle_all(&mut self, now: Now, outbox: &mut impl Outbox) {
        while let Some(matter) = self.dealer.unsettled.pop_first() {
            match matter {
                Unsettled::Room(registration) => self.serve_line(now, registration, outbox),
                Unsettled::Orphan(_, slot) => {
                    let why = "the last callee left while the call waited for it";
                    let refusal = Refusal::explained(error_uri::NO_AVAILABLE_CALLEE, why);
                    self.refuse_call(slot, refusal, outbox);
                }
            }
        }
    }

    /// Sends the calls that need not wait any longer, in order.
    fn serve_line(&mut self, now: Now, registration: RegistrationId, outbox: &mut impl Outbox) {
        let mut served = Bound::Unbounded;
        let mut plain_calls_wait = false;
        while let Some((number, slot)) = self.dealer.next_in_line(registration, served) {
            served = Bound::Excluded(number);
            let rare = self
                .dealer
                .calls
                .get(slot)
                .and_then(|call| call.rare.as_ref());
            let is_plain = rare.is_some_and(|rare| rare.is_plain());
            if is_plain && plain_calls_wait {
                continue;
            }
            if self.place_call(now, slot, outbox) == Placed::Waiting {
                plain_calls_wait |= is_plain;
                if self.dealer.rest_waits(registration, plain_calls_wait) {
                    return;
                }
            }
        }
    }
}

impl Dealer {
    /// Checks that a call of `bytes` may wait.
    pub(super) fn check_line(
        &self,
        config: &RealmConfig,
        registration: RegistrationId,
        bytes: usize,
    ) -> Result<(), Refusal> {
        let record = self.registrations.get(registration);
        let waiting = record.and_then(|record| record.members.waiting.as_deref());
        let (calls, sum) = waiting.map_or((0, 0), |waiting| (waiting.line.len(), waiting.bytes));
        let max = config.waiting_calls_per_registration_max;
        if calls >= max {
            let why = format!("every callee is busy, and {calls} calls wait, the most allowed");
            return Err(Refusal::explained(error_uri::UNAVAILABLE, why));
        }
        if sum.saturating_add(bytes) > config.waiting_bytes_per_registration_max {
            return Err(busy(
                "every callee is busy, and the calls that wait are too large",
            ));
        }
        Ok(())
    }

    /// Whether calls that suit every callee wait: one that comes now stands behind them.
    #[inline]
    pub(super) fn others_wait(&self, id: RegistrationId) -> bool {
        if self.waiting_calls == 0 {
            return false;
        }
        let record = self.registrations.get(id);
        let waiting = record.and_then(|record| record.members.waiting.as_ref());
        waiting.is_some_and(|waiting| waiting.plain > 0)
    }

    /// Puts a call, which has no callee, at the end of the line of its registration.
    pub(super) fn join_line(&mut self, slot: Slot) {
        let Some(rare) = self.calls.get_mut(slot).and_then(|call| call.rare.as_mut()) else {
            return;
        };
        let number = self.next_in_lines;
        self.next_in_lines += 1;
        let Some(record) = self.registrations.get_mut(rare.registration) else {
            self.unsettled.insert(Unsettled::Orphan(number, slot));
            return;
        };
        rare.waiting = Some(number);
        let waiting = record.members.waiting.get_or_insert_default();
        waiting.line.insert(number, slot);
        waiting.bytes += rare.kept_bytes();
        waiting.plain += usize::from(rare.is_plain());
        self.waiting_calls += 1;
        // Somebody may have become free unnoticed, by an answer to another registration's call.
        self.unsettled.insert(Unsettled::Room(rare.registration));
    }

    /// Takes a call from the line, if it waits there.
    pub(super) fn leave_line(&mut self, rare: &mut RareCall) {
        let Some(number) = rare.waiting.take() else {
            return;
        };
        self.waiting_calls -= 1;
        let Some(record) = self.registrations.get_mut(rare.registration) else {
            return;
        };
        let Some(waiting) = &mut record.members.waiting else {
            return;
        };
        waiting.line.remove(&number);
        waiting.bytes -= rare.kept_bytes();
        waiting.plain -= usize::from(rare.is_plain());
        if waiting.line.is_empty() {
            record.members.waiting = None;
        }
    }

    fn next_in_line(&self, id: RegistrationId, after: Bound<u64>) -> Option<(u64, Slot)> {
        let waiting = self.registrations.get(id)?.members.waiting.as_ref()?;
        let next = waiting.line.range((after, Bound::Unbounded)).next();
        next.map(|(&number, &slot)| (number, slot))
    }

    /// Whether nobody further back in the line can be served, after somebody could not.
    fn rest_waits(&self, id: RegistrationId, plain_calls_wait: bool) -> bool {
        let Some(record) = self.registrations.get(id) else {
            return true;
        };
        let waiting = record.members.waiting.as_ref();
        let all_plain = waiting.is_none_or(|waiting| waiting.plain == waiting.line.len());
        let nobody_is_free = !record.members.list.iter().any(|callee| callee.is_free());
        (plain_calls_wait && all_plain) || nobody_is_free
    }

    /// The line of a registration that is about to be deleted is told so.
    pub(super) fn orphan_line(&mut self, id: RegistrationId) {
        let record = self.registrations.get_mut(id);
        let waiting = record.and_then(|record| record.members.waiting.take());
        let line = waiting.into_iter().flat_map(|waiting| waiting.line);
        let orphans = line.map(|(number, slot)| Unsettled::Orphan(number, slot));
        self.unsettled.extend(orphans);
    }

    /// The callees of a registration have become others: calls may wait for nothing.
    pub(super) fn callees_changed(&mut self, id: RegistrationId) {
        let record = self.registrations.get(id);
        if record.is_some_and(|record| record.members.waiting.is_some()) {
            self.unsettled.insert(Unsettled::Room(id));
        }
    }

    /// A callee has got a call that counts for its `concurrency`.
    #[cold]
    pub(super) fn occupy(&mut self, id: RegistrationId, callee: SessionKey) {
        let record = self.registrations.get_mut(id);
        if let Some(callee) = record.and_then(|record| record.members.callee_mut(callee)) {
            callee.running += 1;
        }
    }

    /// A callee has a call no more that counted for its `concurrency`.
    pub(super) fn vacate(&mut self, id: RegistrationId, callee: SessionKey) {
        let record = self.registrations.get_mut(id);
        if let Some(callee) = record.and_then(|record| record.members.callee_mut(callee)) {
            callee.running -= 1;
            self.callees_changed(id);
        }
    }

    /// How many calls of a registration that its callee has count for its `concurrency`: it may have
    /// left the registration meanwhile, and come back to it.
    pub(super) fn running(calls: &Slots<PendingCall>, id: RegistrationId, callee: &Session) -> u32 {
        let counted = |&&(_, slot): &&(RequestId, Slot)| {
            let rare = calls.get(slot).and_then(|call| call.rare.as_ref());
            rare.is_some_and(|rare| rare.counted && rare.registration == id)
        };
        callee.invocations.sorted().iter().filter(counted).count() as u32
    }
}

fn busy(why: &'static str) -> Refusal {
    Refusal::explained(error_uri::UNAVAILABLE, why)
}
