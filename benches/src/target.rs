//! Where the load goes: address, transport, realm, and whose CPU to watch.

use std::path::PathBuf;

use crate::error::BenchError;
use crate::transport::Transport;

/// The realm joined unless told otherwise.
const REALM_DEFAULT: &str = "realm1";

/// Where a router listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `HOST:PORT`.
    Tcp(String),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// What is at the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A WAMP router, or what does the same work.
    Router,
    /// The floor: a [`relay`](crate::relay) that copies bytes.
    Relay,
}

/// Where the load goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The socket to connect to.
    pub address: Address,
    /// Transport and serializer.
    pub transport: Transport,
    /// Path of the WebSocket request.
    pub path: String,
    /// Realm to join.
    pub realm: String,
    /// Router, or the floor.
    pub peer: Peer,
    /// Where the subscribers connect, in turn, if elsewhere or otherwise than the publishers.
    pub subscribers: Vec<Target>,
    /// Process whose CPU time (with that of its children) is reported, if it runs on this machine.
    pub router_pid: Option<u32>,
}

impl Target {
    /// A target from a URL: `ws://HOST:PORT/PATH` (WebSocket, JSON), `rs://HOST:PORT` or
    /// `unix:///PATH` (RawSocket, MessagePack). The realm is `realm1`.
    ///
    /// ```
    /// let target = wampy_bench::Target::parse("ws://localhost:8080/ws")?;
    /// assert_eq!(target.path, "/ws");
    /// # Ok::<(), wampy_bench::BenchError>(())
    /// ```
    pub fn parse(url: &str) -> Result<Self, BenchError> {
        let refuse = |reason| BenchError::Url {
            url: url.to_owned(),
            reason,
        };
        let (scheme, rest) = url.split_once("://").ok_or(refuse("it has no scheme"))?;
        let (host, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        let (address, transport) = match scheme {
            "ws" => (tcp(host).map_err(refuse)?, Transport::WebSocketJson),
            "rs" => (tcp(host).map_err(refuse)?, Transport::RawSocketMsgpack),
            "unix" if rest.is_empty() => return Err(refuse("it has no path")),
            "unix" => (Address::Unix(rest.into()), Transport::RawSocketMsgpack),
            "wss" | "rss" => return Err(refuse("the load generator does not speak TLS")),
            _ => return Err(refuse("the scheme is not one of ws, rs, unix")),
        };
        Ok(Self {
            address,
            transport,
            path: path.to_owned(),
            realm: REALM_DEFAULT.to_owned(),
            peer: Peer::Router,
            subscribers: Vec::new(),
            router_pid: None,
        })
    }

    /// A NATS server at `HOST:PORT`, which does the same work in another protocol.
    ///
    /// It has no URL here: what takes URLs from people measures WAMP routers.
    pub fn nats(host: &str) -> Result<Self, BenchError> {
        let refuse = |reason| BenchError::Url {
            url: host.to_owned(),
            reason,
        };
        Ok(Self {
            address: tcp(host).map_err(refuse)?,
            transport: Transport::Nats,
            path: String::new(),
            realm: String::new(),
            peer: Peer::Router,
            subscribers: Vec::new(),
            router_pid: None,
        })
    }

    /// The same target with another realm.
    pub fn realm(self, realm: impl Into<String>) -> Self {
        Self {
            realm: realm.into(),
            ..self
        }
    }

    /// The same target, with the CPU time of this process in the report.
    pub fn router_pid(self, pid: u32) -> Self {
        Self {
            router_pid: Some(pid),
            ..self
        }
    }

    /// The same target with CBOR in the place of MessagePack.
    pub fn cbor(self) -> Self {
        let transport = match self.transport {
            Transport::RawSocketMsgpack => Transport::RawSocketCbor,
            other => other,
        };
        Self { transport, ..self }
    }

    /// The same target, with subscribers that connect to these, in turn.
    pub fn subscribers(self, subscribers: Vec<Target>) -> Self {
        Self {
            subscribers,
            ..self
        }
    }

    /// Where a subscriber connects.
    pub(crate) fn of_subscriber(&self, number: usize) -> &Self {
        match self.subscribers.len() {
            0 => self,
            targets => &self.subscribers[number % targets],
        }
    }

    /// The same address, where a [`relay`](crate::relay) and no router listens.
    pub fn relay(self) -> Self {
        Self {
            peer: Peer::Relay,
            ..self
        }
    }
}

fn tcp(host: &str) -> Result<Address, &'static str> {
    let (name, port) = host.rsplit_once(':').ok_or("it has no port")?;
    if name.is_empty() {
        return Err("it has no host");
    }
    port.parse::<u16>()
        .map_err(|_| "the port is not a number up to 65535")?;
    Ok(Address::Tcp(host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscribers_take_their_targets_in_turn() {
        let publishers = Target::parse("ws://localhost:1").unwrap();
        assert_eq!(publishers.of_subscriber(7), &publishers);
        let rawsocket = Target::parse("rs://localhost:2").unwrap();
        let mixed = publishers.subscribers(vec![rawsocket.clone(), rawsocket.cbor()]);
        let of = |number| mixed.of_subscriber(number).transport;
        assert_eq!(of(0), Transport::RawSocketMsgpack);
        assert_eq!(of(1), Transport::RawSocketCbor);
        assert_eq!(of(2), Transport::RawSocketMsgpack);
    }

    #[test]
    fn urls_name_address_and_transport() {
        let ws = Target::parse("ws://127.0.0.1:8080/some/path").unwrap();
        assert_eq!(ws.address, Address::Tcp("127.0.0.1:8080".into()));
        assert_eq!(
            (ws.transport, ws.path.as_str()),
            (Transport::WebSocketJson, "/some/path")
        );
        let rs = Target::parse("rs://[::1]:8080").unwrap();
        assert_eq!(rs.address, Address::Tcp("[::1]:8080".into()));
        assert_eq!(rs.transport, Transport::RawSocketMsgpack);
        let unix = Target::parse("unix:///run/wampy.sock").unwrap();
        assert_eq!(unix.address, Address::Unix("/run/wampy.sock".into()));
    }

    #[test]
    fn other_urls_are_refused_with_the_reason() {
        for (url, reason) in [
            ("localhost:8080", "no scheme"),
            ("http://localhost:8080", "not one of"),
            ("ws://localhost", "no port"),
            ("ws://localhost:x", "not a number"),
            ("rs://:80", "no host"),
            ("wss://localhost:443/", "TLS"),
            ("unix://", "no path"),
        ] {
            let said = Target::parse(url).unwrap_err().to_string();
            assert!(said.contains(reason), "{url}: {said}");
        }
    }
}
