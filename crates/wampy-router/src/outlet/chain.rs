//! Bytes to be written: own ones, and shared ones before and between them.
//!
//! A payload of a mebibyte for ten subscribers is in memory once, in the buffer into which it was
//! read; and so is an event for a thousand who have nothing else waiting. Deliberately absent: when
//! to write, and how much may wait.

use std::collections::VecDeque;
use std::io;

use bytes::{Buf as _, Bytes};
use wampy_transport::WriteHalf;

use crate::buffers;

/// From how many bytes on a frame that is shared already is not copied.
const FRAME_COPIED_MAX: usize = 4 << 10;

/// Whole frames, of which some bytes may have been written.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// A shared frame before all others, of which something is left to be written.
    first: Option<Bytes>,
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
    /// How many bytes are not written.
    #[inline]
    pub(super) fn len(&self) -> usize {
        let first = self.first.as_ref().map_or(0, Bytes::len);
        let shared = self.shared.as_ref().map_or(0, |shared| shared.bytes);
        first + self.own.len() - self.written + shared
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.written == self.own.len() && self.first.is_none() && self.shared.is_none()
    }

    /// The own bytes, to append to.
    #[inline]
    pub(super) fn own(&mut self) -> &mut Vec<u8> {
        if self.own.capacity() == 0 || self.first.is_some() {
            self.begin_own();
        }
        &mut self.own
    }

    /// Takes a buffer for own bytes. A short shared frame becomes an own one, before others follow it:
    /// one write for all costs less than one of its own.
    fn begin_own(&mut self) {
        if self.own.capacity() == 0 {
            self.own = buffers::take();
        }
        let is_all = self.own.is_empty() && self.shared.is_none();
        if let Some(first) = self
            .first
            .take_if(|it| is_all && it.len() <= FRAME_COPIED_MAX)
        {
            self.own.extend_from_slice(&first);
        }
    }

    /// Appends a frame that others get, too.
    #[inline]
    pub(super) fn push_frame(&mut self, frame: &Bytes) {
        if self.is_empty() {
            self.first = Some(frame.clone());
        } else if frame.len() > FRAME_COPIED_MAX {
            self.push_shared(frame.clone());
        } else {
            self.own().extend_from_slice(frame);
        }
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
        while let Some(first) = &mut self.first {
            let written = write(first, socket)?;
            first.advance(written);
            self.first.take_if(|first| first.is_empty());
        }
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

    /// Gives the memory of a chain back that has been written.
    #[inline]
    pub(super) fn give_back(self) {
        let Self { own, shared, .. } = self;
        if own.capacity() > 0 {
            buffers::give_back(own);
        }
        // Asked here, because most chains have no shared bytes.
        if shared.is_some() {
            drop(shared);
        }
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
