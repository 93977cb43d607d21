//! Messages to a router (or a NATS server), encoded by hand: control messages whole, load messages as the pieces
//! around the id and the payload.

use crate::binary::Binary;
use crate::load::{Load, Pieces};
use crate::nats;
use crate::transport::{Encoding, Transport};

impl Load {
    /// The pieces around id and payload.
    pub fn pieces(&self, transport: Transport, payload_bytes: usize) -> Pieces {
        match transport.encoding() {
            Encoding::Json => self.json(),
            Encoding::Binary(binary) => self.binary(binary, payload_bytes),
            Encoding::Nats => nats::pieces(self, payload_bytes),
        }
    }

    /// Octets that an id takes. In NATS only requests and their answers have one.
    pub fn id_width(&self, transport: Transport, id: u64) -> usize {
        match transport.encoding() {
            Encoding::Binary(binary) => binary.unsigned_width(id),
            Encoding::Nats if !matches!(self, Self::Call { .. } | Self::Result) => 0,
            Encoding::Json | Encoding::Nats => id.checked_ilog10().unwrap_or(0) as usize + 1,
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

    fn binary(&self, binary: Binary, payload_bytes: usize) -> Pieces {
        let elements = 4 + u8::from(self.uri().is_some() || *self == Self::Event);
        let mut before_id = vec![binary.array(elements)];
        binary.unsigned(u64::from(self.code()), &mut before_id);
        if *self == Self::Event {
            binary.unsigned(1, &mut before_id);
        }
        let mut before_payload = vec![binary.map(0)];
        if let Some(uri) = self.uri() {
            binary.string(uri, &mut before_payload);
        }
        before_payload.push(binary.array(1));
        binary.string_header(payload_bytes, &mut before_payload);
        Pieces {
            before_id,
            before_payload,
            after_payload: b"",
        }
    }
}

/// `[HELLO, realm, {"roles": {...}}]`; over NATS, CONNECT.
pub fn hello(transport: Transport, realm: &str) -> Vec<u8> {
    const ROLES: [&str; 4] = ["caller", "callee", "publisher", "subscriber"];
    match transport.encoding() {
        Encoding::Json => {
            let roles = ROLES.map(|role| format!("\"{role}\":{{}}")).join(",");
            format!("[1,{},{{\"roles\":{{{roles}}}}}]", json_string(realm)).into_bytes()
        }
        Encoding::Binary(binary) => {
            let mut out = vec![binary.array(3), 1];
            binary.string(realm, &mut out);
            out.push(binary.map(1));
            binary.string("roles", &mut out);
            out.push(binary.map(ROLES.len() as u8));
            for role in ROLES {
                binary.string(role, &mut out);
                out.push(binary.map(0));
            }
            out
        }
        Encoding::Nats => nats::CONNECT.to_vec(),
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

/// `[GOODBYE, {}, "wamp.close.close_realm"]`; NATS has nothing like it.
pub fn goodbye(transport: Transport) -> Vec<u8> {
    const REASON: &str = "wamp.close.close_realm";
    match transport.encoding() {
        Encoding::Json => format!("[6,{{}},\"{REASON}\"]").into_bytes(),
        Encoding::Binary(binary) => {
            let mut out = vec![binary.array(3), 6, binary.map(0)];
            binary.string(REASON, &mut out);
            out
        }
        Encoding::Nats => Vec::new(),
    }
}

/// A first request of a session, about a URI; over NATS, SUB.
fn request(transport: Transport, code: u8, uri: &str) -> Vec<u8> {
    match transport.encoding() {
        Encoding::Json => format!("[{code},1,{{}},{}]", json_string(uri)).into_bytes(),
        Encoding::Binary(binary) => {
            let mut out = vec![binary.array(4)];
            binary.unsigned(u64::from(code), &mut out);
            out.extend_from_slice(&[1, binary.map(0)]);
            binary.string(uri, &mut out);
            out
        }
        Encoding::Nats => nats::subscribe(uri),
    }
}

/// Writes an id that is exactly as wide as the slot.
pub fn write_id(transport: Transport, id: u64, slot: &mut [u8]) {
    if let Encoding::Binary(binary) = transport.encoding() {
        return binary.write_unsigned(id, slot);
    }
    let mut id = id;
    for digit in slot.iter_mut().rev() {
        *digit = b'0' + (id % 10) as u8;
        id /= 10;
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_text_protocols_are_decimal() {
        let load = Load::Result;
        for transport in [Transport::WebSocketJson, Transport::Nats] {
            for id in [0, 1, 9, 10, 99, 100, 1 << 53] {
                let mut slot = vec![0; load.id_width(transport, id)];
                write_id(transport, id, &mut slot);
                assert_eq!(slot, id.to_string().into_bytes());
            }
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
        let subscribe = |transport| subscribe(transport, "a.b");
        assert_eq!(
            subscribe(Transport::RawSocketMsgpack),
            [0x94, 32, 1, 0x80, 0xa3, b'a', b'.', b'b']
        );
        assert_eq!(
            subscribe(Transport::RawSocketCbor),
            [0x84, 0x18, 32, 1, 0xa0, 0x63, b'a', b'.', b'b']
        );
        assert_eq!(subscribe(Transport::Nats), b"SUB a.b 1\r\n");
    }
}
