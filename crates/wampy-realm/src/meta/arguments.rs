//! The arguments of a meta procedure, checked one by one.
//!
//! They are decoded when a procedure first asks for one, and only up to [`DECODED_BYTES_MAX`]; what a
//! procedure only keeps it gets as the bytes in which it came.

use std::cell::OnceCell;

use wampy_proto::{Payload, PayloadError, Serializer, Value, error_uri};

use crate::realm::Now;
use crate::refusal::Refusal;

/// The longest arguments that are decoded, in bytes: values take many times the memory of their
/// bytes. Longer ones are refused with `wamp.error.invalid_argument`.
const DECODED_BYTES_MAX: usize = 65_536;

/// The arguments of a call, and when it came.
#[derive(Debug)]
pub(super) struct Arguments<'p> {
    now: Now,
    payload: &'p Payload<'p>,
    positional: OnceCell<Vec<Value>>,
    keyword: OnceCell<Value>,
}

impl<'p> Arguments<'p> {
    pub(super) const fn new(now: Now, payload: &'p Payload<'p>) -> Self {
        Self {
            now,
            payload,
            positional: OnceCell::new(),
            keyword: OnceCell::new(),
        }
    }

    /// When the call came.
    pub(super) const fn now(&self) -> Now {
        self.now
    }

    /// The serializer of the arguments, in which results had best be.
    pub(super) const fn serializer(&self) -> Serializer {
        self.payload.serializer()
    }

    /// The arguments as they came.
    pub(super) const fn payload(&self) -> &'p Payload<'p> {
        self.payload
    }

    /// The positional argument at `position` as it came, if there is one.
    pub(super) fn encoded(&self, position: usize) -> Result<Option<&'p [u8]>, Refusal> {
        self.payload.encoded_arg(position).map_err(unreadable)
    }

    /// A keyword argument as it came, if there is one.
    pub(super) fn encoded_keyword(&self, name: &str) -> Result<Option<&'p [u8]>, Refusal> {
        self.payload.encoded_kwarg(name).map_err(unreadable)
    }

    /// The positional argument at `position`; null counts as absent.
    fn optional(&self, position: usize) -> Result<Option<&Value>, Refusal> {
        let positional = decoded(&self.positional, self.payload.encoded_args(), || {
            self.payload.args()
        })?;
        Ok(positional
            .get(position)
            .filter(|value| **value != Value::Null))
    }

    /// A positional argument that must be an id, as a number: it may name nothing at all.
    pub(super) fn id(&self, position: usize, name: &str) -> Result<u64, Refusal> {
        self.optional(position)?
            .and_then(Value::as_u64)
            .ok_or_else(|| invalid(format!("argument {position}, {name}, must be an id")))
    }

    /// A positional argument that must be text.
    pub(super) fn text(&self, position: usize, name: &str) -> Result<&str, Refusal> {
        self.optional(position)?
            .and_then(Value::as_str)
            .ok_or_else(|| invalid(format!("argument {position}, {name}, must be a string")))
    }

    /// A positional argument that may be absent and must else be text.
    pub(super) fn optional_text(
        &self,
        position: usize,
        name: &str,
    ) -> Result<Option<&str>, Refusal> {
        match self.optional(position)? {
            None => Ok(None),
            Some(_) => self.text(position, name).map(Some),
        }
    }

    /// A positional argument that may be absent and must else be a list of text.
    pub(super) fn optional_texts(
        &self,
        position: usize,
        name: &str,
    ) -> Result<Option<Vec<&str>>, Refusal> {
        let Some(value) = self.optional(position)? else {
            return Ok(None);
        };
        let texts = match value {
            Value::List(list) => list.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let problem = || {
            invalid(format!(
                "argument {position}, {name}, must be a list of strings"
            ))
        };
        texts.map(Some).ok_or_else(problem)
    }

    /// A positional argument that may be absent and must else be a map.
    pub(super) fn optional_map(
        &self,
        position: usize,
        name: &str,
    ) -> Result<Option<&Value>, Refusal> {
        match self.optional(position)? {
            None => Ok(None),
            Some(map @ Value::Map(_)) => Ok(Some(map)),
            Some(_) => Err(invalid(format!(
                "argument {position}, {name}, must be a dict"
            ))),
        }
    }

    /// A keyword argument that may be absent and must else be text.
    pub(super) fn optional_keyword_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.keyword(name)? {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} must be a string"))),
        }
    }

    /// A keyword argument; null counts as absent.
    pub(super) fn keyword(&self, name: &str) -> Result<Option<&Value>, Refusal> {
        let keyword = decoded(&self.keyword, self.payload.encoded_kwargs(), || {
            self.payload.kwargs()
        })?;
        Ok(keyword.get(name).filter(|value| **value != Value::Null))
    }
}

/// Decodes one part of the payload, once.
fn decoded<'c, T>(
    cell: &'c OnceCell<T>,
    encoded: &[u8],
    decode: impl FnOnce() -> Result<T, PayloadError>,
) -> Result<&'c T, Refusal> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    if encoded.len() > DECODED_BYTES_MAX {
        return Err(invalid(format!(
            "the arguments have more than {DECODED_BYTES_MAX} bytes"
        )));
    }
    let value = decode().map_err(unreadable)?;
    Ok(cell.get_or_init(|| value))
}

fn unreadable(error: PayloadError) -> Refusal {
    invalid(format!("cannot read the arguments: {error}"))
}

/// The arguments do not suit the procedure.
pub(super) fn invalid(problem: String) -> Refusal {
    Refusal::explained(error_uri::INVALID_ARGUMENT, problem)
}
