//! Tokens of JSON.
//!
//! UTF-8 is checked string by string, where the bytes are at hand anyway: outside of strings the
//! grammar allows only ASCII, so nothing remains unchecked and nothing is checked twice.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::{id, number};
use super::plain::split_plain;
use super::skip::{skip_list, skip_value, trim};
use super::string::{scan, unescape};
use crate::serializer::usual::{Parts, step_over};
use crate::serializer::{
    DEPTH_MAX, DecodeError, ENDS_TOO_EARLY, Reader, SOMETHING_FOLLOWS, Seq, Serializer, Token,
    UsualReader, why_not,
};

const VALUE: &str = "expected a value";
const KEY: &str = "expected a key, a string";
const COLON: &str = "expected a colon";
const SEPARATOR: &str = "expected a comma or the end of the list or map";

/// Pulls tokens from JSON text.
#[derive(Debug, Clone)]
pub struct JsonReader<'a> {
    len: usize,
    rest: &'a [u8],
}

impl<'a> JsonReader<'a> {
    /// The next byte that is no whitespace, without stepping over it.
    #[inline]
    fn peek(&mut self) -> Result<u8, &'static str> {
        self.rest = trim(self.rest);
        self.rest.first().copied().ok_or(ENDS_TOO_EARLY)
    }

    #[inline]
    fn step(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    fn literal(&mut self, literal: &[u8]) -> Result<(), &'static str> {
        match self.rest.strip_prefix(literal) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(VALUE),
        }
    }

    #[inline]
    fn value(&mut self) -> Result<Token<'a>, &'static str> {
        Ok(match self.peek()? {
            b'"' => self.text_or_bytes()?,
            b'0'..=b'9' | b'-' => self.number()?,
            b'{' => {
                self.step(1);
                Token::Map(Seq::map(None))
            }
            b'[' => {
                self.step(1);
                Token::List(Seq::list(None))
            }
            b't' => self.literal(b"true").map(|()| Token::Bool(true))?,
            b'f' => self.literal(b"false").map(|()| Token::Bool(false))?,
            b'n' => self.literal(b"null").map(|()| Token::Null)?,
            _ => return Err(VALUE),
        })
    }

    #[inline]
    fn string(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let (plain, rest) = split_plain(inside);
        if let [b'"', rest @ ..] = rest {
            self.rest = rest;
            return plain.text().map(Cow::Borrowed);
        }
        self.escaped_string().map(Cow::Owned)
    }

    /// Reads a string that has escapes, or is malformed.
    fn escaped_string(&mut self) -> Result<String, &'static str> {
        self.step(1);
        let scanned = scan(self.rest)?;
        let (inside, rest) = self.rest.split_at(scanned.len);
        self.rest = rest.get(1..).unwrap_or_default();
        unescape(inside)
    }

    #[inline]
    fn text_or_bytes(&mut self) -> Result<Token<'a>, &'static str> {
        let string = self.string()?;
        // A NUL must be escaped, so that only owned text can hold bytes.
        if let Cow::Owned(escaped) = &string
            && let Some(encoded) = escaped.strip_prefix('\0')
            && let Ok(bytes) = STANDARD.decode(encoded)
        {
            return Ok(Token::Bytes(Cow::Owned(bytes)));
        }
        Ok(Token::Text(string))
    }

    #[inline]
    fn number(&mut self) -> Result<Token<'a>, &'static str> {
        let (number, len) = number(self.rest)?;
        self.step(len);
        Ok(number)
    }

    fn map_key(&mut self) -> Result<Cow<'a, str>, &'static str> {
        if self.peek()? != b'"' {
            return Err(KEY);
        }
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    #[inline]
    fn colon(&mut self) -> Result<(), &'static str> {
        if self.peek()? != b':' {
            return Err(COLON);
        }
        self.step(1);
        Ok(())
    }

    /// Steps over the separator before the next element, or over the end of the list or map.
    #[inline]
    fn has_more(&mut self, seq: &mut Seq) -> Result<bool, &'static str> {
        if seq.remaining.is_some() {
            return Ok(false);
        }
        let byte = self.peek()?;
        let end = if seq.is_map { b'}' } else { b']' };
        if byte == end {
            self.step(1);
            seq.end();
            return Ok(false);
        }
        if seq.started {
            if byte != b',' {
                return Err(SEPARATOR);
            }
            self.step(1);
        }
        seq.started = true;
        Ok(true)
    }
}

