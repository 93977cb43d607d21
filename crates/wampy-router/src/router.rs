//! The router: it begins, listens, and ends.
//!
//! Deliberately absent: what its connections share (`shared.rs`), and other settings while it runs
//! (`reload.rs`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use wampy_realm::RealmRoles;
use wampy_transport::{BoundAddress, ListenOptions, Listener};

use crate::authenticator::keep_fresh;
use crate::builder::{Builder, Checked};
use crate::connection::{self, Incoming};
use crate::error::StartError;
use crate::network::{Network, is_loopback};
use crate::reload::Fixed;
use crate::settings::Methods;
use crate::shared::{Shared, count};
use crate::stats::Stats;
use crate::store::Store;

/// A running WAMP router.
///
/// Dropping it ends it at once, without a word to its clients; [`Router::shutdown`] says GOODBYE
/// first.
#[derive(Debug)]
pub struct Router {
    pub(crate) shared: Arc<Shared>,
    addresses: Vec<BoundAddress>,
    listeners: tokio::sync::Mutex<Vec<JoinHandle<()>>>,
    /// What cannot be changed while the router runs.
    pub(crate) fixed: Fixed,
    /// Reads users' files again. Locked while settings change.
    pub(crate) users: Mutex<JoinHandle<()>>,
}

impl Router {
    /// A builder, by which everything about a router is set.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn start(checked: Checked) -> Result<Self, StartError> {
        let options = ListenOptions {
            tls: checked.tls.is_some(),
            ..ListenOptions::default()
        };
        let mut loading = Loading::default();
        if let Some(path) = checked.builder.store.clone() {
            let queue_bytes_max = checked.builder.limits.store_queue_bytes_max;
            let opened = in_background(move || Store::open(&path, queue_bytes_max)).await?;
            loading.store = Some(Arc::new(opened?));
        }
        let mut listeners = Vec::new();
        for (address, methods) in &checked.listen {
            let bound = Listener::bind(address, options).await?;
            listeners.extend(bound.into_iter().map(|listener| (listener, *methods)));
        }
        let addresses = listeners
            .iter()
            .map(|(listener, _)| listener.address().clone())
            .collect();
        let fixed = Fixed::of(&checked);
        let users_file_poll_ms = checked.builder.limits.users_file_poll_ms;
        let store = loading.store.clone();
        let shared = in_background(move || Shared::new(checked, store)).await??;
        let shared = Arc::new(shared);
        loading.is_done = true;
        let accept_all =
            |(listener, methods)| tokio::spawn(accept_all(listener, methods, Arc::clone(&shared)));
        let listeners = listeners.into_iter().map(accept_all).collect();
        let accesses = shared.realms.accesses();
        Ok(Self {
            shared,
            addresses,
            listeners: tokio::sync::Mutex::new(listeners),
            fixed,
            users: Mutex::new(tokio::spawn(keep_fresh(accesses, users_file_poll_ms))),
        })
    }

    /// Where the router listens, with the ports that it really got.
    #[must_use]
    pub fn addresses(&self) -> &[BoundAddress] {
        &self.addresses
    }

    /// A URL by which a client on this host reaches the router, such as `ws://127.0.0.1:8080/`
    /// (`wss:` where TLS is spoken), or `unix:PATH` if it listens on no TCP port. The names in a
    /// certificate are seldom such an address; a client then has to be told one of them instead.
    #[must_use]
    pub fn url(&self) -> String {
        let tcp = self.addresses.iter().find_map(|address| match address {
            BoundAddress::Tcp(address) => Some(("ws", reachable(*address))),
            BoundAddress::Tls(address) => Some(("wss", reachable(*address))),
            BoundAddress::Unix(_) => None,
        });
        match (tcp, self.addresses.first()) {
            (Some((scheme, address)), _) => format!("{scheme}://{address}/"),
            (None, Some(address)) => address.to_string(),
            // A router always has an address: without any it does not start.
            (None, None) => String::new(),
        }
    }

    /// What the router knows about itself at this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let Shared {
            counters,
            registry,
            realms,
            sessions,
            ..
        } = &*self.shared;
        Stats {
            connections: registry.len(),
            sessions: sessions.get(),
            connections_accepted: counters.connections_accepted.load(Ordering::Relaxed),
            connections_refused: counters.connections_refused.load(Ordering::Relaxed),
            sessions_cut_off: counters.sessions_cut_off.load(Ordering::Relaxed),
            violations: counters.violations.load(Ordering::Relaxed),
            realms: realms.stats(),
        }
    }

    /// Gives the realm called `realm` other roles, which count at once: registrations and
    /// subscriptions that are not allowed any more are revoked, what authorizers answered is
    /// forgotten, and requests that wait are decided anew. Without roles everybody may do everything.
    /// Who may join counts by them, too, but not in realms that clients bring into being: these begin
    /// with the roles of the settings, and only clients with one of those may join them.
    ///
    /// Returns whether there is such a realm.
    pub fn set_roles(&self, realm: &str, roles: RealmRoles) -> bool {
        self.shared.realms.set_roles(realm, roles)
    }

    /// Ends the router: listens no more, says GOODBYE `wamp.close.system_shutdown` to every
    /// session, waits for their answers at most [`Limits::shutdown_timeout_ms`](crate::Limits::shutdown_timeout_ms), and closes
    /// everything. When this returns the ports are free. May be called again.
    pub async fn shutdown(&self) {
        for listener in self.listeners.lock().await.drain(..) {
            listener.abort();
            // It ends by being aborted; waiting for that frees the port.
            let _ = listener.await;
        }
        self.users.lock().abort();
        let registry = &self.shared.registry;
        registry.shut_down();
        let patience = Duration::from_millis(self.shared.terms().limits.shutdown_timeout_ms);
        let emptied = async {
            // Sessions over long-polling hear of it by the requests of their clients.
            registry.only_http_left().await;
            registry.end_http();
            registry.empty().await;
        };
        if tokio::time::timeout(patience, emptied).await.is_err() {
            tracing::info!(
                connections = registry.len(),
                "clients did not answer GOODBYE in time"
            );
            registry.abort_all();
            registry.empty().await;
        }
    }
}

