//! The payload of a message: `args` and `kwargs`, kept as the bytes in which they came.
//!
//! A router forwards these bytes; only whoever needs the values decodes them.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::serializer::json::JsonWriter;
use crate::serializer::{self, DecodeError, EncodeError, Serializer, Writer};
use crate::value::Value;

/// `args` and `kwargs` of a message, each one encoded value or absent.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use wampy_proto::{Payload, Serializer};
///
/// let kwargs = BTreeMap::from([("unit", "cm")]);
/// let payload = Payload::encode(Serializer::MsgPack, &(1.5, "tall"), &kwargs)?;
///
/// let (height, word): (f64, String) = payload.args()?;
/// assert_eq!((height, word.as_str()), (1.5, "tall"));
/// assert_eq!(payload.kwargs::<BTreeMap<String, String>>()?["unit"], "cm");
///
/// let mistake = payload.args::<(bool, String)>().unwrap_err();
/// assert!(mistake.to_string().starts_with("args: invalid type: floating point `1.5`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Payload<'a> {
    serializer: Serializer,
    args: Cow<'a, [u8]>,
    kwargs: Cow<'a, [u8]>,
}

/// A large part of a payload that was left out when its message was encoded: the bytes of the message
/// are those before `at`, these, and those from `at` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap<'p> {
    /// Where the bytes belong.
    pub at: usize,
    /// What was left out.
    pub bytes: &'p [u8],
}

/// What may be left out of a payload.
#[derive(Debug)]
pub(crate) struct GapFinder<'p> {
    pub(crate) bytes_min: usize,
    pub(crate) found: Option<Gap<'p>>,
}

/// A payload does not hold what its reader expects.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {source}")]
pub struct PayloadError {
    /// Which part: `args` or `kwargs`.
    pub part: &'static str,
    /// What was wrong.
    pub source: DecodeError,
}

impl<'a> Payload<'a> {
    /// A payload without args and kwargs.
    pub const EMPTY: Payload<'static> = Payload {
        serializer: Serializer::Json,
        args: Cow::Borrowed(&[]),
        kwargs: Cow::Borrowed(&[]),
    };

    /// A payload of values that are encoded already; an empty slice means absent.
    ///
    /// `args` must be one list and `kwargs` one map, both valid in `serializer`.
    pub fn from_encoded(
        serializer: Serializer,
        args: impl Into<Cow<'a, [u8]>>,
        kwargs: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        Self {
            serializer,
            args: args.into(),
            kwargs: kwargs.into(),
        }
    }

    /// A payload of `args`, something that serializes as a list (a tuple, a `Vec`), and `kwargs`,
    /// something that serializes as a map; `()` or `None` stands for absent.
    ///
    /// # Errors
    /// A value has no form in WAMP, such as an integer beyond 64 bits, or `args` is no list or
    /// `kwargs` no map.
    pub fn encode(
        serializer: Serializer,
        args: &(impl Serialize + ?Sized),
        kwargs: &(impl Serialize + ?Sized),
    ) -> Result<Payload<'static>, EncodeError> {
        Ok(Payload {
            serializer,
            args: Cow::Owned(encode_part(serializer, args, "list")?),
            kwargs: Cow::Owned(encode_part(serializer, kwargs, "map")?),
        })
    }

    /// The serializer of the encoded values.
    pub const fn serializer(&self) -> Serializer {
        self.serializer
    }

    /// The encoded `args`, or an empty slice.
    pub fn encoded_args(&self) -> &[u8] {
        &self.args
    }

    /// The encoded `kwargs`, or an empty slice.
    pub fn encoded_kwargs(&self) -> &[u8] {
        &self.kwargs
    }

    /// Whether there are neither args nor kwargs.
    pub fn is_empty(&self) -> bool {
        self.args.is_empty() && self.kwargs.is_empty()
    }

    /// The length of the encoded values, in bytes.
    pub fn encoded_len(&self) -> usize {
        self.args.len() + self.kwargs.len()
    }

    /// Decodes `args` (a list; an absent one counts as empty).
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.decode_part("args", &self.args, Value::List(Vec::new()))
    }

    /// Decodes `kwargs` (a map; an absent one counts as empty).
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.decode_part("kwargs", &self.kwargs, Value::Map(Vec::new()))
    }

    fn decode_part<T: DeserializeOwned>(
        &self,
        part: &'static str,
        encoded: &[u8],
        absent: Value,
    ) -> Result<T, PayloadError> {
        let decoded = if encoded.is_empty() {
            let mut empty = Vec::new();
            serializer::with_writer!(self.serializer, &mut empty, |writer| absent
                .write_to(&mut writer));
            serializer::deserialize(self.serializer, &empty)
        } else {
            serializer::deserialize(self.serializer, encoded)
        };
        decoded.map_err(|source| PayloadError { part, source })
    }

    /// Whether args and kwargs are well formed, with at most `depth` levels of lists and maps each.
    pub fn is_nested_within(&self, depth: usize) -> bool {
        [&self.args, &self.kwargs]
            .into_iter()
            .filter(|part| !part.is_empty())
            .all(|part| serializer::is_nested_within(self.serializer, part, depth))
    }

    /// The same payload, free of the buffer in which it came.
    pub fn into_owned(self) -> Payload<'static> {
        Payload {
            serializer: self.serializer,
            args: Cow::Owned(self.args.into_owned()),
            kwargs: Cow::Owned(self.kwargs.into_owned()),
        }
    }

    /// The same payload, borrowed.
    pub fn borrowed(&self) -> Payload<'_> {
        Payload {
            serializer: self.serializer,
            args: Cow::Borrowed(&self.args),
            kwargs: Cow::Borrowed(&self.kwargs),
        }
    }

    /// How many elements of a message's list the payload takes: 0, 1 or 2.
    pub(crate) fn fields(&self) -> usize {
        match (self.args.is_empty(), self.kwargs.is_empty()) {
            (true, true) => 0,
            (false, true) => 1,
            (_, false) => 2,
        }
    }

    /// Writes the payload as the last elements of a message's list.
    ///
    /// # Errors
    /// The payload comes from another serializer and has no form in the writer's.
    #[inline(always)]
    pub(crate) fn write_to<'p, W: Writer>(
        &'p self,
        writer: &mut W,
        gap: &mut GapFinder<'p>,
    ) -> Result<(), EncodeError> {
        if self.serializer != W::SERIALIZER {
            return self.transcode_to(writer);
        }
        if !self.args.is_empty() {
            write_part(&self.args, writer, gap);
        } else if !self.kwargs.is_empty() {
            writer.begin_list(0);
            writer.end_list();
        }
        if !self.kwargs.is_empty() {
            write_part(&self.kwargs, writer, gap);
        }
        Ok(())
    }

    /// Writes a payload that comes from another serializer.
    #[inline(never)]
    fn transcode_to<W: Writer>(&self, writer: &mut W) -> Result<(), EncodeError> {
        if self.args.is_empty() && !self.kwargs.is_empty() {
            writer.begin_list(0);
            writer.end_list();
        }
        for part in [&self.args, &self.kwargs] {
            if !part.is_empty() {
                serializer::transcode(self.serializer, part, writer)
                    .map_err(|error| EncodeError(error.to_string().into()))?;
            }
        }
        Ok(())
    }
}

