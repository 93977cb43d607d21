//! Parts of a payload, and a payload of parts, without decoding them.
//!
//! For whoever keeps what came in an argument: a router keeps the payload of a testament as the bytes
//! in which it came.

use std::borrow::Cow;

use crate::payload::{Payload, PayloadError};
use crate::serializer::{self, DecodeError, Reader, Serializer, Token};

impl<'a> Payload<'a> {
    /// A payload of values that are encoded already but came from elsewhere than a message: `args`
    /// must be one list and `kwargs` one map. Null and empty ones count as absent.
    ///
    /// # Errors
    /// The bytes are malformed, or of another type.
    pub fn of_parts(
        serializer: Serializer,
        args: Option<&'a [u8]>,
        kwargs: Option<&'a [u8]>,
    ) -> Result<Self, PayloadError> {
        let part = |part, encoded: Option<&'a [u8]>, wanted| {
            serializer::with_reader!(serializer, encoded.unwrap_or_default(), |reader| {
                whole_part(&mut reader, encoded, wanted)
            })
            .map_err(|source| PayloadError { part, source })
        };
        let args = part("args", args, "a list")?;
        let kwargs = part("kwargs", kwargs, "a map")?;
        Ok(Self::from_encoded(serializer, args, kwargs))
    }

    /// The positional argument at `position` as the bytes in which it came, if there is one.
    ///
    /// # Errors
    /// The bytes are malformed.
    pub fn encoded_arg(&self, position: usize) -> Result<Option<&[u8]>, PayloadError> {
        let encoded = self.encoded_args();
        if encoded.is_empty() {
            return Ok(None);
        }
        serializer::with_reader!(self.serializer(), encoded, |reader| element(
            &mut reader,
            position
        ))
        .map_err(|source| PayloadError {
            part: "args",
            source,
        })
    }

    /// The keyword argument `key` as the bytes in which it came, if there is one.
    ///
    /// # Errors
    /// The bytes are malformed.
    pub fn encoded_kwarg(&self, key: &str) -> Result<Option<&[u8]>, PayloadError> {
        let encoded = self.encoded_kwargs();
        if encoded.is_empty() {
            return Ok(None);
        }
        serializer::with_reader!(self.serializer(), encoded, |reader| value_of(
            &mut reader,
            key
        ))
        .map_err(|source| PayloadError {
            part: "kwargs",
            source,
        })
    }
}

/// `encoded` if it is one value of the wanted type and has elements, else nothing.
fn whole_part<'a, R: Reader<'a>>(
    reader: &mut R,
    encoded: Option<&'a [u8]>,
    wanted: &'static str,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    let Some(encoded) = encoded else {
        return Ok(Cow::Borrowed(&[]));
    };
    let token = reader.token()?;
    let has_elements = match token {
        Token::Null => false,
        Token::List(mut seq) | Token::Map(mut seq) if seq.is_map == (wanted == "a map") => {
            reader.more(&mut seq)?
        }
        other => return Err(reader.expected(wanted, &other)),
    };
    if !has_elements {
        return Ok(Cow::Borrowed(&[]));
    }
    let mut whole = R::new(encoded);
    whole.skip()?;
    whole.finish()?;
    Ok(Cow::Borrowed(encoded))
}

fn element<'a, R: Reader<'a>>(
    reader: &mut R,
    position: usize,
) -> Result<Option<&'a [u8]>, DecodeError> {
    let mut list = reader.list()?;
    for _ in 0..position {
        if !reader.more(&mut list)? {
            return Ok(None);
        }
        reader.skip()?;
    }
    match reader.more(&mut list)? {
        true => reader.skip().map(Some),
        false => Ok(None),
    }
}

fn value_of<'a, R: Reader<'a>>(
    reader: &mut R,
    wanted: &str,
) -> Result<Option<&'a [u8]>, DecodeError> {
    let mut map = reader.map()?;
    while reader.more(&mut map)? {
        let found = reader.key()? == wanted;
        let value = reader.skip()?;
        if found {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn parts_are_found_in_every_serializer() {
        let args = ("topic", (1, 2), BTreeMap::from([("k", "v")]));
        let kwargs = BTreeMap::from([("scope", "detached"), ("z", "last")]);
        for serializer in Serializer::ALL {
            let payload = Payload::encode(serializer, &args, &kwargs).unwrap();
            let (args, kwargs) = (payload.encoded_arg(1), payload.encoded_arg(2));
            let inner = Payload::of_parts(serializer, args.unwrap(), kwargs.unwrap()).unwrap();
            assert_eq!(inner.args::<(u8, u8)>().unwrap(), (1, 2));
            assert_eq!(
                inner.kwargs::<BTreeMap<String, String>>().unwrap()["k"],
                "v"
            );
            assert_eq!(payload.encoded_arg(3), Ok(None));
            let last = payload.encoded_kwarg("z").unwrap().unwrap();
            let last: String = serializer::deserialize(serializer, last).unwrap();
            assert_eq!(last, "last");
            assert_eq!(payload.encoded_kwarg("none"), Ok(None));
            assert_eq!(Payload::EMPTY.encoded_arg(0), Ok(None));
            assert_eq!(Payload::EMPTY.encoded_kwarg("scope"), Ok(None));
        }
    }

    #[test]
    fn parts_of_the_wrong_type_are_refused() {
        let parts = |args: &'static str, kwargs: &'static str| {
            Payload::of_parts(
                Serializer::Json,
                Some(args.as_bytes()),
                Some(kwargs.as_bytes()),
            )
        };
        for empty in [parts("[]", "{}"), parts("null", "null")] {
            assert!(empty.unwrap().is_empty());
        }
        assert_eq!(parts("[1]", "{}").unwrap().encoded_args(), b"[1]");
        for (args, kwargs, part) in [
            ("{\"a\": 1}", "{}", "args"),
            ("7", "{}", "args"),
            ("[1] 2", "{}", "args"),
            ("[1", "{}", "args"),
            ("[1]", "[2]", "kwargs"),
            ("[1]", "\"x\"", "kwargs"),
        ] {
            assert_eq!(
                parts(args, kwargs).unwrap_err().part,
                part,
                "{args}, {kwargs}"
            );
        }
    }
}
