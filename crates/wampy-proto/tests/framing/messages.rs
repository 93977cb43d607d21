//! WebSocket messages that follow the rules: frames, fragments, control frames, closing, encoding.

use crate::drive::{Direction, Event, binary, decode, frame, text};
use wampy_proto::framing::websocket::{
    CloseCode, Opcode, WebSocketDecoder, WebSocketEncoder, WebSocketLimits, frame_header,
};
use wampy_proto::framing::{Decoder, Encoder, FrameFormat, Step, TooLong};

const KEY: u32 = u32::from_ne_bytes([0x37, 0xfa, 0x21, 0x3d]);

fn server_decoder() -> Decoder {
    WebSocketDecoder::server(WebSocketLimits::default()).into()
}

fn client_decoder() -> Decoder {
    WebSocketDecoder::client(WebSocketLimits::default()).into()
}

/// The examples of RFC 6455, 5.7, as they stand there.
#[test]
fn examples_of_the_rfc() {
    let unmasked: [(&[u8], Event); 5] = [
        (&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], text("Hello")),
        (
            &[0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f],
            text("Hello"),
        ),
        (
            &[0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f],
            Event::Ping(b"Hello".into()),
        ),
        (
            &[&[0x82, 0x7e, 0x01, 0x00][..], &[9; 256]].concat(),
            binary(&[9; 256]),
        ),
        (
            &[&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], &[9; 65536]].concat(),
            binary(&[9; 65536]),
        ),
    ];
    for (stream, event) in unmasked.clone() {
        assert_eq!(decode(&mut client_decoder(), stream, &[]).events, [event]);
    }
    let hello = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(
        decode(&mut server_decoder(), &hello, &[]).events,
        [text("Hello")]
    );
    let pong = [
        0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    let outcome = decode(&mut server_decoder(), &pong, &[]);
    assert_eq!(outcome.events, [Event::Pong(b"Hello".into())]);

    let mut out = Vec::new();
    Encoder::from(WebSocketEncoder::client(false, || KEY))
        .write_message(b"Hello", &mut out)
        .unwrap();
    assert_eq!(out, hello);
    out.clear();
    Encoder::from(WebSocketEncoder::server(false))
        .write_message(b"Hello", &mut out)
        .unwrap();
    assert_eq!(out, unmasked[0].0);
}

#[test]
fn a_whole_message_is_a_slice_of_the_callers_buffer() {
    let mut buffer = frame(0x81, Direction::ToServer.key(), b"borrowed");
    let addresses = buffer.as_ptr_range();
    let mut decoder = server_decoder();
    let next = decoder.next(&mut buffer).unwrap();
    let Step::Message {
        payload,
        binary: false,
    } = next.step
    else {
        panic!("{next:?}")
    };
    assert_eq!(payload, b"borrowed");
    assert!(addresses.contains(&payload.as_ptr()));
}

#[test]
fn control_frames_come_between_fragments() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let frame = |first, payload: &[u8]| frame(first, direction.key(), payload);
        let stream = [
            frame(0x01, "Gr\u{fc}".as_bytes()),
            frame(0x89, b"in between"),
            frame(0x00, b"\xc3"),
            frame(0x8a, b""),
            frame(0x00, b""),
            frame(0x80, b"\x9fe"),
            frame(0x82, b"next"),
        ]
        .concat();
        let outcome = decode(
            &mut direction.decoder(WebSocketLimits::default()),
            &stream,
            &[],
        );
        let ping = Event::Ping(b"in between".into());
        let expected = [
            ping,
            Event::Pong(vec![]),
            text("Gr\u{fc}\u{df}e"),
            binary(b"next"),
        ];
        assert_eq!(outcome.events, expected);
    }
}

#[test]
fn limits_admit_what_just_fits() {
    let limits = WebSocketLimits {
        message_bytes_max: 10,
        fragments_max: 3,
    };
    let frame = |first, payload: &[u8]| frame(first, None, payload);
    let stream = [
        frame(0x82, &[1; 10]),
        frame(0x02, &[1; 5]),
        frame(0x00, &[1; 5]),
        frame(0x80, &[]),
        frame(0x89, &[1; 125]),
    ]
    .concat();
    let outcome = decode(&mut WebSocketDecoder::client(limits).into(), &stream, &[]);
    let ping = Event::Ping(vec![1; 125]);
    assert_eq!(outcome.events, [binary(&[1; 10]), binary(&[1; 10]), ping]);
    assert_eq!(outcome.error, None);
}

