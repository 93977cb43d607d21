//! `cryptosign`: the client signs random bytes of the router's with its Ed25519 key, and, if it
//! asks for that, the router signs the client's.
//!
//! What is signed is the challenge, XOR the channel's id where the client binds the session to its
//! TLS connection. Deliberately absent: certificates and trustroots of Ethereum, remote attestation.

mod client;
mod key;
mod router;

pub use client::Cryptosign;
pub use key::{PrivateKey, PublicKey};
pub use router::claimed_key;
pub(super) use router::{Pending, challenge};

/// The authmethod's name.
pub const NAME: &str = "cryptosign";
