//! From a message to bytes in the outbox.

use std::sync::MutexGuard;
use std::task::Waker;

use wampy_proto::framing::TooLong;
use wampy_proto::message::{self, CancelMode, CancelOptions, YieldOptions};
use wampy_proto::{EncodeError, Feature, Message, MessageType, Payload, RequestId, Role};

use super::Shared;
use super::state::{Online, Pending, Phase, State};
use super::wire::Wire;
use crate::error::Error;
use crate::invocation::InvocationKey;

/// A request that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) epoch: u64,
    pub(crate) request: RequestId,
}

/// Why a message cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsendable {
    /// The router takes no message of this length.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// A value has no form in the session's serializer.
    #[error(transparent)]
    Shapeless(#[from] EncodeError),
}

impl From<Unsendable> for Error {
    fn from(problem: Unsendable) -> Self {
        Self::misuse(problem.to_string())
    }
}

impl Online {
    /// Appends a message to the outbox, which is as it was on an error.
    pub(super) fn encode(&mut self, message: &Message<'_>) -> Result<(), Unsendable> {
        if let Some(encoder) = self.encoder.batched() {
            let serializer = self.serializer;
            let write = |out: &mut Vec<u8>| Ok(message.encode(serializer, out)?);
            let appended: Result<_, Unsendable> =
                encoder.append(&mut self.batch, &mut self.outbox, write);
            return appended.map(drop);
        }
        let mark = self.encoder.begin_message(&mut self.outbox, 0);
        if let Err(error) = message.encode(self.serializer, &mut self.outbox) {
            mark.roll_back(&mut self.outbox);
            return Err(error.into());
        }
        Ok(self.encoder.finish_message(mark, &mut self.outbox)?)
    }

    /// Appends a request under the next id.
    pub(super) fn encode_request(
        &mut self,
        message: &mut Message<'_>,
        pending: Option<Pending>,
    ) -> Result<Sent, Error> {
        let request = self.next_request;
        set_request(message, request);
        self.encode(message)?;
        self.next_request = request.next();
        if let Some(pending) = pending {
            self.pending.insert(request, pending);
        }
        Ok(Sent {
            epoch: self.epoch,
            request,
        })
    }
}

/// Gives a request its id; other messages keep theirs.
fn set_request(message: &mut Message<'_>, id: RequestId) -> bool {
    match message {
        Message::Call(call) => call.request = id,
        Message::Publish(publish) => publish.request = id,
        Message::Subscribe(subscribe) => subscribe.request = id,
        Message::Unsubscribe(unsubscribe) => unsubscribe.request = id,
        Message::Register(register) => register.request = id,
        Message::Unregister(unregister) => unregister.request = id,
        _ => return false,
    }
    true
}

