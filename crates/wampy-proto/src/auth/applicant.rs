//! Whom a client would be: what the router's side of every authmethod may ask about it.
//!
//! Deliberately absent: what has to be proven (`credential.rs`) and the proving (`challenger.rs`).

use super::channel::ChannelId;
use super::cryptosign::PrivateKey;
use crate::id::SessionId;

/// Who the client will be if it proves itself, and where it is.
#[derive(Debug, Clone)]
pub struct Applicant {
    /// The id that the session will have; drawn before it stands, because wampcra signs it.
    pub session: SessionId,
    /// The user.
    pub authid: String,
    /// The role that the user will have.
    pub authrole: String,
    /// Who knows the user: `static`, `dynamic` and so on.
    pub authprovider: String,
    /// Now, in UTC as ISO 8601: `2026-01-01T00:00:00.000Z`.
    pub timestamp: String,
    /// The TLS 1.3 connection, if it is one.
    pub channel: Option<ChannelId>,
    /// The key with which the router proves to cryptosign clients who it is.
    pub router_key: Option<PrivateKey>,
}
