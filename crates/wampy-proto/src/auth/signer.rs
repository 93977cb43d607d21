//! The client's side of proving who it is: what goes into HELLO, what answers a CHALLENGE, and
//! whether the router's WELCOME is to be believed.

use std::sync::Arc;

use super::binary::to_base64;
use super::channel::{ChannelId, TLS_EXPORTER};
use super::credential::AuthMethod;
use super::cryptosign::Cryptosign;
use super::outcome::SignError;
use super::scram::{self, Dialect, Scram};
use super::secret::Secret;
use super::{ticket, wampcra};
use crate::message::{Authenticate, Challenge, HelloDetails, WelcomeDetails};
use crate::value::Value;

/// How many random bytes SCRAM's nonce has: a multiple of three, so that its base64 needs no padding.
const NONCE_BYTES: usize = 24;

/// What a client can prove itself with, by one method.
#[derive(Debug, Clone)]
pub enum Means {
    /// A ticket.
    Ticket(Secret),
    /// A shared secret.
    WampCra(Secret),
    /// A password.
    Scram(Scram),
    /// A private key.
    Cryptosign(Cryptosign),
}

impl Means {
    /// The method that it is for.
    pub const fn method(&self) -> AuthMethod {
        match self {
            Self::Ticket(_) => AuthMethod::Ticket,
            Self::WampCra(_) => AuthMethod::WampCra,
            Self::Scram(_) => AuthMethod::Scram,
            Self::Cryptosign(_) => AuthMethod::Cryptosign,
        }
    }

    /// Whether the router proves something, too.
    const fn is_mutual(&self) -> bool {
        match self {
            Self::Ticket(_) | Self::WampCra(_) => false,
            Self::Scram(_) => true,
            Self::Cryptosign(means) => means.router_key.is_some(),
        }
    }
}

/// The proving of one session.
#[derive(Debug)]
pub struct Signer {
    means: Arc<[Means]>,
    authid: String,
    channel: Option<ChannelId>,
    nonce: String,
    challenge: [u8; 32],
    /// Whether everything that was offered lets the router prove something.
    only_mutual: bool,
    is_router_proven: bool,
    expected: Vec<scram::Expected>,
}

impl Signer {
    /// Begins with the client's HELLO: fills in what the methods need. A HELLO that names its
    /// authmethods keeps them. With a `channel`, signatures are bound to it. `random` must be fresh
    /// and from a cryptographic source.
    ///
    /// # Errors
    /// A method needs an authid that HELLO lacks, or that SASLprep forbids.
    pub fn begin(
        means: Arc<[Means]>,
        channel: Option<ChannelId>,
        hello: &mut HelloDetails,
        random: &[u8; 64],
    ) -> Result<Self, SignError> {
        let (first, challenge) = random.split_at(32);
        let mut signer = Self {
            authid: prepare_authid(&means, hello)?,
            only_mutual: false,
            is_router_proven: false,
            expected: Vec::new(),
            nonce: to_base64(&first[..NONCE_BYTES]),
            challenge: std::array::from_fn(|i| challenge[i]),
            channel,
            means,
        };
        if !signer.means.is_empty() {
            signer.fill(hello);
        }
        Ok(signer)
    }

    fn fill(&mut self, hello: &mut HelloDetails) {
        let offered = hello.authmethods.get_or_insert_with(|| self.names());
        self.only_mutual = offered
            .iter()
            .all(|name| self.means_for(name).is_some_and(Means::is_mutual));
        let mut extra = match hello.authextra.take() {
            Some(Value::Map(extra)) => extra,
            _ => Vec::new(),
        };
        for means in self.means.iter() {
            match means {
                Means::Scram(_) => {
                    extra.push(("nonce".to_owned(), Value::Text(self.nonce.clone())));
                }
                Means::Cryptosign(means) => extra.extend(means.hello(&self.challenge)),
                Means::Ticket(_) | Means::WampCra(_) => {}
            }
        }
        if self.channel.is_some() {
            let name = Value::Text(TLS_EXPORTER.to_owned());
            extra.push(("channel_binding".to_owned(), name));
        }
        hello.authextra = (!extra.is_empty()).then_some(Value::Map(extra));
    }

