//! Ready frames of one kind of message. Only the id and the head of the payload differ from one to
//! the next, so a frame is copied whole and patched in two places.

use std::rc::Rc;

use crate::framing::{MASK, Sender, is_masked, mask, message_header};
use crate::incoming::Incoming;
use crate::load::Load;
use crate::outbox::Outbox;
use crate::outgoing::write_id;
use crate::payload::{Head, PAYLOAD_BYTES_MIN, filler};
use crate::transport::Transport;

/// From this length on, in bytes, what follows the head of a payload is shared by all frames of one
/// kind; below, copying costs less than the bookkeeping.
const SHARED_BYTES_MIN: usize = 16 * 1024;

/// Ids take at most so many octets (20 decimal digits).
const ID_WIDTH_MAX: usize = 20;

/// Ready frames of one kind of message, one for each width of the id.
#[derive(Debug)]
pub struct Frames {
    transport: Transport,
    sender: Sender,
    load: Load,
    payload_bytes: usize,
    by_width: [Option<Frame>; ID_WIDTH_MAX + 1],
}

#[derive(Debug)]
struct Frame {
    /// The frame, masked if it has to be, or what of it precedes the shared rest.
    bytes: Vec<u8>,
    /// What follows the head of a long payload.
    rest: Option<Rc<[u8]>>,
    /// Where its body begins, which is where the mask begins.
    body_at: usize,
    id_at: usize,
    head_at: usize,
}

impl Frames {
    pub fn new(transport: Transport, sender: Sender, load: Load, payload_bytes: usize) -> Self {
        Self {
            transport,
            sender,
            load,
            payload_bytes,
            by_width: [const { None }; ID_WIDTH_MAX + 1],
        }
    }

    /// Appends the frame with this id and this head of the payload.
    pub fn append(&mut self, id: u64, head: &Head, out: &mut Outbox) {
        let width = self.load.id_width(self.transport, id);
        if self.by_width[width].is_none() {
            self.by_width[width] = Some(self.build(width));
        }
        let Some(frame) = &self.by_width[width] else {
            return;
        };
        let bytes = out.append(&frame.bytes);
        let id_slot = frame.id_at..frame.id_at + width;
        write_id(self.transport, id, &mut bytes[id_slot.clone()]);
        let head_slot = frame.head_at..frame.head_at + PAYLOAD_BYTES_MIN;
        bytes[head_slot.clone()].copy_from_slice(head);
        if is_masked(self.transport, self.sender) {
            mask_at(frame.id_at - frame.body_at, &mut bytes[id_slot]);
            mask_at(frame.head_at - frame.body_at, &mut bytes[head_slot]);
        }
        if let Some(rest) = &frame.rest {
            out.share(rest);
        }
    }

    /// Length of the frame with this id.
    pub fn frame_bytes(&self, id: u64) -> usize {
        let frame = self.build(self.load.id_width(self.transport, id));
        frame.bytes.len() + frame.rest.map_or(0, |rest| rest.len())
    }

    /// Appends the answer to a message, which goes by its id, or over NATS to the subject it named.
    pub fn append_answer(&mut self, to: &Incoming<'_>, head: &Head, out: &mut Outbox) {
        if self.transport == Transport::Nats {
            out.append(b"PUB ");
            out.append(to.uri);
        }
        self.append(to.id, head, out);
    }

    fn build(&self, id_width: usize) -> Frame {
        let pieces = self.load.pieces(self.transport, self.payload_bytes);
        let mut body = pieces.before_id;
        let id_at = body.len();
        body.resize(id_at + id_width, 0);
        body.extend_from_slice(&pieces.before_payload);
        let head_at = body.len();
        body.resize(head_at + PAYLOAD_BYTES_MIN, 0);
        body.extend_from_slice(&filler(self.payload_bytes));
        body.extend_from_slice(pieces.after_payload);
        if is_masked(self.transport, self.sender) {
            mask(&mut body);
        }
        let mut bytes = Vec::with_capacity(body.len() + 14);
        message_header(self.transport, self.sender, body.len(), &mut bytes);
        let body_at = bytes.len();
        bytes.extend_from_slice(&body);
        let rest_at = body_at + head_at + PAYLOAD_BYTES_MIN;
        let is_long = bytes.len() - rest_at >= SHARED_BYTES_MIN;
        let rest = is_long.then(|| bytes.split_off(rest_at).into());
        Frame {
            bytes,
            rest,
            body_at,
            id_at: body_at + id_at,
            head_at: body_at + head_at,
        }
    }
}