#[test]
fn the_hint_is_the_size_of_the_whole_frame() {
    let stream = frame(0x82, Direction::ToServer.key(), &[7; 300]);
    let hint = |length: usize| {
        let mut decoder = server_decoder();
        let mut buffer = stream[..length].to_vec();
        match decoder.next(&mut buffer).unwrap().step {
            Step::NeedMore { frame_bytes } => frame_bytes,
            step => panic!("{step:?}"),
        }
    };
    assert_eq!((hint(0), hint(1)), (2, 2));
    assert_eq!((hint(2), hint(7)), (8, 8));
    assert_eq!((hint(8), hint(307)), (308, 308));
}

#[test]
fn a_close_ends_the_stream() {
    let mut stream = frame(0x88, None, b"\x03\xe9bye");
    stream.extend(frame(0x89, None, b"too late"));
    stream.extend([0xff; 9]);
    let outcome = decode(&mut client_decoder(), &stream, &[]);
    let event = Event::Close {
        code: Some(CloseCode::GOING_AWAY),
        reason: "bye".into(),
    };
    assert_eq!((outcome.events, outcome.error), (vec![event], None));
    assert_eq!(outcome.left_bytes, 0);

    let outcome = decode(&mut client_decoder(), &frame(0x88, None, b""), &[]);
    assert_eq!(
        outcome.events,
        [Event::Close {
            code: None,
            reason: String::new()
        }]
    );
}

#[test]
fn closes_are_written_within_125_bytes() {
    let encoder = Encoder::from(WebSocketEncoder::server(false));
    let written = |code, reason: &str| {
        let mut out = Vec::new();
        encoder.write_close(code, reason, &mut out);
        out
    };
    assert_eq!(written(None, "not sent without a code"), [0x88, 0]);
    assert_eq!(
        written(Some(CloseCode::NORMAL), "bye"),
        b"\x88\x05\x03\xe8bye"
    );
    let longest = "x".repeat(123);
    assert_eq!(
        written(Some(CloseCode::NORMAL), &longest)[4..],
        *longest.as_bytes()
    );
    // 122 bytes and a character of two that would reach beyond the limit.
    let long = "x".repeat(122) + "\u{fc}";
    let out = written(Some(CloseCode::PROTOCOL_ERROR), &long);
    assert_eq!(out.len(), 2 + 2 + 122);
    let outcome = decode(&mut client_decoder(), &out, &[]);
    let code = Some(CloseCode::PROTOCOL_ERROR);
    assert_eq!(
        outcome.events,
        [Event::Close {
            code,
            reason: "x".repeat(122)
        }]
    );
}

#[test]
fn pings_are_limited_to_125_bytes() {
    let encoder = Encoder::from(WebSocketEncoder::server(true));
    let mut out = Vec::new();
    let too_long = TooLong {
        bytes: 126,
        bytes_max: 125,
    };
    assert_eq!(encoder.write_ping(&[0; 126], &mut out), Err(too_long));
    assert_eq!(encoder.write_pong(&[0; 126], &mut out), Err(too_long));
    assert_eq!(out, b"");
    encoder.write_ping(&[5; 125], &mut out).unwrap();
    encoder.write_pong(b"p", &mut out).unwrap();
    let outcome = decode(&mut client_decoder(), &out, &[]);
    assert_eq!(
        outcome.events,
        [Event::Ping(vec![5; 125]), Event::Pong(b"p".into())]
    );
}

