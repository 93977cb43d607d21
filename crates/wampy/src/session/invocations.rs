//! The invocations of a session: which run, which wait for their turn, and how they are answered.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, MutexGuard};

use wampy_proto::end_to_end::OpenError;
use wampy_proto::message::{self, YieldOptions};
use wampy_proto::{Message, RegistrationId, RequestId, error_uri};

use super::Shared;
use super::deliver::guarded;
use super::records::{HandlerTask, RegistrationRecord, Stop};
use super::send::{Unsendable, wake_owner};
use super::state::{Online, Phase, State};
use super::time_limit::TimeLimit;
use crate::invocation::{Invocation, InvocationKey};
use crate::parts::{Input, Parts};
use crate::queue::Full;
use crate::reply::Reply;
use crate::responder::Responder;
use crate::wamp_error::{
    DECRYPTION_FAILED, RUNTIME_ERROR, TOO_MANY_PARTS, WampError, text_payload,
};

/// A registration that stands.
pub(super) struct Active {
    pub(super) record: Arc<RegistrationRecord>,
    running: usize,
    waiting: VecDeque<RequestId>,
}

impl Active {
    pub(super) fn new(record: Arc<RegistrationRecord>) -> Self {
        Self {
            record,
            running: 0,
            waiting: VecDeque::new(),
        }
    }
}

/// An invocation that is not answered yet.
pub(super) struct InWork {
    registration: RegistrationId,
    stage: Stage,
    /// Of a call that is made in parts.
    input: Option<Input>,
    pub(super) limit: Option<TimeLimit>,
}

enum Stage {
    /// For its turn.
    Waiting(Box<Start>),
    /// In a handler.
    Running(HandlerTask),
}

impl InWork {
    /// Stops the work. Not to be called under the lock: what is dropped here may run code of the
    /// program.
    pub(super) fn stop(self) {
        match self.stage {
            Stage::Waiting(start) => drop(start),
            Stage::Running(task) => {
                if let Some(task) = task {
                    guarded(|| task.stop());
                }
            }
        }
    }
}

/// An invocation whose turn has come.
pub(super) struct Start {
    record: Arc<RegistrationRecord>,
    invocation: Invocation,
    responder: Responder,
}

/// How an invocation is answered.
#[derive(Debug)]
pub(crate) enum Answer {
    Yield(Reply),
    Error(WampError),
}

impl Online {
    /// Takes in an invocation, for whose record there is an [`Active`]. Returns it if its turn has
    /// come.
    fn admit(
        &mut self,
        registration: RegistrationId,
        start: Start,
        input: Option<Input>,
    ) -> Option<Start> {
        let request = start.invocation.key.request;
        let limit = TimeLimit::begin(&start.invocation.key, start.invocation.details.timeout_ms);
        let Some(active) = self.registrations.get_mut(&registration) else {
            // Dropping it here would be answering it, which needs the lock.
            return Some(start);
        };
        let (stage, start) = match active.running < active.record.concurrency {
            true => {
                active.running += 1;
                (Stage::Running(None), Some(start))
            }
            false => {
                active.waiting.push_back(request);
                (Stage::Waiting(Box::new(start)), None)
            }
        };
        self.invocations.insert(
            request,
            InWork {
                registration,
                stage,
                input,
                limit,
            },
        );
        start
    }

    /// Takes out an invocation; returns it, and the one whose turn has come by that.
    fn take_out(&mut self, request: RequestId) -> Option<(InWork, Option<Start>)> {
        let out = self.invocations.remove(&request)?;
        let Some(active) = self.registrations.get_mut(&out.registration) else {
            return Some((out, None));
        };
        if let Stage::Waiting(_) = out.stage {
            active.waiting.retain(|&waiting| waiting != request);
            return Some((out, None));
        }
        active.running -= 1;
        let next = active
            .waiting
            .pop_front()
            .and_then(|next| self.invocations.get_mut(&next));
        let start =
            next.and_then(
                |next| match std::mem::replace(&mut next.stage, Stage::Running(None)) {
                    Stage::Waiting(start) => Some(*start),
                    Stage::Running(_) => None,
                },
            );
        if start.is_some() {
            active.running += 1;
        }
        Some((out, start))
    }

