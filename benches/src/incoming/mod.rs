//! Messages from a router (or a NATS server): the few fields that the load generator needs, read without allocation.
//!
//! Options, details and further arguments are skipped. The reader is strict where a mistake would
//! hide a fault of the router (ids, the payload) and lenient elsewhere: judging the encoding is not
//! its job.

mod cbor;
mod json;
pub(crate) mod message;
mod msgpack;

use cbor::Cbor;
use json::Json;
pub use message::{Incoming, code};
use msgpack::Msgpack;

use crate::nats;
use crate::transport::Transport;

/// Reads one message; `None` if it is none.
pub fn parse(transport: Transport, body: &[u8]) -> Option<Incoming<'_>> {
    match transport {
        Transport::RawSocketMsgpack => read(&mut Msgpack { bytes: body }),
        Transport::RawSocketCbor => read(&mut Cbor { bytes: body }),
        Transport::WebSocketJson => read(&mut Json { bytes: body }),
        Transport::Nats => nats::parse(body),
    }
}

fn read<'a>(source: &mut impl Cursor<'a>) -> Option<Incoming<'a>> {
    source.open_array()?;
    let mut message = Incoming {
        code: source.unsigned()?,
        ..Incoming::default()
    };
    match message.code {
        code::RESULT => {
            message.id = source.unsigned()?;
            source.skip()?;
            message.payload = first_argument(source);
        }
        code::INVOCATION | code::EVENT => {
            message.id = source.unsigned()?;
            source.unsigned()?;
            source.skip()?;
            message.payload = first_argument(source);
        }
        code::ERROR => {
            source.unsigned()?;
            message.id = source.unsigned()?;
            source.skip()?;
            message.uri = source.string()?;
        }
        code::ABORT | code::GOODBYE => {
            source.skip()?;
            message.uri = source.string()?;
        }
        code::CHALLENGE => message.uri = source.string()?,
        code::WELCOME | code::REGISTERED | code::SUBSCRIBED => message.id = source.unsigned()?,
        _ => {}
    }
    Some(message)
}

fn first_argument<'a>(source: &mut impl Cursor<'a>) -> Option<&'a [u8]> {
    source.open_array()?;
    source.string()
}

/// Reads values in order. Every method returns `None` at what it does not expect.
trait Cursor<'a> {
    /// Enters an array.
    fn open_array(&mut self) -> Option<()>;
    /// A non-negative integer.
    fn unsigned(&mut self) -> Option<u64>;
    /// A string (or bytes, where the serializer has them).
    fn string(&mut self) -> Option<&'a [u8]>;
    /// Any value.
    fn skip(&mut self) -> Option<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Option<Incoming<'_>> {
        parse(Transport::WebSocketJson, text.as_bytes())
    }

    fn msgpack(bytes: &[u8]) -> Option<Incoming<'_>> {
        parse(Transport::RawSocketMsgpack, bytes)
    }

    #[test]
    fn json_messages_are_read_whatever_their_details() {
        let result = json(r#"[50,17,{"a":[1,{"b":"]}\""}],"c":-1.5e3,"d":null},["x y"]]"#).unwrap();
        assert_eq!(
            (result.code, result.id, result.payload),
            (50, 17, Some(&b"x y"[..]))
        );
        let event = json("[ 36 , 5 , 7 , { } , [ \"p\" , 2 ] , {} ]").unwrap();
        assert_eq!(
            (event.code, event.id, event.payload),
            (36, 5, Some(&b"p"[..]))
        );
        let error = json(r#"[8,48,3,{},"wamp.error.no_such_procedure",[1]]"#).unwrap();
        assert_eq!(
            (error.id, error.uri),
            (3, &b"wamp.error.no_such_procedure"[..])
        );
        assert_eq!(json("[50,1,{}]").unwrap().payload, None);
        assert_eq!(json("[50,1,{},[]]").unwrap().payload, None);
        assert_eq!(json("[50,1,{},[5]]").unwrap().payload, None);
    }

    #[test]
    fn msgpack_messages_are_read_whatever_their_details() {
        // [68, 300, 2^40, {"a": [nil, 1.5, bin], "b": {"c": -1}}, [str8 "abc"]]
        let mut bytes = b"\x95\x44\xcd\x01\x2c\xcf\0\0\x01\0\0\0\0\0\x82\xa1a\x93\xc0\xcb".to_vec();
        bytes.extend_from_slice(&1.5f64.to_be_bytes());
        bytes.extend_from_slice(b"\xc4\x02\xff\xfe\xa1b\x81\xa1c\xff\x91\xd9\x03abc");
        let invocation = msgpack(&bytes).unwrap();
        assert_eq!((invocation.code, invocation.id), (68, 300));
        assert_eq!(invocation.payload, Some(&b"abc"[..]));
        for end in 0..bytes.len() {
            let cut = msgpack(&bytes[..end]);
            assert!(
                cut.is_none_or(|message| message.payload.is_none()),
                "cut at {end}"
            );
        }
    }

    fn cbor(bytes: &[u8]) -> Option<Incoming<'_>> {
        parse(Transport::RawSocketCbor, bytes)
    }

    #[test]
    fn cbor_messages_are_read_whatever_their_details() {
        // [68, 300, 2^40, {"a": [null, 1.5, bytes, tag 1 of 5], "b": {_ "c": -1}}, ["abc"]]
        let mut bytes =
            b"\x85\x18\x44\x19\x01\x2c\x1b\0\0\x01\0\0\0\0\0\xa2\x61a\x84\xf6\xfb".to_vec();
        bytes.extend_from_slice(&1.5f64.to_be_bytes());
        bytes.extend_from_slice(b"\x42\xff\xfe\xc1\x05\x61b\xbf\x61c\x20\xff\x81\x63abc");
        let invocation = cbor(&bytes).unwrap();
        assert_eq!((invocation.code, invocation.id), (68, 300));
        assert_eq!(invocation.payload, Some(&b"abc"[..]));
        for end in 0..bytes.len() {
            let cut = cbor(&bytes[..end]);
            assert!(
                cut.is_none_or(|message| message.payload.is_none()),
                "cut at {end}"
            );
        }
        // Arrays of indefinite length: [_ 36, 5, 7, {_}, [_ "p"]]
        let event = cbor(b"\x9f\x18\x24\x05\x07\xbf\xff\x9f\x61p\xff\xff").unwrap();
        assert_eq!((event.id, event.payload), (5, Some(&b"p"[..])));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "",
            "{}",
            "[]",
            "[\"50\"]",
            "[50]",
            "[50,-1,{}]",
            "[50,1.5,{}]",
            "[50,1,{",
            "[8,48,1,{}]",
        ] {
            assert_eq!(json(text), None, "{text}");
        }
        let deep = format!("[50,1,{}", "[".repeat(1000));
        assert_eq!(json(&deep), None);
        for bytes in [
            &b""[..],
            b"\x80",
            b"\x90",
            b"\x92\x32",
            b"\x93\x32\x01\xdf\xff\xff\xff\xff",
        ] {
            assert_eq!(msgpack(bytes), None, "{bytes:?}");
        }
        let deep = [&b"\x83\x18\x32\x01"[..], &[0x81; 1000]].concat();
        assert_eq!(cbor(&deep), None);
        for bytes in [
            &b""[..],
            b"\xa0",
            b"\x80",
            b"\x82\x18\x32",
            b"\x83\x18\x32\x20\xa0",
            b"\x83\x18\x32\x01\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x83\x18\x32\x01\xff",
        ] {
            assert_eq!(cbor(bytes), None, "{bytes:?}");
        }
    }
}