impl<'a> Reader<'a> for JsonReader<'a> {
    const SERIALIZER: Serializer = Serializer::Json;

    fn new(bytes: &'a [u8]) -> Self {
        Self {
            len: bytes.len(),
            rest: bytes,
        }
    }

    #[inline]
    fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        self.value().map_err(|problem| self.error(problem))
    }

    #[inline]
    fn begin_short(&mut self, map: bool) -> Option<Seq> {
        let (open, seq) = if map {
            (b'{', Seq::map(None))
        } else {
            (b'[', Seq::list(None))
        };
        if self.peek() != Ok(open) {
            return None;
        }
        self.step(1);
        Some(seq)
    }

    #[inline(always)]
    fn short_unsigned(&mut self) -> Option<u64> {
        self.rest = trim(self.rest);
        let (value, len) = id(self.rest)?;
        self.step(len);
        Some(value)
    }

    #[inline(always)]
    fn short_text(&mut self) -> Option<&'a str> {
        self.rest = trim(self.rest);
        let inside = self.rest.strip_prefix(b"\"")?;
        let (plain, rest) = split_plain(inside);
        let rest = rest.strip_prefix(b"\"")?;
        let short = plain.text().ok()?;
        self.rest = rest;
        Some(short)
    }

    #[inline]
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError> {
        self.has_more(seq).map_err(|problem| self.error(problem))
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.map_key().map_err(|problem| self.error(problem))
    }

    #[inline]
    fn skip(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = trim(self.rest);
        match skip_value(start, DEPTH_MAX) {
            Some(rest) => {
                self.rest = rest;
                Ok(&start[..start.len() - rest.len()])
            }
            None => Err(why_not(self)),
        }
    }

    #[inline]
    fn skip_null(&mut self) -> bool {
        self.peek() == Ok(b'n') && self.literal(b"null").is_ok()
    }

    #[inline]
    fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    fn finish(&mut self) -> Result<(), DecodeError> {
        match self.peek() {
            Err(_) => Ok(()),
            Ok(_) => Err(self.error(SOMETHING_FOLLOWS)),
        }
    }
}

impl<'a> UsualReader<'a> for JsonReader<'a> {
    #[inline(always)]
    fn usual_code(&mut self) -> Option<(u8, u8)> {
        match self.rest {
            [b'[', tens @ b'1'..=b'9', ones @ b'0'..=b'9', rest @ ..] => {
                self.rest = rest;
                Some(((tens - b'0') * 10 + (ones - b'0'), u8::MAX))
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn usual_separator(&mut self) -> Option<()> {
        match self.rest {
            [b',', rest @ ..] => {
                self.rest = trim(rest);
                Some(())
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn usual_empty_map(&mut self) -> bool {
        step_over(&mut self.rest, b"{}")
    }

    #[inline(always)]
    fn usual_payload(&mut self, _elements: u8) -> Option<Parts<'a>> {
        let (mut args, mut kwargs) = (&[][..], &[][..]);
        for (part, open) in [(&mut args, b'['), (&mut kwargs, b'{')] {
            let [b',', rest @ ..] = trim(self.rest) else {
                break;
            };
            let start = trim(rest);
            self.rest = match (start, open) {
                ([b'[', inside @ ..], b'[') => skip_list(trim(inside), DEPTH_MAX)?,
                ([b'{', ..], b'{') => skip_value(start, DEPTH_MAX)?,
                _ => return None,
            };
            *part = &start[..start.len() - self.rest.len()];
        }
        let rest = trim(self.rest).strip_prefix(b"]")?;
        trim(rest).is_empty().then_some((args, kwargs))
    }
}
