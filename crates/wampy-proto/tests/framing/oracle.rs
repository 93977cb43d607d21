//! The codec against an independent implementation of RFC 6455, tungstenite, in both directions.

use crate::drive::{Direction, Event, binary, decode, frame, text};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::{self, Cursor, Read, Write};
use tungstenite::protocol::{Role, WebSocketConfig, frame::CloseFrame};
use tungstenite::{Error, Message, WebSocket};
use wampy_proto::framing::websocket::{CloseCode, WebSocketEncoder, WebSocketLimits};
use wampy_proto::framing::{Encoder, FramingError};

const MESSAGE_BYTES_MAX: usize = 4096;
const LIMITS: WebSocketLimits = WebSocketLimits {
    message_bytes_max: MESSAGE_BYTES_MAX,
    fragments_max: 1000,
};

/// A stream that was received beforehand, and what is written in answer to it.
struct Recorded {
    received: Cursor<Vec<u8>>,
    written: Vec<u8>,
}

impl Read for Recorded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.received.read(buf)
    }
}

impl Write for Recorded {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.written.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn oracle(direction: Direction, received: Vec<u8>) -> WebSocket<Recorded> {
    let role = match direction {
        Direction::ToServer => Role::Server,
        Direction::ToClient => Role::Client,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(None);
    let stream = Recorded {
        received: Cursor::new(received),
        written: Vec::new(),
    };
    WebSocket::from_raw_socket(stream, role, Some(config))
}

fn close_event(close: Option<CloseFrame>) -> Event {
    Event::Close {
        code: close.as_ref().and_then(|it| CloseCode::new(it.code.into())),
        reason: close.map(|it| it.reason.to_string()).unwrap_or_default(),
    }
}

/// What tungstenite makes of a stream: its events up to a close or an error, and the close code
/// that stands for the error.
fn oracle_decode(direction: Direction, stream: &[u8]) -> (Vec<Event>, Option<CloseCode>) {
    let mut oracle = oracle(direction, stream.to_vec());
    let mut events = Vec::new();
    loop {
        let event = match oracle.read() {
            Ok(Message::Text(payload)) => text(&payload),
            Ok(Message::Binary(payload)) => binary(&payload),
            Ok(Message::Ping(payload)) => Event::Ping(payload.to_vec()),
            Ok(Message::Pong(payload)) => Event::Pong(payload.to_vec()),
            // tungstenite does not report a forbidden code as an error but replaces the frame.
            Ok(Message::Close(Some(close))) if close.reason == "Protocol violation" => {
                return (events, Some(CloseCode::PROTOCOL_ERROR));
            }
            Ok(Message::Close(close)) => {
                events.push(close_event(close));
                return (events, None);
            }
            Ok(Message::Frame(frame)) => panic!("not a message: {frame}"),
            Err(Error::Utf8(_)) => return (events, Some(CloseCode::INVALID_PAYLOAD)),
            Err(Error::Capacity(_)) => return (events, Some(CloseCode::MESSAGE_TOO_BIG)),
            Err(Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return (events, None),
            Err(Error::Protocol(_)) => return (events, Some(CloseCode::PROTOCOL_ERROR)),
            Err(error) => panic!("unexpected: {error}"),
        };
        events.push(event);
    }
}

/// Frames with every mistake that the oracle also looks for. It does not mind lengths that are
/// not minimal, so these are left to the list of violations.
fn any_frame(direction: Direction) -> impl Strategy<Value = Vec<u8>> {
    let opcode = prop_oneof![
        4 => prop::sample::select(vec![0u8, 1, 2]),
        2 => prop::sample::select(vec![8u8, 9, 10]),
        1 => 0..16u8,
    ];
    let reserved = prop_oneof![20 => Just(0u8), 1 => (0..8u8).prop_map(|bits| bits << 4)];
    let fin = prop_oneof![3 => Just(0x80u8), 1 => Just(0u8)];
    let key = prop_oneof![
        30 => any::<[u8; 4]>().prop_map(move |key| direction.key().and(Some(key))),
        1 => any::<Option<[u8; 4]>>(),
    ];
    let payload = prop_oneof![
        6 => "\\PC{0,30}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..10),
        1 => vec(any::<u8>(), 0..200),
        1 => (0..8000usize).prop_map(|size| vec![b'z'; size]),
        2 => (990..5010u16, "\\PC{0,9}").prop_map(|(code, reason)| {
            [&code.to_be_bytes()[..], reason.as_bytes()].concat()
        }),
    ];
    (opcode, reserved, fin, key, payload).prop_map(|(opcode, reserved, fin, key, payload)| {
        frame(fin | reserved | opcode, key, &payload)
    })
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        "\\PC{0,200}".prop_map(Message::text),
        vec(any::<u8>(), 0..MESSAGE_BYTES_MAX).prop_map(Message::binary),
        vec(any::<u8>(), 0..=125).prop_map(|it| Message::Ping(it.into())),
        vec(any::<u8>(), 0..=125).prop_map(|it| Message::Pong(it.into())),
    ]
}

fn event(message: &Message) -> Event {
    match message {
        Message::Text(payload) => text(payload),
        Message::Binary(payload) => binary(payload),
        Message::Ping(payload) => Event::Ping(payload.to_vec()),
        Message::Pong(payload) => Event::Pong(payload.to_vec()),
        other => panic!("not generated: {other:?}"),
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::ToServer => Direction::ToClient,
        Direction::ToClient => Direction::ToServer,
    }
}

/// A message in fragments with a key each, and control frames before, between and behind them. Now
/// and then it is text that is not valid, or one fragment has the opcode of a first one.
fn interleaved(direction: Direction) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = prop_oneof![
        4 => "\\PC{0,60}".prop_map(|it| (1u8, it.into_bytes())),
        4 => vec(any::<u8>(), 0..3000).prop_map(|it| (2u8, it)),
        1 => vec(any::<u8>(), 0..60).prop_map(|it| (1u8, it)),
    ];
    let control = prop_oneof![
        (Just(0x89u8), vec(any::<u8>(), 0..=125)),
        (Just(0x8au8), vec(any::<u8>(), 0..=125)),
    ];
    let between = vec(control, 0..3);
    let key = any::<[u8; 4]>().prop_map(move |key| direction.key().and(Some(key)));
    let parts = vec((any::<prop::sample::Index>(), between, vec(key, 3)), 1..7);
    let mistake = prop_oneof![9 => Just(None), 1 => (1..6usize).prop_map(Some)];
    (payload, parts, mistake).prop_map(|((opcode, payload), parts, mistake)| {
        let mut ends: Vec<usize> = parts
            .iter()
            .map(|it| it.0.index(payload.len() + 1))
            .collect();
        ends.sort_unstable();
        let last = parts.len() - 1;
        ends[last] = payload.len();
        let (mut frames, mut start) = (Vec::new(), 0);
        for (at, (_, controls, keys)) in parts.into_iter().enumerate() {
            for ((first, payload), key) in controls.iter().zip(&keys) {
                frames.push(frame(*first, *key, payload));
            }
            let opcode = if at == 0 || mistake == Some(at) {
                opcode
            } else {
                0
            };
            let fin = if at == last { 0x80 } else { 0 };
            frames.push(frame(fin | opcode, keys[2], &payload[start..ends[at]]));
            start = ends[at];
        }
        frames
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn both_make_the_same_of_interleaved_fragments(
        (direction, messages) in Direction::any()
            .prop_flat_map(|direction| (Just(direction), vec(interleaved(direction), 1..5))),
        cuts in vec(0..20_000usize, 0..30),
        compression: bool,
    ) {
        let stream = messages.concat().concat();
        let mut decoder = match compression {
            // Whoever may send compressed messages need not.
            true => direction.decompressing_decoder(LIMITS),
            false => direction.decoder(LIMITS),
        };
        let outcome = decode(&mut decoder, &stream, &cuts);
        let code = outcome.error.as_ref().map(FramingError::close_code);
        prop_assert_eq!((outcome.events, code), oracle_decode(direction, &stream));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_make_the_same_of_any_frames(
        (direction, frames) in Direction::any()
            .prop_flat_map(|direction| (Just(direction), vec(any_frame(direction), 0..8))),
    ) {
        let stream = frames.concat();
        let outcome = decode(&mut direction.decoder(LIMITS), &stream, &[]);
        let code = outcome.error.as_ref().map(FramingError::close_code);
        let (events, mut oracle_code) = oracle_decode(direction, &stream);
        // A close frame may have both a forbidden code and a reason that is not UTF-8; each side
        // names the one it looks at first.
        if matches!(outcome.error, Some(FramingError::CloseCodeInvalid(_)))
            && oracle_code == Some(CloseCode::INVALID_PAYLOAD)
        {
            oracle_code = code;
        }
        prop_assert_eq!((outcome.events, code), (events, oracle_code));
    }
}

proptest! {
    #[test]
    fn what_the_oracle_writes_is_read(
        direction in Direction::any(),
        messages in vec(message(), 0..10),
        cuts in vec(0..20_000usize, 0..20),
    ) {
        let mut writer = oracle(opposite(direction), Vec::new());
        for message in &messages {
            writer.write(message.clone()).unwrap();
        }
        writer.close(Some(CloseFrame { code: 1000.into(), reason: "done".into() })).unwrap();
        let mut events: Vec<Event> = messages.iter().map(event).collect();
        events.push(Event::Close { code: Some(CloseCode::NORMAL), reason: "done".into() });
        let outcome = decode(&mut direction.decoder(LIMITS), &writer.get_ref().written, &cuts);
        prop_assert_eq!((outcome.events, outcome.error), (events, None));
    }

    #[test]
    fn the_oracle_reads_what_is_written(
        direction in Direction::any(),
        messages in vec(message(), 0..10),
    ) {
        let encoder = |is_binary| -> Encoder {
            match direction {
                Direction::ToClient => WebSocketEncoder::server(is_binary).into(),
                Direction::ToServer => WebSocketEncoder::client(is_binary, || 0x51c3_77e1).into(),
            }
        };
        let mut out = Vec::new();
        for message in &messages {
            match message {
                Message::Text(payload) => {
                    let mark = encoder(false).begin_message(&mut out, 0);
                    out.extend_from_slice(payload.as_bytes());
                    encoder(false).finish_message(mark, &mut out).unwrap();
                }
                Message::Binary(payload) => encoder(true).write_message(payload, &mut out).unwrap(),
                Message::Ping(payload) => encoder(true).write_ping(payload, &mut out).unwrap(),
                Message::Pong(payload) => encoder(true).write_pong(payload, &mut out).unwrap(),
                other => panic!("not generated: {other:?}"),
            }
        }
        encoder(true).write_close(Some(CloseCode::GOING_AWAY), "gone", &mut out);
        let mut events: Vec<Event> = messages.iter().map(event).collect();
        events.push(Event::Close { code: Some(CloseCode::GOING_AWAY), reason: "gone".into() });
        prop_assert_eq!(oracle_decode(direction, &out), (events, None));
    }
}
