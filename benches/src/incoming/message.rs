//! What is read of a message, whatever protocol and serializer it came in.

/// Message codes of the WAMP specification that a client can receive.
pub mod code {
    pub const WELCOME: u64 = 2;
    pub const ABORT: u64 = 3;
    pub const CHALLENGE: u64 = 4;
    pub const GOODBYE: u64 = 6;
    pub const ERROR: u64 = 8;
    pub const SUBSCRIBED: u64 = 33;
    pub const EVENT: u64 = 36;
    pub const RESULT: u64 = 50;
    pub const REGISTERED: u64 = 65;
    pub const INVOCATION: u64 = 68;
}

/// The parts of a received message that matter here.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Incoming<'a> {
    /// Message code.
    pub code: u64,
    /// The request id, or for EVENT the subscription id, or for ERROR the id of the failed request.
    pub id: u64,
    /// The first argument, if it is a string.
    pub payload: Option<&'a [u8]>,
    /// Error URI, reason, or authmethod; of a NATS request, the subject of its answer.
    pub uri: &'a [u8],
}
