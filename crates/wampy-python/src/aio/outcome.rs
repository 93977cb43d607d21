//! Outcomes for futures of Python.

use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{ffi, intern};

/// Gives a future its outcome, unless somebody has canceled it.
pub fn settle(done: &Bound<'_, PyAny>, outcome: PyResult<Py<PyAny>>) -> PyResult<()> {
    let py = done.py();
    let settled = match outcome {
        Ok(value) => call_method(done, intern!(py, "set_result"), value.bind(py)),
        Err(error) => done.call_method1(intern!(py, "set_exception"), (error.into_value(py),)),
    };
    match settled {
        // It refuses because it has an outcome, which is rare enough to ask afterwards.
        Err(_) if is_done(done)? => Ok(()),
        settled => settled.map(drop),
    }
}

/// Calls a method of one argument without a tuple and a bound method in between, which is what PyO3
/// makes for the stable ABI of Python 3.10.
#[expect(
    unsafe_code,
    reason = "each call has one, and this takes half the time"
)]
fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let end = std::ptr::null_mut::<ffi::PyObject>();
    // SAFETY: who has a `Bound` is attached to the interpreter; the three are objects that live until it
    // returns, the name a string; the null, a pointer like those before it, ends the list; and what it
    // returns is a new reference, or null with an exception.
    unsafe {
        let returned =
            ffi::PyObject_CallMethodObjArgs(object.as_ptr(), name.as_ptr(), argument.as_ptr(), end);
        Bound::from_owned_ptr_or_err(object.py(), returned)
    }
}

/// Whether a future has an outcome, or has been canceled.
pub fn is_done(done: &Bound<'_, PyAny>) -> PyResult<bool> {
    done.call_method0(intern!(done.py(), "done"))?.is_truthy()
}
