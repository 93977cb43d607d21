//! The RawSocket transport; the numbers are those of the wire checks.

use crate::drive::{Event, binary, decode, text};
use proptest::prelude::*;
use wampy_proto::framing::rawsocket::{
    ClientHello, FrameType, HelloError, LengthLimit, MESSAGE_BYTES_MAX, RawSocketDecoder,
    RawSocketEncoder, Refusal, ReplyError, RouterAccept, frame_header,
};
use wampy_proto::framing::{Decoder, Encoder, FramingError, TooLong};

const MSGPACK: u8 = 2;

#[test]
fn wire_check_94_another_first_octet_is_told_apart_at_once() {
    for first in (0..=255).filter(|&first| first != 0x7f) {
        let error = ClientHello::decode(&[first]).unwrap_err();
        assert_eq!(error, HelloError::NotRawSocket(first));
        assert_eq!(error.reply(), None);
    }
}

#[test]
fn wire_check_95_hello_that_cannot_be_accepted() {
    let unknown = ClientHello::decode(&[0x7f, 0xf9, 0, 0]).unwrap().unwrap();
    assert_eq!(
        unknown,
        ClientHello {
            serializer: 9,
            limit: LengthLimit::MAX
        }
    );
    assert_eq!(Refusal::SerializerUnsupported.encode(), [0x7f, 0x10, 0, 0]);
    for (third, fourth) in [(1, 0), (0, 1), (0x80, 0xff)] {
        let error = ClientHello::decode(&[0x7f, 0xf2, third, fourth]).unwrap_err();
        assert_eq!(error, HelloError::ReservedBits(third, fourth));
        assert_eq!(error.reply(), Some([0x7f, 0x30, 0, 0]));
    }
    let error = ClientHello::decode(&[0x7f, 0xf0]).unwrap_err();
    assert_eq!((error, error.reply()), (HelloError::SerializerZero, None));
}

#[test]
fn wire_check_95_error_number_zero_is_never_sent() {
    let named = [
        (Refusal::SerializerUnsupported, 1),
        (Refusal::LengthUnacceptable, 2),
        (Refusal::ReservedBits, 3),
        (Refusal::ConnectionCount, 4),
    ];
    for (refusal, number) in named {
        assert_eq!(refusal.encode(), [0x7f, number << 4, 0, 0]);
        assert_eq!(
            RouterAccept::decode(&refusal.encode(), MSGPACK),
            Err(ReplyError::Refused(refusal))
        );
    }
    for number in 0..=255 {
        let [magic, second, 0, 0] = Refusal::Reserved(number).encode() else {
            panic!("the last octets of a refusal are zero")
        };
        assert_eq!((magic, second & 0x0f), (0x7f, 0));
        assert!((5..=15).contains(&(second >> 4)));
    }
    for number in 5..=15 {
        let reply = RouterAccept::decode(&[0x7f, number << 4, 0, 0], MSGPACK);
        assert_eq!(reply, Err(ReplyError::Refused(Refusal::Reserved(number))));
    }
    let reply = RouterAccept::decode(&[0x7f, 0, 0, 0], MSGPACK);
    assert_eq!(reply, Err(ReplyError::RefusedWithoutReason));
}

#[test]
fn wire_check_96_accepted_with_the_serializer_echoed() {
    let hello = ClientHello::decode(&[0x7f, 0xf2, 0, 0]).unwrap().unwrap();
    assert_eq!(
        hello,
        ClientHello {
            serializer: MSGPACK,
            limit: LengthLimit::MAX
        }
    );
    let limit = LengthLimit::at_most(1 << 20);
    let accept = RouterAccept {
        serializer: hello.serializer,
        limit,
    };
    assert_eq!(accept.encode(), [0x7f, 0xb2, 0, 0]);
    assert_eq!(
        RouterAccept::decode(&accept.encode(), MSGPACK),
        Ok(Some(accept))
    );
    assert_eq!(
        RouterAccept::decode(&[0x7f, 0xf3, 0, 0], MSGPACK),
        Err(ReplyError::SerializerMismatch {
            requested: MSGPACK,
            got: 3
        })
    );
    assert_eq!(
        RouterAccept::decode(b"H", MSGPACK),
        Err(ReplyError::NotRawSocket(b'H'))
    );
    assert_eq!(
        RouterAccept::decode(&[0x7f, 0xf2, 0, 7], MSGPACK),
        Err(ReplyError::ReservedBits(0, 7))
    );
}

