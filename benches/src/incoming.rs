//! Messages from a router: the few fields that the load generator needs, read without allocation.
//!
//! Options, details and further arguments are skipped. The reader is strict where a mistake would
//! hide a fault of the router (ids, the payload) and lenient elsewhere: judging the encoding is not
//! its job.

use memchr::memchr2;

use crate::workload::Transport;

/// Message codes of the WAMP specification that a client can receive.
pub mod code {
    pub const WELCOME: u64 = 2;
    pub const ABORT: u64 = 3;
    pub const CHALLENGE: u64 = 4;
    pub const GOODBYE: u64 = 6;
    pub const ERROR: u64 = 8;
    pub const SUBSCRIBED: u64 = 33;
    pub const EVENT: u64 = 36;
    pub const RESULT: u64 = 50;
    pub const REGISTERED: u64 = 65;
    pub const INVOCATION: u64 = 68;
}

/// Containers inside options and details at most.
const DEPTH_MAX: usize = 64;

/// The parts of a received message that matter here.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Incoming<'a> {
    /// Message code.
    pub code: u64,
    /// The request id, or for EVENT the subscription id, or for ERROR the id of the failed request.
    pub id: u64,
    /// The first argument, if it is a string.
    pub payload: Option<&'a [u8]>,
    /// Error URI, reason, or authmethod.
    pub uri: &'a [u8],
}

/// Reads one message; `None` if it is none.
pub fn parse(transport: Transport, body: &[u8]) -> Option<Incoming<'_>> {
    match transport {
        Transport::RawSocketMsgpack => read(&mut Msgpack { bytes: body }),
        Transport::WebSocketJson => read(&mut Json { bytes: body }),
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
    /// A string (or bytes, in MessagePack).
    fn string(&mut self) -> Option<&'a [u8]>;
    /// Any value.
    fn skip(&mut self) -> Option<()>;
}

struct Msgpack<'a> {
    bytes: &'a [u8],
}

impl<'a> Msgpack<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn big_endian(&mut self, octets: usize) -> Option<u64> {
        Some(
            self.take(octets)?
                .iter()
                .fold(0, |value, octet| (value << 8) | u64::from(*octet)),
        )
    }

    fn length(&mut self, octets: usize) -> Option<usize> {
        usize::try_from(self.big_endian(octets)?).ok()
    }

    /// Reads the marker at the front: how many octets of content and how many values follow.
    fn marker(&mut self) -> Option<(usize, usize)> {
        Some(match self.octet()? {
            0x00..=0x7f | 0xc0..=0xc3 | 0xe0..=0xff => (0, 0),
            map @ 0x80..=0x8f => (0, 2 * usize::from(map & 15)),
            array @ 0x90..=0x9f => (0, usize::from(array & 15)),
            string @ 0xa0..=0xbf => (usize::from(string & 31), 0),
            0xc4 | 0xd9 => (self.length(1)?, 0),
            0xc5 | 0xda => (self.length(2)?, 0),
            0xc6 | 0xdb => (self.length(4)?, 0),
            0xc7 => (self.length(1)?.checked_add(1)?, 0),
            0xc8 => (self.length(2)?.checked_add(1)?, 0),
            0xc9 => (self.length(4)?.checked_add(1)?, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 | 0xd4 => (2, 0),
            0xd5 => (3, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xd6 => (5, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xd7 => (9, 0),
            0xd8 => (17, 0),
            0xdc => (0, self.length(2)?),
            0xdd => (0, self.length(4)?),
            0xde => (0, self.length(2)?.checked_mul(2)?),
            0xdf => (0, self.length(4)?.checked_mul(2)?),
        })
    }
}

impl<'a> Cursor<'a> for Msgpack<'a> {
    fn open_array(&mut self) -> Option<()> {
        match self.octet()? {
            0x90..=0x9f => Some(()),
            0xdc => self.take(2).map(drop),
            0xdd => self.take(4).map(drop),
            _ => None,
        }
    }

    fn unsigned(&mut self) -> Option<u64> {
        match self.octet()? {
            small @ 0..=0x7f => Some(u64::from(small)),
            0xcc => self.big_endian(1),
            0xcd => self.big_endian(2),
            0xce => self.big_endian(4),
            0xcf => self.big_endian(8),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = match self.octet()? {
            short @ 0xa0..=0xbf => usize::from(short & 31),
            0xc4 | 0xd9 => self.length(1)?,
            0xc5 | 0xda => self.length(2)?,
            0xc6 | 0xdb => self.length(4)?,
            _ => return None,
        };
        self.take(length)
    }

    fn skip(&mut self) -> Option<()> {
        let mut left = 1usize;
        while left > 0 {
            let (content, values) = self.marker()?;
            self.take(content)?;
            left = (left - 1).checked_add(values)?;
        }
        Some(())
    }
}

struct Json<'a> {
    bytes: &'a [u8],
}

impl<'a> Json<'a> {
    /// The next octet that means something. A comma only separates, so it is passed over as well.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\r' | b'\n' | b',', rest @ ..] = self.bytes {
            self.bytes = rest;
        }
        self.bytes.first().copied()
    }

    fn advance(&mut self, octets: usize) {
        self.bytes = &self.bytes[octets..];
    }
}

impl<'a> Cursor<'a> for Json<'a> {
    fn open_array(&mut self) -> Option<()> {
        (self.peek()? == b'[').then(|| self.advance(1))
    }

    fn unsigned(&mut self) -> Option<u64> {
        self.peek()?;
        let digits = self
            .bytes
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        let (number, rest) = self.bytes.split_at(digits);
        if digits == 0 || digits > 19 || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.bytes = rest;
        Some(
            number
                .iter()
                .fold(0, |value, digit| value * 10 + u64::from(digit - b'0')),
        )
    }

    /// The raw text between the quotes. Escapes stay as they are: the generator sends none.
    fn string(&mut self) -> Option<&'a [u8]> {
        if self.peek()? != b'"' {
            return None;
        }
        let text = &self.bytes[1..];
        let mut end = 0;
        loop {
            end += memchr2(b'"', b'\\', text.get(end..)?)?;
            if text[end] == b'"' {
                break;
            }
            end += 2;
        }
        self.bytes = &text[end + 1..];
        Some(&text[..end])
    }

    fn skip(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'[' | b'{' => {
                    depth += 1;
                    self.advance(1);
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.advance(1);
                }
                b':' => self.advance(1),
                _ => self.skip_scalar()?,
            }
            if depth > DEPTH_MAX {
                return None;
            }
            if depth == 0 {
                return Some(());
            }
        }
    }
}

impl Json<'_> {
    /// Passes over a number, `true`, `false` or `null`.
    fn skip_scalar(&mut self) -> Option<()> {
        let scalar =
            |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'+' | b'.');
        let length = self.bytes.iter().take_while(|octet| scalar(octet)).count();
        self.advance(length);
        (length > 0).then_some(())
    }
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
    }
}
