//! Python objects to wire bytes, in one walk and without a tree in between.
//!
//! Deliberately absent: the forms of types that WAMP does not have, such as datetimes and dataclasses.
//! `wampy.forms` is asked for them, once a value needs it. What has none there either is refused
//! with its type and its place.

use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};
use wampy_proto::serializer::cbor::CborWriter;
use wampy_proto::serializer::json::JsonWriter;
use wampy_proto::serializer::msgpack::MsgPackWriter;
use wampy_proto::serializer::{DEPTH_MAX, Serializer, Writer};

use crate::failure::{Kind, failure};

/// How many bytes a value is expected to take; more are no fault.
const BYTES_EXPECTED: usize = 256;

/// Where in the caller's arguments a value is; a chain on the stack that costs nothing until an
/// error has to name the place.
enum Place<'a> {
    Root(&'a str),
    Index(&'a Place<'a>, usize),
    Key(&'a Place<'a>, &'a str),
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Root(name) => f.write_str(name),
            Place::Index(parent, index) => write!(f, "{parent}[{index}]"),
            Place::Key(parent, key) => write!(f, "{parent}[{key:?}]"),
        }
    }
}

/// Encodes `value`; `name` is what errors call it.
///
/// # Errors
/// A value in it has no form in WAMP: `wampy.errors.SerializationError`.
pub fn encode(serializer: Serializer, value: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<u8>> {
    let mut out = Vec::with_capacity(BYTES_EXPECTED);
    let place = Place::Root(name);
    match serializer {
        Serializer::Json => write(&mut JsonWriter::new(&mut out), value, &place, DEPTH_MAX),
        Serializer::MsgPack => write(&mut MsgPackWriter::new(&mut out), value, &place, DEPTH_MAX),
        Serializer::Cbor => write(&mut CborWriter::new(&mut out), value, &place, DEPTH_MAX),
    }?;
    Ok(out)
}

/// Encodes the positional arguments of a message; no arguments are no bytes.
///
/// # Errors
/// As for [`encode`], or `args` is no list and no tuple.
pub fn encode_args(serializer: Serializer, args: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if !args.is_instance_of::<PyTuple>() && !args.is_instance_of::<PyList>() {
        return Err(no_form(
            args,
            &Place::Root("args"),
            "is not a list or tuple",
        ));
    }
    if args.len()? == 0 {
        Ok(Vec::new())
    } else {
        encode(serializer, args, "args")
    }
}

/// Encodes the keyword arguments of a message; no arguments are no bytes.
///
/// # Errors
/// As for [`encode`], or `kwargs` is no dictionary.
pub fn encode_kwargs(serializer: Serializer, kwargs: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if !kwargs.is_instance_of::<PyDict>() {
        return Err(no_form(
            kwargs,
            &Place::Root("kwargs"),
            "is not a dictionary",
        ));
    }
    if kwargs.len()? == 0 {
        Ok(Vec::new())
    } else {
        encode(serializer, kwargs, "kwargs")
    }
}

/// Writes a value. Nearly all have exactly one of these types, which a look at a pointer tells; a cast
/// that fails costs more.
fn write<W: Writer>(
    writer: &mut W,
    value: &Bound<'_, PyAny>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    if let Some(text) = exactly::<PyString>(value) {
        writer.text(text_of(text, place)?);
    } else if let Some(number) = exactly::<PyInt>(value) {
        write_integer(writer, number, place)?;
    } else if let Some(map) = exactly::<PyDict>(value) {
        write_map(writer, map, place, deeper(value, place, depth)?)?;
    } else if let Some(list) = exactly::<PyList>(value) {
        write_list(writer, list, place, deeper(value, place, depth)?)?;
    } else if let Some(number) = exactly::<PyFloat>(value) {
        writer.float(number.value());
    } else if let Some(flag) = exactly::<PyBool>(value) {
        writer.bool(flag.is_true());
    } else if value.is_none() {
        writer.null();
    } else if let Some(tuple) = exactly::<PyTuple>(value) {
        write_tuple(writer, tuple, place, deeper(value, place, depth)?)?;
    } else {
        write_descendant(writer, value, place, depth)?;
    }
    Ok(())
}

fn exactly<'a, 'py, T: PyTypeInfo>(value: &'a Bound<'py, PyAny>) -> Option<&'a Bound<'py, T>> {
    match value.is_exact_instance_of::<T>() {
        true => value.cast_exact().ok(),
        false => None,
    }
}

/// Writes a value whose class is derived from one of those types, as that of an `IntEnum` is.
fn write_descendant<W: Writer>(
    writer: &mut W,
    value: &Bound<'_, PyAny>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        writer.text(text_of(text, place)?);
    } else if let Ok(number) = value.cast::<PyInt>() {
        write_integer(writer, number, place)?;
    } else if let Ok(number) = value.cast::<PyFloat>() {
        writer.float(number.value());
    } else if let Ok(map) = value.cast::<PyDict>() {
        write_map(writer, map, place, deeper(value, place, depth)?)?;
    } else if let Ok(list) = value.cast::<PyList>() {
        write_list(writer, list, place, deeper(value, place, depth)?)?;
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        write_tuple(writer, tuple, place, deeper(value, place, depth)?)?;
    } else {
        write_other(writer, value, place, depth)?;
    }
    Ok(())
}

