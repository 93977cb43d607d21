//! What the router is told of a procedure or a topic, in the words of the Rust client.
//!
//! Deliberately absent: reading annotations; `wampy.reflection` does.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use wampy::Description;
use wampy_proto::{Serializer, Value};

use crate::failure::{Kind, failure};
use crate::payload::payload;

/// A definition, as `wampy.reflection` makes it.
///
/// # Errors
/// Something in it has no form in WAMP.
pub fn description(definition: &Bound<'_, PyDict>) -> PyResult<Description> {
    let py = definition.py();
    let none = PyList::empty(py);
    let encoded = payload(Serializer::MsgPack, none.as_any(), definition.as_any())?;
    let mut fields: BTreeMap<String, Value> = encoded
        .kwargs()
        .map_err(|error| failure(py, Kind::Serialization, &error.to_string()))?;
    let mut description = match fields.remove("doc") {
        Some(Value::Text(doc)) => Description::new(doc),
        _ => Description::default(),
    };
    if let Some(schema) = fields.remove("args") {
        description = description.args(schema);
    }
    if let Some(schema) = fields.remove("kwargs") {
        description = description.kwargs(schema);
    }
    if let Some(schema) = fields.remove("result") {
        description = description.result(schema);
    }
    if let Some(schema) = fields.remove("progress") {
        description = description.progress(schema);
    }
    Ok(description)
}