impl Router {
    /// Forgets the cookies with which `authid` has authenticated in `realm`, so that it has to do so
    /// anew; its sessions stay. Returns how many there were.
    pub fn forget_cookies(&self, realm: &str, authid: &str) -> usize {
        let cookies = self.shared.cookies.as_ref();
        cookies.map_or(0, |cookies| cookies.forget(realm, authid))
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        for listener in self.listeners.get_mut().drain(..) {
            listener.abort();
        }
        self.users.lock().abort();
        self.shared.registry.abort_all();
    }
}

/// The store while realms are read from it. Who drops the start of a router waits for none of that.
#[derive(Default)]
struct Loading {
    store: Option<Arc<Store>>,
    is_done: bool,
}

impl Drop for Loading {
    fn drop(&mut self) {
        if let Some(store) = &self.store
            && !self.is_done
        {
            store.give_up();
        }
    }
}

/// Runs what may take long without keeping the runtime from anything else, signals for example.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StartError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends.
            Err(_) => Err(StartError::NoRuntime),
        },
    }
}

/// Takes in connections, each as a task of its own.
async fn accept_all(listener: Listener, methods: Methods, shared: Arc<Shared>) {
    let is_tls = matches!(listener.address(), BoundAddress::Tls(_));
    tracing::debug!(address = %listener.address(), is_tls, "listening");
    loop {
        let stream = listener.accept().await;
        count(&shared.counters.connections_accepted);
        let counted = stream.peer_ip().filter(|&ip| !is_loopback(ip));
        let network = counted.map(Network::of);
        let Some(has_room) = shared.room_for(network) else {
            count(&shared.counters.connections_refused);
            tracing::info!(
                peer = stream.peer(),
                "connection refused: too many connections"
            );
            continue;
        };
        let incoming = Incoming {
            stream,
            is_tls,
            methods,
            has_room,
        };
        let serve = |ticket| connection::serve(Arc::clone(&shared), incoming, ticket);
        shared.registry.spawn(&shared.lanes, network, serve);
    }
}

/// An address that a client on this host can connect to: listening on all addresses means that the
/// loopback address will do.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    let loopback: IpAddr = match address {
        SocketAddr::V4(_) => [127, 0, 0, 1].into(),
        SocketAddr::V6(_) => [0, 0, 0, 0, 0, 0, 0, 1].into(),
    };
    SocketAddr::new(loopback, address.port())
}
