//! The value of a result, as a program gets it.
//!
//! Deliberately absent: what is not just one value; `wampy.result` says what becomes of that.

use pyo3::intern;
use pyo3::prelude::*;
use wampy::CallResult;

use crate::decode::decode_only_arg;
use crate::payload::arguments;

/// The value of a result.
///
/// # Errors
/// The peer sent a payload that is no valid value: `wampy.errors.SerializationError`.
pub fn value<'py>(py: Python<'py>, result: &CallResult) -> PyResult<Bound<'py, PyAny>> {
    let payload = result.payload();
    if payload.encoded_kwargs().is_empty()
        && let Some(value) = decode_only_arg(py, payload.serializer(), payload.encoded_args())?
    {
        return Ok(value);
    }
    let (args, kwargs) = arguments(py, payload)?;
    let module = py.import(intern!(py, "wampy.result"))?;
    module.call_method1(intern!(py, "value_of"), (args, kwargs))
}
