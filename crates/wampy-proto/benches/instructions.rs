//! Counts the instructions of the codec and of the framing: one message, in each serializer.
//!
//! Run by `make counts`. Deliberately absent: anything with a clock (`make bench` measures time).

// A benchmark fails as a test does: by panicking.
#![allow(clippy::unwrap_used)]
// The macros make public items.
#![allow(missing_docs)]

use std::hint::black_box;

use gungraun::prelude::*;
use wampy_proto::framing::rawsocket::{LengthLimit, RawSocketDecoder, RawSocketEncoder};
use wampy_proto::framing::websocket::{WebSocketDecoder, WebSocketEncoder, WebSocketLimits};
use wampy_proto::framing::{Decoder, Encoder, Step};
use wampy_proto::message::{
    Call, CallOptions, Event, EventDetails, Invocation, InvocationDetails, Publish, PublishOptions,
    Result as ResultMessage, ResultDetails, Yield, YieldOptions,
};
use wampy_proto::{
    Message, Payload, PublicationId, RegistrationId, RequestId, Serializer, SubscriptionId,
};

/// How often each function does its work: enough that single branches do not show.
const REPEATS: usize = 100;

/// A message on the wire.
struct Encoded {
    serializer: Serializer,
    bytes: Vec<u8>,
}

/// A message, and the buffer that it goes to.
struct Outgoing {
    serializer: Serializer,
    message: Message<'static>,
    out: Vec<u8>,
}

fn request() -> RequestId {
    RequestId::try_from(1234).unwrap()
}

/// One text of so many bytes as the only argument.
fn text(serializer: Serializer, bytes: usize) -> Payload<'static> {
    Payload::encode(serializer, &("x".repeat(bytes),), &()).unwrap()
}

fn encoded(serializer: Serializer, message: impl Into<Message<'static>>) -> Encoded {
    let message = message.into();
    let mut bytes = Vec::new();
    message.encode(serializer, &mut bytes).unwrap();
    // Also the first run, in which the processor's features are looked up.
    assert_eq!(Message::decode(serializer, &bytes), Ok(message));
    Encoded { serializer, bytes }
}

fn call(serializer: Serializer) -> Encoded {
    let call = Call {
        request: request(),
        options: CallOptions::default(),
        procedure: "com.example.date.weekday".into(),
        payload: text(serializer, 16),
    };
    encoded(serializer, call)
}

fn publish(serializer: Serializer, payload_bytes: usize) -> Encoded {
    let publish = Publish {
        request: request(),
        options: PublishOptions::default(),
        topic: "com.example.date.weekday".into(),
        payload: text(serializer, payload_bytes),
    };
    encoded(serializer, publish)
}

fn yielded(serializer: Serializer) -> Encoded {
    let result = Yield {
        request: request(),
        options: YieldOptions::default(),
        payload: text(serializer, 16),
    };
    encoded(serializer, result)
}

#[library_benchmark]
#[bench::call_json(call(Serializer::Json))]
#[bench::call_msgpack(call(Serializer::MsgPack))]
#[bench::call_cbor(call(Serializer::Cbor))]
#[bench::publish_json(publish(Serializer::Json, 16))]
#[bench::publish_msgpack(publish(Serializer::MsgPack, 16))]
#[bench::publish_cbor(publish(Serializer::Cbor, 16))]
#[bench::publish_1_kib_json(publish(Serializer::Json, 1024))]
#[bench::publish_1_kib_msgpack(publish(Serializer::MsgPack, 1024))]
#[bench::publish_1_kib_cbor(publish(Serializer::Cbor, 1024))]
#[bench::yield_json(yielded(Serializer::Json))]
#[bench::yield_msgpack(yielded(Serializer::MsgPack))]
#[bench::yield_cbor(yielded(Serializer::Cbor))]
fn decode(message: Encoded) -> Encoded {
    for _ in 0..REPEATS {
        let decoded = Message::decode(message.serializer, black_box(&message.bytes));
        black_box(&decoded);
    }
    message
}

fn outgoing(serializer: Serializer, message: impl Into<Message<'static>>) -> Outgoing {
    let message = message.into();
    let mut out = Vec::new();
    message.encode(serializer, &mut out).unwrap();
    Outgoing {
        serializer,
        message,
        out,
    }
}

fn invocation(serializer: Serializer) -> Outgoing {
    let invocation = Invocation {
        request: request(),
        registration: RegistrationId::try_from(7).unwrap(),
        details: InvocationDetails::default(),
        payload: text(serializer, 16),
    };
    outgoing(serializer, invocation)
}

fn result(serializer: Serializer) -> Outgoing {
    let result = ResultMessage {
        request: request(),
        details: ResultDetails::default(),
        payload: text(serializer, 16),
    };
    outgoing(serializer, result)
}

