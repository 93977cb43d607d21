//! Message batching: several messages in one WebSocket message, and what breaks its form.

use crate::drive::{self, Direction, Event, frame, simply_deflated};
use proptest::prelude::*;
use wampy_proto::framing::websocket::batched::{
    BATCH_BYTES_FULL, BatchedDecoder, BatchedEncoder, OpenBatch, message_in, messages,
};
use wampy_proto::framing::websocket::{
    CloseCode, Deflate, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};
use wampy_proto::framing::{Decoder, Encoder, FramingError, TooLong};

const KEY: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

fn frames(message_bytes_max: usize) -> WebSocketDecoder {
    let limits = WebSocketLimits {
        message_bytes_max,
        ..WebSocketLimits::default()
    };
    WebSocketDecoder::server(limits)
        .decompressing(true)
        .leaving_text_unchecked()
}

fn decoder(binary: bool) -> Decoder {
    BatchedDecoder::new(frames(1 << 20), binary).into()
}

fn decode(binary: bool, stream: &[u8]) -> drive::Outcome {
    drive::decode(&mut decoder(binary), stream, &[])
}

/// A text batch with a separator behind each message.
fn separated(separator: u8, messages: &[&str]) -> Vec<u8> {
    let each = |message: &&str| [message.as_bytes(), &[separator]].concat();
    messages.iter().flat_map(each).collect()
}

/// A binary batch with a length in front of each message.
fn counted(messages: &[&[u8]]) -> Vec<u8> {
    let each = |message: &&[u8]| [&(message.len() as u32).to_be_bytes()[..], message].concat();
    messages.iter().flat_map(each).collect()
}

fn texts(messages: &[&str]) -> Vec<Event> {
    messages.iter().map(|it| drive::text(it)).collect()
}

#[test]
fn check_93_each_message_of_a_batch_comes_by_itself() {
    let messages = ["[1]", "", "[2,\"\u{fc}\"]"];
    for separator in [0x1e, 0x18] {
        let stream = frame(0x81, KEY, &separated(separator, &messages));
        assert_eq!(decode(false, &stream).events, texts(&messages));
    }
    let messages: [&[u8]; 3] = [b"one", b"", b"three"];
    let stream = frame(0x82, KEY, &counted(&messages));
    assert_eq!(
        decode(true, &stream).events,
        messages.map(drive::binary).to_vec()
    );
}

#[test]
fn check_93_a_batch_of_one_is_framed_as_well() {
    let stream = frame(0x81, KEY, &separated(0x1e, &["[1]"]));
    assert_eq!(decode(false, &stream).events, texts(&["[1]"]));
    let mut out = Vec::new();
    let encoder: Encoder = BatchedEncoder::new(WebSocketEncoder::server(false)).into();
    encoder.write_message(b"[1]", &mut out).unwrap();
    assert_eq!(out, b"\x81\x04[1]\x1e");
    let encoder: Encoder = BatchedEncoder::new(WebSocketEncoder::server(true)).into();
    out.clear();
    encoder.write_message(b"abc", &mut out).unwrap();
    assert_eq!(out, b"\x82\x07\0\0\0\x03abc");
}

#[test]
fn check_93_an_empty_batch_fails_the_transport() {
    for (binary, first) in [(false, 0x81), (true, 0x82)] {
        // What comes behind it is not looked at any more.
        let good = match binary {
            false => separated(0x1e, &["[1]"]),
            true => counted(&[b"one"]),
        };
        let stream = [frame(first, KEY, b""), frame(first, KEY, &good)].concat();
        let outcome = decode(binary, &stream);
        assert_eq!(outcome.error, Some(FramingError::EmptyBatch));
        assert_eq!(outcome.events, []);
    }
    assert_eq!(
        FramingError::EmptyBatch.close_code(),
        CloseCode::PROTOCOL_ERROR
    );
}

#[test]
fn a_batch_that_is_cut_off_fails_behind_its_whole_messages() {
    let text = frame(0x81, KEY, b"[1]\x1e[2]");
    let outcome = decode(false, &text);
    assert_eq!(outcome.events, texts(&["[1]"]));
    assert_eq!(outcome.error, Some(FramingError::BatchSeparator));
    for (payload, bytes) in [
        (&b"\0\0\0\x01a\0\0\0\x02b"[..], 5),
        (b"\0\0\0\x01a\0\0\0", 3),
        (b"\0\0\0\x01a\xff\xff\xff\xffb", 5),
    ] {
        let outcome = decode(true, &frame(0x82, KEY, payload));
        assert_eq!(outcome.events, [drive::binary(b"a")]);
        assert_eq!(outcome.error, Some(FramingError::BatchLength { bytes }));
    }
}

