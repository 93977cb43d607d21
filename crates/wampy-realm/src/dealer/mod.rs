//! The dealer: CALL, and the way back of what its callee answers.
//!
//! Registrations are in `registration`, pending calls in `pending`, the way from a call to its
//! invocation in `invoking`, with a shorter one for most in `usual_call`; the files named after chapters
//! of the specification hold what each feature adds.
//!
//! Deliberately absent: the private options of a call.

mod call_canceling;
mod call_rerouting;
mod call_timeout;
mod call_trustlevels;
mod caller_identification;
mod force_reregister;
mod invoking;
mod kept_call;
mod needed_features;
mod pending;
mod progressive_call_invocations;
mod progressive_call_results;
mod registration;
mod registration_concurrency;
mod registration_revocation;
mod sharded_registration;
mod shared_registration;
mod usual_call;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::mem::ManuallyDrop;

use wampy_proto::message::{Call, Error, Result as ResultMessage, ResultDetails, Yield};
use wampy_proto::uri::{self, Grammar};
use wampy_proto::{FeatureSet, Message, MessageType, RegistrationId, RequestId, Role, error_uri};

use crate::hash::RandomState;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm, Violation};
use crate::records::Records;
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};
use crate::slots::{Slot, Slots};
use call_timeout::CallTimers;
use pending::PendingCall;
use registration_concurrency::Unsettled;
pub(crate) use shared_registration::Callees;

/// The registrations and pending calls of a realm.
#[derive(Debug)]
pub(crate) struct Dealer {
    pub(crate) registrations: Records<RegistrationId, Callees>,
    pub(crate) calls: Slots<PendingCall>,
    pub(crate) timers: CallTimers,
    /// What all calls that are kept count, in bytes.
    pub(crate) kept_call_bytes: usize,
    /// How many calls wait for a callee.
    pub(crate) waiting_calls: usize,
    /// The number of the next call that waits.
    next_in_lines: u64,
    unsettled: BTreeSet<Unsettled>,
}

impl Dealer {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            registrations: Records::new(hash),
            calls: Slots::new(),
            timers: CallTimers::default(),
            kept_call_bytes: 0,
            waiting_calls: 0,
            next_in_lines: 0,
            unsettled: BTreeSet::new(),
        }
    }
}

impl Realm {
    pub(crate) fn handle_call(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        let Some(caller) = self.sessions.get(from) else {
            return Ok(());
        };
        let request = call.request;
        if caller.has_begun(request) {
            return self.continue_call(from, call, outbox);
        }
        let needed = needed_features::of(&call.options);
        if !needed.is_empty() {
            needed_features::check_announced(caller, needed)?;
            if call.options.progress {
                self.note_progressive_call(from, request);
            }
        }
        if let Err(refusal) = self.begin(now, from, call, needed, outbox) {
            refusal.send(from, MessageType::Call, request, outbox);
        }
        Ok(())
    }

    /// Makes a call that is no further part of an earlier one.
    #[inline]
    fn begin(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        needed: FeatureSet,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let procedure = &*call.procedure;
        let exact = self.dealer.registrations.exact(procedure);
        if let Some(registration) = exact {
            // Somebody has registered it, so its form is known to be right, and it is none of the
            // protocol's own.
            if needed.is_empty() && self.make_usual_call(now, from, call, registration, outbox)? {
                return Ok(());
            }
            return self.route_call(now, from, call, exact, needed, outbox);
        }
        self.config.check_uri(procedure)?;
        if !uri::is_reserved(procedure) {
            return self.route_call(now, from, call, None, needed, outbox);
        }
        match needed.is_empty() {
            true => self.call_meta_procedure(now, from, call, outbox),
            false => Err(needed_features::refusal(needed)),
        }
    }

