//! `_wampy.AioOptions`: what a program wants of its calls, in a form that each call can use at once.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy_proto::message::CallOptions;

use crate::request::How;

/// Options of CALL, read once for many calls.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioOptions(How);

#[pymethods]
impl AioOptions {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        How::read(options).map(Self)
    }
}

impl AioOptions {
    /// Whether a call with these options can go the way of most calls: it says all that there is to
    /// say, and nobody has to encrypt its values.
    pub fn is_usual(&self) -> bool {
        self.0.is_usual()
    }

    /// All of it.
    pub fn how(&self) -> &How {
        &self.0
    }

    /// The options of the message.
    pub fn call(&self) -> &CallOptions {
        &self.0.options
    }

    /// How long the call may take.
    pub fn limit(&self) -> Option<Duration> {
        let timeout_ms = self.0.options.timeout_ms;
        (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms))
    }
}
