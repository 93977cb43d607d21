//! Tokens of CBOR.

use std::borrow::Cow;

use super::skip::skip_value;
use super::{BREAK_BYTE, BYTES, INDEFINITE, LIST, MAP, NEGATIVE, TAG, TEXT, UNSIGNED};
use crate::serializer::usual::{Parts, counted_payload, step_over};
use crate::serializer::{
    DEPTH_MAX, DecodeError, ENDS_TOO_EARLY, Reader, SOMETHING_FOLLOWS, Seq, Serializer, Token,
    UsualReader, text, why_not,
};

const KEY: &str = "a key is neither text nor an integer";
const CHUNK: &str = "a string of indefinite length holds something else than chunks of its kind";
const BIGNUM: &str = "a bignum is no byte string of at most 128 bytes";
const BREAK: &str = "a break where a value belongs";
const SIMPLE: &str = "simple values have no meaning in WAMP";
const RESERVED: &str = "a reserved additional information";

/// The longest bignum: one that a float can still tell from infinity.
const BIGNUM_BYTES_MAX: usize = 128;

/// The begin of a value: its major type, additional information and argument.
#[derive(Debug, Clone, Copy)]
struct Head {
    major: u8,
    info: u8,
    argument: u64,
}

impl Head {
    /// The length of a string or container, or `None` for an indefinite one.
    #[inline]
    const fn len(self) -> Option<u64> {
        if self.info == INDEFINITE {
            None
        } else {
            Some(self.argument)
        }
    }
}

/// Pulls tokens from CBOR.
#[derive(Debug, Clone)]
pub struct CborReader<'a> {
    len: usize,
    rest: &'a [u8],
}

