//! Steps over whole values of CBOR.
//!
//! This is what a router does with every payload, so it only says yes or no; what is wrong with a
//! value, its tokens tell. What is rare is left to the tokens altogether.

use super::{BREAK_BYTE, BYTES, CborReader, INDEFINITE, LIST, MAP, NEGATIVE, TAG, TEXT, UNSIGNED};
use crate::serializer::{Reader, is_text};

/// The bytes behind the first value of `bytes`, which may have `depth` levels of lists and maps;
/// `None` if it is malformed.
pub(super) fn skip_value(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0x00..=0x17 | 0x20..=0x37 | 0xf4..=0xf7 => Some(rest),
        0x60..=0x77 => skip_text(u64::from(first & 0x1f), rest),
        0x80..=0x97 => skip_container(first >> 5, Some(u64::from(first & 0x1f)), rest, depth),
        0xa0..=0xb7 => skip_container(first >> 5, Some(u64::from(first & 0x1f)), rest, depth),
        0xf9 => rest.get(2..),
        0xfa => rest.get(4..),
        0xfb => rest.get(8..),
        _ => skip_long(bytes, depth),
    }
}

/// Steps over a value with an argument of its own, or behind tags.
fn skip_long(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (major, len, rest) = split_head(bytes)?;
    match major {
        UNSIGNED | NEGATIVE => Some(rest),
        BYTES => match len {
            Some(len) => rest.get(usize::try_from(len).ok()?..),
            None => skip_chunks(BYTES, rest),
        },
        TEXT => match len {
            Some(len) => skip_text(len, rest),
            None => skip_chunks(TEXT, rest),
        },
        LIST | MAP => skip_container(major, len, rest, depth),
        TAG => skip_tagged(bytes, depth),
        // Major type 7: all that has a meaning is stepped over already.
        _ => None,
    }
}

/// The major type of a value, its argument (`None` for an indefinite length), and what follows.
#[inline]
fn split_head(bytes: &[u8]) -> Option<(u8, Option<u64>, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (argument, rest) = match first & 0x1f {
        info @ 0..=23 => (info.into(), rest),
        24 => rest
            .split_first()
            .map(|(&argument, rest)| (argument.into(), rest))?,
        25 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u16::from_be_bytes(*be).into(), rest))?,
        26 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u32::from_be_bytes(*be).into(), rest))?,
        27 => rest
            .split_first_chunk()
            .map(|(be, rest)| (u64::from_be_bytes(*be), rest))?,
        INDEFINITE if (BYTES..=MAP).contains(&(first >> 5)) => {
            return Some((first >> 5, None, rest));
        }
        _ => return None,
    };
    Some((first >> 5, Some(argument), rest))
}

#[inline(always)]
fn skip_text(len: u64, bytes: &[u8]) -> Option<&[u8]> {
    let (text, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    is_text(text).then_some(rest)
}

/// Steps over the chunks of a string of indefinite length, and its end.
fn skip_chunks(wanted: u8, mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        if let [BREAK_BYTE, rest @ ..] = bytes {
            return Some(rest);
        }
        let (major, len, rest) = split_head(bytes)?;
        let (chunk, rest) = rest.split_at_checked(usize::try_from(len?).ok()?)?;
        if major != wanted || (wanted == TEXT && !is_text(chunk)) {
            return None;
        }
        bytes = rest;
    }
}

fn skip_container(
    major: u8,
    mut len: Option<u64>,
    mut bytes: &[u8],
    depth: usize,
) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    loop {
        match &mut len {
            Some(0) => return Some(bytes),
            Some(left) => *left -= 1,
            None => {
                if let [BREAK_BYTE, rest @ ..] = bytes {
                    return Some(rest);
                }
            }
        }
        if major == MAP {
            bytes = skip_key(bytes)?;
        }
        bytes = skip_value(bytes, depth)?;
    }
}

#[inline]
fn skip_key(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [first @ 0x60..=0x77, rest @ ..] => skip_text(u64::from(first & 0x1f), rest),
        _ => {
            let mut reader = CborReader::new(bytes);
            reader.key().ok()?;
            bytes.get(reader.offset()..)
        }
    }
}

/// Steps over tags, of which only the last can matter, and the value behind them.
#[cold]
fn skip_tagged(mut bytes: &[u8], depth: usize) -> Option<&[u8]> {
    loop {
        let (_, tag, rest) = split_head(bytes)?;
        if rest.first()? >> 5 == TAG {
            bytes = rest;
        } else if matches!(tag, Some(2 | 3)) {
            let mut reader = CborReader::new(bytes);
            reader.token().ok()?;
            return bytes.get(reader.offset()..);
        } else {
            return skip_value(rest, depth);
        }
    }
}
