//! What sessions of the scale measurements say and hear: WAMP in MessagePack, over RawSocket or
//! WebSocket. No sockets here.
//!
//! The load generator has frames of its own, made for speed and for one message again and again;
//! these are made for many different messages, once each. Deliberately absent: payloads, and every
//! part of an answer but its code and, in an ERROR or ABORT, its text.

/// How a session's messages are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    RawSocket,
    WebSocket,
}

/// Message codes of the WAMP specification.
pub mod code {
    pub const WELCOME: u8 = 2;
    pub const GOODBYE: u8 = 6;
    pub const PUBLISH: u8 = 16;
    pub const PUBLISHED: u8 = 17;
    pub const SUBSCRIBE: u8 = 32;
    pub const SUBSCRIBED: u8 = 33;
    pub const EVENT: u8 = 36;
    pub const REGISTER: u8 = 64;
    pub const REGISTERED: u8 = 65;
}

/// How the URI of a subscription or registration matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    Exact,
    Prefix,
    Wildcard,
}

impl Match {
    /// The value of the option `match`, where it is needed.
    fn option(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::Prefix => Some("prefix"),
            Self::Wildcard => Some("wildcard"),
        }
    }
}

/// RawSocket: messages up to 16 MiB, MessagePack.
const RAWSOCKET_REQUEST: &[u8] = &[0x7f, 0xf2, 0, 0];

const WEBSOCKET_REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: d2FtcHktYmVuY2gta2V5IQ==\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.msgpack\r\n\r\n";

/// A constant mask: it protects nothing here, and the router has the same work with any other.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Longest text that is shown of a refusal, in bytes.
const REFUSAL_BYTES_MAX: usize = 200;

