//! What a session may say: the states of both sides, without I/O.
//!
//! [`accepting`] is the router's side, [`joining`] the client's. Each is fed the decoded messages
//! of its peer in order and answers what they mean now: a message to act on, nothing, or a
//! violation with the ABORT to send.

pub mod accepting;
pub mod joining;
