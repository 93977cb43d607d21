//! Messages that share WebSocket frames: for connections that have agreed on batches.
//!
//! A message joins the frame at the end of what waits, as long as nobody has begun to write that.
//! Messages that others get as well are taken out of their shared frames and copied.
//!
//! Deliberately absent: sharing the memory of frames, except that of large payloads.

use bytes::Bytes;
use wampy_proto::Message;
use wampy_proto::framing::websocket::batched::{BatchedEncoder, OpenBatch, message_in};
use wampy_realm::SendError;

use super::chain::Chain;
use super::{Appended, Outlet, Queue};
use crate::large_frame::LargeFrame;

impl Outlet {
    /// Appends a message to the batch that is open.
    #[cold]
    pub(super) fn append_to_batch(
        &self,
        queue: &mut Queue,
        message: &Message<'_>,
    ) -> Result<Appended, SendError> {
        self.append_into_batch(queue, |out| {
            message
                .encode(self.serializer, out)
                .map_err(SendError::from)
        })
    }

    /// Appends the message of a frame that others get as it is.
    #[cold]
    pub(super) fn append_encoded_to_batch(&self, frame: &Bytes) -> Result<Appended, SendError> {
        self.append_into_batch(&mut self.queue(), |out| {
            out.extend_from_slice(message_in(frame));
            Ok(())
        })
    }

    /// Appends the message of a large frame: as a batch of its own, whose payload is shared, if the
    /// peer gets it as it is.
    #[cold]
    pub(super) fn append_large_to_batch(&self, large: &LargeFrame) -> Result<Appended, SendError> {
        let (head, tail) = large.around();
        let head = message_in(head);
        let Some(encoder) = self.batched() else {
            return Err(SendError::TooLong);
        };
        if !encoder.is_plain() {
            return self.append_into_batch(&mut self.queue(), |out| {
                out.extend_from_slice(head);
                out.extend_from_slice(large.payload());
                out.extend_from_slice(tail);
                Ok(())
            });
        }
        self.append_to_queue(&mut self.queue(), |chain, batch, _| {
            encoder.finish(batch, chain.own());
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
        queue: &mut Queue,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
    ) -> Result<Appended, SendError> {
        let Some(encoder) = self.batched() else {
            return Err(SendError::TooLong);
        };
        self.append_to_queue(queue, |chain, batch, _| {
            encoder.append(batch, chain.own(), write)
        })
    }

    /// Ends the batch that is open: before something else follows, or it is written.
    #[cold]
    pub(super) fn finish_batch(&self, chain: &mut Chain, batch: &mut OpenBatch) {
        if let Some(encoder) = self.encoder.batched() {
            encoder.finish(batch, chain.own());
        }
    }

    /// The encoder of batches, with the separator that the peer uses.
    fn batched(&self) -> Option<BatchedEncoder> {
        let encoder = self.encoder.batched()?;
        Some(encoder.separated_by(self.separator()))
    }
}
