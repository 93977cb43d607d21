//! Writes JSON text without whitespace.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::{ID_DIGITS_MAX, put_id};
use super::plain::plain_len;
use crate::serializer::{Serializer, Uncounted, Writer};

/// How many bytes are turned into base64 at once: a multiple of 3, so that only the last block has
/// padding.
const BLOCK_BYTES: usize = 768;

/// Room for the begin of a message.
const HEAD_BYTES: usize = 48;

/// Appends JSON text.
#[derive(Debug)]
pub struct JsonWriter<'o> {
    out: &'o mut Vec<u8>,
    /// Whether a value stands before the next one in the same list or map.
    comma: bool,
}

impl<'o> JsonWriter<'o> {
    /// A writer that appends to `out`.
    pub const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    #[inline]
    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    #[inline]
    fn put(&mut self, value: &[u8]) {
        self.separate();
        self.out.extend_from_slice(value);
    }

    #[inline]
    fn begin(&mut self, open: u8) {
        self.separate();
        self.out.push(open);
        self.comma = false;
    }

    #[inline]
    fn end(&mut self, close: u8) {
        self.out.push(close);
        self.comma = true;
    }

    #[inline]
    fn string(&mut self, text: &str) {
        let mut bytes = text.as_bytes();
        self.out.push(b'"');
        loop {
            let (plain, rest) = bytes.split_at(plain_len(bytes).0);
            self.out.extend_from_slice(plain);
            let [special, rest @ ..] = rest else { break };
            self.escape(*special);
            bytes = rest;
        }
        self.out.push(b'"');
    }

    fn escape(&mut self, special: u8) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let short = match special {
            b'"' | b'\\' => special,
            0x08 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            0x0c => b'f',
            b'\r' => b'r',
            _ => {
                let (high, low) = (
                    HEX[usize::from(special >> 4)],
                    HEX[usize::from(special & 15)],
                );
                self.out
                    .extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                return;
            }
        };
        self.out.extend_from_slice(&[b'\\', short]);
    }
}

impl Writer for JsonWriter<'_> {
    const SERIALIZER: Serializer = Serializer::Json;

    #[inline]
    fn begin_message<const N: usize>(&mut self, code: u8, ids: [u64; N], _rest: usize) {
        const { assert!(3 + (1 + ID_DIGITS_MAX) * N <= HEAD_BYTES) };
        debug_assert!(code < 100 && !self.comma);
        let mut head = [0; HEAD_BYTES];
        head[0] = b'[';
        let at = match code {
            0..10 => {
                head[1] = b'0' + code;
                2
            }
            _ => {
                head[1] = b'0' + code / 10;
                head[2] = b'0' + code % 10;
                3
            }
        };
        let len = ids.into_iter().fold(at, |at, id| {
            head[at] = b',';
            put_id(&mut head, at + 1, id)
        });
        let start = self.out.len();
        // All of it, because a copy of a fixed size is a few instructions.
        self.out.extend_from_slice(&head);
        self.out.truncate(start + len);
        self.comma = true;
    }

    #[inline]
    fn empty_map(&mut self) {
        match self.comma {
            true => self.out.extend_from_slice(b",{}"),
            false => self.out.extend_from_slice(b"{}"),
        }
        self.comma = true;
    }

    fn null(&mut self) {
        self.put(b"null");
    }

    fn bool(&mut self, value: bool) {
        self.put(if value { b"true" } else { b"false" });
    }

    #[inline]
    fn unsigned(&mut self, value: u64) {
        self.put(itoa::Buffer::new().format(value).as_bytes());
    }

    fn signed(&mut self, value: i64) {
        self.put(itoa::Buffer::new().format(value).as_bytes());
    }

    fn float(&mut self, value: f64) {
        if value.is_finite() {
            // The shortest text; it always has a point or an exponent, so that it stays a float.
            self.put(ryu::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.null();
        }
    }

    #[inline]
    fn text(&mut self, value: &str) {
        self.separate();
        self.string(value);
    }

    fn bytes(&mut self, value: &[u8]) {
        self.put(br#""\u0000"#);
        for block in value.chunks(BLOCK_BYTES) {
            let mut encoded = [0; BLOCK_BYTES / 3 * 4];
            let len = STANDARD
                .encode_slice(block, &mut encoded)
                .unwrap_or_default();
            self.out.extend_from_slice(&encoded[..len]);
        }
        self.out.push(b'"');
    }

    #[inline]
    fn begin_list(&mut self, _len: usize) {
        self.begin(b'[');
    }

    #[inline]
    fn end_list(&mut self) {
        self.end(b']');
    }

    #[inline]
    fn begin_map(&mut self, _len: usize) {
        self.begin(b'{');
    }

    #[inline]
    fn key(&mut self, key: &str) {
        self.separate();
        self.string(key);
        self.out.push(b':');
        self.comma = false;
    }

    #[inline]
    fn end_map(&mut self) {
        self.end(b'}');
    }

    fn begin_uncounted(&mut self, map: bool) -> Uncounted {
        self.begin(if map { b'{' } else { b'[' });
        Uncounted {
            at: self.out.len(),
            map,
        }
    }

    fn end_uncounted(&mut self, open: Uncounted, _len: usize) {
        self.end(if open.map { b'}' } else { b']' });
    }

    #[inline]
    fn written(&self) -> usize {
        self.out.len()
    }

    #[inline]
    fn raw(&mut self, encoded: &[u8]) {
        // Room also for what ends the message.
        self.out.reserve(encoded.len() + 2);
        self.put(encoded);
    }
}
