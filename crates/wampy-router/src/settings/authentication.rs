//! Who may join a realm.

use std::path::PathBuf;

use wampy_proto::auth::{PrivateKey, Secret};

use super::{Method, User};

/// Who may join a realm, and how it is found out.
#[derive(Debug, Clone)]
#[must_use]
pub struct Authentication {
    pub(crate) methods: Vec<Method>,
    pub(crate) anonymous_role: Box<str>,
    pub(crate) users: Vec<User>,
    pub(crate) users_file: Option<PathBuf>,
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) reveal_unknown_users: bool,
    pub(crate) unknown_users_seed: Option<Secret>,
    pub(crate) router_key: Option<PrivateKey>,
}

/// A procedure that knows users: the dynamic authenticator.
///
/// The router calls it with the realm, the authid that the client claims, and a dict of details:
/// `authmethod`, `session` (also as `session_id`), `transport` (a dict of `type`, `serializer`, `peer`,
/// and `certificate`, a dict of `sha256`, `common_name` and `alternative_names`, of a client that has
/// shown one), and where there are any `ticket`,
/// `authrole` and `authextra` of the client. It answers with a role, or a dict of `role` and, as needed,
/// `authid`, `extra`, `realm`, and what the client has to prove: `wampcra`, `scram`, `cryptosign` as in
/// the configuration file, or the fields of the one method beside the role, as Crossbar.io has it. A
/// ticket or certificate it checks itself. ERROR `wamp.error.no_such_principal`,
/// `wamp.error.authentication_denied` or `wamp.error.not_authorized` turns the client away as an unknown
/// user; any other means that the authenticator has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Authenticator {
    pub(crate) procedure: Box<str>,
    pub(crate) realm: Option<Box<str>>,
}

impl Default for Authentication {
    /// Everybody may join, as `anonymous`.
    fn default() -> Self {
        Self::by([Method::Anonymous])
    }
}

impl Authentication {
    /// By these methods. A client's own order says which of them it goes by.
    pub fn by(methods: impl IntoIterator<Item = Method>) -> Self {
        Self {
            methods: methods.into_iter().collect(),
            anonymous_role: "anonymous".into(),
            users: Vec::new(),
            users_file: None,
            authenticator: None,
            reveal_unknown_users: false,
            unknown_users_seed: None,
            router_key: None,
        }
    }

    /// The role of anonymous clients. Default: `anonymous`.
    pub fn anonymous_role(mut self, role: impl Into<Box<str>>) -> Self {
        self.anonymous_role = role.into();
        self
    }

    /// A user. May be said several times.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// A file with more users (`[[users]]`, as in the configuration file). It is read when the router
    /// starts, and again when it has changed; then, if there are mistakes in it, they are logged and
    /// the users stay as they were.
    pub fn users_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.users_file = Some(path.into());
        self
    }

    /// The procedure that is asked about users that are not listed here.
    pub fn authenticator(mut self, authenticator: Authenticator) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Whether a client that claims an unknown authid is told so, by
    /// `wamp.error.no_such_principal`. Else it is challenged like a user and then refused like one with
    /// a wrong secret. Default: no.
    pub fn reveal_unknown_users(mut self, yes: bool) -> Self {
        self.reveal_unknown_users = yes;
        self
    }

    /// From what the salts of unknown users are made, so that they stay the same when the router starts
    /// again and do not tell by changing that the users are unknown. Default: random bytes.
    pub fn unknown_users_seed(mut self, seed: Secret) -> Self {
        self.unknown_users_seed = Some(seed);
        self
    }

    /// The key by which the router proves to cryptosign clients who it is, if they ask.
    pub fn router_key(mut self, key: PrivateKey) -> Self {
        self.router_key = Some(key);
        self
    }
}

impl Authenticator {
    /// The procedure `procedure` of the realm that the client wants to join.
    pub fn new(procedure: impl Into<Box<str>>) -> Self {
        Self {
            procedure: procedure.into(),
            realm: None,
        }
    }

    /// The realm in which the procedure is registered, if it is another one.
    pub fn in_realm(mut self, realm: impl Into<Box<str>>) -> Self {
        self.realm = Some(realm.into());
        self
    }
}
