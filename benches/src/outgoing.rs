//! Messages to a router, encoded by hand: control messages whole, load messages as the pieces
//! around the id and the payload.

use crate::workload::Transport;

/// The pieces of a message that differ neither with the id nor with the payload:
/// `before_id · id · before_payload · payload · after_payload`.
#[derive(Debug, PartialEq, Eq)]
pub struct Pieces {
    pub before_id: Vec<u8>,
    pub before_payload: Vec<u8>,
    pub after_payload: &'static [u8],
}

/// A message that carries load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// `[CALL, id, {}, procedure, [payload]]`
    Call { procedure: String },
    /// `[YIELD, id, {}, [payload]]`
    Yield,
    /// `[PUBLISH, id, {}, topic, [payload]]`
    Publish { topic: String },
    /// `[RESULT, id, {}, [payload]]`: what a router makes of CALL and YIELD; travels over the relay.
    Result,
    /// `[EVENT, 1, id, {}, [payload]]`: what a router makes of PUBLISH; travels over the relay.
    Event,
}

impl Load {
    fn code(&self) -> u8 {
        match self {
            Self::Call { .. } => 48,
            Self::Yield => 70,
            Self::Publish { .. } => 16,
            Self::Result => 50,
            Self::Event => 36,
        }
    }

    fn uri(&self) -> Option<&str> {
        match self {
            Self::Call { procedure: uri } | Self::Publish { topic: uri } => Some(uri),
            Self::Yield | Self::Result | Self::Event => None,
        }
    }

    /// The pieces around id and payload.
    pub fn pieces(&self, transport: Transport, payload_bytes: usize) -> Pieces {
        match transport {
            Transport::RawSocketMsgpack => self.msgpack(payload_bytes),
            Transport::WebSocketJson => self.json(),
        }
    }

    fn json(&self) -> Pieces {
        let subscription = if *self == Self::Event { "1," } else { "" };
        let uri = self
            .uri()
            .map(|uri| format!("{},", json_string(uri)))
            .unwrap_or_default();
        Pieces {
            before_id: format!("[{},{subscription}", self.code()).into_bytes(),
            before_payload: format!(",{{}},{uri}[\"").into_bytes(),
            after_payload: b"\"]]",
        }
    }

    fn msgpack(&self, payload_bytes: usize) -> Pieces {
        let elements = 4 + u8::from(self.uri().is_some() || *self == Self::Event);
        let mut before_id = vec![0x90 | elements, self.code()];
        if *self == Self::Event {
            before_id.push(1);
        }
        let mut before_payload = vec![0x80];
        if let Some(uri) = self.uri() {
            msgpack_string(uri, &mut before_payload);
        }
        before_payload.push(0x91);
        msgpack_string_header(payload_bytes, &mut before_payload);
        Pieces {
            before_id,
            before_payload,
            after_payload: b"",
        }
    }
}

/// `[HELLO, realm, {"roles": {...}}]`
pub fn hello(transport: Transport, realm: &str) -> Vec<u8> {
    const ROLES: [&str; 4] = ["caller", "callee", "publisher", "subscriber"];
    match transport {
        Transport::WebSocketJson => {
            let roles = ROLES.map(|role| format!("\"{role}\":{{}}")).join(",");
            format!("[1,{},{{\"roles\":{{{roles}}}}}]", json_string(realm)).into_bytes()
        }
        Transport::RawSocketMsgpack => {
            let mut out = vec![0x93, 1];
            msgpack_string(realm, &mut out);
            out.push(0x81);
            msgpack_string("roles", &mut out);
            out.push(0x80 | ROLES.len() as u8);
            for role in ROLES {
                msgpack_string(role, &mut out);
                out.push(0x80);
            }
            out
        }
    }
}

/// `[REGISTER, 1, {}, procedure]`
pub fn register(transport: Transport, procedure: &str) -> Vec<u8> {
    request(transport, 64, procedure)
}

/// `[SUBSCRIBE, 1, {}, topic]`
pub fn subscribe(transport: Transport, topic: &str) -> Vec<u8> {
    request(transport, 32, topic)
}

