//! The names of procedures and topics, as Python gives them: whoever gives something else is told so in
//! the words of this package, and not in those of the binding.
//!
//! Deliberately absent: the form of URIs, which the protocol knows.

use pyo3::prelude::*;

use crate::failure::{Kind, failure};

/// What a program calls or offers.
pub struct Procedure<'a>(pub &'a str);

/// What a program publishes to or subscribes to.
pub struct Topic<'a>(pub &'a str);

impl<'a, 'py> FromPyObject<'a, 'py> for Procedure<'a> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        given
            .extract()
            .map(Self)
            .map_err(|_: PyErr| refused("a procedure has a name", &given))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Topic<'a> {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        given
            .extract()
            .map(Self)
            .map_err(|_: PyErr| refused("a topic must be a string", &given))
    }
}

fn refused(wanted: &str, given: &Bound<'_, PyAny>) -> PyErr {
    match given.repr() {
        Ok(shown) => failure(
            given.py(),
            Kind::Configuration,
            &format!("{wanted}, not {shown}"),
        ),
        Err(error) => error,
    }
}