    /// The names of the methods. SCRAM goes by that of the draft as well, unless it is to be bound to
    /// the channel; the specified name then comes last, because Crossbar.io does not know it and
    /// looks at no name behind one that it does not know.
    fn names(&self) -> Box<[Box<str>]> {
        let (mut names, mut last): (Vec<Box<str>>, _) = (Vec::new(), None);
        for means in self.means.iter() {
            let name = means.method().as_str();
            if means.method() == AuthMethod::Scram && self.channel.is_none() {
                names.push(scram::NAME_DRAFT.into());
                last = Some(name.into());
            } else {
                names.push(name.into());
            }
        }
        names.extend(last);
        names.into()
    }

    /// Whether a WELCOME without a proof of the router's is not to be believed.
    pub const fn wants_proof(&self) -> bool {
        self.only_mutual
    }

    fn means_for(&self, name: &str) -> Option<&Means> {
        let method = AuthMethod::from_name(name)?;
        self.means.iter().find(|means| means.method() == method)
    }

    /// The answer to a CHALLENGE. Deriving a key from a password can take seconds, so call this
    /// where that holds up nobody.
    ///
    /// # Errors
    /// The router demands a method that was not given, or its challenge is malformed or dangerous.
    pub fn answer(
        &mut self,
        challenge: &Challenge<'_>,
    ) -> Result<Authenticate<'static>, SignError> {
        let name = &*challenge.authmethod;
        let Some(means) = self.means_for(name) else {
            return Err(SignError::client(format!(
                "the router asks for a proof by {name:.64}, which was not given"
            )));
        };
        let (channel, extra) = (self.channel.as_ref(), &challenge.extra);
        match means {
            Means::Ticket(ticket) => Ok(ticket::answer(ticket)),
            Means::WampCra(secret) => wampcra::answer(secret, extra),
            Means::Scram(means) => {
                let dialect = Dialect::from_name(name).unwrap_or(Dialect::Specified);
                let (answer, expected) =
                    means.answer(dialect, &self.authid, &self.nonce, channel, extra)?;
                self.expected.push(expected);
                Ok(answer)
            }
            Means::Cryptosign(means) => {
                let answer = means.answer(&self.challenge, channel, extra)?;
                self.is_router_proven = means.router_key.is_some();
                Ok(answer)
            }
        }
    }

    /// Whether the router has proven what the methods used demand of it.
    ///
    /// # Errors
    /// Its proof is wrong or missing.
    pub fn check_welcome(&self, welcome: &WelcomeDetails) -> Result<(), SignError> {
        for expected in &self.expected {
            expected.check(welcome.authextra.as_ref())?;
        }
        if self.only_mutual && self.expected.is_empty() && !self.is_router_proven {
            return Err(SignError::router(
                "the router lets the client in without any proof of who it is itself",
            ));
        }
        Ok(())
    }
}

/// The authid that the methods sign; in HELLO, too, where SCRAM wants it prepared.
fn prepare_authid(means: &[Means], hello: &mut HelloDetails) -> Result<String, SignError> {
    let needs_one = |means: &&Means| !matches!(means, Means::Cryptosign(_));
    let Some(authid) = hello.authid.as_deref() else {
        return match means.iter().find(needs_one) {
            None => Ok(String::new()),
            Some(means) => {
                let name = means.method().as_str();
                Err(SignError::client(format!("{name} needs an authid")))
            }
        };
    };
    if means
        .iter()
        .all(|means| means.method() != AuthMethod::Scram)
    {
        return Ok(authid.to_owned());
    }
    let prepared = scram::prepare_authid(authid).map_err(SignError::client)?;
    hello.authid = Some(prepared.as_str().into());
    Ok(prepared)
}
