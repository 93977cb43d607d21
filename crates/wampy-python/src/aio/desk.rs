//! What one connection has on one event loop: operations that wait, and handlers.
//!
//! An operation is a future of the Rust client, and a future of Python that gets its outcome. All but
//! `invoke` is called on the loop's thread.
//!
//! Deliberately absent: what the operations are, and running the handlers.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use foldhash::fast::FixedState;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{ffi, intern};
use wampy::{Client, Invocation, Responder};

use super::calls::Calls;

use crate::bell::{Bell, Ringer};
use crate::error::{Kind, failure};
use crate::locks::lock;
use crate::runtime::{self, check_generation, runtime};

/// The most operations at a time; further calls wait for their turn.
pub const OPERATIONS_MAX: usize = 1 << 15;
/// The token of the invocations that have come.
pub const INVOKED: u64 = 0;

/// Turns what the client answered into Python's value, with the GIL.
pub type Finish = Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Py<PyAny>> + Send>;

/// A future of the client whose outcome Python can have.
pub type Work = Pin<Box<dyn Future<Output = Finish> + Send>>;

/// What was begun: its number, and Python's future.
pub type Begun<'py> = (u64, Bound<'py, PyAny>);

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
    call_soon: Py<PyAny>,
    /// The latest number.
    last: AtomicU64,
    table: Mutex<Table>,
    /// Bounded by the client's limit of invocations.
    invoked: Mutex<VecDeque<Invoked>>,
    handlers: Mutex<HashMap<u64, Py<PyAny>>>,
    /// From the time on at which the session has joined.
    calls: Mutex<Option<Arc<Calls>>>,
}

#[derive(Default)]
struct Table {
    /// By numbers that are ours, so that no hash has to resist anybody.
    waiting: HashMap<u64, Waiting, FixedState>,
    /// Futures of those who want to call and have to wait.
    crowd: VecDeque<Py<PyAny>>,
}

impl Desk {
    /// `create_future` and `call_soon` are the event loop's.
    ///
    /// # Errors
    /// The system has no more pipes.
    pub fn new(py: Python<'_>, create_future: Py<PyAny>, call_soon: Py<PyAny>) -> PyResult<Self> {
        let bell = Bell::new()
            .map_err(|error| failure(py, Kind::Connection, &format!("no pipe: {error}")))?;
        Ok(Self {
            generation: runtime::generation(),
            bell: Arc::new(bell),
            create_future,
            call_soon,
            last: AtomicU64::new(0),
            table: Mutex::default(),
            invoked: Mutex::default(),
            handlers: Mutex::default(),
            calls: Mutex::default(),
        })
    }

    /// What the calls of a session go by that has joined.
    pub fn begin_calls(&self, py: Python<'_>, client: &Client) -> Arc<Calls> {
        let call_soon = self.call_soon.clone_ref(py);
        let calls = Arc::new(Calls::new(client.clone(), &self.bell, call_soon));
        *lock(&self.calls) = Some(Arc::clone(&calls));
        calls
    }

    /// The calls of the session, while it is joined.
    pub fn calls(&self) -> Option<Arc<Calls>> {
        lock(&self.calls).clone()
    }

