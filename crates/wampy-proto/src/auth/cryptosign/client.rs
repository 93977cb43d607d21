//! The client's side of cryptosign.

use super::{PrivateKey, PublicKey};
use crate::auth::binary::from_hex_32;
use crate::auth::channel::{ChannelId, TLS_EXPORTER};
use crate::auth::outcome::SignError;
use crate::message::{Authenticate, AuthenticateExtra, ChallengeExtra};
use crate::value::Value;

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
    pub(in crate::auth) fn hello(&self, challenge: &[u8; 32]) -> Vec<(String, Value)> {
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
