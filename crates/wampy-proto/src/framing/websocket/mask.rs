//! Masking (RFC 6455, 5.3): XOR with a repeated key of four bytes, in place.

/// Bytes per step; a fixed size lets the compiler use its widest registers.
const BLOCK_BYTES: usize = 32;
/// From how many steps on it pays to look what the processor can do.
const LONG_BLOCKS: usize = 16;
/// Bytes of the last steps.
const HALF_BYTES: usize = BLOCK_BYTES / 2;

/// XORs `data` with `key`, where `data` starts `offset` bytes into the payload.
///
/// Masking and unmasking are the same operation.
#[inline]
pub(super) fn apply(data: &mut [u8], key: [u8; 4], offset: usize) {
    let key = u32::from_le_bytes(key).rotate_right(8 * (offset % 4) as u32);
    let len = data.len();
    let Some(last) = data.last_chunk::<HALF_BYTES>() else {
        return apply_to_few(data, key);
    };
    // What is left behind whole steps is masked together with bytes before it, which were so already:
    // so these are masked beforehand.
    let last = masked(last, key.rotate_right(8 * (len % 4) as u32));
    let (blocks, rest) = data.as_chunks_mut::<BLOCK_BYTES>();
    match blocks.len() < LONG_BLOCKS {
        true => apply_to_blocks(blocks, key),
        false => apply_to_many_blocks(blocks, key),
    }
    if let Some(half) = rest.first_chunk_mut::<HALF_BYTES>() {
        *half = masked(half, key);
    }
    if let Some(place) = data.last_chunk_mut() {
        *place = last;
    }
}

#[inline(always)]
fn apply_to_blocks(blocks: &mut [[u8; BLOCK_BYTES]], key: u32) {
    for block in blocks {
        *block = masked(block, key);
    }
}

#[inline(never)]
#[allow(unsafe_code)]
fn apply_to_many_blocks(blocks: &mut [[u8; BLOCK_BYTES]], key: u32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: this processor has AVX2.
        return unsafe { apply_by_wide_vectors(blocks, key) };
    }
    apply_to_blocks(blocks, key);
}

/// The same with vectors twice as wide as every processor has.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn apply_by_wide_vectors(blocks: &mut [[u8; BLOCK_BYTES]], key: u32) {
    apply_to_blocks(blocks, key);
}

#[inline(always)]
fn masked<const N: usize>(bytes: &[u8; N], key: u32) -> [u8; N] {
    let key = key.to_le_bytes();
    std::array::from_fn(|at| bytes[at] ^ key[at % 4])
}

/// Masks less than the last step.
#[inline]
fn apply_to_few(data: &mut [u8], key: u32) {
    let (words, tail) = data.as_chunks_mut::<4>();
    for word in words {
        *word = masked(word, key);
    }
    for (byte, mask) in tail.iter_mut().zip(key.to_le_bytes()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_payloads_are_masked_byte_by_byte() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for length in 500..700 {
            let mut data: Vec<u8> = (0..length).map(|at| at as u8).collect();
            apply(&mut data, key, 1);
            for (at, byte) in data.iter().enumerate() {
                assert_eq!(*byte, at as u8 ^ key[(at + 1) % 4], "byte {at} of {length}");
            }
        }
    }

    #[test]
    fn every_length_and_offset_is_masked_byte_by_byte() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let payload: Vec<u8> = (0..200).collect();
        for offset in 0..9 {
            for length in 0..payload.len() {
                // Start at every alignment: in front of the data are bytes to be left alone.
                let mut data = payload.clone();
                apply(&mut data[offset..][..length.min(200 - offset)], key, offset);
                for (at, byte) in data.iter().enumerate() {
                    let is_masked = (offset..offset + length).contains(&at);
                    let mask = if is_masked { key[at % 4] } else { 0 };
                    assert_eq!(
                        *byte,
                        at as u8 ^ mask,
                        "byte {at} of {length} from {offset}"
                    );
                }
            }
        }
    }
}
