//! How far the inside of a JSON string goes on without anything special.
//!
//! This is where a router spends most of the time that text costs it, so many bytes are looked at at
//! once: 16 of a short string, 64 of a long one. What the special byte means is a matter of `string.rs`.

use crate::serializer::text_if_ascii;

/// The bytes of one step.
const BLOCK: usize = 16;
/// The bytes of one step through a long string.
const LONG_BLOCK: usize = 64;
/// From where on a string is long.
const LONG: usize = 128;

/// The begin of a string's inside, without anything special in it.
pub(super) struct Plain<'a> {
    bytes: &'a [u8],
    /// Whether any of them is beyond ASCII. This module says so, which has looked at each.
    beyond_ascii: bool,
}

impl<'a> Plain<'a> {
    /// Its text, if it is UTF-8.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub(super) fn text(self) -> Result<&'a str, &'static str> {
        // SAFETY: `split_plain` has looked at every one of these bytes.
        unsafe { text_if_ascii(self.bytes, !self.beyond_ascii) }
    }
}

/// What comes before the next quote, backslash or control character, and the bytes from there on.
#[inline(always)]
pub(super) fn split_plain(bytes: &[u8]) -> (Plain<'_>, &[u8]) {
    let (len, beyond_ascii) = plain_len(bytes);
    let (bytes, rest) = bytes.split_at(len);
    (
        Plain {
            bytes,
            beyond_ascii,
        },
        rest,
    )
}

/// How many bytes come before the next quote, backslash or control character, and whether one of
/// them is beyond ASCII.
#[inline]
pub(super) fn plain_len(bytes: &[u8]) -> (usize, bool) {
    let mut rest = bytes;
    let mut highs = 0;
    while let Some((block, behind)) = rest.split_first_chunk() {
        let marks = marks(block);
        if marks.specials != 0 {
            let len = bytes.len() - rest.len() + marks.specials.trailing_zeros() as usize;
            return (len, highs | marks.highs_before_special() != 0);
        }
        highs |= marks.highs;
        rest = behind;
        if bytes.len() - rest.len() == LONG {
            return plain_len_of_long(rest, highs != 0);
        }
    }
    plain_len_of_few(bytes, bytes.len() - rest.len(), highs != 0)
}

/// As [`plain_len`] of a string of which these bytes are behind the first [`LONG`] ones.
// In a function of its own, so that short strings need no registers kept for a call.
#[inline(never)]
fn plain_len_of_long(bytes: &[u8], beyond_ascii: bool) -> (usize, bool) {
    let (blocks, beyond_ascii_in_blocks) = plain_blocks_len(bytes);
    let (len, beyond_ascii_in_rest) = plain_len_of_rest(bytes, blocks);
    (
        LONG + len,
        beyond_ascii | beyond_ascii_in_blocks | beyond_ascii_in_rest,
    )
}

/// As [`plain_len`] from a byte on, behind which there is less than a long block without a special byte.
fn plain_len_of_rest(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut len = start;
    let mut highs = 0;
    for block in bytes[start..].as_chunks().0 {
        let marks = marks(block);
        if marks.specials != 0 {
            len += marks.specials.trailing_zeros() as usize;
            return (len, highs | marks.highs_before_special() != 0);
        }
        highs |= marks.highs;
        len += BLOCK;
    }
    plain_len_of_few(bytes, len, highs != 0)
}

/// As [`plain_len`], for the last bytes, which are fewer than a block.
#[inline(never)]
fn plain_len_of_few(bytes: &[u8], start: usize, mut beyond_ascii: bool) -> (usize, bool) {
    let mut len = start;
    while let Some(&byte) = bytes.get(len)
        && !is_special(byte)
    {
        beyond_ascii |= byte >= 0x80;
        len += 1;
    }
    (len, beyond_ascii)
}

/// As [`plain_len`], for a long string, of which only whole blocks count.
#[allow(unsafe_code)]
fn plain_blocks_len(bytes: &[u8]) -> (usize, bool) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512bw") {
        // SAFETY: this processor has AVX-512 with bytes.
        return unsafe { plain_blocks_len_by_whole_blocks(bytes) };
    }
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: this processor has AVX2.
        return unsafe { plain_blocks_len_by_wide_vectors(bytes) };
    }
    plain_blocks_len_of_any(bytes)
}

/// The loop over a block has no branches, so that the compiler makes it one over vectors.
fn plain_blocks_len_of_any(bytes: &[u8]) -> (usize, bool) {
    let (mut len, mut beyond_ascii) = (0, false);
    for block in bytes.as_chunks::<LONG_BLOCK>().0 {
        let (mut special, mut high) = (false, 0);
        for &byte in block {
            special |= is_special(byte);
            high |= byte;
        }
        if special {
            break;
        }
        beyond_ascii |= high >= 0x80;
        len += LONG_BLOCK;
    }
    (len, beyond_ascii)
}

