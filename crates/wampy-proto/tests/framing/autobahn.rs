//! What the Autobahn test suite checks about frames, in its numbers of cases: framing (1), pings
//! (2), reserved bits (3) and opcodes (4), fragmentation (5), UTF-8 (6), closing (7), sizes (9) and
//! automatic fragmentation (10). `make autobahn` runs the suite itself, where Python 2.7 is.
//!
//! Deliberately absent: compression (12 and 13), which is in `deflate`, and the echo: what is
//! written is checked elsewhere.

use crate::drive::{Direction, Event, binary, decode, frame, text};
use wampy_proto::framing::FramingError;
use wampy_proto::framing::websocket::{CloseCode, WebSocketLimits};

const PROTOCOL_ERROR: Option<u16> = Some(1002);
const INVALID_PAYLOAD: Option<u16> = Some(1007);

/// What a peer sends: first bytes and payloads of frames. What must come of it: events, and the
/// code to fail with.
struct Case {
    number: String,
    frames: Vec<(u8, Vec<u8>)>,
    events: Vec<Event>,
    code: Option<u16>,
}

fn case(
    number: impl Into<String>,
    frames: &[(u8, &[u8])],
    events: &[Event],
    code: Option<u16>,
) -> Case {
    Case {
        number: number.into(),
        frames: frames
            .iter()
            .map(|&(it, payload)| (it, payload.to_vec()))
            .collect(),
        events: events.to_vec(),
        code,
    }
}

fn ping(payload: &[u8]) -> Event {
    Event::Ping(payload.to_vec())
}

fn pong(payload: &[u8]) -> Event {
    Event::Pong(payload.to_vec())
}

fn close(code: u16, reason: &str) -> Event {
    Event::Close {
        code: CloseCode::new(code),
        reason: reason.to_owned(),
    }
}

impl Case {
    /// Runs the case both ways, with the stream cut everywhere, at frames, and at every 997th byte.
    fn run(&self) {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let frames = self.frames.iter();
            let frames: Vec<_> = frames
                .map(|(first, payload)| frame(*first, direction.key(), payload))
                .collect();
            let stream = frames.concat();
            let ends = frames.iter().scan(0, |end, it| {
                *end += it.len();
                Some(*end)
            });
            let ways = [
                vec![],
                ends.collect(),
                every(997, &stream),
                every(1, &stream),
            ];
            // What is large need not be cut at every byte.
            let ways = &ways[..if stream.len() > 4000 { 3 } else { 4 }];
            for cuts in ways {
                let mut decoder = direction.decoder(WebSocketLimits::default());
                let outcome = decode(&mut decoder, &stream, cuts);
                let code = outcome.error.as_ref().map(FramingError::close_code);
                assert_eq!(outcome.events, self.events, "{}", self.number);
                assert_eq!(code.map(CloseCode::number), self.code, "{}", self.number);
            }
        }
    }
}

fn every(bytes: usize, stream: &[u8]) -> Vec<usize> {
    (0..stream.len()).step_by(bytes).collect()
}

#[test]
fn section_1_and_9_messages_of_all_sizes() {
    let sizes = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 1 << 20];
    for (at, size) in sizes.into_iter().enumerate() {
        let payload = "*".repeat(size);
        let frames = [(0x81, payload.as_bytes())];
        case(format!("1.1.{at}"), &frames, &[text(&payload)], None).run();
        let payload = vec![0xfe; size];
        case(
            format!("1.2.{at}"),
            &[(0x82, &payload)],
            &[binary(&payload)],
            None,
        )
        .run();
    }
}

#[test]
fn section_2_pings_and_pongs() {
    let bytes = [0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff];
    let many: Vec<_> = (0..10)
        .map(|it| format!("payload-{it}").into_bytes())
        .collect();
    let frames: Vec<(u8, &[u8])> = many.iter().map(|it| (0x89, &it[..])).collect();
    let events: Vec<_> = many.iter().map(|it| ping(it)).collect();
    let (unasked, asked) = (&b"unsolicited pong payload"[..], &b"ping payload"[..]);
    let both = [(0x8a, unasked), (0x89, asked)];
    let cases = [
        case("2.1", &[(0x89, b"")], &[ping(b"")], None),
        case(
            "2.2",
            &[(0x89, b"Hello, world!")],
            &[ping(b"Hello, world!")],
            None,
        ),
        case("2.3", &[(0x89, &bytes)], &[ping(&bytes)], None),
        case("2.4", &[(0x89, &[0xfe; 125])], &[ping(&[0xfe; 125])], None),
        case("2.5", &[(0x89, &[0xfe; 126])], &[], PROTOCOL_ERROR),
        case("2.7", &[(0x8a, b"")], &[pong(b"")], None),
        case("2.9", &both, &[pong(unasked), ping(asked)], None),
        case("2.10", &frames, &events, None),
    ];
    cases.iter().for_each(Case::run);
}

