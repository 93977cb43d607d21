//! Progressive Call Invocations: a call may be made in several parts, of which all but the last have
//! `progress`.
//!
//! The first part is a call like any other; the further ones have its request id and go to the same
//! callee as the same invocation, with the details of the first. What is kept of a call does not grow
//! with its parts.
//!
//! Where the specification leaves a choice: a part that comes after its call has ended is dropped,
//! however late it is, so that no list of past calls is needed; a part behind the last one, or one
//! that names another procedure, breaks the protocol; a part that the callee cannot take ends the
//! call, because an input with a hole in it is none; parts do not restart the call's time, which runs
//! to the first result whatever the caller still sends.

use wampy_proto::message::{Call, Invocation, InvocationDetails};
use wampy_proto::{Message, RegistrationId, RequestId};

use super::pending::PendingCall;
use crate::outbox::Outbox;
use crate::realm::{Realm, Violation};
use crate::session::{Session, SessionKey};

/// What the further parts of a call are sent with. A call has it until its last part.
#[derive(Debug)]
pub(crate) struct OpenInput {
    procedure: Box<str>,
    registration: RegistrationId,
    /// The details of the first part, `progress` among them.
    details: InvocationDetails,
}

impl OpenInput {
    /// What has to be kept of a call whose first part was sent as the invocation `first`.
    #[cold]
    pub(super) fn after(call: &Call<'_>, first: Invocation<'_>) -> Box<Self> {
        Box::new(Self {
            procedure: (*call.procedure).into(),
            registration: first.registration,
            details: first.details,
        })
    }
}

impl PendingCall {
    /// The input of the call, which `part` goes on with.
    fn take_input(&mut self, part: &Call<'_>) -> Result<Box<OpenInput>, Violation> {
        let request = part.request;
        let rare = self.rare.as_mut();
        let Some(input) = rare.and_then(|rare| rare.input.take()) else {
            return Err(Violation::new(format!(
                "CALL has the request id {request} of a call that has not ended, \
                 and of which no further part was announced"
            )));
        };
        if *input.procedure != *part.procedure {
            return Err(Violation::new(format!(
                "CALL goes on with request {request}, a call of {:?}, but names {:?}",
                input.procedure, part.procedure
            )));
        }
        Ok(input)
    }
}

impl Session {
    /// Whether the session began a call with this id before, so that a CALL is a further part of it:
    /// either it is pending, or it has ended and only a call in parts can have had the id.
    #[inline]
    pub(crate) fn has_begun(&self, request: RequestId) -> bool {
        let past = self.last_progressive_call;
        self.calls.get(request).is_some() || past.is_some_and(|last| request <= last)
    }
}

impl Realm {
    /// Notes that a call is made in parts, whether or not it is allowed and finds a callee: the caller
    /// may send further parts before it knows.
    pub(crate) fn note_progressive_call(&mut self, from: SessionKey, request: RequestId) {
        if let Some(caller) = self.sessions.get_mut(from) {
            // Calls that waited for an authorizer may be noted after later ones.
            caller.last_progressive_call = caller.last_progressive_call.max(Some(request));
        }
    }

    /// Sends a further part of a call to its callee; nothing if the call has ended, which its caller
    /// did not know yet.
    pub(super) fn continue_call(
        &mut self,
        from: SessionKey,
        part: &Call<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        let caller = self.sessions.get(from);
        let Some(slot) = caller.and_then(|caller| caller.calls.get(part.request)) else {
            return Ok(());
        };
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return Ok(());
        };
        let mut input = call.take_input(part)?;
        // Options of further parts count for nothing, but for this one.
        input.details.progress = part.options.progress;
        let message = Message::Invocation(Invocation {
            request: call.invocation,
            registration: input.registration,
            details: std::mem::take(&mut input.details),
            payload: part.payload.borrowed(),
        });
        if let Err(error) = outbox.send(call.callee, &message) {
            self.break_off(slot, error.into(), outbox);
            return Ok(());
        }
        if let Message::Invocation(sent) = message
            && part.options.progress
            && let Some(rare) = &mut call.rare
        {
            input.details = sent.details;
            rare.input = Some(input);
        }
        Ok(())
    }
}