/// The same with vectors twice as wide as every processor has: a long text takes a third of the time.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
fn plain_blocks_len_by_wide_vectors(bytes: &[u8]) -> (usize, bool) {
    use std::arch::x86_64::{
        __m256i, _mm256_adds_epu8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_xor_si256,
    };
    let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
    // As `rank` does with one byte.
    let rank = |vector| {
        let moved = _mm256_xor_si256(vector, all(b'"' ^ RANK_SPECIAL));
        let backslash = _mm256_xor_si256(vector, all(b'\\'));
        _mm256_min_epu8(moved, _mm256_adds_epu8(backslash, all(RANK_SPECIAL)))
    };
    let (mut len, mut highs) = (0, _mm256_setzero_si256());
    for block in bytes.as_chunks::<LONG_BLOCK>().0 {
        let halves: *const __m256i = block.as_ptr().cast();
        // SAFETY: a block is two vectors, which may be at any address.
        let (first, second) = unsafe {
            (
                _mm256_loadu_si256(halves),
                _mm256_loadu_si256(halves.add(1)),
            )
        };
        let least = _mm256_min_epu8(rank(first), rank(second));
        let specials = _mm256_cmpeq_epi8(least, _mm256_min_epu8(least, all(RANK_SPECIAL)));
        if _mm256_movemask_epi8(specials) != 0 {
            break;
        }
        highs = _mm256_or_si256(highs, _mm256_or_si256(first, second));
        len += LONG_BLOCK;
    }
    (len, _mm256_movemask_epi8(highs) != 0)
}

/// The same with vectors of a block, whose comparisons give a bit for each byte: half the time again.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512bw")]
#[allow(unsafe_code)]
fn plain_blocks_len_by_whole_blocks(bytes: &[u8]) -> (usize, bool) {
    use std::arch::x86_64::{
        _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask,
        _mm512_or_si512, _mm512_set1_epi8, _mm512_setzero_si512,
    };
    let all = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
    let (mut len, mut highs) = (0, _mm512_setzero_si512());
    for block in bytes.as_chunks::<LONG_BLOCK>().0 {
        // SAFETY: a block is one vector, which may be at any address.
        let block = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
        let controls = _mm512_cmplt_epu8_mask(block, all(b' '));
        let quotes = _mm512_cmpeq_epi8_mask(block, all(b'"'));
        let backslashes = _mm512_cmpeq_epi8_mask(block, all(b'\\'));
        if controls | quotes | backslashes != 0 {
            break;
        }
        highs = _mm512_or_si512(highs, block);
        len += LONG_BLOCK;
    }
    (len, _mm512_movepi8_mask(highs) != 0)
}

#[inline(always)]
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Up to where the rank of a special byte goes.
const RANK_SPECIAL: u8 = 0x20;

/// A number that says whether a byte is special in fewer steps than comparing it three times: the quote
/// is put next to the control characters, and the backslash is what a sum does not raise above them.
#[cfg(test)]
const fn rank(byte: u8) -> u8 {
    let moved = byte ^ b'"' ^ RANK_SPECIAL;
    let backslash = (byte ^ b'\\').saturating_add(RANK_SPECIAL);
    if moved < backslash { moved } else { backslash }
}

/// Which bytes of a block are special, and which beyond ASCII: a bit for each, the first the lowest.
struct Marks {
    specials: u32,
    highs: u32,
}

