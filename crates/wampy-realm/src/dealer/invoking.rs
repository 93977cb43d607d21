//! From a call to its invocation: which callee gets it, and what the callee is told.
//!
//! A call goes to a callee when it is made, or later if it had to wait or its callee was unavailable.

use wampy_proto::message::{Call, CallOptions, Invocation, InvocationDetails};
use wampy_proto::{FeatureSet, MatchPolicy, Message, RegistrationId, RequestId, error_uri};

use super::kept_call::RareCall;
use super::pending::PendingCall;
use super::progressive_call_invocations::OpenInput;
use super::sharded_registration::Shard;
use super::shared_registration::{Callee, Choice};
use super::{call_trustlevels, caller_identification, needed_features, progressive_call_results};
use crate::config::Disclosure;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionDetails, SessionKey};
use crate::slots::Slot;

/// Who gets a call.
#[derive(Debug)]
pub(super) struct Chosen {
    registration: RegistrationId,
    match_policy: MatchPolicy,
    callee: Callee,
    /// Whether the registration has more callees.
    is_shared: bool,
}

/// What a call needs of its callee.
#[derive(Debug)]
pub(super) struct Wish<'t> {
    shard: Option<Shard>,
    needed: FeatureSet,
    /// Who could not take it.
    tried: &'t [SessionKey],
}

/// What became of a call that looked for a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Invoked,
    Waiting,
    Ended,
}

impl Realm {
    /// Finds the callee of a call, whose procedure `exact` registers under its own name if any does,
    /// and sends it the invocation.
    #[inline(never)]
    pub(super) fn route_call(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        exact: Option<RegistrationId>,
        needed: FeatureSet,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_pending_calls(from)?;
        let shard = Shard::of(&call.options)?;
        let wish = Wish {
            shard,
            needed,
            tried: &[],
        };
        let registration = match exact {
            Some(registration) => registration,
            None => self.registration_by_pattern(&call.procedure)?,
        };
        let chosen = if shard.is_none() && self.dealer.others_wait(registration) {
            None
        } else {
            self.choose_callee(registration, &wish)?
        };
        let Some(chosen) = chosen else {
            return self.wait_for_callee(now, from, call, registration);
        };
        let timeout_ms = self.config.call_timeout_ms(&call.options);
        let mut input = None;
        let invocation = self.invoke(from, call, &chosen, timeout_ms, &mut input, outbox)?;
        let callee = &chosen.callee;
        let rare = if callee.concurrency.is_some() || chosen.is_shared || input.is_some() {
            self.rare_call(now, call, &chosen, shard, input)
        } else {
            None
        };
        // A callee that is told the limit minds it.
        let timeout_ms = if callee.forward_timeout {
            0
        } else {
            timeout_ms
        };
        let pending = PendingCall {
            callee: callee.session,
            invocation,
            rare,
            ..PendingCall::new(from, call, timeout_ms)
        };
        self.begin_call(now, pending);
        Ok(())
    }

    /// The registration of a procedure that nobody has registered under its own name.
    #[cold]
    fn registration_by_pattern(&self, procedure: &str) -> Result<RegistrationId, Refusal> {
        let registration = self.dealer.registrations.best_pattern(procedure);
        registration.ok_or_else(|| {
            let message = format!("no callee has registered {procedure:?}");
            Refusal::explained(error_uri::NO_SUCH_PROCEDURE, message)
        })
    }

    #[inline]
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

