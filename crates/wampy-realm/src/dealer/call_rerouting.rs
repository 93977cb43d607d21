//! Call Re-Routing: a callee that answers `wamp.error.unavailable` hands its call back, and the next
//! callee of the registration gets it.
//!
//! The next one is who would get the call if those that were unavailable had not registered; when
//! none is left, the caller gets `wamp.error.no_available_callee`. It applies to callees that
//! announced `call_reroute`; the error of others goes to the caller as it is.
//!
//! A call can be sent again only if it was kept, which happens where another callee may be needed:
//! when its callee announced the feature and is not the only one. It is not kept, and
//! `wamp.error.unavailable` reaches the caller as the callee sent it, when
//!
//! - it is larger than [`RealmConfig::rerouted_call_bytes_max`](crate::RealmConfig), or all calls
//!   that are kept would be more than [`RealmConfig::kept_call_bytes_max`](crate::RealmConfig);
//! - it comes in parts (progressive call invocations), or parts of its result were delivered;
//! - the caller has canceled it by `kill`: it waits for an end, not for a result.
//!
//! A call of one partition (sharded registration) has no other callee. Rerouting cannot keep the order
//! of a caller's calls at the next callee: later calls may have gone there already.

use wampy_proto::error_uri;
use wampy_proto::message::Call;

use super::invoking::Placed;
use super::kept_call::{self, KeptCall};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::SessionKey;
use crate::slots::Slot;

impl Realm {
    /// Keeps a call that may be rerouted, if that is allowed.
    pub(super) fn keep_for_rerouting(&mut self, now: Now, call: &Call<'_>) -> Option<KeptCall> {
        let bytes_max = self.config.rerouted_call_bytes_max;
        if call.options.progress || kept_call::bytes_of(call) > bytes_max {
            return None;
        }
        self.dealer.keep(call, &self.config, now)
    }

    /// The callee of a call is unavailable. Returns whether this was seen to; otherwise the error
    /// goes to the caller like any other.
    pub(super) fn reroute(&mut self, now: Now, slot: Slot, outbox: &mut impl Outbox) -> bool {
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return false;
        };
        let (callee, invocation) = (call.callee, call.invocation);
        let session = self.sessions.get_mut(callee);
        let Some(session) = session.filter(|session| session.may_be_unavailable()) else {
            return false;
        };
        if call.interrupted {
            return false;
        }
        let Some(rare) = call.rare.as_mut().filter(|rare| rare.reroutable) else {
            let why = "the callee is unavailable, and there is no other";
            let refusal = Refusal::explained(error_uri::NO_AVAILABLE_CALLEE, why);
            self.refuse_call(slot, refusal, outbox);
            return true;
        };
        if rare.kept.is_none() {
            return false;
        }
        call.callee = SessionKey::NOBODY;
        session.invocations.remove(invocation);
        rare.tried.push(callee);
        let (registration, bytes) = (rare.registration, rare.kept_bytes());
        if std::mem::take(&mut rare.counted) {
            self.dealer.vacate(registration, callee);
        }
        if self.place_call(now, slot, outbox) == Placed::Waiting {
            match self.dealer.check_line(&self.config, registration, bytes) {
                Ok(()) => self.dealer.join_line(slot),
                Err(refusal) => self.refuse_call(slot, refusal, outbox),
            }
        }
        true
    }

    /// Parts of a call's result were delivered: another callee cannot begin anew.
    pub(super) fn forbid_rerouting(&mut self, slot: Slot) {
        let call = self.dealer.calls.get_mut(slot);
        if let Some(rare) = call.and_then(|call| call.rare.as_mut()) {
            rare.forget_kept(&mut self.dealer.kept_call_bytes);
        }
    }
}
