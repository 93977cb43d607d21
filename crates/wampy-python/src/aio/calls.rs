//! Calls of one session, by the way that most of them go.
//!
//! Such a call is a row of a table and a future of Python, and nothing of the client's but the request:
//! no future that is polled, no task and no timer of its own. The network thread leaves answers in a
//! queue; the loop's thread takes those that have come together.
//!
//! The first call of a turn of the loop is sent at once. Those that follow it in the same turn leave
//! together, because each write wakes the network thread, the router and the callee once more.
//!
//! Deliberately absent: calls that wait for room or for a session, are encrypted or come in parts; those
//! are operations (`desk`).

use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foldhash::fast::FixedState;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyString};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use wampy::{Answers, CallResult, Client, Error, Made, Sending, ToldCalls};
use wampy_proto::message::CancelMode;

use super::call_options::AioOptions;
use super::desk::{Begun, Desk, OPERATIONS_MAX};
use super::outcome::settle;
use super::value::value;
use crate::bell::Bell;
use crate::error;
use crate::failure::{Kind, failure};
use crate::locks::lock;
use crate::payload::payload;
use crate::progressive::result_tuple;
use crate::runtime::{is_ending, runtime};

/// The token of the answers that have come.
pub const ANSWERED: u64 = u64::MAX;
/// The token of the calls whose time is out.
pub const OVERDUE: u64 = u64::MAX - 1;

/// The most answers that are looked at before other callbacks of the loop run.
const ANSWERS_MAX: usize = 512;
/// After how many calls of one turn those are sent that were not: whoever answers them can begin, while
/// the others are made.
const SENT_TOGETHER_MAX: usize = 16;

/// The calls of one session.
pub struct Calls {
    told: ToldCalls,
    answers: Arc<Queue>,
    table: Mutex<Table>,
    call_soon: Py<PyAny>,
}

/// An answer, and the number of the call that it is for.
type Answer = (u64, Result<CallResult, Error>);

/// Answers on their way from the network thread, at most one for each call.
struct Queue {
    answers: Mutex<Vec<Answer>>,
    bell: Arc<Bell>,
}

impl Answers for Queue {
    fn answered(&self, number: u64, answer: Result<CallResult, Error>) {
        let mut answers = lock(&self.answers);
        let is_first = answers.is_empty();
        answers.push((number, answer));
        drop(answers);
        if is_first {
            self.bell.ring(ANSWERED);
        }
    }
}

impl Queue {
    /// Takes answers, up to a limit; for those that are left the bell rings again.
    fn take(&self) -> Vec<Answer> {
        let mut answers = lock(&self.answers);
        if answers.len() <= ANSWERS_MAX {
            // As a rule as many will come next time.
            let next = Vec::with_capacity(answers.len());
            return std::mem::replace(&mut *answers, next);
        }
        let taken = answers.drain(..ANSWERS_MAX).collect();
        drop(answers);
        self.bell.ring(ANSWERED);
        taken
    }
}

/// A call that waits for its answer.
struct Calling {
    done: Py<PyAny>,
    procedure: Py<PyString>,
    made: Made,
    limit: Option<Duration>,
    whole: bool,
}

#[derive(Default)]
struct Table {
    /// By numbers that are ours, so that no hash has to resist anybody.
    waiting: HashMap<u64, Calling, FixedState>,
    deadlines: Deadlines,
    turn: Turn,
}

/// What is sent in a turn of the loop, and when.
#[derive(Default)]
struct Turn {
    /// Whether a call has been made in this turn of the loop.
    begun: bool,
    /// How many were, and are not sent yet.
    unsent: usize,
    /// Whether the loop will call `flush` at the end of this turn.
    scheduled: bool,
}

impl Calls {
    /// The calls of `client`; `call_soon` is that of the event loop.
    pub fn new(client: Client, bell: &Arc<Bell>, call_soon: Py<PyAny>) -> Self {
        let answers = Arc::new(Queue {
            answers: Mutex::default(),
            bell: Arc::clone(bell),
        });
        Self {
            told: client.told_calls(Arc::clone(&answers) as Arc<dyn Answers>),
            answers,
            table: Mutex::default(),
            call_soon,
        }
    }

    /// How many wait for their answers.
    pub fn len(&self) -> usize {
        lock(&self.table).waiting.len()
    }