#[test]
fn a_whole_batch_can_be_looked_at() {
    let batch = separated(0x1e, &["[1]", "", "[2]"]);
    let found: Result<Vec<_>, _> = messages(&batch, false).collect();
    assert_eq!(found.unwrap(), [&b"[1]"[..], b"", b"[2]"]);
    let mut cut = messages(&batch[..batch.len() - 1], false).skip(2);
    assert_eq!(cut.next(), Some(Err(FramingError::BatchSeparator)));
    assert_eq!(cut.next(), None);
    let empty: Vec<_> = messages(b"", true).collect();
    assert_eq!(empty, [Err(FramingError::EmptyBatch)]);
}

#[test]
fn the_limit_is_that_of_the_whole_batch() {
    let batch = separated(0x1e, &["[1]", "[2]"]);
    let read = |limit, stream: &[u8]| {
        let mut decoder: Decoder = BatchedDecoder::new(frames(limit), false).into();
        drive::decode(&mut decoder, stream, &[])
    };
    let too_large = |bytes: usize| FramingError::MessageTooLarge {
        bytes: bytes as u64,
        bytes_max: batch.len() - 1,
    };
    let compressed = simply_deflated(&batch);
    for stream in [frame(0x81, KEY, &batch), frame(0xc1, KEY, &compressed)] {
        assert_eq!(read(batch.len(), &stream).events, texts(&["[1]", "[2]"]));
        let outcome = read(batch.len() - 1, &stream);
        assert_eq!(
            (outcome.events, outcome.error),
            (Vec::new(), Some(too_large(batch.len())))
        );
    }
}

#[test]
fn messages_of_the_other_kind_are_handed_out_whole() {
    let stream = [
        frame(0x82, KEY, b"a\x1e"),
        frame(0x02, KEY, b"b"),
        frame(0x80, KEY, b"\x1e"),
    ];
    let outcome = decode(false, &stream.concat());
    assert_eq!(
        outcome.events,
        [drive::binary(b"a\x1e"), drive::binary(b"b\x1e")]
    );
}

#[test]
fn control_frames_between_batches_and_within_fragments() {
    let batch = separated(0x1e, &["[1]", "[2]", "[3]"]);
    let (one, two) = batch.split_at(5);
    let stream = [
        frame(0x01, KEY, one),
        frame(0x89, KEY, b"ping"),
        frame(0x80, KEY, two),
        frame(0x81, KEY, b"[4]\x1e"),
        frame(0x88, KEY, &[]),
    ];
    let mut expected = vec![Event::Ping(b"ping".to_vec())];
    expected.extend(texts(&["[1]", "[2]", "[3]", "[4]"]));
    expected.push(Event::Close {
        code: None,
        reason: String::new(),
    });
    assert_eq!(decode(false, &stream.concat()).events, expected);
}

#[test]
fn the_peers_separator_is_remembered() {
    for assembled in [false, true] {
        let mut decoder = BatchedDecoder::new(frames(100), false);
        assert_eq!(decoder.separator(), 0x1e);
        let mut stream = match assembled {
            false => frame(0x81, KEY, b"[1]\x18"),
            true => [frame(0x01, KEY, b"[1]"), frame(0x80, KEY, b"\x18")].concat(),
        };
        decoder.next(&mut stream).unwrap();
        assert_eq!(decoder.separator(), 0x18);
    }
}

/// Appends messages, each of which may begin a new batch, as a sender does.
fn encode(encoder: &BatchedEncoder, messages: &[Vec<u8>]) -> Vec<u8> {
    let (mut open, mut out) = (OpenBatch::default(), b"before".to_vec());
    for message in messages {
        let before = out.len();
        let appended = encoder.append(&mut open, &mut out, |out| {
            out.extend_from_slice(message);
            Ok::<(), TooLong>(())
        });
        assert!(open.is_open());
        assert!(appended.unwrap() <= out.len() - before.min(out.len()) + 32);
    }
    encoder.finish(&mut open, &mut out);
    assert!(!open.is_open());
    assert!(out.starts_with(b"before"));
    out.split_off(6)
}

#[test]
fn messages_that_are_sent_together_share_a_frame() {
    let encoder = BatchedEncoder::new(WebSocketEncoder::server(false));
    let messages = [b"[1]".to_vec(), b"[2]".to_vec()];
    assert_eq!(encode(&encoder, &messages), b"\x81\x08[1]\x1e[2]\x1e");
    let octal = encoder.separated_by(0x18);
    assert_eq!(encode(&octal, &messages), b"\x81\x08[1]\x18[2]\x18");
    let binary = BatchedEncoder::new(WebSocketEncoder::server(true));
    assert_eq!(
        encode(&binary.separated_by(0x18), &messages),
        b"\x82\x0e\0\0\0\x03[1]\0\0\0\x03[2]"
    );
}

