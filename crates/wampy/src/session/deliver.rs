//! Each message of an established session goes to whom it belongs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use wampy_proto::end_to_end::OpenError;
use wampy_proto::message::{self, CancelMode, CancelOptions};
use wampy_proto::{Message, RegistrationId, RequestId, SubscriptionId};

use super::Shared;
use super::send::wake_owner;
use super::state::{CallSink, Online, Pending, Phase, State};
use crate::call_result::CallResult;
use crate::encryption::is_sealed;
use crate::error::Error;
use crate::event::Event;
use crate::wamp_error::WampError;

/// What the router did wrong.
pub(super) type Violation = String;

impl Shared {
    /// Hands a message to whom it belongs.
    pub(super) fn deliver(self: &Arc<Self>, message: Message<'_>) -> Result<(), Violation> {
        if !self.is_expected(&message) {
            if !self.is_too_late(&message) {
                self.observe(&message);
            }
            return Ok(());
        }
        match message {
            Message::Result(result) => self.deliver_result(result),
            Message::Error(error) => {
                if let Some(pending) = self.take_pending(error.request) {
                    self.deliver_error(pending, error);
                }
                Ok(())
            }
            Message::Event(event) => {
                self.deliver_event(event);
                Ok(())
            }
            Message::Invocation(invocation) => {
                self.deliver_invocation(invocation);
                Ok(())
            }
            Message::Interrupt(interrupt) => {
                self.interrupt(interrupt);
                Ok(())
            }
            Message::Unsubscribed(message::Unsubscribed {
                request: None,
                details,
            }) => {
                self.subscription_revoked(details.and_then(|details| details.subscription));
                Ok(())
            }
            Message::Unregistered(message::Unregistered {
                request: None,
                details,
            }) => {
                self.registration_revoked(details.and_then(|details| details.registration));
                Ok(())
            }
            acknowledgment => self.deliver_acknowledgment(acknowledgment),
        }
    }

    /// Whether the message answers or concerns something that this client has asked for itself.
    fn is_expected(&self, message: &Message<'_>) -> bool {
        let state = self.lock();
        let Phase::Online(online) = &state.phase else {
            return false;
        };
        let answers = |request| online.pending.contains_key(request);
        match message {
            Message::Result(m) => answers(&m.request),
            Message::Published(m) => answers(&m.request),
            Message::Subscribed(m) => answers(&m.request),
            Message::Registered(m) => answers(&m.request),
            Message::Error(m) => {
                let pending = online.pending.get(&m.request);
                pending.is_some_and(|pending| pending.request_type() == m.request_type)
            }
            Message::Unsubscribed(m) => m.request.as_ref().is_none_or(answers),
            Message::Unregistered(m) => m.request.as_ref().is_none_or(answers),
            Message::Event(m) => online.subscriptions.contains_key(&m.subscription),
            // Somebody has to answer a call, if not the observer.
            Message::Invocation(m) => {
                self.options.observer.is_none()
                    || online.registrations.contains_key(&m.registration)
            }
            Message::Interrupt(m) => online.invocations.contains_key(&m.request),
            _ => false,
        }
    }

    /// Whether the message answers a call that was given up, so that nobody wants it.
    fn is_too_late(&self, message: &Message<'_>) -> bool {
        match &mut self.lock().phase {
            Phase::Online(online) => online.is_too_late(message),
            _ => false,
        }
    }

    fn observe(&self, message: &Message<'_>) {
        if let Some(observer) = &self.options.observer {
            guarded(|| observer(message));
        }
    }

    fn take_pending(&self, request: RequestId) -> Option<Pending> {
        match &mut self.lock().phase {
            Phase::Online(online) => online.pending.remove(&request),
            _ => None,
        }
    }

    fn deliver_result(&self, mut result: message::Result<'_>) -> Result<(), Violation> {
        let opened = self.open(result.details.passthru(), &mut result.payload);
        let mut state = self.lock();
        let Phase::Online(online) = &mut state.phase else {
            return Ok(());
        };
        let request = result.request;
        let (sink, sealed) = match online.pending.get(&request) {
            Some(Pending::Call { sink, sealed }) => (sink, *sealed),
            Some(other) => return Err(wrong_answer("RESULT", request, other)),
            None => return Ok(()),
        };
        let is_progress = result.details.progress;
        // A plain answer to a sealed call may be anybody's, the router's for example.
        let is_plain = sealed && !is_sealed(result.details.ppt_scheme.as_deref());
        let opened = opened.and(match is_plain {
            true => Err(OpenError::NotEncrypted),
            false => Ok(()),
        });
        let part = opened.map_err(Error::decryption).map(|()| CallResult {
            request,
            details: result.details,
            payload: result.payload.into_owned(),
        });
        match (is_progress, sink, part) {
            // A part that nobody has asked for counts for nothing; the result follows.
            (true, CallSink::Once(_), _) => {}
            (true, CallSink::Parts(queue), Ok(part)) => {
                let bytes = part.payload.encoded_len();
                if queue.push(Ok(part), bytes).is_err() {
                    let problem =
                        "the parts of the result were not read in time, so the call was canceled";
                    break_off(state, request, Error::misuse(problem));
                }
            }
            (true, CallSink::Parts(_), Err(error)) => break_off(state, request, error),
            (false, _, part) => {
                let pending = online.pending.remove(&request);
                drop(state);
                if let Some(Pending::Call { sink, .. }) = pending {
                    sink.finish(part);
                }
            }
        }
        Ok(())
    }

