//! What is found at the start of received bytes, on whatever transport.
//!
//! Deliberately absent: finding it (`framing.rs`, `nats.rs`).

use std::ops::Range;

/// Longest frame accepted, in octets of its body.
pub const FRAME_BYTES_MAX: usize = 1 << 24;

/// What a received frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One whole WAMP message.
    Message,
    /// A part of a WebSocket message, and whether it is the last.
    Fragment { last: bool },
    /// To be answered by a pong with the same body.
    Ping,
    /// The answer to a ping.
    Pong,
    /// What a NATS server tells without being asked; it needs no answer.
    Notice,
    /// The peer closes the WebSocket.
    Close,
}

/// A whole frame at the start of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut {
    pub kind: Kind,
    /// Where its body lies in the buffer.
    pub body: Range<usize>,
}
