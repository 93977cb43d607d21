//! A reader of JSON text.

use memchr::memchr2;

use super::Cursor;

/// Containers inside options and details at most.
const DEPTH_MAX: usize = 64;

pub struct Json<'a> {
    pub bytes: &'a [u8],
}

impl<'a> Json<'a> {
    /// The next octet that means something. A comma only separates, so it is passed over as well.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\r' | b'\n' | b',', rest @ ..] = self.bytes {
            self.bytes = rest;
        }
        self.bytes.first().copied()
    }

    fn advance(&mut self, octets: usize) {
        self.bytes = &self.bytes[octets..];
    }
}

impl<'a> Cursor<'a> for Json<'a> {
    fn open_array(&mut self) -> Option<()> {
        (self.peek()? == b'[').then(|| self.advance(1))
    }

    fn unsigned(&mut self) -> Option<u64> {
        self.peek()?;
        let digits = self
            .bytes
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        let (number, rest) = self.bytes.split_at(digits);
        if digits == 0 || digits > 19 || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.bytes = rest;
        Some(
            number
                .iter()
                .fold(0, |value, digit| value * 10 + u64::from(digit - b'0')),
        )
    }

    /// The raw text between the quotes. Escapes stay as they are: the generator sends none.
    fn string(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let text = &self.bytes[1..];
        let mut end = 0;
        loop {
            end += memchr2(b'"', b'\\', text.get(end..)?)?;
            if text[end] == b'"' {
                break;
            }
            end += 2;
        }
        self.bytes = &text[end + 1..];
        Some(&text[..end])
    }

    fn skip(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'[' | b'{' => {
                    depth += 1;
                    self.advance(1);
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.advance(1);
                }
                b':' => self.advance(1),
                _ => self.skip_scalar()?,
            }
            if depth > DEPTH_MAX {
                return None;
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

impl Json<'_> {
    /// Passes over a number, `true`, `false` or `null`.
    fn skip_scalar(&mut self) -> Option<()> {
        let scalar =
            |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'+' | b'.');
        let length = self.bytes.iter().take_while(|octet| scalar(octet)).count();
        self.advance(length);
        (length > 0).then_some(())
    }
}
