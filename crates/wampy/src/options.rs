//! Everything that was chosen for a client, as its session needs it.
//!
//! Deliberately absent: choosing it (`builder.rs`).

use std::sync::Arc;
use std::time::Duration;

use wampy_proto::Message;
use wampy_proto::end_to_end::{Cipher, Keyring};
use wampy_proto::message::HelloDetails;
use wampy_transport::{ConnectOptions, Url};

use crate::auth::Authentication;
use crate::limits::Limits;
use crate::reconnect::Reconnect;

/// Gets the messages that answer none of the client's own requests.
pub(crate) type Observer = Arc<dyn Fn(&Message<'_>) + Send + Sync>;

/// Everything that was chosen, as the session needs it.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) url: Url,
    pub(crate) realm: String,
    pub(crate) hello: HelloDetails,
    pub(crate) authentication: Authentication,
    pub(crate) connect: ConnectOptions,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) reconnect: Option<Reconnect>,
    pub(crate) limits: Limits,
    pub(crate) keys: Keyring,
    pub(crate) cipher: Cipher,
    pub(crate) observer: Option<Observer>,
    /// Whether the authmethod `cookie` is offered once there is a cookie.
    pub(crate) offers_cookie: bool,
}
