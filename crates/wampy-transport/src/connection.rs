//! What connecting and accepting both arrive at: a stream, and what is needed to read and write its frames.
//!
//! Deliberately absent: how one gets there (`connect.rs`, `accept.rs`).

use wampy_proto::Serializer;
use wampy_proto::framing::{Decoder, Encoder};

use crate::stream::Stream;

/// A connection after its opening handshake.
#[derive(Debug)]
pub struct Connection {
    /// The bytes.
    pub stream: Stream,
    /// Reads frames. Whether text is UTF-8 it mostly leaves to who reads the JSON, and has to fail the
    /// connection with [`InvalidUtf8`](wampy_proto::framing::FramingError::InvalidUtf8).
    pub decoder: Decoder,
    /// Writes frames.
    pub encoder: Encoder,
    /// The serializer agreed upon.
    pub serializer: Serializer,
    /// Bytes that came behind the handshake; they are frames.
    pub received: Vec<u8>,
}