#[test]
fn handshakes_wait_for_four_octets_and_leave_the_rest() {
    let stream = [0x7f, 0x51, 0, 0, 0, 0, 0, 5];
    for length in 0..4 {
        assert_eq!(ClientHello::decode(&stream[..length]), Ok(None));
        assert_eq!(RouterAccept::decode(&stream[..length], 1), Ok(None));
    }
    let limit = LengthLimit::at_most(1 << 14);
    assert_eq!(
        ClientHello::decode(&stream),
        Ok(Some(ClientHello {
            serializer: 1,
            limit
        }))
    );
    assert_eq!(
        ClientHello {
            serializer: 1,
            limit
        }
        .encode(),
        stream[..4]
    );
}

#[test]
fn limits_are_rounded_down_to_what_can_be_announced() {
    for nibble in 0..16 {
        let limit = LengthLimit::from_nibble(nibble);
        assert_eq!(limit.bytes(), 2usize.pow(9 + u32::from(nibble)));
        assert_eq!(limit.nibble(), nibble);
        assert_eq!(LengthLimit::at_most(limit.bytes()), limit);
        assert_eq!(LengthLimit::at_most(limit.bytes() * 2 - 1), limit);
    }
    assert_eq!(LengthLimit::at_most(0), LengthLimit::MIN);
    assert_eq!(LengthLimit::at_most(511), LengthLimit::MIN);
    assert_eq!(LengthLimit::at_most(usize::MAX), LengthLimit::MAX);
}

#[test]
fn wire_check_97_frame_above_the_announced_limit() {
    let limit = LengthLimit::MIN;
    let mut decoder = Decoder::from(RawSocketDecoder::new(limit, true));
    // The header alone is enough: no payload has to be awaited, let alone stored.
    let outcome = decode(&mut decoder, &[0, 0, 0x02, 0x01], &[]);
    let too_large = FramingError::MessageTooLarge {
        bytes: 513,
        bytes_max: 512,
    };
    assert_eq!(outcome.error, Some(too_large));

    let encoder = Encoder::from(RawSocketEncoder::new(limit));
    let too_long = TooLong {
        bytes: 513,
        bytes_max: 512,
    };
    let mut out = b"before".to_vec();
    assert_eq!(encoder.write_message(&[7; 513], &mut out), Err(too_long));
    assert_eq!(encoder.write_ping(&[7; 513], &mut out), Err(too_long));
    assert_eq!(encoder.write_pong(&[7; 513], &mut out), Err(too_long));
    let mark = encoder.begin_message(&mut out, 0);
    out.extend_from_slice(&[7; 513]);
    assert_eq!(encoder.finish_message(mark, &mut out), Err(too_long));
    assert_eq!(out, b"before");
    assert_eq!(encoder.write_message(&[7; 512], &mut out), Ok(()));
    let outcome = decode(
        &mut RawSocketDecoder::new(limit, true).into(),
        &out[6..],
        &[],
    );
    assert_eq!(outcome.events, [binary(&[7; 512])]);
}

#[test]
fn wire_check_98_ping_and_pong_carry_the_same_payload() {
    let encoder = Encoder::from(RawSocketEncoder::default());
    let mut out = Vec::new();
    encoder.write_ping(b"Hello", &mut out).unwrap();
    encoder.write_pong(b"Hello", &mut out).unwrap();
    assert_eq!(out, b"\x01\0\0\x05Hello\x02\0\0\x05Hello");
    let outcome = decode(
        &mut RawSocketDecoder::new(LengthLimit::MAX, false).into(),
        &out,
        &[],
    );
    assert_eq!(
        outcome.events,
        [Event::Ping(b"Hello".into()), Event::Pong(b"Hello".into())]
    );
}

