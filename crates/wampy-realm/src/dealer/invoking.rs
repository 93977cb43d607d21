//! From a call to its invocation: which callee gets it, and what the callee is told.
//!
//! A call goes to a callee when it is made, or later if it had to wait or its callee was unavailable.

use wampy_proto::message::{Call, Invocation};
use wampy_proto::{MatchPolicy, Message, RegistrationId, RequestId, error_uri};

use super::kept_call::RareCall;
use super::pending::PendingCall;
use super::sharded_registration::Shard;
use super::shared_registration::Choice;
use super::{call_trustlevels, progressive_call_results};
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
    /// Whether the callee limits how many calls it has.
    counted: bool,
    /// Whether the registration has more callees.
    is_shared: bool,
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
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        self.check_pending_calls(from)?;
        let shard = Shard::of(&call.options)?;
        let patterns = &self.dealer.registrations;
        let Some(registration) = exact.or_else(|| patterns.best_pattern(&call.procedure)) else {
            let message = format!("no callee has registered {:?}", call.procedure);
            return Err(Refusal::explained(error_uri::NO_SUCH_PROCEDURE, message));
        };
        let chosen = if shard.is_none() && self.dealer.others_wait(registration) {
            None
        } else {
            self.choose_callee(registration, shard, &[])?
        };
        let Some(chosen) = chosen else {
            return self.wait_for_callee(now, from, call, registration);
        };
        let invocation = self.invoke(from, call, &chosen, outbox)?;
        let pending = PendingCall {
            callee: chosen.session,
            invocation,
            rare: self.rare_call(call, &chosen, shard),
            ..PendingCall::new(from, call, &self.config)
        };
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

    /// Which callee of a registration gets a call that those in `tried` could not take; `None` if
    /// the call has to wait.
    fn choose_callee(
        &mut self,
        id: RegistrationId,
        shard: Option<Shard>,
        tried: &[SessionKey],
    ) -> Result<Option<Chosen>, Refusal> {
        let Some(record) = self.dealer.registrations.get_mut(id) else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let room = self.config.pending_invocations_per_session_max;
        let choice = record
            .members
            .choose(&mut self.random, shard, tried, |callee| {
                let session = self.sessions.get(callee.session);
                session.is_some_and(|session| session.invocations.len() < room)
            });
        match choice {
            Choice::Callee(at) => {
                let callee = &record.members.list[at];
                Ok(Some(Chosen {
                    registration: id,
                    match_policy: record.match_policy,
                    session: callee.session,
                    disclose_caller: callee.disclose_caller,
                    counted: callee.concurrency.is_some(),
                    is_shared: record.members.list.len() > 1,
                }))
            }
            Choice::Wait => Ok(None),
            Choice::Nobody => Err(nobody_has_room(room, tried)),
        }
    }

    /// Sends a call to its callee; returns the invocation.
    fn invoke(
        &self,
        from: SessionKey,
        call: &Call<'_>,
        chosen: &Chosen,
        outbox: &mut impl Outbox,
    ) -> Result<RequestId, Refusal> {
        let (Some(caller), Some(callee)) =
            (self.sessions.get(from), self.sessions.get(chosen.session))
        else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let options = &call.options;
        let mut details = self.config.caller_identity(
            &caller.details,
            options.disclose_me,
            chosen.disclose_caller,
        )?;
        call_trustlevels::add_level(&mut details, &caller.details, callee);
        details.receive_progress =
            progressive_call_results::forwarded(options.receive_progress, callee, &self.config);
        if caller.silent_cancel {
            details.timeout_ms = options.timeout_ms;
        }
        if chosen.match_policy != MatchPolicy::Exact {
            details.procedure = Some((*call.procedure).into());
        }
        let invocation = Invocation {
            request: callee
                .last_invocation
                .map_or(RequestId::FIRST, RequestId::next),
            registration: chosen.registration,
            details,
            payload: call.payload.borrowed(),
        };
        let request = invocation.request;
        outbox.send(chosen.session, &Message::Invocation(invocation))?;
        Ok(request)
    }

    /// What has to be known of a call beside what is known of all calls, if anything.
    fn rare_call(
        &mut self,
        call: &Call<'_>,
        chosen: &Chosen,
        shard: Option<Shard>,
    ) -> Option<Box<RareCall>> {
        let reroutable = shard.is_none() && self.is_reroutable(chosen);
        if !reroutable && !chosen.counted {
            return None;
        }
        let kept = if reroutable {
            self.keep_for_rerouting(call)
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
    pub(super) fn place_call(&mut self, slot: Slot, outbox: &mut impl Outbox) -> Placed {
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return Placed::Ended;
        };
        let from = call.caller;
        let Some(mut rare) = call.rare.take() else {
            return Placed::Ended;
        };
        let placed = self.invoke_kept(from, &rare, outbox);
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
                self.give_to(slot, chosen.session, invocation);
                Placed::Invoked
            }
            Ok(None) => Placed::Waiting,
            Err(refusal) => {
                self.refuse_call(slot, refusal, outbox);
                Placed::Ended
            }
        }
    }

    /// Sends a call that is kept to a callee, if one is free: to whom, and the invocation.
    fn invoke_kept(
        &mut self,
        from: SessionKey,
        rare: &RareCall,
        outbox: &mut impl Outbox,
    ) -> Result<Option<(Chosen, RequestId)>, Refusal> {
        let Some(kept) = &rare.kept else {
            return Err(Refusal::new(error_uri::NO_AVAILABLE_CALLEE));
        };
        let shard = Shard::of(&kept.call.options)?;
        let Some(chosen) = self.choose_callee(rare.registration, shard, &rare.tried)? else {
            return Ok(None);
        };
        let invocation = self.invoke(from, &kept.call, &chosen, outbox)?;
        Ok(Some((chosen, invocation)))
    }
}

fn nobody_has_room(room: usize, tried: &[SessionKey]) -> Refusal {
    let message = if tried.is_empty() {
        format!("each callee has {room} invocations to answer, the most allowed")
    } else {
        "no callee is available".to_owned()
    };
    Refusal::explained(error_uri::NO_AVAILABLE_CALLEE, message)
}
