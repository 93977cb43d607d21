//! Frames of all transports: cut them out of received bytes, write their headers.
//!
//! RawSocket: a type octet and a 24-bit length. WebSocket (RFC 6455): what a server sends to a
//! client, unmasked; what a client sends is masked. The mask is a constant: it protects nothing here,
//! and the router has the same work with any other. NATS (see [`crate::nats`]) has
//! no headers: its lines are their own frames.

use crate::cut::{Cut, FRAME_BYTES_MAX, Kind};
use crate::nats;
use crate::transport::Transport;

/// Masks every WebSocket frame that the load generator sends to a router.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Octets of a RawSocket frame header.
const RAWSOCKET_HEADER_BYTES: usize = 4;

/// The frame at the start of `bytes`; `None` if it is not complete yet.
pub fn cut(transport: Transport, bytes: &[u8]) -> Result<Option<Cut>, &'static str> {
    match transport {
        Transport::RawSocketMsgpack | Transport::RawSocketCbor => cut_rawsocket(bytes),
        Transport::WebSocketJson => cut_websocket(bytes),
        Transport::Nats => nats::cut(bytes),
    }
}

fn cut_rawsocket(bytes: &[u8]) -> Result<Option<Cut>, &'static str> {
    let Some(&[kind, a, b, c]) = bytes.first_chunk::<RAWSOCKET_HEADER_BYTES>() else {
        return Ok(None);
    };
    let kind = match kind {
        0 => Kind::Message,
        1 => Kind::Ping,
        2 => Kind::Pong,
        _ => return Err("a RawSocket frame of a reserved type"),
    };
    let length = u32::from_be_bytes([0, a, b, c]) as usize;
    Ok(whole(kind, RAWSOCKET_HEADER_BYTES, length, bytes))
}

fn cut_websocket(bytes: &[u8]) -> Result<Option<Cut>, &'static str> {
    let Some(&[first, second]) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let last = first & 0x80 != 0;
    let kind = match (first & 0x7f, last) {
        (1 | 2, true) => Kind::Message,
        (0..=2, last) => Kind::Fragment { last },
        (8, true) => Kind::Close,
        (9, true) => Kind::Ping,
        (10, true) => Kind::Pong,
        _ => return Err("a WebSocket frame with reserved bits or a reserved opcode"),
    };
    let (header, length) = match second {
        0..=125 => (2, u64::from(second)),
        126 => match bytes.get(2..4) {
            Some(length) => (4, u64::from(u16::from_be_bytes([length[0], length[1]]))),
            None => return Ok(None),
        },
        127 => match bytes[2..].first_chunk::<8>() {
            Some(length) => (10, u64::from_be_bytes(*length)),
            None => return Ok(None),
        },
        _ => return Err("a masked WebSocket frame from a server"),
    };
    match usize::try_from(length) {
        Ok(length) if length <= FRAME_BYTES_MAX => Ok(whole(kind, header, length, bytes)),
        _ => Err("a WebSocket frame longer than 16 MiB"),
    }
}

fn whole(kind: Kind, header: usize, length: usize, bytes: &[u8]) -> Option<Cut> {
    let body = header..header + length;
    (body.end <= bytes.len()).then_some(Cut { kind, body })
}

/// Who a frame comes from: only a WebSocket client masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The load generator to a router.
    Client,
    /// What a router would send; the relay copies it as it is.
    Router,
}

/// Writes the header of a message frame whose body has this length. The body follows, XORed with
/// [`MASK`] if the transport is WebSocket and the sender a client (see [`is_masked`]).
pub fn message_header(transport: Transport, sender: Sender, length: usize, out: &mut Vec<u8>) {
    match transport {
        Transport::RawSocketMsgpack | Transport::RawSocketCbor => rawsocket_header(0, length, out),
        Transport::WebSocketJson => websocket_header(0x81, sender, length, out),
        Transport::Nats => {}
    }
}

/// Whether the body of such a frame is masked.
pub fn is_masked(transport: Transport, sender: Sender) -> bool {
    transport == Transport::WebSocketJson && sender == Sender::Client
}

/// A message frame of a client.
pub fn client_frame(transport: Transport, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 14);
    message_header(transport, Sender::Client, body.len(), &mut out);
    append_body(transport, body, &mut out);
    out
}

/// The answer to a ping.
pub fn append_pong(transport: Transport, body: &[u8], out: &mut Vec<u8>) {
    match transport {
        Transport::RawSocketMsgpack | Transport::RawSocketCbor => {
            rawsocket_header(2, body.len(), out);
        }
        Transport::WebSocketJson => websocket_header(0x8a, Sender::Client, body.len(), out),
        Transport::Nats => return out.extend_from_slice(nats::PONG),
    }
    append_body(transport, body, out);
}

