//! The connections and sessions of a router: how many there are, and reaching all of them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::lanes::{Handle, Lanes};
use crate::outlet::{Outlet, Signal};

/// The open connections.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: Mutex<State>,
    /// Told when the last connection has gone.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<u64, Entry>,
    next: u64,
    is_closing: bool,
}

#[derive(Debug)]
struct Entry {
    /// Set once the task has been spawned.
    task: Option<Handle>,
    /// Set after the transport's handshake.
    outlet: Option<Arc<Outlet>>,
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

    /// Runs a connection as a task, unless the router is closing.
    pub(crate) fn spawn<F>(self: &Arc<Self>, lanes: &Lanes, connection: impl FnOnce(Ticket) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(ticket) = self.ticket() else { return };
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
    fn ticket(self: &Arc<Self>) -> Option<Ticket> {
        let mut state = self.state();
        if state.is_closing {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let entry = Entry {
            task: None,
            outlet: None,
        };
        state.connections.insert(number, entry);
        Some(Ticket {
            registry: Arc::clone(self),
            number,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.state().connections.len()
    }

    /// Tells every connection that the router shuts down, and takes no new ones.
    pub(crate) fn shut_down(&self) {
        let mut state = self.state();
        state.is_closing = true;
        for entry in state.connections.values() {
            match &entry.outlet {
                Some(outlet) => outlet.signal(Signal::ShutDown),
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

    /// Waits until no connection is left.
    pub(crate) async fn empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.len() == 0 {
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

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.connections.remove(&self.number);
        if state.connections.is_empty() {
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
            registry.spawn(&Lanes::start(Duration::ZERO), |ticket| async move {
                let _held = ticket;
                std::future::pending().await
            });
            let _ = done.send(registry.len());
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(10)), Ok(0));
    }
}
