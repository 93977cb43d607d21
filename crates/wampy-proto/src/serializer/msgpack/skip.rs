//! Steps over whole values of MessagePack.
//!
//! This is what a router does with every payload, so it only says yes or no; what is wrong with a
//! value, its tokens tell.

use crate::serializer::is_text;

/// The bytes behind the first value of `bytes`, which may have `depth` levels of lists and maps;
/// `None` if it is malformed.
pub(super) fn skip_value(bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Some(rest),
        0xa0..=0xbf => skip_text(usize::from(first & 0x1f), rest),
        0x80..=0x8f => skip_pairs(usize::from(first & 0x0f), rest, depth),
        0x90..=0x9f => skip_elements(usize::from(first & 0x0f), rest, depth),
        0xcc | 0xd0 => rest.get(1..),
        0xcd | 0xd1 => rest.get(2..),
        0xca | 0xce | 0xd2 => rest.get(4..),
        0xcb | 0xcf | 0xd3 => rest.get(8..),
        0xd4 => rest.strip_prefix(&super::UNDEFINED),
        0xc1 | 0xc7..=0xc9 | 0xd5..=0xd8 => None,
        0xc4..=0xc6 | 0xd9..=0xdf => skip_long(first, rest, depth),
    }
}

/// Steps over what `first` begins, a value with a length of its own.
fn skip_long(first: u8, rest: &[u8], depth: usize) -> Option<&[u8]> {
    let (len, rest) = match first {
        0xc4 | 0xd9 => {
            let (&len, rest) = rest.split_first()?;
            (usize::from(len), rest)
        }
        0xc5 | 0xda | 0xdc | 0xde => {
            let (len, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        _ => {
            let (len, rest) = rest.split_first_chunk()?;
            (u32::from_be_bytes(*len) as usize, rest)
        }
    };
    match first {
        0xc4..=0xc6 => rest.get(len..),
        0xd9..=0xdb => skip_text(len, rest),
        0xdc | 0xdd => skip_elements(len, rest, depth),
        _ => skip_pairs(len, rest, depth),
    }
}

#[inline(always)]
fn skip_text(len: usize, bytes: &[u8]) -> Option<&[u8]> {
    let (text, rest) = bytes.split_at_checked(len)?;
    is_text(text).then_some(rest)
}

/// Steps over the elements of a list. What many of them are takes no call.
pub(super) fn skip_elements(len: usize, mut bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    for _ in 0..len {
        bytes = match bytes {
            [first @ 0xa0..=0xbf, rest @ ..] => skip_text(usize::from(first & 0x1f), rest)?,
            [0x00..=0x7f, rest @ ..] => rest,
            _ => skip_value(bytes, depth)?,
        };
    }
    Some(bytes)
}

fn skip_pairs(len: usize, mut bytes: &[u8], depth: usize) -> Option<&[u8]> {
    let depth = depth.checked_sub(1)?;
    for _ in 0..len {
        bytes = skip_key(bytes)?;
        bytes = skip_value(bytes, depth)?;
    }
    Some(bytes)
}

#[inline]
fn skip_key(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [first @ 0xa0..=0xbf, rest @ ..] => skip_text(usize::from(first & 0x1f), rest),
        [0xd9..=0xdb | 0x00..=0x7f | 0xcc..=0xd3 | 0xe0..=0xff, ..] => skip_value(bytes, 0),
        _ => None,
    }
}
