//! Calls whose results come in parts, calls that are made in parts, and both at once.
//!
//! Deliberately absent: the thread that runs a program's generator; Python's `wampy.progressive` has it.

use std::sync::Mutex;

use pyo3::prelude::*;
use wampy::{CallInput, CallResult, ProgressiveCall};
use wampy_proto::Serializer;

use crate::error;
use crate::failure::{Kind, failure};
use crate::kept::Kept;
use crate::locks::lock;
use crate::options::details;
use crate::payload::{arguments, payload};
use crate::runtime::wait;

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
    half: Kept<Mutex<Option<T>>>,
    procedure: String,
}

impl<T: Send> Half<T> {
    fn new(half: T, procedure: String) -> Self {
        Self {
            half: Kept::new(Mutex::new(Some(half))),
            procedure,
        }
    }

    /// Takes it out for a while; whoever does not put it back cancels the call.
    fn take(&self, py: Python<'_>) -> PyResult<Option<T>> {
        Ok(lock(self.half.get(py, "call")?).take())
    }

    fn put_back(&self, half: T) {
        if let Some(place) = self.half.here() {
            *lock(place) = Some(half);
        }
    }

    /// Drops it, which cancels a call that is not over.
    fn drop_half(&self, py: Python<'_>) {
        if let Some(place) = self.half.here() {
            let half = lock(place).take();
            py.detach(|| drop(half));
        }
    }
}

/// Whether a call goes on, of which a part was sent.
///
/// # Errors
/// The part could not be sent.
pub fn goes_on(py: Python<'_>, sent: Result<(), wampy::Error>, procedure: &str) -> PyResult<bool> {
    match sent {
        Ok(()) => Ok(true),
        Err(wampy::Error::Misuse { .. } | wampy::Error::Closed) => Ok(false),
        Err(error) => Err(error::of(py, &error, procedure)),
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
            Some(sent) => goes_on(py, sent, &self.half.procedure),
            None => Err(failure(py, Kind::Timeout, "no part was sent in time")),
        }
    }
}
