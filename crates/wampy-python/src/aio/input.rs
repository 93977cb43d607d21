//! `_wampy.AioInput`: the further parts of a call, as they are sent.
//!
//! Deliberately absent: where they come from; `wampy.aio` iterates over a program's generator.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyBool;
use wampy::CallInput;
use wampy_proto::Serializer;

use super::desk::{Desk, Finish};
use crate::kept::Kept;
use crate::locks::lock;
use crate::payload::payload;
use crate::progressive::goes_on;

/// The further parts of a call.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioInput {
    inner: Kept<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    /// Until the call is over; an operation has it meanwhile.
    input: Arc<Mutex<Option<CallInput>>>,
    procedure: Arc<str>,
    serializer: Serializer,
}

impl AioInput {
    pub fn new(
        desk: &Arc<Desk>,
        input: CallInput,
        procedure: &str,
        serializer: Serializer,
    ) -> Self {
        Self {
            inner: Kept::new(Inner {
                desk: Arc::clone(desk),
                input: Arc::new(Mutex::new(Some(input))),
                procedure: procedure.into(),
                serializer,
            }),
        }
    }

    fn inner(&self, py: Python<'_>) -> PyResult<&Inner> {
        self.inner.get(py, "call")
    }
}

#[pymethods]
impl AioInput {
    /// Send a part, when there is room for it: a future of whether the call still goes on.
    fn send<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        let payload = payload(inner.serializer, args, kwargs)?;
        let (input, procedure) = (Arc::clone(&inner.input), Arc::clone(&inner.procedure));
        let taken = lock(&input).take();
        inner.desk.future(py, async move {
            let sent = match taken {
                Some(mut taken) => {
                    let sent = taken.send_payload(payload).await;
                    *lock(&input) = Some(taken);
                    sent
                }
                None => Err(wampy::Error::Closed),
            };
            let finish: Finish = Box::new(move |py| outcome(py, sent, &procedure));
            finish
        })
    }

    /// Send the last part: a future of whether the call still goes on.
    fn finish<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        let payload = payload(inner.serializer, args, kwargs)?;
        let procedure = Arc::clone(&inner.procedure);
        let taken = lock(&inner.input).take();
        inner.desk.future(py, async move {
            let sent = match taken {
                Some(taken) => taken.finish_payload(payload).await,
                None => Err(wampy::Error::Closed),
            };
            let finish: Finish = Box::new(move |py| outcome(py, sent, &procedure));
            finish
        })
    }

    /// Cancel the call, unless it is finished or over.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let input = lock(&self.inner(py)?.input).take();
        drop(input);
        Ok(())
    }
}

fn outcome(py: Python<'_>, sent: Result<(), wampy::Error>, procedure: &str) -> PyResult<Py<PyAny>> {
    let goes_on = goes_on(py, sent, procedure)?;
    Ok(PyBool::new(py, goes_on).to_owned().into_any().unbind())
}
