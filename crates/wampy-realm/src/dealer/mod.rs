//! The dealer: CALL, and the way back of what its callee answers.
//!
//! Registrations are in `registration`, pending calls in `pending`, the way from a call to its
//! invocation in `invoking`; the files named after chapters of the specification hold what each
//! feature adds.
//!
//! Deliberately absent so far: progressive call invocations, payload passthru, `forward_timeout`, and
//! the private options of a call.

mod call_canceling;
mod call_rerouting;
mod call_timeout;
mod call_trustlevels;
mod caller_identification;
mod force_reregister;
mod invoking;
mod kept_call;
mod pending;
mod progressive_call_results;
mod registration;
mod registration_concurrency;
mod registration_revocation;
mod sharded_registration;
mod shared_registration;

use std::borrow::Cow;

use wampy_proto::message::{Call, Error, Result as ResultMessage, Yield};
use wampy_proto::uri::{self, Grammar};
use wampy_proto::{
    MatchPolicy, Message, MessageType, RegistrationId, RequestId, error_uri, message::ResultDetails,
};

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
    unsettled: Vec<Unsettled>,
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
            unsettled: Vec::new(),
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
        check_call(caller, call)?;
        let request = call.request;
        let procedure = &*call.procedure;
        let exact = self
            .dealer
            .registrations
            .lookup(procedure, MatchPolicy::Exact);
        // Where somebody has registered it, its form is known to be right.
        let well_formed = match exact {
            Some(_) => Ok(()),
            None => self.config.check_uri(procedure),
        };
        let routed = well_formed.and_then(|()| match uri::is_reserved(procedure) {
            true => self.call_meta_procedure(from, call, outbox),
            false => self.route_call(now, from, call, exact, outbox),
        });
        if let Err(refusal) = routed {
            refusal.send(from, MessageType::Call, request, outbox);
        }
        Ok(())
    }

    pub(crate) fn handle_yield(
        &mut self,
        now: Now,
        from: SessionKey,
        result: &Yield<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        if result.options.ppt_scheme.is_some() {
            return Err(Violation::new(
                "YIELD has ppt_scheme, but payload_passthru_mode was not announced",
            ));
        }
        let Some(slot) = self.invoked(from, result.request, MessageType::Yield)? else {
            return Ok(());
        };
        if result.options.progress {
            self.forward_progress(now, slot, result.payload.borrowed(), outbox);
            return Ok(());
        }
        let Some(call) = self.end_call(slot) else {
            return Ok(());
        };
        let details = ResultDetails::default();
        let message = Message::Result(ResultMessage {
            request: call.request,
            details,
            payload: result.payload.borrowed(),
        });
        if let Err(error) = outbox.send(call.caller, &message) {
            Refusal::from(error).send(call.caller, MessageType::Call, call.request, outbox);
        }
        Ok(())
    }

    /// ERROR from a callee: forwarded to the caller, whole.
    pub(crate) fn handle_error(
        &mut self,
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
        let Some(slot) = self.invoked(from, error.request, MessageType::Error)? else {
            return Ok(());
        };
        if error.error == error_uri::UNAVAILABLE && self.reroute(slot, outbox) {
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
        if let Err(problem) = outbox.send(call.caller, &Message::Error(error)) {
            Refusal::from(problem).send(call.caller, MessageType::Call, call.request, outbox);
        }
        Ok(())
    }

    /// The pending call behind an invocation that its callee answers; `None` if the call has ended
    /// meanwhile, so that the answer counts for nothing.
    ///
    /// Invocations are numbered 1, 2, 3, …: a higher number was never invoked.
    fn invoked(
        &self,
        callee: SessionKey,
        invocation: RequestId,
        answer: MessageType,
    ) -> Result<Option<Slot>, Violation> {
        let Some(session) = self.sessions.get(callee) else {
            return Ok(None);
        };
        if let Some(slot) = session.invocations.get(invocation) {
            return Ok(Some(slot));
        }
        if session.last_invocation.is_none_or(|last| invocation > last) {
            let answer = answer.as_str();
            return Err(Violation::new(format!(
                "{answer} received for invocation {invocation}, which was never made"
            )));
        }
        Ok(None)
    }
}

/// Checks that a call keeps to the protocol and uses only what was announced.
fn check_call(caller: &Session, call: &Call<'_>) -> Result<(), Violation> {
    let unannounced = if call.options.progress {
        Some("CALL has progress, but progressive_call_invocations was not announced")
    } else if call.options.ppt_scheme.is_some() {
        Some("CALL has ppt_scheme, but payload_passthru_mode was not announced")
    } else {
        None
    };
    if let Some(problem) = unannounced {
        return Err(Violation::new(problem));
    }
    if caller.calls.contains(call.request) {
        let request = call.request;
        return Err(Violation::new(format!(
            "CALL has the request id {request} of a call that has not ended"
        )));
    }
    Ok(())
}
