//! Why a router could not start. Peers' mistakes end their own sessions and are no errors here.

use crate::authenticator::AmbiguousUsers;
use crate::config::ConfigError;
use crate::store::StoreError;
use wampy_transport::{BindError, ListenAddressError, ServerTlsError};

/// A router could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address to listen on is malformed.
    #[error(transparent)]
    Address(#[from] ListenAddressError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] ServerTlsError),
    /// The operating system does not let the router listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A realm's name is no URI.
    #[error("{0:?} is no name for a realm: it must be a URI, such as realm1 or com.example.shop")]
    RealmName(String),
    /// Two realms have one name.
    #[error("there are two realms called {0:?}")]
    SameRealm(String),
    /// Somebody would have a role that the realm does not have.
    #[error("realm {realm:?}: {who} would have the role {role:?}, which the realm does not have")]
    NoSuchRole {
        /// The realm.
        realm: String,
        /// Who would have it.
        who: String,
        /// The role.
        role: String,
    },
    /// An authid or a role is none: it is empty, or has control characters.
    #[error("realm {realm:?}: {who}: {problem}")]
    Name {
        /// The realm.
        realm: String,
        /// Who would have it.
        who: String,
        /// What is wrong with which name.
        problem: String,
    },
    /// Two users of a realm cannot be told apart.
    #[error("realm {realm:?}: {error}")]
    Users {
        /// The realm.
        realm: String,
        /// What they share.
        error: AmbiguousUsers,
    },
    /// An authenticator is no procedure.
    #[error("realm {realm:?}: the authenticator {procedure:?} is no URI")]
    Authenticator {
        /// The realm.
        realm: String,
        /// The procedure.
        procedure: String,
    },
    /// A file with users, or a configuration, has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A configuration file that is read again says nothing about who may join a realm, or what its
    /// roles may do, and did before: it may be half a file.
    #[error(
        "realm {realm:?}: {key} is not there any more, which would open the realm; if that is meant: \
         {instead}"
    )]
    Opened {
        /// The realm.
        realm: String,
        /// What is missing.
        key: &'static str,
        /// How it is said in words.
        instead: &'static str,
    },
    /// A limit makes no sense, by itself or beside another.
    #[error("the limits make no sense: {0}")]
    Limits(&'static str),
    /// An origin whose pages are to be allowed is none.
    #[error("{0}")]
    Origin(String),
    /// The cookie makes no sense.
    #[error("{0}")]
    Cookie(String),
    /// A rule for retained events or event history makes no sense.
    #[error("realm {realm:?}: events cannot be kept like that: {problem}")]
    Keeping {
        /// The realm; empty for those that clients bring into being.
        realm: String,
        /// What makes no sense.
        problem: String,
    },
    /// The store of events cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No serializer is left.
    #[error("a router needs at least one serializer")]
    NoSerializer,
    /// There is no runtime to run on.
    #[error("a router must be started within a Tokio runtime (with I/O and time enabled)")]
    NoRuntime,
}