    /// Sends the answer to an invocation, or, if it has no form here, an error that says so.
    fn encode_answer(&mut self, request: RequestId, answer: Answer) {
        let encoded = match answer {
            Answer::Yield(Reply { values, passthru }) => {
                let mut options = YieldOptions::default();
                if let Some(passthru) = passthru {
                    options.set_passthru(*passthru);
                }
                match values.finish() {
                    Ok(payload) => self.encode(&Message::Yield(message::Yield {
                        request,
                        options,
                        payload,
                    })),
                    Err(error) => Err(Unsendable::Shapeless(error)),
                }
            }
            Answer::Error(error) => self.encode(&Message::Error(error.as_message(request))),
        };
        let Err(problem) = encoded else { return };
        let uri = match problem {
            Unsendable::TooLong(_) => error_uri::PAYLOAD_SIZE_EXCEEDED,
            Unsendable::Shapeless(_) => RUNTIME_ERROR,
        };
        let error = WampError::new(uri).with_payload(text_payload(&problem.to_string()));
        // This one is short and made of text.
        _ = self.encode(&Message::Error(error.as_message(request)));
    }
}

impl Shared {
    /// Hands an invocation to its handler.
    pub(super) fn deliver_invocation(self: &Arc<Self>, mut message: message::Invocation<'_>) {
        let request = message.request;
        let opened = self.open(message.details.passthru(), &mut message.payload);
        let mut state = self.lock();
        let invocations_max = self.options.limits.invocations_max;
        let Phase::Online(online) = &mut state.phase else {
            return;
        };
        if online.invocations.contains_key(&request) {
            return self.deliver_part(state, message, opened.err());
        }
        // A further part of an invocation that has ended, which the router did not know yet.
        if online
            .past_invocations
            .as_mut()
            .is_some_and(|past| past.has_ended(request))
        {
            return;
        }
        let Some(active) = online.registrations.get(&message.registration) else {
            online.encode_answer(request, refusal(error_uri::NO_SUCH_REGISTRATION));
            return wake_owner(state);
        };
        if online.invocations.len() >= invocations_max {
            online.encode_answer(request, refusal(error_uri::UNAVAILABLE));
            return wake_owner(state);
        }
        let seal = match opened {
            Ok(seal) => seal.map(Arc::new),
            Err(problem) => {
                online.encode_answer(request, undecryptable(&problem));
                return wake_owner(state);
            }
        };
        let key = InvocationKey {
            shared: Arc::clone(self),
            epoch: online.epoch,
            request,
            seal,
        };
        let record = Arc::clone(&active.record);
        let (input, parts) = match message.details.progress {
            true => {
                let (input, parts) = Input::new(&self.options.limits);
                (Some(input), parts)
            }
            false => (None, Parts::NONE),
        };
        let invocation = Invocation {
            key: key.clone(),
            procedure: Arc::clone(&record.procedure),
            details: message.details,
            payload: message.payload.into_owned(),
            parts,
        };
        let start = Start {
            record,
            invocation,
            responder: Responder::new(key),
        };
        let start = online.admit(message.registration, start, input);
        drop(state);
        self.run(start);
    }

    /// Hands a further part of an invocation to its handler.
    fn deliver_part(
        &self,
        mut state: MutexGuard<'_, State>,
        part: message::Invocation<'_>,
        problem: Option<OpenError>,
    ) {
        let Phase::Online(online) = &mut state.phase else {
            return;
        };
        let in_work = online.invocations.get(&part.request);
        // One that was not announced is no part.
        let Some(input) = in_work.and_then(|in_work| in_work.input.as_ref()) else {
            return;
        };
        let is_last = !part.details.progress;
        let answer = match problem {
            Some(problem) => undecryptable(&problem),
            None => match input.push(part.payload.into_owned(), is_last) {
                Ok(()) => return,
                Err(Full) => {
                    let problem = "the parts of the call come faster than they are read";
                    let error = WampError::new(TOO_MANY_PARTS);
                    Answer::Error(error.with_payload(text_payload(problem)))
                }
            },
        };
        self.end_invocation(state, part.request, answer);
    }

