//! `wampcra`: the client signs a text of the router's with HMAC-SHA256 under the shared secret.
//!
//! With a salted secret the key is the *base64 text* of what PBKDF2 derives, not its bytes. That is
//! not in the specification, but what every implementation does.

use hmac::{Hmac, KeyInit as _, Mac as _};
use pbkdf2::pbkdf2_hmac;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::applicant::Applicant;
use super::binary::to_base64;
use super::outcome::{Denied, SignError};
use super::secret::Secret;
use crate::message::{Authenticate, AuthenticateExtra, Challenge, ChallengeExtra};
use crate::serializer::json::JsonWriter;
use crate::value::Value;

/// The authmethod's name.
pub const NAME: &str = "wampcra";
/// The iterations of PBKDF2 where a challenge or a stored secret does not say.
pub const ITERATIONS_DEFAULT: u64 = 1000;
/// The most iterations that a client computes for a router, each for every 32 bytes of the key.
pub const ITERATIONS_MAX: u64 = 10_000_000;
/// The length of a derived key in bytes where nothing is said.
pub const KEYLEN_DEFAULT: u64 = 32;
/// The longest derived key, in bytes.
pub const KEYLEN_MAX: u64 = 1024;

/// How a key is derived from a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salting {
    /// The salt, as text: its bytes are what is salted with.
    pub salt: String,
    /// The iterations of PBKDF2-HMAC-SHA256.
    pub iterations: u64,
    /// The length of the derived key in bytes, before it is made text.
    pub keylen: u64,
}

impl Salting {
    /// The key that stands for `secret`.
    ///
    /// # Errors
    /// The parameters are outside of what anybody should have to compute; says which.
    pub fn derive(&self, secret: &Secret) -> Result<Secret, String> {
        let Self {
            salt,
            iterations,
            keylen,
        } = self;
        if !(1..=KEYLEN_MAX).contains(keylen) {
            return Err(format!(
                "the key length {keylen} is not within 1 to {KEYLEN_MAX}"
            ));
        }
        let cost = iterations.saturating_mul(keylen.div_ceil(32));
        if *iterations == 0 || cost > ITERATIONS_MAX {
            return Err(format!(
                "{iterations} iterations for {keylen} bytes are not within 1 to {ITERATIONS_MAX}"
            ));
        }
        let (rounds, length) = match (u32::try_from(*iterations), usize::try_from(*keylen)) {
            (Ok(rounds), Ok(length)) => (rounds, length),
            _ => return Err("the parameters do not fit this machine".to_owned()),
        };
        let mut key = Zeroizing::new(vec![0; length]);
        pbkdf2_hmac::<Sha256>(secret.expose(), salt.as_bytes(), rounds, &mut key);
        Ok(to_base64(&key).into())
    }
}

/// What the router holds to check a client: the key, and how the client comes to it.
///
/// In a configuration file either `secret`, or `key` with the salting that led to it; or `secret`
/// with a salting, which is derived from at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct CraCredential {
    /// The key of the HMAC: the secret's text, or the base64 text of what was derived from it.
    pub key: Secret,
    /// How the key was derived, if it was.
    pub salting: Option<Salting>,
}

/// [`CraCredential`] in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iterations: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keylen: Option<u64>,
}

impl TryFrom<Record> for CraCredential {
    type Error = String;

    fn try_from(record: Record) -> Result<Self, String> {
        let salting = match record.salt {
            Some(salt) => Some(Salting {
                salt,
                iterations: record.iterations.unwrap_or(ITERATIONS_DEFAULT),
                keylen: record.keylen.unwrap_or(KEYLEN_DEFAULT),
            }),
            None if record.iterations.is_some() || record.keylen.is_some() => {
                return Err("iterations and keylen mean nothing without a salt".to_owned());
            }
            None => None,
        };
        let is_empty = |secret: &Secret| secret.expose().is_empty();
        match (record.secret, record.key, salting) {
            (Some(secret), None, _) if is_empty(&secret) => {
                Err("the secret is empty: anybody could sign with it".to_owned())
            }
            (Some(secret), None, None) => Ok(Self::plain(secret)),
            (Some(secret), None, Some(salting)) => Self::salted(&secret, salting),
            (None, Some(key), Some(salting)) => Ok(Self {
                key,
                salting: Some(salting),
            }),
            (None, Some(_), None) => Err("a key needs the salt that it was made with".to_owned()),
            (Some(_), Some(_), _) => Err("give either a secret or a key".to_owned()),
            (None, None, _) => Err("a secret, or a key with its salt, is missing".to_owned()),
        }
    }
}

