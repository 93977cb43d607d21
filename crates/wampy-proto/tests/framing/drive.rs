//! What the tests share: frames written byte by byte (not by the code under test) and a caller that
//! keeps the buffer contract of `framing`.

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use wampy_proto::framing::websocket::{
    CloseCode, Deflate, WebSocketDecoder, WebSocketEncoder, WebSocketLimits,
};
use wampy_proto::framing::{Decoder, Encoder, FramingError, Next, Step};

/// A [`Step`] that owns what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Message {
        payload: Vec<u8>,
        binary: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close {
        code: Option<CloseCode>,
        reason: String,
    },
}

pub fn text(payload: &str) -> Event {
    Event::Message {
        payload: payload.as_bytes().to_vec(),
        binary: false,
    }
}

pub fn binary(payload: &[u8]) -> Event {
    Event::Message {
        payload: payload.to_vec(),
        binary: true,
    }
}

fn event(step: Step<'_>) -> Option<Event> {
    Some(match step {
        Step::NeedMore { .. } => return None,
        Step::Message { payload, binary } => Event::Message {
            payload: payload.to_vec(),
            binary,
        },
        Step::Ping(payload) => Event::Ping(payload.to_vec()),
        Step::Pong(payload) => Event::Pong(payload.to_vec()),
        Step::Close { code, reason } => Event::Close {
            code,
            reason: reason.to_owned(),
        },
    })
}

/// Everything that came out of a stream, the error that ended it, and the bytes left over.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub events: Vec<Event>,
    pub error: Option<FramingError>,
    pub left_bytes: usize,
}

/// Feeds `stream` to `decoder` in reads that end at `cuts` (any order, any size) and at its end.
pub fn decode(decoder: &mut Decoder, stream: &[u8], cuts: &[usize]) -> Outcome {
    let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(stream.len())).collect();
    cuts.push(stream.len());
    cuts.sort_unstable();
    let (mut buffer, mut events, mut read) = (Vec::new(), Vec::new(), 0);
    for cut in cuts {
        buffer.extend_from_slice(&stream[read..cut]);
        read = cut;
        let mut at = 0;
        loop {
            let rest_bytes = buffer.len() - at;
            let is_held = decoder.holds_message();
            match decoder.next(&mut buffer[at..]) {
                Ok(Next { consumed, step }) => {
                    assert!(consumed <= rest_bytes, "consumed more than there is");
                    let step = event(step);
                    at += consumed;
                    match step {
                        Some(event) => events.push(event),
                        None => break,
                    }
                    assert!(
                        consumed > 0 || is_held,
                        "a step without progress would never end"
                    );
                }
                Err(error) => {
                    let rest = decoder
                        .next(&mut buffer[at..])
                        .expect("bytes are discarded");
                    assert_eq!((rest.consumed, event(rest.step)), (rest_bytes, None));
                    return Outcome {
                        events,
                        error: Some(error),
                        left_bytes: 0,
                    };
                }
            }
        }
        buffer.drain(..at);
    }
    Outcome {
        events,
        error: None,
        left_bytes: buffer.len(),
    }
}

/// A WebSocket frame as RFC 6455, 5.2 draws it: the whole first byte, an optional key, the payload.
pub fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let masked = if key.is_some() { 0x80 } else { 0 };
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(masked | length as u8),
        length @ 126..=65535 => {
            frame.push(masked | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(masked | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    match key {
        Some(key) => {
            frame.extend(key);
            frame.extend(
                payload
                    .iter()
                    .enumerate()
                    .map(|(at, byte)| byte ^ key[at % 4]),
            );
        }
        None => frame.extend(payload),
    }
    frame
}

/// Which way a stream of WebSocket frames flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    ToServer,
    ToClient,
}

impl Direction {
    /// The key to mask with, if frames in this direction are masked.
    pub fn key(self) -> Option<[u8; 4]> {
        (self == Self::ToServer).then_some([0x37, 0xfa, 0x21, 0x3d])
    }

    pub fn decoder(self, limits: WebSocketLimits) -> Decoder {
        match self {
            Self::ToServer => WebSocketDecoder::server(limits).into(),
            Self::ToClient => WebSocketDecoder::client(limits).into(),
        }
    }

    /// A decoder for those who look themselves whether text is UTF-8.
    pub fn trusting_decoder(self, limits: WebSocketLimits) -> Decoder {
        let decoder = match self {
            Self::ToServer => WebSocketDecoder::server(limits),
            Self::ToClient => WebSocketDecoder::client(limits),
        };
        decoder.leaving_text_unchecked().into()
    }

    /// A decoder for a connection with compression.
    pub fn decompressing_decoder(self, limits: WebSocketLimits) -> Decoder {
        match self {
            Self::ToServer => WebSocketDecoder::server(limits).decompressing(true).into(),
            Self::ToClient => WebSocketDecoder::client(limits).decompressing(true).into(),
        }
    }

    pub fn any() -> impl Strategy<Value = Self> {
        prop_oneof![Just(Self::ToServer), Just(Self::ToClient)]
    }
}

/// The payload of a compressed message: pieces of `payload` flushed in turn, and the end of the
/// last flush left out.
pub fn deflated(
    payload: &[u8],
    level: u32,
    window_bits: u8,
    flushes: &[(usize, FlushCompress)],
) -> Vec<u8> {
    let level = Compression::new(level);
    let mut compress = Compress::new_with_window_bits(level, false, window_bits);
    let mut out = Vec::with_capacity(2 * payload.len() + 1000);
    let mut rest = payload;
    for &(bytes, flush) in flushes {
        let (piece, behind) = rest.split_at(bytes.min(rest.len()));
        compress.compress_vec(piece, &mut out, flush).unwrap();
        rest = behind;
    }
    compress
        .compress_vec(rest, &mut out, FlushCompress::Sync)
        .unwrap();
    assert_eq!(compress.total_in(), payload.len() as u64);
    out.truncate(out.len() - 4);
    out
}

pub fn simply_deflated(payload: &[u8]) -> Vec<u8> {
    deflated(payload, 6, 15, &[])
}

/// An encoder that compresses for a peer with this wish.
pub fn compressing_encoder(
    direction: Direction,
    is_binary: bool,
    window_bits_max: Option<u8>,
) -> Encoder {
    let encoder = match direction {
        Direction::ToClient => WebSocketEncoder::server(is_binary),
        Direction::ToServer => WebSocketEncoder::client(is_binary, || 0x51c3_77e1),
    };
    encoder
        .compressing(Some(Deflate { window_bits_max }))
        .into()
}
