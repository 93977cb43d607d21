//! Compressing messages (RFC 7692, permessage-deflate).
//!
//! What two sides agree upon is a [`Deflate`]. No message builds on an earlier one (neither side
//! takes its context over), so a connection holds no compressor: each thread has one for each size
//! of the window, made when it is first needed. The same message also becomes the same bytes for
//! every receiver, and a frame can be shared.
//!
//! Deliberately absent: a choice of the level, and context takeover. It would compress small
//! messages better, at some hundred kilobytes for each connection.

use flate2::{Compress, Compression, FlushCompress};
use std::cell::RefCell;

/// Messages shorter than this are sent as they are: they gain little, and resetting a compressor
/// takes a few microseconds.
pub const COMPRESSED_BYTES_MIN: usize = 512;

/// The effort of compressing, from 1 to 9: messages wait for it, so it is small.
const LEVEL: u32 = 1;

/// What ends every flushed DEFLATE stream, and is left out on the wire (RFC 7692, 7.2.1).
pub(super) const FLUSH_END: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Sizes of the window that the compressor has: 2^9 to 2^15 bytes.
const WINDOW_BITS_MIN: u8 = 9;
const WINDOW_BITS_MAX: u8 = 15;
const WINDOWS: usize = (WINDOW_BITS_MAX - WINDOW_BITS_MIN + 1) as usize;

/// Compression that both sides have agreed upon, for the messages of this side. Those of the other
/// side are decompressed with the largest window, whatever it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deflate {
    /// The largest window that the other side allows, as the binary logarithm of its bytes, from 8
    /// to 15; `None` if it said nothing, which means 15.
    pub window_bits_max: Option<u8>,
}

impl Deflate {
    /// The window to compress with; `None` if nothing may be compressed: zlib has no window of 256
    /// bytes, and each message may also be sent as it is.
    pub(super) fn window_bits(self) -> Option<u8> {
        let bits = self.window_bits_max.unwrap_or(WINDOW_BITS_MAX);
        (WINDOW_BITS_MIN..=WINDOW_BITS_MAX)
            .contains(&bits)
            .then_some(bits)
    }

    /// Whether this compresses like everybody who has no wishes, so that frames can be shared.
    pub(super) fn is_common(self) -> bool {
        self.window_bits() == Some(WINDOW_BITS_MAX)
    }

    /// Compresses the message at the end of `out`, which begins at `from`, in its place. `false` if
    /// it is left as it is, because it is short or would not shrink.
    pub(super) fn compress(self, from: usize, out: &mut Vec<u8>) -> bool {
        let end = out.len();
        let payload_bytes = end.saturating_sub(from);
        let Some(window_bits) = self.window_bits() else {
            return false;
        };
        if payload_bytes < COMPRESSED_BYTES_MIN {
            return false;
        }
        // The room behind the message is as large as the message: what does not fit is no gain.
        out.resize(end + payload_bytes, 0);
        let (payload, room) = out[from..].split_at_mut(payload_bytes);
        match compress(window_bits, payload, room) {
            Some(bytes) => {
                out.copy_within(end..end + bytes, from);
                out.truncate(from + bytes);
                true
            }
            None => {
                out.truncate(end);
                false
            }
        }
    }
}

/// Compresses a whole message with this thread's compressor; how many bytes it has become, if it
/// fits into `room` with a byte to spare, without which there might be more to come.
fn compress(window_bits: u8, payload: &[u8], room: &mut [u8]) -> Option<usize> {
    let mut compressor = take_compressor(window_bits);
    compressor.reset();
    compressor
        .compress(payload, room, FlushCompress::Sync)
        .ok()?;
    let bytes = usize::try_from(compressor.total_out()).ok()?;
    if bytes >= room.len() || compressor.total_in() != payload.len() as u64 {
        // The compressor is not given back: zlib-rs 0.6.8 does not forget on `reset` that output
        // was left over, and panics later.
        return None;
    }
    give_back_compressor(window_bits, compressor);
    room[..bytes].strip_suffix(&FLUSH_END).map(<[u8]>::len)
}

thread_local! {
    /// This thread's compressors, one for each size of the window, of about 270 KiB.
    static COMPRESSORS: RefCell<[Option<Box<Compress>>; WINDOWS]> = RefCell::default();
}

fn take_compressor(window_bits: u8) -> Box<Compress> {
    let place = usize::from(window_bits - WINDOW_BITS_MIN);
    // Also where the thread is ending and keeps none any more.
    let kept = COMPRESSORS.try_with(|kept| kept.try_borrow_mut().ok()?.get_mut(place)?.take());
    kept.ok().flatten().unwrap_or_else(|| {
        let level = Compression::new(LEVEL);
        Box::new(Compress::new_with_window_bits(level, false, window_bits))
    })
}

fn give_back_compressor(window_bits: u8, compressor: Box<Compress>) {
    let place = usize::from(window_bits - WINDOW_BITS_MIN);
    let _ = COMPRESSORS.try_with(|kept| {
        if let Ok(mut kept) = kept.try_borrow_mut()
            && let Some(kept) = kept.get_mut(place)
        {
            *kept = Some(compressor);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> Vec<u8> {
        let words = (0..).flat_map(|word| format!("\"word {word}\", ").into_bytes());
        words.take(bytes).collect()
    }

    fn compressed(window_bits_max: Option<u8>, payload: &[u8]) -> Option<Vec<u8>> {
        let mut out = [b"before", payload].concat();
        let is_compressed = Deflate { window_bits_max }.compress(6, &mut out);
        assert!(out.starts_with(b"before"));
        let written = out.split_off(6);
        if !is_compressed {
            assert_eq!(written, payload, "what is not compressed stays as it was");
        }
        is_compressed.then_some(written)
    }

    #[test]
    fn messages_from_the_threshold_on_shrink_and_shorter_ones_stay() {
        assert_eq!(compressed(None, &text(COMPRESSED_BYTES_MIN - 1)), None);
        let shrunk = compressed(None, &text(COMPRESSED_BYTES_MIN));
        assert!(shrunk.is_some_and(|it| it.len() < COMPRESSED_BYTES_MIN));
    }

    /// Of more than 64 KiB, so that output is left over within the compressor, and again and again,
    /// so that a compressor that was spoiled by this would show.
    #[test]
    fn what_would_not_shrink_stays() {
        let mut seed = 1u32;
        let noise: Vec<u8> = (0..100_000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        let shrunk = compressed(None, &text(4000));
        for bytes in [512, 5000, 65_536, 100_000] {
            for _ in 0..8 {
                assert_eq!(compressed(None, &noise[..bytes]), None);
            }
        }
        assert_eq!(compressed(None, &text(4000)), shrunk);
    }

    #[test]
    fn no_message_depends_on_the_one_before() {
        let first = compressed(None, &text(4000));
        assert!(compressed(None, &text(70_000)).is_some());
        assert_eq!(compressed(None, &text(4000)), first);
    }

    #[test]
    fn a_window_of_256_bytes_is_never_compressed_for() {
        assert_eq!(compressed(Some(8), &text(4000)), None);
        assert!(compressed(Some(9), &text(4000)).is_some());
        assert_eq!(
            compressed(Some(15), &text(4000)),
            compressed(None, &text(4000))
        );
    }
}
