//! What a router stores of a password for SCRAM.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::derivation::Derivation;
use super::{AuthMessage, Keys};
use crate::auth::Secret;
use crate::auth::binary::{from_base64, from_base64_or_hex, to_base64, xor};
use crate::auth::wampcra::hmac_sha256;

/// What a router stores: enough to check the client's proof and to make its own, not enough to take
/// the client's place elsewhere.
///
/// In a configuration file `kdf`, `salt`, `iterations`, `memory` (KiB, Argon2 only), `stored_key`
/// and `server_key`; bytes in base64, or in hex as Crossbar.io has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct ScramCredential {
    /// How the client comes to its keys.
    pub derivation: Derivation,
    stored_key: Secret,
    server_key: Secret,
}

/// [`ScramCredential`] in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    kdf: String,
    salt: String,
    iterations: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    #[serde(alias = "stored-key")]
    stored_key: Secret,
    #[serde(alias = "server-key")]
    server_key: Secret,
}

impl TryFrom<Record> for ScramCredential {
    type Error = String;

    fn try_from(record: Record) -> Result<Self, String> {
        let salt = from_base64_or_hex(&record.salt)
            .filter(|salt| !salt.is_empty())
            .ok_or_else(|| "the salt is neither base64 nor hex".to_owned())?;
        let key = |name: &str, key: &Secret| {
            let bytes = key.expose_text().and_then(from_base64_or_hex);
            bytes
                .filter(|bytes| bytes.len() == 32)
                .map(Secret::from)
                .ok_or_else(|| format!("{name} is not 32 bytes in base64 or hex"))
        };
        let kdf: super::Kdf = record.kdf.parse()?;
        if (kdf == super::Kdf::Pbkdf2) != record.memory.is_none_or(|kib| kib == 0) {
            return Err("argon2 needs memory, in KiB, and pbkdf2 has none".to_owned());
        }
        Ok(Self {
            derivation: Derivation {
                kdf,
                salt,
                iterations: record.iterations,
                memory_kib: record.memory.unwrap_or(0),
            },
            stored_key: key("stored_key", &record.stored_key)?,
            server_key: key("server_key", &record.server_key)?,
        })
    }
}

impl From<ScramCredential> for Record {
    fn from(credential: ScramCredential) -> Self {
        let derivation = &credential.derivation;
        Self {
            kdf: derivation.kdf.as_str().to_owned(),
            salt: to_base64(&derivation.salt),
            iterations: derivation.iterations,
            memory: Some(derivation.memory_kib).filter(|&kib| kib > 0),
            stored_key: to_base64(credential.stored_key.expose()).into(),
            server_key: to_base64(credential.server_key.expose()).into(),
        }
    }
}

impl ScramCredential {
    /// What to store of `password`. Deriving it takes as long as `derivation` says.
    ///
    /// # Errors
    /// The password has characters that SASLprep forbids, or the parameters make no sense.
    pub fn new(password: &Secret, derivation: Derivation) -> Result<Self, String> {
        let keys = Keys::derive(password, &derivation)?;
        Ok(Self {
            derivation,
            stored_key: (*keys.stored_key).into(),
            server_key: (*keys.server_key).into(),
        })
    }

    /// A credential that no password has, for a user that does not exist.
    pub(in crate::auth) fn decoy(derivation: Derivation, key: [u8; 32]) -> Self {
        Self {
            derivation,
            stored_key: key.into(),
            server_key: key.into(),
        }
    }

    /// Whether `proof`, in base64, was made with the client's key.
    pub fn accepts(&self, message: &AuthMessage<'_>, proof: &str) -> bool {
        let proof = from_base64(proof).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let Some(proof) = proof else {
            return false;
        };
        let signature = hmac_sha256(self.stored_key.expose(), message.text().as_bytes());
        let client_key = xor(&signature, &proof);
        Sha256::digest(client_key)
            .ct_eq(self.stored_key.expose())
            .into()
    }

    /// The router's signature, in base64.
    pub fn server_signature(&self, message: &AuthMessage<'_>) -> String {
        to_base64(&hmac_sha256(
            self.server_key.expose(),
            message.text().as_bytes(),
        ))
    }
}
