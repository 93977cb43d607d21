//! The messages that carry load, whatever protocol and serializer they are written in.
//!
//! Deliberately absent: how they are written (`outgoing.rs`, `nats.rs`).

/// The pieces of a message that differ neither with the id nor with the payload:
/// `before_id · id · before_payload · payload · after_payload`.
#[derive(Debug, PartialEq, Eq)]
pub struct Pieces {
    pub before_id: Vec<u8>,
    pub before_payload: Vec<u8>,
    pub after_payload: &'static [u8],
}

/// A message that carries load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// `[CALL, id, {}, procedure, [payload]]`
    Call {
        procedure: String,
        /// The subject of the answer, less the id, over NATS. Over WAMP the id alone says it.
        inbox: String,
    },
    /// `[YIELD, id, {}, [payload]]`
    Yield,
    /// `[PUBLISH, id, {}, topic, [payload]]`
    Publish { topic: String },
    /// `[RESULT, id, {}, [payload]]`: what a router makes of CALL and YIELD; travels over the relay.
    Result,
    /// `[EVENT, 1, id, {}, [payload]]`: what a router makes of PUBLISH; travels over the relay.
    Event,
}

impl Load {
    /// Its message code in WAMP.
    pub fn code(&self) -> u8 {
        match self {
            Self::Call { .. } => 48,
            Self::Yield => 70,
            Self::Publish { .. } => 16,
            Self::Result => 50,
            Self::Event => 36,
        }
    }

    /// The procedure or topic that it names.
    pub fn uri(&self) -> Option<&str> {
        match self {
            Self::Call { procedure: uri, .. } | Self::Publish { topic: uri } => Some(uri),
            Self::Yield | Self::Result | Self::Event => None,
        }
    }
}
