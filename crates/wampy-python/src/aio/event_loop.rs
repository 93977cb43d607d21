//! `_wampy.AioLoop`: the operations of one connection, polled by an event loop of Python.
//!
//! An operation is a future of the Rust client, and a future of Python that gets its outcome. All
//! methods are called on the loop's thread.
//!
//! Deliberately absent: what the operations are.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use foldhash::fast::FixedState;
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy::{Invocation, Responder};

use super::connect;
use super::invocation::AioInvocation;
use crate::bell::{Bell, Ringer};
use crate::error::{Kind, failure};
use crate::kept::Kept;
use crate::live::lock;
use crate::runtime::{self, check_generation, runtime};

/// The most operations at a time; further calls wait for their turn.
const OPERATIONS_MAX: usize = 1 << 15;
/// The most operations and invocations that are looked at before other callbacks of the loop run.
const DRAINED_MAX: usize = 512;
/// The token of the invocations that have come.
const INVOKED: u64 = 0;

/// Turns what the client answered into Python's value, with the GIL.
pub type Finish = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Py<PyAny>> + Send>;

/// A future of the client whose outcome Python can have.
pub type Work = Pin<Box<dyn Future<Output = Finish> + Send>>;

/// Something that waits for its turn.
enum Waiting {
    Operation {
        work: Work,
        ringer: Arc<Ringer>,
        done: Py<PyAny>,
    },
    /// A task of Python that is to be canceled.
    Task(Py<PyAny>),
}

/// An invocation on its way to the handler of that number.
pub type Invoked = (u64, Box<Invocation>, Responder);

/// What one connection has on one event loop.
pub struct Desk {
    pub generation: u64,
    pub bell: Arc<Bell>,
    create_future: Py<PyAny>,
    table: Mutex<Table>,
    /// Bounded by the client's limit of invocations.
    invoked: Mutex<VecDeque<Invoked>>,
    handlers: Mutex<HashMap<u64, Py<PyAny>>>,
}

#[derive(Default)]
struct Table {
    last: u64,
    /// By numbers that are ours, so that no hash has to resist anybody.
    waiting: HashMap<u64, Waiting, FixedState>,
    /// Futures of those who want to call and have to wait.
    crowd: VecDeque<Py<PyAny>>,
}