    /// Makes a call: its number, and Python's future. `None` if it cannot go this way.
    ///
    /// # Errors
    /// A value has no form in WAMP, or the event loop takes nothing.
    pub fn make<'py>(
        self: &Arc<Self>,
        desk: &Desk,
        (procedure, name): (&Bound<'py, PyString>, &str),
        (args, kwargs): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
        options: &AioOptions,
        whole: bool,
    ) -> PyResult<Option<Begun<'py>>> {
        let py = procedure.py();
        if !options.is_usual() || is_ending() {
            return Ok(None);
        }
        let payload = payload(self.told.serializer(), args, kwargs)?;
        let (number, done) = (desk.draw(), desk.create_future(py)?);
        let limit = options.limit();
        let operations = desk.operations();
        // Nothing from here on runs code of the program.
        let mut table = lock(&self.table);
        if table.waiting.len() + operations >= OPERATIONS_MAX {
            return Ok(None);
        }
        let sending = table.turn.sending();
        let made = self
            .told
            .make(number, name, options.call(), payload, sending);
        let Some(made) = made else {
            return Ok(None);
        };
        let begins = table.turn.made(sending);
        let calling = Calling {
            done: done.clone().unbind(),
            procedure: procedure.clone().unbind(),
            made,
            limit,
            whole,
        };
        table.waiting.insert(number, calling);
        let watched = match limit {
            Some(limit) => table.watch(py, number, limit, &self.answers.bell),
            None => Ok(()),
        };
        drop(table);
        if begins {
            self.flush_soon(py)?;
        }
        watched?;
        Ok(Some((number, done)))
    }

    /// Has the loop flush at the end of this turn.
    fn flush_soon(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let calls = Arc::downgrade(self);
        let flush = PyCFunction::new_closure(py, None, None, move |_, _| {
            if let Some(calls) = calls.upgrade() {
                calls.flush();
            }
        })?;
        self.call_soon.bind(py).call1((flush,)).map(drop)
    }

    /// Sends what was made in a turn of the loop.
    fn flush(&self) {
        let turn = std::mem::take(&mut lock(&self.table).turn);
        if turn.unsent > 0 {
            self.told.flush();
        }
    }

    /// A turn of the loop begins, in which answers are handed out.
    pub fn turn_begins(&self) {
        let mut table = lock(&self.table);
        if !table.turn.scheduled {
            table.turn.begun = false;
        }
    }

    /// Hands out the answers that have come.
    ///
    /// # Errors
    /// The event loop takes no outcome: it is closed.
    pub fn hand_out(&self, py: Python<'_>) -> PyResult<()> {
        let mut outcome = Ok(());
        for (number, answer) in self.answers.take() {
            let calling = lock(&self.table).waiting.remove(&number);
            // One that is not there was given up.
            if let Some(calling) = calling {
                outcome = outcome.and(calling.finish(py, answer));
            }
        }
        outcome
    }

    /// Cancels a call; false if it is none, or over.
    pub fn abandon(&self, number: u64) -> bool {
        let calling = lock(&self.table).waiting.remove(&number);
        match calling {
            Some(calling) => {
                self.told.cancel(calling.made, CancelMode::Kill);
                true
            }
            None => false,
        }
    }

    /// Cancels the calls whose time is out.
    ///
    /// # Errors
    /// As for [`Calls::hand_out`].
    pub fn end_overdue(&self, py: Python<'_>) -> PyResult<()> {
        let mut table = lock(&self.table);
        let Table {
            waiting, deadlines, ..
        } = &mut *table;
        let over: Vec<Calling> = deadlines
            .take(Instant::now())
            .filter_map(|number| waiting.remove(&number))
            .collect();
        deadlines.set_alarm(py, &self.answers.bell)?;
        drop(table);
        let mut outcome = Ok(());
        for calling in over {
            self.told.cancel(calling.made, CancelMode::Kill);
            outcome = outcome.and(calling.time_out(py));
        }
        outcome
    }

    /// Fails all that waits: the scope is over.
    ///
    /// # Errors
    /// As for [`Calls::hand_out`].
    pub fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let table = std::mem::take(&mut *lock(&self.table));
        for calling in table.waiting.into_values() {
            self.told.cancel(calling.made, CancelMode::Kill);
            let error = failure(py, Kind::Session, "the session has ended");
            settle(calling.done.bind(py), Err(error))?;
        }
        Ok(())
    }
}

