//! What a router holds to check a client by: stored forms that a configuration file can have.

use serde::{Deserialize, Serialize};

use super::cryptosign::{self, PublicKey};
use super::scram::{self, Derivation, Kdf, ScramCredential};
use super::secret::Secret;
use super::wampcra::{self, CraCredential, hmac_sha256};
use super::{binary, ticket};

/// An authmethod by which a client proves something in answer to a CHALLENGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// `ticket`.
    Ticket,
    /// `wampcra`.
    WampCra,
    /// `wamp-scram`, and `scram`.
    Scram,
    /// `cryptosign`.
    Cryptosign,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 4] = [Self::Ticket, Self::WampCra, Self::Scram, Self::Cryptosign];

    /// The method's name in the specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => ticket::NAME,
            Self::WampCra => wampcra::NAME,
            Self::Scram => scram::NAME,
            Self::Cryptosign => cryptosign::NAME,
        }
    }

    /// The method that a peer calls `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        let method = Self::ALL.into_iter().find(|method| method.as_str() == name);
        method.or_else(|| (name == scram::NAME_DRAFT).then_some(Self::Scram))
    }
}

/// All that is stored of one user; what is absent, the user cannot prove itself by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// The ticket, in plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<Secret>,
    /// The secret or key of WAMP-CRA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wampcra: Option<CraCredential>,
    /// The keys of SCRAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scram: Option<ScramCredential>,
    /// The public keys of which the user may have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cryptosign: Vec<PublicKey>,
}

impl Credentials {
    /// What the user proves itself with by `method`.
    pub fn get(&self, method: AuthMethod) -> Option<Credential> {
        match method {
            AuthMethod::Ticket => self.ticket.clone().map(Credential::Ticket),
            AuthMethod::WampCra => self.wampcra.clone().map(Credential::WampCra),
            AuthMethod::Scram => self.scram.clone().map(Credential::Scram),
            AuthMethod::Cryptosign if self.cryptosign.is_empty() => None,
            AuthMethod::Cryptosign => Some(Credential::Cryptosign(self.cryptosign.clone())),
        }
    }
}

/// What one CHALLENGE is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A ticket.
    Ticket(Secret),
    /// The key of an HMAC.
    WampCra(CraCredential),
    /// The keys made of a password.
    Scram(ScramCredential),
    /// The public keys of which any will do.
    Cryptosign(Vec<PublicKey>),
}

impl Credential {
    /// The method that it is for.
    pub const fn method(&self) -> AuthMethod {
        match self {
            Self::Ticket(_) => AuthMethod::Ticket,
            Self::WampCra(_) => AuthMethod::WampCra,
            Self::Scram(_) => AuthMethod::Scram,
            Self::Cryptosign(_) => AuthMethod::Cryptosign,
        }
    }

    /// A credential that nobody has, for an authid that does not exist: the client gets a CHALLENGE
    /// that looks like those of others and is always the same but for its nonce, and its answer is
    /// checked and found wrong as another's would be.
    ///
    /// `seed` is a secret of the router's, which must outlive a restart for the salt to do so;
    /// `like` is what users of this router usually have.
    pub fn decoy(method: AuthMethod, authid: &str, seed: &Secret, like: Option<&Self>) -> Self {
        let derive = |purpose: &str| {
            let name = format!("{purpose} of {authid}");
            hmac_sha256(seed.expose(), name.as_bytes())
        };
        let text = |bytes: &[u8]| binary::to_base64(bytes);
        match (method, like) {
            (AuthMethod::Ticket, _) => Self::Ticket(derive("ticket").into()),
            (AuthMethod::WampCra, Some(Self::WampCra(like))) => Self::WampCra(CraCredential {
                key: text(&derive("key")).into(),
                salting: like.salting.as_ref().map(|salting| wampcra::Salting {
                    salt: text(&derive("salt")[..16]),
                    ..salting.clone()
                }),
            }),
            (AuthMethod::WampCra, _) => {
                Self::WampCra(CraCredential::plain(text(&derive("key")).into()))
            }
            (AuthMethod::Scram, like) => {
                let like = match like {
                    Some(Self::Scram(like)) => like.derivation.clone(),
                    _ => Derivation::recommended(Kdf::Argon2id13, vec![0; 16]),
                };
                let salt = derive("salt")[..like.salt.len().min(32)].to_vec();
                let derivation = Derivation { salt, ..like };
                Self::Scram(ScramCredential::decoy(derivation, derive("key")))
            }
            (AuthMethod::Cryptosign, _) => Self::Cryptosign(Vec::new()),
        }
    }
}
