//! The dealer: CALL, and the way back of what its callee answers.
//!
//! Registrations are in `registration`, pending calls in `pending`; the files named after chapters
//! of the specification hold what each feature adds.
//!
//! Deliberately absent so far: progressive call invocations, payload passthru, call rerouting,
//! trust levels, sharding, `forward_timeout`, and the private options of a call. A callee's
//! `concurrency` and `force_reregister`, which the specification does not know, are ignored.

mod call_canceling;
mod call_timeout;
mod caller_identification;
mod pending;
mod progressive_call_results;
mod registration;
mod shared_registration;

use std::borrow::Cow;

use wampy_proto::message::{Call, Error, Invocation, Result as ResultMessage, Yield};
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
use shared_registration::Callee;
pub(crate) use shared_registration::Callees;

/// The registrations and pending calls of a realm.
#[derive(Debug)]
pub(crate) struct Dealer {
    pub(crate) registrations: Records<RegistrationId, Callees>,
    pub(crate) calls: Slots<PendingCall>,
    pub(crate) timers: CallTimers,
}

impl Dealer {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            registrations: Records::new(hash),
            calls: Slots::new(),
            timers: CallTimers::default(),
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
            true => self.call_meta_procedure(now, from, call, outbox),
            false => self.route_call(now, from, call, exact, outbox),
        });
        if let Err(refusal) = routed {
            refusal.send(from, MessageType::Call, request, outbox);
        }
        Ok(())
    }

    /// Finds the callee of a call and sends it the invocation.
    fn route_call(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        exact: Option<RegistrationId>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_pending_calls(from)?;
        let (registration, match_policy, chosen) = self.find_callee(&call.procedure, exact)?;
        let (Some(caller), Some(callee)) =
            (self.sessions.get(from), self.sessions.get(chosen.session))
        else {
            return Ok(());
        };
        let options = &call.options;
        let mut details = self.config.caller_identity(
            &caller.details,
            options.disclose_me,
            chosen.disclose_caller,
        )?;
        details.receive_progress =
            progressive_call_results::forwarded(options.receive_progress, callee, &self.config);
        if caller.silent_cancel {
            details.timeout_ms = options.timeout_ms;
        }
        if match_policy != MatchPolicy::Exact {
            details.procedure = Some((*call.procedure).into());
        }
        let invocation = Invocation {
            request: callee
                .last_invocation
                .map_or(RequestId::FIRST, RequestId::next),
            registration,
            details,
            payload: call.payload.borrowed(),
        };
        let pending = PendingCall {
            caller: from,
            request: call.request,
            callee: chosen.session,
            invocation: invocation.request,
            receive_progress: options.receive_progress,
            interrupted: false,
            timeout_ms: options.timeout_ms.min(self.config.call_timeout_ms_max),
            deadline_ms: None,
        };
        outbox.send(chosen.session, &Message::Invocation(invocation))?;
        self.begin_call(now, pending);
        Ok(())
    }

    fn check_pending_calls(&self, caller: SessionKey) -> Result<(), Refusal> {
        let max = self.config.pending_calls_per_session_max;
        if self
            .sessions
            .get(caller)
            .is_some_and(|caller| caller.calls.len() >= max)
        {
            return Err(Refusal::limit(error_uri::UNAVAILABLE, "pending calls", max));
        }
        Ok(())
    }

    /// The registration that a call of `procedure` goes to, `exact` if there is one, and which of
    /// its callees.
    fn find_callee(
        &mut self,
        procedure: &str,
        exact: Option<RegistrationId>,
    ) -> Result<(RegistrationId, MatchPolicy, Callee), Refusal> {
        let registrations = &mut self.dealer.registrations;
        let found = exact
            .or_else(|| registrations.best_pattern(procedure))
            .and_then(|id| registrations.get_mut(id).map(|record| (id, record)));
        let Some((id, record)) = found else {
            let message = format!("no callee has registered {procedure:?}");
            return Err(Refusal::explained(error_uri::NO_SUCH_PROCEDURE, message));
        };
        let room = self.config.pending_invocations_per_session_max;
        let chosen = record.members.choose(&mut self.random, |callee| {
            let session = self.sessions.get(callee.session);
            session.is_some_and(|session| session.invocations.len() < room)
        });
        let Some(callee) = chosen else {
            let message = format!("each callee has {room} invocations to answer, the most allowed");
            return Err(Refusal::explained(error_uri::NO_AVAILABLE_CALLEE, message));
        };
        Ok((id, record.match_policy, callee))
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
