//! Messages that share WebSocket frames: for connections that have agreed on batches.
//!
//! A message joins the frame at the end of what waits, as long as nobody has begun to write that.
//! Messages that others get as well are taken out of their shared frames and copied.
//!
//! Deliberately absent: sharing the memory of frames, except that of large payloads.

use bytes::Bytes;
use wampy_proto::Message;
use wampy_proto::framing::websocket::batched::{BatchedEncoder, message_in};
use wampy_realm::SendError;

use super::chain::Chain;
use super::{Appended, Outlet};
use crate::large_frame::LargeFrame;

impl Outlet {
    /// Appends a message to the batch that is open.
    #[cold]
    pub(super) fn append_to_batch(
        &self,
        encoder: &BatchedEncoder,
        message: &Message<'_>,
    ) -> Result<Appended, SendError> {
        self.append_into_batch(encoder, |out| {
            message
                .encode(self.serializer, out)
                .map_err(SendError::from)
        })
    }

    /// Appends the message of a frame that others get as it is.
    #[cold]
    pub(super) fn append_encoded_to_batch(
        &self,
        encoder: &BatchedEncoder,
        frame: &Bytes,
    ) -> Result<Appended, SendError> {
        self.append_into_batch(encoder, |out| {
            out.extend_from_slice(message_in(frame));
            Ok(())
        })
    }

    /// Appends the message of a large frame: as a batch of its own, whose payload is shared, if the
    /// peer gets it as it is.
    #[cold]
    pub(super) fn append_large_to_batch(
        &self,
        encoder: &BatchedEncoder,
        large: &LargeFrame,
    ) -> Result<Appended, SendError> {
        let (head, tail) = large.around();
        let head = message_in(head);
        let encoder = self.separating(encoder);
        if !encoder.is_plain() {
            return self.append_into_batch(&encoder, |out| {
                out.extend_from_slice(head);
                out.extend_from_slice(large.payload());
                out.extend_from_slice(tail);
                Ok(())
            });
        }
        self.append_to_chain(|chain, _| {
            chain.finish_batch(&encoder);
            let before = chain.len();
            encoder.write_head(large.message_bytes(), chain.own())?;
            chain.own().extend_from_slice(head);
            chain.push_shared(large.payload().clone());
            chain.own().extend_from_slice(tail);
            encoder.write_tail(chain.own());
            Ok(chain.len() - before)
        })
    }

    fn append_into_batch(
        &self,
        encoder: &BatchedEncoder,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
    ) -> Result<Appended, SendError> {
        let encoder = self.separating(encoder);
        self.append_to_chain(|chain, _| {
            let (own, batch) = chain.own_and_batch();
            encoder.append(batch, own, write)
        })
    }

    /// The encoder, with the separator that the peer uses.
    fn separating(&self, encoder: &BatchedEncoder) -> BatchedEncoder {
        encoder.separated_by(self.separator())
    }
}

impl Chain {
    /// Ends the batch that is open, if there is one: before anything else follows, or it is written.
    pub(super) fn finish_batch(&mut self, encoder: &BatchedEncoder) {
        let (own, batch) = self.own_and_batch();
        encoder.finish(batch, own);
    }
}
