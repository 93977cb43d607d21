//! `cryptosign`: the client signs random bytes of the router's with its Ed25519 key, and, if it
//! asks for that, the router signs the client's.
//!
//! What is signed is the challenge, XOR the channel's id where the client binds the session to its
//! TLS connection. Deliberately absent: certificates and trustroots of Ethereum, remote attestation.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::binary::{from_hex_32, xor};
use super::challenger::Applicant;
use super::channel::{self, ChannelId, TLS_EXPORTER};
use super::outcome::{Denied, SignError};
use crate::message::{Authenticate, AuthenticateExtra, Challenge, ChallengeExtra};
use crate::value::Value;

/// The authmethod's name.
pub const NAME: &str = "cryptosign";

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
    pub fn to_hex(&self) -> super::Secret {
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

/// What the client signs with, and whom it expects at the other end.
#[derive(Debug, Clone)]
pub struct Cryptosign {
    /// The client's key.
    pub key: PrivateKey,
    /// The router's public key, if the router has to prove that it has the private one.
    pub router_key: Option<PublicKey>,
}

impl Cryptosign {
    /// What the method adds to the `authextra` of HELLO; `challenge` is for the router.
    pub(super) fn hello(&self, challenge: &[u8; 32]) -> Vec<(String, Value)> {
        let public_key = self.key.public_key().to_string();
        let mut extra = vec![("pubkey".to_owned(), Value::Text(public_key))];
        if self.router_key.is_some() {
            let challenge = Value::Text(hex::encode(challenge));
            extra.push(("challenge".to_owned(), challenge));
        }
        extra
    }

    /// The client's answer to a CHALLENGE; `sent` is what `Cryptosign::hello` was given.
    ///
    /// # Errors
    /// The challenge is malformed, is bound to another channel than was asked for, or the router has
    /// not proven that it has its key.
    pub fn answer(
        &self,
        sent: &[u8; 32],
        channel: Option<&ChannelId>,
        extra: &ChallengeExtra,
    ) -> Result<Authenticate<'static>, SignError> {
        let requested = channel.map(|_| TLS_EXPORTER);
        if extra.channel_binding.as_deref() != requested {
            return Err(SignError::router(format!(
                "the cryptosign challenge has the channel binding {}, asked for was {}",
                extra.channel_binding.as_deref().unwrap_or("none"),
                requested.unwrap_or("none"),
            )));
        }
        if let Some(router_key) = &self.router_key {
            check_router(router_key, sent, channel, extra)?;
        }
        let challenge = extra.challenge.as_deref().and_then(from_hex_32);
        let challenge = challenge.ok_or_else(|| {
            SignError::router("the cryptosign challenge holds no challenge of 64 hex digits")
        })?;
        Ok(Authenticate {
            signature: self.key.sign(&challenge, channel).into(),
            extra: AuthenticateExtra::default(),
        })
    }
}

fn check_router(
    expected: &PublicKey,
    sent: &[u8; 32],
    channel: Option<&ChannelId>,
    extra: &ChallengeExtra,
) -> Result<(), SignError> {
    let Some(claimed) = extra.pubkey.as_deref() else {
        return Err(SignError::router("the router does not prove who it is"));
    };
    if claimed.parse() != Ok(*expected) {
        return Err(SignError::router(format!(
            "the router has the key {claimed:.64}, expected was {expected}"
        )));
    }
    let signature = extra.signature.as_deref().unwrap_or_default();
    match expected.has_signed(signature, sent, channel) {
        true => Ok(()),
        false => Err(SignError::router(
            "the router has not signed the client's challenge with its key",
        )),
    }
}

/// The public key that a client says it has, in the `authextra` of its HELLO.
pub fn claimed_key(authextra: Option<&Value>) -> Option<PublicKey> {
    authextra?.get("pubkey")?.as_str()?.parse().ok()
}

/// What the router remembers of its CHALLENGE.
#[derive(Debug)]
pub(super) struct Pending {
    key: PublicKey,
    is_authorized: bool,
    challenge: [u8; 32],
    is_bound: bool,
}

/// The router's CHALLENGE for a client that may have any of `authorized` keys. A key that is none of
/// them shows only in the end.
pub(super) fn challenge(
    authorized: &[PublicKey],
    applicant: &Applicant,
    authextra: Option<&Value>,
    random: &[u8; 32],
) -> Result<(Challenge<'static>, Pending), Denied> {
    let key = claimed_key(authextra)
        .ok_or_else(|| Denied::new("cryptosign needs authextra.pubkey, 64 hex digits"))?;
    let field = |name: &str| authextra.and_then(|extra| extra.get(name)?.as_str());
    let channel = channel::requested(field("channel_binding"), applicant.channel.as_ref())
        .map_err(Denied::new)?;
    let mut extra = ChallengeExtra {
        challenge: Some(hex::encode(random).into()),
        channel_binding: channel.map(|_| TLS_EXPORTER.into()),
        ..ChallengeExtra::default()
    };
    if let Some(theirs) = field("challenge") {
        let theirs = from_hex_32(theirs)
            .ok_or_else(|| Denied::new("authextra.challenge is not 64 hex digits"))?;
        let router_key = applicant.router_key.as_ref();
        let router_key = router_key
            .ok_or_else(|| Denied::new("this router has no key to answer authextra.challenge"))?;
        extra.pubkey = Some(router_key.public_key().to_string().into());
        extra.signature = Some(router_key.sign(&theirs, channel).into());
    }
    let pending = Pending {
        key,
        is_authorized: authorized.contains(&key),
        challenge: *random,
        is_bound: channel.is_some(),
    };
    let challenge = Challenge {
        authmethod: NAME.into(),
        extra,
    };
    Ok((challenge, pending))
}

impl Pending {
    /// The router's check of what the client answered.
    pub(super) fn verify(
        &self,
        applicant: &Applicant,
        answer: &Authenticate<'_>,
    ) -> Result<(), Denied> {
        let channel = applicant.channel.as_ref().filter(|_| self.is_bound);
        let is_signed = self
            .key
            .has_signed(&answer.signature, &self.challenge, channel);
        match is_signed && self.is_authorized {
            true => Ok(()),
            false => Err(Denied::new("the signature is wrong")),
        }
    }
}
