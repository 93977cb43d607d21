//! Answers to messages that a program has built by hand, until it asks for them.
//!
//! Deliberately absent: answers to calls and registrations made in the usual way; the client hands
//! those to whoever waits for them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use pyo3::prelude::*;
use tokio::sync::Notify;
use wampy_proto::{Message, RequestId, Serializer};

use crate::decode::decode;
use crate::failure::{Kind, failure};
use crate::locks::lock;
use crate::runtime::wait;

/// The most answers that wait; the oldest make room.
const ANSWERS_MAX: usize = 1024;
/// The most bytes that they hold.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The serializer in which answers wait.
const SERIALIZER: Serializer = Serializer::MsgPack;

/// The answers of one session that nobody has asked for yet, encoded.
#[derive(Default)]
pub struct Answers {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(RequestId, Vec<u8>)>,
    bytes: usize,
    ended: bool,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Keeps `message` if it answers a request.
    pub fn push(&self, message: &Message<'_>) {
        let Some(request) = answered(message) else {
            return;
        };
        let mut encoded = Vec::new();
        if message.encode(SERIALIZER, &mut encoded).is_err() {
            return;
        }
        let mut state = self.lock();
        let is_full = |state: &State| {
            state.waiting.len() >= ANSWERS_MAX || state.bytes + encoded.len() > ANSWER_BYTES_MAX
        };
        while is_full(&state) {
            let Some((_, dropped)) = state.waiting.pop_front() else {
                break;
            };
            state.bytes -= dropped.len();
        }
        state.bytes += encoded.len();
        state.waiting.push_back((request, encoded));
        drop(state);
        self.changed.notify_waiters();
    }

    /// No more answers will come.
    pub fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
    }

    /// Waits for the answer to `request`, or to any, as a list.
    ///
    /// # Errors
    /// The session ends without it, or none comes in time.
    pub fn take<'py>(
        &self,
        py: Python<'py>,
        request: Option<u64>,
        timeout: Option<Duration>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match wait(py, timeout, self.next(request))? {
            Some(Some(encoded)) => decode(py, SERIALIZER, &encoded),
            Some(None) => {
                let problem = "the session ended without an answer";
                Err(failure(py, Kind::Session, problem))
            }
            None => Err(failure(py, Kind::Timeout, "no message came in time")),
        }
    }

    /// `None` if the session ends without the answer.
    async fn next(&self, request: Option<u64>) -> Option<Vec<u8>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on a change is noticed, also one between the look and the wait.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                let wanted = |(id, _): &(RequestId, _)| request.is_none_or(|id2| id.value() == id2);
                if let Some(position) = state.waiting.iter().position(wanted) {
                    let (_, answer) = state.waiting.remove(position)?;
                    state.bytes -= answer.len();
                    return Some(answer);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }
}

/// The request that `message` answers.
fn answered(message: &Message<'_>) -> Option<RequestId> {
    match message {
        Message::Error(error) => Some(error.request),
        Message::Result(result) => Some(result.request),
        Message::Published(published) => Some(published.request),
        Message::Registered(registered) => Some(registered.request),
        Message::Subscribed(subscribed) => Some(subscribed.request),
        Message::Unregistered(unregistered) => unregistered.request,
        Message::Unsubscribed(unsubscribed) => unsubscribed.request,
        _ => None,
    }
}