impl Desk {
    /// Begins an operation; returns its number, by which it can be abandoned, and Python's future.
    ///
    /// # Errors
    /// The interpreter is ending, or the desk was made before a fork.
    pub fn start<'py, F>(&self, py: Python<'py>, work: F) -> PyResult<(u64, Bound<'py, PyAny>)>
    where
        F: Future<Output = Finish> + Send + 'static,
    {
        check_generation(py, self.generation, "session")?;
        let _entered = runtime(py)?.enter();
        let done = self.create_future.bind(py).call0()?;
        let token = self.draw();
        let ringer = Ringer::new(token, &self.bell);
        self.poll(py, token, Box::pin(work), ringer, done.clone().unbind())?;
        Ok((token, done))
    }

    /// Begins an operation that is nobody's to abandon.
    ///
    /// # Errors
    /// As for [`Desk::start`].
    pub fn future<'py, F>(&self, py: Python<'py>, work: F) -> PyResult<Bound<'py, PyAny>>
    where
        F: Future<Output = Finish> + Send + 'static,
    {
        self.start(py, work).map(|(_, done)| done)
    }

    /// Looks at an operation: its outcome goes to Python, or it goes on waiting.
    fn poll(
        &self,
        py: Python<'_>,
        token: u64,
        mut work: Work,
        ringer: Arc<Ringer>,
        done: Py<PyAny>,
    ) -> PyResult<()> {
        ringer.rearm();
        let waker = Waker::from(Arc::clone(&ringer));
        match work.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(finish) => {
                drop(work);
                settle(done.bind(py), finish(py))
            }
            Poll::Pending => {
                let operation = Waiting::Operation { work, ringer, done };
                lock(&self.table).waiting.insert(token, operation);
                Ok(())
            }
        }
    }

    fn draw(&self) -> u64 {
        let mut table = lock(&self.table);
        table.last += 1;
        table.last
    }

    /// Whether so many operations are under way that a call has to wait.
    pub fn is_crowded(&self) -> bool {
        lock(&self.table).waiting.len() >= OPERATIONS_MAX
    }

    /// Drops an operation, which gives up what it waits for. One that is over is no error.
    pub fn abandon(&self, token: u64) {
        let dropped = lock(&self.table).waiting.remove(&token);
        drop(dropped);
    }

    /// Whether an operation still waits, and somebody for its outcome.
    pub fn is_awaited(&self, py: Python<'_>, token: u64) -> PyResult<bool> {
        let done = match lock(&self.table).waiting.get(&token) {
            Some(Waiting::Operation { done, .. }) => done.clone_ref(py),
            _ => return Ok(false),
        };
        is_done(done.bind(py)).map(|done| !done)
    }

    /// Notes a task that is canceled when the number returned rings.
    pub fn watch(&self, task: Py<PyAny>) -> u64 {
        let token = self.draw();
        lock(&self.table).waiting.insert(token, Waiting::Task(task));
        token
    }

    /// Notes a handler; returns its number.
    pub fn add_handler(&self, handler: Py<PyAny>) -> u64 {
        let number = self.draw();
        lock(&self.handlers).insert(number, handler);
        number
    }

    pub fn remove_handler(&self, number: u64) {
        let removed = lock(&self.handlers).remove(&number);
        drop(removed);
    }

    /// Hands over an invocation, on the network thread.
    pub fn invoke(&self, invoked: Invoked) {
        let mut queue = lock(&self.invoked);
        let is_first = queue.is_empty();
        queue.push_back(invoked);
        drop(queue);
        if is_first {
            self.bell.ring(INVOKED);
        }
    }

    fn look_at(&self, py: Python<'_>, token: u64) -> PyResult<()> {
        let waiting = lock(&self.table).waiting.remove(&token);
        match waiting {
            Some(Waiting::Operation { work, ringer, done }) => {
                // Nobody waits for it any more, and what it would take is the next one's.
                if is_done(done.bind(py))? {
                    return Ok(());
                }
                self.poll(py, token, work, ringer, done)
            }
            Some(Waiting::Task(task)) => task.call_method0(py, intern!(py, "cancel")).map(drop),
            None => Ok(()),
        }
    }

    /// Runs the handlers of what was invoked, up to a limit.
    fn run_handlers(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut outcome = Ok(());
        for _ in 0..DRAINED_MAX {
            let Some(invoked) = lock(&self.invoked).pop_front() else {
                return outcome;
            };
            outcome = first_of(py, outcome, self.run_handler(py, invoked));
        }
        if !lock(&self.invoked).is_empty() {
            self.bell.ring(INVOKED);
        }
        outcome
    }

    fn run_handler(self: &Arc<Self>, py: Python<'_>, invoked: Invoked) -> PyResult<()> {
        let (number, invocation, responder) = invoked;
        let handler = lock(&self.handlers)
            .get(&number)
            .map(|handler| handler.clone_ref(py));
        let invocation = AioInvocation::new(py, self, invocation, responder)?;
        match (handler, invocation) {
            (Some(handler), Some(invocation)) => handler.call1(py, (invocation,)).map(drop),
            // Dropping it answers.
            _ => Ok(()),
        }
    }

    /// Lets those go on for whom there is room now.
    fn admit(&self, py: Python<'_>) -> PyResult<()> {
        let mut table = lock(&self.table);
        // As many as there are places; each looks again.
        let places = OPERATIONS_MAX.saturating_sub(table.waiting.len());
        let count = places.min(table.crowd.len());
        if count == 0 {
            return Ok(());
        }
        let next: Vec<_> = table.crowd.drain(..count).collect();
        drop(table);
        for turn in next {
            settle(turn.bind(py), Ok(py.None()))?;
        }
        Ok(())
    }
}

/// The operations of one connection, on one event loop.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioLoop {
    desk: Kept<Arc<Desk>>,
}

impl AioLoop {
    fn desk(&self, py: Python<'_>) -> PyResult<&Arc<Desk>> {
        self.desk.get(py, "session")
    }
}

