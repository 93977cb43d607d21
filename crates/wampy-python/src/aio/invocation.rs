//! `_wampy.AioInvocation`: a call that a handler is to answer.
//!
//! Deliberately absent: running the handler, which is Python's.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyBool;
use wampy::{Invocation, Responder, WampError};
use wampy_proto::error_uri;

use super::desk::{Desk, Finish};
use super::stream::{AioStream, Source};
use crate::kept::Kept;
use crate::locks::lock;
use crate::options::details;
use crate::payload::{arguments, payload};

/// A call.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioInvocation {
    args: Py<PyAny>,
    kwargs: Py<PyAny>,
    inner: Kept<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    invocation: Arc<Invocation>,
    /// Until the answer.
    responder: Mutex<Option<Responder>>,
    /// The number of the task to cancel when the call ends.
    watch: Mutex<Option<u64>>,
    parts: Mutex<Option<Source>>,
}

impl AioInvocation {
    /// The invocation as Python gets it; `None` if it had to be answered, because its payload is no
    /// valid value, and the caller was told so.
    ///
    /// # Errors
    /// There is no memory.
    pub fn new(
        py: Python<'_>,
        desk: &Arc<Desk>,
        mut invocation: Box<Invocation>,
        responder: Responder,
    ) -> PyResult<Option<Py<Self>>> {
        let Ok((args, kwargs)) = arguments(py, invocation.payload()) else {
            responder.fail(WampError::new(error_uri::INVALID_ARGUMENT));
            return Ok(None);
        };
        let in_parts = invocation.details().progress;
        let parts = in_parts.then(|| Source::Parts(invocation.take_parts()));
        let inner = Inner {
            desk: Arc::clone(desk),
            invocation: Arc::from(invocation),
            responder: Mutex::new(Some(responder)),
            watch: Mutex::default(),
            parts: Mutex::new(parts),
        };
        let this = Self {
            args: args.unbind(),
            kwargs: kwargs.unbind(),
            inner: Kept::new(inner),
        };
        Py::new(py, this).map(Some)
    }

    fn inner(&self, py: Python<'_>) -> PyResult<&Inner> {
        self.inner.get(py, "call")
    }
}

impl Inner {
    /// Takes the right to answer.
    fn take(&self) -> Option<Responder> {
        if let Some(token) = lock(&self.watch).take() {
            self.desk.abandon(token);
        }
        lock(&self.responder).take()
    }
}

#[pymethods]
impl AioInvocation {
    /// The positional arguments.
    #[getter]
    fn args(&self, py: Python<'_>) -> Py<PyAny> {
        self.args.clone_ref(py)
    }

    /// The keyword arguments.
    #[getter]
    fn kwargs(&self, py: Python<'_>) -> Py<PyAny> {
        self.kwargs.clone_ref(py)
    }

    /// What the router tells of the call.
    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let invocation = &self.inner(py)?.invocation;
        details(py, |writer| invocation.details().write(writer))
    }

    /// The procedure that was called.
    #[getter]
    fn procedure(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.inner(py)?.invocation.procedure())
    }

    /// Whether the caller takes the result in parts.
    #[getter]
    fn receives_progress(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.inner(py)?.invocation.receives_progress())
    }

    /// Whether the call has been answered, or has ended without.
    #[getter]
    fn is_over(&self, py: Python<'_>) -> PyResult<bool> {
        let responder = lock(&self.inner(py)?.responder);
        Ok(responder.as_ref().is_none_or(Responder::is_over))
    }

    /// The further parts of the call; None if it is made at once, or they were taken before.
    fn parts(&self, py: Python<'_>) -> PyResult<Option<AioStream>> {
        let inner = self.inner(py)?;
        let source = lock(&inner.parts).take();
        let (client, name) = (inner.invocation.client(), inner.invocation.procedure());
        Ok(source.map(|source| AioStream::new(&inner.desk, client, name, source)))
    }

    /// Cancel `task` if the call ends before it is answered.
    fn watch(&self, py: Python<'_>, task: Py<PyAny>) -> PyResult<()> {
        let inner = self.inner(py)?;
        let responder = lock(&inner.responder);
        if let Some(responder) = &*responder {
            let token = inner.desk.watch(task);
            *lock(&inner.watch) = Some(token);
            let bell = Arc::clone(&inner.desk.bell);
            responder.on_end(move || bell.ring(token));
        }
        Ok(())
    }

    /// Answer with a result; false if the call is over already.
    fn reply<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let inner = self.inner(py)?;
        let payload = payload(inner.invocation.payload().serializer(), args, kwargs)?;
        Ok(inner
            .take()
            .is_some_and(|responder| responder.complete(payload)))
    }

    /// Answer with an error; false if the call is over already.
    fn reply_error<'py>(
        &self,
        py: Python<'py>,
        uri: &str,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let inner = self.inner(py)?;
        let payload = payload(inner.invocation.payload().serializer(), args, kwargs)?;
        let error = WampError::new(uri).with_payload(payload);
        Ok(inner.take().is_some_and(|responder| responder.fail(error)))
    }

    /// Send a part of the result, when there is room: a future of whether the call still goes on.
    fn progress<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        let payload = payload(inner.invocation.payload().serializer(), args, kwargs)?;
        let invocation = Arc::clone(&inner.invocation);
        inner.desk.future(py, async move {
            let sent = invocation.progress_payload(payload).await.is_ok();
            let finish: Finish =
                Box::new(move |py| Ok(PyBool::new(py, sent).to_owned().into_any().unbind()));
            finish
        })
    }
}
