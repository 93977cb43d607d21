//! The router's side of SCRAM.

use super::{AuthMessage, Dialect, ScramCredential, is_nonce, prepare_authid};
use crate::auth::applicant::Applicant;
use crate::auth::binary::{from_base64, to_base64};
use crate::auth::channel::{self, ChannelId, TLS_EXPORTER};
use crate::auth::outcome::Denied;
use crate::message::{Authenticate, Challenge, ChallengeExtra};
use crate::value::Value;

/// How many random bytes the router adds to the client's nonce.
const NONCE_BYTES: usize = 24;

/// What the router remembers of its CHALLENGE.
#[derive(Debug)]
pub(in crate::auth) struct Pending {
    dialect: Dialect,
    authid: String,
    client_nonce: String,
    nonce: String,
    salt: String,
    is_bound: bool,
}

/// The router's CHALLENGE, with a nonce of `random`.
///
/// # Errors
/// The client's HELLO lacks a nonce, or asks for a channel binding that there is not.
pub(in crate::auth) fn challenge(
    credential: &ScramCredential,
    dialect: Dialect,
    applicant: &Applicant,
    authextra: Option<&Value>,
    random: &[u8; 32],
) -> Result<(Challenge<'static>, Pending), Denied> {
    let field = |name: &str| authextra.and_then(|extra| extra.get(name)?.as_str());
    let client_nonce = field("nonce")
        .filter(|nonce| is_nonce(nonce) && from_base64(nonce).is_some())
        .ok_or_else(|| Denied::scram("invalid-encoding", "SCRAM needs authextra.nonce, base64"))?;
    let authid = prepare_authid(&applicant.authid)
        .map_err(|problem| Denied::scram("invalid-username-encoding", problem))?;
    let requested = field("channel_binding").filter(|_| dialect == Dialect::Specified);
    let channel = channel::requested(requested, applicant.channel.as_ref())
        .map_err(|problem| Denied::scram("unsupported-channel-binding-type", problem))?;
    let nonce = format!("{client_nonce}{}", to_base64(&random[..NONCE_BYTES]));
    let derivation = &credential.derivation;
    let salt = to_base64(&derivation.salt);
    let challenge = Challenge {
        authmethod: dialect.name().into(),
        extra: ChallengeExtra {
            nonce: Some(nonce.as_str().into()),
            salt: Some(salt.as_str().into()),
            kdf: Some(derivation.kdf.as_str().into()),
            iterations: Some(derivation.iterations),
            memory: Some(derivation.memory_kib).filter(|&kib| kib > 0),
            ..ChallengeExtra::default()
        },
    };
    let pending = Pending {
        dialect,
        authid,
        client_nonce: client_nonce.to_owned(),
        nonce,
        salt,
        is_bound: channel.is_some(),
    };
    Ok((challenge, pending))
}

impl Pending {
    /// The router's check of what the client answered, and what to add to the `authextra` of
    /// WELCOME.
    ///
    /// # Errors
    /// The nonce, the channel binding or the proof is wrong.
    pub(in crate::auth) fn verify(
        &self,
        credential: &ScramCredential,
        applicant: &Applicant,
        answer: &Authenticate<'_>,
    ) -> Result<(String, Value), Denied> {
        let channel = applicant.channel.as_ref().filter(|_| self.is_bound);
        self.check_nonce(answer)?;
        check_channel(channel, answer)?;
        let message = AuthMessage {
            dialect: self.dialect,
            authid: &self.authid,
            client_nonce: &self.client_nonce,
            nonce: &self.nonce,
            salt: &self.salt,
            iterations: credential.derivation.iterations,
            channel,
        };
        if !credential.accepts(&message, &answer.signature) {
            return Err(Denied::scram("invalid-proof", "the proof is wrong"));
        }
        let name = match self.dialect {
            Dialect::Specified => "verifier",
            Dialect::Draft => "scram_server_signature",
        };
        let signature = credential.server_signature(&message);
        Ok((name.to_owned(), Value::Text(signature)))
    }

    /// Autobahn's draft does not send the nonce back; it is signed all the same.
    fn check_nonce(&self, answer: &Authenticate<'_>) -> Result<(), Denied> {
        match answer.extra.nonce.as_deref() {
            Some(nonce) if nonce == self.nonce => Ok(()),
            None if self.dialect == Dialect::Draft => Ok(()),
            _ => Err(Denied::scram(
                "other-error",
                "the nonce is not the challenge's",
            )),
        }
    }
}

fn check_channel(channel: Option<&ChannelId>, answer: &Authenticate<'_>) -> Result<(), Denied> {
    let extra = &answer.extra;
    let shown = extra.cbind_data.as_deref();
    let matches = match channel {
        None => extra.channel_binding.is_none() && shown.is_none(),
        Some(channel) => {
            extra.channel_binding.as_deref() == Some(TLS_EXPORTER)
                && shown == Some(&to_base64(channel.bytes()))
        }
    };
    match matches {
        true => Ok(()),
        false => Err(Denied::scram(
            "channel-bindings-dont-match",
            "the channel binding is not this connection's",
        )),
    }
}
