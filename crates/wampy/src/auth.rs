//! What a client proves itself with: one type for each authmethod, for [`Builder::auth`].
//!
//! Deliberately absent: authentication by the transport, which needs nothing in HELLO: for a TLS
//! certificate there is [`Builder::client_certificate`], for cookies [`Builder::cookies`].
//!
//! [`Builder::auth`]: crate::Builder::auth
//! [`Builder::client_certificate`]: crate::Builder::client_certificate
//! [`Builder::cookies`]: crate::Builder::cookies

use std::path::Path;
use std::sync::Arc;

pub use wampy_proto::auth::{CostBounds, PrivateKey, PublicKey, Secret};
use wampy_proto::auth::{Cryptosign as CryptosignMeans, Means, Scram as ScramMeans};

use crate::error::Error;

/// One of the ways in which a client can prove who it is; made from [`Ticket`], [`WampCra`],
/// [`Scram`] or [`Cryptosign`].
#[derive(Debug, Clone)]
pub struct Auth {
    authid: Option<String>,
    means: Means,
    binds_channel: bool,
}

/// `ticket`: the secret is sent as it is. Only over TLS, or where nobody can listen.
#[derive(Debug, Clone)]
pub struct Ticket {
    authid: String,
    ticket: Secret,
}

impl Ticket {
    /// For the user `authid`.
    pub fn new(authid: impl Into<String>, ticket: impl Into<Secret>) -> Self {
        Self {
            authid: authid.into(),
            ticket: ticket.into(),
        }
    }
}

/// `wampcra`: the router's challenge is signed with a shared secret, which is never sent.
#[derive(Debug, Clone)]
pub struct WampCra {
    authid: String,
    secret: Secret,
}

impl WampCra {
    /// For the user `authid`.
    pub fn new(authid: impl Into<String>, secret: impl Into<Secret>) -> Self {
        Self {
            authid: authid.into(),
            secret: secret.into(),
        }
    }
}

/// `wamp-scram`: client and router prove to each other that they know the password and what was
/// made of it. Also understands the older draft of Autobahn and Crossbar.io, `scram`.
#[derive(Debug, Clone)]
pub struct Scram {
    authid: String,
    means: ScramMeans,
    binds_channel: bool,
}

impl Scram {
    /// For the user `authid`.
    pub fn new(authid: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            authid: authid.into(),
            means: ScramMeans::new(password.into()),
            binds_channel: false,
        }
    }

    /// How cheap and how expensive a derivation the router may ask for.
    #[must_use]
    pub fn bounds(mut self, bounds: CostBounds) -> Self {
        self.means.bounds = bounds;
        self
    }

    /// Whether to bind the session to its connection, which must be one by TLS 1.3. Default false:
    /// not every router can. (Of several methods one that wants it is enough.)
    #[must_use]
    pub fn channel_binding(mut self, yes: bool) -> Self {
        self.binds_channel = yes;
        self
    }
}

/// `cryptosign`: the router's challenge is signed with a private Ed25519 key.
///
/// ```
/// use wampy::auth::Cryptosign;
///
/// let key = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510".parse()?;
/// let builder = wampy::Client::builder("wss://localhost").auth(Cryptosign::new(key));
/// # drop(builder);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cryptosign {
    authid: Option<String>,
    means: CryptosignMeans,
    binds_channel: bool,
}

impl Cryptosign {
    /// For the user that the router knows the public key of.
    pub fn new(key: PrivateKey) -> Self {
        Self {
            authid: None,
            means: CryptosignMeans {
                key,
                router_key: None,
            },
            binds_channel: false,
        }
    }

    /// With the key in a file: 64 hex digits as `wampy keygen` writes them, the 32 bytes themselves,
    /// or a key file of Autobahn's.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the file cannot be read or holds no key.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let unusable =
            |problem: String| Error::misuse(format!("the key file {}: {problem}", path.display()));
        let contents: Secret = std::fs::read(path)
            .map_err(|error| unusable(error.to_string()))?
            .into();
        let key = PrivateKey::from_file_contents(contents.expose()).map_err(unusable)?;
        Ok(Self::new(key))
    }

    /// The user, where the router knows the key of several. Default: the router decides.
    #[must_use]
    pub fn authid(mut self, authid: impl Into<String>) -> Self {
        self.authid = Some(authid.into());
        self
    }

    /// Joins only if the router proves that it has the private key to this public one.
    #[must_use]
    pub fn router_key(mut self, key: PublicKey) -> Self {
        self.means.router_key = Some(key);
        self
    }

    /// As for [`Scram::channel_binding`].
    #[must_use]
    pub fn channel_binding(mut self, yes: bool) -> Self {
        self.binds_channel = yes;
        self
    }
}

impl From<Ticket> for Auth {
    fn from(method: Ticket) -> Self {
        Self {
            authid: Some(method.authid),
            means: Means::Ticket(method.ticket),
            binds_channel: false,
        }
    }
}

impl From<WampCra> for Auth {
    fn from(method: WampCra) -> Self {
        Self {
            authid: Some(method.authid),
            means: Means::WampCra(method.secret),
            binds_channel: false,
        }
    }
}

impl From<Scram> for Auth {
    fn from(method: Scram) -> Self {
        Self {
            authid: Some(method.authid),
            means: Means::Scram(method.means),
            binds_channel: method.binds_channel,
        }
    }
}

impl From<Cryptosign> for Auth {
    fn from(method: Cryptosign) -> Self {
        Self {
            authid: method.authid,
            means: Means::Cryptosign(method.means),
            binds_channel: method.binds_channel,
        }
    }
}

/// All ways that were given, as the session needs them.
#[derive(Debug, Clone)]
pub(crate) struct Authentication {
    pub(crate) means: Arc<[Means]>,
    pub(crate) binds_channel: bool,
}

impl Authentication {
    /// Puts the ways together, and finds the one user that they are for; `authid` is whom the
    /// program named beside them.
    ///
    /// # Errors
    /// They are for several users, or several are of one method.
    pub(crate) fn new(
        methods: Vec<Auth>,
        authid: Option<&str>,
    ) -> Result<(Self, Option<String>), Error> {
        let mut user = authid.map(str::to_owned);
        let mut means: Vec<Means> = Vec::new();
        let mut binds_channel = false;
        for method in methods {
            match (&user, method.authid) {
                (Some(user), Some(other)) if *user != other => {
                    return Err(Error::misuse(format!(
                        "a session is one user's, but both {user:?} and {other:?} were given"
                    )));
                }
                (None, Some(authid)) => user = Some(authid),
                _ => {}
            }
            let name = method.means.method();
            if means.iter().any(|earlier| earlier.method() == name) {
                let name = name.as_str();
                return Err(Error::misuse(format!("{name} was given twice")));
            }
            binds_channel |= method.binds_channel;
            means.push(method.means);
        }
        let all = Self {
            means: means.into(),
            binds_channel,
        };
        Ok((all, user))
    }
}
