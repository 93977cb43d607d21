//! Every way to violate RFC 6455 on the level of frames, each with the code to close with.

use crate::drive::{Direction, Event, decode, frame};
use wampy_proto::framing::FramingError;
use wampy_proto::framing::websocket::{CloseCode, WebSocketLimits};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const TEXT_START: u8 = 0x01;
const BINARY_START: u8 = 0x02;
const MIDDLE: u8 = 0x00;
const END: u8 = 0x80;

const LIMITS: WebSocketLimits = WebSocketLimits {
    message_bytes_max: 300,
    fragments_max: 3,
};

/// First bytes and payloads of frames that follow each other.
type Frames = Vec<(u8, Vec<u8>)>;

/// Sections of RFC 6455 or names of limits, frames that violate them, the error.
fn violations() -> Vec<(&'static str, Frames, FramingError)> {
    let one = |first, payload: &[u8]| vec![(first, payload.to_vec())];
    let close = |number: u16| one(CLOSE, &number.to_be_bytes());
    let too_large = |bytes| FramingError::MessageTooLarge {
        bytes,
        bytes_max: 300,
    };
    let mut list = vec![
        (
            "5.2 RSV1",
            one(TEXT | 0x40, b"x"),
            FramingError::ReservedBits(0b100),
        ),
        (
            "5.2 RSV2",
            one(BINARY | 0x20, b"x"),
            FramingError::ReservedBits(0b010),
        ),
        (
            "5.2 RSV3",
            one(PING | 0x10, b"x"),
            FramingError::ReservedBits(0b001),
        ),
        (
            "5.2 all RSV",
            one(CLOSE | 0x70, b""),
            FramingError::ReservedBits(0b111),
        ),
        (
            "5.2 RSV of a continuation",
            vec![(TEXT_START, b"a".to_vec()), (END | 0x40, b"b".to_vec())],
            FramingError::ReservedBits(0b100),
        ),
        (
            "5.5 fragmented ping",
            one(0x09, b""),
            FramingError::ControlFragmented,
        ),
        (
            "5.5 fragmented pong",
            one(0x0a, b""),
            FramingError::ControlFragmented,
        ),
        (
            "5.5 fragmented close",
            one(0x08, b""),
            FramingError::ControlFragmented,
        ),
        (
            "5.5 long ping",
            one(PING, &[0; 126]),
            FramingError::ControlTooLong,
        ),
        (
            "5.5 long pong",
            one(PONG, &[0; 70_000]),
            FramingError::ControlTooLong,
        ),
        (
            "5.5 long close",
            one(CLOSE, &[3; 126]),
            FramingError::ControlTooLong,
        ),
        (
            "5.4 continuation of nothing",
            one(END, b"x"),
            FramingError::NothingToContinue,
        ),
        (
            "5.4 middle of nothing",
            one(MIDDLE, b"x"),
            FramingError::NothingToContinue,
        ),
        (
            "5.4 continuation after a whole message",
            vec![(TEXT, b"x".to_vec()), (END, b"y".to_vec())],
            FramingError::NothingToContinue,
        ),
        (
            "5.4 continuation after the last fragment",
            vec![(TEXT_START, vec![]), (END, vec![]), (END, vec![])],
            FramingError::NothingToContinue,
        ),
        (
            "5.4 text inside a fragmented text",
            vec![(TEXT_START, b"x".to_vec()), (TEXT, b"y".to_vec())],
            FramingError::InterruptedMessage,
        ),
        (
            "5.4 binary inside a fragmented text",
            vec![(TEXT_START, b"x".to_vec()), (BINARY_START, b"y".to_vec())],
            FramingError::InterruptedMessage,
        ),
        (
            "5.5.1 close body of one byte",
            one(CLOSE, &[3]),
            FramingError::CloseTruncated,
        ),
        (
            "5.5.1 reason is not UTF-8",
            one(CLOSE, b"\x03\xe8\xff"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 byte that starts nothing",
            one(TEXT, b"a\xffb"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 lonely continuation byte",
            one(TEXT, b"\x80"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 overlong slash",
            one(TEXT, b"\xc0\xaf"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 surrogate",
            one(TEXT, b"\xed\xa0\x80"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 beyond U+10FFFF",
            one(TEXT, b"\xf4\x90\x80\x80"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 cut character",
            one(TEXT, b"\xe2\x82"),
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 character cut at the end of the last fragment",
            vec![(TEXT_START, b"\xe2".to_vec()), (END, b"\x82".to_vec())],
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 invalid byte in the first fragment, before the message is complete",
            vec![(TEXT_START, b"a\xff".to_vec())],
            FramingError::InvalidUtf8,
        ),
        (
            "8.1 character that no further fragment can repair",
            vec![(TEXT_START, b"\xf4".to_vec()), (MIDDLE, b"\x90".to_vec())],
            FramingError::InvalidUtf8,
        ),
        ("message_bytes_max", one(BINARY, &[0; 301]), too_large(301)),
        (
            "message_bytes_max over fragments",
            vec![(BINARY_START, vec![0; 200]), (MIDDLE, vec![0; 101])],
            too_large(301),
        ),
        (
            "fragments_max",
            vec![
                (BINARY_START, vec![]),
                (MIDDLE, vec![]),
                (MIDDLE, vec![]),
                (END, vec![]),
            ],
            FramingError::TooManyFragments { fragments_max: 3 },
        ),
    ];
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let error = FramingError::ReservedOpcode(opcode);
        list.push((
            "5.2 reserved opcode",
            one(0x80 | opcode, b"x"),
            error.clone(),
        ));
        list.push(("5.2 reserved opcode, fragmented", one(opcode, b""), error));
    }
    for number in [
        0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
    ] {
        list.push((
            "7.4 close code",
            close(number),
            FramingError::CloseCodeInvalid(number),
        ));
    }
    list
}

fn code_for(error: &FramingError) -> CloseCode {
    match error {
        FramingError::InvalidUtf8 => CloseCode::INVALID_PAYLOAD,
        FramingError::MessageTooLarge { .. } => CloseCode::MESSAGE_TOO_BIG,
        FramingError::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
        _ => CloseCode::PROTOCOL_ERROR,
    }
}

#[test]
fn each_violation_is_refused_with_its_code() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        for (name, frames, error) in violations() {
            let mut stream = frame(PING, direction.key(), b"before");
            for (first, payload) in &frames {
                stream.extend(frame(*first, direction.key(), payload));
            }
            let bytewise: Vec<usize> = (0..stream.len()).collect();
            for cuts in [&[][..], &bytewise] {
                let outcome = decode(&mut direction.decoder(LIMITS), &stream, cuts);
                assert_eq!(
                    outcome.error.as_ref(),
                    Some(&error),
                    "{name}, {direction:?}"
                );
                assert_eq!(outcome.events[0], Event::Ping(b"before".into()), "{name}");
            }
            assert_eq!(error.close_code(), code_for(&error), "{name}");
        }
    }
}

#[test]
fn section_5_1_masks_are_the_clients_duty_and_nobody_elses() {
    let unmasked = frame(TEXT, None, b"x");
    let masked = frame(TEXT, Direction::ToServer.key(), b"x");
    let outcome = decode(&mut Direction::ToServer.decoder(LIMITS), &unmasked, &[]);
    assert_eq!(outcome.error, Some(FramingError::UnmaskedFromClient));
    let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), &masked, &[]);
    assert_eq!(outcome.error, Some(FramingError::MaskedFromServer));
    assert_eq!(
        FramingError::UnmaskedFromClient.close_code(),
        CloseCode::PROTOCOL_ERROR
    );
    assert_eq!(
        FramingError::MaskedFromServer.close_code(),
        CloseCode::PROTOCOL_ERROR
    );
}

#[test]
fn section_5_2_lengths_are_minimal_and_fit_63_bits() {
    let long = |length: u64| [&[BINARY, 127][..], &length.to_be_bytes()].concat();
    let cases = [
        [&[BINARY, 126][..], &125u16.to_be_bytes()].concat(),
        [&[BINARY, 126][..], &0u16.to_be_bytes()].concat(),
        long(0),
        long(65535),
        long(1 << 63),
        long(u64::MAX),
    ];
    for stream in cases {
        let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), &stream, &[]);
        assert_eq!(
            outcome.error,
            Some(FramingError::LengthEncoding),
            "{stream:?}"
        );
    }
    // The largest length that the encoding allows is only too large for us.
    let outcome = decode(
        &mut Direction::ToClient.decoder(LIMITS),
        &long((1 << 63) - 1),
        &[],
    );
    assert!(matches!(
        outcome.error,
        Some(FramingError::MessageTooLarge { .. })
    ));
}

