//! Options and details: Python dictionaries on one side, the protocol's typed structs on the other.
//!
//! Deliberately absent: a list of keys. The structs of `wampy-proto` know them; this passes through
//! MessagePack, which both sides read and write anyhow.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy_proto::serializer::msgpack::{MsgPackReader, MsgPackWriter};
use wampy_proto::serializer::{DecodeError, Reader as _};
use wampy_proto::{Payload, Serializer};

use crate::decode::{decode, decode_args, decode_kwargs};
use crate::encode::{encode, encode_args, encode_kwargs};
use crate::error::{Kind, failure};

/// The largest message that routers take unless configured otherwise, ours among them. Over
/// WebSocket nobody learns a router's limit but by losing the session, so larger ones stay here.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// The most that args and kwargs may take of it; the rest is for ids, options and URI.
const PAYLOAD_BYTES_MAX: usize = MESSAGE_BYTES_MAX - (64 << 10);

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

/// The payload of a message, from Python's arguments.
///
/// # Errors
/// A value has no form in WAMP, or all together are too large: `wampy.errors.SerializationError`.
pub fn payload(
    serializer: Serializer,
    args: &Bound<'_, PyAny>,
    kwargs: &Bound<'_, PyAny>,
) -> PyResult<Payload<'static>> {
    let py = args.py();
    let args = encode_args(serializer, args)?;
    let kwargs = encode_kwargs(serializer, kwargs)?;
    let bytes = args.len() + kwargs.len();
    if bytes > PAYLOAD_BYTES_MAX {
        let message = format!(
            "args and kwargs take {bytes} bytes, and a message may have {MESSAGE_BYTES_MAX} (16 MiB)"
        );
        return Err(failure(py, Kind::Serialization, &message));
    }
    Ok(Payload::from_encoded(serializer, args, kwargs))
}

/// Python's arguments, from the payload of a message.
///
/// # Errors
/// The payload is malformed: `wampy.errors.SerializationError`.
pub fn arguments<'py>(
    py: Python<'py>,
    payload: &Payload<'_>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let serializer = payload.serializer();
    let args = decode_args(py, serializer, payload.encoded_args())?;
    Ok((
        args,
        decode_kwargs(py, serializer, payload.encoded_kwargs())?,
    ))
}
