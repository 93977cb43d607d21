//! Received bytes of one connection, and the frames in them.

use crate::cut::{FRAME_BYTES_MAX, Kind};
use crate::framing::cut;
use crate::transport::Transport;

/// Room that the first read finds, in bytes. It doubles whenever a read fills it, so that an idle
/// session stays small and a busy one needs few reads.
const READ_BYTES_MIN: usize = 8 * 1024;

/// Room that a read finds at most, unless a longer frame needs more.
const READ_BYTES_MAX: usize = 256 * 1024;

/// Received bytes that wait for the rest of a frame, in bytes. One frame and its header fit.
const INBOX_BYTES_MAX: usize = FRAME_BYTES_MAX + 2 * READ_BYTES_MAX;

/// Received bytes of one connection.
#[derive(Debug)]
pub struct Inbox {
    transport: Transport,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Room that the next read shall find.
    wanted: usize,
    /// Parts of a fragmented WebSocket message.
    fragments: Vec<u8>,
}

impl Inbox {
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            wanted: READ_BYTES_MIN,
            fragments: Vec::new(),
        }
    }

    /// Room for the next read: never empty.
    pub fn room(&mut self) -> Result<&mut [u8], &'static str> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.buffer.len() - self.end < self.wanted {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < self.wanted {
            if self.end > INBOX_BYTES_MAX {
                return Err("a frame longer than 16 MiB");
            }
            // Doubling keeps the cost of a long frame linear in its length.
            let length = (self.end * 2).max(self.end + self.wanted);
            self.buffer.resize(length, 0);
        }
        Ok(&mut self.buffer[self.end..])
    }

    /// So many bytes were read into the room.
    pub fn filled(&mut self, bytes: usize) {
        self.end += bytes;
        if self.end == self.buffer.len() {
            self.wanted = (self.wanted * 2).min(READ_BYTES_MAX);
        }
    }

    /// Bytes that were read elsewhere.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = self.room()?;
            let (now, later) = rest.split_at(room.len().min(rest.len()));
            room[..now.len()].copy_from_slice(now);
            self.filled(now.len());
            rest = later;
        }
        Ok(())
    }

    /// The next whole frame or message.
    pub fn next(&mut self) -> Result<Option<(Kind, &[u8])>, &'static str> {
        loop {
            let Some(cut) = cut(self.transport, &self.buffer[self.start..self.end])? else {
                return Ok(None);
            };
            let body = self.start + cut.body.start..self.start + cut.body.end;
            self.start = body.end;
            let Kind::Fragment { last } = cut.kind else {
                return Ok(Some((cut.kind, &self.buffer[body])));
            };
            if self.fragments.len() + body.len() > FRAME_BYTES_MAX {
                return Err("a fragmented message longer than 16 MiB");
            }
            self.fragments.extend_from_slice(&self.buffer[body]);
            if last {
                return Ok(Some((Kind::Message, self.take_fragments())));
            }
        }
    }

    /// Moves the whole message to where the next call cannot mistake it for a part of another.
    fn take_fragments(&mut self) -> &[u8] {
        // The consumed part of the buffer has no use any more, but may be too short; a fresh vector
        // is cheap enough for a router that fragments.
        let message = std::mem::take(&mut self.fragments);
        let length = message.len();
        self.buffer.splice(..self.start, message);
        self.end = self.end - self.start + length;
        self.start = length;
        &self.buffer[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_splitting() {
        let stream: Vec<u8> = (0..50u8)
            .flat_map(|n| [&[0, 0, 0, n][..], &vec![n; usize::from(n)]].concat())
            .collect();
        for step in [1, 3, 7, 64, 4096] {
            let mut inbox = Inbox::new(Transport::RawSocketMsgpack);
            let mut seen = 0u8;
            for part in stream.chunks(step) {
                inbox.push(part).unwrap();
                while let Some((kind, body)) = inbox.next().unwrap() {
                    assert_eq!(kind, Kind::Message);
                    assert_eq!(body, vec![seen; usize::from(seen)]);
                    seen += 1;
                }
            }
            assert_eq!(seen, 50);
        }
    }

    #[test]
    fn a_frame_larger_than_the_buffer_grows_it() {
        let mut inbox = Inbox::new(Transport::RawSocketMsgpack);
        let body = vec![9; 1 << 20];
        inbox.push(&[&[0, 0x10, 0, 0][..], &body].concat()).unwrap();
        assert_eq!(inbox.next().unwrap().unwrap().1, body);
        assert_eq!(inbox.next().unwrap(), None);
    }

    #[test]
    fn fragments_become_one_message_and_a_ping_may_come_between() {
        let mut inbox = Inbox::new(Transport::WebSocketJson);
        inbox
            .push(b"\x01\x02ab\x89\x01p\x00\x02cd\x80\x01e\x81\x01x")
            .unwrap();
        assert_eq!(inbox.next().unwrap(), Some((Kind::Ping, &b"p"[..])));
        assert_eq!(inbox.next().unwrap(), Some((Kind::Message, &b"abcde"[..])));
        assert_eq!(inbox.next().unwrap(), Some((Kind::Message, &b"x"[..])));
        assert_eq!(inbox.next().unwrap(), None);
    }
}