#[test]
fn violations_show_as_early_as_they_can() {
    let cases: [(&[u8], FramingError); 4] = [
        (&[0xc1], FramingError::ReservedBits(0b100)),
        (&[0x83], FramingError::ReservedOpcode(3)),
        (&[0x09], FramingError::ControlFragmented),
        (&[PING, 126], FramingError::ControlTooLong),
    ];
    for (stream, error) in cases {
        let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), stream, &[]);
        assert_eq!(outcome.error, Some(error));
    }
    // An invalid byte is seen before the frame that carries it is complete.
    let text = frame(
        TEXT,
        Direction::ToServer.key(),
        b"valid, \xff and then more than arrives",
    );
    let outcome = decode(
        &mut Direction::ToServer.decoder(LIMITS),
        &text[..20],
        &[8, 13],
    );
    assert_eq!(outcome.error, Some(FramingError::InvalidUtf8));
    // A size beyond the limit is refused by its header.
    let header = &frame(BINARY, None, &[0; 301])[..4];
    let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), header, &[]);
    let too_large = FramingError::MessageTooLarge {
        bytes: 301,
        bytes_max: 300,
    };
    assert_eq!(outcome.error, Some(too_large));
}

#[test]
fn section_7_4_codes_that_may_be_sent() {
    for number in 0..=u16::MAX {
        let may_be_sent = matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999);
        let stream = frame(CLOSE, None, &number.to_be_bytes());
        let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), &stream, &[]);
        match CloseCode::new(number) {
            Some(code) => {
                assert!(may_be_sent, "{number}");
                let event = Event::Close {
                    code: Some(code),
                    reason: String::new(),
                };
                assert_eq!((outcome.events, code.number()), (vec![event], number));
            }
            None => {
                assert!(!may_be_sent, "{number}");
                assert_eq!(outcome.error, Some(FramingError::CloseCodeInvalid(number)));
            }
        }
    }
}
