//! Call Canceling: CANCEL from callers, INTERRUPT to callees.
//!
//! Where the specification is silent: the default mode is `killnowait`, and a CANCEL for a call
//! that does not exist (most likely its result crossed the CANCEL) is ignored.

use wampy_proto::message::{Cancel, CancelMode, Interrupt, InterruptOptions};
use wampy_proto::{Message, error_uri};

use super::pending::PendingCall;
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::refusal::Refusal;
use crate::session::SessionKey;

impl Realm {
    pub(crate) fn handle_cancel(
        &mut self,
        from: SessionKey,
        cancel: &Cancel,
        outbox: &mut impl Outbox,
    ) {
        let Some(caller) = self.sessions.get(from) else {
            return;
        };
        let Some(slot) = caller.calls.get(cancel.request) else {
            return;
        };
        let Some(call) = self.dealer.calls.get_mut(slot) else {
            return;
        };
        let interruptible = self
            .sessions
            .get(call.callee)
            .is_some_and(|callee| callee.takes_interrupt());
        let mode = match cancel.options.mode.unwrap_or(CancelMode::KillNoWait) {
            _ if !interruptible => CancelMode::Skip,
            mode => mode,
        };
        if mode == CancelMode::Kill {
            // The caller hears what the callee then answers.
            if !call.interrupted {
                call.interrupted = true;
                send_interrupt(call, CancelMode::Kill, outbox);
            }
            return;
        }
        let Some(call) = self.end_call(slot) else {
            return;
        };
        if mode == CancelMode::KillNoWait {
            self.interrupt(&call, outbox);
        }
        self.give_up(&call, error_uri::CANCELED, outbox);
    }

    /// Tells the callee of a call that has ended that nobody waits for the answer, if it
    /// understands that and was not told before.
    pub(super) fn interrupt(&self, call: &PendingCall, outbox: &mut impl Outbox) {
        let callee = self.sessions.get(call.callee);
        if !call.interrupted && callee.is_some_and(|callee| callee.takes_interrupt()) {
            send_interrupt(call, CancelMode::KillNoWait, outbox);
        }
    }

    /// Tells the caller of a call that has ended that it was canceled or took too long, unless it
    /// is one of those that take this for a mistake (`silent_cancel`).
    pub(super) fn give_up(
        &self,
        call: &PendingCall,
        error: &'static str,
        outbox: &mut impl Outbox,
    ) {
        if self
            .sessions
            .get(call.caller)
            .is_some_and(|caller| !caller.silent_cancel)
        {
            call.refuse(Refusal::new(error), outbox);
        }
    }
}

fn send_interrupt(call: &PendingCall, mode: CancelMode, outbox: &mut impl Outbox) {
    let options = InterruptOptions {
        mode: Some(mode),
        ..InterruptOptions::default()
    };
    let interrupt = Message::Interrupt(Interrupt {
        request: call.invocation,
        options,
    });
    _ = outbox.send(call.callee, &interrupt);
}