impl Shared {
    /// Runs `send` on the session as soon as the outbox has room, and wakes the owner.
    async fn when_room<T>(
        &self,
        mut send: impl FnMut(&mut Online) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let url = self.options.url.as_str();
        let limit = self.options.limits.outbox_bytes_max;
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            {
                let mut state = self.lock();
                let online = state.online(url)?;
                if online.outbox.len() < limit {
                    let result = send(online);
                    wake_owner(state);
                    return result;
                }
                room.as_mut().enable();
            }
            room.await;
        }
    }

    /// Sends a request; its answer goes to `pending`. Waits while the outbox is full.
    pub(crate) async fn request(
        &self,
        mut message: Message<'_>,
        pending: Option<Pending>,
    ) -> Result<Sent, Error> {
        let mut pending = pending;
        self.when_room(|online| {
            if pending.is_some() {
                self.check_requests(online)?;
            }
            online.encode_request(&mut message, pending.take())
        })
        .await
    }

    /// Refuses a request that would be one too many.
    fn check_requests(&self, online: &Online) -> Result<(), Error> {
        let requests_max = self.options.limits.requests_max;
        if online.pending.len() < requests_max {
            return Ok(());
        }
        let problem = format!("{requests_max} requests wait for their answers already");
        Err(Error::misuse(problem))
    }

    /// Sends a request in session number `epoch` and in no later one. Waits while the outbox is full.
    pub(super) async fn request_in(
        &self,
        epoch: u64,
        mut message: Message<'_>,
        pending: Pending,
    ) -> Result<Sent, Error> {
        let mut pending = Some(pending);
        self.when_room(|online| {
            if online.epoch != epoch {
                return Err(self.session_is_over());
            }
            self.check_requests(online)?;
            online.encode_request(&mut message, pending.take())
        })
        .await
    }

    /// Appends a request if that can be done at once; wakes the owner for it only if `wakes`.
    pub(crate) fn request_now(
        &self,
        mut message: Message<'_>,
        pending: Pending,
        wakes: bool,
    ) -> Option<Sent> {
        let limits = &self.options.limits;
        let mut state = self.lock();
        if state.closing {
            return None;
        }
        let Phase::Online(online) = &mut state.phase else {
            return None;
        };
        let has_room = online.outbox.len() < limits.outbox_bytes_max
            && online.pending.len() < limits.requests_max;
        if !has_room {
            return None;
        }
        let sent = online.encode_request(&mut message, Some(pending)).ok()?;
        if wakes {
            wake_owner(state);
        }
        Some(sent)
    }

    /// Wakes the owner for what was appended without.
    pub(crate) fn flush(&self) {
        wake_owner(self.lock());
    }

    /// Sends a message as it is, except that a request gets the next id.
    pub(crate) async fn send_raw(
        &self,
        mut message: Message<'_>,
    ) -> Result<Option<RequestId>, Error> {
        match message.message_type() {
            MessageType::Cancel | MessageType::Yield | MessageType::Error => {
                self.when_room(|online| Ok(online.encode(&message)?))
                    .await?;
                Ok(None)
            }
            _ if set_request(&mut message, RequestId::FIRST) => self
                .request(message, None)
                .await
                .map(|sent| Some(sent.request)),
            other => Err(Error::misuse(format!(
                "{} is no message that a client sends in an established session",
                other.as_str()
            ))),
        }
    }

    /// Waits while the outbox is full; returns at once if there is no session.
    pub(crate) async fn wait_for_room(&self) {
        // Whoever sends next will see for itself why there is no session.
        _ = self.when_room(|_| Ok(())).await;
    }

    /// Sends a part of the result of an invocation.
    pub(crate) async fn progress(
        &self,
        key: &InvocationKey,
        payload: Payload<'static>,
    ) -> Result<(), Error> {
        let mut options = YieldOptions {
            progress: true,
            ..YieldOptions::default()
        };
        let payload = self.seal_part(key, &mut options, payload)?;
        let part = Message::Yield(message::Yield {
            request: key.request,
            options,
            payload,
        });
        self.when_room(|online| {
            if online.epoch != key.epoch || !online.invocations.contains_key(&key.request) {
                return Err(Error::misuse(
                    "the call is over, so no part of its result can follow",
                ));
            }
            online.encode(&part)?;
            online.restart_time(key.request);
            Ok(())
        })
        .await
    }

    /// Sends a further part of a call that is made in parts, unless the call is over.
    pub(crate) async fn further_part(&self, sent: Sent, part: &Message<'_>) -> Result<(), Error> {
        self.when_room(|online| {
            if online.epoch != sent.epoch || !online.pending.contains_key(&sent.request) {
                return Err(Error::misuse(
                    "the call is over, so no further part of it can follow",
                ));
            }
            Ok(online.encode(part)?)
        })
        .await
    }

    /// Gives up a call, unless it is over; returns who waits for its result.
    pub(crate) fn cancel(&self, sent: Sent, mode: CancelMode) -> Option<Pending> {
        let mut state = self.lock();
        let cancels = state
            .welcome
            .details
            .roles
            .supports(Role::Dealer, Feature::CallCanceling);
        let online = state.session(sent.epoch)?;
        let abandoned = online.give_up(sent.request);
        if abandoned.is_some() && cancels {
            let options = CancelOptions {
                mode: Some(mode),
                ..CancelOptions::default()
            };
            let cancel = Message::Cancel(message::Cancel {
                request: sent.request,
                options,
            });
            // A CANCEL always has a form and is short.
            _ = online.encode(&cancel);
        }
        wake_owner(state);
        abandoned
    }

    /// The error for requests after the end of the session.
    pub(crate) fn over(&self) -> Error {
        let url = self.options.url.as_str();
        match self.lock().online(url) {
            Err(error) => error,
            Ok(_) => self.session_is_over(),
        }
    }

    /// The error for requests of a session that another one has followed.
    fn session_is_over(&self) -> Error {
        Error::ConnectionLost {
            url: self.options.url.to_string(),
            reason: "the session in which the request was made is over".to_owned(),
        }
    }

    /// Whether more waits for the socket than senders alone can have caused.
    pub(super) fn is_overfull(&self, wire: &Wire) -> bool {
        let limits = &self.options.limits;
        let limit = limits.outbox_bytes_max + limits.message_bytes_max;
        let waiting = match &self.lock().phase {
            Phase::Online(online) => online.outbox.len(),
            _ => 0,
        };
        waiting.max(wire.outgoing.bytes.len()) > limit
    }

    /// Moves what waits in the outbox to an idle wire, for the owner. Returns the reason of the
    /// goodbye to send behind it, if the program has asked for the end.
    pub(super) fn pull(&self, wire: &mut Wire, waker: &Waker) -> Option<String> {
        let mut state = self.lock();
        let state = &mut *state;
        state.owner = Some(waker.clone());
        let Phase::Online(online) = &mut state.phase else {
            return None;
        };
        let outgoing = &mut wire.outgoing.bytes;
        if outgoing.is_empty() || state.goodbye.is_some() {
            if let Some(encoder) = online.encoder.batched() {
                encoder.finish(&mut online.batch, &mut online.outbox);
            }
            let was_full = online.outbox.len() >= self.options.limits.outbox_bytes_max;
            match outgoing.is_empty() {
                true => std::mem::swap(outgoing, &mut online.outbox),
                false => outgoing.append(&mut online.outbox),
            }
            if was_full {
                self.room.notify_waiters();
            }
        }
        state.goodbye.take()
    }
}

/// Unlocks the state and wakes the owner if it waits.
pub(super) fn wake_owner(mut state: MutexGuard<'_, State>) {
    let owner = state.owner.take();
    drop(state);
    if let Some(owner) = owner {
        owner.wake();
    }
}
