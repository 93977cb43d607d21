//! Writes CBOR.

use super::{BYTES, LIST, MAP, NEGATIVE, TEXT, UNSIGNED};
use crate::serializer::head::{HEAD_BYTES, NUMBER_BYTES_MAX, append_head, put_number};
use crate::serializer::{Serializer, Uncounted, Writer};

/// Appends CBOR: definite lengths, integers and lengths in their shortest form.
#[derive(Debug)]
pub struct CborWriter<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> CborWriter<'o> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    #[inline]
    fn put(&mut self, major: u8, argument: u64) {
        let (head, len) = head(major, argument);
        self.out.extend_from_slice(&head[..len]);
    }
}

/// The first bytes of a value, and how many they are.
#[inline]
fn head(major: u8, argument: u64) -> ([u8; 9], usize) {
    let major = major << 5;
    let mut head = [0; 9];
    let [first, rest @ ..] = &mut head;
    let be = argument.to_be_bytes();
    let (info, len) = match argument {
        0..=23 => (argument as u8, 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    *first = major | info;
    rest[..len].copy_from_slice(&be[8 - len..]);
    (head, 1 + len)
}

/// Puts a whole number at `head[at..]` and returns where it ends. Something may be behind that.
#[inline]
fn put_unsigned(head: &mut [u8; HEAD_BYTES], at: usize, value: u64) -> usize {
    let (first, len) = match value {
        0..=23 => (value as u8, 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    put_number(head, at, UNSIGNED << 5 | first, len, value)
}

impl Writer for CborWriter<'_> {
    const SERIALIZER: Serializer = Serializer::Cbor;

    #[inline]
    fn begin_message<const N: usize>(&mut self, code: u8, ids: [u64; N], rest: usize) {
        const { assert!(NUMBER_BYTES_MAX * (N + 1) < HEAD_BYTES) };
        debug_assert!(1 + N + rest < 24);
        let mut head = [0; HEAD_BYTES];
        head[0] = LIST << 5 | (1 + N + rest) as u8;
        let at = put_unsigned(&mut head, 1, code.into());
        let len = ids
            .into_iter()
            .fold(at, |at, id| put_unsigned(&mut head, at, id));
        append_head(self.out, &head, len);
    }

    #[inline]
    fn empty_map(&mut self) {
        self.out.push(0xa0);
    }

    fn null(&mut self) {
        self.out.push(0xf6);
    }

    fn bool(&mut self, value: bool) {
        self.out.push(0xf4 + u8::from(value));
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.put(UNSIGNED, value);
    }

    fn signed(&mut self, value: i64) {
        match value {
            0.. => self.put(UNSIGNED, value.cast_unsigned()),
            _ => self.put(NEGATIVE, (!value).cast_unsigned()),
        }
    }

    fn float(&mut self, value: f64) {
        self.out.push(0xfb);
        self.out.extend_from_slice(&value.to_be_bytes());
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.put(TEXT, value.len() as u64);
        self.out.extend_from_slice(value.as_bytes());
    }

    fn bytes(&mut self, value: &[u8]) {
        self.put(BYTES, value.len() as u64);
        self.out.extend_from_slice(value);
    }

    #[inline]
    fn begin_list(&mut self, len: usize) {
        self.put(LIST, len as u64);
    }

    fn end_list(&mut self) {}

    #[inline]
    fn begin_map(&mut self, len: usize) {
        self.put(MAP, len as u64);
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
        let (head, head_len) = head(if open.map { MAP } else { LIST }, len as u64);
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
