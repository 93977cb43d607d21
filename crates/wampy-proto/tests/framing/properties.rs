//! Properties of the WebSocket codec that hold for all streams.

use crate::drive::{Direction, Event, binary, decode, frame, text};
use proptest::collection::vec;
use proptest::prelude::*;
use wampy_proto::framing::websocket::{CloseCode, WebSocketEncoder, WebSocketLimits};
use wampy_proto::framing::{Encoder, FramingError};

const LIMITS: WebSocketLimits = WebSocketLimits {
    message_bytes_max: 1 << 20,
    fragments_max: 8,
};

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        vec(0..400usize, 0..30),
        vec(0..140_000usize, 0..30),
        // Byte by byte, as far as the streams of these tests mostly reach.
        Just((0..400).collect::<Vec<usize>>()),
    ]
}

/// Frames that are mostly right, so that streams get past the first one.
fn almost_frame(direction: Direction) -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81u8, 0x82, 0x89, 0x8a, 0x01, 0x02, 0x00, 0x80]),
        1 => Just(0x88u8),
        1 => any::<u8>(),
    ];
    let key = prop_oneof![
        9 => any::<[u8; 4]>().prop_map(move |key| direction.key().and(Some(key))),
        1 => any::<Option<[u8; 4]>>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,40}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..6),
        2 => vec(any::<u8>(), 0..140),
        1 => (1000..5000u16, "\\PC{0,5}").prop_map(|(code, reason)| {
            [&code.to_be_bytes()[..], reason.as_bytes()].concat()
        }),
    ];
    (first, key, payload).prop_map(|(first, key, payload)| frame(first, key, &payload))
}

fn almost_stream() -> impl Strategy<Value = (Direction, Vec<u8>)> {
    let frames = |direction| vec(almost_frame(direction), 0..12);
    let stream =
        Direction::any().prop_flat_map(move |direction| (Just(direction), frames(direction)));
    let damage = vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    (stream, damage).prop_map(|((direction, frames), damage)| {
        let mut stream = frames.concat();
        for (at, byte) in damage {
            if !stream.is_empty() {
                let at = at.index(stream.len());
                stream[at] = byte;
            }
        }
        (direction, stream)
    })
}

/// One thing a peer can say, and the frames to say it with.
#[derive(Debug, Clone)]
struct Said {
    event: Event,
    hint: usize,
}

fn said() -> impl Strategy<Value = Said> {
    let sized = prop_oneof![
        4 => 0..130usize,
        2 => 65_500..65_600usize,
        1 => 0..140_000usize,
    ];
    let long = (sized.clone(), any::<u8>()).prop_map(|(size, salt)| {
        (0..size)
            .map(|at| salt.wrapping_add(at as u8))
            .collect::<Vec<u8>>()
    });
    let event = prop_oneof![
        2 => "\\PC{0,200}".prop_map(|it| text(&it)),
        3 => long.prop_map(|it| binary(&it)),
        1 => vec(any::<u8>(), 0..=125).prop_map(Event::Ping),
        1 => vec(any::<u8>(), 0..=125).prop_map(Event::Pong),
    ];
    (event, sized).prop_map(|(event, hint)| Said { event, hint })
}

fn encoders(direction: Direction) -> [Encoder; 2] {
    [false, true].map(|is_binary| match direction {
        Direction::ToClient => WebSocketEncoder::server(is_binary).into(),
        Direction::ToServer => WebSocketEncoder::client(is_binary, || 0x9d4f_1c22).into(),
    })
}