impl From<CraCredential> for Record {
    fn from(credential: CraCredential) -> Self {
        let CraCredential { key, salting } = credential;
        let (secret, key) = match salting {
            None => (Some(key), None),
            Some(_) => (None, Some(key)),
        };
        Self {
            secret,
            key,
            iterations: salting.as_ref().map(|salting| salting.iterations),
            keylen: salting.as_ref().map(|salting| salting.keylen),
            salt: salting.map(|salting| salting.salt),
        }
    }
}

impl CraCredential {
    /// For a secret that is stored as it is.
    pub const fn plain(secret: Secret) -> Self {
        Self {
            key: secret,
            salting: None,
        }
    }

    /// For a secret of which only a derived key is stored.
    ///
    /// # Errors
    /// As for [`Salting::derive`].
    pub fn salted(secret: &Secret, salting: Salting) -> Result<Self, String> {
        let key = salting.derive(secret)?;
        Ok(Self {
            key,
            salting: Some(salting),
        })
    }

    /// The router's CHALLENGE for `applicant`.
    pub(super) fn challenge(
        &self,
        applicant: &Applicant,
        random: &[u8; 32],
    ) -> (Challenge<'static>, String) {
        let text = challenge_text(applicant, random);
        let mut extra = ChallengeExtra {
            challenge: Some(text.as_str().into()),
            ..ChallengeExtra::default()
        };
        if let Some(salting) = &self.salting {
            extra.salt = Some(salting.salt.as_str().into());
            extra.iterations = Some(salting.iterations);
            extra.keylen = Some(salting.keylen);
        }
        let challenge = Challenge {
            authmethod: NAME.into(),
            extra,
        };
        (challenge, text)
    }

    /// The router's check of what the client answered to the challenge `text`.
    ///
    /// # Errors
    /// The signature is wrong.
    pub fn verify(&self, text: &str, answer: &Authenticate<'_>) -> Result<(), Denied> {
        let expected = signature(&self.key, text);
        match expected
            .as_bytes()
            .ct_eq(answer.signature.as_bytes())
            .into()
        {
            true => Ok(()),
            false => Err(Denied::new("the signature is wrong")),
        }
    }
}

/// The seven things that a client must find in what it signs.
fn challenge_text(applicant: &Applicant, random: &[u8; 32]) -> String {
    let text = |text: &str| Value::Text(text.to_owned());
    let fields = [
        ("authid", text(&applicant.authid)),
        ("authrole", text(&applicant.authrole)),
        ("authmethod", text(NAME)),
        ("authprovider", text(&applicant.authprovider)),
        ("nonce", text(&to_base64(random))),
        ("timestamp", text(&applicant.timestamp)),
        ("session", Value::Unsigned(applicant.session.value())),
    ];
    let fields = fields.map(|(key, value)| (key.to_owned(), value));
    let mut json = Vec::new();
    Value::Map(fields.into()).write_to(&mut JsonWriter::new(&mut json));
    String::from_utf8_lossy(&json).into_owned()
}

/// The client's answer to a CHALLENGE. With a salted secret it takes as long as the router asks for,
/// within [`ITERATIONS_MAX`].
///
/// # Errors
/// The challenge lacks what is to be signed, or its parameters are out of bounds.
pub fn answer(secret: &Secret, extra: &ChallengeExtra) -> Result<Authenticate<'static>, SignError> {
    let text = extra.challenge.as_deref();
    let text = text.ok_or_else(|| SignError::router("the wampcra challenge holds no challenge"))?;
    let signature = match &extra.salt {
        None => signature(secret, text),
        Some(salt) => {
            let salting = Salting {
                salt: salt.to_string(),
                iterations: extra.iterations.unwrap_or(ITERATIONS_DEFAULT),
                keylen: extra.keylen.unwrap_or(KEYLEN_DEFAULT),
            };
            let key = salting.derive(secret).map_err(|problem| {
                SignError::router(format!("the wampcra challenge: {problem}"))
            })?;
            signature(&key, text)
        }
    };
    Ok(Authenticate {
        signature: signature.into(),
        extra: AuthenticateExtra::default(),
    })
}

/// The signature under `key` of the challenge `text`.
pub fn signature(key: &Secret, text: &str) -> String {
    to_base64(&hmac_sha256(key.expose(), text.as_bytes()))
}

pub(super) fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    // An HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}
