//! Bytes to be written: own ones, and between them large payloads that are shared.
//!
//! A payload of a mebibyte for ten subscribers is in memory once, in the buffer into which it was
//! read. Deliberately absent: when to write, and how much may wait.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, Bytes};
use wampy_transport::WriteHalf;

/// Whole frames, of which some bytes may have been written.
#[derive(Debug, Default)]
pub(super) struct Chain {
    own: Vec<u8>,
    /// How many of the own bytes have been written.
    written: usize,
    shared: Option<Box<Shared>>,
}

/// The shared bytes of a chain.
#[derive(Debug, Default)]
struct Shared {
    /// Each with the offset in the own bytes where it comes in.
    parts: VecDeque<(usize, Bytes)>,
    /// How many bytes the parts have.
    bytes: usize,
}

impl Chain {
    /// A chain that appends to `buffer`.
    pub(super) fn of(buffer: Vec<u8>) -> Self {
        Self {
            own: buffer,
            written: 0,
            shared: None,
        }
    }

    /// How many bytes are not written.
    pub(super) fn len(&self) -> usize {
        self.own.len() - self.written + self.shared.as_ref().map_or(0, |shared| shared.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a buffer to append to.
    pub(super) fn has_buffer(&self) -> bool {
        self.own.capacity() > 0
    }

    /// The own bytes, to append to.
    pub(super) fn own(&mut self) -> &mut Vec<u8> {
        &mut self.own
    }

    /// Appends bytes without a copy.
    pub(super) fn push_shared(&mut self, bytes: Bytes) {
        let shared = self.shared.get_or_insert_default();
        shared.bytes += bytes.len();
        shared.parts.push_back((self.own.len(), bytes));
    }

    /// Writes as much as the socket takes.
    ///
    /// # Errors
    /// What stopped it, if not all was written.
    pub(super) fn write_to(&mut self, socket: &WriteHalf) -> io::Result<()> {
        while let Some(shared) = &mut self.shared {
            let Some((at, bytes)) = shared.parts.front_mut() else {
                self.shared = None;
                break;
            };
            write_own(&self.own[..*at], &mut self.written, socket)?;
            while !bytes.is_empty() {
                let written = write(bytes, socket)?;
                bytes.advance(written);
                shared.bytes -= written;
            }
            shared.parts.pop_front();
        }
        write_own(&self.own, &mut self.written, socket)
    }

    /// The buffer, for the next chain.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.own
    }
}

fn write_own(own: &[u8], written: &mut usize, socket: &WriteHalf) -> io::Result<()> {
    while *written < own.len() {
        *written += write(&own[*written..], socket)?;
    }
    Ok(())
}

fn write(bytes: &[u8], socket: &WriteHalf) -> io::Result<usize> {
    match socket.try_write(bytes)? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}
