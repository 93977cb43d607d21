//! The long-poll transports of a router: finding them by their ids, and how many there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;

use super::Transport;
use crate::limits::Limits;
use crate::network::Network;

#[derive(Debug, Default)]
pub(crate) struct Transports(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Box<str>, Arc<Transport>>,
    /// How many transports there are, those included whose clients have closed them.
    open: usize,
    by_network: HashMap<Network, usize>,
}

/// A transport in the table; dropping this ends it.
#[derive(Debug)]
pub(crate) struct Listed {
    transports: Arc<Transports>,
    transport: Arc<Transport>,
    network: Option<Network>,
}

impl Transports {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a transport of a client at `ip`.
    ///
    /// # Errors
    /// The status and the text of a refusal.
    pub(super) fn insert(
        self: &Arc<Self>,
        transport: Transport,
        ip: Option<IpAddr>,
        limits: &Limits,
    ) -> Result<Listed, (StatusCode, &'static str)> {
        let mut table = self.table();
        if table.open >= limits.longpoll_transports_max {
            let problem = "This WAMP router has no room for another long-poll transport.";
            return Err((StatusCode::SERVICE_UNAVAILABLE, problem));
        }
        let network = ip.map(Network::of);
        if let Some(network) = network {
            let of_address = table.by_network.get(&network).copied().unwrap_or(0);
            if of_address >= limits.longpoll_transports_per_address_max {
                let problem = "There are too many long-poll transports of your address.";
                return Err((StatusCode::TOO_MANY_REQUESTS, problem));
            }
            table.by_network.insert(network, of_address + 1);
        }
        table.open += 1;
        let transport = Arc::new(transport);
        table
            .by_id
            .insert(transport.id().into(), Arc::clone(&transport));
        Ok(Listed {
            transports: Arc::clone(self),
            transport,
            network,
        })
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Transport>> {
        self.table().by_id.get(id).cloned()
    }

    /// Lets nobody find a transport any more.
    pub(super) fn remove(&self, id: &str) {
        self.table().by_id.remove(id);
    }
}

impl Listed {
    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.transport.close();
        let mut table = self.transports.table();
        table.by_id.remove(self.transport.id());
        table.open -= 1;
        if let Some(network) = self.network
            && let Some(of_address) = table.by_network.get_mut(&network)
        {
            *of_address -= 1;
            if *of_address == 0 {
                table.by_network.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wampy_proto::framing::websocket::Subprotocol;
    use wampy_transport::MemoryStream;

    use super::*;

    #[test]
    fn refusals_and_ends_leave_nothing_behind() {
        let transports = Arc::new(Transports::default());
        let insert_of = |ip: &str, per_address| {
            let (_, far) = MemoryStream::pair(100, "test");
            let subprotocol = Subprotocol::from_name("wamp.2.json").unwrap();
            let limits = Limits {
                longpoll_transports_per_address_max: per_address,
                ..Limits::default()
            };
            let ip = Some(ip.parse().unwrap());
            transports.insert(Transport::new(subprotocol, far), ip, &limits)
        };
        let insert = |per_address| insert_of("2001:db8::1", per_address);
        assert!(insert(0).is_err());
        assert!(transports.table().by_network.is_empty());
        let listed = insert(1).unwrap();
        assert!(insert(1).is_err());
        // Nobody gets more by the many IPv6 addresses that everybody has.
        assert!(insert_of("2001:db8::2", 1).is_err());
        drop(insert_of("2001:db8:0:1::1", 1).unwrap());
        drop(listed);
        let table = transports.table();
        assert!(table.by_network.is_empty() && table.by_id.is_empty() && table.open == 0);
    }
}
