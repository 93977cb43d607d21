//! Steps over whole values of JSON.
//!
//! This is what a router does with every payload, so it only says yes or no; what is wrong with a
//! value, its tokens tell.

use super::number::{may_be_infinite, number_len};
use super::plain::plain_len;
use super::string::scan;
use crate::serializer::{Reader, is_text, json::JsonReader};

/// The bytes without the whitespace at their begin. There is none, mostly.
#[inline(always)]
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    match bytes {
        [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] => trim_more(rest),
        _ => bytes,
    }
}

/// The same behind a first byte of whitespace.
#[inline(never)]
fn trim_more(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// The bytes behind the first value of `bytes`, which may have `depth` levels of lists and maps;
/// `None` if it is malformed. No whitespace may come before it.
pub(super) fn skip_value(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    match bytes {
        [b'"', inside @ ..] => skip_string(inside),
        [b'0'..=b'9' | b'-', ..] => skip_number(bytes),
        [b'{', inside @ ..] => skip_map(trim(inside), depth),
        [b'[', inside @ ..] => skip_list(trim(inside), depth),
        [b't', b'r', b'u', b'e', rest @ ..] => Some(rest),
        [b'f', b'a', b'l', b's', b'e', rest @ ..] => Some(rest),
        [b'n', b'u', b'l', b'l', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The bytes behind a list of which these are the inside, without whitespace before it.
pub(super) fn skip_list(mut bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    if let [b']', rest @ ..] = bytes {
        return Some(rest);
    }
    loop {
        // Texts are most of what is in lists.
        let behind = match bytes {
            [b'"', inside @ ..] => skip_string(inside)?,
            _ => skip_value(bytes, depth)?,
        };
        match trim(behind) {
            [b',', rest @ ..] => bytes = trim(rest),
            [b']', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

fn skip_map(mut bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    if let [b'}', rest @ ..] = bytes {
        return Some(rest);
    }
    loop {
        let inside = bytes.strip_prefix(b"\"")?;
        let value = trim(skip_string(inside)?).strip_prefix(b":")?;
        match trim(skip_value(trim(value), depth)?) {
            [b',', rest @ ..] => bytes = trim(rest),
            [b'}', rest @ ..] => return Some(rest),
            _ => return None,
        }
    }
}

/// Steps over the inside of a string and its closing quote.
#[inline]
fn skip_string(inside: &[u8]) -> Option<&[u8]> {
    let (len, beyond_ascii) = plain_len(inside);
    match inside.get(len..) {
        Some([b'"', rest @ ..]) if !beyond_ascii => Some(rest),
        _ => skip_odd_string(inside),
    }
}

/// Steps over a string that has escapes, or characters beyond ASCII.
fn skip_odd_string(inside: &[u8]) -> Option<&[u8]> {
    let scanned = scan(inside).ok()?;
    let (text, rest) = inside.split_at_checked(scanned.len)?;
    (!scanned.beyond_ascii || is_text(text)).then(|| rest.get(1..))?
}

#[inline]
fn skip_number(bytes: &[u8]) -> Option<&[u8]> {
    let (len, _) = number_len(bytes)?;
    let (number, rest) = bytes.split_at_checked(len)?;
    if may_be_infinite(number) {
        JsonReader::new(number).token().ok()?;
    }
    Some(rest)
}
