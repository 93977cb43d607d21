//! Compressed messages (RFC 7692): what a peer may send, what it may not, and what is written.

use crate::drive::{
    Direction, Event, Outcome, binary, compressing_encoder, decode, deflated, frame,
    simply_deflated, text,
};
use flate2::FlushCompress;
use wampy_proto::framing::websocket::{COMPRESSED_BYTES_MIN, CloseCode, WebSocketLimits};
use wampy_proto::framing::{FrameFormat, FramingError};

const LIMITS: WebSocketLimits = WebSocketLimits {
    message_bytes_max: 1 << 20,
    fragments_max: 2000,
};
const TEXT: u8 = 0xc1;
const BINARY: u8 = 0xc2;
const TEXT_START: u8 = 0x41;
const BINARY_START: u8 = 0x42;
const MIDDLE: u8 = 0x00;
const END: u8 = 0x80;

/// First bytes and payloads of frames.
type Frames<'a> = &'a [(u8, &'a [u8])];

/// Sends frames with these first bytes and payloads both ways, cut nowhere and everywhere, and
/// returns what came of it.
fn outcome(limits: WebSocketLimits, frames: &[(u8, &[u8])]) -> Outcome {
    let [to_server, to_client] = [Direction::ToServer, Direction::ToClient].map(|direction| {
        let frames = frames.iter();
        let stream: Vec<u8> = frames
            .flat_map(|(first, payload)| frame(*first, direction.key(), payload))
            .collect();
        let whole = decode(&mut direction.decompressing_decoder(limits), &stream, &[]);
        let everywhere: Vec<usize> = (0..stream.len().min(4000)).collect();
        let cut = decode(
            &mut direction.decompressing_decoder(limits),
            &stream,
            &everywhere,
        );
        assert_eq!(cut, whole);
        whole
    });
    assert_eq!(
        (&to_server.events, &to_server.error),
        (&to_client.events, &to_client.error)
    );
    to_server
}

fn events(frames: &[(u8, &[u8])]) -> Vec<Event> {
    let outcome = outcome(LIMITS, frames);
    assert_eq!((outcome.error, outcome.left_bytes), (None, 0));
    outcome.events
}

fn error(frames: &[(u8, &[u8])]) -> FramingError {
    outcome(LIMITS, frames).error.expect("a violation")
}

/// The examples of RFC 7692, 7.2.3, as they stand there.
#[test]
fn examples_of_the_rfc() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    let with_final_block = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let two_blocks = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    for payload in [&hello[..], &stored, &with_final_block, &two_blocks] {
        assert_eq!(events(&[(TEXT, payload)]), [text("Hello")], "{payload:x?}");
    }
    let fragments = [(TEXT_START, &hello[..3]), (END, &hello[3..])];
    assert_eq!(events(&fragments), [text("Hello")]);
    assert_eq!(events(&[(TEXT, &[0x00])]), [text("")]);
    // The second "Hello" of 7.2.3.2 refers to the first: context takeover, which was ruled out.
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let outcome = outcome(LIMITS, &[(TEXT, &hello), (TEXT, &again)]);
    assert_eq!(outcome.events, [text("Hello")]);
    assert_eq!(outcome.error, Some(FramingError::Deflate));
}

#[test]
fn compressed_and_plain_messages_alternate() {
    let (one, two) = (
        simply_deflated(b"one"),
        simply_deflated("zw\u{f6}lf".as_bytes()),
    );
    let frames = [
        (TEXT, &one[..]),
        (0x81, b"plain"),
        (BINARY, &two),
        (0x01, b"fragmented "),
        (END, b"plain"),
        (TEXT_START, &two[..2]),
        (0x89, b"ping"),
        (END, &two[2..]),
        (0x82, b"\xff"),
    ];
    let expected = [
        text("one"),
        text("plain"),
        binary("zw\u{f6}lf".as_bytes()),
        text("fragmented plain"),
        Event::Ping(b"ping".into()),
        text("zw\u{f6}lf"),
        binary(b"\xff"),
    ];
    assert_eq!(events(&frames), expected);
}

#[test]
fn rsv1_is_for_the_first_frame_of_a_message_only() {
    let hello = simply_deflated(b"Hello");
    let whole = &hello[..];
    let cases: [(&str, Frames<'_>, u8); 9] = [
        ("ping", &[(0xc9, b"")], 0b100),
        ("pong", &[(0xca, b"")], 0b100),
        ("close", &[(0xc8, b"\x03\xe8")], 0b100),
        (
            "continuation of a compressed one",
            &[(TEXT_START, &whole[..3]), (0xc0, &whole[3..])],
            0b100,
        ),
        (
            "middle of a compressed one",
            &[(TEXT_START, &whole[..3]), (0x40, &whole[3..])],
            0b100,
        ),
        (
            "continuation of a plain one",
            &[(0x01, b"x"), (0xc0, whole)],
            0b100,
        ),
        ("with RSV2", &[(0xe1, whole)], 0b110),
        ("with RSV3", &[(0xd2, whole)], 0b101),
        ("RSV2 alone", &[(0xa1, b"x")], 0b010),
    ];
    for (name, frames, bits) in cases {
        let error = error(frames);
        assert_eq!(error, FramingError::ReservedBits(bits), "{name}");
        assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
    }
    for opcode in [3, 7, 11, 15] {
        let reserved = [(0xc0 | opcode, whole)];
        assert_eq!(error(&reserved), FramingError::ReservedBits(0b100));
    }
    // A decoder that agreed to nothing refuses each of them.
    let stream = frame(TEXT, None, whole);
    let outcome = decode(&mut Direction::ToClient.decoder(LIMITS), &stream, &[]);
    assert_eq!(outcome.error, Some(FramingError::ReservedBits(0b100)));
}

#[test]
fn a_compressed_message_is_not_interrupted_either() {
    let hello = simply_deflated(b"Hello");
    for first in [0x81, 0x82, TEXT, BINARY] {
        let frames = [(TEXT_START, &hello[..3]), (first, &hello)];
        assert_eq!(error(&frames), FramingError::InterruptedMessage);
    }
    let limits = WebSocketLimits {
        fragments_max: 2,
        ..LIMITS
    };
    let frames = [(TEXT_START, &hello[..3]), (MIDDLE, &hello[3..]), (END, b"")];
    let outcome = outcome(limits, &frames);
    assert_eq!(
        outcome.error,
        Some(FramingError::TooManyFragments { fragments_max: 2 })
    );
}

#[test]
fn what_is_no_deflate_stream_is_refused() {
    let payload: Vec<u8> = (0..3000u32)
        .flat_map(|it| it.to_string().into_bytes())
        .collect();
    let whole = simply_deflated(&payload);
    let stored = deflated(&payload[..100], 0, 15, &[]);
    let mut cases: Vec<(String, Vec<u8>)> = vec![
        ("reserved type of block".into(), vec![0x07]),
        (
            "length of a stored block".into(),
            vec![0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48],
        ),
        (
            "distance beyond the beginning".into(),
            vec![0x03, 0x21, 0x00],
        ),
        ("all ones".into(), vec![0xff; 50]),
        ("text".into(), b"this was never compressed".to_vec()),
        ("gzip".into(), b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec()),
        ("stored block cut off".into(), stored[..50].to_vec()),
        (
            "garbage behind a final block".into(),
            vec![0x03, 0x00, 0xff, 0xff],
        ),
    ];
    for kept in [1, 10, whole.len() / 2, whole.len() - 20, whole.len() - 2] {
        cases.push((format!("cut off after {kept}"), whole[..kept].to_vec()));
    }
    for (name, payload) in cases {
        assert_eq!(
            error(&[(BINARY, &payload)]),
            FramingError::Deflate,
            "{name}"
        );
        let fragments = [(BINARY_START, &payload[..1]), (END, &payload[1..])];
        assert_eq!(error(&fragments), FramingError::Deflate, "{name}");
    }
    assert_eq!(
        FramingError::Deflate.close_code(),
        CloseCode::INVALID_PAYLOAD
    );
}

#[test]
fn empty_blocks_and_final_blocks_change_nothing() {
    let hello = simply_deflated(b"Hello");
    let empty_stored = [0x00, 0x00, 0x00, 0xff, 0xff];
    let cases = [
        // The end of the flush was not left out.
        [&hello[..], &[0x00, 0x00, 0xff, 0xff, 0x00]].concat(),
        [
            &hello[..],
            &[0x00, 0x00, 0xff, 0xff],
            &empty_stored.repeat(100),
            &[0x00],
        ]
        .concat(),
        [&empty_stored.repeat(3)[..], &hello].concat(),
        // Final blocks in front, behind, and without the byte that RFC 7692, 7.2.3.4 adds.
        [&[0x03, 0x00][..], &hello].concat(),
        vec![
            0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x03, 0x00, 0x03, 0x00,
        ],
        vec![0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
    ];
    for payload in cases {
        assert_eq!(events(&[(TEXT, &payload)]), [text("Hello")], "{payload:x?}");
        for at in 0..payload.len() {
            let fragments = [(TEXT_START, &payload[..at]), (END, &payload[at..])];
            assert_eq!(events(&fragments), [text("Hello")], "{payload:x?} at {at}");
        }
    }
    // Nothing at all is taken for the empty message.
    assert_eq!(events(&[(BINARY, b"")]), [binary(b"")]);
    assert_eq!(
        events(&[(TEXT_START, b""), (MIDDLE, b""), (END, b"")]),
        [text("")]
    );
}

#[test]
fn texts_are_validated_after_decompression() {
    let valid = simply_deflated("Gr\u{fc}\u{df}e \u{1f600}".as_bytes());
    for at in 0..valid.len() {
        let fragments = [(TEXT_START, &valid[..at]), (END, &valid[at..])];
        assert_eq!(events(&fragments), [text("Gr\u{fc}\u{df}e \u{1f600}")]);
    }
    for bad in [
        &b"a\xffb"[..],
        b"\xed\xa0\x80",
        b"cut \xe2\x82",
        b"\xf4\x90\x80\x80",
    ] {
        let payload = simply_deflated(bad);
        assert_eq!(
            error(&[(TEXT, &payload)]),
            FramingError::InvalidUtf8,
            "{bad:x?}"
        );
        assert_eq!(events(&[(BINARY, &payload)]), [binary(bad)]);
    }
    // An invalid byte shows in the fragment that has it.
    let flushes = [(3, FlushCompress::Sync)];
    let payload = deflated(b"ab\xff and more", 6, 15, &flushes);
    let cut = payload.len() - 5;
    assert_eq!(
        error(&[(TEXT_START, &payload[..cut])]),
        FramingError::InvalidUtf8
    );
}

/// A message of `bytes` that takes hardly any.
fn bomb(bytes: usize) -> Vec<u8> {
    let payload = deflated(&vec![0; bytes], 9, 15, &[]);
    assert!(payload.len() < 16 + bytes / 500, "{}", payload.len());
    payload
}

#[test]
fn the_limit_is_that_of_the_decompressed_message() {
    let bytes_max = 100_000;
    let limits = WebSocketLimits {
        message_bytes_max: bytes_max,
        ..LIMITS
    };
    let too_large = FramingError::MessageTooLarge {
        bytes: bytes_max as u64 + 1,
        bytes_max,
    };
    let (fits, exceeds) = (bomb(bytes_max), bomb(bytes_max + 1));
    let huge = bomb(3_000_000);
    let all = outcome(limits, &[(BINARY, &fits)]);
    assert_eq!(
        (all.events, all.error),
        (vec![binary(&vec![0; bytes_max])], None)
    );
    for payload in [&exceeds, &huge] {
        let whole = outcome(limits, &[(BINARY, payload)]);
        assert_eq!(whole.error.as_ref(), Some(&too_large));
        let cuts = [20, payload.len() / 2, payload.len() - 1];
        for cut in cuts {
            let frames = [(BINARY_START, &payload[..cut]), (END, &payload[cut..])];
            assert_eq!(outcome(limits, &frames).error.as_ref(), Some(&too_large));
        }
        // Text is measured before it is validated.
        assert_eq!(
            outcome(limits, &[(TEXT, payload)]).error.as_ref(),
            Some(&too_large)
        );
    }
    assert_eq!(too_large.close_code(), CloseCode::MESSAGE_TOO_BIG);
    // Several fragments that are within the limit each.
    let parts = deflated(
        &vec![0; 2 * bytes_max],
        9,
        15,
        &[(60_000, FlushCompress::Full)],
    );
    let cut = parts
        .windows(4)
        .position(|it| it == [0, 0, 0xff, 0xff])
        .unwrap()
        + 4;
    let frames = [(BINARY_START, &parts[..cut]), (END, &parts[cut..])];
    assert_eq!(outcome(limits, &frames).error, Some(too_large));
}

#[test]
fn a_frame_may_be_a_little_larger_than_the_message() {
    let limits = WebSocketLimits {
        message_bytes_max: 1000,
        ..LIMITS
    };
    let payload: Vec<u8> = (0..1000).map(|at| ((at * 7919) >> 3) as u8).collect();
    let flushes = [(100, FlushCompress::Sync); 9];
    let stored = deflated(&payload, 0, 15, &flushes);
    assert!(stored.len() > payload.len() + 50);
    let all = outcome(limits, &[(BINARY, &stored)]);
    assert_eq!((all.events, all.error), (vec![binary(&payload)], None));
    // A frame that is much larger is refused by its header.
    let header = &frame(BINARY, None, &[0; 2000])[..4];
    let all = decode(
        &mut Direction::ToClient.decompressing_decoder(limits),
        header,
        &[],
    );
    let too_large = FramingError::MessageTooLarge {
        bytes: 2000,
        bytes_max: 1000,
    };
    assert_eq!(all.error, Some(too_large));
}

#[test]
fn only_messages_of_some_size_are_written_compressed() {
    let writer = compressing_encoder(Direction::ToClient, false, None);
    for (bytes, first) in [
        (0, 0x81),
        (COMPRESSED_BYTES_MIN - 1, 0x81),
        (COMPRESSED_BYTES_MIN, TEXT),
        (100_000, TEXT),
    ] {
        let mut out = b"before".to_vec();
        writer.write_message(&vec![b'x'; bytes], &mut out).unwrap();
        assert_eq!(out[6], first, "{bytes}");
    }
    let mut out = Vec::new();
    writer.write_ping(&[b'x'; 125], &mut out).unwrap();
    writer.write_close(Some(CloseCode::NORMAL), &"x".repeat(123), &mut out);
    assert_eq!(
        (out[0], out[127]),
        (0x89, 0x88),
        "control frames are never compressed"
    );
}

#[test]
fn frames_are_shared_among_those_who_agreed_to_the_same() {
    let format =
        |is_binary, bits| compressing_encoder(Direction::ToClient, is_binary, bits).format();
    assert_eq!(format(false, None), Some(FrameFormat::WebSocketTextDeflate));
    assert_eq!(
        format(true, None),
        Some(FrameFormat::WebSocketBinaryDeflate)
    );
    assert_eq!(
        format(true, Some(15)),
        Some(FrameFormat::WebSocketBinaryDeflate)
    );
    assert_eq!(format(true, Some(14)), None, "nobody else's window");
    assert_eq!(format(true, Some(9)), None);
    // zlib has no window of 256 bytes, so such a peer gets nothing compressed.
    assert_eq!(format(true, Some(8)), Some(FrameFormat::WebSocketBinary));
    assert_eq!(format(false, Some(8)), Some(FrameFormat::WebSocketText));
    let payload = [7; 5000];
    let shared_formats = [
        (FrameFormat::WebSocketText, 0x81),
        (FrameFormat::WebSocketBinary, 0x82),
        (FrameFormat::WebSocketTextDeflate, TEXT),
        (FrameFormat::WebSocketBinaryDeflate, BINARY),
    ];
    for (format, first) in shared_formats {
        let mut out = Vec::new();
        format.encoder().write_message(&payload, &mut out).unwrap();
        assert_eq!((out[0], format.encoder().format()), (first, Some(format)));
    }
}