#[test]
fn headers_fit_any_payload_whatever_the_hint() {
    let sizes = [0, 1, 125, 126, 127, 65535, 65536, 70_000];
    let encoders = [
        WebSocketEncoder::server(true),
        WebSocketEncoder::client(true, || KEY),
    ];
    for (encoder, direction) in encoders
        .into_iter()
        .zip([Direction::ToClient, Direction::ToServer])
    {
        let encoder = Encoder::from(encoder);
        for size in sizes {
            let payload: Vec<u8> = (0..size).map(|at| at as u8).collect();
            let expected = [b"before".to_vec(), frame(0x82, direction.key(), &payload)].concat();
            for hint in sizes.into_iter().chain([usize::MAX]) {
                let mut out = b"before".to_vec();
                let mark = encoder.begin_message(&mut out, hint);
                out.extend_from_slice(&payload);
                encoder.finish_message(mark, &mut out).unwrap();
                assert!(out == expected, "size {size}, hint {hint}, {direction:?}");
            }
        }
    }
}

#[test]
fn headers_can_be_made_alone() {
    assert_eq!(frame_header(Opcode::Text, 5, None).as_bytes(), [0x81, 5]);
    assert_eq!(
        frame_header(Opcode::Binary, 126, None).as_bytes(),
        [0x82, 126, 0, 126]
    );
    let header = frame_header(Opcode::Binary, 65536, Some([1, 2, 3, 4]));
    assert_eq!(
        header.as_bytes(),
        [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4]
    );
}

#[test]
fn a_frame_that_was_begun_can_be_rolled_back() {
    let encoder = Encoder::from(WebSocketEncoder::server(true));
    let mut out = b"before".to_vec();
    let mark = encoder.begin_message(&mut out, 1000);
    out.extend_from_slice(b"half a mess");
    mark.roll_back(&mut out);
    assert_eq!(out, b"before");
}

#[test]
fn a_buffer_cut_off_behind_an_encoders_back_does_no_harm() {
    for encoder in [
        WebSocketEncoder::server(true),
        WebSocketEncoder::client(true, || KEY),
    ] {
        for keep in 0..20 {
            let mut out = vec![b'a'; 6];
            let mark = encoder.begin(&mut out, 1000);
            out.truncate(keep);
            encoder.finish(mark, &mut out);
        }
    }
}

#[test]
fn only_frames_without_masks_can_be_shared() {
    let client = Encoder::from(WebSocketEncoder::client(true, || KEY));
    assert_eq!(client.format(), None);
    let formats = [
        FrameFormat::WebSocketText,
        FrameFormat::WebSocketBinary,
        FrameFormat::RawSocket,
    ];
    for format in formats {
        assert_eq!(format.encoder().format(), Some(format));
    }
    let mut out = Vec::new();
    FrameFormat::WebSocketText
        .encoder()
        .write_message(b"[36]", &mut out)
        .unwrap();
    assert_eq!(out, b"\x81\x04[36]");
}

#[test]
fn each_frame_of_a_client_gets_a_key_of_its_own() {
    use std::cell::Cell;
    thread_local!(static KEYS: Cell<u32> = const { Cell::new(0) });
    let next_key = || KEYS.with(|keys| keys.replace(keys.get() + 1));
    let encoder = Encoder::from(WebSocketEncoder::client(false, next_key));
    let mut out = Vec::new();
    encoder.write_message(b"x", &mut out).unwrap();
    encoder.write_ping(b"x", &mut out).unwrap();
    let mark = encoder.begin_message(&mut out, 0);
    out.push(b'x');
    encoder.finish_message(mark, &mut out).unwrap();
    let keys: Vec<u8> = out.chunks(7).map(|frame| frame[2]).collect();
    assert_eq!(
        keys,
        if cfg!(target_endian = "little") {
            [0, 1, 2]
        } else {
            [0, 0, 0]
        }
    );
    let outcome = decode(&mut server_decoder(), &out, &[]);
    assert_eq!(
        outcome.events,
        [text("x"), Event::Ping(b"x".into()), text("x")]
    );
}

/// Idle sessions are many; the target is a few hundred bytes for all of a session.
#[test]
fn a_connection_that_is_idle_holds_next_to_nothing() {
    assert!(size_of::<Decoder>() <= 40, "{}", size_of::<Decoder>());
    assert!(size_of::<Encoder>() <= 16, "{}", size_of::<Encoder>());
}
