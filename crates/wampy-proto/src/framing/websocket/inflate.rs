//! Decompressing messages (RFC 7692, 7.2.2), as far as a limit allows.
//!
//! An [`Inflater`] lives as long as the message that it decompresses; in between, a few wait in the
//! thread for the next one, so an idle connection holds none.
//!
//! Deliberately absent: context takeover, and windows smaller than the largest, which can
//! decompress everything.

use super::deflate::FLUSH_END;
use crate::framing::FramingError;
use flate2::{Decompress, FlushDecompress, Status};
use std::cell::RefCell;

/// The least room that is made for decompressed bytes at once.
const ROOM_BYTES_MIN: usize = 1 << 10;
/// The most room that is made at once because of the size of what is compressed.
const ROOM_BYTES_MAX: usize = 64 << 10;
/// How many bytes of a message usually become one.
const EXPANSION: usize = 4;
/// The most decompressors, of about 50 KiB, that a thread keeps for later messages.
const SPARE_MAX: usize = 4;
/// A DEFLATE block that is empty and final.
const FINAL_BLOCK: [u8; 2] = [0x03, 0x00];

thread_local! {
    static SPARE: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// The largest frame that makes sense as a part of a message of `message_bytes_max` bytes: what
/// cannot be compressed grows instead, by an eighth at most and some bytes for each block.
pub(super) fn frame_bytes_max(message_bytes_max: usize) -> usize {
    message_bytes_max.saturating_add(message_bytes_max / 4 + 64)
}

/// Decompresses one message.
#[derive(Debug)]
pub(super) struct Inflater {
    stream: Decompress,
    /// Whether no DEFLATE stream is under way: in the beginning, and behind a final block, which
    /// may also come within a message (RFC 7692, 7.2.3.4).
    is_between_streams: bool,
}

impl Inflater {
    /// A decompressor for a new message.
    pub(super) fn take() -> Self {
        let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
        let make = || Decompress::new(false);
        Self {
            stream: spare.ok().flatten().unwrap_or_else(make),
            is_between_streams: true,
        }
    }

    /// Decompresses the next part of a message and appends it to `message`.
    pub(super) fn inflate(
        &mut self,
        part: &[u8],
        message: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<(), FramingError> {
        let mut rest = part;
        while !rest.is_empty() {
            if self.is_between_streams {
                self.stream.reset(false);
                self.is_between_streams = false;
            }
            rest = self.advance(rest, message, bytes_max)?;
        }
        Ok(())
    }

    /// Decompresses up to the end of `rest` or of the DEFLATE stream; returns what is left over.
    fn advance<'a>(
        &mut self,
        mut rest: &'a [u8],
        message: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<&'a [u8], FramingError> {
        loop {
            make_room(rest.len(), message, bytes_max);
            let consumed_before = self.stream.total_in();
            let status = self
                .stream
                .decompress_vec(rest, message, FlushDecompress::None)
                .map_err(|_| FramingError::Deflate)?;
            let consumed = (self.stream.total_in() - consumed_before) as usize;
            rest = &rest[consumed..];
            if message.len() > bytes_max {
                let bytes = message.len() as u64;
                return Err(FramingError::MessageTooLarge { bytes, bytes_max });
            }
            if status == Status::StreamEnd {
                self.is_between_streams = true;
                return Ok(rest);
            }
            let has_room = message.len() < message.capacity();
            match (has_room, rest) {
                (true, []) => return Ok(rest),
                // Not reached: with input and room a decompressor goes on or fails.
                (true, _) if consumed == 0 => return Err(FramingError::Deflate),
                // Without room there may be more to come, even if all input was taken.
                _ => {}
            }
        }
    }

    /// Ends the message.
    pub(super) fn finish(
        mut self,
        message: &mut Vec<u8>,
        bytes_max: usize,
    ) -> Result<(), FramingError> {
        // Behind a final block nothing is missing. Otherwise the sender has left out the end of
        // its flush. The final block is our own: only a message that is complete reaches it, while
        // the decompressor alone would take one that was cut off for one that goes on.
        if !self.is_between_streams {
            self.inflate(&FLUSH_END, message, bytes_max)?;
            self.inflate(&FINAL_BLOCK, message, bytes_max)?;
        }
        if !self.is_between_streams {
            return Err(FramingError::Deflate);
        }
        // A thread that is ending keeps none.
        let _ = SPARE.try_with(|spare| {
            if let Ok(mut spare) = spare.try_borrow_mut()
                && spare.len() < SPARE_MAX
            {
                spare.push(self.stream);
            }
        });
        Ok(())
    }
}

/// Makes room behind `message` if there is none: as much as it has already, so that it is rarely
/// moved, but never for more than one byte above the limit, by which an excess shows.
fn make_room(part_bytes: usize, message: &mut Vec<u8>, bytes_max: usize) {
    if message.len() < message.capacity() {
        return;
    }
    let expected = part_bytes
        .saturating_mul(EXPANSION)
        .clamp(ROOM_BYTES_MIN, ROOM_BYTES_MAX);
    let allowed = bytes_max.saturating_add(1) - message.len();
    message.reserve_exact(expected.max(message.len()).min(allowed));
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::DeflateEncoder;
    use std::io::Write as _;

    /// A raw DEFLATE stream with its final block.
    fn deflated(payload: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder
            .write_all(payload)
            .expect("a vector takes everything");
        encoder.finish().expect("a vector takes everything")
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_the_limit() {
        let bomb = deflated(&vec![0; 4 << 20]);
        for bytes_max in [0, 1, 5000, 1 << 20] {
            let mut message = Vec::new();
            let outcome = Inflater::take().inflate(&bomb, &mut message, bytes_max);
            let too_large = FramingError::MessageTooLarge {
                bytes: bytes_max as u64 + 1,
                bytes_max,
            };
            assert_eq!(outcome, Err(too_large));
            assert_eq!(message.capacity(), bytes_max + 1);
        }
    }

    #[test]
    fn a_message_of_exactly_the_limit_is_within_it() {
        let payload = vec![7; 100_000];
        let mut message = Vec::new();
        let mut inflater = Inflater::take();
        assert_eq!(
            inflater.inflate(&deflated(&payload), &mut message, 100_000),
            Ok(())
        );
        assert_eq!(inflater.finish(&mut message, 100_000), Ok(()));
        assert_eq!(message, payload);
    }

    #[test]
    fn a_message_cannot_refer_to_the_one_before() {
        // Ten times the byte at a distance of one: valid only behind another byte.
        let reference = [0x03, 0x21, 0x00];
        let mut message = Vec::new();
        let mut first = Inflater::take();
        assert_eq!(
            first.inflate(&deflated(b"secret"), &mut message, 100),
            Ok(())
        );
        assert_eq!(first.finish(&mut message, 100), Ok(()));
        message.clear();
        let outcome = Inflater::take().inflate(&reference, &mut message, 100);
        assert_eq!((outcome, message), (Err(FramingError::Deflate), Vec::new()));
    }

    #[test]
    fn a_thread_keeps_few_decompressors() {
        let many: Vec<Inflater> = (0..SPARE_MAX + 3).map(|_| Inflater::take()).collect();
        for inflater in many {
            assert_eq!(inflater.finish(&mut Vec::new(), 0), Ok(()));
        }
        assert_eq!(SPARE.with_borrow(Vec::len), SPARE_MAX);
    }
}
