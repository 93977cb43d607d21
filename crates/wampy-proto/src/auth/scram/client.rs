//! The client's side of SCRAM.

use subtle::ConstantTimeEq as _;

use super::derivation::{CostBounds, Derivation};
use super::{AuthMessage, Dialect, Keys, is_nonce};
use crate::auth::binary::{from_base64, to_base64};
use crate::auth::channel::{ChannelId, TLS_EXPORTER};
use crate::auth::outcome::SignError;
use crate::auth::secret::Secret;
use crate::message::{Authenticate, AuthenticateExtra, ChallengeExtra};
use crate::value::Value;

/// What the client proves itself with.
#[derive(Debug, Clone)]
pub struct Scram {
    /// The password.
    pub password: Secret,
    /// What a router may ask for.
    pub bounds: CostBounds,
}

/// What a router has to show in WELCOME: the signature, in base64.
#[derive(Debug)]
pub(in crate::auth) struct Expected(String);

impl Scram {
    /// With the default bounds.
    pub fn new(password: Secret) -> Self {
        Self {
            password,
            bounds: CostBounds::default(),
        }
    }

    /// The client's answer to a CHALLENGE, and what the router then has to show. Takes as long as
    /// the router asks for, within the bounds.
    ///
    /// # Errors
    /// The nonce does not continue the client's; the derivation is out of bounds or unknown; the
    /// password cannot be prepared; the dialect has no channel binding, and one was asked for.
    pub(in crate::auth) fn answer(
        &self,
        dialect: Dialect,
        authid: &str,
        client_nonce: &str,
        channel: Option<&ChannelId>,
        extra: &ChallengeExtra,
    ) -> Result<(Authenticate<'static>, Expected), SignError> {
        let problem =
            |problem: String| SignError::router(format!("the SCRAM challenge: {problem}"));
        if dialect == Dialect::Draft && channel.is_some() {
            return Err(SignError::router(
                "the router speaks a SCRAM without channel binding, which was asked for",
            ));
        }
        let nonce = extra.nonce.as_deref().unwrap_or_default();
        if !is_nonce(nonce) || !continues(nonce, client_nonce) {
            return Err(problem("its nonce does not continue the client's".into()));
        }
        let derivation = derivation(extra).map_err(problem)?;
        self.bounds.check(&derivation).map_err(problem)?;
        let keys = Keys::derive(&self.password, &derivation).map_err(SignError::client)?;
        let message = AuthMessage {
            dialect,
            authid,
            client_nonce,
            nonce,
            salt: extra.salt.as_deref().unwrap_or_default(),
            iterations: derivation.iterations,
            channel,
        };
        let answer = Authenticate {
            signature: keys.client_proof(&message).into(),
            extra: AuthenticateExtra {
                nonce: Some(nonce.into()),
                channel_binding: channel.map(|_| TLS_EXPORTER.into()),
                cbind_data: channel.map(|channel| to_base64(channel.bytes()).into()),
                ..AuthenticateExtra::default()
            },
        };
        Ok((answer, Expected(keys.server_signature(&message))))
    }
}

impl Expected {
    /// Whether the `authextra` of WELCOME shows that the router holds the client's keys. The
    /// specification's example has `v=` before the signature, its text does not.
    ///
    /// # Errors
    /// It does not.
    pub(in crate::auth) fn check(&self, authextra: Option<&Value>) -> Result<(), SignError> {
        let field = |name: &str| authextra.and_then(|extra| extra.get(name)?.as_str());
        let Some(shown) = field("verifier").or_else(|| field("scram_server_signature")) else {
            return Err(SignError::router(
                "the router does not prove that it holds this user's keys",
            ));
        };
        let shown = shown.strip_prefix("v=").unwrap_or(shown);
        match shown.as_bytes().ct_eq(self.0.as_bytes()).into() {
            true => Ok(()),
            false => Err(SignError::router(
                "the router's proof that it holds this user's keys is wrong",
            )),
        }
    }
}

/// Whether the router's nonce begins with the client's and goes on. (Crossbar.io appends its bytes
/// before they become base64. That comes to the same, because the client's are a multiple of three.)
fn continues(nonce: &str, client_nonce: &str) -> bool {
    nonce.len() > client_nonce.len() && nonce.starts_with(client_nonce)
}

fn derivation(extra: &ChallengeExtra) -> Result<Derivation, String> {
    let kdf = extra.kdf.as_deref().ok_or("it names no kdf")?.parse()?;
    let salt = extra.salt.as_deref().and_then(from_base64);
    Ok(Derivation {
        kdf,
        salt: salt.ok_or("its salt is not base64")?,
        iterations: extra.iterations.ok_or("it names no iterations")?,
        memory_kib: extra.memory.unwrap_or(0),
    })
}

/// The authid as SCRAM wants it.
///
/// # Errors
/// It has characters that SASLprep forbids.
pub(in crate::auth) fn prepare_authid(authid: &str) -> Result<String, String> {
    stringprep::saslprep(authid).map(Into::into).map_err(|_| {
        let begin = &authid[..authid.floor_char_boundary(64)];
        format!("the authid {begin:?} has characters that SASLprep forbids")
    })
}
