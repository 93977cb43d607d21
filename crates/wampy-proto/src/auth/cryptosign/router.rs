//! The router's side of cryptosign.

use super::{NAME, PublicKey};
use crate::auth::applicant::Applicant;
use crate::auth::binary::from_hex_32;
use crate::auth::channel::{self, TLS_EXPORTER};
use crate::auth::outcome::Denied;
use crate::message::{Authenticate, Challenge, ChallengeExtra};
use crate::value::Value;

/// The public key that a client says it has, in the `authextra` of its HELLO.
pub fn claimed_key(authextra: Option<&Value>) -> Option<PublicKey> {
    authextra?.get("pubkey")?.as_str()?.parse().ok()
}

/// What the router remembers of its CHALLENGE.
#[derive(Debug)]
pub(in crate::auth) struct Pending {
    key: PublicKey,
    is_authorized: bool,
    challenge: [u8; 32],
    is_bound: bool,
}

/// The router's CHALLENGE for a client that may have any of `authorized` keys. A key that is none of
/// them shows only in the end.
pub(in crate::auth) fn challenge(
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
    pub(in crate::auth) fn verify(
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
