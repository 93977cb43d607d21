//! Bytes of one connection that wait to be sent.
//!
//! Long pieces that are the same in every frame are shared and not copied: with long payloads the
//! load loop would otherwise cost more than what it measures.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

/// Pieces that one write takes at most.
const PIECES_MAX: usize = 32;

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Everything but the shared pieces.
    bytes: Vec<u8>,
    /// The shared pieces that are not sent yet, each with its place: before which of `bytes`.
    shared: VecDeque<(usize, Rc<[u8]>)>,
    /// How much of `bytes` is sent.
    sent: usize,
    /// How much of the first shared piece is sent.
    sent_of_shared: usize,
}

impl Outbox {
    /// Appends bytes, and returns them for patching.
    pub fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        &mut self.bytes[start..]
    }

    /// Appends a piece that others send as well.
    pub fn share(&mut self, piece: &Rc<[u8]>) {
        self.shared.push_back((self.bytes.len(), Rc::clone(piece)));
    }

    /// Whether all is sent.
    pub fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && self.shared.is_empty()
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.shared.clear();
        (self.sent, self.sent_of_shared) = (0, 0);
    }

    /// Writes once, as much as the socket takes.
    pub fn send(&mut self, socket: &mut impl Write) -> io::Result<()> {
        let sent = match self.shared.is_empty() {
            true => socket.write(&self.bytes[self.sent..])?,
            false => {
                let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
                let count = self.pieces(&mut pieces);
                socket.write_vectored(&pieces[..count])?
            }
        };
        self.advance(sent);
        if self.is_empty() {
            self.clear();
        }
        Ok(())
    }

    /// The next pieces to send, in order, as many as there is room for.
    fn pieces<'a>(&'a self, room: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        let mut from = self.sent;
        let mut skip = self.sent_of_shared;
        let end = (self.bytes.len(), None);
        let places = self
            .shared
            .iter()
            .map(|(place, piece)| (*place, Some(piece)));
        for (place, piece) in places.chain([end]) {
            let own = &self.bytes[from..place];
            let piece = piece.map_or(&[][..], |piece| &piece[skip..]);
            for slice in [own, piece] {
                if count == room.len() {
                    return count;
                }
                if !slice.is_empty() {
                    room[count] = IoSlice::new(slice);
                    count += 1;
                }
            }
            (from, skip) = (place, 0);
        }
        count
    }

    /// Takes note that so many bytes are sent.
    fn advance(&mut self, bytes: usize) {
        let mut left = bytes;
        while left > 0 {
            let place = self
                .shared
                .front()
                .map_or(self.bytes.len(), |front| front.0);
            let own = left.min(place - self.sent);
            self.sent += own;
            left -= own;
            if let Some((_, piece)) = self.shared.front()
                && self.sent == place
            {
                let shared = left.min(piece.len() - self.sent_of_shared);
                self.sent_of_shared += shared;
                left -= shared;
                if self.sent_of_shared == piece.len() {
                    self.sent_of_shared = 0;
                    self.shared.pop_front();
                }
            } else if own == 0 {
                return;
            }
        }
    }

    /// All that waits, in one piece.
    #[cfg(test)]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut pieces = vec![IoSlice::new(&[]); 2 * self.shared.len() + 1];
        let count = self.pieces(&mut pieces);
        let pieces: Vec<&[u8]> = pieces[..count].iter().map(|piece| &**piece).collect();
        pieces.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes only so many bytes at once.
    struct Narrow {
        width: usize,
        taken: Vec<u8>,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let now = bytes.len().min(self.width);
            self.taken.extend_from_slice(&bytes[..now]);
            Ok(now)
        }

        fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
            let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &**piece).collect();
            self.write(&pieces.concat())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_leaves_in_order_however_little_the_socket_takes() {
        let piece: Rc<[u8]> = (*b"SHARED").into();
        for width in [1, 2, 5, 7, 1000] {
            let mut outbox = Outbox::default();
            let mut expected = Vec::new();
            for number in 0..40u8 {
                let own = vec![number; usize::from(number % 4)];
                outbox.append(&own);
                expected.extend(own);
                if number % 3 != 0 {
                    outbox.share(&piece);
                    expected.extend_from_slice(&piece);
                }
            }
            assert_eq!(outbox.to_vec(), expected);
            let mut socket = Narrow {
                width,
                taken: Vec::new(),
            };
            while !outbox.is_empty() {
                outbox.send(&mut socket).unwrap();
            }
            assert_eq!(socket.taken, expected, "{width}");
            assert!(outbox.to_vec().is_empty());
        }
    }

    #[test]
    fn what_is_appended_can_be_patched() {
        let mut outbox = Outbox::default();
        outbox.append(b"ab");
        outbox.append(b"cd")[0] = b'X';
        assert_eq!(outbox.to_vec(), b"abXd");
        outbox.clear();
        assert!(outbox.is_empty());
    }
}
