//! The dealer: CALL, and the way back of what its callee answers.
//!
//! Registrations are in `registration`, pending calls in `pending`; the files named after chapters
//! of the specification hold what each feature adds.
//!
//! Deliberately absent so far: call rerouting, trust levels, sharding, and the private options of a
//! call. A callee's `concurrency` and `force_reregister`, which the specification does not know, are
//! ignored.

mod call_canceling;
mod call_timeout;
mod caller_identification;
mod needed_features;
mod pending;
mod progressive_call_invocations;
mod progressive_call_results;
mod registration;
mod shared_registration;

use std::borrow::Cow;

use wampy_proto::message::{
    Call, Error, Invocation, InvocationDetails, Result as ResultMessage, ResultDetails, Yield,
};
use wampy_proto::uri::{self, Grammar};
use wampy_proto::{
    FeatureSet, MatchPolicy, Message, MessageType, RegistrationId, RequestId, Role, error_uri,
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
use progressive_call_invocations::OpenInput;
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
        let request = call.request;
        if caller.has_begun(request) {
            return self.continue_call(from, call, outbox);
        }
        let needed = needed_features::of(&call.options);
        if !needed.is_empty() {
            needed_features::check_announced(caller, needed)?;
            self.note_progressive_call(from, call);
        }
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
        let routed = match well_formed {
            Ok(()) if !uri::is_reserved(procedure) => {
                self.route_call(now, from, call, exact, needed, outbox)
            }
            Ok(()) if needed.is_empty() => self.call_meta_procedure(now, from, call, outbox),
            Ok(()) => Err(needed_features::refusal(needed)),
            Err(refusal) => Err(refusal),
        };
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
        needed: FeatureSet,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_pending_calls(from)?;
        let (registration, match_policy, chosen) =
            self.find_callee(&call.procedure, exact, needed)?;
        let (Some(caller), Some(callee)) =
            (self.sessions.get(from), self.sessions.get(chosen.session))
        else {
            return Ok(());
        };
        let details = self.invocation_details(call, caller, callee, chosen, match_policy)?;
        let invocation = callee
            .last_invocation
            .map_or(RequestId::FIRST, RequestId::next);
        let message = Message::Invocation(Invocation {
            request: invocation,
            registration,
            details,
            payload: call.payload.borrowed(),
        });
        outbox.send(chosen.session, &message)?;
        let input = match call.options.progress {
            true => OpenInput::after(call, message),
            false => None,
        };
        // A callee that is told the limit minds it.
        let timeout_ms = match chosen.forward_timeout {
            true => 0,
            false => self.config.call_timeout_ms(&call.options),
        };
        let pending = PendingCall {
            caller: from,
            request: call.request,
            callee: chosen.session,
            invocation,
            receive_progress: call.options.receive_progress,
            interrupted: false,
            input,
            timeout_ms,
            deadline_ms: None,
        };
        self.begin_call(now, pending);
        Ok(())
    }

    /// What the invocation of a call says beside its payload.
    #[inline(always)]
    fn invocation_details(
        &self,
        call: &Call<'_>,
        caller: &Session,
        callee: &Session,
        chosen: Callee,
        match_policy: MatchPolicy,
    ) -> Result<InvocationDetails, Refusal> {
        let (config, options) = (&self.config, &call.options);
        let (who, disclose_caller) = (&caller.details, chosen.disclose_caller);
        let mut details = config.caller_identity(who, options.disclose_me, disclose_caller)?;
        details.receive_progress =
            progressive_call_results::forwarded(options.receive_progress, callee, config);
        details.progress = options.progress;
        if chosen.forward_timeout || caller.silent_cancel {
            details.timeout_ms = config.call_timeout_ms(options);
        }
        if match_policy != MatchPolicy::Exact {
            details.procedure = Some((*call.procedure).into());
        }
        if options.is_passed_through()
            && let Some(passthru) = options.passthru()
        {
            details.set_passthru(passthru);
        }
        Ok(details)
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
    /// its callees, which must have the features `needed`.
    fn find_callee(
        &mut self,
        procedure: &str,
        exact: Option<RegistrationId>,
        needed: FeatureSet,
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
            self.sessions.get(callee.session).is_some_and(|session| {
                session.invocations.len() < room
                    && (needed.is_empty() || needed_features::has(session, needed))
            })
        });
        let Some(callee) = chosen else {
            let callees = record.members.list.iter();
            let mut sessions = callees.filter_map(|callee| self.sessions.get(callee.session));
            if !sessions.any(|session| needed_features::has(session, needed)) {
                return Err(needed_features::refusal(needed));
            }
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
        let Some(call) = self.end_call(slot) else {
            return Ok(());
        };
        let message = Message::Result(result_of(&call, result));
        if let Err(why) = self.send_answer(call.caller, &message, is_passed_through, outbox) {
            call.refuse(why, outbox);
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
        let is_passed_through = error.details.is_passed_through();
        if is_passed_through {
            self.check_passes_through(from, Role::Callee, MessageType::Error)?;
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