/// A message cut at arbitrary places, with pings between its fragments.
fn fragments(
    direction: Direction,
    payload: &[u8],
    is_binary: bool,
    cuts: &[prop::sample::Index],
) -> (Vec<u8>, Vec<Event>) {
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(payload.len() + 1))
        .collect();
    cuts.extend([0, payload.len()]);
    cuts.sort_unstable();
    let (mut stream, mut events) = (Vec::new(), Vec::new());
    let last = cuts.len() - 2;
    for (at, ends) in cuts.windows(2).enumerate() {
        let opcode = if at > 0 {
            0
        } else if is_binary {
            2
        } else {
            1
        };
        let fin = if at == last { 0x80 } else { 0 };
        stream.extend(frame(
            fin | opcode,
            direction.key(),
            &payload[ends[0]..ends[1]],
        ));
        if at < last && at % 2 == 0 {
            stream.extend(frame(0x89, direction.key(), &[at as u8]));
            events.push(Event::Ping(vec![at as u8]));
        }
    }
    events.push(Event::Message {
        payload: payload.to_vec(),
        binary: is_binary,
    });
    (stream, events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Text that is left unchecked is handed out, however it comes; all else is the same.
    #[test]
    fn only_text_is_left_unchecked((direction, stream) in almost_stream(), cuts in cuts()) {
        let checked = decode(&mut direction.decoder(LIMITS), &stream, &cuts);
        let unchecked = decode(&mut direction.trusting_decoder(LIMITS), &stream, &cuts);
        if checked.error == Some(FramingError::InvalidUtf8) {
            prop_assert!(unchecked.events.starts_with(&checked.events));
        } else {
            prop_assert_eq!(checked, unchecked);
        }
    }

    #[test]
    fn any_bytes_any_split_same_outcome(
        direction in Direction::any(),
        stream in vec(any::<u8>(), 0..100),
        cuts in cuts(),
    ) {
        let whole = decode(&mut direction.decoder(LIMITS), &stream, &[]);
        prop_assert_eq!(decode(&mut direction.decoder(LIMITS), &stream, &cuts), whole);
    }

    #[test]
    fn almost_valid_streams_any_split_same_outcome(
        (direction, stream) in almost_stream(),
        cuts in cuts(),
    ) {
        let limits = WebSocketLimits { message_bytes_max: 200, fragments_max: 4 };
        let whole = decode(&mut direction.decoder(limits), &stream, &[]);
        prop_assert_eq!(decode(&mut direction.decoder(limits), &stream, &cuts), whole);
    }

    #[test]
    fn fragmented_messages_are_assembled(
        direction in Direction::any(),
        text in "\\PC{0,60}",
        bytes in vec(any::<u8>(), 0..300),
        is_binary: bool,
        fragment_cuts in vec(any::<prop::sample::Index>(), 0..7),
        cuts in cuts(),
    ) {
        let payload = if is_binary { &bytes[..] } else { text.as_bytes() };
        let (stream, events) = fragments(direction, payload, is_binary, &fragment_cuts);
        let outcome = decode(&mut direction.decoder(LIMITS), &stream, &cuts);
        prop_assert_eq!((outcome.events, outcome.error), (events, None));
        prop_assert_eq!(outcome.left_bytes, 0);
    }

    #[test]
    fn fragmented_text_is_valid_exactly_if_the_whole_is(
        bytes in vec(prop_oneof![
            Just(0xf0u8), Just(0x9f), Just(0x98), Just(0x80), Just(0xed), Just(0xe2), Just(b'a'),
            Just(0xc3), Just(0xf4), Just(0x8f), Just(0xbf), any::<u8>()], 0..8),
        fragment_cuts in vec(any::<prop::sample::Index>(), 0..7),
        cuts in cuts(),
    ) {
        let (stream, events) = fragments(Direction::ToServer, &bytes, false, &fragment_cuts);
        let outcome = decode(&mut Direction::ToServer.decoder(LIMITS), &stream, &cuts);
        match std::str::from_utf8(&bytes) {
            Ok(_) => prop_assert_eq!((outcome.events, outcome.error), (events, None)),
            Err(_) => prop_assert_eq!(
                outcome.error.map(|error| error.close_code()),
                Some(CloseCode::INVALID_PAYLOAD)
            ),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_written_is_read(
        direction in Direction::any(),
        said in vec(said(), 0..12),
        close in (1000..1003u16, "[a-z]{0,10}"),
        cuts in cuts(),
    ) {
        let encoders = encoders(direction);
        let mut out = Vec::new();
        for Said { event, hint } in &said {
            match event {
                Event::Message { payload, binary } => {
                    let encoder = &encoders[usize::from(*binary)];
                    let mark = encoder.begin_message(&mut out, *hint);
                    out.extend_from_slice(payload);
                    encoder.finish_message(mark, &mut out).unwrap();
                }
                Event::Ping(payload) => encoders[0].write_ping(payload, &mut out).unwrap(),
                Event::Pong(payload) => encoders[0].write_pong(payload, &mut out).unwrap(),
                Event::Close { .. } => unreachable!("a close is only said last"),
            }
        }
        let code = CloseCode::new(close.0);
        encoders[0].write_close(code, &close.1, &mut out);
        let mut events: Vec<Event> = said.into_iter().map(|said| said.event).collect();
        events.push(Event::Close { code, reason: close.1 });
        let outcome = decode(&mut direction.decoder(LIMITS), &out, &cuts);
        prop_assert_eq!((outcome.events, outcome.error), (events, None));
    }
}
