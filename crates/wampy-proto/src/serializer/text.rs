//! Whether bytes are text, and the text that they are.
//!
//! Nearly all text of a message is short and ASCII, for which a look at every byte's highest bit does.
//! Deliberately absent: finding where text ends, which is a matter of each serializer.

use super::NOT_UTF8;

/// What every byte beyond ASCII has.
const HIGHS: u64 = (u64::MAX / 0xff) << 7;
const WIDE_HIGHS: u128 = (u128::MAX / 0xff) << 7;

/// From how many blocks on the standard library's check is the faster one.
const BLOCKS_MAX: usize = 16;

/// The text that `bytes` are.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    // SAFETY: they have just been looked at.
    unsafe { text_if_ascii(bytes, is_ascii(bytes)) }
}

/// Whether `bytes` are text.
#[inline(always)]
pub(super) fn is_text(bytes: &[u8]) -> bool {
    is_ascii(bytes) || other_text(bytes).is_ok()
}

/// The text that `bytes` are, if they are ASCII as somebody who has looked at each of them says.
///
/// The standard library's check of a short text takes about a hundred instructions, a quarter of all
/// that decoding a message needs.
///
/// # Safety
/// Where `is_ascii` is true, no byte may be beyond ASCII.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) unsafe fn text_if_ascii(bytes: &[u8], is_ascii: bool) -> Result<&str, &'static str> {
    debug_assert!(!is_ascii || bytes.is_ascii());
    match is_ascii {
        // SAFETY: each byte of ASCII is a character of UTF-8, and the caller vouches that these are.
        true => Ok(unsafe { std::str::from_utf8_unchecked(bytes) }),
        false => other_text(bytes),
    }
}

/// The text that `bytes` are, which go beyond ASCII.
#[inline(never)]
fn other_text(bytes: &[u8]) -> Result<&str, &'static str> {
    simdutf8::basic::from_utf8(bytes).map_err(|_| NOT_UTF8)
}

/// Whether no byte is beyond ASCII. The first and the last bytes of a short text may overlap.
#[inline(always)]
fn is_ascii(bytes: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let ends = u128::from_ne_bytes(*first) | u128::from_ne_bytes(*last);
        let is_short = bytes.len() <= 2 * size_of::<u128>();
        return ends & WIDE_HIGHS == 0 && (is_short || is_long_ascii(bytes));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_ne_bytes(*first) | u64::from_ne_bytes(*last)) & HIGHS == 0;
    }
    bytes.iter().fold(0, |all, byte| all | byte) < 0x80
}

/// Whether no byte is beyond ASCII but for the last ones, which have been looked at: fewer than a block.
#[inline(never)]
fn is_long_ascii(bytes: &[u8]) -> bool {
    const BLOCK: usize = size_of::<u128>();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    if blocks.len() > BLOCKS_MAX {
        return bytes[..bytes.len() - rest.len()].is_ascii();
    }
    let all = blocks
        .iter()
        .fold(0, |all, block| all | u128::from_ne_bytes(*block));
    all & WIDE_HIGHS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_beyond_ascii_is_seen_wherever_it_is() {
        for len in (0..100).chain(250..300) {
            let mut bytes = vec![b'x'; len];
            assert!(is_ascii(&bytes) && is_text(&bytes));
            assert_eq!(text(&bytes).map(str::len), Ok(len));
            for at in 0..len {
                bytes[at] = 0x80;
                assert!(!is_ascii(&bytes) && !is_text(&bytes), "byte {at} of {len}");
                assert_eq!(text(&bytes), Err(NOT_UTF8));
                bytes[at] = 0x7f;
            }
        }
        assert_eq!(text("xü".as_bytes()), Ok("xü"));
        assert!(is_text("€".repeat(50).as_bytes()));
    }
}