fn event(serializer: Serializer) -> Outgoing {
    let event = Event {
        subscription: SubscriptionId::try_from(7).unwrap(),
        publication: PublicationId::try_from(4_471_935_826_587_908).unwrap(),
        details: EventDetails::default(),
        payload: text(serializer, 16),
    };
    outgoing(serializer, event)
}

#[library_benchmark]
#[bench::invocation_json(invocation(Serializer::Json))]
#[bench::invocation_msgpack(invocation(Serializer::MsgPack))]
#[bench::invocation_cbor(invocation(Serializer::Cbor))]
#[bench::result_json(result(Serializer::Json))]
#[bench::result_msgpack(result(Serializer::MsgPack))]
#[bench::result_cbor(result(Serializer::Cbor))]
#[bench::event_json(event(Serializer::Json))]
#[bench::event_msgpack(event(Serializer::MsgPack))]
#[bench::event_cbor(event(Serializer::Cbor))]
fn encode(mut outgoing: Outgoing) -> Outgoing {
    for _ in 0..REPEATS {
        outgoing.out.clear();
        let message = black_box(&outgoing.message);
        message
            .encode(outgoing.serializer, &mut outgoing.out)
            .unwrap();
    }
    outgoing
}

/// Frames one behind the other, as one read may bring them.
struct Incoming {
    decoder: Decoder,
    bytes: Vec<u8>,
}

fn incoming(decoder: impl Fn() -> Decoder, encoder: &Encoder, payload_bytes: usize) -> Incoming {
    let payload = vec![b'x'; payload_bytes];
    let mut bytes = Vec::new();
    for _ in 0..REPEATS {
        encoder.write_message(&payload, &mut bytes).unwrap();
    }
    // The first run, in which the processor's features are looked up.
    let mut first = bytes.clone();
    let mut first_decoder = decoder();
    let step = first_decoder.next(&mut first).unwrap().step;
    assert!(matches!(step, Step::Message { payload: it, .. } if it == payload));
    Incoming {
        decoder: decoder(),
        bytes,
    }
}

fn mask_key() -> u32 {
    0x37fa_213d
}

fn websocket(payload_bytes: usize) -> Incoming {
    let decoder = || {
        WebSocketDecoder::server(WebSocketLimits::default())
            .leaving_text_unchecked()
            .into()
    };
    let encoder = WebSocketEncoder::client(false, mask_key).into();
    incoming(decoder, &encoder, payload_bytes)
}

fn rawsocket(payload_bytes: usize) -> Incoming {
    let decoder = || RawSocketDecoder::new(LengthLimit::default(), true).into();
    let encoder = RawSocketEncoder::default().into();
    incoming(decoder, &encoder, payload_bytes)
}

#[library_benchmark]
#[bench::websocket_masked_text_100_b(websocket(100))]
#[bench::websocket_masked_text_1_kib(websocket(1024))]
#[bench::rawsocket_100_b(rawsocket(100))]
#[bench::rawsocket_1_kib(rawsocket(1024))]
fn decode_frame(mut incoming: Incoming) -> Incoming {
    let mut at = 0;
    for _ in 0..REPEATS {
        let next = incoming.decoder.next(&mut incoming.bytes[at..]).unwrap();
        at += black_box(&next).consumed;
    }
    assert_eq!(at, incoming.bytes.len());
    incoming
}

/// What a frame is made of, and the buffer that it goes to.
struct Framed {
    encoder: Encoder,
    payload: Vec<u8>,
    out: Vec<u8>,
}

fn framed(encoder: impl Into<Encoder>, payload_bytes: usize) -> Framed {
    Framed {
        encoder: encoder.into(),
        payload: vec![b'x'; payload_bytes],
        out: Vec::with_capacity(2 * payload_bytes),
    }
}

#[library_benchmark]
#[bench::websocket_text_100_b(framed(WebSocketEncoder::server(false), 100))]
#[bench::websocket_text_1_kib(framed(WebSocketEncoder::server(false), 1024))]
#[bench::websocket_masked_text_100_b(framed(WebSocketEncoder::client(false, mask_key), 100))]
#[bench::websocket_masked_text_1_kib(framed(WebSocketEncoder::client(false, mask_key), 1024))]
#[bench::rawsocket_100_b(framed(RawSocketEncoder::default(), 100))]
#[bench::rawsocket_1_kib(framed(RawSocketEncoder::default(), 1024))]
fn encode_frame(mut framed: Framed) -> Framed {
    for _ in 0..REPEATS {
        framed.out.clear();
        let payload = black_box(&framed.payload);
        let mark = framed.encoder.begin_message(&mut framed.out, payload.len());
        framed.out.extend_from_slice(payload);
        framed
            .encoder
            .finish_message(mark, &mut framed.out)
            .unwrap();
    }
    framed
}

library_benchmark_group!(
    name = codec,
    benchmarks = [decode, encode, decode_frame, encode_frame]
);

main!(library_benchmark_groups = codec);
