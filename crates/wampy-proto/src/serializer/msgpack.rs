//! MessagePack, the version that tells text (`str`) from bytes (`bin`).
//!
//! Deliberately absent: extension types, the timestamp among them. WAMP has no value for them and
//! a router could not carry them to a peer of another serializer, so they are errors. One counts
//! as null: `d4 00 00`, which the libraries of JavaScript write for `undefined`.

use std::borrow::Cow;

use super::{
    DEPTH_MAX, DecodeError, ENDS_TOO_EARLY, NESTED_TOO_DEEPLY, Reader, Seq, Serializer, Token,
    Uncounted, Writer, text,
};

const EXTENSION: &str = "extension types have no meaning in WAMP";
/// Type and content of the extension that stands for JavaScript's `undefined`.
const UNDEFINED: [u8; 2] = [0, 0];
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

    fn skip_key(&mut self) -> Result<(), &'static str> {
        match self.rest.first() {
            None => Err(ENDS_TOO_EARLY),
            Some(0xa0..=0xbf | 0xd9..=0xdb | 0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff) => {
                self.skip_value(0)
            }
            Some(_) => Err(KEY),
        }
    }

    /// Steps over one value that may hold `depth` more levels of lists and maps.
    fn skip_value(&mut self, depth: usize) -> Result<(), &'static str> {
        let first = self.byte()?;
        let bytes = match first {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => return Ok(()),
            0xa0..=0xbf => return self.text(usize::from(first & 0x1f)).map(drop),
            0xd9..=0xdb => {
                let len = self.length(first - 0xd9)?;
                return self.text(len).map(drop);
            }
            0x80..=0x8f => return self.skip_pairs(usize::from(first & 0x0f), depth),
            0x90..=0x9f => return self.skip_elements(usize::from(first & 0x0f), depth),
            0xdc | 0xdd => {
                let len = self.length(first - 0xdc + 1)?;
                return self.skip_elements(len, depth);
            }
            0xde | 0xdf => {
                let len = self.length(first - 0xde + 1)?;
                return self.skip_pairs(len, depth);
            }
            0xcc | 0xd0 => 1,
            0xcd | 0xd1 => 2,
            0xca | 0xce | 0xd2 => 4,
            0xcb | 0xcf | 0xd3 => 8,
            0xc4..=0xc6 => self.length(first - 0xc4)?,
            0xc1 => return Err(RESERVED),
            0xd4 if self.array()? == UNDEFINED => return Ok(()),
            0xc7..=0xc9 | 0xd4..=0xd8 => return Err(EXTENSION),
        };
        self.take(bytes).map(drop)
    }

    fn skip_elements(&mut self, len: usize, depth: usize) -> Result<(), &'static str> {
        let depth = depth.checked_sub(1).ok_or(NESTED_TOO_DEEPLY)?;
        for _ in 0..len {
            self.skip_value(depth)?;
        }
        Ok(())
    }

    fn skip_pairs(&mut self, len: usize, depth: usize) -> Result<(), &'static str> {
        let depth = depth.checked_sub(1).ok_or(NESTED_TOO_DEEPLY)?;
        for _ in 0..len {
            self.skip_key()?;
            self.skip_value(depth)?;
        }
        Ok(())
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
        match self.skip_value(DEPTH_MAX) {
            Ok(()) => Ok(&start[..start.len() - self.rest.len()]),
            Err(problem) => Err(self.error(problem)),
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
            Err(self.error(super::SOMETHING_FOLLOWS))
        }
    }
}

