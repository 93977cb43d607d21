//! The client protocol of NATS, as far as the same load needs it: lines of text, each ended by CRLF,
//! of which PUB and MSG carry a payload of the length that they name.
//!
//! A call is a request: a publication that names a subject for its answer, below one inbox that the
//! caller subscribed to with a wildcard, as NATS' own clients do. An answer is a publication to that
//! subject, an event one to the topic. A publication without subscribers is answered by status 503.
//!
//! Deliberately absent: TLS, authentication, JetStream, headers of our own, queue groups.

use memchr::memchr;

use crate::cut::{Cut, FRAME_BYTES_MAX, Kind};
use crate::incoming::message::{Incoming, code};
use crate::load::{Load, Pieces};

/// Longest line that a server may send, in bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Begins the subject of every answer.
const INBOX: &str = "_INBOX.";

/// Begins the first line of headers.
const HEADERS: &[u8] = b"NATS/1.0";

/// Asks for a PONG, which comes after everything that was asked for before.
pub const PING: &[u8] = b"PING\r\n";

/// Answers a PING.
pub const PONG: &[u8] = b"PONG\r\n";

/// Says who is there, and that answers without responders are to be told.
pub const CONNECT: &[u8] = b"CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"rust\",\
\"version\":\"2.0.0\",\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n";

/// The start of the subjects at which a caller is answered.
pub fn inbox(run: &str, caller: usize) -> String {
    // The run's name is one token here: the wildcard stands for the last token only.
    format!("{INBOX}{}.{caller}", run.replace('.', "_"))
}

/// Subscribes to a subject; all events of a session come from this one subscription.
pub fn subscribe(subject: &str) -> Vec<u8> {
    format!("SUB {subject} 1\r\n").into_bytes()
}

/// The pieces around id and payload.
pub fn pieces(load: &Load, payload_bytes: usize) -> Pieces {
    let (before_id, before_payload) = match load {
        Load::Call { procedure, inbox } => (
            format!("PUB {procedure} {inbox}."),
            format!(" {payload_bytes}\r\n"),
        ),
        // The subject of the answer comes before it: see `Frames::append_answer`.
        Load::Yield => (String::new(), format!(" {payload_bytes}\r\n")),
        Load::Publish { topic } => (String::new(), format!("PUB {topic} {payload_bytes}\r\n")),
        Load::Result => (
            format!("MSG {INBOX}run.0."),
            format!(" 1 {payload_bytes}\r\n"),
        ),
        Load::Event => (String::new(), format!("MSG topic 1 {payload_bytes}\r\n")),
    };
    Pieces {
        before_id: before_id.into_bytes(),
        before_payload: before_payload.into_bytes(),
        after_payload: b"\r\n",
    }
}

/// The longest payload that a server takes, in bytes, from its INFO line.
pub fn payload_bytes_max(info: &[u8]) -> Option<usize> {
    let said = info.strip_prefix(b"INFO ")?;
    let said: serde_json::Value = serde_json::from_slice(said).ok()?;
    usize::try_from(said.get("max_payload")?.as_u64()?).ok()
}

/// The line, and for a message its payload, at the start of `bytes`.
pub fn cut(bytes: &[u8]) -> Result<Option<Cut>, &'static str> {
    let Some(line_bytes) = line_end(bytes) else {
        return match bytes.len() {
            ..=LINE_BYTES_MAX => Ok(None),
            _ => Err("a line longer than 64 KiB"),
        };
    };
    let line = &bytes[..line_bytes - 2];
    let kind = match line {
        _ if line.starts_with(b"MSG ") || line.starts_with(b"HMSG ") => Kind::Message,
        _ if line.starts_with(b"-ERR") => Kind::Message,
        b"PING" => Kind::Ping,
        b"PONG" => Kind::Pong,
        b"+OK" => Kind::Notice,
        _ if line.starts_with(b"INFO ") => Kind::Notice,
        _ => return Err("a line that NATS does not have"),
    };
    let end = match (kind, line.starts_with(b"-ERR")) {
        (Kind::Message, false) => {
            let length = line.rsplit(|octet| *octet == b' ').next();
            let length = length.and_then(decimal).ok_or("a message without length")?;
            if length > FRAME_BYTES_MAX as u64 {
                return Err("a message longer than 16 MiB");
            }
            line_bytes + length as usize + 2
        }
        _ => line_bytes,
    };
    match bytes.get(end - 2..end) {
        None => Ok(None),
        Some(b"\r\n") => Ok(Some(Cut { kind, body: 0..end })),
        Some(_) => Err("a payload of another length than its line says"),
    }
}

