//! Bytes to be written: own ones, and shared ones before and between them.
//!
//! A payload of a mebibyte for ten subscribers is in memory once, in the buffer into which it was
//! read; and so is an event for a thousand who have nothing else waiting. Deliberately absent: when
//! to write, and how much may wait.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf as _, Bytes};
use smallvec::SmallVec;
use wampy_transport::WriteHalf;

use crate::buffers;

/// From how many bytes on a frame that is shared already is not copied.
const FRAME_COPIED_MAX: usize = 4 << 10;

/// How many pieces are written at once.
const PIECES_MAX: usize = 16;

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
        while self.first.is_some() || self.shared.is_some() {
            let written = self.write_pieces(socket)?;
            self.advance(written);
        }
        while self.written < self.own.len() {
            self.written += not_nothing(socket.try_write(&self.own[self.written..])?)?;
        }
        Ok(())
    }

    /// One write of what is not written, or of its first pieces if there are many.
    fn write_pieces(&self, socket: &WriteHalf) -> io::Result<usize> {
        // An event for many, mostly.
        if let Some(first) = &self.first
            && self.own.is_empty()
            && self.shared.is_none()
        {
            return not_nothing(socket.try_write(first)?);
        }
        let pieces = self.pieces().take(PIECES_MAX).map(IoSlice::new);
        let pieces: SmallVec<[IoSlice<'_>; PIECES_MAX]> = pieces.collect();
        not_nothing(match &pieces[..] {
            [only] => socket.try_write(only)?,
            several => socket.try_write_vectored(several)?,
        })
    }

    /// What is not written, in order; no piece is empty.
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = self.written;
        let parts = self.shared.iter().flat_map(|shared| &shared.parts);
        let last_part = self.shared.as_ref().and_then(|it| it.parts.back());
        let end = last_part.map_or(start, |(at, _)| *at);
        let shared = parts.flat_map(move |(at, bytes)| {
            let before = &self.own[start..*at];
            start = *at;
            [before, &bytes[..]]
        });
        let first = self.first.iter().map(|first| &first[..]);
        let pieces = first.chain(shared).chain([&self.own[end..]]);
        pieces.filter(|piece| !piece.is_empty())
    }

    /// So many bytes have been written.
    fn advance(&mut self, mut written: usize) {
        if let Some(first) = &mut self.first {
            let of_first = written.min(first.len());
            first.advance(of_first);
            written -= of_first;
            self.first.take_if(|first| first.is_empty());
        }
        while let Some(shared) = &mut self.shared {
            let Some((at, bytes)) = shared.parts.front_mut() else {
                self.shared = None;
                break;
            };
            let of_own = written.min(*at - self.written);
            let of_part = (written - of_own).min(bytes.len());
            self.written += of_own;
            bytes.advance(of_part);
            shared.bytes -= of_part;
            written -= of_own + of_part;
            if self.written < *at || !bytes.is_empty() {
                return;
            }
            shared.parts.pop_front();
        }
        self.written += written;
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

/// How much was written, if anything was.
fn not_nothing(written: usize) -> io::Result<usize> {
    match written {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of so many bytes like no others.
    fn frame(number: u8, len: usize) -> Bytes {
        (0..len).map(|at| number ^ at as u8).collect()
    }

    fn own(chain: &mut Chain, frame: &[u8]) {
        chain.own().extend_from_slice(frame);
    }

    /// A chain of own and shared frames that begins with a shared one or not, and its bytes.
    fn chain(begins_shared: bool) -> (Chain, Vec<u8>) {
        let mut chain = Chain::default();
        let mut all = Vec::new();
        let lens = [5000, 10, 6000, 7000, 20, 30, 8000, 40];
        for (number, len) in (0..).zip(lens).skip(usize::from(!begins_shared)) {
            let frame = frame(number, len);
            all.extend_from_slice(&frame);
            match len > 20 {
                true => chain.push_frame(&frame),
                false => own(&mut chain, &frame),
            }
        }
        (chain, all)
    }

    fn unwritten(chain: &Chain) -> Vec<u8> {
        chain.pieces().collect::<Vec<_>>().concat()
    }

    #[test]
    fn what_was_not_written_follows_in_order_wherever_a_write_ended() {
        for begins_shared in [false, true] {
            for step in [1, 7, 19, 20, 21, 4999, 5000, 5001, 6000, 12345, 100_000] {
                let (mut chain, all) = chain(begins_shared);
                let mut written = 0;
                while written < all.len() {
                    assert_eq!(chain.len(), all.len() - written);
                    assert!(!chain.is_empty());
                    if written % 50 == 0 || step > 1 {
                        assert!(unwritten(&chain) == all[written..], "{written} by {step}");
                    }
                    let now = step.min(all.len() - written);
                    chain.advance(now);
                    written += now;
                }
                assert!(chain.is_empty());
                assert_eq!(chain.len(), 0);
                assert!(unwritten(&chain).is_empty());
            }
        }
    }

    #[test]
    fn frames_may_follow_what_was_written_in_part() {
        let (mut chain, mut all) = chain(true);
        chain.advance(5003);
        for number in 100..103 {
            let frame = frame(number, 5000);
            chain.push_frame(&frame);
            own(&mut chain, b"own");
            all.extend_from_slice(&frame);
            all.extend_from_slice(b"own");
        }
        assert!(unwritten(&chain) == all[5003..]);
        assert_eq!(chain.len(), all.len() - 5003);
    }

    #[test]
    fn frames_that_wait_together_are_few_pieces_without_copies() {
        let mut chain = Chain::default();
        let frames: Vec<_> = (0..4).map(|number| frame(number, 16 << 10)).collect();
        for frame in &frames {
            chain.push_frame(frame);
        }
        let places: Vec<_> = chain.pieces().map(<[u8]>::as_ptr).collect();
        let sent: Vec<_> = frames.iter().map(|frame| frame.as_ptr()).collect();
        assert_eq!(places, sent);
    }
}
