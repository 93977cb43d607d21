//! From a call to its invocation: which callee gets it, and what the callee is told.
//!
//! A call goes to a callee when it is made, or later if it had to wait or its callee was unavailable.

use wampy_proto::message::{Call, Invocation, InvocationDetails};
use wampy_proto::{FeatureSet, MatchPolicy, Message, RegistrationId, RequestId, error_uri};

use super::kept_call::RareCall;
use super::pending::PendingCall;
use super::progressive_call_invocations::OpenInput;
use super::sharded_registration::Shard;
use super::shared_registration::{Callee, Choice};
use super::{call_trustlevels, needed_features, progressive_call_results};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};
use crate::slots::Slot;

/// Who gets a call.
#[derive(Debug)]
pub(super) struct Chosen {
    registration: RegistrationId,
    match_policy: MatchPolicy,
    session: SessionKey,
    disclose_caller: bool,
    forward_timeout: bool,
    /// Whether the callee limits how many calls it has.
    counted: bool,
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

/// An invocation that was sent.
#[derive(Debug)]
struct Sent {
    invocation: RequestId,
    input: Option<Box<OpenInput>>,
}

/// What became of a call that looked for a callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    Invoked,
    Waiting,
    Ended,
}

impl Realm {
    /// Finds the callee of a call and sends it the invocation.
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
        let patterns = &self.dealer.registrations;
        let Some(registration) = exact.or_else(|| patterns.best_pattern(&call.procedure)) else {
            let message = format!("no callee has registered {:?}", call.procedure);
            return Err(Refusal::explained(error_uri::NO_SUCH_PROCEDURE, message));
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
        let sent = self.invoke(from, call, &chosen, timeout_ms, outbox)?;
        let mut pending = PendingCall::new(from, call, timeout_ms);
        (pending.callee, pending.invocation) = (chosen.session, sent.invocation);
        pending.input = sent.input;
        if chosen.forward_timeout {
            // A callee that is told the limit minds it.
            pending.timeout_ms = 0;
        }
        if chosen.counted || chosen.is_shared {
            pending.rare = self.rare_call(now, call, &chosen, shard);
        }
        self.begin_call(now, pending);
        Ok(())
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
                    session: callee.session,
                    disclose_caller: callee.disclose_caller,
                    forward_timeout: callee.forward_timeout,
                    counted: callee.concurrency.is_some(),
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

    /// Sends a call, of whose time limit `timeout_ms` are left, to its callee.
    #[inline]
    fn invoke(
        &self,
        from: SessionKey,
        call: &Call<'_>,
        chosen: &Chosen,
        timeout_ms: u64,
        outbox: &mut impl Outbox,
    ) -> Result<Sent, Refusal> {
        let (Some(caller), Some(callee)) =
            (self.sessions.get(from), self.sessions.get(chosen.session))
        else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let mut details = self.invocation_details(call, caller, callee, chosen)?;
        if chosen.forward_timeout || caller.silent_cancel {
            details.timeout_ms = timeout_ms;
        }
        let invocation = callee
            .last_invocation
            .map_or(RequestId::FIRST, RequestId::next);
        let message = Message::Invocation(Invocation {
            request: invocation,
            registration: chosen.registration,
            details,
            payload: call.payload.borrowed(),
        });
        outbox.send(chosen.session, &message)?;
        let input = match call.options.progress {
            true => OpenInput::after(call, message),
            false => None,
        };
        Ok(Sent { invocation, input })
    }

    /// What the invocation of a call says beside its payload and its time limit.
    #[inline]
    fn invocation_details(
        &self,
        call: &Call<'_>,
        caller: &Session,
        callee: &Session,
        chosen: &Chosen,
    ) -> Result<InvocationDetails, Refusal> {
        let (config, options) = (&self.config, &call.options);
        let (who, disclose_caller) = (&caller.details, chosen.disclose_caller);
        let mut details = config.caller_identity(who, options.disclose_me, disclose_caller)?;
        call_trustlevels::add_level(&mut details, who, callee);
        details.receive_progress =
            progressive_call_results::forwarded(options.receive_progress, callee, config);
        details.progress = options.progress;
        if chosen.match_policy != MatchPolicy::Exact {
            details.procedure = Some((*call.procedure).into());
        }
        if options.is_passed_through()
            && let Some(passthru) = options.passthru()
        {
            details.set_passthru(passthru);
        }
        Ok(details)
    }

    /// What has to be known of a call beside what is known of all calls, if anything.
    fn rare_call(
        &mut self,
        now: Now,
        call: &Call<'_>,
        chosen: &Chosen,
        shard: Option<Shard>,
    ) -> Option<Box<RareCall>> {
        let reroutable = shard.is_none() && self.is_reroutable(chosen);
        if !reroutable && !chosen.counted {
            return None;
        }
        let kept = if reroutable {
            self.keep_for_rerouting(now, call)
        } else {
            None
        };
        Some(Box::new(RareCall {
            counted: chosen.counted,
            reroutable,
            ..RareCall::new(chosen.registration, kept)
        }))
    }

    fn is_reroutable(&self, chosen: &Chosen) -> bool {
        let callee = || self.sessions.get(chosen.session);
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
            rare.counted = chosen.counted;
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
                let is_forwarded = chosen.forward_timeout;
                self.dealer.mind_time(slot, limit.filter(|_| !is_forwarded));
                self.give_to(slot, chosen.session, invocation);
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
        let sent = self.invoke(from, call, &chosen, left_ms, outbox)?;
        Ok(Some((chosen, sent.invocation)))
    }
}
