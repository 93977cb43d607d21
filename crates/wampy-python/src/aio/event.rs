//! `_wampy.AioEvent`: an event as a program gets it.
//!
//! Deliberately absent: how it came; see `stream`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy::Event;

use crate::options::details;
use crate::payload::arguments;

/// An event.
#[pyclass(frozen, module = "wampy.aio", name = "Event")]
pub struct AioEvent {
    event: Event,
    args: Py<PyAny>,
    kwargs: Py<PyAny>,
}

impl AioEvent {
    /// # Errors
    /// The peer sent a payload that is no valid value: `wampy.errors.SerializationError`.
    pub fn new(py: Python<'_>, event: Event) -> PyResult<Self> {
        let (args, kwargs) = arguments(py, event.payload())?;
        Ok(Self {
            event,
            args: args.unbind(),
            kwargs: kwargs.unbind(),
        })
    }
}

#[pymethods]
impl AioEvent {
    /// What was published by position.
    #[getter]
    fn args(&self, py: Python<'_>) -> Py<PyAny> {
        self.args.clone_ref(py)
    }

    /// What was published by keyword.
    #[getter]
    fn kwargs(&self, py: Python<'_>) -> Py<PyAny> {
        self.kwargs.clone_ref(py)
    }

    /// The topic that it was published to.
    #[getter]
    fn topic(&self) -> &str {
        self.event.topic()
    }

    /// The id of the publication.
    #[getter]
    fn publication_id(&self) -> u64 {
        self.event.publication().value()
    }

    /// What else the router tells.
    #[getter]
    fn meta<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let details = details(py, |writer| self.event.details().write(writer))?;
        let meta = details.cast::<PyDict>()?;
        meta.set_item("topic", self.event.topic())?;
        meta.set_item("subscription_id", self.event.subscription().value())?;
        Ok(details)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (args, kwargs) = (self.args.bind(py).repr()?, self.kwargs.bind(py).repr()?);
        Ok(format!(
            "<Event of {}: {args} {kwargs}>",
            self.event.topic()
        ))
    }
}
