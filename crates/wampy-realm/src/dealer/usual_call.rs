//! The usual call, by a shorter way than all others.
//!
//! Its procedure is registered under its own name by one callee, which takes calls as they come, and
//! nobody wants more of it than that it is made. What is true of a call is decided in `invoking`: this
//! way leads to the same invocation with fewer questions, and leaves to the other whatever is not usual,
//! refusals among them.

use std::mem::ManuallyDrop;

use wampy_proto::message::{Call, CallOptions, Invocation, InvocationDetails};
use wampy_proto::{Message, RegistrationId};

use super::pending::PendingCall;
use super::progressive_call_results;
use super::shared_registration::Callees;
use crate::config::Disclosure;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};

/// Whether a call asks for nothing but to be made, perhaps with its result in parts.
#[inline]
fn is_usual(options: &CallOptions) -> bool {
    options.rare.present().is_none()
        && options.timeout_ms == 0
        && !options.progress
        && !options.disclose_me
}

impl Callees {
    /// The only callee, if it takes calls as they come and no call waits for it.
    #[inline]
    fn usual(&self) -> Option<SessionKey> {
        match &*self.list {
            [callee] if self.waiting.is_none() && self.has_first_turn() && callee.is_usual() => {
                Some(callee.session)
            }
            _ => None,
        }
    }
}

impl Realm {
    /// Makes a call of a procedure that `registration` registers under its own name. False, and
    /// nothing was done, if it is no usual call.
    #[inline]
    pub(super) fn make_usual_call(
        &mut self,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        registration: RegistrationId,
        outbox: &mut impl Outbox,
    ) -> Result<bool, Refusal> {
        if !is_usual(&call.options) {
            return Ok(false);
        }
        let record = self.dealer.registrations.get(registration);
        let Some(to) = record.and_then(|record| record.members.usual()) else {
            return Ok(false);
        };
        let (Some(caller), Some(callee)) = (self.sessions.get(from), self.sessions.get(to)) else {
            return Ok(false);
        };
        if !self.is_usual_between(caller, callee) {
            return Ok(false);
        }
        let receive_progress = call.options.receive_progress;
        let invocation = callee.next_invocation();
        // It owns nothing: not to look for what may be dropped is a part of the shorter way.
        let message = ManuallyDrop::new(Message::Invocation(Invocation {
            request: invocation,
            registration,
            details: InvocationDetails {
                receive_progress: progressive_call_results::forwarded(
                    receive_progress,
                    callee,
                    &self.config,
                ),
                ..InvocationDetails::default()
            },
            payload: call.payload.borrowed(),
        }));
        outbox.send(to, &message)?;
        let pending = PendingCall {
            callee: to,
            invocation,
            ..PendingCall::new(from, call, 0)
        };
        self.begin_call(now, pending);
        Ok(true)
    }

    /// Whether both have room for a call, and the callee is not told who calls.
    #[inline]
    fn is_usual_between(&self, caller: &Session, callee: &Session) -> bool {
        caller.calls.len() < self.config.pending_calls_per_session_max
            && callee.invocations.len() < self.config.pending_invocations_per_session_max
            && caller.details.trust_level.is_none()
            && self.config.caller_disclosure != Disclosure::Always
    }
}
