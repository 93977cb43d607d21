//! Calls that have not ended.
//!
//! A call is in one place, and three tables refer to it: its caller's calls, its callee's
//! invocations, and the timers. They are changed together, here and nowhere else. A call that waits
//! for a callee, or looks for another, has none for a while.

use wampy_proto::message::Call;
use wampy_proto::{MessageType, RequestId, error_uri};

use super::kept_call::RareCall;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};
use crate::slots::Slot;

/// A call between its CALL and its final RESULT or ERROR.
#[derive(Debug)]
pub(crate) struct PendingCall {
    pub(crate) caller: SessionKey,
    /// The caller's id of the call.
    pub(crate) request: RequestId,
    /// [`SessionKey::NOBODY`] while the call waits.
    pub(crate) callee: SessionKey,
    /// The callee's id of the call, if it has a callee.
    pub(crate) invocation: RequestId,
    /// Whether the caller takes the result in parts.
    pub(crate) receive_progress: bool,
    /// Whether the callee was sent INTERRUPT.
    pub(crate) interrupted: bool,
    /// The caller's time limit; 0 for none.
    pub(crate) timeout_ms: u64,
    /// When the time limit is over.
    pub(crate) deadline_ms: Option<u64>,
    /// What is known of few calls only.
    pub(crate) rare: Option<Box<RareCall>>,
}

impl PendingCall {
    /// A call that has no callee yet.
    #[inline]
    pub(super) fn new(caller: SessionKey, call: &Call<'_>, timeout_ms: u64) -> Self {
        Self {
            caller,
            request: call.request,
            callee: SessionKey::NOBODY,
            invocation: RequestId::FIRST,
            receive_progress: call.options.receive_progress,
            interrupted: false,
            timeout_ms,
            deadline_ms: None,
            rare: None,
        }
    }

    /// Answers the call by ERROR. It must have ended.
    pub(super) fn refuse(&self, why: Refusal, outbox: &mut impl Outbox) {
        why.send(self.caller, MessageType::Call, self.request, outbox);
    }
}

impl Realm {
    /// Enters a call whose invocation was sent, or which has to wait.
    // Always where most calls come by, as a call is otherwise moved once more.
    #[inline(always)]
    pub(super) fn begin_call(&mut self, now: Now, call: PendingCall) -> Slot {
        let (caller, request) = (call.caller, call.request);
        let (callee, invocation) = (call.callee, call.invocation);
        let timed = call.timeout_ms > 0;
        if let Some(rare) = call.rare.as_ref().filter(|rare| rare.counted) {
            self.dealer.occupy(rare.registration, callee);
        }
        let slot = self.dealer.calls.insert(call);
        if let Some(session) = self.sessions.get_mut(caller) {
            session.calls.insert(request, slot);
        }
        if let Some(session) = self.sessions.get_mut(callee) {
            session.last_invocation = Some(invocation);
            session.invocations.insert(invocation, slot);
        }
        if timed {
            self.dealer.restart_timer(now, slot);
        }
        slot
    }

    /// Enters that a call which had no callee has one.
    pub(super) fn give_to(&mut self, slot: Slot, callee: SessionKey, invocation: RequestId) {
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return;
        };
        (call.callee, call.invocation) = (callee, invocation);
        if let Some(rare) = call.rare.as_ref().filter(|rare| rare.counted) {
            let registration = rare.registration;
            self.dealer.occupy(registration, callee);
        }
        if let Some(session) = self.sessions.get_mut(callee) {
            session.last_invocation = Some(invocation);
            session.invocations.insert(invocation, slot);
        }
    }

    /// Ends a call by ERROR.
    pub(super) fn refuse_call(&mut self, slot: Slot, refusal: Refusal, outbox: &mut impl Outbox) {
        if let Some(call) = self.end_call(slot) {
            call.refuse(refusal, outbox);
        }
    }

    /// Takes a call from every table. What its callee still sends counts for nothing.
    #[inline(never)]
    pub(super) fn end_call(&mut self, slot: Slot) -> Option<PendingCall> {
        self.take_call(slot)
    }

    /// The same, where most calls end.
    #[inline(always)]
    pub(super) fn take_call(&mut self, slot: Slot) -> Option<PendingCall> {
        let mut call = self.dealer.calls.remove(slot)?;
        if let Some(session) = self.sessions.get_mut(call.caller) {
            session.calls.remove(call.request);
        }
        if let Some(session) = self.sessions.get_mut(call.callee) {
            session.invocations.remove(call.invocation);
        }
        if let Some(deadline_ms) = call.deadline_ms {
            self.dealer.timers.remove(deadline_ms, slot);
        }
        if let Some(rare) = &mut call.rare {
            self.dealer.release(call.callee, rare);
        }
        Some(call)
    }

    /// Ends a call in the middle: the callee is interrupted, the caller told why.
    pub(crate) fn break_off(&mut self, slot: Slot, why: Refusal, outbox: &mut impl Outbox) {
        if let Some(call) = self.end_call(slot) {
            self.interrupt(&call, outbox);
            call.refuse(why, outbox);
        }
    }

    /// Ends the calls of a session that is gone: those that it should have answered by ERROR
    /// `wamp.error.canceled`, those that it made by INTERRUPT.
    pub(crate) fn end_calls_of(&mut self, gone: &Session, outbox: &mut impl Outbox) {
        for (_, slot) in gone.invocations.sorted() {
            let Some(call) = self.end_call(slot) else {
                continue;
            };
            if self.sessions.get(call.caller).is_some() {
                let why = "the callee left before it answered";
                call.refuse(Refusal::explained(error_uri::CANCELED, why), outbox);
            }
        }
        for (_, slot) in gone.calls.sorted() {
            if let Some(call) = self.end_call(slot) {
                self.interrupt(&call, outbox);
            }
        }
    }
}
