//! `wamp-scram`: the client proves that it knows the password, the router that it holds what was
//! made of it; neither says it, and a stolen database does not let anybody in (RFC 5802, RFC 7677).
//!
//! Autobahn and Crossbar.io implement an older draft under the name `scram`. The two differ in what
//! is signed ([`Dialect`]) and in what Argon2's result is used for ([`Kdf::Argon2id13Text`]); both
//! are spoken here. Deliberately absent: `authzid`, the flag `y`, mechanisms by SHA-1.

mod client;
mod credential;
mod derivation;
mod router;

pub use client::Scram;
pub(super) use client::{Expected, prepare_authid};
pub use credential::ScramCredential;
pub use derivation::{ARGON2_MEMORY_KIB_MAX, CostBounds, Derivation, Kdf};
pub(super) use router::{Pending, challenge};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::binary::{to_base64, xor};
use super::channel::{ChannelId, TLS_EXPORTER};
use super::secret::Secret;
use super::wampcra::hmac_sha256;

/// The authmethod's name.
pub const NAME: &str = "wamp-scram";
/// The name under which Autobahn and Crossbar.io know it.
pub const NAME_DRAFT: &str = "scram";

/// The longest nonce that either side takes, in bytes of text.
pub const NONCE_BYTES_MAX: usize = 256;

/// Which of its two forms the method has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// As specified.
    Specified,
    /// The older draft of Autobahn and Crossbar.io: no channel binding, and nothing instead of its
    /// flag in what is signed.
    Draft,
}

impl Dialect {
    /// The dialect that goes by the authmethod `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            NAME => Some(Self::Specified),
            NAME_DRAFT => Some(Self::Draft),
            _ => None,
        }
    }

    /// Its authmethod.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Specified => NAME,
            Self::Draft => NAME_DRAFT,
        }
    }
}

/// What both sides sign: the first three messages of the exchange, as RFC 5802 writes them.
#[derive(Debug, Clone, Copy)]
pub struct AuthMessage<'a> {
    /// The form of the method.
    pub dialect: Dialect,
    /// Who authenticates, after SASLprep.
    pub authid: &'a str,
    /// What the client's HELLO had.
    pub client_nonce: &'a str,
    /// What CHALLENGE and AUTHENTICATE have: the client's nonce and the router's.
    pub nonce: &'a str,
    /// The salt, in base64 as it was sent.
    pub salt: &'a str,
    /// The iterations.
    pub iterations: u64,
    /// The connection, if the exchange is bound to it.
    pub channel: Option<&'a ChannelId>,
}

impl AuthMessage<'_> {
    fn text(&self) -> String {
        let Self {
            client_nonce,
            nonce,
            salt,
            iterations,
            ..
        } = self;
        let authid = match self.dialect {
            Dialect::Specified => self.authid.replace('=', "=3D").replace(',', "=2C"),
            Dialect::Draft => self.authid.to_owned(),
        };
        let binding = match (self.dialect, self.channel) {
            (Dialect::Draft, _) => String::new(),
            (Dialect::Specified, None) => to_base64(b"n,,"),
            (Dialect::Specified, Some(channel)) => {
                let mut input = format!("p={TLS_EXPORTER},,").into_bytes();
                input.extend_from_slice(channel.bytes());
                to_base64(&input)
            }
        };
        format!(
            "n={authid},r={client_nonce},r={nonce},s={salt},i={iterations},c={binding},r={nonce}"
        )
    }
}

/// What a password is worth: the keys of both sides.
#[derive(Clone)]
pub struct Keys {
    client_key: Zeroizing<[u8; 32]>,
    stored_key: Zeroizing<[u8; 32]>,
    server_key: Zeroizing<[u8; 32]>,
}

impl Keys {
    /// Derives the keys of `password`. That takes as long as `derivation` says.
    ///
    /// # Errors
    /// The password or the parameters cannot be used; says why.
    pub fn derive(password: &Secret, derivation: &Derivation) -> Result<Self, String> {
        let salted = derivation.salted_password(password)?;
        let client_key = Zeroizing::new(hmac_sha256(salted.expose(), b"Client Key"));
        let stored_key = Zeroizing::new(Sha256::digest(*client_key).into());
        let server_key = Zeroizing::new(hmac_sha256(salted.expose(), b"Server Key"));
        Ok(Self {
            client_key,
            stored_key,
            server_key,
        })
    }

    /// The client's proof, in base64.
    pub fn client_proof(&self, message: &AuthMessage<'_>) -> String {
        let signature = hmac_sha256(&*self.stored_key, message.text().as_bytes());
        to_base64(&xor(&self.client_key, &signature))
    }

    /// The router's signature, in base64.
    pub fn server_signature(&self, message: &AuthMessage<'_>) -> String {
        to_base64(&hmac_sha256(&*self.server_key, message.text().as_bytes()))
    }
}

/// Whether `nonce` is one that a peer may have drawn: printable ASCII without commas.
fn is_nonce(nonce: &str) -> bool {
    let printable = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    (1..=NONCE_BYTES_MAX).contains(&nonce.len()) && nonce.bytes().all(printable)
}
