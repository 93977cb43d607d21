//! Calls whose results come in parts, calls that are made in parts, and both at once.
//!
//! Deliberately absent: the thread that runs a program's generator; Python's `wampy.progressive` has it.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use wampy::{CallInput, CallResult, ProgressiveCall};
use wampy_proto::Serializer;

use crate::error::{self, Kind, failure};
use crate::live::lock;
use crate::options::{arguments, details, payload};
use crate::runtime::{self, check_generation, wait};

/// RESULT as a tuple: request id, details, args, kwargs.
pub type ResultTuple<'py> = (u64, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);

/// A RESULT as Python gets it.
///
/// # Errors
/// The peer sent a payload that is no valid value.
pub fn result_tuple<'py>(py: Python<'py>, result: &CallResult) -> PyResult<ResultTuple<'py>> {
    let (args, kwargs) = arguments(py, result.payload())?;
    let details = details(py, |writer| result.details().write(writer))?;
    Ok((result.request_id().value(), details, args, kwargs))
}

/// A half of a call, until the call is over, in the process that made it.
struct Half<T> {
    generation: u64,
    half: Mutex<Option<T>>,
    procedure: String,
}

impl<T: Send> Half<T> {
    fn new(half: T, procedure: String) -> Self {
        Self {
            generation: runtime::generation(),
            half: Mutex::new(Some(half)),
            procedure,
        }
    }

    /// Takes it out for a while; whoever does not put it back cancels the call.
    fn take(&self, py: Python<'_>) -> PyResult<Option<T>> {
        check_generation(py, self.generation, "call")?;
        Ok(lock(&self.half).take())
    }

    fn put_back(&self, half: T) {
        *lock(&self.half) = Some(half);
    }

    /// Drops it, which cancels a call that is not over.
    fn drop_half(&self, py: Python<'_>) {
        if self.generation == runtime::generation() {
            let half = lock(&self.half).take();
            py.detach(|| drop(half));
        }
    }
}

impl<T> Drop for Half<T> {
    fn drop(&mut self) {
        if self.generation != runtime::generation() {
            // The locks in there may be held by threads that the fork has left behind.
            let half = self.half.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(half.take());
        }
    }
}

/// The results of a call, as they come.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Results(Half<ProgressiveCall>);

impl Results {
    pub fn new(call: ProgressiveCall, procedure: String) -> Self {
        Self(Half::new(call, procedure))
    }
}

#[pymethods]
impl Results {
    /// Wait for the next `(request_id, details, args, kwargs)`; None behind the last.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<ResultTuple<'py>>> {
        let Some(mut call) = self.0.take(py)? else {
            return Ok(None);
        };
        let Some(result) = wait(py, None, call.next())?.flatten() else {
            return Ok(None);
        };
        let result = result.map_err(|error| error::of(py, &error, &self.0.procedure))?;
        let tuple = result_tuple(py, &result)?;
        if result.is_progress() {
            self.0.put_back(call);
        }
        Ok(Some(tuple))
    }

    /// Cancel the call, unless it is over.
    fn close(&self, py: Python<'_>) {
        self.0.drop_half(py);
    }
}

/// The further parts of a call, as they are sent.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Input {
    half: Half<CallInput>,
    serializer: Serializer,
}

impl Input {
    pub fn new(input: CallInput, procedure: String, serializer: Serializer) -> Self {
        Self {
            half: Half::new(input, procedure),
            serializer,
        }
    }
}

#[pymethods]
impl Input {
    /// Send a part, waiting until there is room for it; false if the call is over.
    fn send(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let payload = payload(self.serializer, args, kwargs)?;
        let Some(mut input) = self.half.take(py)? else {
            return Ok(false);
        };
        let sent = wait(py, None, input.send_payload(payload))?;
        let sent = self.sent(py, sent)?;
        self.half.put_back(input);
        Ok(sent)
    }

    /// Send the last part; false if the call is over.
    fn finish(
        &self,
        py: Python<'_>,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let payload = payload(self.serializer, args, kwargs)?;
        let Some(input) = self.half.take(py)? else {
            return Ok(false);
        };
        let sent = wait(py, None, input.finish_payload(payload))?;
        self.sent(py, sent)
    }

    /// Cancel the call, unless it is finished or over.
    fn close(&self, py: Python<'_>) {
        self.half.drop_half(py);
    }
}

impl Input {
    fn sent(&self, py: Python<'_>, sent: Option<Result<(), wampy::Error>>) -> PyResult<bool> {
        match sent {
            Some(Ok(())) => Ok(true),
            Some(Err(wampy::Error::Misuse { .. } | wampy::Error::Closed)) => Ok(false),
            Some(Err(error)) => Err(error::of(py, &error, &self.half.procedure)),
            None => Err(failure(py, Kind::Timeout, "no part was sent in time")),
        }
    }
}
