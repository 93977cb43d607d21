//! The router's side of sockets: where it listens, and taking in who connects.
//!
//! Deliberately absent: what is spoken on the streams (that is [`crate::accept`]) and TLS.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use crate::stream::Stream;
#[cfg(unix)]
use crate::unix_listener::UnixSocket;

/// How many ports are tried until one is free on both addresses of `localhost`.
const COMMON_PORT_ATTEMPTS: usize = 16;
/// The wait after a failed accept; doubled with each further failure.
const BACKOFF_MIN: Duration = Duration::from_millis(5);
/// The longest wait after a failed accept.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Where a router is told to listen: `HOST:PORT` or `unix:PATH`.
///
/// `localhost` means 127.0.0.1 and, where there is one, ::1, both with the same port. Port 0 picks
/// a free one. `[::]:PORT` takes IPv4 too where the operating system does so by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A host name or address, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port; 0 for a free one.
        port: u16,
    },
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen on {text:?}: {problem}")]
pub struct ListenAddressError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let error = |problem| ListenAddressError {
            text: text.to_owned(),
            problem,
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" | "//" => Err(error("a path must follow `unix:`")),
                // Clients write it as a URL, unix:///PATH.
                path => Ok(Self::Unix(path.strip_prefix("//").unwrap_or(path).into())),
            };
        }
        if text.contains("://") {
            return Err(error(
                "expected HOST:PORT without a scheme: every port takes WebSocket and RawSocket",
            ));
        }
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| error("expected HOST:PORT or unix:PATH"))?;
        let port = port
            .parse()
            .map_err(|_| error("the port must be a number from 0 to 65535"))?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest
                .strip_suffix(']')
                .ok_or_else(|| error("a `]` is missing"))?,
            None if host.contains(':') => {
                return Err(error("an IPv6 address must stand in brackets: [::1]:8080"));
            }
            None => host,
        };
        match host {
            "" => Err(error(
                "the host is missing; 0.0.0.0 or [::] stand for all addresses",
            )),
            host => Ok(Self::Tcp {
                host: host.to_owned(),
                port,
            }),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a listener really listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A router could not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    /// Where.
    pub address: String,
    /// Why not.
    pub source: io::Error,
}

/// How a listener's sockets are set up.
#[derive(Debug, Clone, Copy)]
pub struct ListenOptions {
    /// How many connections the operating system holds until they are taken in.
    pub backlog: u32,
    /// After how much silence the operating system probes a TCP peer; `None` for never.
    pub keepalive: Option<Duration>,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            keepalive: Some(Duration::from_secs(60)),
        }
    }
}

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: BoundAddress,
    options: ListenOptions,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl Listener {
    /// Listens on `address`: one listener for each address that it stands for, all with one port.
    ///
    /// Must be called within a runtime.
    ///
    /// # Errors
    /// [`BindError`] if the address is in use, does not exist or is not allowed.
    pub async fn bind(
        address: &ListenAddress,
        options: ListenOptions,
    ) -> Result<Vec<Self>, BindError> {
        let bound = match address {
            ListenAddress::Tcp { host, port } => bind_tcp(host, *port, options.backlog).await,
            #[cfg(unix)]
            ListenAddress::Unix(path) => {
                UnixSocket::bind(path, options.backlog).map(|socket| vec![Socket::Unix(socket)])
            }
            #[cfg(not(unix))]
            ListenAddress::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        };
        let failed = |source| BindError {
            address: address.to_string(),
            source,
        };
        bound
            .and_then(|sockets| {
                sockets
                    .into_iter()
                    .map(|it| Self::new(it, options))
                    .collect()
            })
            .map_err(failed)
    }

    fn new(socket: Socket, options: ListenOptions) -> io::Result<Self> {
        let address = match &socket {
            Socket::Tcp(socket) => BoundAddress::Tcp(socket.local_addr()?),
            #[cfg(unix)]
            Socket::Unix(socket) => BoundAddress::Unix(socket.path().to_owned()),
        };
        Ok(Self {
            socket,
            address,
            options,
        })
    }

    /// Where this listens.
    #[must_use]
    pub fn address(&self) -> &BoundAddress {
        &self.address
    }

    /// Waits for the next connection.
    ///
    /// Never fails: when the operating system is out of file descriptors or memory, this logs it,
    /// waits and tries again.
    pub async fn accept(&self) -> Stream {
        let mut backoff = BACKOFF_MIN;
        loop {
            let accepted = match &self.socket {
                Socket::Tcp(socket) => socket.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
                #[cfg(unix)]
                Socket::Unix(socket) => socket.accept().await.map(Stream::Unix),
            };
            match accepted.and_then(|stream| self.set_up(stream)) {
                Ok(stream) => return stream,
                Err(error) if is_about_one_peer(&error) => {
                    tracing::debug!(listener = %self.address, %error, "connection lost before it was taken in");
                }
                Err(error) => {
                    tracing::warn!(listener = %self.address, %error, "cannot take in connections");
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    fn set_up(&self, stream: Stream) -> io::Result<Stream> {
        if let Stream::Tcp(socket) = &stream {
            socket.set_nodelay(true)?;
            if let Some(idle) = self.options.keepalive {
                let probes = TcpKeepalive::new().with_time(idle).with_interval(idle);
                SockRef::from(socket).set_tcp_keepalive(&probes)?;
            }
        }
        Ok(stream)
    }
}

/// Whether a failed accept says something about one peer only: the next accept can follow at once.
fn is_about_one_peer(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            // What setting options on a socket answers when its peer has gone again.
            | ErrorKind::InvalidInput
            | ErrorKind::NotConnected
    )
}

async fn bind_tcp(host: &str, port: u16, backlog: u32) -> io::Result<Vec<Socket>> {
    if host == "localhost" {
        return bind_localhost(port, backlog);
    }
    let mut addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let [first, others @ ..] = &*addresses else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "the host has no address",
        ));
    };
    let first = bind_one(*first, backlog)?;
    let port = first.local_addr()?.port();
    let mut sockets = vec![Socket::Tcp(first)];
    for other in others {
        sockets.push(Socket::Tcp(bind_one(
            SocketAddr::new(other.ip(), port),
            backlog,
        )?));
    }
    Ok(sockets)
}

