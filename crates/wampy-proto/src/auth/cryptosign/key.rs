//! The keys of cryptosign, as text and in files, and what is signed with them.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::auth::binary::{from_hex_32, xor};
use crate::auth::channel::ChannelId;
use crate::auth::secret::Secret;

/// The line of a key file of Autobahn's that holds the private key.
const KEY_FILE_FIELD: &str = "private-key-ed25519:";

/// A private Ed25519 key. `Debug` shows the public one.
///
/// The key signs whatever 32 bytes a router sends: use it for nothing but cryptosign.
#[derive(Clone)]
pub struct PrivateKey(SigningKey);

/// A public Ed25519 key; as text 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PrivateKey {
    /// The key made from 32 random bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The key in a file: 64 hex digits, a line `private-key-ed25519: …` as Autobahn writes it, or the
    /// 32 bytes themselves.
    ///
    /// # Errors
    /// The file holds nothing of that kind.
    pub fn from_file_contents(contents: &[u8]) -> Result<Self, String> {
        if let Ok(seed) = <[u8; 32]>::try_from(contents) {
            return Ok(Self::from_seed(&Zeroizing::new(seed)));
        }
        let text = std::str::from_utf8(contents).unwrap_or_default();
        let hex = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(KEY_FILE_FIELD))
            .unwrap_or(text);
        hex.parse()
    }

    /// The 64 hex digits of the key itself, to be stored.
    pub fn to_hex(&self) -> Secret {
        hex::encode(self.0.as_bytes()).into()
    }

    /// The public key that belongs to it.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The signature of `challenge`, as it goes over the wire: 64 bytes of signature and the 32 bytes
    /// that were signed, in hex.
    pub fn sign(&self, challenge: &[u8; 32], channel: Option<&ChannelId>) -> String {
        let message = message(challenge, channel);
        let mut signed = hex::encode(self.0.sign(&message).to_bytes());
        signed.push_str(&hex::encode(message));
        signed
    }
}

impl FromStr for PrivateKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seed = from_hex_32(text.trim()).map(Zeroizing::new);
        seed.map(|seed| Self::from_seed(&seed))
            .ok_or_else(|| "a private key is 64 hex digits".to_owned())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public_key())
    }
}

impl PublicKey {
    /// Whether `signed` is the signature of `challenge` as [`PrivateKey::sign`] makes it.
    pub fn has_signed(
        &self,
        signed: &str,
        challenge: &[u8; 32],
        channel: Option<&ChannelId>,
    ) -> bool {
        let mut bytes = [0; 96];
        if hex::decode_to_slice(signed, &mut bytes).is_err() {
            return false;
        }
        let (signature, claimed) = bytes.split_at(64);
        let message = message(challenge, channel);
        let (Ok(key), Ok(signature)) = (
            VerifyingKey::from_bytes(&self.0),
            Signature::from_slice(signature),
        ) else {
            return false;
        };
        let is_signed = key.verify_strict(&message, &signature).is_ok();
        is_signed && bool::from(message.ct_eq(claimed))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for PublicKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        from_hex_32(text.trim())
            .filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok())
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no public key: 64 hex digits"))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What is signed.
fn message(challenge: &[u8; 32], channel: Option<&ChannelId>) -> [u8; 32] {
    match channel {
        Some(channel) => xor(challenge, channel.bytes()),
        None => *challenge,
    }
}