/// `[GOODBYE, {}, "wamp.close.close_realm"]`
pub fn goodbye(transport: Transport) -> Vec<u8> {
    const REASON: &str = "wamp.close.close_realm";
    match transport {
        Transport::WebSocketJson => format!("[6,{{}},\"{REASON}\"]").into_bytes(),
        Transport::RawSocketMsgpack => {
            let mut out = vec![0x93, 6, 0x80];
            msgpack_string(REASON, &mut out);
            out
        }
    }
}

/// A first request of a session, about a URI.
fn request(transport: Transport, code: u8, uri: &str) -> Vec<u8> {
    match transport {
        Transport::WebSocketJson => format!("[{code},1,{{}},{}]", json_string(uri)).into_bytes(),
        Transport::RawSocketMsgpack => {
            let mut out = vec![0x94, code, 1, 0x80];
            msgpack_string(uri, &mut out);
            out
        }
    }
}

/// Octets that an id takes.
pub fn id_width(transport: Transport, id: u64) -> usize {
    match transport {
        Transport::WebSocketJson => id.checked_ilog10().unwrap_or(0) as usize + 1,
        Transport::RawSocketMsgpack => match id {
            0..=0x7f => 1,
            0x80..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        },
    }
}

/// Writes an id that is exactly as wide as the slot.
pub fn write_id(transport: Transport, id: u64, slot: &mut [u8]) {
    match transport {
        Transport::WebSocketJson => {
            let mut id = id;
            for digit in slot.iter_mut().rev() {
                *digit = b'0' + (id % 10) as u8;
                id /= 10;
            }
        }
        Transport::RawSocketMsgpack => match slot {
            [fixed] => *fixed = id as u8,
            [marker, rest @ ..] => {
                *marker = match rest.len() {
                    1 => 0xcc,
                    2 => 0xcd,
                    4 => 0xce,
                    _ => 0xcf,
                };
                rest.copy_from_slice(&id.to_be_bytes()[8 - rest.len()..]);
            }
            [] => {}
        },
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn msgpack_string(text: &str, out: &mut Vec<u8>) {
    msgpack_string_header(text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn msgpack_string_header(length: usize, out: &mut Vec<u8>) {
    match length {
        0..=31 => out.push(0xa0 | length as u8),
        32..=0xff => out.extend_from_slice(&[0xd9, length as u8]),
        0x100..=0xffff => {
            out.push(0xda);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(0xdb);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_in_their_shortest_form() {
        let written = |transport, id| {
            let mut slot = vec![0; id_width(transport, id)];
            write_id(transport, id, &mut slot);
            slot
        };
        let msgpack = |id| written(Transport::RawSocketMsgpack, id);
        assert_eq!(msgpack(1), [1]);
        assert_eq!(msgpack(127), [127]);
        assert_eq!(msgpack(128), [0xcc, 128]);
        assert_eq!(msgpack(256), [0xcd, 1, 0]);
        assert_eq!(msgpack(65_536), [0xce, 0, 1, 0, 0]);
        assert_eq!(msgpack(1 << 40), [0xcf, 0, 0, 1, 0, 0, 0, 0, 0]);
        for id in [0, 1, 9, 10, 99, 100, 1 << 53] {
            assert_eq!(
                written(Transport::WebSocketJson, id),
                id.to_string().into_bytes()
            );
        }
    }

    #[test]
    fn control_messages_are_the_specified_arrays() {
        let json = |bytes: Vec<u8>| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        let hello = json(hello(Transport::WebSocketJson, "a\"b"));
        assert_eq!((&hello[0], &hello[1]), (&1.into(), &"a\"b".into()));
        assert!(hello[2]["roles"]["caller"].is_object());
        let register = json(register(Transport::WebSocketJson, "a.b"));
        assert_eq!(register, serde_json::json!([64, 1, {}, "a.b"]));
        assert_eq!(
            subscribe(Transport::RawSocketMsgpack, "a.b"),
            [0x94, 32, 1, 0x80, 0xa3, b'a', b'.', b'b']
        );
    }

    #[test]
    fn string_headers_follow_the_length() {
        let header = |length| {
            let mut out = Vec::new();
            msgpack_string_header(length, &mut out);
            out
        };
        assert_eq!(header(16), [0xb0]);
        assert_eq!(header(32), [0xd9, 32]);
        assert_eq!(header(1024), [0xda, 4, 0]);
        assert_eq!(header(65_536), [0xdb, 0, 1, 0, 0]);
    }
}
