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

/// `part` without a copy, if it lies in `source`.
fn part_of(source: Option<&Bytes>, part: &[u8]) -> Bytes {
    let shared = source.and_then(|source| {
        let place = buffers::place_in(source.as_ptr() as usize, source.len(), part)?;
        Some(source.slice(place))
    });
    shared.unwrap_or_else(|| Bytes::copy_from_slice(part))
}
