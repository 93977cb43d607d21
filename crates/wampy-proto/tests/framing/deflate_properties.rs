//! Properties of compressed messages, and so the Autobahn suite's cases 12 and 13: whatever flate2
//! compresses with any level, window and flush is read, in any fragments; whatever is written can be
//! read with the window that was agreed upon.

use crate::drive::{
    Direction, Event, binary, compressing_encoder, decode, deflated, frame, simply_deflated,
};
use flate2::{Decompress, FlushCompress, FlushDecompress};
use proptest::collection::vec;
use proptest::prelude::*;
use wampy_proto::framing::websocket::WebSocketLimits;

const LIMITS: WebSocketLimits = WebSocketLimits {
    message_bytes_max: 1 << 20,
    fragments_max: 2000,
};
const BINARY: u8 = 0xc2;
const TEXT_START: u8 = 0x41;
const BINARY_START: u8 = 0x42;
const MIDDLE: u8 = 0x00;

/// Decompresses with a window of exactly this size: output is taken in small pieces, so that no
/// reference reaches farther.
fn inflate_within(window_bits: u8, payload: &[u8]) -> Vec<u8> {
    let stream = [payload, &[0x00, 0x00, 0xff, 0xff]].concat();
    let mut inflate = Decompress::new_with_window_bits(false, window_bits);
    let (mut rest, mut out) = (&stream[..], Vec::new());
    loop {
        let mut piece = Vec::with_capacity(61);
        let before = inflate.total_in();
        inflate
            .decompress_vec(rest, &mut piece, FlushDecompress::None)
            .unwrap();
        rest = &rest[(inflate.total_in() - before) as usize..];
        out.extend_from_slice(&piece);
        if rest.is_empty() && piece.len() < piece.capacity() {
            return out;
        }
    }
}

/// Data with repetitions at all distances, more or less compressible.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let step = prop_oneof![
        4 => vec(any::<u8>(), 1..40).prop_map(|it| (0, it)),
        2 => vec(0..4u8, 1..400).prop_map(|it| (0, it)),
        4 => (1..70_000usize, 3..600usize).prop_map(|(back, bytes)| (back, vec![0; bytes])),
    ];
    vec(step, 0..100).prop_map(|steps| {
        let mut data = Vec::new();
        for (back, bytes) in steps {
            if back == 0 || data.is_empty() {
                data.extend(bytes);
                continue;
            }
            for _ in bytes {
                data.push(data[data.len() - back.min(data.len())]);
            }
        }
        data
    })
}

fn flushes() -> impl Strategy<Value = Vec<(usize, FlushCompress)>> {
    let flush = prop::sample::select(vec![
        FlushCompress::None,
        FlushCompress::Partial,
        FlushCompress::Sync,
        FlushCompress::Full,
    ]);
    vec((0..5000usize, flush), 0..6)
}

/// Frames of a message cut anywhere, with pings in between.
fn fragments(
    direction: Direction,
    first: u8,
    payload: &[u8],
    cuts: &[prop::sample::Index],
) -> (Vec<u8>, Vec<Event>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|it| it.index(payload.len() + 1)).collect();
    cuts.extend([0, payload.len()]);
    cuts.sort_unstable();
    let (mut stream, mut pings) = (Vec::new(), Vec::new());
    let last = cuts.len() - 2;
    for (at, ends) in cuts.windows(2).enumerate() {
        let opcode = if at == 0 { first } else { MIDDLE };
        let fin = if at == last { 0x80 } else { 0 };
        stream.extend(frame(
            fin | opcode,
            direction.key(),
            &payload[ends[0]..ends[1]],
        ));
        if at < last {
            stream.extend(frame(0x89, direction.key(), &[at as u8]));
            pings.push(Event::Ping(vec![at as u8]));
        }
    }
    (stream, pings)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cases 12 and 13: sizes, fragments, levels, windows.
    #[test]
    fn whatever_a_peer_compresses_is_read(
        direction in Direction::any(),
        payload in data(),
        level in 0..10u32,
        window_bits in 9..16u8,
        flushes in flushes(),
        fragment_cuts in vec(any::<prop::sample::Index>(), 0..9),
        cuts in vec(0..20_000usize, 0..20),
    ) {
        let compressed = deflated(&payload, level, window_bits, &flushes);
        let (mut stream, mut expected) =
            fragments(direction, BINARY_START, &compressed, &fragment_cuts);
        expected.push(binary(&payload));
        stream.extend(frame(BINARY, direction.key(), &compressed));
        expected.push(binary(&payload));
        let limits = WebSocketLimits { message_bytes_max: payload.len(), ..LIMITS };
        let outcome = decode(&mut direction.decompressing_decoder(limits), &stream, &cuts);
        prop_assert_eq!((outcome.events, outcome.error, outcome.left_bytes), (expected, None, 0));
    }

    #[test]
    fn whatever_is_compressed_can_be_read_with_the_window_agreed_upon(
        direction in Direction::any(),
        payloads in vec(data(), 1..4),
        window_bits in prop::option::of(8..16u8),
        hint in 0..100_000usize,
    ) {
        let writer = compressing_encoder(direction, true, window_bits);
        let mut stream = Vec::new();
        for payload in &payloads {
            let mark = writer.begin_message(&mut stream, hint);
            stream.extend_from_slice(payload);
            writer.finish_message(mark, &mut stream).unwrap();
            let mut alone = Vec::new();
            writer.write_message(payload, &mut alone).unwrap();
            prop_assert!(stream.ends_with(&alone));
            prop_assert!(alone.len() <= frame(BINARY, direction.key(), payload).len());
            if alone[0] == BINARY && direction == Direction::ToClient {
                let header_bytes = if alone[1] == 126 { 4 } else if alone[1] == 127 { 10 } else { 2 };
                let read = inflate_within(window_bits.unwrap_or(15), &alone[header_bytes..]);
                prop_assert_eq!(&read, payload);
            }
        }
        let outcome = decode(&mut direction.decompressing_decoder(LIMITS), &stream, &[]);
        let expected: Vec<_> = payloads.iter().map(|it| binary(it)).collect();
        prop_assert_eq!((outcome.events, outcome.error), (expected, None));
    }

    #[test]
    fn any_compressed_bytes_any_split_same_outcome(
        direction in Direction::any(),
        garbage in vec(any::<u8>(), 0..60),
        honest in data(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        fragment_cuts in vec(any::<prop::sample::Index>(), 0..4),
        cuts in vec(0..2000usize, 0..20),
    ) {
        let mut honest = simply_deflated(&honest);
        for (at, byte) in damage {
            let at = at.index(honest.len());
            honest[at] = byte;
        }
        let limits = WebSocketLimits { message_bytes_max: 10_000, ..LIMITS };
        for payload in [garbage, honest] {
            let (stream, pings) = fragments(direction, TEXT_START, &payload, &fragment_cuts);
            let whole = decode(&mut direction.decompressing_decoder(limits), &stream, &[]);
            let cut = decode(&mut direction.decompressing_decoder(limits), &stream, &cuts);
            prop_assert_eq!(&cut, &whole);
            for event in &whole.events[pings.len().min(whole.events.len())..] {
                let Event::Message { payload, .. } = event else { panic!("{event:?}") };
                prop_assert!(payload.len() <= 10_000);
                prop_assert!(std::str::from_utf8(payload).is_ok());
            }
        }
    }
}
