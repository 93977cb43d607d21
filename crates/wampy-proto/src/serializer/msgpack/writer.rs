//! Writes MessagePack.

use crate::serializer::head::{HEAD_BYTES, NUMBER_BYTES_MAX, append_head, put_number};
use crate::serializer::{Serializer, Uncounted, Writer};

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

/// Puts a whole number at `head[at..]`, in the fewest bytes, and returns where they end. Something may be
/// behind that.
#[inline]
fn put_unsigned(head: &mut [u8; HEAD_BYTES], at: usize, value: u64) -> usize {
    let (first, len) = match value {
        0..=0x7f => (value as u8, 0),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        _ => (0xcf, 8),
    };
    put_number(head, at, first, len, value)
}

impl Writer for MsgPackWriter<'_> {
    const SERIALIZER: Serializer = Serializer::MsgPack;

    #[inline]
    fn begin_message<const N: usize>(&mut self, code: u8, ids: [u64; N], rest: usize) {
        const { assert!(2 + NUMBER_BYTES_MAX * N <= HEAD_BYTES) };
        debug_assert!(code < 0x80 && 1 + N + rest < 16);
        let mut head = [0; HEAD_BYTES];
        head[0] = 0x90 | (1 + N + rest) as u8;
        head[1] = code;
        let len = ids
            .into_iter()
            .fold(2, |at, id| put_unsigned(&mut head, at, id));
        append_head(self.out, &head, len);
    }

    #[inline]
    fn empty_map(&mut self) {
        self.out.push(0x80);
    }

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
    fn written(&self) -> usize {
        self.out.len()
    }

    #[inline]
    fn raw(&mut self, encoded: &[u8]) {
        self.out.extend_from_slice(encoded);
    }
}