    /// Runs the handler of an invocation whose turn has come. Not to be called under the lock.
    fn run(&self, start: Option<Start>) {
        let Some(Start {
            record,
            invocation,
            responder,
        }) = start
        else {
            return;
        };
        let (epoch, request) = (invocation.key.epoch, invocation.key.request);
        // The responder answers when the panic drops it.
        let started = catch_unwind(AssertUnwindSafe(|| (record.handler)(invocation, responder)));
        let Ok(Some(task)) = started else { return };
        let mut state = self.lock();
        let in_work = state
            .session(epoch)
            .and_then(|online| online.invocations.get_mut(&request));
        match in_work {
            Some(in_work) => in_work.stage = Stage::Running(Some(task)),
            // Canceled meanwhile; or done, and then there is nothing to abort.
            None => {
                drop(state);
                task.stop();
            }
        }
    }

    /// Notes how the work on an invocation is stopped; it is at once if the invocation is over.
    pub(crate) fn stop_by(&self, key: &InvocationKey, stop: Stop) {
        let mut state = self.lock();
        let in_work = state
            .session(key.epoch)
            .and_then(|online| online.invocations.get_mut(&key.request));
        match in_work {
            Some(in_work) => in_work.stage = Stage::Running(Some(stop)),
            None => {
                drop(state);
                stop.stop();
            }
        }
    }

    /// Answers an invocation; false if that has happened already.
    pub(crate) fn answer(&self, key: &InvocationKey, answer: Answer) -> bool {
        let answer = self.seal_answer(key, answer);
        self.try_answer(key, answer, usize::MAX).unwrap_or(false)
    }

    /// Answers an invocation when the outbox has room.
    pub(crate) async fn answer_when_room(&self, key: &InvocationKey, answer: Answer) {
        let mut answer = self.seal_answer(key, answer);
        loop {
            self.wait_for_room().await;
            match self.try_answer(key, answer, self.options.limits.outbox_bytes_max) {
                Ok(_) => return,
                Err(waiting) => answer = waiting,
            }
        }
    }

    /// Answers an invocation, unless `outbox_bytes_max` wait for the socket: then the answer comes
    /// back. `Ok(false)` if the invocation is over.
    fn try_answer(
        &self,
        key: &InvocationKey,
        answer: Answer,
        outbox_bytes_max: usize,
    ) -> Result<bool, Answer> {
        let mut state = self.lock();
        let Some(online) = state.session(key.epoch) else {
            return Ok(false);
        };
        if online.outbox.len() >= outbox_bytes_max {
            return Err(answer);
        }
        let Some((out, next)) = online.take_out(key.request) else {
            return Ok(false);
        };
        online.encode_answer(key.request, answer);
        wake_owner(state);
        drop(out);
        self.run_soon(next);
        Ok(true)
    }

    /// Runs the handler of an invocation whose turn has come, on the runtime of the client: this
    /// thread may be any, and handlers that answer at once would nest deeper and deeper.
    fn run_soon(&self, start: Option<Start>) {
        if let Some(start) = start {
            let shared = Arc::clone(&start.invocation.key.shared);
            self.runtime.spawn(async move { shared.run(Some(start)) });
        }
    }

    /// Whether an invocation waits for its answer.
    pub(crate) fn is_in_work(&self, key: &InvocationKey) -> bool {
        let mut state = self.lock();
        let online = state.session(key.epoch);
        online.is_some_and(|online| online.invocations.contains_key(&key.request))
    }

    /// Stops the handler of an invocation that was given up, and answers for it.
    pub(super) fn interrupt(&self, interrupt: message::Interrupt) {
        let reason = interrupt
            .options
            .reason
            .as_deref()
            .unwrap_or(error_uri::CANCELED);
        self.end_invocation(self.lock(), interrupt.request, refusal(reason));
    }

    /// Stops the handler of an invocation and answers in its place, unless the invocation is over.
    pub(super) fn end_invocation(
        &self,
        mut state: MutexGuard<'_, State>,
        request: RequestId,
        answer: Answer,
    ) {
        let Phase::Online(online) = &mut state.phase else {
            return;
        };
        let Some((out, next)) = online.take_out(request) else {
            return;
        };
        online.encode_answer(request, answer);
        wake_owner(state);
        out.stop();
        self.run_soon(next);
    }
}

fn undecryptable(problem: &OpenError) -> Answer {
    let error = WampError::new(DECRYPTION_FAILED);
    Answer::Error(error.with_payload(text_payload(&problem.to_string())))
}

fn refusal(uri: &str) -> Answer {
    Answer::Error(WampError::new(uri))
}
