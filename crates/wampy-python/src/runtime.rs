//! The one background runtime of the process, and how Python threads wait for it.
//!
//! A wait releases the GIL and looks up every [`SLICE`] to answer signals. When the interpreter ends
//! no thread but the one that ends it comes back to Python: each stays where it is until the process
//! is gone, because Python would unwind it through Rust. A fork leaves the threads of its parent
//! behind, so that its child starts a runtime of its own: see `fork`. A thread that has a hub does not
//! stand still meanwhile: see `hub`.
//!
//! Deliberately absent: futures in Python; the asyncio face has another way of waiting: see `aio`.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread, ThreadId};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use wampy::Client;
use wampy_proto::close_reason;

use crate::failure::{Kind, failure};
use crate::locks::lock;
use crate::{fork, hub};

/// How long a wait goes on before it looks up.
pub const SLICE: Duration = Duration::from_millis(50);

/// The threads that drive all sockets of the process. One is measured to be enough for one
/// interpreter, which itself runs on one core at a time.
const THREADS: usize = 1;

/// How long is as good as forever, and still safe to add to an instant.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

static RUNTIME: Mutex<Option<&'static Process>> = Mutex::new(None);
static ENDING: AtomicBool = AtomicBool::new(false);
/// The thread that ends the interpreter.
static ENDER: OnceLock<ThreadId> = OnceLock::new();
/// The threads that are waiting and will come back to Python.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// The sessions that say goodbye when the process ends. Those that are gone leave at the next push.
static SESSIONS: Mutex<Vec<Weak<dyn Leaves>>> = Mutex::new(Vec::new());

/// A session that says goodbye when the process ends.
pub trait Leaves: Send + Sync {
    /// Whose session it is.
    fn client(&self) -> Client;

    /// It has said goodbye.
    fn left(&self);
}

/// What one process has once.
struct Process {
    runtime: Runtime,
    ending: watch::Sender<bool>,
}

/// In the child of a fork: forget the runtime, whose threads stayed in the parent.
pub fn forked() {
    fork::count();
    WAITING.store(0, Ordering::Release);
    *lock(&RUNTIME) = None;
    lock(&SESSIONS).clear();
}

/// Notes a session that has to say goodbye when the process ends.
pub fn at_exit<L: Leaves + 'static>(session: &Arc<L>) {
    let session: Weak<L> = Arc::downgrade(session);
    let mut sessions = lock(&SESSIONS);
    sessions.retain(|session| session.strong_count() > 0);
    sessions.push(session);
}

/// Whether the interpreter is ending.
pub fn is_ending() -> bool {
    ENDING.load(Ordering::Acquire)
}

fn process(py: Python<'_>) -> PyResult<&'static Process> {
    if is_ending() {
        detached(py, || ());
        return Err(failure(
            py,
            Kind::Session,
            "the interpreter is shutting down",
        ));
    }
    let mut slot = lock(&RUNTIME);
    if let Some(process) = *slot {
        return Ok(process);
    }
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("wampy-io")
        .enable_all()
        .build()
        .map_err(|error| failure(py, Kind::Connection, &format!("no threads: {error}")))?;
    // Leaked on purpose: it lives as long as the process, and a fork cannot drop it.
    let process: &'static Process = Box::leak(Box::new(Process {
        runtime,
        ending: watch::Sender::new(false),
    }));
    *slot = Some(process);
    Ok(process)
}

