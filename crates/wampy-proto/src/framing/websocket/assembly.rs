//! A message that comes in fragments, or compressed: put together, decompressed, and its text validated.
//!
//! Deliberately absent: which frames may come when, and the limit of their number ([`super::decoder`]).

use super::frame::{FrameHeader, Opcode};
use super::inflate::Inflater;
use super::utf8::Utf8Validator;
use crate::framing::FramingError;

/// The fragments of a message so far.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) binary: bool,
    pub(super) fragments: u32,
    pub(super) payload: Vec<u8>,
    /// Decompresses the fragments, if the message is compressed and not complete.
    pub(super) inflater: Option<Box<Inflater>>,
    /// The message was handed out; the next call drops this.
    pub(super) complete: bool,
}

impl Assembly {
    /// What begins with the frame of `header`.
    pub(super) fn new(header: &FrameHeader) -> Self {
        Self {
            binary: header.opcode == Opcode::Binary,
            fragments: 0,
            payload: Vec::new(),
            inflater: header.compressed.then(|| Box::new(Inflater::take())),
            complete: false,
        }
    }

    /// Takes over a fragment, which is the last where `is_last`. `text` has seen those of a message that is
    /// not compressed.
    pub(super) fn take(
        &mut self,
        is_last: bool,
        fragment: &[u8],
        bytes_max: usize,
        text: &mut Utf8Validator,
    ) -> Result<(), FramingError> {
        self.fragments += 1;
        self.complete = is_last;
        if self.inflater.is_some() {
            return self.inflate(fragment, bytes_max, text);
        }
        self.payload.extend_from_slice(fragment);
        Ok(())
    }

    /// Decompresses a fragment behind those before it, and validates the text that it holds.
    fn inflate(
        &mut self,
        fragment: &[u8],
        bytes_max: usize,
        text: &mut Utf8Validator,
    ) -> Result<(), FramingError> {
        let earlier_bytes = self.payload.len();
        if let Some(mut inflater) = self.inflater.take() {
            inflater.inflate(fragment, &mut self.payload, bytes_max)?;
            if self.complete {
                inflater.finish(&mut self.payload, bytes_max)?;
            } else {
                self.inflater = Some(inflater);
            }
        }
        if self.binary {
            return Ok(());
        }
        text.feed(&self.payload[earlier_bytes..])
            .map_err(|_| FramingError::InvalidUtf8)?;
        if self.complete && !text.is_complete() {
            return Err(FramingError::InvalidUtf8);
        }
        Ok(())
    }
}
