//! The begin of a message in the binary serializers: put together in an array, appended in one piece.
//!
//! In both a whole number is a first byte, which says how many bytes follow, and these, the highest first.
//! Deliberately absent: what the first byte looks like, which differs.

/// Room for the begin of a message.
pub(super) const HEAD_BYTES: usize = 32;

/// The most bytes of a whole number.
pub(super) const NUMBER_BYTES_MAX: usize = 9;

/// Puts `first` and the lowest `len` bytes of `value` at `head[at..]`; returns where they end. Something
/// may be behind that.
#[inline(always)]
pub(super) fn put_number(
    head: &mut [u8; HEAD_BYTES],
    at: usize,
    first: u8,
    len: usize,
    value: u64,
) -> usize {
    let aligned = value.rotate_right(8 * len as u32);
    if let Some([place, rest @ ..]) = head.get_mut(at..at + NUMBER_BYTES_MAX) {
        *place = first;
        rest.copy_from_slice(&aligned.to_be_bytes());
    }
    at + 1 + len
}

/// Appends the first `len` bytes of `head`.
#[inline(always)]
pub(super) fn append_head(out: &mut Vec<u8>, head: &[u8; HEAD_BYTES], len: usize) {
    let start = out.len();
    // All of it, because a copy of a fixed size is a few instructions.
    out.extend_from_slice(head);
    out.truncate(start + len);
}