/// The runtime of this process, which the first caller starts.
///
/// # Errors
/// The system has no more threads, or the interpreter is ending.
pub fn runtime(py: Python<'_>) -> PyResult<&'static Runtime> {
    Ok(&process(py)?.runtime)
}

/// Waits for `future` with the GIL released; `None` after `timeout`. What is ready at once, as an
/// event that only has to be queued, keeps the GIL.
///
/// # Errors
/// A signal handler raised (Ctrl-C), or the interpreter is ending. The future is dropped then. It is
/// also when something is raised in the greenlet that waits.
pub fn wait<F>(py: Python<'_>, timeout: Option<Duration>, future: F) -> PyResult<Option<F::Output>>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = runtime(py)?;
    if let Some(hub) = hub::of_this_thread(py)? {
        return hub.wait(runtime, timeout, future);
    }
    let mut future = pin!(future);
    if let Some(output) = at_once(runtime, future.as_mut()) {
        return Ok(Some(output));
    }
    let deadline = deadline(timeout);
    loop {
        let until = deadline.min(Instant::now() + SLICE);
        let outcome = detached(py, || wait_until(runtime, until, future.as_mut()));
        if outcome.is_some() {
            return Ok(outcome);
        }
        py.check_signals()?;
        if Instant::now() >= deadline {
            return Ok(None);
        }
    }
}

/// Waits as [`wait`] does, but without looking up: for threads that get no signals and may wait
/// for long. `None` after `timeout`.
///
/// # Errors
/// The system has no more threads. Or something is raised in the greenlet that waits.
pub fn wait_quietly<F>(py: Python<'_>, timeout: Duration, future: F) -> PyResult<Option<F::Output>>
where
    F: Future + Send,
    F::Output: Send,
{
    let process = process(py)?;
    if let Some(hub) = hub::of_this_thread(py)? {
        return hub.wait(&process.runtime, Some(timeout), future);
    }
    let mut future = pin!(future);
    if let Some(output) = at_once(&process.runtime, future.as_mut()) {
        return Ok(Some(output));
    }
    let deadline = deadline(Some(timeout));
    let mut ending = process.ending.subscribe();
    let output = detached(py, || {
        let future = pin!(async {
            tokio::select! {
                biased;
                _ = ending.wait_for(|ending| *ending) => None,
                output = future => Some(output),
            }
        });
        wait_until(&process.runtime, deadline, future)
    });
    Ok(output.flatten())
}

/// What `future` is ready with at once, if it is.
fn at_once<F: Future>(runtime: &Runtime, future: Pin<&mut F>) -> Option<F::Output> {
    let _entered = runtime.enter();
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Parks this thread until `future` is ready; `None` at `deadline`. This needs neither the runtime's
/// own way to park nor a timer in it, and the clock is asked only where the thread is parked.
fn wait_until<F: Future>(
    runtime: &Runtime,
    deadline: Instant,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    thread_local! {
        static WAKER: Waker = Waker::from(Arc::new(Unparker(thread::current())));
    }
    let waker = WAKER.with(Waker::clone);
    let _entered = runtime.enter();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

/// Wakes a thread that has parked.
struct Unparker(Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs `wait` without the GIL. A thread that finds the interpreter ending does not return.
fn detached<T: Send>(py: Python<'_>, wait: impl FnOnce() -> T + Send) -> T {
    WAITING.fetch_add(1, Ordering::AcqRel);
    let output = py.detach(|| {
        let output = wait();
        if is_ending() && ENDER.get() != Some(&thread::current().id()) {
            WAITING.fetch_sub(1, Ordering::AcqRel);
            loop {
                thread::park();
            }
        }
        output
    });
    WAITING.fetch_sub(1, Ordering::AcqRel);
    output
}

/// Says goodbye in every session and lets no thread but this one come back to Python from a wait;
/// true when that is so within `timeout`.
pub fn shut_down(py: Python<'_>, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout.min(FOREVER);
    _ = ENDER.set(thread::current().id());
    ENDING.store(true, Ordering::Release);
    if let Some(process) = *lock(&RUNTIME) {
        process.ending.send_replace(true);
        let sessions: Vec<_> = lock(&SESSIONS).iter().filter_map(Weak::upgrade).collect();
        let leaving: Vec<_> = sessions
            .into_iter()
            .map(|session| {
                let client = session.client();
                process.runtime.spawn(async move {
                    // Failing to say goodbye is no failure: the session is over in any case.
                    _ = client.leave(close_reason::CLOSE_REALM).await;
                    session.left();
                })
            })
            .collect();
        let left = async {
            for session in leaving {
                // A session that cannot say goodbye is over all the same.
                _ = session.await;
            }
        };
        // The rest of the time is for the waits, which look up after a slice.
        let patience = timeout.saturating_sub(2 * SLICE);
        py.detach(|| {
            process
                .runtime
                .block_on(async { tokio::time::timeout(patience, left).await.ok() })
        });
    }
    while WAITING.load(Ordering::Acquire) > 0 {
        if Instant::now() >= deadline {
            return false;
        }
        py.detach(|| thread::sleep(Duration::from_millis(1)));
    }
    true
}

/// Seconds as Python gives them.
///
/// # Errors
/// `seconds` is negative or not a number.
pub fn duration(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    if seconds >= FOREVER.as_secs_f64() {
        return Ok(FOREVER);
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        failure(
            py,
            Kind::Configuration,
            &format!("{seconds} is no length of time in seconds"),
        )
    })
}

/// A time limit in seconds, if there is one.
///
/// # Errors
/// As [`duration`].
pub fn limit(py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Duration>> {
    timeout.map(|seconds| duration(py, seconds)).transpose()
}

fn deadline(timeout: Option<Duration>) -> Instant {
    Instant::now() + timeout.unwrap_or(FOREVER)
}
