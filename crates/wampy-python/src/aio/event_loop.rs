//! `_wampy.AioLoop`: what one connection has on one event loop, driven by that.
//!
//! All is called on the loop's thread.
//!
//! Deliberately absent: what waits; see `desk`.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::calls::{ANSWERED, OVERDUE};
use super::connect;
use super::desk::{Desk, INVOKED, Invoked};
use super::invocation::AioInvocation;
use crate::kept::Kept;
use crate::runtime::runtime;

/// The most operations and invocations that are looked at before other callbacks of the loop run.
const DRAINED_MAX: usize = 512;

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
    /// `create_future` and `call_soon` are the event loop's.
    #[new]
    fn new(py: Python<'_>, create_future: Py<PyAny>, call_soon: Py<PyAny>) -> PyResult<Self> {
        let desk = Desk::new(py, create_future, call_soon)?;
        Ok(Self {
            desk: Kept::new(Arc::new(desk)),
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
        let calls = desk.calls();
        if let Some(calls) = &calls {
            calls.turn_begins();
        }
        let mut outcome = Ok(());
        for token in tokens {
            let looked_at = match (token, &calls) {
                (INVOKED, _) => run_handlers(py, desk),
                (ANSWERED, Some(calls)) => calls.hand_out(py),
                (OVERDUE, Some(calls)) => calls.end_overdue(py),
                (token, _) => desk.look_at(py, token),
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
        self.desk(py)?.turn(py)
    }

    /// Hand out what has come, fail all that still waits, and drop all handlers: the scope is over.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let desk = self.desk(py)?;
        while !desk.bell.is_silent() {
            self.drain(py)?;
        }
        desk.clear(py)
    }
}

/// Runs the handlers of what was invoked, up to a limit.
fn run_handlers(py: Python<'_>, desk: &Arc<Desk>) -> PyResult<()> {
    let mut outcome = Ok(());
    for _ in 0..DRAINED_MAX {
        let Some((handler, invoked)) = desk.next_invoked(py) else {
            return outcome;
        };
        outcome = first_of(py, outcome, run_handler(py, desk, handler, invoked));
    }
    desk.ring_for_invoked();
    outcome
}

fn run_handler(
    py: Python<'_>,
    desk: &Arc<Desk>,
    handler: Option<Py<PyAny>>,
    (_, invocation, responder): Invoked,
) -> PyResult<()> {
    let invocation = AioInvocation::new(py, desk, invocation, responder)?;
    match (handler, invocation) {
        (Some(handler), Some(invocation)) => handler.call1(py, (invocation,)).map(drop),
        // Dropping it answers.
        _ => Ok(()),
    }
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