fn write_list<W: Writer>(
    writer: &mut W,
    list: &Bound<'_, PyList>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    let len = list.len();
    writer.begin_list(len);
    for index in 0..len {
        let element = list.get_item(index)?;
        write(writer, &element, &Place::Index(place, index), depth)?;
    }
    writer.end_list();
    Ok(())
}

fn write_tuple<W: Writer>(
    writer: &mut W,
    tuple: &Bound<'_, PyTuple>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    writer.begin_list(tuple.len());
    for (index, element) in tuple.iter_borrowed().enumerate() {
        write(writer, &element, &Place::Index(place, index), depth)?;
    }
    writer.end_list();
    Ok(())
}

fn write_other<W: Writer>(
    writer: &mut W,
    value: &Bound<'_, PyAny>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        writer.bytes(bytes.as_bytes());
    } else if let Ok(bytes) = value.cast::<PyByteArray>() {
        writer.bytes(&bytes.to_vec());
    } else if value.is_instance_of::<PyMemoryView>() {
        let copy = value.call_method0("tobytes")?;
        writer.bytes(copy.cast::<PyBytes>()?.as_bytes());
    } else {
        // Each such step counts as a level, so that a form that needs another one ends somewhere.
        let depth = deeper(value, place, depth)?;
        write(
            writer,
            &plain(value, place, "has no form in WAMP")?,
            place,
            depth,
        )?;
    }
    Ok(())
}

/// What `wampy.forms` makes of a value that has no form in WAMP by itself.
fn plain<'py>(
    value: &Bound<'py, PyAny>,
    place: &Place<'_>,
    problem: &str,
) -> PyResult<Bound<'py, PyAny>> {
    static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = value.py();
    let form = PLAIN.import(py, "wampy.forms", "plain")?.call1((value,))?;
    if form.is(py.NotImplemented()) {
        return Err(no_form(value, place, problem));
    }
    Ok(form)
}

fn write_integer<W: Writer>(
    writer: &mut W,
    number: &Bound<'_, PyInt>,
    place: &Place<'_>,
) -> PyResult<()> {
    if let Ok(value) = number.extract::<i64>() {
        writer.signed(value);
    } else if let Ok(value) = number.extract::<u64>() {
        writer.unsigned(value);
    } else {
        // Shown in hexadecimal: Python refuses to write huge integers as decimals.
        let hex = number.call_method1("__format__", ("#x",))?;
        let message = format!("{place}: the integer {hex} does not fit into 64 bits");
        return Err(failure(number.py(), Kind::Overflow, &message));
    }
    Ok(())
}

fn write_map<W: Writer>(
    writer: &mut W,
    map: &Bound<'_, PyDict>,
    place: &Place<'_>,
    depth: usize,
) -> PyResult<()> {
    writer.begin_map(map.len());
    for (key, value) in map.iter() {
        let form;
        let key = if let Ok(text) = key.cast::<PyString>() {
            text_of(text, place)?
        } else {
            form = key_of(key, place)?;
            text_of(&form, place)?
        };
        writer.key(key);
        write(writer, &value, &Place::Key(place, key), depth)?;
    }
    writer.end_map();
    Ok(())
}

/// The text of a key that is none itself. Whole numbers become their decimals, as in every JSON that
/// Python writes; others have the form that `wampy.forms` says, if it is text or such a number.
fn key_of<'py>(key: Bound<'py, PyAny>, place: &Place<'_>) -> PyResult<Bound<'py, PyString>> {
    const PROBLEM: &str = "cannot be a key: keys are strings";
    if key.is_exact_instance_of::<PyInt>() {
        return key.str();
    }
    let form = plain(&key, place, PROBLEM)?;
    if form.is_exact_instance_of::<PyInt>() {
        return form.str();
    }
    form.cast_into::<PyString>()
        .map_err(|_| no_form(&key, place, PROBLEM))
}

fn text_of<'a>(text: &'a Bound<'_, PyString>, place: &Place<'_>) -> PyResult<&'a str> {
    text.to_str().map_err(|error| {
        let message = format!("{place}: the text is not Unicode: {error}");
        failure(text.py(), Kind::Serialization, &message)
    })
}

fn deeper(value: &Bound<'_, PyAny>, place: &Place<'_>, depth: usize) -> PyResult<usize> {
    depth.checked_sub(1).ok_or_else(|| {
        let mut shown = place.to_string();
        // The first steps say enough of a path of 128.
        if let Some((end, _)) = shown.char_indices().nth(80) {
            shown.truncate(end);
            shown.push_str("...");
        }
        let message =
            format!("{shown}: nested deeper than {DEPTH_MAX} levels; does it contain itself?");
        failure(value.py(), Kind::Serialization, &message)
    })
}

fn no_form(value: &Bound<'_, PyAny>, place: &Place<'_>, problem: &str) -> PyErr {
    let name = value
        .get_type()
        .fully_qualified_name()
        .map_or_else(|_| "object".to_owned(), |name| name.to_string());
    failure(
        value.py(),
        Kind::Serialization,
        &format!("{place}: a value of type {name} {problem}"),
    )
}
