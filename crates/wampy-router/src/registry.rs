//! The connections and sessions of a router: how many there are, and reaching all of them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::lanes::{Handle, Lanes};
use crate::network::Network;
use crate::outlet::{Outlet, Signal};

/// The open connections.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Told when the last connection has gone, or the last that does not speak HTTP.
    emptied: Notify,
    /// Whether those that speak HTTP have to end.
    http_ends: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<u64, Entry>,
    /// How many of them speak HTTP.
    http: usize,
    /// How many there are of each network, where that counts.
    by_network: HashMap<Network, usize>,
    next: u64,
    is_closing: bool,
}

#[derive(Debug)]
struct Entry {
    /// Set once the task has been spawned.
    task: Option<Handle>,
    /// Set after the transport's handshake.
    outlet: Option<Arc<Outlet>>,
    /// Whether it speaks HTTP, and so has no outlet.
    is_http: bool,
    /// Where it comes from, if that counts.
    network: Option<Network>,
}

impl Entry {
    /// Ends the task. One that is not spawned yet is ended by whoever spawns it.
    fn abort(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// A connection's place in the registry; dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Ticket {
    registry: Arc<Registry>,
    number: u64,
}

impl Registry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a connection of `network`, where that counts, as a task, unless the router is closing.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        lanes: &Lanes,
        network: Option<Network>,
        connection: impl FnOnce(Ticket) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(ticket) = self.ticket(network) else {
            return;
        };
        let number = ticket.number;
        // Without the lock: a runtime that shuts down drops the connection, and with it the ticket,
        // at once.
        let task = lanes.spawn(connection(ticket));
        let mut state = self.state();
        if state.is_closing {
            task.abort();
        }
        if let Some(entry) = state.connections.get_mut(&number) {
            entry.task = Some(task);
        }
    }

    /// A place for another connection, unless the router is closing.
    fn ticket(self: &Arc<Self>, network: Option<Network>) -> Option<Ticket> {
        let mut state = self.state();
        if state.is_closing {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let entry = Entry {
            task: None,
            outlet: None,
            is_http: false,
            network,
        };
        state.connections.insert(number, entry);
        if let Some(network) = network {
            *state.by_network.entry(network).or_default() += 1;
        }
        Some(Ticket {
            registry: Arc::clone(self),
            number,
        })
    }

    /// How many connections of `network` there are.
    pub(crate) fn of_network(&self, network: Network) -> usize {
        self.state().by_network.get(&network).copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.state().connections.len()
    }

    /// Tells every session that the router shuts down, and takes no new connections. Those that speak
    /// HTTP go on, as sessions over long-polling need them.
    pub(crate) fn shut_down(&self) {
        let mut state = self.state();
        state.is_closing = true;
        for entry in state.connections.values() {
            match &entry.outlet {
                Some(outlet) => outlet.signal(Signal::ShutDown),
                None if entry.is_http => {}
                None => entry.abort(),
            }
        }
    }

    /// Ends what is left at once, and takes no new connections.
    pub(crate) fn abort_all(&self) {
        let mut state = self.state();
        state.is_closing = true;
        for entry in state.connections.values() {
            entry.abort();
        }
    }

    /// Lets connections that speak HTTP end when they have answered.
    pub(crate) fn end_http(&self) {
        self.http_ends.send_replace(true);
    }

    /// Waits until no connection is left.
    pub(crate) async fn empty(&self) {
        self.wait_for(|state| state.connections.is_empty()).await;
    }

    /// Waits until no connection is left but those that speak HTTP.
    pub(crate) async fn only_http_left(&self) {
        self.wait_for(|state| state.connections.len() == state.http)
            .await;
    }

    async fn wait_for(&self, is_reached: impl Fn(&State) -> bool) {
        loop {
            let emptied = self.emptied.notified();
            if is_reached(&self.state()) {
                return;
            }
            emptied.await;
        }
    }
}

impl Ticket {
    /// Makes the connection reachable by signals.
    pub(crate) fn attach(&self, outlet: &Arc<Outlet>) {
        let mut state = self.registry.state();
        if state.is_closing {
            outlet.signal(Signal::ShutDown);
        }
        if let Some(entry) = state.connections.get_mut(&self.number) {
            entry.outlet = Some(Arc::clone(outlet));
        }
    }
}

impl Ticket {
    /// Notes that the connection speaks HTTP; what is returned becomes true when it has to end.
    pub(crate) fn serves_http(&self) -> watch::Receiver<bool> {
        let mut state = self.registry.state();
        let state = &mut *state;
        if let Some(entry) = state.connections.get_mut(&self.number) {
            entry.is_http = true;
            state.http += 1;
        }
        self.registry.http_ends.subscribe()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        let gone = state.connections.remove(&self.number);
        if gone.as_ref().is_some_and(|entry| entry.is_http) {
            state.http -= 1;
        }
        if let Some(network) = gone.and_then(|entry| entry.network)
            && let Some(left) = state.by_network.get_mut(&network)
        {
            *left -= 1;
            if *left == 0 {
                state.by_network.remove(&network);
            }
        }
        if state.connections.len() == state.http {
            self.registry.emptied.notify_waiters();
        }
    }
}

/// How many sessions a router has.
#[derive(Debug, Default)]
pub(crate) struct SessionCount(AtomicUsize);

/// The right to have one session; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct SessionPermit(Arc<SessionCount>);

impl SessionCount {
    /// Counts one session more, unless there are `sessions_max`.
    pub(crate) fn permit(self: &Arc<Self>, sessions_max: usize) -> Option<SessionPermit> {
        let permit = SessionPermit(Arc::clone(self));
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        (before < sessions_max).then_some(permit)
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for SessionPermit {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn connections_are_counted_by_network() {
        let registry = Arc::new(Registry::default());
        let (here, there) = (Network::V4(1), Network::V6(1));
        let tickets: Vec<_> = [Some(here), None, Some(here), Some(there)]
            .into_iter()
            .filter_map(|network| registry.ticket(network))
            .collect();
        assert_eq!(
            (registry.of_network(here), registry.of_network(there)),
            (2, 1)
        );
        drop(tickets);
        assert!(registry.state().by_network.is_empty());
    }

    #[test]
    fn a_connection_that_comes_while_the_runtime_ends_is_dropped() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime without I/O");
        let handle = runtime.handle().clone();
        drop(runtime);
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _inside = handle.enter();
            let registry = Arc::new(Registry::default());
            registry.spawn(&Lanes::start(Duration::ZERO), None, |ticket| async move {
                let _held = ticket;
                std::future::pending().await
            });
            let _ = done.send(registry.len());
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(10)), Ok(0));
    }
}
