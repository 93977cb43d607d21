//! Why a router could not start. Peers' mistakes end their own sessions and are no errors here.

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
    /// A limit makes no sense, by itself or beside another.
    #[error("the limits make no sense: {0}")]
    Limits(&'static str),
    /// A rule for retained events or event history makes no sense.
    #[error("events cannot be kept like that: {0}")]
    Keeping(String),
    /// No serializer is left.
    #[error("a router needs at least one serializer")]
    NoSerializer,
    /// There is no runtime to run on.
    #[error("a router must be started within a Tokio runtime (with I/O and time enabled)")]
    NoRuntime,
}
