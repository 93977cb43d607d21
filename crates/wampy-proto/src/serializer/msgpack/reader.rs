//! Tokens of MessagePack.

use std::borrow::Cow;

use super::UNDEFINED;
use super::skip::{skip_elements, skip_value};
use crate::serializer::usual::{Parts, counted_payload, step_over};
use crate::serializer::{
    DEPTH_MAX, DecodeError, ENDS_TOO_EARLY, Reader, SOMETHING_FOLLOWS, Seq, Serializer, Token,
    UsualReader, text, why_not,
};

const EXTENSION: &str = "extension types have no meaning in WAMP";
const RESERVED: &str = "0xc1 begins no value";
const KEY: &str = "a key is neither text nor an integer";

/// Pulls tokens from MessagePack.
#[derive(Debug, Clone)]
pub struct MsgPackReader<'a> {
    len: usize,
    rest: &'a [u8],
}

impl<'a> MsgPackReader<'a> {
    #[inline]
    fn byte(&mut self) -> Result<u8, &'static str> {
        let (&byte, rest) = self.rest.split_first().ok_or(ENDS_TOO_EARLY)?;
        self.rest = rest;
        Ok(byte)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (array, rest) = self.rest.split_first_chunk::<N>().ok_or(ENDS_TOO_EARLY)?;
        self.rest = rest;
        Ok(*array)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ENDS_TOO_EARLY)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length of `1 << width` bytes.
    #[inline]
    fn length(&mut self, width: u8) -> Result<usize, &'static str> {
        Ok(match width {
            0 => usize::from(self.byte()?),
            1 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?) as usize,
        })
    }

    #[inline]
    fn text(&mut self, len: usize) -> Result<&'a str, &'static str> {
        text(self.take(len)?)
    }

    #[inline]
    fn value(&mut self) -> Result<Token<'a>, &'static str> {
        let first = self.byte()?;
        Ok(match first {
            0x00..=0x7f => Token::Unsigned(first.into()),
            0x80..=0x8f => Token::Map(Seq::map(Some(u64::from(first & 0x0f)))),
            0x90..=0x9f => Token::List(Seq::list(Some(u64::from(first & 0x0f)))),
            0xa0..=0xbf => Token::Text(Cow::Borrowed(self.text(usize::from(first & 0x1f))?)),
            0xc0 => Token::Null,
            0xc2 | 0xc3 => Token::Bool(first == 0xc3),
            0xc4..=0xc6 => {
                let len = self.length(first - 0xc4)?;
                Token::Bytes(Cow::Borrowed(self.take(len)?))
            }
            0xca => Token::Float(f32::from_be_bytes(self.array()?).into()),
            0xcb => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc..=0xcf | 0xd0..=0xd3 | 0xe0..=0xff => self.integer(first)?,
            0xd9..=0xdb => {
                let len = self.length(first - 0xd9)?;
                Token::Text(Cow::Borrowed(self.text(len)?))
            }
            0xdc | 0xdd => Token::List(Seq::list(Some(self.length(first - 0xdc + 1)? as u64))),
            0xde | 0xdf => Token::Map(Seq::map(Some(self.length(first - 0xde + 1)? as u64))),
            0xc1 => return Err(RESERVED),
            0xd4 if self.array()? == UNDEFINED => Token::Null,
            0xc7..=0xc9 | 0xd4..=0xd8 => return Err(EXTENSION),
        })
    }

    /// The integer that `first` begins.
    #[inline]
    fn integer(&mut self, first: u8) -> Result<Token<'a>, &'static str> {
        let signed = match first {
            0x00..=0x7f => return Ok(Token::Unsigned(first.into())),
            0xcc => return Ok(Token::Unsigned(self.byte()?.into())),
            0xcd => return Ok(Token::Unsigned(u16::from_be_bytes(self.array()?).into())),
            0xce => return Ok(Token::Unsigned(u32::from_be_bytes(self.array()?).into())),
            0xcf => return Ok(Token::Unsigned(u64::from_be_bytes(self.array()?))),
            0xd0 => i8::from_be_bytes(self.array()?).into(),
            0xd1 => i16::from_be_bytes(self.array()?).into(),
            0xd2 => i32::from_be_bytes(self.array()?).into(),
            0xd3 => i64::from_be_bytes(self.array()?),
            _ => i64::from(first.cast_signed()),
        };
        Ok(u64::try_from(signed).map_or(Token::Signed(signed), Token::Unsigned))
    }

    fn map_key(&mut self) -> Result<Cow<'a, str>, &'static str> {
        let first = self.byte()?;
        let len = match first {
            0xa0..=0xbf => usize::from(first & 0x1f),
            0xd9..=0xdb => self.length(first - 0xd9)?,
            0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff => {
                return Ok(Cow::Owned(match self.integer(first)? {
                    Token::Unsigned(number) => number.to_string(),
                    Token::Signed(number) => number.to_string(),
                    _ => return Err(KEY),
                }));
            }
            _ => return Err(KEY),
        };
        self.text(len).map(Cow::Borrowed)
    }
}

