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
        let compressed_bytes = with_compressor(window_bits, |it| compress(it, payload, room));
        match compressed_bytes.flatten() {
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

/// Compresses a whole message; how many bytes it has become, if it fits into `room`.
fn compress(compressor: &mut Compress, payload: &[u8], room: &mut [u8]) -> Option<usize> {
    compressor.reset();
    compressor
        .compress(payload, room, FlushCompress::Sync)
        .ok()?;
    let is_whole = compressor.total_in() == payload.len() as u64;
    let bytes = usize::try_from(compressor.total_out()).ok()?;
    // Without a free byte there may be more to come.
    let written = room.get(..bytes).filter(|it| it.len() < room.len())?;
    let message = written.strip_suffix(&FLUSH_END)?;
    is_whole.then_some(message.len())
}

/// Calls `run` with this thread's compressor for a window; `None` if the thread is ending.
fn with_compressor<T>(window_bits: u8, run: impl FnOnce(&mut Compress) -> T) -> Option<T> {
    thread_local! {
        static COMPRESSORS: RefCell<[Option<Box<Compress>>; WINDOWS]> = RefCell::default();
    }
    let borrowed = COMPRESSORS.try_with(|compressors| {
        let mut compressors = compressors.try_borrow_mut().ok()?;
        let place = compressors.get_mut(usize::from(window_bits - WINDOW_BITS_MIN))?;
        let make = || Compress::new_with_window_bits(Compression::new(LEVEL), false, window_bits);
        Some(run(place.get_or_insert_with(|| Box::new(make()))))
    });
    borrowed.ok().flatten()
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

    #[test]
    fn what_would_not_shrink_stays() {
        let mut seed = 1u32;
        let noise: Vec<u8> = (0..5000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        assert_eq!(compressed(None, &noise), None);
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
