//! A frame with a payload too large to be copied for each receiver.
//!
//! The payload stays in the buffer into which it was read, if its receiver speaks its serializer and
//! gets it neither compressed nor masked; what stands around it is encoded once for all receivers of
//! the same kind.

use bytes::Bytes;
use wampy_proto::framing::FrameFormat;
use wampy_proto::{Message, Serializer};

use crate::buffers;

/// From how many bytes on a payload is shared. Below that a copy costs less than the write of its
/// own that a shared part needs.
pub(crate) const SHARED_BYTES_MIN: usize = 64 << 10;

/// How many times as large as the payload the buffer may be in which it stays. A receiver that does not
/// read keeps all of the buffer, of which only the payload is counted.
const SHARED_BUFFER_RATIO_MAX: usize = 4;

/// A frame in three parts: before, the payload, and behind.
#[derive(Debug)]
pub(crate) struct LargeFrame {
    around: Vec<u8>,
    payload_at: usize,
    payload: Bytes,
    message_bytes: usize,
}

impl LargeFrame {
    /// Whether `message` has a payload that may be shared.
    #[inline]
    pub(crate) fn suits(message: &Message<'_>) -> bool {
        message
            .payload()
            .is_some_and(|payload| payload.encoded_len() >= SHARED_BYTES_MIN)
    }

    /// The frame of `message`, whose payload may lie in `source`; `None` if all of it has to be
    /// encoded after all.
    pub(crate) fn encode(
        format: FrameFormat,
        serializer: Serializer,
        message: &Message<'_>,
        source: Option<&Bytes>,
    ) -> Option<Self> {
        let mut around = buffers::take();
        let encoder = format.encoder();
        let mark = encoder.begin_message(&mut around, SHARED_BYTES_MIN);
        let header_bytes = around.len();
        let gap = message.encode_around(serializer, &mut around, SHARED_BYTES_MIN);
        let gap = gap.ok().flatten()?;
        let message_bytes = around.len() - header_bytes + gap.bytes.len();
        let finished = encoder.finish_around(mark, gap.bytes.len(), &mut around);
        if finished != Ok(true) {
            return None;
        }
        Some(Self {
            around,
            payload_at: gap.at,
            payload: part_of(source, gap.bytes),
            message_bytes,
        })
    }

    /// How many bytes the message has.
    pub(crate) const fn message_bytes(&self) -> usize {
        self.message_bytes
    }

    /// How many bytes the frame has.
    pub(crate) fn frame_bytes(&self) -> usize {
        self.around.len() + self.payload.len()
    }

    /// What comes before the payload, and behind it.
    pub(crate) fn around(&self) -> (&[u8], &[u8]) {
        self.around.split_at(self.payload_at)
    }

    pub(crate) const fn payload(&self) -> &Bytes {
        &self.payload
    }
}

impl Drop for LargeFrame {
    fn drop(&mut self) {
        buffers::give_back(std::mem::take(&mut self.around));
    }
}

/// `part` without a copy, if it is most of `source`.
fn part_of(source: Option<&Bytes>, part: &[u8]) -> Bytes {
    let bytes_max = part.len().saturating_mul(SHARED_BUFFER_RATIO_MAX);
    let source = source.filter(|source| source.len() <= bytes_max);
    let shared = source.and_then(|source| {
        let place = buffers::place_in(source.as_ptr() as usize, source.len(), part)?;
        Some(source.slice(place))
    });
    shared.unwrap_or_else(|| Bytes::copy_from_slice(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a payload stays where it is when so many other bytes have come with it.
    fn is_shared(others: usize) -> bool {
        let message = format!("[16,1,{{}},\"a\",[\"{}\"]]", "x".repeat(SHARED_BYTES_MIN));
        let source = Bytes::from([vec![b' '; others], message.into_bytes()].concat());
        let message = Message::decode(Serializer::Json, &source[others..]).unwrap();
        let format = FrameFormat::RawSocket;
        let frame = LargeFrame::encode(format, Serializer::Json, &message, Some(&source)).unwrap();
        source.as_ptr_range().contains(&frame.payload().as_ptr())
    }

    #[test]
    fn a_payload_keeps_no_buffer_that_is_much_larger() {
        assert!(is_shared(0));
        assert!(is_shared(2 * SHARED_BYTES_MIN));
        assert!(!is_shared(16 << 20));
    }
}