/// Writes one part of a payload as it is, or leaves it out.
#[inline(always)]
fn write_part<'p, W: Writer>(encoded: &'p [u8], writer: &mut W, gap: &mut GapFinder<'p>) {
    if encoded.len() >= gap.bytes_min && gap.found.is_none() {
        writer.raw(&[]);
        let at = writer.written();
        gap.found = Some(Gap { at, bytes: encoded });
    } else {
        writer.raw(encoded);
    }
}

/// Shows the values as JSON, whatever their serializer.
impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Payload");
        for (name, encoded) in [("args", &self.args), ("kwargs", &self.kwargs)] {
            if encoded.is_empty() {
                continue;
            }
            let mut json = Vec::new();
            let writer = &mut JsonWriter::new(&mut json);
            match serializer::transcode(self.serializer, encoded, writer) {
                Ok(()) => shown.field(name, &format_args!("{}", String::from_utf8_lossy(&json))),
                Err(_) => shown.field(name, encoded),
            };
        }
        shown.finish()
    }
}

/// Encodes one part of a payload and checks that it is what the protocol wants there.
fn encode_part(
    serializer: Serializer,
    value: &(impl Serialize + ?Sized),
    wanted: &'static str,
) -> Result<Vec<u8>, EncodeError> {
    let encoded = serializer::serialize(serializer, value)?;
    let token = serializer::with_reader!(serializer, &encoded, |reader| {
        serializer::Reader::token(&mut reader)
    });
    match (token, wanted) {
        (Ok(serializer::Token::Null), _) => Ok(Vec::new()),
        (Ok(serializer::Token::List(_)), "list") | (Ok(serializer::Token::Map(_)), "map") => {
            Ok(encoded)
        }
        (Ok(other), _) => Err(EncodeError(
            format!("expected a {wanted}, found {}", other.kind()).into(),
        )),
        (Err(error), _) => Err(EncodeError(error.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_show_their_values() {
        let args = ("text", vec![1, 2]);
        let kwargs = std::collections::BTreeMap::from([("key", true)]);
        for serializer in Serializer::ALL {
            let payload = Payload::encode(serializer, &args, &kwargs).unwrap();
            let expected = r#"Payload { args: ["text",[1,2]], kwargs: {"key":true} }"#;
            assert_eq!(format!("{payload:?}"), expected);
        }
        assert_eq!(format!("{:?}", Payload::EMPTY), "Payload");
    }

    #[test]
    fn levels_of_lists_and_maps_are_counted() {
        let args = (vec![vec![1]], "text", ());
        let kwargs = std::collections::BTreeMap::from([("key", [[0]])]);
        for serializer in Serializer::ALL {
            let payload = Payload::encode(serializer, &args, &()).unwrap();
            assert!(payload.is_nested_within(3) && !payload.is_nested_within(2));
            let payload = Payload::encode(serializer, &(), &kwargs).unwrap();
            assert!(payload.is_nested_within(3) && !payload.is_nested_within(2));
            let cut = &payload.encoded_kwargs()[..payload.encoded_kwargs().len() - 1];
            let cut = Payload::from_encoded(serializer, &[] as &[u8], cut);
            assert!(!cut.is_nested_within(3), "it must be well formed");
        }
        assert!(Payload::EMPTY.is_nested_within(0));
    }
}
