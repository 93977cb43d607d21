//! Tokens of JSON.
//!
//! UTF-8 is checked string by string, where the bytes are at hand anyway: outside of strings the
//! grammar allows only ASCII, so nothing remains unchecked and nothing is checked twice.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::string::{Scanned, scan, unescape};
use crate::serializer::{
    DEPTH_MAX, DecodeError, ENDS_TOO_EARLY, NESTED_TOO_DEEPLY, Reader, Seq, Serializer, Token, text,
};

const VALUE: &str = "expected a value";
const NUMBER: &str = "a malformed number";
const RANGE: &str = "a number beyond the range of a float";
const KEY: &str = "expected a key, a string";
const COLON: &str = "expected a colon";
const SEPARATOR: &str = "expected a comma or the end of the list or map";

/// The most digits of which an integer surely fits 64 bits.
const DIGITS_OF_U64: usize = 19;
/// The longest text of a number without a three-digit exponent that is surely in range.
const FINITE_NUMBER_BYTES: usize = 200;

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
        loop {
            match self.rest {
                [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] => self.rest = rest,
                [byte, ..] => return Ok(*byte),
                [] => return Err(ENDS_TOO_EARLY),
            }
        }
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

    /// Steps over a string, from its opening to its closing quote; the caller has seen the former.
    #[inline]
    fn scan_string(&mut self) -> Result<(&'a [u8], Scanned), &'static str> {
        self.step(1);
        let scanned = scan(self.rest)?;
        let (inside, rest) = self.rest.split_at(scanned.len);
        self.rest = rest.get(1..).unwrap_or_default();
        Ok((inside, scanned))
    }

    #[inline]
    fn string(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let (inside, scanned) = self.scan_string()?;
        if scanned.escaped {
            unescape(inside).map(Cow::Owned)
        } else {
            text(inside).map(Cow::Borrowed)
        }
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
        let (number, is_integer) = self.scan_number()?;
        if is_integer && number.len() <= DIGITS_OF_U64 {
            let (digits, negative) = match number {
                [b'-', digits @ ..] => (digits, true),
                digits => (digits, false),
            };
            let value = digits
                .iter()
                .fold(0, |sum, &digit| sum * 10 + u64::from(digit - b'0'));
            return Ok(match value {
                1.. if negative => Token::Signed(-(value.cast_signed())),
                _ => Token::Unsigned(value),
            });
        }
        long_number(text(number)?, is_integer)
    }

    /// Steps over a number; returns its text and whether it has neither fraction nor exponent.
    #[inline]
    fn scan_number(&mut self) -> Result<(&'a [u8], bool), &'static str> {
        let bytes = self.rest;
        let mut len = usize::from(bytes.first() == Some(&b'-'));
        let first = bytes.get(len);
        let whole = digits(bytes, len);
        if whole == 0 || (whole > 1 && first == Some(&b'0')) {
            return Err(NUMBER);
        }
        len += whole;
        let mut is_integer = true;
        if let Some(b'.' | b'e' | b'E') = bytes.get(len) {
            is_integer = false;
            len = scan_fraction(bytes, len)?;
        }
        let (number, rest) = bytes.split_at(len);
        self.rest = rest;
        Ok((number, is_integer))
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

    fn skip_string(&mut self) -> Result<(), &'static str> {
        let (inside, scanned) = self.scan_string()?;
        if scanned.beyond_ascii {
            text(inside).map(drop)
        } else {
            Ok(())
        }
    }

    fn skip_key(&mut self) -> Result<(), &'static str> {
        if self.peek()? != b'"' {
            return Err(KEY);
        }
        self.skip_string()?;
        self.colon()
    }

    fn skip_number(&mut self) -> Result<(), &'static str> {
        let (number, is_integer) = self.scan_number()?;
        if may_be_infinite(number) {
            long_number(text(number)?, is_integer)?;
        }
        Ok(())
    }

    /// Steps over the next value. The bits of `maps` tell which of the open containers are maps,
    /// the innermost in the lowest bit.
    fn skip_value(&mut self) -> Result<(), &'static str> {
        const { assert!(DEPTH_MAX <= u128::BITS as usize) };
        let (mut depth, mut maps) = (0, 0u128);
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'0'..=b'9' | b'-' => self.skip_number()?,
                open @ (b'{' | b'[') => {
                    if depth == DEPTH_MAX {
                        return Err(NESTED_TOO_DEEPLY);
                    }
                    self.step(1);
                    let is_map = open == b'{';
                    depth += 1;
                    maps = maps << 1 | u128::from(is_map);
                    if self.peek()? != open + 2 {
                        if is_map {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => return Err(VALUE),
            }
            if self.skip_to_next_value(&mut depth, &mut maps)? {
                return Ok(());
            }
        }
    }

    /// Steps over ends and one separator (and key) behind a value; true if all ends are passed.
    #[inline]
    fn skip_to_next_value(
        &mut self,
        depth: &mut usize,
        maps: &mut u128,
    ) -> Result<bool, &'static str> {
        while *depth > 0 {
            let is_map = *maps & 1 == 1;
            match self.peek()? {
                b',' => {
                    self.step(1);
                    if is_map {
                        self.skip_key()?;
                    }
                    return Ok(false);
                }
                b'}' if is_map => self.step(1),
                b']' if !is_map => self.step(1),
                _ => return Err(SEPARATOR),
            }
            *depth -= 1;
            *maps >>= 1;
        }
        Ok(true)
    }
}