/// Both addresses of `localhost`, or 127.0.0.1 alone on a host without IPv6.
fn bind_localhost(port: u16, backlog: u32) -> io::Result<Vec<Socket>> {
    let mut attempts = COMMON_PORT_ATTEMPTS;
    loop {
        let v4 = bind_one(([127, 0, 0, 1], port).into(), backlog)?;
        let bound_port = v4.local_addr()?.port();
        match bind_one(([0, 0, 0, 0, 0, 0, 0, 1], bound_port).into(), backlog) {
            Ok(v6) => return Ok(vec![Socket::Tcp(v4), Socket::Tcp(v6)]),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                attempts -= 1;
                if port != 0 || attempts == 0 {
                    return Err(error);
                }
            }
            // No IPv6 here: the family is unknown, or the interface has no such address.
            Err(error) => {
                tracing::debug!(%error, "localhost without IPv6");
                return Ok(vec![Socket::Tcp(v4)]);
            }
        }
    }
}

fn bind_one(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Without this a restarted router could not listen again while old connections fade away. On
    // Windows the option means something else: it would let two routers share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port_or_a_unix_path() {
        for text in [
            "localhost:8080",
            "0.0.0.0:0",
            "[::1]:65535",
            "unix:/run/x.sock",
            "unix:x y",
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let as_url: ListenAddress = "unix:///run/x.sock".parse().unwrap();
        assert_eq!(as_url.to_string(), "unix:/run/x.sock");
        for text in [
            "",
            "localhost",
            ":80",
            "::1:80",
            "[::1:80",
            "a:b",
            "a:65536",
            "unix:",
            "unix://",
            "ws://localhost:8080",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn localhost_has_one_port_for_all_its_addresses() {
        let address = "localhost:0".parse().unwrap();
        let listeners = Listener::bind(&address, ListenOptions::default())
            .await
            .unwrap();
        let ports = listeners.iter().map(|listener| match listener.address() {
            BoundAddress::Tcp(address) => address.port(),
            BoundAddress::Unix(_) => 0,
        });
        let ports: std::collections::BTreeSet<u16> = ports.collect();
        assert_eq!(ports.len(), 1);
        assert!(!ports.contains(&0));
        assert_eq!(
            listeners[0].address().to_string().split(':').next(),
            Some("127.0.0.1")
        );
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_that_names_it() {
        let address = "127.0.0.1:0".parse().unwrap();
        let first = Listener::bind(&address, ListenOptions::default())
            .await
            .unwrap();
        let taken = first[0].address().to_string();
        let error = Listener::bind(&taken.parse().unwrap(), ListenOptions::default()).await;
        assert!(error.unwrap_err().to_string().contains(&taken));
    }
}
