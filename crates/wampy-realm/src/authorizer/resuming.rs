//! What becomes of a session's requests while an authorizer is asked about it, and after.
//!
//! They are decided in the order in which they came. A call that is canceled meanwhile, or for a part
//! of which there is no room, ends at once; whatever else comes of it is dropped.

use wampy_proto::message::{Call, Goodbye};
use wampy_proto::{Message, MessageType, RequestId, error_uri};

use super::asking::Tap;
use super::gate::{Answered, Handled, NOT_ASKED};
use super::waiting::{Entry, GivenUp, Item, Kept, Queue, Waiting};
use crate::outbox::Outbox;
use crate::realm::{MetaEvents, Now, Realm, Violation};
use crate::refusal::Refusal;
use crate::session::SessionKey;

impl Realm {
    /// Handles a message, unless it has to wait for an authorizer.
    pub(super) fn handle_or_wait(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        tap: &mut Tap<'_>,
    ) -> Result<(), Violation> {
        let session = self.sessions.get(from);
        if let Some(waiting) = session.and_then(|session| session.authority.waiting()) {
            if let Message::Cancel(cancel) = message
                && waiting.queue.has_call(cancel.request)
                // Else only further parts of it wait, and are dropped if it has ended.
                && session.is_some_and(|session| !session.has_begun(cancel.request))
            {
                self.cancel_waiting(now, from, cancel.request, tap);
                return Ok(());
            }
            if let Some(kept) = Kept::new(message) {
                self.wait_behind(now, from, message, kept, tap);
                return Ok(());
            }
        }
        let handled = self.handle_once(now, from, message, &NOT_ASKED, tap)?;
        if let Handled::MustAsk { place } = handled
            && let Some(kept) = Kept::new(message)
        {
            let mut queue = Queue::default();
            let asked = queue
                .push(kept, &self.config)
                .and_then(|()| self.ask(now, from, place, NOT_ASKED, &mut queue, tap));
            if let Err(refusal) = asked {
                self.refuse(refusal, from, message, tap);
            }
        }
        Ok(())
    }

    pub(super) fn take_waiting(&mut self, session: SessionKey) -> Option<Waiting> {
        self.sessions.get_mut(session)?.authority.take_waiting()
    }

    /// Keeps a message behind others of its session.
    fn wait_behind(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &Message<'_>,
        kept: Kept,
        tap: &mut Tap<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(from) else {
            return;
        };
        let Some(waiting) = session.authority.waiting_mut() else {
            return;
        };
        let queue = &mut waiting.queue;
        if let Message::Call(call) = message
            && queue.has_ended(call.request)
            && !queue.has_call(call.request)
            && session.calls.get(call.request).is_none()
        {
            // A part of a call that has ended, which its caller did not know yet.
            return;
        }
        if let Err(refusal) = queue.push(kept, &self.config) {
            match message {
                Message::Call(call) => self.refuse_room(refusal, now, from, call, tap),
                _ => self.refuse(refusal, from, message, tap),
            }
        }
    }

    /// There is no room for a CALL, which may be a part of one that runs, waits or has ended.
    fn refuse_room(
        &mut self,
        refusal: Refusal,
        now: Now,
        from: SessionKey,
        call: &Call<'_>,
        tap: &mut Tap<'_>,
    ) {
        let request = call.request;
        let Some(session) = self.sessions.get_mut(from) else {
            return;
        };
        if let Some(slot) = session.calls.get(request) {
            return self.break_off(slot, refusal, tap);
        }
        if session.has_begun(request) {
            return;
        }
        if let Some(waiting) = session.authority.waiting_mut() {
            if waiting.queue.has_call(request) {
                return self.give_up_waiting(Some(refusal), now, from, request, tap);
            }
            if call.options.progress {
                waiting.queue.note_ended(request);
            }
        }
        refusal.send(from, MessageType::Call, request, tap);
    }

