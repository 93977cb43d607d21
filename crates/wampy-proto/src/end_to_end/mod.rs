//! End-to-end encryption: the scheme `wamp` of Payload Passthru Mode.
//!
//! A payload becomes one binary: the CBOR of `{args, kwargs}`, sealed with a key that both ends have. What
//! goes over the wire is nonce, ciphertext and tag, one behind the other, as NaCl's secret boxes are laid
//! out. A router sees who sends what to whom, and how long it is, but nothing of what it says.
//!
//! Deliberately absent: how the ends come to have the same key, and the serializer `flatbuffers`. The
//! specification's scheme does not bind a ciphertext to its topic or procedure, so neither is bound here:
//! who holds a key should expect that a router may deliver a sealed payload elsewhere, or again.

mod key;
mod seal;

pub use key::DataKey;
pub use seal::{Cipher, Keyring, NONCE_BYTES_MAX, OpenError, SCHEME};