    /// A future of the event loop.
    ///
    /// # Errors
    /// The loop makes none.
    pub fn create_future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.create_future.bind(py).call0()
    }

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
        let done = self.create_future(py)?;
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

    /// A new number.
    pub fn draw(&self) -> u64 {
        1 + self.last.fetch_add(1, Ordering::Relaxed)
    }

    /// How many operations are under way.
    pub fn operations(&self) -> usize {
        lock(&self.table).waiting.len()
    }

    /// How many operations and calls are under way.
    fn len(&self) -> usize {
        self.operations() + self.calls().map_or(0, |calls| calls.len())
    }

    /// Whether so many operations are under way that a call has to wait.
    pub fn is_crowded(&self) -> bool {
        self.len() >= OPERATIONS_MAX
    }

    /// Drops an operation, which gives up what it waits for. One that is over is no error.
    pub fn abandon(&self, token: u64) {
        if self.calls().is_some_and(|calls| calls.abandon(token)) {
            return;
        }
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

    /// The next invocation that was handed over, with its handler, if that is still there.
    pub fn next_invoked(&self, py: Python<'_>) -> Option<(Option<Py<PyAny>>, Invoked)> {
        let invoked = lock(&self.invoked).pop_front()?;
        let handlers = lock(&self.handlers);
        let handler = handlers.get(&invoked.0).map(|it| it.clone_ref(py));
        Some((handler, invoked))
    }

    /// Sees to it that the invocations that are left are looked at later.
    pub fn ring_for_invoked(&self) {
        if !lock(&self.invoked).is_empty() {
            self.bell.ring(INVOKED);
        }
    }

    /// Looks at what has a number that has rung.
    ///
    /// # Errors
    /// The event loop takes no outcome: it is closed.
    pub fn look_at(&self, py: Python<'_>, token: u64) -> PyResult<()> {
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

    /// Lets those go on for whom there is room now.
    ///
    /// # Errors
    /// As for [`Desk::look_at`].
    pub fn admit(&self, py: Python<'_>) -> PyResult<()> {
        if lock(&self.table).crowd.is_empty() {
            return Ok(());
        }
        // As many as there are places; each looks again.
        let places = OPERATIONS_MAX.saturating_sub(self.len());
        let mut table = lock(&self.table);
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

    /// A future that is done when there may be room for another call.
    ///
    /// # Errors
    /// As for [`Desk::look_at`].
    pub fn turn<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let turn = self.create_future(py)?;
        lock(&self.table).crowd.push_back(turn.clone().unbind());
        self.admit(py)?;
        Ok(turn)
    }

    /// Fails all that still waits, and drops all handlers.
    ///
    /// # Errors
    /// As for [`Desk::look_at`].
    pub fn clear(&self, py: Python<'_>) -> PyResult<()> {
        let mut table = lock(&self.table);
        let (waiting, crowd) = (
            std::mem::take(&mut table.waiting),
            std::mem::take(&mut table.crowd),
        );
        drop(table);
        let calls = lock(&self.calls).take();
        if let Some(calls) = calls {
            calls.clear(py)?;
        }
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
            std::mem::take(&mut *lock(&self.handlers)),
            std::mem::take(&mut *lock(&self.invoked)),
        );
        drop(dropped);
        Ok(())
    }
}

/// Gives a future its outcome, unless somebody has canceled it.
pub fn settle(done: &Bound<'_, PyAny>, outcome: PyResult<Py<PyAny>>) -> PyResult<()> {
    let py = done.py();
    let settled = match outcome {
        Ok(value) => call_method(done, intern!(py, "set_result"), value.bind(py)),
        Err(error) => done.call_method1(intern!(py, "set_exception"), (error.into_value(py),)),
    };
    match settled {
        // It refuses because it has an outcome, which is rare enough to ask afterwards.
        Err(_) if is_done(done)? => Ok(()),
        settled => settled.map(drop),
    }
}

/// Calls a method of one argument without a tuple and a bound method in between, which is what PyO3
/// makes for the stable ABI of Python 3.10.
#[expect(
    unsafe_code,
    reason = "each call has one, and this takes half the time"
)]
fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let end = std::ptr::null_mut::<ffi::PyObject>();
    // SAFETY: who has a `Bound` is attached to the interpreter; the three are objects that live until it
    // returns, the name a string; the null, a pointer like those before it, ends the list; and what it
    // returns is a new reference, or null with an exception.
    unsafe {
        let returned =
            ffi::PyObject_CallMethodObjArgs(object.as_ptr(), name.as_ptr(), argument.as_ptr(), end);
        Bound::from_owned_ptr_or_err(object.py(), returned)
    }
}

fn is_done(done: &Bound<'_, PyAny>) -> PyResult<bool> {
    done.call_method0(intern!(done.py(), "done"))?.is_truthy()
}
