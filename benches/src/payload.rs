//! The string argument of every message, so made that each one can be told from all others: 4 hex
//! digits for the stream (caller or publisher), 12 for the sequence number, then a fixed pattern.

/// Bytes that identify a message.
pub const PAYLOAD_BYTES_MIN: usize = 16;

/// Largest payload: with envelope and header it still fits the 16 MiB of a RawSocket frame.
pub const PAYLOAD_BYTES_MAX: usize = (1 << 24) - 1024;

/// Sequence numbers fit into 12 hex digits.
const SEQUENCE_BITS: u32 = 48;

/// The identifying start of a payload.
pub type Head = [u8; PAYLOAD_BYTES_MIN];

/// The head of message number `sequence` of a stream.
pub fn head(stream: u16, sequence: u64) -> Head {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut value = (u64::from(stream) << SEQUENCE_BITS) | sequence;
    let mut head = [0; PAYLOAD_BYTES_MIN];
    for digit in head.iter_mut().rev() {
        *digit = DIGITS[(value & 15) as usize];
        value >>= 4;
    }
    head
}

/// What follows the head, again and again.
const PATTERN: &[u8] = b"the quick brown fox jumps over the lazy dog; ";

/// The filler is compared in parts of this length, all of which are the same: so the expected bytes
/// stay in the fastest cache. A multiple of the pattern's length.
const PART_BYTES: usize = 90 * PATTERN.len();

/// The pattern that follows the head in a payload of this length.
pub fn filler(payload_bytes: usize) -> Vec<u8> {
    PATTERN
        .iter()
        .copied()
        .cycle()
        .take(payload_bytes.saturating_sub(PAYLOAD_BYTES_MIN))
        .collect()
}

/// Stream and sequence number of a payload; `None` if any byte is not as it was sent.
pub fn check(payload: &[u8], filler: &[u8]) -> Option<(u16, u64)> {
    let (head, rest) = payload.split_first_chunk::<PAYLOAD_BYTES_MIN>()?;
    if !is_filler(rest, filler) {
        return None;
    }
    let mut value = 0u64;
    for byte in head {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        value = (value << 4) | u64::from(digit);
    }
    Some((
        (value >> SEQUENCE_BITS) as u16,
        value & ((1 << SEQUENCE_BITS) - 1),
    ))
}

/// Whether these bytes are the filler.
fn is_filler(bytes: &[u8], filler: &[u8]) -> bool {
    bytes.len() == filler.len()
        && bytes
            .chunks(PART_BYTES)
            .all(|part| part == &filler[..part.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_tells_stream_and_sequence() {
        for (stream, sequence) in [(0, 0), (1, 1), (0xffff, (1 << 48) - 1), (77, 123_456_789)] {
            let filler = filler(100);
            let payload = [&head(stream, sequence)[..], &filler].concat();
            assert_eq!(payload.len(), 100);
            assert_eq!(check(&payload, &filler), Some((stream, sequence)));
        }
    }

    #[test]
    fn a_payload_with_any_byte_changed_is_not_taken_for_the_same() {
        let filler = filler(10_000);
        let payload = [&head(3, 9)[..], &filler].concat();
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 0x40;
            assert_ne!(check(&changed, &filler), Some((3, 9)), "byte {at}");
        }
        assert_eq!(check(&payload[..9_999], &filler), None);
        assert_eq!(check(&payload[..8], b""), None);
    }
}