    /// Which callee of a registration gets a call; `None` if the call has to wait.
    #[inline]
    fn choose_callee(
        &mut self,
        id: RegistrationId,
        wish: &Wish<'_>,
    ) -> Result<Option<Chosen>, Refusal> {
        let Some(record) = self.dealer.registrations.get_mut(id) else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let room = self.config.pending_invocations_per_session_max;
        let needed = wish.needed;
        let suits = |callee: &Callee| {
            self.sessions.get(callee.session).is_some_and(|session| {
                session.invocations.len() < room
                    && (needed.is_empty() || needed_features::has(session, needed))
            }) && !wish.tried.contains(&callee.session)
        };
        let choice = record.members.choose(&mut self.random, wish.shard, suits);
        match choice {
            Choice::Callee(at) => {
                let callee = &record.members.list[at];
                Ok(Some(Chosen {
                    registration: id,
                    match_policy: record.match_policy,
                    callee: *callee,
                    is_shared: record.members.list.len() > 1,
                }))
            }
            Choice::Wait => Ok(None),
            Choice::Nobody => Err(self.nobody_suits(id, wish)),
        }
    }

    /// Why no callee of a registration gets a call.
    #[cold]
    fn nobody_suits(&self, id: RegistrationId, wish: &Wish<'_>) -> Refusal {
        let record = self.dealer.registrations.get(id);
        let callees = record.map_or(&[][..], |record| &record.members.list);
        let owner = wish.shard.and_then(|shard| shard.owner(callees));
        let candidates = owner.map_or(callees, |at| &callees[at..=at]);
        let mut sessions = candidates
            .iter()
            .filter_map(|callee| self.sessions.get(callee.session));
        if !wish.needed.is_empty()
            && !sessions.any(|session| needed_features::has(session, wish.needed))
        {
            return needed_features::refusal(wish.needed);
        }
        let message = if wish.tried.is_empty() {
            let room = self.config.pending_invocations_per_session_max;
            format!("each callee has {room} invocations to answer, the most allowed")
        } else {
            "no callee is available".to_owned()
        };
        Refusal::explained(error_uri::NO_AVAILABLE_CALLEE, message)
    }

    /// Sends a call, of whose time limit `timeout_ms` are left, to its callee. What further parts of
    /// the call are sent with is put into `input`, if any may come.
    #[inline]
    fn invoke(
        &self,
        from: SessionKey,
        call: &Call<'_>,
        chosen: &Chosen,
        timeout_ms: u64,
        input: &mut Option<Box<OpenInput>>,
        outbox: &mut impl Outbox,
    ) -> Result<RequestId, Refusal> {
        let to = chosen.callee.session;
        let (Some(caller), Some(callee)) = (self.sessions.get(from), self.sessions.get(to)) else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let options = &call.options;
        let mut details = InvocationDetails {
            progress: options.progress,
            receive_progress: progressive_call_results::forwarded(
                options.receive_progress,
                callee,
                &self.config,
            ),
            ..InvocationDetails::default()
        };
        if self.may_say_more(options, &caller.details, chosen) {
            self.add_details(&mut details, call, caller, callee, chosen)?;
        }
        if chosen.callee.forward_timeout || caller.silent_cancel {
            details.timeout_ms = timeout_ms;
        }
        let invocation = callee.next_invocation();
        let message = Message::Invocation(Invocation {
            request: invocation,
            registration: chosen.registration,
            details,
            payload: call.payload.borrowed(),
        });
        outbox.send(to, &message)?;
        // Dropping what is known to be an invocation is less work than dropping any message.
        if let Message::Invocation(sent) = message
            && options.progress
        {
            *input = Some(OpenInput::after(call, sent));
        }
        Ok(invocation)
    }

    /// Whether there may be more to say in an invocation than most say.
    #[inline]
    fn may_say_more(&self, options: &CallOptions, caller: &SessionDetails, to: &Chosen) -> bool {
        options.disclose_me
            || options.rare.present().is_some()
            || to.callee.disclose_caller
            || to.match_policy != MatchPolicy::Exact
            || caller.trust_level.is_some()
            || self.config.caller_disclosure == Disclosure::Always
    }

