//! Payloads: Python's args and kwargs on one side, what a message carries on the other.
//!
//! Deliberately absent: the walk over values (`encode.rs`, `decode.rs`).

use pyo3::prelude::*;
use wampy_proto::{Payload, Serializer};

use crate::decode::{decode_args, decode_kwargs};
use crate::encode::{encode_args, encode_kwargs};
use crate::failure::{Kind, failure};

/// The largest message that routers take unless configured otherwise, ours among them. Over
/// WebSocket nobody learns a router's limit but by losing the session, so larger ones stay here.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// The most that args and kwargs may take of it; the rest is for ids, options and URI.
const PAYLOAD_BYTES_MAX: usize = MESSAGE_BYTES_MAX - (64 << 10);

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