/// Reads what [`cut`] found to be a message; `None` if it is none.
pub fn parse(body: &[u8]) -> Option<Incoming<'_>> {
    let line_bytes = line_end(body)?;
    let mut tokens = body[..line_bytes - 2].split(|octet| *octet == b' ');
    let first = tokens.next()?;
    if first == b"-ERR" {
        // After almost every error the server ends the connection.
        return Some(Incoming {
            code: code::ABORT,
            uri: body[first.len()..].trim_ascii(),
            ..Incoming::default()
        });
    }
    let (subject, _subscription) = (tokens.next()?, tokens.next()?);
    let content = body.get(line_bytes..body.len() - 2)?;
    let lengths = if first == b"HMSG" { 2 } else { 1 };
    let rest: [Option<&[u8]>; 4] = [tokens.next(), tokens.next(), tokens.next(), tokens.next()];
    let fields = rest.iter().flatten().count();
    let reply = (fields == lengths + 1).then_some(rest[0]).flatten();
    if fields < lengths || fields > lengths + 1 {
        return None;
    }
    let mut message = match (subject.starts_with(INBOX.as_bytes()), reply) {
        (true, _) => Incoming {
            code: code::RESULT,
            id: decimal(subject.rsplit(|octet| *octet == b'.').next()?)?,
            ..Incoming::default()
        },
        (false, Some(reply)) => Incoming {
            code: code::INVOCATION,
            uri: reply,
            ..Incoming::default()
        },
        (false, None) => Incoming {
            code: code::EVENT,
            ..Incoming::default()
        },
    };
    message.payload = Some(content);
    if lengths == 2 {
        let length = decimal(rest[fields - 2]?)?;
        let (headers, payload) = content.split_at_checked(usize::try_from(length).ok()?)?;
        message.payload = Some(payload);
        if let Some(status) = status(headers)? {
            message.code = code::ERROR;
            message.uri = status;
        }
    }
    Some(message)
}

/// What the first line of headers says beyond the version: a status stands for an answer that did
/// not come. The outer `None` means that these are no headers.
fn status(headers: &[u8]) -> Option<Option<&[u8]>> {
    let line = &headers[..line_end(headers)?];
    let said = line.strip_prefix(HEADERS)?.trim_ascii();
    Some((!said.is_empty()).then_some(said))
}

/// Where the first line ends, behind its CRLF.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let limit = bytes.len().min(LINE_BYTES_MAX);
    let at = memchr(b'\n', &bytes[..limit])?;
    (at > 0 && bytes[at - 1] == b'\r').then_some(at + 1)
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + u64::from(digit - b'0')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Option<(Kind, usize)> {
        let cut = cut(bytes).unwrap()?;
        assert_eq!(cut.body.start, 0);
        Some((cut.kind, cut.body.end))
    }

    #[test]
    fn messages_are_cut_by_the_length_that_they_name() {
        let message = b"MSG a.b 1 6\r\nab\r\ncd\r\n";
        let stream = [&message[..], b"PING\r\n"].concat();
        assert_eq!(whole(&stream), Some((Kind::Message, message.len())));
        for end in 0..message.len() {
            assert_eq!(whole(&message[..end]), None, "cut at {end}");
        }
        assert_eq!(whole(b"PING\r\nMSG"), Some((Kind::Ping, 6)));
        assert_eq!(whole(b"PONG\r\n"), Some((Kind::Pong, 6)));
        assert_eq!(whole(b"+OK\r\n"), Some((Kind::Notice, 5)));
        assert_eq!(whole(b"INFO {}\r\n"), Some((Kind::Notice, 9)));
        assert_eq!(whole(b"-ERR 'x'\r\n"), Some((Kind::Message, 10)));
    }

    #[test]
    fn what_no_server_sends_is_refused() {
        for bytes in [
            &b"HELLO\r\n"[..],
            b"MSG a 1 x\r\n",
            b"MSG a 1 -5\r\n",
            b"MSG a 1 99999999\r\n",
            b"MSG a 1 2\r\nabcd\r\n",
        ] {
            assert!(cut(bytes).is_err(), "{bytes:?}");
        }
        assert!(cut(&vec![b'x'; LINE_BYTES_MAX + 1]).is_err());
        for body in [&b"MSG a\r\n\r\n"[..], b"MSG a 1 r 9 9 9 9\r\n\r\n"] {
            assert_eq!(parse(body), None, "{body:?}");
        }
    }

    #[test]
    fn a_subject_tells_requests_answers_and_events_apart() {
        let request = parse(b"MSG echo 1 _INBOX.r.3.17 2\r\nhi\r\n").unwrap();
        assert_eq!(
            (request.code, request.uri, request.payload),
            (code::INVOCATION, &b"_INBOX.r.3.17"[..], Some(&b"hi"[..]))
        );
        let answer = parse(b"MSG _INBOX.r.3.17 1 2\r\nhi\r\n").unwrap();
        assert_eq!((answer.code, answer.id), (code::RESULT, 17));
        let event = parse(b"MSG topic 1 2\r\nhi\r\n").unwrap();
        assert_eq!((event.code, event.payload), (code::EVENT, Some(&b"hi"[..])));
        assert_eq!(inbox("wampy.bench.p1_2", 3), "_INBOX.wampy_bench_p1_2.3");
    }

    #[test]
    fn headers_are_passed_over_and_a_status_is_an_error() {
        let event = parse(b"HMSG t 1 17 19\r\nNATS/1.0\r\nA:b\r\n\r\nhi\r\n").unwrap();
        assert_eq!((event.code, event.payload), (code::EVENT, Some(&b"hi"[..])));
        let none = parse(b"HMSG _INBOX.r.0.5 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n").unwrap();
        assert_eq!(
            (none.code, none.id, none.uri),
            (code::ERROR, 5, &b"503"[..])
        );
        assert_eq!(parse(b"HMSG t 1 9 2\r\nhi\r\n"), None);
        let error = parse(b"-ERR 'Slow Consumer'\r\n").unwrap();
        assert_eq!(
            (error.code, error.uri),
            (code::ABORT, &b"'Slow Consumer'"[..])
        );
    }
}