impl<'a> Reader<'a> for MsgPackReader<'a> {
    const SERIALIZER: Serializer = Serializer::MsgPack;

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
            [first @ 0x90..=0x9f, rest @ ..] if !map => {
                self.rest = rest;
                Some(Seq::list(Some(u64::from(first & 0x0f))))
            }
            [first @ 0x80..=0x8f, rest @ ..] if map => {
                self.rest = rest;
                Some(Seq::map(Some(u64::from(first & 0x0f))))
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn short_unsigned(&mut self) -> Option<u64> {
        let (value, rest) = match self.rest {
            [value @ 0x00..=0x7f, rest @ ..] => (u64::from(*value), rest),
            [0xcc, value, rest @ ..] => (u64::from(*value), rest),
            [0xcd, a, b, rest @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), rest),
            [0xce, a, b, c, d, rest @ ..] => {
                (u64::from(u32::from_be_bytes([*a, *b, *c, *d])), rest)
            }
            [0xcf, behind @ ..] => {
                let (value, rest) = behind.split_first_chunk()?;
                (u64::from_be_bytes(*value), rest)
            }
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }

    #[inline(always)]
    fn short_text(&mut self) -> Option<&'a str> {
        let (len, behind) = match self.rest {
            [first @ 0xa0..=0xbf, behind @ ..] => (first & 0x1f, behind),
            [0xd9, len, behind @ ..] => (*len, behind),
            _ => return None,
        };
        let (bytes, rest) = behind.split_at_checked(usize::from(len))?;
        let short = text(bytes).ok()?;
        self.rest = rest;
        Some(short)
    }

    #[inline]
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError> {
        Ok(seq.count_down())
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
            [0xc0, rest @ ..] | [0xd4, 0, 0, rest @ ..] => {
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

impl<'a> MsgPackReader<'a> {
    /// The bytes of a short list, or map, which comes next.
    #[inline(always)]
    fn short_list_or_map(&mut self, map: bool) -> Option<&'a [u8]> {
        let start = self.rest;
        self.rest = match (start, map) {
            ([first @ 0x90..=0x9f, rest @ ..], false) => {
                skip_elements(usize::from(first & 0x0f), rest, DEPTH_MAX)?
            }
            ([0x80..=0x8f, ..], true) => skip_value(start, DEPTH_MAX)?,
            _ => return None,
        };
        Some(&start[..start.len() - self.rest.len()])
    }
}

impl<'a> UsualReader<'a> for MsgPackReader<'a> {
    #[inline(always)]
    fn usual_code(&mut self) -> Option<(u8, u8)> {
        match self.rest {
            [list @ 0x91..=0x9f, code @ 10..=0x7f, rest @ ..] => {
                self.rest = rest;
                Some((*code, (list & 0x0f) - 1))
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn usual_empty_map(&mut self) -> bool {
        step_over(&mut self.rest, &[0x80])
    }

    #[inline(always)]
    fn usual_payload(&mut self, elements: u8) -> Option<Parts<'a>> {
        let parts = counted_payload(elements, |map| self.short_list_or_map(map))?;
        self.rest.is_empty().then_some(parts)
    }
}