#[pymethods]
impl AioLoop {
    /// `create_future` makes a future of the event loop.
    #[new]
    fn new(py: Python<'_>, create_future: Py<PyAny>) -> PyResult<Self> {
        let bell = Bell::new()
            .map_err(|error| failure(py, Kind::Connection, &format!("no pipe: {error}")))?;
        Ok(Self {
            desk: Kept::new(Arc::new(Desk {
                generation: runtime::generation(),
                bell: Arc::new(bell),
                create_future,
                table: Mutex::default(),
                invoked: Mutex::default(),
                handlers: Mutex::default(),
            })),
        })
    }

    /// What the event loop has to watch: when it can be read, `drain` is to be called.
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        Ok(self.desk(py)?.bell.fileno())
    }

    /// Connect and join a realm: a future of the `AioSession`.
    fn connect<'py>(
        &self,
        py: Python<'py>,
        settings: &Bound<'py, PyDict>,
    ) -> PyResult<(u64, Bound<'py, PyAny>)> {
        connect::start(self.desk(py)?, settings)
    }

    /// Hand out what has come. Never waits.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        let desk = self.desk(py)?;
        let _entered = runtime(py)?.enter();
        let mut tokens = Vec::with_capacity(64);
        desk.bell.take(DRAINED_MAX, &mut tokens);
        let mut outcome = Ok(());
        for token in tokens {
            let looked_at = match token {
                INVOKED => desk.run_handlers(py),
                token => desk.look_at(py, token),
            };
            outcome = first_of(py, outcome, looked_at);
        }
        first_of(py, outcome, desk.admit(py))
    }

    /// Give up an operation. One that is over is no error.
    fn abandon(&self, py: Python<'_>, token: u64) -> PyResult<()> {
        self.desk(py)?.abandon(token);
        Ok(())
    }

    /// A future that is done when there may be room for another call.
    fn turn<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let desk = self.desk(py)?;
        let turn = desk.create_future.bind(py).call0()?;
        lock(&desk.table).crowd.push_back(turn.clone().unbind());
        desk.admit(py)?;
        Ok(turn)
    }

    /// Hand out what has come, fail all that still waits, and drop all handlers: the scope is over.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let desk = self.desk(py)?;
        while !desk.bell.is_silent() {
            self.drain(py)?;
        }
        let mut table = lock(&desk.table);
        let (waiting, crowd) = (
            std::mem::take(&mut table.waiting),
            std::mem::take(&mut table.crowd),
        );
        drop(table);
        for operation in waiting.into_values() {
            if let Waiting::Operation { done, .. } = operation {
                let error = failure(py, Kind::Session, "the session has ended");
                settle(done.bind(py), Err(error))?;
            }
        }
        for turn in crowd {
            // Whoever looks again finds that there is no session.
            settle(turn.bind(py), Ok(py.None()))?;
        }
        let dropped = (
            std::mem::take(&mut *lock(&desk.handlers)),
            std::mem::take(&mut *lock(&desk.invoked)),
        );
        drop(dropped);
        Ok(())
    }
}

/// Gives a future its outcome, unless somebody has canceled it.
fn settle(done: &Bound<'_, PyAny>, outcome: PyResult<Py<PyAny>>) -> PyResult<()> {
    let py = done.py();
    let settled = match outcome {
        Ok(value) => done.call_method1(intern!(py, "set_result"), (value,)),
        Err(error) => done.call_method1(intern!(py, "set_exception"), (error.into_value(py),)),
    };
    match settled {
        // It refuses because it has an outcome, which is rare enough to ask afterwards.
        Err(_) if is_done(done)? => Ok(()),
        settled => settled.map(drop),
    }
}

fn is_done(done: &Bound<'_, PyAny>) -> PyResult<bool> {
    done.call_method0(intern!(done.py(), "done"))?.is_truthy()
}

/// Which of two outcomes the loop hears of: an exit that a handler asked for goes on, and other
/// failures, which nobody expects, are shown.
fn first_of(py: Python<'_>, first: PyResult<()>, second: PyResult<()>) -> PyResult<()> {
    match (first, second) {
        (first, Ok(())) => first,
        (first, Err(error)) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            first
        }
        (Ok(()), second) => second,
        (first, Err(error)) => {
            error.write_unraisable(py, None);
            first
        }
    }
}
