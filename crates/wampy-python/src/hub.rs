//! Waiting in a program whose greenlets share a thread, as those of gevent and eventlet do: the thread
//! goes on with other greenlets until the network thread wakes the one that waits.
//!
//! A greenlet's stack is moved away while another one runs, and the network thread writes to whatever
//! it wakes: so a future that waits lies on the heap. The network thread calls no Python; it notes who
//! is to be woken and writes one byte to a pipe, which the hub watches.
//!
//! Deliberately absent: the hubs themselves. Python's `wampy.greenlets` knows them, and parks greenlets.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::Runtime;

use crate::bell::{Bell, Ringer};
use crate::failure::{Kind, failure};
use crate::fork;

/// Python's function that finds the hub of the thread that calls it.
static FINDER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Distinguishes the waits of the process.
static TOKENS: AtomicU64 = AtomicU64::new(0);

/// Lets threads that have a hub wait by it. `finder` returns the hub of the calling thread as its
/// [`Wakeups`] and a function that parks the current greenlet until a token is woken; or None.
pub fn wait_by_hubs(py: Python<'_>, finder: Py<PyAny>) {
    // A second call brings the same function.
    _ = FINDER.set(py, finder);
}

/// The hub of one thread.
pub struct Hub<'py> {
    wakeups: Bound<'py, Wakeups>,
    park: Bound<'py, PyAny>,
}

/// The hub of this thread, if it has one.
///
/// # Errors
/// Whatever Python's function raises.
pub fn of_this_thread(py: Python<'_>) -> PyResult<Option<Hub<'_>>> {
    let Some(finder) = FINDER.get(py) else {
        return Ok(None);
    };
    let found: Option<(Bound<'_, Wakeups>, Bound<'_, PyAny>)> =
        finder.bind(py).call0()?.extract()?;
    Ok(found.map(|(wakeups, park)| Hub { wakeups, park }))
}

impl Hub<'_> {
    /// Lets other greenlets run until `future` is ready; `None` after `timeout`.
    ///
    /// # Errors
    /// What is raised in the greenlet meanwhile: a `Timeout`, `GreenletExit`, Ctrl-C. The future is
    /// dropped then.
    pub fn wait<F: Future>(
        &self,
        runtime: &Runtime,
        timeout: Option<Duration>,
        future: F,
    ) -> PyResult<Option<F::Output>> {
        let token = TOKENS.fetch_add(1, Ordering::Relaxed);
        let ringer = Ringer::new(token, &self.wakeups.get().bell);
        let waker = Waker::from(Arc::clone(&ringer));
        let mut context = Context::from_waker(&waker);
        let mut future = Box::pin(async {
            match timeout {
                Some(timeout) => tokio::time::timeout(timeout, future).await.ok(),
                None => Some(future.await),
            }
        });
        loop {
            ringer.rearm();
            let entered = runtime.enter();
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            drop(entered);
            self.park.call1((token,))?;
        }
    }
}

/// The waits of one hub that are to be looked at again.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Wakeups {
    generation: u64,
    bell: Arc<Bell>,
}

#[pymethods]
impl Wakeups {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Self> {
        let bell = Bell::new()
            .map_err(|error| failure(py, Kind::Connection, &format!("no pipe: {error}")))?;
        Ok(Self {
            generation: fork::generation(),
            bell: Arc::new(bell),
        })
    }

    /// What to watch: it can be read while there is something to take.
    fn fileno(&self) -> i32 {
        self.bell.fileno()
    }

    /// Whether this process made it, and not one that it is a fork of.
    #[getter]
    fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }

    /// The tokens that have been woken since the last time. Never waits.
    fn take(&self) -> Vec<u64> {
        let mut tokens = Vec::new();
        self.bell.take(usize::MAX, &mut tokens);
        tokens
    }
}