/// Masks bytes that lie so far from the start of the body.
fn mask_at(offset: usize, bytes: &mut [u8]) {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= MASK[(offset + at) & 3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::Kind;
    use crate::framing::cut;
    use crate::incoming::{code, parse};
    use crate::payload::{check, head};

    const IDS: [u64; 11] = [
        1,
        9,
        10,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        1 << 33,
        1 << 53,
    ];

    #[test]
    fn frames_for_the_relay_are_read_back_as_sent() {
        for transport in [
            Transport::RawSocketMsgpack,
            Transport::RawSocketCbor,
            Transport::WebSocketJson,
            Transport::Nats,
        ] {
            for payload_bytes in [16, 31, 32, 1024, 70_000] {
                for load in [Load::Result, Load::Event] {
                    let mut frames = Frames::new(transport, Sender::Router, load, payload_bytes);
                    for id in IDS {
                        read_back(transport, &mut frames, payload_bytes, id);
                    }
                }
            }
        }
    }

    fn read_back(transport: Transport, frames: &mut Frames, payload_bytes: usize, id: u64) {
        let mut out = Outbox::default();
        out.append(b"before");
        // Ids of a router reach 2^53, sequence numbers only 2^48.
        let sequence = id >> 8;
        frames.append(id, &head(7, sequence), &mut out);
        let out = out.to_vec();
        assert_eq!(out.len() - 6, frames.frame_bytes(id));
        let cut = cut(transport, &out[6..]).unwrap().unwrap();
        assert_eq!((cut.kind, cut.body.end), (Kind::Message, out.len() - 6));
        let message = parse(transport, &out[6..][cut.body]).unwrap();
        match message.code {
            code::RESULT => assert_eq!(message.id, id),
            other if transport == Transport::Nats => assert_eq!(other, code::EVENT),
            other => assert_eq!((other, message.id), (code::EVENT, 1)),
        }
        let payload = message.payload.unwrap();
        assert_eq!(payload.len(), payload_bytes);
        assert_eq!(check(payload, &filler(payload_bytes)), Some((7, sequence)));
    }

    #[test]
    fn frames_for_a_router_are_masked_json_of_the_message() {
        let load = Load::Call {
            procedure: "a.b".into(),
            inbox: String::new(),
        };
        let mut frames = Frames::new(Transport::WebSocketJson, Sender::Client, load, 40);
        for id in IDS {
            let mut out = Outbox::default();
            frames.append(id, &head(2, 3), &mut out);
            let mut out = out.to_vec();
            let (header, body) = out.split_at_mut(6);
            assert_eq!(
                (header[0], usize::from(header[1])),
                (0x81, 0x80 | body.len())
            );
            mask(body);
            let call: serde_json::Value = serde_json::from_slice(body).unwrap();
            let payload = [&head(2, 3)[..], &filler(40)].concat();
            let payload = String::from_utf8(payload).unwrap();
            assert_eq!(call, serde_json::json!([48, id, {}, "a.b", [payload]]));
        }
    }

    #[test]
    fn a_yield_in_msgpack_is_byte_for_byte_minimal() {
        let mut frames = Frames::new(Transport::RawSocketMsgpack, Sender::Client, Load::Yield, 16);
        let mut out = Outbox::default();
        frames.append(5, &head(0, 5), &mut out);
        let body = [&[0x94, 70, 5, 0x80, 0x91, 0xb0][..], &head(0, 5)].concat();
        let out = out.to_vec();
        assert_eq!(out, [&[0, 0, 0, body.len() as u8][..], &body].concat());
    }
}
