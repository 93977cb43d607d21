//! Options and details: Python dictionaries on one side, the protocol's typed structs on the other.
//!
//! Deliberately absent: a list of keys. The structs of `wampy-proto` know them; this passes through
//! MessagePack, which both sides read and write anyhow.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy_proto::Serializer;
use wampy_proto::serializer::msgpack::{MsgPackReader, MsgPackWriter};
use wampy_proto::serializer::{DecodeError, Reader as _};

use crate::decode::decode;
use crate::encode::encode;
use crate::failure::{Kind, failure};

/// Reads `options`, a dictionary, by `read`, the `read` of an options struct.
///
/// # Errors
/// A key has a value of a wrong type, or one that has no form in WAMP.
pub fn read_options<T: Default>(
    options: &Bound<'_, PyDict>,
    read: impl Fn(&mut MsgPackReader<'_>) -> Result<T, DecodeError>,
) -> PyResult<T> {
    if options.is_empty() {
        return Ok(T::default());
    }
    let encoded = encode(Serializer::MsgPack, options.as_any(), "options")?;
    read(&mut MsgPackReader::new(&encoded)).map_err(|error| {
        let message = format!("options: {}", error.problem);
        failure(options.py(), Kind::Configuration, &message)
    })
}

/// The dictionary that `write`, the `write` of a details struct, writes.
///
/// # Errors
/// There is no memory.
pub fn details<'py>(
    py: Python<'py>,
    write: impl Fn(&mut MsgPackWriter<'_>),
) -> PyResult<Bound<'py, PyAny>> {
    let mut encoded = Vec::new();
    write(&mut MsgPackWriter::new(&mut encoded));
    decode(py, Serializer::MsgPack, &encoded)
}
