//! Wire bytes to Python objects, in one walk and without a tree in between.
//!
//! Deliberately absent: a cache of keys, which would have to be bounded against hostile peers.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use wampy_proto::serializer::cbor::CborReader;
use wampy_proto::serializer::json::JsonReader;
use wampy_proto::serializer::msgpack::MsgPackReader;
use wampy_proto::serializer::{DEPTH_MAX, DecodeError, Reader, Serializer, Token};

use crate::error::{Kind, failure};

/// Decodes the one value that fills `bytes`.
///
/// # Errors
/// The bytes are not one valid value: `wampy.errors.SerializationError`.
pub fn decode<'py>(
    py: Python<'py>,
    serializer: Serializer,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    match serializer {
        Serializer::Json => whole(py, JsonReader::new(bytes)),
        Serializer::MsgPack => whole(py, MsgPackReader::new(bytes)),
        Serializer::Cbor => whole(py, CborReader::new(bytes)),
    }
}

/// Decodes the positional arguments of a message; no bytes are no arguments.
///
/// # Errors
/// As for [`decode`].
pub fn decode_args<'py>(
    py: Python<'py>,
    serializer: Serializer,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    if bytes.is_empty() {
        return Ok(PyList::empty(py).into_any());
    }
    decode(py, serializer, bytes)
}

/// Decodes the keyword arguments of a message; no bytes are no arguments.
///
/// # Errors
/// As for [`decode`].
pub fn decode_kwargs<'py>(
    py: Python<'py>,
    serializer: Serializer,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    if bytes.is_empty() {
        return Ok(PyDict::new(py).into_any());
    }
    decode(py, serializer, bytes)
}

fn whole<'py, 'a, R: Reader<'a>>(py: Python<'py>, mut reader: R) -> PyResult<Bound<'py, PyAny>> {
    let value = read(py, &mut reader, DEPTH_MAX)?;
    reader.finish().map_err(|error| malformed(py, &error))?;
    Ok(value)
}

fn read<'py, 'a, R: Reader<'a>>(
    py: Python<'py>,
    reader: &mut R,
    depth: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let token = reader.token().map_err(|error| malformed(py, &error))?;
    match token {
        Token::Null => Ok(py.None().into_bound(py)),
        Token::Bool(value) => value.into_bound_py_any(py),
        Token::Unsigned(value) => value.into_bound_py_any(py),
        Token::Signed(value) => value.into_bound_py_any(py),
        Token::Float(value) => value.into_bound_py_any(py),
        Token::Text(text) => Ok(PyString::new(py, &text).into_any()),
        Token::Bytes(bytes) => Ok(PyBytes::new(py, &bytes).into_any()),
        Token::List(mut seq) => {
            let depth = deeper(py, reader, depth)?;
            let list = PyList::empty(py);
            while reader
                .more(&mut seq)
                .map_err(|error| malformed(py, &error))?
            {
                list.append(read(py, reader, depth)?)?;
            }
            Ok(list.into_any())
        }
        Token::Map(mut seq) => {
            let depth = deeper(py, reader, depth)?;
            let map = PyDict::new(py);
            while reader
                .more(&mut seq)
                .map_err(|error| malformed(py, &error))?
            {
                let key = reader.key().map_err(|error| malformed(py, &error))?;
                let key = PyString::new(py, &key);
                map.set_item(key, read(py, reader, depth)?)?;
            }
            Ok(map.into_any())
        }
    }
}

fn deeper<'a, R: Reader<'a>>(py: Python<'_>, reader: &R, depth: usize) -> PyResult<usize> {
    depth
        .checked_sub(1)
        .ok_or_else(|| malformed(py, &reader.error("the value is nested too deeply")))
}

fn malformed(py: Python<'_>, error: &DecodeError) -> PyErr {
    failure(
        py,
        Kind::Serialization,
        &format!("malformed value: {error}"),
    )
}