    pub(crate) fn handle_yield(
        &mut self,
        now: Now,
        from: SessionKey,
        result: &Yield<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        let is_passed_through = result.options.is_passed_through();
        if is_passed_through {
            self.check_passes_through(from, Role::Callee, MessageType::Yield)?;
        }
        let Some(slot) = self.invoked(from, result.request, MessageType::Yield)? else {
            return Ok(());
        };
        if result.options.progress {
            self.forward_progress(now, slot, result, outbox);
            return Ok(());
        }
        let Some(call) = self.take_call(slot) else {
            return Ok(());
        };
        // A result that is not passed through owns nothing.
        let message = ManuallyDrop::new(Message::Result(result_of(&call, result)));
        let sent = self.send_answer(call.caller, &message, is_passed_through, outbox);
        if is_passed_through {
            drop(ManuallyDrop::into_inner(message));
        }
        if let Err(why) = sent {
            call.refuse(why, outbox);
        }
        Ok(())
    }

    /// ERROR from a callee: forwarded to the caller, whole.
    pub(crate) fn handle_error(
        &mut self,
        now: Now,
        from: SessionKey,
        error: &mut Error<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        if error.request_type != MessageType::Invocation {
            let name = error.request_type.as_str();
            return Err(Violation::new(format!(
                "ERROR received for {name}, but a client can only answer INVOCATION"
            )));
        }
        let is_passed_through = error.details.is_passed_through();
        if is_passed_through {
            self.check_passes_through(from, Role::Callee, MessageType::Error)?;
        }
        let Some(slot) = self.invoked(from, error.request, MessageType::Error)? else {
            return Ok(());
        };
        if error.error == error_uri::UNAVAILABLE && self.reroute(now, slot, outbox) {
            return Ok(());
        }
        let Some(call) = self.end_call(slot) else {
            return Ok(());
        };
        let mut error = Error {
            request_type: MessageType::Call,
            request: call.request,
            details: std::mem::take(&mut error.details),
            error: Cow::Borrowed(&*error.error),
            payload: error.payload.borrowed(),
        };
        // A malformed URI is the callee's mistake and must not become a violation at the caller.
        if !Grammar::Loose.accepts(&error.error) {
            error.error = Cow::Borrowed(error_uri::INVALID_URI);
        }
        let message = Message::Error(error);
        if let Err(why) = self.send_answer(call.caller, &message, is_passed_through, outbox) {
            call.refuse(why, outbox);
        }
        Ok(())
    }

    /// The pending call behind an invocation that its callee answers; `None` if the call has ended
    /// meanwhile, so that the answer counts for nothing.
    ///
    /// Invocations are numbered 1, 2, 3, …: a higher number was never invoked.
    #[inline]
    fn invoked(
        &self,
        callee: SessionKey,
        invocation: RequestId,
        answer: MessageType,
    ) -> Result<Option<Slot>, Violation> {
        let Some(session) = self.sessions.get(callee) else {
            return Ok(None);
        };
        match session.invocations.get(invocation) {
            Some(slot) => Ok(Some(slot)),
            None => session.check_was_invoked(invocation, answer),
        }
    }
}

impl Session {
    /// Checks that there was an invocation, to which an answer came too late.
    #[cold]
    fn check_was_invoked(
        &self,
        invocation: RequestId,
        answer: MessageType,
    ) -> Result<Option<Slot>, Violation> {
        if self.last_invocation.is_none_or(|last| invocation > last) {
            let answer = answer.as_str();
            return Err(Violation::new(format!(
                "{answer} received for invocation {invocation}, which was never made"
            )));
        }
        Ok(None)
    }
}

/// What the caller gets for a YIELD.
#[inline]
fn result_of<'a>(call: &PendingCall, result: &'a Yield<'_>) -> ResultMessage<'a> {
    let mut details = ResultDetails {
        progress: result.options.progress,
        ..ResultDetails::default()
    };
    if result.options.is_passed_through()
        && let Some(passthru) = result.options.passthru()
    {
        details.set_passthru(passthru);
    }
    ResultMessage {
        request: call.request,
        details,
        payload: result.payload.borrowed(),
    }
}