#[test]
fn wire_check_99_the_extra_length_bit() {
    let header = |bytes| frame_header(FrameType::Message, bytes);
    assert_eq!(header(MESSAGE_BYTES_MAX), Ok([0x08, 0, 0, 0]));
    assert_eq!(header(MESSAGE_BYTES_MAX - 1), Ok([0, 0xff, 0xff, 0xff]));
    assert_eq!(
        frame_header(FrameType::Pong, MESSAGE_BYTES_MAX),
        Ok([0x0a, 0, 0, 0])
    );
    assert!(header(MESSAGE_BYTES_MAX + 1).is_err());

    let mut stream = vec![0x08, 0, 0, 0];
    stream.resize(4 + MESSAGE_BYTES_MAX, b'x');
    stream.extend_from_slice(&[0, 0, 0, 1, b'y']);
    let outcome = decode(
        &mut RawSocketDecoder::new(LengthLimit::MAX, true).into(),
        &stream,
        &[],
    );
    assert_eq!(
        outcome.events,
        [binary(&vec![b'x'; MESSAGE_BYTES_MAX]), binary(b"y")]
    );
    let smaller = LengthLimit::from_nibble(14);
    let outcome = decode(
        &mut RawSocketDecoder::new(smaller, true).into(),
        &stream[..4],
        &[],
    );
    assert!(matches!(
        outcome.error,
        Some(FramingError::MessageTooLarge {
            bytes: 16777216,
            ..
        })
    ));
}

#[test]
fn reserved_bits_types_and_lengths_fail_the_connection() {
    let cases: [(&[u8], FramingError); 6] = [
        (&[0x10], FramingError::RawSocketReservedBits(0x10)),
        (&[0x80, 0, 0, 1], FramingError::RawSocketReservedBits(0x80)),
        (&[0x03], FramingError::RawSocketReservedType(3)),
        (&[0x07, 0, 0, 1], FramingError::RawSocketReservedType(7)),
        (&[0x0c, 0, 0, 0], FramingError::RawSocketReservedType(4)),
        (&[0x08, 0, 0, 1], FramingError::RawSocketLength(1)),
    ];
    for (stream, error) in cases {
        let mut decoder = Decoder::from(RawSocketDecoder::new(LengthLimit::MAX, true));
        assert_eq!(decode(&mut decoder, stream, &[]).error, Some(error));
    }
}

#[test]
fn messages_repeat_the_kind_of_the_serializer() {
    let stream = b"\0\0\0\x02[]\0\0\0\0";
    let mut decoder = Decoder::from(RawSocketDecoder::new(LengthLimit::MAX, false));
    assert_eq!(
        decode(&mut decoder, stream, &[]).events,
        [text("[]"), text("")]
    );
    let mut decoder = Decoder::from(RawSocketDecoder::new(LengthLimit::MAX, true));
    assert_eq!(
        decode(&mut decoder, stream, &[]).events,
        [binary(b"[]"), binary(b"")]
    );
}

#[test]
fn a_close_is_not_written() {
    let mut out = Vec::new();
    Encoder::from(RawSocketEncoder::default()).write_close(None, "bye", &mut out);
    assert_eq!(out, b"");
}

proptest! {
    #[test]
    fn any_split_of_any_bytes_gives_the_same_outcome(
        stream in proptest::collection::vec(prop_oneof![3 => 0..3u8, 1 => any::<u8>()], 0..200),
        cuts in proptest::collection::vec(0..200usize, 0..20),
        nibble in 0..16u8,
    ) {
        let decoder = || RawSocketDecoder::new(LengthLimit::from_nibble(nibble), true).into();
        prop_assert_eq!(decode(&mut decoder(), &stream, &cuts), decode(&mut decoder(), &stream, &[]));
    }

    #[test]
    fn what_is_written_is_read(
        payloads in proptest::collection::vec(
            (0..3u8, proptest::collection::vec(any::<u8>(), 0..600)), 0..20),
        cuts in proptest::collection::vec(0..2000usize, 0..20),
    ) {
        let encoder = Encoder::from(RawSocketEncoder::default());
        let mut out = Vec::new();
        let events: Vec<Event> = payloads.into_iter().map(|(kind, payload)| match kind {
            0 => {
                let mark = encoder.begin_message(&mut out, 0);
                out.extend_from_slice(&payload);
                encoder.finish_message(mark, &mut out).unwrap();
                binary(&payload)
            }
            1 => {
                encoder.write_ping(&payload, &mut out).unwrap();
                Event::Ping(payload)
            }
            _ => {
                encoder.write_pong(&payload, &mut out).unwrap();
                Event::Pong(payload)
            }
        }).collect();
        let mut decoder = RawSocketDecoder::new(LengthLimit::at_most(1024), true).into();
        let outcome = decode(&mut decoder, &out, &cuts);
        prop_assert_eq!(outcome.events, events);
        prop_assert_eq!((outcome.error, outcome.left_bytes), (None, 0));
    }
}
