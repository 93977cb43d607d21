//! The inside of JSON strings: finding the end, checking and resolving escapes.
//!
//! Everything here works on the bytes behind the opening quote and counts from there.

use super::plain::plain_len;
use crate::serializer::{ENDS_TOO_EARLY, text};

const CONTROL: &str = "a control character inside a string";
const ESCAPE: &str = "an unknown escape";
const SURROGATE: &str = "half of a surrogate pair";

/// A string whose end was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanned {
    /// The bytes before the closing quote.
    pub(super) len: usize,
    /// Whether there are bytes beyond ASCII, not yet checked to be UTF-8.
    pub(super) beyond_ascii: bool,
}

/// Finds the closing quote and checks all but UTF-8: the escapes are valid.
pub(super) fn scan(bytes: &[u8]) -> Result<Scanned, &'static str> {
    let mut scanned = Scanned {
        len: 0,
        beyond_ascii: false,
    };
    loop {
        let (plain, beyond_ascii) = plain_len(&bytes[scanned.len..]);
        scanned.len += plain;
        scanned.beyond_ascii |= beyond_ascii;
        match bytes.get(scanned.len) {
            Some(b'"') => return Ok(scanned),
            Some(b'\\') => {
                scanned.len += escape(&bytes[scanned.len..])?.1;
            }
            Some(_) => return Err(CONTROL),
            None => return Err(ENDS_TOO_EARLY),
        }
    }
}

/// Resolves the escapes of a string that [`scan`] has found.
pub(super) fn unescape(mut bytes: &[u8]) -> Result<String, &'static str> {
    let mut whole = String::with_capacity(bytes.len());
    while let Some(plain) = bytes.iter().position(|&byte| byte == b'\\') {
        whole.push_str(text(&bytes[..plain])?);
        let (resolved, len) = escape(&bytes[plain..])?;
        whole.push(resolved);
        bytes = &bytes[plain + len..];
    }
    whole.push_str(text(bytes)?);
    Ok(whole)
}

/// The character that the escape at the begin of `bytes` stands for, and the escape's length.
fn escape(bytes: &[u8]) -> Result<(char, usize), &'static str> {
    let resolved = match bytes.get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes),
        Some(_) => return Err(ESCAPE),
        None => return Err(ENDS_TOO_EARLY),
    };
    Ok((resolved, 2))
}

fn unicode_escape(bytes: &[u8]) -> Result<(char, usize), &'static str> {
    let first = hex4(bytes.get(2..6))?;
    match first {
        0xd800..=0xdbff => {
            if bytes.get(6..8).is_some_and(|next| next != br"\u") {
                return Err(SURROGATE);
            }
            let second = hex4(bytes.get(8..12))?;
            if !(0xdc00..=0xdfff).contains(&second) {
                return Err(SURROGATE);
            }
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            char::from_u32(code)
                .map(|resolved| (resolved, 12))
                .ok_or(SURROGATE)
        }
        _ => char::from_u32(first)
            .map(|resolved| (resolved, 6))
            .ok_or(SURROGATE),
    }
}

fn hex4(digits: Option<&[u8]>) -> Result<u32, &'static str> {
    digits
        .ok_or(ENDS_TOO_EARLY)?
        .iter()
        .try_fold(0, |code, &digit| {
            char::from(digit)
                .to_digit(16)
                .map(|digit| code << 4 | digit)
                .ok_or(ESCAPE)
        })
}
