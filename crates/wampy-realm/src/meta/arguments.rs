//! The arguments of a meta procedure, checked one by one.

use wampy_proto::{Payload, Value, error_uri};

use crate::refusal::Refusal;

/// The arguments of a call.
#[derive(Debug)]
pub(super) struct Arguments {
    positional: Vec<Value>,
    keyword: Value,
}

impl Arguments {
    pub(super) fn read(payload: &Payload<'_>) -> Result<Self, Refusal> {
        let invalid = |error: wampy_proto::PayloadError| {
            invalid(format!("cannot read the arguments: {error}"))
        };
        Ok(Self {
            positional: payload.args().map_err(invalid)?,
            keyword: payload.kwargs().map_err(invalid)?,
        })
    }

    /// The positional argument at `position`; null counts as absent.
    fn optional(&self, position: usize) -> Option<&Value> {
        self.positional
            .get(position)
            .filter(|value| **value != Value::Null)
    }

    /// A positional argument that must be an id, as a number: it may name nothing at all.
    pub(super) fn id(&self, position: usize, name: &str) -> Result<u64, Refusal> {
        self.optional(position)
            .and_then(Value::as_u64)
            .ok_or_else(|| invalid(format!("argument {position}, {name}, must be an id")))
    }

    /// A positional argument that must be text.
    pub(super) fn text(&self, position: usize, name: &str) -> Result<&str, Refusal> {
        self.optional(position)
            .and_then(Value::as_str)
            .ok_or_else(|| invalid(format!("argument {position}, {name}, must be a string")))
    }

    /// A positional argument that may be absent and must else be a list of text.
    pub(super) fn optional_texts(
        &self,
        position: usize,
        name: &str,
    ) -> Result<Option<Vec<&str>>, Refusal> {
        let Some(value) = self.optional(position) else {
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
        match self.optional(position) {
            None => Ok(None),
            Some(map @ Value::Map(_)) => Ok(Some(map)),
            Some(_) => Err(invalid(format!(
                "argument {position}, {name}, must be a dict"
            ))),
        }
    }

    /// A keyword argument that may be absent and must else be text.
    pub(super) fn optional_keyword_text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.keyword(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("{name} must be a string"))),
        }
    }

    /// A keyword argument; null counts as absent.
    pub(super) fn keyword(&self, name: &str) -> Option<&Value> {
        self.keyword
            .get(name)
            .filter(|value| **value != Value::Null)
    }
}

/// The arguments do not suit the procedure.
pub(super) fn invalid(problem: String) -> Refusal {
    Refusal::explained(error_uri::INVALID_ARGUMENT, problem)
}
