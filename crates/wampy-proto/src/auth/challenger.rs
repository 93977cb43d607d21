//! The router's side of proving who a client is: one CHALLENGE after the other, until all that was
//! demanded is proven.
//!
//! ```
//! use wampy_proto::auth::{Applicant, Challenger, Credential, Step};
//! use wampy_proto::message::{Authenticate, AuthenticateExtra, HelloDetails};
//! use wampy_proto::SessionId;
//!
//! let applicant = Applicant {
//!     session: SessionId::try_from(7)?,
//!     authid: "joe".into(),
//!     authrole: "frontend".into(),
//!     authprovider: "static".into(),
//!     timestamp: "2026-01-01T00:00:00.000Z".into(),
//!     channel: None,
//!     router_key: None,
//! };
//! let hello = HelloDetails { authmethods: Some(["ticket".into()].into()), ..Default::default() };
//! let demanded = [Credential::Ticket("secret!!!".into())];
//! let mut challenger = Challenger::new(applicant, &hello, demanded);
//!
//! let Step::Challenge(challenge) = challenger.next(&[7; 32])? else { panic!() };
//! assert_eq!(challenge.authmethod, "ticket");
//! let answer = Authenticate { signature: "secret!!!".into(), extra: AuthenticateExtra::default() };
//! let Step::Proven(proof) = challenger.verify(&answer, &[8; 32])? else { panic!() };
//! assert_eq!(proof.authmethods, ["ticket"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::VecDeque;

use super::applicant::Applicant;
use super::credential::Credential;
use super::cryptosign;
use super::outcome::Denied;
use super::scram::{self, Dialect};
use super::ticket;
use crate::message::{Authenticate, Challenge, HelloDetails};
use crate::value::Value;

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Send this, and give what the client answers to [`Challenger::verify`]. The time in which the
    /// client must answer is the router's to watch.
    Challenge(Challenge<'static>),
    /// The client is who it says it is.
    Proven(Proof),
}

/// What a client has proven.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proof {
    /// The authmethods, as the client calls them, in the order in which they were used.
    pub authmethods: Vec<&'static str>,
    /// What to add to the `authextra` of WELCOME, so that the client can check the router.
    pub authextra: Vec<(String, Value)>,
}

/// The proving of one client.
#[derive(Debug)]
pub struct Challenger {
    applicant: Applicant,
    dialect: Dialect,
    authextra: Option<Value>,
    demanded: VecDeque<Credential>,
    pending: Option<Pending>,
    proof: Proof,
}

/// What was asked last.
#[derive(Debug)]
enum Pending {
    Ticket(super::Secret),
    WampCra(super::CraCredential, String),
    Scram(super::ScramCredential, scram::Pending),
    Cryptosign(cryptosign::Pending),
}

impl Challenger {
    /// For a client that said `hello` and has to prove all of `demanded`, one after the other: of
    /// two factors, two. Nothing has been asked yet: go on with [`Challenger::next`].
    pub fn new(
        applicant: Applicant,
        hello: &HelloDetails,
        demanded: impl IntoIterator<Item = Credential>,
    ) -> Self {
        let offered = hello.authmethods.as_deref().unwrap_or_default();
        let is_offered = |dialect: Dialect| offered.iter().any(|name| **name == *dialect.name());
        let dialect = match is_offered(Dialect::Draft) && !is_offered(Dialect::Specified) {
            true => Dialect::Draft,
            false => Dialect::Specified,
        };
        Self {
            applicant,
            dialect,
            authextra: hello.authextra.clone(),
            demanded: demanded.into_iter().collect(),
            pending: None,
            proof: Proof::default(),
        }
    }

    /// The first step. `random` must be fresh and from a cryptographic source.
    ///
    /// # Errors
    /// The client's HELLO lacks what the method needs, or wants what there is not.
    pub fn next(&mut self, random: &[u8; 32]) -> Result<Step, Denied> {
        let Some(credential) = self.demanded.pop_front() else {
            return Ok(Step::Proven(std::mem::take(&mut self.proof)));
        };
        let (applicant, authextra) = (&self.applicant, self.authextra.as_ref());
        let (challenge, name, pending) = match credential {
            Credential::Ticket(secret) => {
                (ticket::challenge(), ticket::NAME, Pending::Ticket(secret))
            }
            Credential::WampCra(credential) => {
                let (challenge, text) = credential.challenge(applicant, random);
                let pending = Pending::WampCra(credential, text);
                (challenge, super::wampcra::NAME, pending)
            }
            Credential::Scram(credential) => {
                let dialect = self.dialect;
                let (challenge, pending) =
                    scram::challenge(&credential, dialect, applicant, authextra, random)?;
                let pending = Pending::Scram(credential, pending);
                (challenge, dialect.name(), pending)
            }
            Credential::Cryptosign(keys) => {
                let (challenge, pending) =
                    cryptosign::challenge(&keys, applicant, authextra, random)?;
                (challenge, cryptosign::NAME, Pending::Cryptosign(pending))
            }
        };
        self.pending = Some(pending);
        self.proof.authmethods.push(name);
        Ok(Step::Challenge(challenge))
    }

    /// Checks what the client answered to the last challenge, and goes on; `random` as for
    /// [`Challenger::next`].
    ///
    /// # Errors
    /// The answer does not prove what was asked for.
    pub fn verify(&mut self, answer: &Authenticate<'_>, random: &[u8; 32]) -> Result<Step, Denied> {
        let applicant = &self.applicant;
        match self.pending.take() {
            Some(Pending::Ticket(ticket)) => ticket::verify(&ticket, answer)?,
            Some(Pending::WampCra(credential, text)) => credential.verify(&text, answer)?,
            Some(Pending::Scram(credential, pending)) => {
                let shown = pending.verify(&credential, applicant, answer)?;
                self.proof.authextra.push(shown);
            }
            Some(Pending::Cryptosign(pending)) => pending.verify(applicant, answer)?,
            None => return Err(Denied::new("AUTHENTICATE received, but nothing was asked")),
        }
        self.next(random)
    }
}
