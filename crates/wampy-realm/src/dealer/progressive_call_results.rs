//! Progressive Call Results: a call may have several results before its last.
//!
//! Where the specification is silent: a progressive YIELD that the caller did not ask for counts
//! for nothing, and the call goes on until its final result.

use wampy_proto::message::Yield;
use wampy_proto::{Feature, Message, Role};

use super::result_of;
use crate::config::RealmConfig;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::session::Session;
use crate::slots::Slot;

/// Whether an invocation says that the caller takes progress: only to callees that have the feature
/// and can be interrupted, so that they can be told when the caller is gone. (The second is waived
/// by [`RealmConfig::progress_without_canceling`].)
pub(super) fn forwarded(receive_progress: bool, callee: &Session, config: &RealmConfig) -> bool {
    receive_progress
        && (callee.takes_interrupt() || config.progress_without_canceling)
        && callee
            .details
            .roles
            .supports(Role::Callee, Feature::ProgressiveCallResults)
}

impl Realm {
    /// Forwards one part of a result, and restarts the call's time.
    pub(super) fn forward_progress(
        &mut self,
        now: Now,
        slot: Slot,
        result: &Yield<'_>,
        outbox: &mut impl Outbox,
    ) {
        let Some(call) = self
            .dealer
            .calls
            .get(slot)
            .filter(|call| call.receive_progress)
        else {
            return;
        };
        let is_passed_through = result.options.is_passed_through();
        let message = Message::Result(result_of(call, result));
        match self.send_answer(call.caller, &message, is_passed_through, outbox) {
            Ok(()) => {
                self.forbid_rerouting(slot);
                self.dealer.restart_timer(now, slot);
            }
            // A result with a hole in it is none: the call ends.
            Err(why) => self.break_off(slot, why, outbox),
        }
    }
}