    /// A call is canceled before it was allowed.
    fn cancel_waiting(
        &mut self,
        now: Now,
        from: SessionKey,
        request: RequestId,
        tap: &mut Tap<'_>,
    ) {
        let session = self.sessions.get(from);
        let is_silent = session.is_some_and(|session| session.silent_cancel);
        let error = (!is_silent).then(|| Refusal::new(error_uri::CANCELED));
        self.give_up_waiting(error, now, from, request, tap);
    }

    /// Ends a call that waits.
    fn give_up_waiting(
        &mut self,
        error: Option<Refusal>,
        now: Now,
        from: SessionKey,
        request: RequestId,
        tap: &mut Tap<'_>,
    ) {
        let session = self.sessions.get_mut(from);
        let waiting = session.and_then(|session| session.authority.waiting_mut());
        let Some(given_up) = waiting.and_then(|it| it.queue.give_up_call(request)) else {
            return;
        };
        if let Some(error) = error {
            error.send(from, MessageType::Call, request, tap);
        }
        if let GivenUp::First { ended } = given_up
            && let Some(waiting) = self.take_waiting(from)
        {
            self.withdraw(waiting.question, tap);
            self.note_ended(from, ended);
            self.go_on(now, from, NOT_ASKED, waiting.queue, tap);
        }
    }

    /// Notes a call in parts of which further parts may come.
    fn note_ended(&mut self, session: SessionKey, ended: Option<RequestId>) {
        if let Some(request) = ended {
            self.note_progressive_call(session, request);
        }
    }

    /// Handles what waits, in order, until an authorizer has to be asked again.
    pub(super) fn go_on(
        &mut self,
        now: Now,
        about: SessionKey,
        mut answered: Answered,
        mut queue: Queue,
        tap: &mut Tap<'_>,
    ) {
        while self.sessions.get(about).is_some() {
            let Some(entry) = queue.pop() else { return };
            let handled = match self.handle_item(now, about, &entry.item, &answered, tap) {
                Ok(handled) => handled,
                Err(violation) => return self.end_for(now, &violation, about, tap),
            };
            if let Handled::MustAsk { place } = handled {
                queue.push_front(entry);
                let Err(refusal) = self.ask(now, about, place, answered, &mut queue, tap) else {
                    return;
                };
                if let Some(entry) = queue.pop() {
                    self.refuse_entry(refusal, about, &entry, tap);
                }
            } else {
                self.note_ended(about, entry.then_ended);
            }
            answered = NOT_ASKED;
        }
    }

    fn handle_item(
        &mut self,
        now: Now,
        about: SessionKey,
        item: &Item,
        answered: &Answered,
        tap: &mut Tap<'_>,
    ) -> Result<Handled, Violation> {
        match item {
            Item::Message(kept) => match kept.message() {
                Some(mut message) => self.handle_once(now, about, &mut message, answered, tap),
                None => Ok(Handled::Done),
            },
            held => Ok(self.recheck(now, about, held, answered, tap)),
        }
    }

    /// Refuses what waits, and notes what is to be noted behind it.
    pub(super) fn refuse_entry(
        &mut self,
        refusal: Refusal,
        about: SessionKey,
        entry: &Entry,
        tap: &mut Tap<'_>,
    ) {
        match &entry.item {
            Item::Message(kept) => {
                if let Some(message) = kept.message() {
                    self.refuse(refusal, about, &message, tap);
                }
            }
            held => self.revoke_held(about, held, tap),
        }
        self.note_ended(about, entry.then_ended);
    }

    /// A message that waited breaks the protocol: its session ends, in somebody else's turn.
    fn end_for(&mut self, now: Now, violation: &Violation, session: SessionKey, tap: &mut Tap<'_>) {
        if self.take_out(now, session, MetaEvents::Published, tap) {
            let mut goodbye = Goodbye::new(error_uri::PROTOCOL_VIOLATION);
            goodbye.details.message = Some(violation.text.as_ref().into());
            tap.end(session, goodbye);
        }
    }
}
