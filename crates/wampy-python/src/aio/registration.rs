//! `_wampy.AioRegistration`: a procedure that a session offers.
//!
//! Deliberately absent: its handler, which the event loop's side has.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use wampy::Registration;

use super::absence::within;
use super::desk::{Desk, Finish};
use crate::kept::Kept;
use crate::locks::lock;
use crate::request::answer;
use crate::runtime::limit;

/// A procedure.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioRegistration {
    inner: Kept<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    handler: u64,
    /// Until it is taken back.
    registration: Mutex<Option<Registration>>,
}

impl AioRegistration {
    pub fn new(desk: Arc<Desk>, handler: u64, registration: Registration) -> Self {
        Self {
            inner: Kept::new(Inner {
                desk,
                handler,
                registration: Mutex::new(Some(registration)),
            }),
        }
    }

    fn inner(&self, py: Python<'_>) -> PyResult<&Inner> {
        self.inner.get(py, "session")
    }
}

#[pymethods]
impl AioRegistration {
    /// The id in the present session, if the registration stands.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        let registration = lock(&self.inner(py)?.registration);
        Ok(registration
            .as_ref()
            .and_then(Registration::id)
            .map(|id| id.value()))
    }

    /// Withdraw the procedure: a future that is done when the router has acknowledged it.
    fn unregister<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        let limit = limit(py, timeout)?;
        let registration = lock(&inner.registration).take();
        let (desk, handler) = (Arc::clone(&inner.desk), inner.handler);
        inner.desk.future(py, async move {
            let Some(registration) = registration else {
                let finish: Finish = Box::new(|py| Ok(py.None()));
                return finish;
            };
            let procedure = registration.procedure().to_owned();
            let ended = within(limit, registration.unregister()).await;
            let finish: Finish = Box::new(move |py| {
                desk.remove_handler(handler);
                answer(py, ended, &procedure).map(|()| py.None())
            });
            finish
        })
    }
}