impl Framing {
    /// The name that tables show.
    pub fn name(self) -> &'static str {
        match self {
            Self::RawSocket => "RawSocket",
            Self::WebSocket => "WebSocket",
        }
    }

    /// What a client begins with.
    pub fn opening(self) -> &'static [u8] {
        match self {
            Self::RawSocket => RAWSOCKET_REQUEST,
            Self::WebSocket => WEBSOCKET_REQUEST,
        }
    }

    /// How many octets the router's answer to the opening takes; `None` if it is not complete yet.
    pub fn opened(self, received: &[u8]) -> Result<Option<usize>, String> {
        match self {
            Self::RawSocket => match received {
                [0x7f, second, 0, 0, ..] if second & 15 == 2 => Ok(Some(4)),
                [_, _, _, _, ..] => Err("the RawSocket handshake was refused".to_owned()),
                _ => Ok(None),
            },
            Self::WebSocket => {
                let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
                    return Ok(None);
                };
                let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
                match head.starts_with("http/1.1 101") && head.contains("wamp.2.msgpack") {
                    true => Ok(Some(end + 4)),
                    false => Err(format!("the WebSocket was refused: {head}")),
                }
            }
        }
    }

    /// Appends a client's frame with one message.
    pub fn append(self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::RawSocket => {
                out.extend_from_slice(&(message.len() as u32).to_be_bytes());
                out.extend_from_slice(message);
            }
            Self::WebSocket => self.append_masked(0x82, message, out),
        }
    }

    fn append_masked(self, first: u8, body: &[u8], out: &mut Vec<u8>) {
        out.push(first);
        match u16::try_from(body.len()) {
            Ok(length @ 0..=125) => out.push(0x80 | length as u8),
            Ok(length) => {
                out.push(0x80 | 126);
                out.extend_from_slice(&length.to_be_bytes());
            }
            Err(_) => {
                out.push(0x80 | 127);
                out.extend_from_slice(&(body.len() as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(&MASK);
        out.extend(
            body.iter()
                .zip(MASK.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
    }

    /// Appends the answer to a ping.
    pub fn append_pong(self, body: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::RawSocket => {
                out.extend_from_slice(&(body.len() as u32 | 2 << 24).to_be_bytes());
                out.extend_from_slice(body);
            }
            Self::WebSocket => self.append_masked(0x8a, body, out),
        }
    }

    /// The frame at the start of `received`, and how many octets it takes.
    pub fn cut(self, received: &[u8]) -> Option<(Frame<'_>, usize)> {
        let (kind, header, length) = match self {
            Self::RawSocket => {
                let &[kind, a, b, c] = received.first_chunk::<4>()?;
                (kind, 4, u32::from_be_bytes([0, a, b, c]) as usize)
            }
            Self::WebSocket => {
                let &[first, second] = received.first_chunk::<2>()?;
                let (header, length) = match second {
                    126 => (4, u16::from_be_bytes(*received[2..].first_chunk()?).into()),
                    127 => (
                        10,
                        u64::from_be_bytes(*received[2..].first_chunk()?) as usize,
                    ),
                    length => (2, length.into()),
                };
                (first & 15, header, length)
            }
        };
        let end = header + length;
        let body = received.get(header..end)?;
        let frame = match (self, kind) {
            (Self::RawSocket, 0) | (Self::WebSocket, 2) => Frame::Message(body),
            (Self::RawSocket, 1) | (Self::WebSocket, 9) => Frame::Ping(body),
            (Self::WebSocket, 8) => Frame::Close,
            _ => Frame::Other,
        };
        Some((frame, end))
    }
}

/// What a router sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Message(&'a [u8]),
    Ping(&'a [u8]),
    /// The WebSocket is closed.
    Close,
    /// A pong or a fragment, which routers have no reason to send here.
    Other,
}

/// The code of a message; 0 if it is none.
pub fn message_code(message: &[u8]) -> u8 {
    match message {
        [0x90..=0x9f, code @ 0..=0x7f, ..] => *code,
        _ => 0,
    }
}

/// What is shown of a message that was not expected.
pub fn refusal(message: &[u8]) -> String {
    let shown = &message[..message.len().min(REFUSAL_BYTES_MAX)];
    let readable = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '·',
    };
    let text: String = shown.iter().map(readable).collect();
    format!("message {}: {text}", message_code(message))
}

/// `[HELLO, realm, {"roles": {…}}]`
pub fn hello(realm: &str) -> Vec<u8> {
    const ROLES: [&str; 4] = ["caller", "callee", "publisher", "subscriber"];
    let mut out = vec![0x93, 1];
    string(realm, &mut out);
    out.push(0x81);
    string("roles", &mut out);
    out.push(0x80 | ROLES.len() as u8);
    for role in ROLES {
        string(role, &mut out);
        out.push(0x80);
    }
    out
}

/// `[GOODBYE, {}, "wamp.close.close_realm"]`
pub fn goodbye() -> Vec<u8> {
    let mut out = vec![0x93, code::GOODBYE, 0x80];
    string("wamp.close.close_realm", &mut out);
    out
}

/// `[SUBSCRIBE, request, {"match": …}, topic]`
pub fn subscribe(request: u32, topic: &str, matching: Match) -> Vec<u8> {
    about(code::SUBSCRIBE, request, topic, matching)
}

/// `[REGISTER, request, {"match": …}, procedure]`
pub fn register(request: u32, procedure: &str, matching: Match) -> Vec<u8> {
    about(code::REGISTER, request, procedure, matching)
}

fn about(code: u8, request: u32, uri: &str, matching: Match) -> Vec<u8> {
    let mut out = vec![0x94, code];
    unsigned(request, &mut out);
    match matching.option() {
        None => out.push(0x80),
        Some(name) => {
            out.push(0x81);
            string("match", &mut out);
            string(name, &mut out);
        }
    }
    string(uri, &mut out);
    out
}

/// `[PUBLISH, request, {"acknowledge": true}, topic, [payload]]`
pub fn publish(request: u32, topic: &str, payload: &str) -> Vec<u8> {
    let mut out = vec![0x95, code::PUBLISH];
    unsigned(request, &mut out);
    out.push(0x81);
    string("acknowledge", &mut out);
    out.push(0xc3);
    string(topic, &mut out);
    out.push(0x91);
    string(payload, &mut out);
    out
}

fn unsigned(value: u32, out: &mut Vec<u8>) {
    match value {
        0..=0x7f => out.push(value as u8),
        _ => {
            out.push(0xce);
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => out.extend_from_slice(&[0xd9, length as u8]),
        length => {
            out.push(0xdb);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_cut_only_when_it_is_whole() {
        let rawsocket = [0, 0, 0, 3, 0x93, 17, 1, 9];
        let websocket = [0x82, 3, 0x93, 17, 1, 9];
        for (framing, bytes) in [
            (Framing::RawSocket, &rawsocket[..]),
            (Framing::WebSocket, &websocket[..]),
        ] {
            let whole = bytes.len() - 1;
            let expected = (Frame::Message(&[0x93, 17, 1]), whole);
            assert_eq!(framing.cut(bytes), Some(expected));
            for end in 0..whole {
                assert_eq!(framing.cut(&bytes[..end]), None, "{framing:?} {end}");
            }
        }
    }

    #[test]
    fn long_websocket_frames_are_cut() {
        for (header, length) in [
            (vec![0x82, 126, 1, 0], 256),
            (vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ] {
            let bytes = [header.clone(), vec![7; length]].concat();
            let (frame, end) = Framing::WebSocket.cut(&bytes).unwrap();
            assert_eq!(frame, Frame::Message(&bytes[header.len()..]));
            assert_eq!(end, bytes.len());
            assert_eq!(Framing::WebSocket.cut(&header[..3]), None);
        }
    }

    #[test]
    fn pings_and_the_end_are_told_apart() {
        assert_eq!(
            Framing::RawSocket.cut(&[1, 0, 0, 1, 5]),
            Some((Frame::Ping(&[5]), 5))
        );
        assert_eq!(
            Framing::WebSocket.cut(&[0x89, 1, 5]),
            Some((Frame::Ping(&[5]), 3))
        );
        assert_eq!(Framing::WebSocket.cut(&[0x88, 0]), Some((Frame::Close, 2)));
        let mut pong = Vec::new();
        Framing::RawSocket.append_pong(&[5], &mut pong);
        assert_eq!(pong, [2, 0, 0, 1, 5]);
    }

    #[test]
    fn only_messagepack_is_an_open_connection() {
        assert_eq!(Framing::RawSocket.opened(&[0x7f, 0xf2, 0]), Ok(None));
        assert_eq!(
            Framing::RawSocket.opened(&[0x7f, 0xf2, 0, 0, 0]),
            Ok(Some(4))
        );
        assert!(Framing::RawSocket.opened(&[0x7f, 0x10, 0, 0]).is_err());
        let good = b"HTTP/1.1 101 x\r\nSec-WebSocket-Protocol: wamp.2.msgpack\r\n\r\n";
        assert_eq!(Framing::WebSocket.opened(good), Ok(Some(good.len())));
        assert_eq!(Framing::WebSocket.opened(&good[..20]), Ok(None));
        assert!(
            Framing::WebSocket
                .opened(b"HTTP/1.1 404 x\r\n\r\n")
                .is_err()
        );
    }

    #[test]
    fn messages_are_minimal_messagepack() {
        assert_eq!(
            subscribe(1, "a.b", Match::Exact),
            [0x94, 32, 1, 0x80, 0xa3, b'a', b'.', b'b']
        );
        let prefix = subscribe(200, "a", Match::Prefix);
        assert_eq!(prefix[..7], [0x94, 32, 0xce, 0, 0, 0, 200]);
        assert!(prefix.ends_with(b"\x81\xa5match\xa6prefix\xa1a"));
        assert_eq!(message_code(&prefix), code::SUBSCRIBE);
        assert_eq!(message_code(b"GET"), 0);
        let publish = publish(1, "t", &"x".repeat(40));
        assert!(publish.starts_with(b"\x95\x10\x01\x81\xabacknowledge\xc3\xa1t\x91\xd9\x28xx"));
        assert!(refusal(b"\x93\x03\x80\xa3a.b").contains("a.b"));
    }

    #[test]
    fn a_websocket_client_masks() {
        let mut out = Vec::new();
        Framing::WebSocket.append(&[1, 2, 3], &mut out);
        let masked = [1 ^ MASK[0], 2 ^ MASK[1], 3 ^ MASK[2]];
        assert_eq!(out, [&[0x82, 0x83][..], &MASK, &masked].concat());
    }
}
