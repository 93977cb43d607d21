//! Message batching: several WAMP messages in one WebSocket message, for the subprotocols that end
//! in `.batched`.
//!
//! JSON messages are each followed by the octet 0x1e; binary ones each have their length in front,
//! as 32 bits in big-endian order. The specification says so of MessagePack only; for CBOR, of which
//! it names the subprotocol and not the form, the same is done here and by other implementations.
//! Also 0x18 is taken for 0x1e: the specification calls the octet `\30`, which some have read as
//! octal. Neither can be a part of JSON text, whose strings have no control characters.
//!
//! Encoding leaves the last frame open, so that further messages can join it until it is sent:
//! nothing is copied for that.
//!
//! Deliberately absent: waiting for messages to put together. A batch is what happens to be ready.

mod decoder;
mod encoder;

pub use decoder::{BatchedDecoder, messages};
pub use encoder::{BATCH_BYTES_FULL, BatchedEncoder, OpenBatch, message_in};

/// What follows each JSON message.
pub const SEPARATOR: u8 = 0x1e;
/// What some implementations send instead.
pub const OCTAL_SEPARATOR: u8 = 0x18;
/// The size of the length in front of each binary message.
const LENGTH_BYTES: usize = 4;
