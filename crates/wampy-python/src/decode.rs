//! Wire bytes to Python objects, in one walk and without a tree in between.
//!
//! Deliberately absent: limits on sizes; a message is within those of its transport.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use wampy_proto::serializer::cbor::CborReader;
use wampy_proto::serializer::json::JsonReader;
use wampy_proto::serializer::msgpack::MsgPackReader;
use wampy_proto::serializer::{DEPTH_MAX, DecodeError, Reader, Serializer, Token};

use crate::failure::{Kind, failure};
use crate::known_keys::KnownKeys;

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

/// Decodes the one argument of a message by position; `None` if there is none, or are several.
///
/// # Errors
/// As for [`decode`], but that of a second argument is not looked at.
pub fn decode_only_arg<'py>(
    py: Python<'py>,
    serializer: Serializer,
    bytes: &[u8],
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    match serializer {
        Serializer::Json => only(py, JsonReader::new(bytes)),
        Serializer::MsgPack => only(py, MsgPackReader::new(bytes)),
        Serializer::Cbor => only(py, CborReader::new(bytes)),
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

fn whole<'py, 'a, R: Reader<'a>>(py: Python<'py>, reader: R) -> PyResult<Bound<'py, PyAny>> {
    let mut decoder = Decoder::new(py, reader);
    let value = decoder.value(DEPTH_MAX)?;
    match decoder.reader.finish() {
        Ok(()) => Ok(value),
        Err(error) => Err(malformed(py, &error)),
    }
}

fn only<'py, 'a, R: Reader<'a>>(py: Python<'py>, reader: R) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut decoder = Decoder::new(py, reader);
    let Token::List(mut seq) = decoder.checked(R::token)? else {
        return Ok(None);
    };
    if !decoder.checked(|reader| reader.more(&mut seq))? {
        return Ok(None);
    }
    let value = decoder.value(DEPTH_MAX - 1)?;
    if decoder.checked(|reader| reader.more(&mut seq))? {
        return Ok(None);
    }
    decoder.checked(R::finish)?;
    Ok(Some(value))
}

struct Decoder<'py, R> {
    py: Python<'py>,
    reader: R,
    /// From the first map on.
    keys: Option<KnownKeys>,
    /// Those of the lists that are not complete: a list that is made of all of them at once never
    /// grows, and its length on the wire need not be believed.
    elements: Vec<Bound<'py, PyAny>>,
}

impl<'py, 'a, R: Reader<'a>> Decoder<'py, R> {
    fn new(py: Python<'py>, reader: R) -> Self {
        Self {
            py,
            reader,
            keys: None,
            elements: Vec::new(),
        }
    }

    fn value(&mut self, depth: usize) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        match self.checked(R::token)? {
            Token::Null => Ok(py.None().into_bound(py)),
            Token::Bool(value) => value.into_bound_py_any(py),
            Token::Unsigned(value) => value.into_bound_py_any(py),
            Token::Signed(value) => value.into_bound_py_any(py),
            Token::Float(value) => value.into_bound_py_any(py),
            Token::Text(text) => Ok(PyString::new(py, &text).into_any()),
            Token::Bytes(bytes) => Ok(PyBytes::new(py, &bytes).into_any()),
            Token::List(mut seq) => {
                let depth = self.deeper(depth)?;
                let first = self.elements.len();
                while self.checked(|reader| reader.more(&mut seq))? {
                    let element = self.value(depth)?;
                    self.elements.push(element);
                }
                let elements = self.elements.drain(first..);
                Ok(PyList::new(py, elements)?.into_any())
            }
            Token::Map(mut seq) => {
                let depth = self.deeper(depth)?;
                let map = PyDict::new(py);
                while self.checked(|reader| reader.more(&mut seq))? {
                    let key = self.checked(R::key)?;
                    let key = self.keys.get_or_insert_with(KnownKeys::get).key(py, &key);
                    map.set_item(key, self.value(depth)?)?;
                }
                Ok(map.into_any())
            }
        }
    }

    #[inline]
    fn checked<T>(&mut self, read: impl FnOnce(&mut R) -> Result<T, DecodeError>) -> PyResult<T> {
        match read(&mut self.reader) {
            Ok(value) => Ok(value),
            Err(error) => Err(malformed(self.py, &error)),
        }
    }

    #[inline]
    fn deeper(&self, depth: usize) -> PyResult<usize> {
        match depth.checked_sub(1) {
            Some(depth) => Ok(depth),
            None => {
                let error = self.reader.error("the value is nested too deeply");
                Err(malformed(self.py, &error))
            }
        }
    }
}

#[cold]
fn malformed(py: Python<'_>, error: &DecodeError) -> PyErr {
    failure(
        py,
        Kind::Serialization,
        &format!("malformed value: {error}"),
    )
}