#[test]
fn section_3_and_4_reserved_bits_and_opcodes() {
    let hello = &b"Hello, world!"[..];
    for bits in 1..8u8 {
        for opcode in [1, 2, 8, 9, 10] {
            let reserved = 0x80 | bits << 4 | opcode;
            let frames = [(0x81, hello), (reserved, hello), (0x89, b"")];
            case(
                format!("3.{bits}"),
                &frames,
                &[text("Hello, world!")],
                PROTOCOL_ERROR,
            )
            .run();
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        for payload in [&b""[..], hello] {
            let frames = [(0x81, hello), (0x80 | opcode, payload), (0x89, b"")];
            case(
                format!("4, {opcode}"),
                &frames,
                &[text("Hello, world!")],
                PROTOCOL_ERROR,
            )
            .run();
        }
    }
}

#[test]
fn section_5_fragmentation() {
    let parts: Vec<String> = (1..6).map(|it| format!("fragment{it}")).collect();
    let part = |at: usize| parts[at - 1].as_bytes();
    let (one, two) = (part(1), part(2));
    let (alone, hello) = (&b"non-continuation payload"[..], &b"Hello, world!"[..]);
    let both = text("fragment1fragment2");
    let legal = [
        (0x01, one),
        (0x00, two),
        (0x89, b"pongme 1!"),
        (0x00, part(3)),
        (0x00, part(4)),
        (0x89, b"pongme 2!"),
        (0x80, part(5)),
    ];
    let events = [
        ping(b"pongme 1!"),
        ping(b"pongme 2!"),
        text(&parts.concat()),
    ];
    let inside = [ping(b"ping payload"), both.clone()];
    let behind_both = [(0x01, one), (0x80, two), (0x00, part(3)), (0x81, part(4))];
    let interrupted = [(0x01, one), (0x81, hello), (0x80, two)];
    let wrong = PROTOCOL_ERROR;
    let cases = [
        case("5.1", &[(0x09, one), (0x80, two)], &[], wrong),
        case("5.2", &[(0x0a, one), (0x80, two)], &[], wrong),
        case(
            "5.3",
            &[(0x01, one), (0x80, two)],
            std::slice::from_ref(&both),
            None,
        ),
        case(
            "5.6",
            &[(0x01, one), (0x89, b"ping payload"), (0x80, two)],
            &inside,
            None,
        ),
        case("5.9", &[(0x80, alone), (0x81, hello)], &[], wrong),
        case("5.12", &[(0x00, alone), (0x81, hello)], &[], wrong),
        case("5.15", &behind_both, &[both], wrong),
        case(
            "5.16",
            &[(0x00, alone), (0x01, hello), (0x80, one)],
            &[],
            wrong,
        ),
        case(
            "5.17",
            &[(0x80, alone), (0x01, hello), (0x80, one)],
            &[],
            wrong,
        ),
        case("5.18", &[(0x01, one), (0x81, two)], &[], wrong),
        case("5.18, other kind", &[(0x01, one), (0x82, two)], &[], wrong),
        case("5.18, three", &interrupted, &[], wrong),
        case("5.19", &legal, &events, None),
    ];
    cases.iter().for_each(Case::run);
}

#[test]
fn section_6_1_and_6_2_texts_in_fragments() {
    let payload = "Hello-\u{b5}@\u{df}\u{f6}\u{e4}\u{fc}\u{e0}\u{e1}-UTF-8!!";
    let bytes = payload.as_bytes();
    let each: Vec<(u8, &[u8])> = bytes
        .chunks(1)
        .enumerate()
        .map(|(at, byte)| match at {
            0 => (0x01, byte),
            at if at == bytes.len() - 1 => (0x80, byte),
            _ => (0x00, byte),
        })
        .collect();
    let empty = [(0x01, &b""[..]), (0x00, b""), (0x80, b"")];
    let around = [
        (0x01, &b""[..]),
        (0x00, b"middle frame payload"),
        (0x80, b""),
    ];
    let cases = [
        case("6.1.1", &[(0x81, b"")], &[text("")], None),
        case("6.1.2", &empty, &[text("")], None),
        case("6.1.3", &around, &[text("middle frame payload")], None),
        case("6.2.1", &[(0x81, bytes)], &[text(payload)], None),
        case(
            "6.2.2",
            &[(0x01, &bytes[..12]), (0x80, &bytes[12..])],
            &[text(payload)],
            None,
        ),
        case(
            "6.2.2, cut apart",
            &[(0x01, &bytes[..7]), (0x80, &bytes[7..])],
            &[text(payload)],
            None,
        ),
        case("6.2.3", &each, &[text(payload)], None),
    ];
    cases.iter().for_each(Case::run);
}

/// Texts of Markus Kuhn's stress test for decoders of UTF-8, as the suite has them: 6.5 to 6.23.
#[test]
fn section_6_5_to_6_23_valid_and_invalid_texts() {
    let valid: [&[u8]; 24] = [
        b"hello\x24world",
        b"hello\xc2\xa2world",
        b"hello\xe2\x82\xacworld",
        b"hello\xf0\xa4\xad\xa2world",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
        b"\x00",
        b"\xc2\x80",
        b"\xe0\xa0\x80",
        b"\xf0\x90\x80\x80",
        b"\x7f",
        b"\xdf\xbf",
        b"\xef\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xef\xbf\xbd",
        b"\xef\xbf\xbe",
        b"\xef\xbf\xb9",
        b"\xf0\x9f\xbf\xbe",
        b"\xf1\x8f\xbf\xbf",
        b"\xf2\xaf\xbf\xbe",
        b"\xf3\xbf\xbf\xbf",
        b"\xf4\x8f\xbf\xbe",
        b"\xef\xbf\xbc",
    ];
    for payload in valid {
        let event = text(std::str::from_utf8(payload).unwrap());
        case(
            format!("6, {payload:x?}"),
            &[(0x81, payload)],
            &[event],
            None,
        )
        .run();
    }
    let invalid: [&[u8]; 44] = [
        b"\xce\xba\xe1",
        b"\xce\xba\xe1\xbd",
        b"\xce\xba\xe1\xbd\xb9\xcf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xfb\xbf\xbf\xbf\xbf",
        b"\xfd\xbf\xbf\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xbf",
        b"\x80\xbf",
        b"\x80\xbf\x80\xbf\x80\xbf",
        b"\xc0 \xc1 \xc2 ",
        b"\xe0 \xe1 \xe2 ",
        b"\xf0 \xf1 \xf2 ",
        b"\xf8 \xf9 ",
        b"\xfc ",
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xef\xbf\xdf",
        b"\xfe",
        b"\xff",
        b"\xfe\xfe\xff\xff",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf8\x80\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xc0\x80",
        b"\xe0\x80\x80",
        b"\xf0\x80\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xed\xaf\xbf\xed\xbf\xbf",
        b"\xed\xae\x80\xed\xbf\xbf",
    ];
    for payload in invalid {
        let number = format!("6, {payload:x?}");
        case(&number, &[(0x81, payload)], &[], INVALID_PAYLOAD).run();
        let (first, rest) = payload.split_at(1);
        case(
            &number,
            &[(0x01, first), (0x80, rest)],
            &[],
            INVALID_PAYLOAD,
        )
        .run();
        // Binary messages are nobody's business.
        case(&number, &[(0x82, payload)], &[binary(payload)], None).run();
    }
}

/// The message can still become valid with each of these beginnings, and no more with one byte of
/// what follows: fragments and parts of one frame are refused at once, whatever else would come.
#[test]
fn section_6_3_and_6_4_invalid_texts_fail_fast() {
    let valid = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";
    let cases: [(&[u8], &[u8]); 5] = [
        (b"", b"\xff"),
        (b"\xf4", b"\x90\x80\x80"),
        (b"\xed", b"\xa0\x80"),
        (b"\xe0", b"\x80\xaf"),
        (b"\xf0\x9f\x98", b"\x20"),
    ];
    for (good, bad) in cases {
        for direction in [Direction::ToServer, Direction::ToClient] {
            let good = [valid, good].concat();
            let decoder = || direction.decoder(WebSocketLimits::default());
            let fragment = |first, payload: &[u8]| frame(first, direction.key(), payload);
            let begun = fragment(0x01, &good);
            let failed = [begun.clone(), fragment(0x00, &bad[..1])].concat();
            assert_eq!(decode(&mut decoder(), &begun, &[]).error, None);
            let outcome = decode(&mut decoder(), &failed, &[]);
            assert_eq!(outcome.error, Some(FramingError::InvalidUtf8), "{bad:x?}");

            let whole = fragment(0x81, &[&good, bad, b"edited"].concat());
            let header_bytes = whole.len() - good.len() - bad.len() - 6;
            let begun = &whole[..header_bytes + good.len()];
            let failed = &whole[..header_bytes + good.len() + 1];
            assert_eq!(decode(&mut decoder(), begun, &[header_bytes]).error, None);
            let outcome = decode(&mut decoder(), failed, &[header_bytes, begun.len()]);
            assert_eq!(outcome.error, Some(FramingError::InvalidUtf8), "{bad:x?}");
        }
    }
}

#[test]
fn section_7_closing() {
    let normal = &b"\x03\xe8"[..];
    let long = ["*".repeat(123), "*".repeat(124)];
    let body = |reason: &str| [normal, reason.as_bytes()].concat();
    let invalid = body("").into_iter().chain(*b"\xce\xba\xed\xa0\x80edited");
    let invalid: Vec<u8> = invalid.collect();
    let none = Event::Close {
        code: None,
        reason: String::new(),
    };
    let done = [close(1000, "")];
    let cut = [
        (0x01, &b"fragment1"[..]),
        (0x88, normal),
        (0x80, b"fragment2"),
    ];
    let cases = [
        case(
            "7.1.1",
            &[(0x81, b"Hello"), (0x88, normal)],
            &[text("Hello"), close(1000, "")],
            None,
        ),
        case("7.1.2", &[(0x88, normal), (0x88, normal)], &done, None),
        case("7.1.3", &[(0x88, normal), (0x89, b"")], &done, None),
        case("7.1.4", &[(0x88, normal), (0x81, b"Hello")], &done, None),
        case("7.1.5", &cut, &done, None),
        case("7.3.1", &[(0x88, b"")], &[none], None),
        case("7.3.2", &[(0x88, b"a")], &[], PROTOCOL_ERROR),
        case("7.3.3", &[(0x88, normal)], &done, None),
        case(
            "7.3.4",
            &[(0x88, &body("Hello"))],
            &[close(1000, "Hello")],
            None,
        ),
        case(
            "7.3.5",
            &[(0x88, &body(&long[0]))],
            &[close(1000, &long[0])],
            None,
        ),
        case("7.3.6", &[(0x88, &body(&long[1]))], &[], PROTOCOL_ERROR),
        case("7.5.1", &[(0x88, &invalid)], &[], INVALID_PAYLOAD),
    ];
    cases.iter().for_each(Case::run);
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        let frames = [(0x88, &u16::to_be_bytes(code)[..])];
        case(format!("7.7, {code}"), &frames, &[close(code, "")], None).run();
    }
    for code in [
        0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        let frames = [(0x88, &u16::to_be_bytes(code)[..])];
        case(format!("7.9, {code}"), &frames, &[], PROTOCOL_ERROR).run();
    }
}

#[test]
fn section_10_automatic_fragmentation() {
    let payload = "*".repeat(65_536);
    let fragments: Vec<&[u8]> = payload.as_bytes().chunks(1300).collect();
    let last = fragments.len() - 1;
    let frames: Vec<(u8, &[u8])> = fragments
        .into_iter()
        .enumerate()
        .map(|(at, fragment)| {
            let opcode = if at == 0 { 0x01 } else { 0x00 };
            (if at == last { 0x80 | opcode } else { opcode }, fragment)
        })
        .collect();
    case("10.1.1", &frames, &[text(&payload)], None).run();
}