    fn deliver_error(&self, pending: Pending, mut error: message::Error<'_>) {
        if let Pending::Unregister { registration, .. } = &pending {
            // The router does not know it, or not as ours: no invocation will come by it.
            self.end_registration(*registration);
        }
        let opened = self.open(error.details.passthru(), &mut error.payload);
        pending.fail(match opened {
            Ok(None) => Error::from(WampError::received(error)),
            Ok(Some(_)) => Error::from(WampError::received(error).opened()),
            Err(problem) => Error::decryption(problem),
        });
    }

    fn deliver_acknowledgment(&self, message: Message<'_>) -> Result<(), Violation> {
        let request = match &message {
            Message::Published(m) => m.request,
            Message::Subscribed(m) => m.request,
            Message::Registered(m) => m.request,
            Message::Unsubscribed(message::Unsubscribed {
                request: Some(request),
                ..
            })
            | Message::Unregistered(message::Unregistered {
                request: Some(request),
                ..
            }) => *request,
            _ => return Ok(()),
        };
        let Some(pending) = self.take_pending(request) else {
            return Ok(());
        };
        match (message, pending) {
            // Whoever has dropped the receiver wants no answer.
            (Message::Published(m), Pending::Publish { done }) => _ = done.send(Ok(m.publication)),
            (Message::Registered(m), Pending::Register { record, done }) => {
                if self.begin_registration(m.registration, &record) && done.send(Ok(())).is_err() {
                    self.abandon_registration(&record);
                }
            }
            (Message::Subscribed(m), Pending::Subscribe { record, done }) => {
                if self.begin_subscription(m.subscription, &record) && done.send(Ok(())).is_err() {
                    self.unsubscribe(&record, None);
                }
            }
            (Message::Unregistered(_), Pending::Unregister { registration, done }) => {
                self.end_registration(registration);
                _ = done.send(Ok(()));
            }
            (Message::Unsubscribed(_), Pending::Unsubscribe { done }) => {
                if let Some(done) = done {
                    _ = done.send(Ok(()));
                }
            }
            (message, Pending::Unasked(asked)) if is_answer(&message, asked) => {}
            (message, other) => {
                let violation = wrong_answer(message.message_type().as_str(), request, &other);
                other.fail(Error::PeerMisbehaved {
                    url: self.options.url.to_string(),
                    problem: violation.clone(),
                });
                return Err(violation);
            }
        }
        Ok(())
    }

    fn deliver_event(&self, mut event: message::Event<'_>) {
        let records = match &self.lock().phase {
            Phase::Online(online) => match online.subscriptions.get(&event.subscription) {
                Some(records) => records.clone(),
                None => return,
            },
            _ => return,
        };
        let Some(first) = records.first() else { return };
        if let Err(problem) = self.open(event.details.passthru(), &mut event.payload) {
            let topic = event.details.topic.as_deref().unwrap_or(&first.topic);
            tracing::warn!(%problem, topic, "an event cannot be decrypted and is left out");
            for record in &records {
                record.undecryptable.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        let event = Event::received(event, &first.topic);
        for record in &records {
            guarded(|| record.sink.deliver(event.clone()));
        }
    }

    fn subscription_revoked(&self, id: Option<u64>) {
        let Some(id) = id.and_then(|id| SubscriptionId::try_from(id).ok()) else {
            return;
        };
        let mut state = self.lock();
        let Phase::Online(online) = &mut state.phase else {
            return;
        };
        let records = online.subscriptions.remove(&id).unwrap_or_default();
        for record in &records {
            state.subscriptions.remove(&(Arc::as_ptr(record) as usize));
        }
        drop(state);
        for record in records {
            record.set_id(None);
            record.sink.end();
        }
    }

    fn registration_revoked(&self, id: Option<u64>) {
        let Some(id) = id.and_then(|id| RegistrationId::try_from(id).ok()) else {
            return;
        };
        if let Some(record) = self.end_registration(id) {
            self.forget_registration(&record);
        }
    }
}

/// Runs code of the program on the reading task, which its panic must not end.
pub(super) fn guarded(run: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(run)).is_err() {
        tracing::error!("a callback of the program panicked");
    }
}

fn wrong_answer(answer: &str, request: RequestId, pending: &Pending) -> Violation {
    let asked = pending.request_type().as_str();
    format!("{answer} answers the request {request}, which is a {asked}")
}

fn is_answer(message: &Message<'_>, asked: wampy_proto::MessageType) -> bool {
    use wampy_proto::MessageType::{Unregister, Unsubscribe};
    match message {
        Message::Unregistered(_) => asked == Unregister,
        Message::Unsubscribed(_) => asked == Unsubscribe,
        _ => false,
    }
}

/// Gives up a call because of what has come of its result.
fn break_off(mut state: std::sync::MutexGuard<'_, State>, request: RequestId, error: Error) {
    let Phase::Online(online) = &mut state.phase else {
        return;
    };
    let Some(pending) = online.give_up(request) else {
        return;
    };
    cancel(online, request);
    wake_owner(state);
    pending.fail(error);
}

fn cancel(online: &mut Online, request: RequestId) {
    let options = CancelOptions {
        mode: Some(CancelMode::KillNoWait),
        ..CancelOptions::default()
    };
    // A CANCEL always has a form and is short.
    _ = online.encode(&Message::Cancel(message::Cancel { request, options }));
}