#[test]
fn a_full_batch_takes_no_further_message() {
    let encoder = BatchedEncoder::new(WebSocketEncoder::server(true));
    let messages = [
        vec![b'a'; BATCH_BYTES_FULL],
        vec![b'b'; 70_000],
        vec![b'c'; 3],
    ];
    let out = encode(&encoder, &messages);
    let mut decoder: Decoder =
        BatchedDecoder::new(WebSocketDecoder::client(WebSocketLimits::default()), true).into();
    let outcome = drive::decode(&mut decoder, &out, &[]);
    assert_eq!(outcome.events, messages.map(|it| drive::binary(&it)));
    let expected = [
        frame(0x82, None, &counted(&[&[b'a'; BATCH_BYTES_FULL]])),
        frame(0x82, None, &counted(&[&[b'b'; 70_000]])),
        frame(0x82, None, &counted(&[b"ccc"])),
    ];
    assert_eq!(out, expected.concat());
}

#[test]
fn a_message_that_fails_leaves_the_batch_as_it_was() {
    let encoder = BatchedEncoder::new(WebSocketEncoder::server(false));
    let too_long = TooLong {
        bytes: 1,
        bytes_max: 0,
    };
    let (mut open, mut out) = (OpenBatch::default(), b"before".to_vec());
    let fail = |open: &mut OpenBatch, out: &mut Vec<u8>| {
        let failed = encoder.append(open, out, |out| {
            out.extend_from_slice(b"half of it");
            Err(too_long)
        });
        assert_eq!(failed, Err(too_long));
    };
    fail(&mut open, &mut out);
    assert_eq!((open.is_open(), &out[..]), (false, &b"before"[..]));
    let write = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"[1]");
        Ok::<(), TooLong>(())
    };
    encoder.append(&mut open, &mut out, write).unwrap();
    fail(&mut open, &mut out);
    encoder.finish(&mut open, &mut out);
    assert_eq!(out, b"before\x81\x04[1]\x1e");
}

#[test]
fn a_batch_is_compressed_as_a_whole() {
    let deflate = Some(Deflate::default());
    let encoder = BatchedEncoder::new(WebSocketEncoder::server(false).compressing(deflate));
    assert!(!encoder.is_plain());
    let messages: Vec<Vec<u8>> = (0..100).map(|n| format!("[36,1,{n}]").into()).collect();
    let out = encode(&encoder, &messages);
    assert_eq!(out[0], 0xc1);
    assert!(out.len() < 500, "{}", out.len());
    let frames = WebSocketDecoder::client(WebSocketLimits::default()).decompressing(true);
    let mut decoder: Decoder = BatchedDecoder::new(frames, false).into();
    let outcome = drive::decode(&mut decoder, &out, &[]);
    let expected = messages.iter().map(|it| Event::Message {
        payload: it.clone(),
        binary: false,
    });
    assert_eq!(outcome.events, expected.collect::<Vec<_>>());
}

#[test]
fn heads_and_tails_stand_around_a_message_of_known_length() {
    for (binary, bytes) in [(false, 3), (true, 3), (false, 70_000), (true, 70_000)] {
        let encoder = BatchedEncoder::new(WebSocketEncoder::server(binary));
        let message = vec![b'x'; bytes];
        let mut out = Vec::new();
        encoder.write_head(bytes, &mut out).unwrap();
        out.extend_from_slice(&message);
        encoder.write_tail(&mut out);
        let mut whole = Vec::new();
        Encoder::from(encoder)
            .write_message(&message, &mut whole)
            .unwrap();
        assert_eq!(out, whole);
    }
}

#[test]
fn a_message_is_found_in_a_shared_frame_of_any_length() {
    for bytes in [0, 125, 126, 65_535, 65_536] {
        let message = vec![b'x'; bytes];
        let mut shared = Vec::new();
        WebSocketEncoder::server(true).write_message(&message, &mut shared);
        assert_eq!(message_in(&shared), message);
    }
    assert_eq!(message_in(&[]), b"");
}

proptest! {
    /// Whatever is put into batches comes out, however the stream is cut, fragmented and compressed.
    #[test]
    fn what_goes_in_comes_out(
        messages in prop::collection::vec(prop::collection::vec(b' '..=b'~', 0..300), 1..40),
        binary: bool,
        compress: bool,
        direction in Direction::any(),
        cuts in prop::collection::vec(0usize..4000, 0..6),
    ) {
        let deflate = compress.then(Deflate::default);
        let server = direction == Direction::ToClient;
        let (encoder, frames) = match server {
            true => (
                WebSocketEncoder::server(binary),
                WebSocketDecoder::client(WebSocketLimits::default()),
            ),
            false => (
                WebSocketEncoder::client(binary, || 0x51c3_77e1),
                WebSocketDecoder::server(WebSocketLimits::default()),
            ),
        };
        let encoder = BatchedEncoder::new(encoder.compressing(deflate));
        let out = encode(&encoder, &messages);
        let mut decoder: Decoder =
            BatchedDecoder::new(frames.decompressing(compress), binary).into();
        let outcome = drive::decode(&mut decoder, &out, &cuts);
        let expected = messages.iter().map(|it| Event::Message { payload: it.clone(), binary });
        prop_assert_eq!(outcome.events, expected.collect::<Vec<_>>());
        prop_assert_eq!((outcome.error, outcome.left_bytes), (None, 0));
    }
}