impl<'a> CborReader<'a> {
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (array, rest) = self.rest.split_first_chunk::<N>().ok_or(ENDS_TOO_EARLY)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn take(&mut self, len: u64) -> Result<&'a [u8], &'static str> {
        let len = usize::try_from(len).map_err(|_| ENDS_TOO_EARLY)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ENDS_TOO_EARLY)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn head(&mut self) -> Result<Head, &'static str> {
        let [first] = self.array()?;
        let (major, info) = (first >> 5, first & 0x1f);
        let argument = match info {
            0..=23 => info.into(),
            24 => u8::from_be_bytes(self.array()?).into(),
            25 => u16::from_be_bytes(self.array()?).into(),
            26 => u32::from_be_bytes(self.array()?).into(),
            27 => u64::from_be_bytes(self.array()?),
            INDEFINITE if first == BREAK_BYTE => return Err(BREAK),
            INDEFINITE if (BYTES..=MAP).contains(&major) => 0,
            _ => return Err(RESERVED),
        };
        Ok(Head {
            major,
            info,
            argument,
        })
    }

    /// The head of the next value behind its tags, and the tag right before it.
    #[inline]
    fn untagged_head(&mut self) -> Result<(Head, Option<u64>), &'static str> {
        let mut tag = None;
        loop {
            let head = self.head()?;
            if head.major != TAG {
                return Ok((head, tag));
            }
            tag = Some(head.argument);
        }
    }

    #[inline]
    fn value(&mut self) -> Result<Token<'a>, &'static str> {
        let (head, tag) = self.untagged_head()?;
        if matches!(tag, Some(2 | 3)) {
            return self.bignum(head, tag == Some(3));
        }
        Ok(match head.major {
            UNSIGNED => Token::Unsigned(head.argument),
            NEGATIVE => negative(head.argument),
            BYTES => Token::Bytes(self.bytes(head)?),
            TEXT => Token::Text(self.text(head)?),
            LIST => Token::List(Seq::list(head.len())),
            MAP => Token::Map(Seq::map(head.len())),
            _ => simple(head)?,
        })
    }

    #[inline]
    fn bytes(&mut self, head: Head) -> Result<Cow<'a, [u8]>, &'static str> {
        if let Some(len) = head.len() {
            return self.take(len).map(Cow::Borrowed);
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk(BYTES)? {
            bytes.extend_from_slice(chunk);
        }
        Ok(Cow::Owned(bytes))
    }

    #[inline]
    fn text(&mut self, head: Head) -> Result<Cow<'a, str>, &'static str> {
        if let Some(len) = head.len() {
            return text(self.take(len)?).map(Cow::Borrowed);
        }
        let mut whole = String::new();
        while let Some(chunk) = self.chunk(TEXT)? {
            whole.push_str(text(chunk)?);
        }
        Ok(Cow::Owned(whole))
    }

    /// The next chunk of a string of indefinite length, or `None` at its end.
    fn chunk(&mut self, major: u8) -> Result<Option<&'a [u8]>, &'static str> {
        if self.step_over_break() {
            return Ok(None);
        }
        let head = self.head()?;
        match head.len() {
            Some(len) if head.major == major => self.take(len).map(Some),
            _ => Err(CHUNK),
        }
    }

    #[inline]
    fn step_over_break(&mut self) -> bool {
        match self.rest.split_first() {
            Some((&BREAK_BYTE, rest)) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[cold]
    fn bignum(&mut self, head: Head, is_negative: bool) -> Result<Token<'a>, &'static str> {
        if head.major != BYTES {
            return Err(BIGNUM);
        }
        let bytes = self.bytes(head)?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        let digits = &bytes[zeros..];
        if let Some(small) = u64_from_be(digits) {
            return Ok(if is_negative {
                negative(small)
            } else {
                Token::Unsigned(small)
            });
        }
        let magnitude = digits
            .iter()
            .fold(0.0, |sum, &byte| sum * 256.0 + f64::from(byte));
        if digits.len() > BIGNUM_BYTES_MAX || !magnitude.is_finite() {
            return Err(BIGNUM);
        }
        Ok(Token::Float(if is_negative {
            -1.0 - magnitude
        } else {
            magnitude
        }))
    }

    fn map_key(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let (head, tag) = self.untagged_head()?;
        if matches!(tag, Some(2 | 3)) {
            return Err(KEY);
        }
        match head.major {
            TEXT => self.text(head),
            UNSIGNED => Ok(Cow::Owned(head.argument.to_string())),
            NEGATIVE => Ok(Cow::Owned((-1 - i128::from(head.argument)).to_string())),
            _ => Err(KEY),
        }
    }
}

/// The integer -1 - `argument`.
#[inline]
fn negative(argument: u64) -> Token<'static> {
    match i64::try_from(argument) {
        Ok(argument) => Token::Signed(-1 - argument),
        Err(_) => Token::Float(-1.0 - argument as f64),
    }
}

/// The value of major type 7.
#[inline]
fn simple(head: Head) -> Result<Token<'static>, &'static str> {
    Ok(match (head.info, head.argument) {
        (20, _) => Token::Bool(false),
        (21, _) => Token::Bool(true),
        (22 | 23, _) => Token::Null,
        (25, bits) => Token::Float(half_to_float(bits as u16)),
        (26, bits) => Token::Float(f32::from_bits(bits as u32).into()),
        (27, bits) => Token::Float(f64::from_bits(bits)),
        _ => return Err(SIMPLE),
    })
}

/// The value of a float of 16 bits (IEEE 754 binary16).
fn half_to_float(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match (bits >> 10) & 0x1f {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    };
    if bits & 0x8000 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

fn u64_from_be(digits: &[u8]) -> Option<u64> {
    (digits.len() <= 8).then(|| {
        digits
            .iter()
            .fold(0, |number, &byte| number << 8 | u64::from(byte))
    })
}

impl<'a> Reader<'a> for CborReader<'a> {
    const SERIALIZER: Serializer = Serializer::Cbor;

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
        match self.rest {
            [first @ 0x80..=0x97, rest @ ..] if !map => {
                self.rest = rest;
                Some(Seq::list(Some(u64::from(first & 0x1f))))
            }
            [first @ 0xa0..=0xb7, rest @ ..] if map => {
                self.rest = rest;
                Some(Seq::map(Some(u64::from(first & 0x1f))))
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn short_unsigned(&mut self) -> Option<u64> {
        let start = self.rest;
        let number = self.head().ok().filter(|head| head.major == UNSIGNED);
        if number.is_none() {
            self.rest = start;
        }
        number.map(|head| head.argument)
    }

    #[inline(always)]
    fn short_text(&mut self) -> Option<&'a str> {
        let start = self.rest;
        let head = self.head().ok().filter(|head| head.major == TEXT);
        let len = head.and_then(Head::len);
        let short = len.and_then(|len| text(self.take(len).ok()?).ok());
        if short.is_none() {
            self.rest = start;
        }
        short
    }

    #[inline]
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError> {
        if seq.remaining.is_some() {
            return Ok(seq.count_down());
        }
        seq.started = true;
        if self.step_over_break() {
            seq.end();
            return Ok(false);
        }
        Ok(true)
    }

    #[inline]
    fn key(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.map_key().map_err(|problem| self.error(problem))
    }

    #[inline]
    fn skip(&mut self) -> Result<&'a [u8], DecodeError> {
        let start = self.rest;
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
        match self.rest {
            [0xf6 | 0xf7, rest @ ..] => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    #[inline]
    fn offset(&self) -> usize {
        self.len - self.rest.len()
    }

    fn finish(&mut self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error(SOMETHING_FOLLOWS))
        }
    }
}

impl<'a> CborReader<'a> {
    /// The bytes of a short list, or map, which comes next.
    #[inline(always)]
    fn short_list_or_map(&mut self, map: bool) -> Option<&'a [u8]> {
        let start = self.rest;
        match (start.first()?, map) {
            (0x80..=0x97, false) | (0xa0..=0xb7, true) => {}
            _ => return None,
        }
        self.rest = skip_value(start, DEPTH_MAX)?;
        Some(&start[..start.len() - self.rest.len()])
    }
}

impl<'a> UsualReader<'a> for CborReader<'a> {
    #[inline(always)]
    fn usual_code(&mut self) -> Option<(u8, u8)> {
        match self.rest {
            [list @ 0x81..=0x97, code @ 10..=0x17, rest @ ..]
            | [list @ 0x81..=0x97, 0x18, code @ 0x18..=0x7f, rest @ ..] => {
                self.rest = rest;
                Some((*code, (list & 0x1f) - 1))
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn usual_empty_map(&mut self) -> bool {
        step_over(&mut self.rest, &[0xa0])
    }

    #[inline(always)]
    fn usual_payload(&mut self, elements: u8) -> Option<Parts<'a>> {
        let parts = counted_payload(elements, |map| self.short_list_or_map(map))?;
        self.rest.is_empty().then_some(parts)
    }
}