impl Table {
    /// Sees to it that a call does not wait for longer than `limit`.
    fn watch(
        &mut self,
        py: Python<'_>,
        number: u64,
        limit: Duration,
        bell: &Arc<Bell>,
    ) -> PyResult<()> {
        let waiting = &self.waiting;
        self.deadlines
            .add(number, limit, |number| waiting.contains_key(number));
        self.deadlines.set_alarm(py, bell)
    }
}

impl Turn {
    /// When the next call is sent.
    fn sending(&self) -> Sending {
        match self.begun && self.unsent + 1 < SENT_TOGETHER_MAX {
            true => Sending::WithNext,
            false => Sending::AtOnce,
        }
    }

    /// A call was made that is sent so; whether the loop has to be told to flush.
    fn made(&mut self, sending: Sending) -> bool {
        if !std::mem::replace(&mut self.begun, true) {
            return false;
        }
        self.unsent = match sending {
            Sending::WithNext => self.unsent + 1,
            Sending::AtOnce => 0,
        };
        !std::mem::replace(&mut self.scheduled, true)
    }
}

impl Calling {
    fn finish(self, py: Python<'_>, answer: Result<CallResult, Error>) -> PyResult<()> {
        let outcome = match answer {
            Ok(result) if self.whole => {
                result_tuple(py, &result).and_then(|whole| whole.into_py_any(py))
            }
            Ok(result) => value(py, &result).map(Bound::unbind),
            Err(error) => Err(self.error(py, error)),
        };
        settle(self.done.bind(py), outcome)
    }

    fn error(&self, py: Python<'_>, error: Error) -> PyErr {
        match self.procedure.to_str(py) {
            Ok(name) => error::of(py, &ToldCalls::explained(error, name, self.limit), name),
            Err(error) => error,
        }
    }

    fn time_out(self, py: Python<'_>) -> PyResult<()> {
        let name = self.procedure.to_str(py)?;
        let error = ToldCalls::timed_out(name, self.limit.unwrap_or_default());
        settle(self.done.bind(py), Err(error::of(py, &error, name)))
    }
}

/// When the time of calls is out, with one timer for all of them.
#[derive(Default)]
struct Deadlines {
    /// The next first. Calls that are over stay until there are as many of them as of others.
    heap: BinaryHeap<std::cmp::Reverse<(Instant, u64)>>,
    alarm: Option<Alarm>,
}

/// How many deadlines of calls that are over are kept in any case.
const DEADLINES_KEPT: usize = 128;

/// A task that rings the bell at a time.
struct Alarm {
    at: Instant,
    task: AbortHandle,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Deadlines {
    /// Notes a deadline, and forgets those of calls that do not wait any more when they are many.
    fn add(&mut self, number: u64, limit: Duration, waits: impl Fn(&u64) -> bool) {
        // A limit that no clock reaches is none.
        let Some(at) = Instant::now().checked_add(limit) else {
            return;
        };
        if self.heap.len() == self.heap.capacity() {
            self.heap.retain(|deadline| waits(&deadline.0.1));
            // Room for as many as are left: so this is done once for each of those.
            self.heap.reserve(self.heap.len().max(DEADLINES_KEPT));
        }
        self.heap.push(std::cmp::Reverse((at, number)));
    }

    /// Takes those that are not later than `now`.
    fn take(&mut self, now: Instant) -> impl Iterator<Item = u64> {
        self.alarm = None;
        std::iter::from_fn(move || {
            let next = self.heap.peek()?;
            if next.0.0 > now {
                return None;
            }
            self.heap.pop().map(|deadline| deadline.0.1)
        })
    }

    /// Sees to it that the bell rings at the next deadline.
    fn set_alarm(&mut self, py: Python<'_>, bell: &Arc<Bell>) -> PyResult<()> {
        let Some(next) = self.heap.peek() else {
            return Ok(());
        };
        let at = next.0.0;
        if self.alarm.as_ref().is_some_and(|alarm| alarm.at <= at) {
            return Ok(());
        }
        let bell = Arc::clone(bell);
        let task = runtime(py)?.spawn(async move {
            tokio::time::sleep_until(at).await;
            bell.ring(OVERDUE);
        });
        let task = task.abort_handle();
        self.alarm = Some(Alarm { at, task });
        Ok(())
    }
}