/// How many digits begin at `bytes[start]`.
#[inline]
fn digits(bytes: &[u8], start: usize) -> usize {
    let bytes = bytes.get(start..).unwrap_or_default();
    bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(bytes.len())
}

/// Steps over a fraction and an exponent from `bytes[len]` on; returns the end.
fn scan_fraction(bytes: &[u8], mut len: usize) -> Result<usize, &'static str> {
    if bytes.get(len) == Some(&b'.') {
        let fraction = digits(bytes, len + 1);
        if fraction == 0 {
            return Err(NUMBER);
        }
        len += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(len) {
        len += 1;
        if let Some(b'+' | b'-') = bytes.get(len) {
            len += 1;
        }
        let exponent = digits(bytes, len);
        if exponent == 0 {
            return Err(NUMBER);
        }
        len += exponent;
    }
    Ok(len)
}

/// Whether a number is so long, or its exponent may be, that it must be looked at closely.
#[inline]
fn may_be_infinite(number: &[u8]) -> bool {
    number.len() > FINITE_NUMBER_BYTES
        || matches!(number, [.., b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'])
            && number.iter().any(|byte| byte | 0x20 == b'e')
}

/// A float, or an integer of many digits.
#[cold]
fn long_number(number: &str, is_integer: bool) -> Result<Token<'static>, &'static str> {
    if is_integer {
        if let Ok(value) = number.parse() {
            return Ok(Token::Unsigned(value));
        }
        if let Ok(value) = number.parse::<i64>() {
            return Ok(u64::try_from(value).map_or(Token::Signed(value), Token::Unsigned));
        }
    }
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Token::Float(value)),
        _ => Err(RANGE),
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
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError> {
        self.has_more(seq).map_err(|problem| self.error(problem))
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.map_key().map_err(|problem| self.error(problem))
    }

    #[inline]
    fn skip(&mut self) -> Result<&'a [u8], DecodeError> {
        self.peek().map_err(|problem| self.error(problem))?;
        let start = self.rest;
        match self.skip_value() {
            Ok(()) => Ok(&start[..start.len() - self.rest.len()]),
            Err(problem) => Err(self.error(problem)),
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
            Ok(_) => Err(self.error(crate::serializer::SOMETHING_FOLLOWS)),
        }
    }
}
