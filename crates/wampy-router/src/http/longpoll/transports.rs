//! The long-poll transports of a router: finding them by their ids, and how many there may be.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;

use super::Transport;
use crate::limits::Limits;

#[derive(Debug, Default)]
pub(crate) struct Transports(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<Box<str>, Arc<Transport>>,
    /// How many transports there are, those included whose clients have closed them.
    open: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A transport in the table; dropping this ends it.
#[derive(Debug)]
pub(crate) struct Listed {
    transports: Arc<Transports>,
    transport: Arc<Transport>,
    ip: Option<IpAddr>,
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
        if let Some(ip) = ip {
            let of_address = table.by_address.get(&ip).copied().unwrap_or(0);
            if of_address >= limits.longpoll_transports_per_address_max {
                let problem = "There are too many long-poll transports of your address.";
                return Err((StatusCode::TOO_MANY_REQUESTS, problem));
            }
            table.by_address.insert(ip, of_address + 1);
        }
        table.open += 1;
        let transport = Arc::new(transport);
        table
            .by_id
            .insert(transport.id().into(), Arc::clone(&transport));
        Ok(Listed {
            transports: Arc::clone(self),
            transport,
            ip,
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
        if let Some(ip) = self.ip
            && let Some(of_address) = table.by_address.get_mut(&ip)
        {
            *of_address -= 1;
            if *of_address == 0 {
                table.by_address.remove(&ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use wampy_proto::framing::websocket::Subprotocol;
    use wampy_transport::MemoryStream;

    use super::*;

    #[test]
    fn refusals_and_ends_leave_nothing_behind() {
        let transports = Arc::new(Transports::default());
        let insert = |per_address| {
            let (_, far) = MemoryStream::pair(100, "test");
            let subprotocol = Subprotocol::from_name("wamp.2.json").unwrap();
            let limits = Limits {
                longpoll_transports_per_address_max: per_address,
                ..Limits::default()
            };
            let ip = Some(Ipv4Addr::LOCALHOST.into());
            transports.insert(Transport::new(subprotocol, far), ip, &limits)
        };
        assert!(insert(0).is_err());
        assert!(transports.table().by_address.is_empty());
        let listed = insert(1).unwrap();
        assert!(insert(1).is_err());
        drop(listed);
        let table = transports.table();
        assert!(table.by_address.is_empty() && table.by_id.is_empty() && table.open == 0);
    }
}
