//! Who a client is: from HELLO to an [`Identity`], or a refusal.
//!
//! The arithmetic of the authmethods is in `wampy-proto`; here is the conversation around it.

mod access;
mod anonymous;
mod dialog;

use std::sync::Arc;

use wampy_proto::message::Hello;
use wampy_proto::{SessionId, Value};
use wampy_realm::Transport;

pub(crate) use access::Access;
pub(crate) use dialog::{Dialog, Turn};

use crate::router::Shared;

/// Who a session is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    /// The realm that the client joins.
    pub(crate) realm: Box<str>,
    pub(crate) authid: Box<str>,
    pub(crate) authrole: Box<str>,
    pub(crate) authmethod: &'static str,
    pub(crate) authprovider: &'static str,
    pub(crate) authextra: Option<Value>,
}

/// What is known about a client beside its HELLO.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) peer: Box<str>,
    pub(crate) transport: Transport,
    /// The session that the client will have.
    pub(crate) session: SessionId,
}

/// Begins to find out who says HELLO to a realm with this `access`.
pub(crate) fn begin(
    router: Arc<Shared>,
    access: Arc<Access>,
    hello: Hello<'static>,
    client: Client,
) -> Dialog {
    Dialog::begin(|line| async move {
        let _ = (router, client, line);
        access.identify(&hello)
    })
}
