//! The inside of a client: what its handles share with the task that owns the connection.
//!
//! Whoever sends encodes the message into the outbox, under one short lock that also draws the
//! request id and notes who waits for the answer; so ids are in the order of the bytes. The owner
//! ([`owner`]) writes the outbox in as few writes as possible, reads what the socket has, and hands
//! each message to whom it belongs ([`deliver`]). No lock is held while code of the program runs.

mod close;
mod define;
mod deliver;
mod invocations;
mod join;
mod lost;
mod owner;
mod passage;
mod prove;
mod records;
mod restore;
mod send;
mod state;
mod testaments;
mod time_limit;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::sync::{Notify, watch};
use wampy_proto::message::Welcome;
use wampy_proto::{Feature, Role, Serializer};

use crate::builder::Options;
use crate::client::{Client, Handle};
use crate::error::Error;
use crate::status::Status;

pub(crate) use invocations::Answer;
pub(crate) use records::{EventSink, Handler, RegistrationRecord, Stop, SubscriptionRecord};
pub(crate) use send::Sent;
use state::State;
pub(crate) use state::{CallSink, Pending};
pub(crate) use testaments::TestamentRecord;

/// What all handles of a client share with its owner task.
pub(crate) struct Shared {
    pub(crate) options: Options,
    state: Mutex<State>,
    /// Tells senders that the outbox has room again.
    room: Notify,
    /// Tells an owner that is reconnecting to stop.
    close_requested: Notify,
    status: watch::Sender<Status>,
    handle: OnceLock<Weak<Handle>>,
    /// Where handlers run.
    runtime: tokio::runtime::Handle,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("url", &self.options.url.as_str())
            .field("status", &*self.status.borrow())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The serializer of the current session, or of the last one.
    pub(crate) fn serializer(&self) -> Serializer {
        self.lock().serializer
    }

    /// The WELCOME of the current session, or of the last one.
    pub(crate) fn welcome(&self) -> Arc<Welcome> {
        Arc::clone(&self.lock().welcome)
    }

    /// Whether the router of the current session, or of the last one, has a feature.
    pub(crate) fn router_has(&self, role: Role, feature: Feature) -> bool {
        self.lock().welcome.details.roles.supports(role, feature)
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// A client for code that the session runs. It does not keep the session alive unless the
    /// program still holds one.
    pub(crate) fn client(self: &Arc<Self>) -> Client {
        match self.handle.get().and_then(Weak::upgrade) {
            Some(handle) => Client::from_handle(handle),
            None => Client::from_handle(Arc::new(Handle::new(Arc::clone(self)))),
        }
    }
}

/// Connects, joins the realm and starts the owner of the connection.
pub(crate) async fn start(options: Options) -> Result<Client, Error> {
    let joined = join::first(&options).await?;
    let (status, _) = watch::channel(Status::Established {
        session: joined.welcome.session,
    });
    let shared = Arc::new(Shared {
        state: Mutex::new(State::new(&joined)),
        options,
        room: Notify::new(),
        close_requested: Notify::new(),
        status,
        handle: OnceLock::new(),
        runtime: tokio::runtime::Handle::current(),
    });
    let handle = Arc::new(Handle::new(Arc::clone(&shared)));
    // A new lock cannot be full.
    _ = shared.handle.set(Arc::downgrade(&handle));
    owner::spawn(shared, joined);
    Ok(Client::from_handle(handle))
}

/// Says in an error which procedure or topic it is about.
pub(crate) fn about(error: Error, target: &str) -> Error {
    match error {
        Error::Wamp(error) => Error::from(error.about(target)),
        other => other,
    }
}