impl Marks {
    /// The bytes beyond ASCII before the first special one, which there is.
    #[inline]
    const fn highs_before_special(&self) -> u32 {
        self.highs & self.specials.wrapping_sub(1) & !self.specials
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[allow(unsafe_code)]
fn marks(block: &[u8; BLOCK]) -> Marks {
    // SAFETY: every processor of this architecture has SSE2.
    unsafe { marks_by_vectors(block) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
fn marks_by_vectors(block: &[u8; BLOCK]) -> Marks {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8, _mm_xor_si128,
    };
    let [low, high] = halves(block);
    let block = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
    // As in `rank`, but the backslash is only a comparison more.
    let moved = _mm_xor_si128(block, _mm_set1_epi8((b'"' ^ RANK_SPECIAL).cast_signed()));
    let least = _mm_min_epu8(moved, _mm_set1_epi8(RANK_SPECIAL.cast_signed()));
    let quotes_and_controls = _mm_cmpeq_epi8(moved, least);
    let backslashes = _mm_cmpeq_epi8(block, _mm_set1_epi8(b'\\'.cast_signed()));
    let specials = _mm_or_si128(quotes_and_controls, backslashes);
    Marks {
        specials: _mm_movemask_epi8(specials).cast_unsigned(),
        highs: _mm_movemask_epi8(block).cast_unsigned(),
    }
}

#[cfg(not(target_arch = "x86_64"))]
use marks_by_words as marks;

/// As `marks`, with nothing but whole numbers.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline]
fn marks_by_words(block: &[u8; BLOCK]) -> Marks {
    let [low, high] = halves(block);
    let (low, high) = (marks_of_word(low), marks_of_word(high));
    Marks {
        specials: low.specials | high.specials << 8,
        highs: low.highs | high.highs << 8,
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline]
fn marks_of_word(word: u64) -> Marks {
    const ONES: u64 = u64::MAX / 0xff;
    const LOWS: u64 = ONES * 0x7f;
    // The highest bit of each byte that is 0, without a carry from one byte to the next.
    let zeros = |word: u64| !(((word & LOWS) + LOWS) | word | LOWS);
    let controls = zeros(word & (ONES * 0xe0));
    let specials =
        controls | zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64));
    // Brings the highest bits together in the highest byte.
    let gather = |bits: u64| ((bits >> 7 & ONES).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32;
    Marks {
        specials: gather(specials),
        highs: gather(word),
    }
}

/// A block as two numbers, the first bytes the lowest.
#[inline]
fn halves(block: &[u8; BLOCK]) -> [u64; 2] {
    let whole = u128::from_le_bytes(*block);
    [whole as u64, (whole >> 64) as u64]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_len_by_bytes(bytes: &[u8]) -> (usize, bool) {
        plain_len_of_few(bytes, 0, false)
    }

    #[test]
    fn a_special_byte_is_found_wherever_it_is() {
        for len in [0, 1, 15, 16, 17, 31, 40, 127, 128, 129, 200, 300] {
            let mut bytes = vec![b'x'; len];
            assert_eq!(plain_len(&bytes), (len, false));
            for at in 0..len {
                for byte in [0, 0x1f, b'"', b'\\', 0x20, b'!', 0x7f, 0x80, 0xff] {
                    bytes[at] = byte;
                    assert_eq!(
                        plain_len(&bytes),
                        plain_len_by_bytes(&bytes),
                        "{byte} at {at}"
                    );
                    for high in [0, at.saturating_sub(1), len - 1] {
                        let before = std::mem::replace(&mut bytes[high], 0xc3);
                        assert_eq!(
                            plain_len(&bytes),
                            plain_len_by_bytes(&bytes),
                            "{byte} at {at}"
                        );
                        bytes[high] = before;
                    }
                }
                bytes[at] = b'x';
            }
        }
    }

    type Way = fn(&[u8]) -> (usize, bool);

    /// The ways to look at a long text that this processor has.
    #[allow(unsafe_code)]
    fn ways() -> Vec<Way> {
        let mut ways: Vec<Way> = vec![plain_blocks_len];
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: this processor has AVX2.
            ways.push(|bytes| unsafe { plain_blocks_len_by_wide_vectors(bytes) });
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx512bw") {
            // SAFETY: this processor has AVX-512 with bytes.
            ways.push(|bytes| unsafe { plain_blocks_len_by_whole_blocks(bytes) });
        }
        ways
    }

    #[test]
    fn long_texts_are_looked_at_alike() {
        let (ways, mut bytes) = (ways(), [b'x'; 4 * LONG_BLOCK]);
        for at in 0..bytes.len() {
            for byte in 0..=u8::MAX {
                bytes[at] = byte;
                let by_bytes = plain_blocks_len_of_any(&bytes);
                for (number, way) in ways.iter().enumerate() {
                    assert_eq!(way(&bytes), by_bytes, "{byte} at {at}, way {number}");
                }
            }
            bytes[at] = b'x';
        }
    }

    #[test]
    fn special_bytes_and_no_others_have_a_low_rank() {
        for byte in 0..=u8::MAX {
            assert_eq!(rank(byte) <= RANK_SPECIAL, is_special(byte), "{byte}");
        }
    }

    #[test]
    fn words_and_vectors_mark_the_same_bytes() {
        for byte in 0..=u8::MAX {
            for at in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[at] = byte;
                block[(at + 1) % BLOCK] = byte ^ 0x80;
                block[(at + 3) % BLOCK] = byte.wrapping_add(1);
                let (one, other) = (marks(&block), marks_by_words(&block));
                assert_eq!(
                    (one.specials, one.highs),
                    (other.specials, other.highs),
                    "{byte}"
                );
                let bits = |is: fn(u8) -> bool| {
                    (0..BLOCK).fold(0, |bits, at| bits | u32::from(is(block[at])) << at)
                };
                assert_eq!(one.specials, bits(is_special));
                assert_eq!(one.highs, bits(|byte| byte >= 0x80));
            }
        }
    }
}