/// Appends MessagePack, each value in its shortest form.
///
/// Lengths beyond 2^32-1, which MessagePack cannot say and no transport carries, become null.
#[derive(Debug)]
pub struct MsgPackWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> MsgPackWriter<'o> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    #[inline]
    fn put<const N: usize>(&mut self, first: u8, rest: [u8; N]) {
        self.out.push(first);
        self.out.extend_from_slice(&rest);
    }

    /// Writes the begin of a value of `len` bytes; false if there is none for that length.
    #[inline]
    fn put_length(&mut self, code_of_8_bits: u8, len: usize) -> bool {
        if let Ok(len) = u8::try_from(len) {
            self.put(code_of_8_bits, [len]);
        } else if let Ok(len) = u16::try_from(len) {
            self.put(code_of_8_bits + 1, len.to_be_bytes());
        } else if let Ok(len) = u32::try_from(len) {
            self.put(code_of_8_bits + 2, len.to_be_bytes());
        } else {
            self.null();
            return false;
        }
        true
    }
}

/// The first bytes of a list or map of `len` elements or pairs, and how many they are.
#[inline]
fn container_head(fix: u8, code_of_16_bits: u8, len: usize) -> ([u8; 5], usize) {
    if len < 16 {
        ([fix | len as u8, 0, 0, 0, 0], 1)
    } else if let Ok(len) = u16::try_from(len) {
        let [high, low] = len.to_be_bytes();
        ([code_of_16_bits, high, low, 0, 0], 3)
    } else {
        let [a, b, c, d] = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
        ([code_of_16_bits + 1, a, b, c, d], 5)
    }
}

#[inline]
fn head_of(map: bool, len: usize) -> ([u8; 5], usize) {
    if map {
        container_head(0x80, 0xde, len)
    } else {
        container_head(0x90, 0xdc, len)
    }
}

impl Writer for MsgPackWriter<'_> {
    const SERIALIZER: Serializer = Serializer::MsgPack;

    fn null(&mut self) {
        self.out.push(0xc0);
    }

    fn bool(&mut self, value: bool) {
        self.out.push(0xc2 + u8::from(value));
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        match value {
            0..=0x7f => self.out.push(value as u8),
            0x80..=0xff => self.put(0xcc, [value as u8]),
            0x100..=0xffff => self.put(0xcd, (value as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.put(0xce, (value as u32).to_be_bytes()),
            _ => self.put(0xcf, value.to_be_bytes()),
        }
    }

    fn signed(&mut self, value: i64) {
        match value {
            0.. => self.unsigned(value.cast_unsigned()),
            -0x20..0 => self.out.push(value as u8),
            -0x80..-0x20 => self.put(0xd0, [value as u8]),
            -0x8000..-0x80 => self.put(0xd1, (value as i16).to_be_bytes()),
            -0x8000_0000..-0x8000 => self.put(0xd2, (value as i32).to_be_bytes()),
            _ => self.put(0xd3, value.to_be_bytes()),
        }
    }

    fn float(&mut self, value: f64) {
        self.put(0xcb, value.to_be_bytes());
    }

    #[inline]
    fn text(&mut self, value: &str) {
        if value.len() < 32 {
            self.out.push(0xa0 | value.len() as u8);
        } else if !self.put_length(0xd9, value.len()) {
            return;
        }
        self.out.extend_from_slice(value.as_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        if self.put_length(0xc4, value.len()) {
            self.out.extend_from_slice(value);
        }
    }

    #[inline]
    fn begin_list(&mut self, len: usize) {
        let (head, head_len) = head_of(false, len);
        self.out.extend_from_slice(&head[..head_len]);
    }

    fn end_list(&mut self) {}

    #[inline]
    fn begin_map(&mut self, len: usize) {
        let (head, head_len) = head_of(true, len);
        self.out.extend_from_slice(&head[..head_len]);
    }

    #[inline]
    fn key(&mut self, key: &str) {
        self.text(key);
    }

    fn end_map(&mut self) {}

    fn begin_uncounted(&mut self, map: bool) -> Uncounted {
        let open = Uncounted {
            at: self.out.len(),
            map,
        };
        self.out.push(0);
        open
    }

    fn end_uncounted(&mut self, open: Uncounted, len: usize) {
        let (head, head_len) = head_of(open.map, len);
        open.set_head(self.out, &head[..head_len]);
    }

    #[inline]
    fn raw(&mut self, encoded: &[u8]) {
        self.out.extend_from_slice(encoded);
    }
}
