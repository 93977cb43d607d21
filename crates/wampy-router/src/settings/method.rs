//! The ways in which a client can become somebody, and sets of them.

use wampy_proto::auth::AuthMethod;

/// An authmethod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `anonymous`: nothing is proven, and nothing believed.
    Anonymous,
    /// `ticket`: the client says its secret.
    Ticket,
    /// `wampcra`: the client signs with a shared secret.
    WampCra,
    /// `wamp-scram` (or `scram`): the client proves that it knows a password.
    Scram,
    /// `cryptosign`: the client signs with its private key.
    Cryptosign,
    /// `cookie`: the client was somebody before, by another method, and comes with the same cookie
    /// (see [`Builder::cookie`](crate::Builder::cookie)).
    Cookie,
    /// `tls`: the client has shown a certificate when it connected.
    Tls,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 7] = [
        Self::Anonymous,
        Self::Ticket,
        Self::WampCra,
        Self::Scram,
        Self::Cryptosign,
        Self::Cookie,
        Self::Tls,
    ];

    /// The method's name in HELLO and WELCOME.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Ticket => AuthMethod::Ticket.as_str(),
            Self::WampCra => AuthMethod::WampCra.as_str(),
            Self::Scram => AuthMethod::Scram.as_str(),
            Self::Cryptosign => AuthMethod::Cryptosign.as_str(),
            Self::Cookie => "cookie",
            Self::Tls => "tls",
        }
    }

    /// The method that a client offers as `name`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let method = Self::ALL.into_iter().find(|method| method.as_str() == name);
        method.or_else(|| AuthMethod::from_name(name).map(Self::from))
    }

    /// What the client has to prove in answer to a CHALLENGE, if it is that kind of method.
    pub(crate) const fn proof(self) -> Option<AuthMethod> {
        match self {
            Self::Anonymous | Self::Cookie | Self::Tls => None,
            Self::Ticket => Some(AuthMethod::Ticket),
            Self::WampCra => Some(AuthMethod::WampCra),
            Self::Scram => Some(AuthMethod::Scram),
            Self::Cryptosign => Some(AuthMethod::Cryptosign),
        }
    }
}

/// Some of the methods: those by which clients of a listener may authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Methods(u8);

impl Methods {
    /// Whatever the realm has.
    pub(crate) const ALL: Self = Self(u8::MAX);

    pub(crate) fn has(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }
}

impl FromIterator<Method> for Methods {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Self {
        let bits = methods.into_iter().map(|method| 1 << method as u8);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

impl From<AuthMethod> for Method {
    fn from(method: AuthMethod) -> Self {
        match method {
            AuthMethod::Ticket => Self::Ticket,
            AuthMethod::WampCra => Self::WampCra,
            AuthMethod::Scram => Self::Scram,
            AuthMethod::Cryptosign => Self::Cryptosign,
        }
    }
}