    /// Adds what few invocations say.
    #[cold]
    fn add_details(
        &self,
        details: &mut InvocationDetails,
        call: &Call<'_>,
        caller: &Session,
        callee: &Session,
        chosen: &Chosen,
    ) -> Result<(), Refusal> {
        let (options, who) = (&call.options, &caller.details);
        let disclose_caller = chosen.callee.disclose_caller;
        if self
            .config
            .discloses_caller(options.disclose_me, disclose_caller)?
        {
            caller_identification::add_caller(details, who);
        }
        call_trustlevels::add_level(details, who, callee);
        if chosen.match_policy != MatchPolicy::Exact {
            details.procedure = Some((*call.procedure).into());
        }
        if options.is_passed_through()
            && let Some(passthru) = options.passthru()
        {
            details.set_passthru(passthru);
        }
        Ok(())
    }

    /// What has to be known of a call beside what is known of all calls, if anything.
    #[cold]
    fn rare_call(
        &mut self,
        now: Now,
        call: &Call<'_>,
        chosen: &Chosen,
        shard: Option<Shard>,
        input: Option<Box<OpenInput>>,
    ) -> Option<Box<RareCall>> {
        let reroutable = shard.is_none() && self.is_reroutable(chosen);
        let counted = chosen.callee.concurrency.is_some();
        if !reroutable && !counted && input.is_none() {
            return None;
        }
        let kept = if reroutable {
            self.keep_for_rerouting(now, call)
        } else {
            None
        };
        Some(Box::new(RareCall {
            counted,
            reroutable,
            input,
            ..RareCall::new(chosen.registration, kept)
        }))
    }

    fn is_reroutable(&self, chosen: &Chosen) -> bool {
        let callee = || self.sessions.get(chosen.callee.session);
        chosen.is_shared && callee().is_some_and(Session::may_be_unavailable)
    }

    /// Looks for a callee for a call that is kept and has none.
    #[cold]
    pub(super) fn place_call(&mut self, now: Now, slot: Slot, outbox: &mut impl Outbox) -> Placed {
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return Placed::Ended;
        };
        let from = call.caller;
        let Some(mut rare) = call.rare.take() else {
            return Placed::Ended;
        };
        let placed = self.invoke_kept(now, from, &rare, outbox);
        let limit = rare.kept.as_ref().and_then(|kept| kept.limit);
        if let Ok(Some((chosen, _))) = &placed {
            self.dealer.leave_line(&mut rare);
            rare.counted = chosen.callee.concurrency.is_some();
            rare.reroutable = !rare.is_sharded() && self.is_reroutable(chosen);
            if !rare.reroutable || rare.kept_bytes() > self.config.rerouted_call_bytes_max {
                rare.forget_kept(&mut self.dealer.kept_call_bytes);
            }
        }
        if let Some(call) = self.dealer.calls.get_mut(slot) {
            call.rare = Some(rare);
        }
        match placed {
            Ok(Some((chosen, invocation))) => {
                let callee = &chosen.callee;
                let limit = limit.filter(|_| !callee.forward_timeout);
                self.dealer.mind_time(slot, limit);
                self.give_to(slot, callee.session, invocation);
                Placed::Invoked
            }
            Ok(None) => {
                self.dealer.mind_time(slot, limit);
                Placed::Waiting
            }
            Err(refusal) => {
                self.refuse_call(slot, refusal, outbox);
                Placed::Ended
            }
        }
    }

    /// Sends a call that is kept to a callee, if one is free: to whom, and the invocation.
    #[cold]
    fn invoke_kept(
        &mut self,
        now: Now,
        from: SessionKey,
        rare: &RareCall,
        outbox: &mut impl Outbox,
    ) -> Result<Option<(Chosen, RequestId)>, Refusal> {
        let Some(kept) = &rare.kept else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let call = &kept.call;
        let wish = Wish {
            shard: Shard::of(&call.options)?,
            needed: needed_features::of(&call.options),
            tried: &rare.tried,
        };
        let Some(chosen) = self.choose_callee(rare.registration, &wish)? else {
            return Ok(None);
        };
        let left_ms = kept.limit.map_or(0, |limit| limit.left_ms(now));
        // A call that is kept is whole: no parts follow.
        let invocation = self.invoke(from, call, &chosen, left_ms, &mut None, outbox)?;
        Ok(Some((chosen, invocation)))
    }
}