fn append_body(transport: Transport, body: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    out.extend_from_slice(body);
    if is_masked(transport, Sender::Client) {
        mask(&mut out[from..]);
    }
}

/// XORs a frame's body with [`MASK`].
pub fn mask(body: &mut [u8]) {
    for (byte, key) in body.iter_mut().zip(MASK.iter().cycle()) {
        *byte ^= key;
    }
}

fn rawsocket_header(kind: u8, length: usize, out: &mut Vec<u8>) {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    out.extend_from_slice(&[kind, a, b, c]);
}

fn websocket_header(first: u8, sender: Sender, length: usize, out: &mut Vec<u8>) {
    let mask_bit = if sender == Sender::Client { 0x80 } else { 0 };
    out.push(first);
    if length <= 125 {
        out.push(mask_bit | length as u8);
    } else if let Ok(length) = u16::try_from(length) {
        out.push(mask_bit | 126);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(mask_bit | 127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
    if sender == Sender::Client {
        out.extend_from_slice(&MASK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transports that have headers.
    const BOTH: [Transport; 2] = [Transport::RawSocketMsgpack, Transport::WebSocketJson];

    fn router_frame(transport: Transport, body: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        message_header(transport, Sender::Router, body.len(), &mut frame);
        frame.extend_from_slice(body);
        frame
    }

    #[test]
    fn frames_of_all_lengths_are_cut_as_written() {
        for transport in BOTH {
            for length in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
                let frame = router_frame(transport, &vec![7; length]);
                let cut = cut(transport, &frame).unwrap().unwrap();
                assert_eq!(cut.kind, Kind::Message);
                assert_eq!((cut.body.len(), cut.body.end), (length, frame.len()));
            }
        }
    }

    #[test]
    fn an_incomplete_frame_waits_for_more() {
        for transport in BOTH {
            for length in [3, 300, 70_000] {
                let frame = router_frame(transport, &vec![7; length]);
                for end in 0..frame.len().min(20) {
                    assert_eq!(cut(transport, &frame[..end]), Ok(None));
                }
                assert_eq!(cut(transport, &frame[..frame.len() - 1]), Ok(None));
            }
        }
    }

    #[test]
    fn what_no_server_may_send_is_refused() {
        assert!(cut(Transport::RawSocketMsgpack, &[3, 0, 0, 0]).is_err());
        assert!(cut(Transport::RawSocketMsgpack, &[0x10, 0, 0, 0]).is_err());
        assert!(cut(Transport::WebSocketJson, &[0x81, 0x81, 0, 0, 0, 0, 0]).is_err());
        assert!(cut(Transport::WebSocketJson, &[0xc1, 0]).is_err());
        assert!(cut(Transport::WebSocketJson, &[0x83, 0]).is_err());
        assert!(
            cut(
                Transport::WebSocketJson,
                &[&[0x81, 127][..], &[0xff; 8]].concat()
            )
            .is_err()
        );
    }

    #[test]
    fn a_client_masks_websocket_frames_only() {
        let frame = client_frame(Transport::WebSocketJson, b"[1]");
        assert_eq!(frame[..6], [0x81, 0x83, 0x37, 0xfa, 0x21, 0x3d]);
        let mut body = frame[6..].to_vec();
        mask(&mut body);
        assert_eq!(body, b"[1]");
        assert_eq!(
            client_frame(Transport::RawSocketMsgpack, b"\x91\x01"),
            [0, 0, 0, 2, 0x91, 1]
        );
    }

    #[test]
    fn control_frames_and_fragments_are_told_apart() {
        let kind = |bytes: &[u8]| cut(Transport::WebSocketJson, bytes).unwrap().unwrap().kind;
        assert_eq!(kind(&[0x01, 0]), Kind::Fragment { last: false });
        assert_eq!(kind(&[0x00, 0]), Kind::Fragment { last: false });
        assert_eq!(kind(&[0x80, 0]), Kind::Fragment { last: true });
        assert_eq!(kind(&[0x89, 1, 9]), Kind::Ping);
        assert_eq!(kind(&[0x88, 0]), Kind::Close);
        let mut pong = Vec::new();
        append_pong(Transport::RawSocketMsgpack, b"xy", &mut pong);
        assert_eq!(pong, [2, 0, 0, 2, b'x', b'y']);
    }
}
