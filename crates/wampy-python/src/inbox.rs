//! Jobs on their way from the network thread to Python's handler threads.
//!
//! The network thread only appends; whichever handler thread is free takes the next job. Events of
//! one session are the job of one thread at a time, which takes them one after the other as long as
//! there are any, so that they are handled in the order in which they came, across topics.
//! Invocations need no order among themselves and run side by side.
//!
//! Deliberately absent: Python. Values are converted by the thread that takes the job.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{Notify, SetOnce};
use wampy::{Event, Invocation, Responder};

use crate::locks::lock;

/// The most events that wait; then the oldest make room, as in the Rust client's own queues.
const EVENTS_MAX: usize = 1 << 14;
/// The most bytes of payload that they hold.
const EVENT_BYTES_MAX: usize = 64 << 20;

/// The id of a registration: the first call may come before whoever registers has noted it.
pub type Granted = Arc<SetOnce<u64>>;

/// Work for a handler thread.
pub enum Job {
    /// A call, the means to answer it, and the id of its registration as soon as it is known.
    Invocation(Box<Invocation>, Responder, Granted),
    /// The events that wait: [`Inbox::next_event`] has them, until [`Inbox::events_done`].
    Events,
}

/// The jobs of one session that no thread has taken yet. The client bounds the invocations.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    invocations: VecDeque<(Box<Invocation>, Responder, Granted)>,
    events: VecDeque<Event>,
    event_bytes: usize,
    events_dropped: u64,
    events_in_work: bool,
    ended: bool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Appends an invocation. After the end it is dropped, which answers it.
    pub fn push_invocation(&self, invocation: Invocation, responder: Responder, id: Granted) {
        let mut state = self.lock();
        if state.ended {
            return;
        }
        state
            .invocations
            .push_back((Box::new(invocation), responder, id));
        drop(state);
        self.changed.notify_one();
    }

    /// Appends an event; the oldest make room for it.
    pub fn push_event(&self, event: Event) {
        let bytes = event.payload().encoded_len();
        let mut state = self.lock();
        if state.ended {
            return;
        }
        while state.events.len() >= EVENTS_MAX || state.event_bytes + bytes > EVENT_BYTES_MAX {
            let Some(dropped) = state.events.pop_front() else {
                break;
            };
            state.event_bytes -= dropped.payload().encoded_len();
            state.events_dropped += 1;
        }
        state.event_bytes += bytes;
        state.events.push_back(event);
        drop(state);
        self.changed.notify_one();
    }

    /// Takes the next job, waiting for it; `None` after the end.
    pub async fn next(&self) -> Option<Job> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.lock();
                let job = state.take();
                if job.is_some() && state.has_work() || state.is_over() {
                    // One notification may stand for several jobs, and the end is for all.
                    self.changed.notify_one();
                }
                if job.is_some() || state.is_over() {
                    return job;
                }
            }
            changed.await;
        }
    }

    /// Takes the next event, for the thread whose job they are, and says how many had to make room
    /// so far.
    pub fn next_event(&self) -> Option<(Event, u64)> {
        let mut state = self.lock();
        let event = state.events.pop_front()?;
        state.event_bytes -= event.payload().encoded_len();
        Some((event, state.events_dropped))
    }

    /// The thread whose job events are has handled those that it took; others may follow.
    pub fn events_done(&self) {
        let mut state = self.lock();
        state.events_in_work = false;
        let more = !state.events.is_empty();
        let is_over = state.is_over();
        drop(state);
        if more || is_over {
            self.changed.notify_one();
        }
    }

    /// How many events had to make room.
    pub fn events_dropped(&self) -> u64 {
        self.lock().events_dropped
    }

    /// The session is lost: nobody waits for answers any more, but events that have come are events.
    pub fn lose(&self) {
        let mut state = self.lock();
        state.ended = true;
        let unanswered = std::mem::take(&mut state.invocations);
        drop(state);
        drop(unanswered);
        self.changed.notify_one();
    }

    /// Nothing more will come, and what has not been taken is dropped, which answers it.
    pub fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let left = (
            std::mem::take(&mut state.invocations),
            std::mem::take(&mut state.events),
        );
        drop(state);
        drop(left);
        self.changed.notify_one();
    }
}

impl State {
    /// Whether nothing will be handed out any more.
    fn is_over(&self) -> bool {
        self.ended && self.events.is_empty()
    }

    fn has_work(&self) -> bool {
        !self.invocations.is_empty() || (!self.events.is_empty() && !self.events_in_work)
    }

    fn take(&mut self) -> Option<Job> {
        if !self.events_in_work && !self.events.is_empty() {
            self.events_in_work = true;
            return Some(Job::Events);
        }
        let (invocation, responder, id) = self.invocations.pop_front()?;
        Some(Job::Invocation(invocation, responder, id))
    }
}
