//! The router's side of sockets: where it listens, and taking in who connects.
//!
//! Deliberately absent: what is spoken on the streams (that is [`crate::accept`]), TLS included: a
//! listener only knows whether it is to be spoken.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use crate::listen_address::{BoundAddress, ListenAddress};
use crate::stream::Stream;
#[cfg(unix)]
use crate::unix_listener::UnixSocket;

/// How many ports are tried until one is free on both addresses of `localhost`.
const COMMON_PORT_ATTEMPTS: usize = 16;
/// The wait after a failed accept; doubled with each further failure.
const BACKOFF_MIN: Duration = Duration::from_millis(5);
/// The longest wait after a failed accept.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How often the log says that connections cannot be taken in.
const TELL_INTERVAL: Duration = Duration::from_secs(10);

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
    /// Whether TLS is spoken on TCP ports, unless their address begins with `plain:`.
    pub tls: bool,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            backlog: 4096,
            keepalive: Some(Duration::from_secs(60)),
            tls: false,
        }
    }
}

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: BoundAddress,
    options: ListenOptions,
    /// When it was said last that connections cannot be taken in.
    told: Mutex<Option<Instant>>,
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
            ListenAddress::Tcp { host, port, .. } => bind_tcp(host, *port, options.backlog).await,
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
        let always_plain = matches!(
            address,
            ListenAddress::Tcp {
                always_plain: true,
                ..
            }
        );
        let options = ListenOptions {
            tls: options.tls && !always_plain,
            ..options
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
            Socket::Tcp(socket) if options.tls => BoundAddress::Tls(socket.local_addr()?),
            Socket::Tcp(socket) => BoundAddress::Tcp(socket.local_addr()?),
            #[cfg(unix)]
            Socket::Unix(socket) => BoundAddress::Unix(socket.path().to_owned()),
        };
        Ok(Self {
            socket,
            address,
            options,
            told: Mutex::new(None),
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
                    if self.may_tell(Instant::now()) {
                        tracing::warn!(listener = %self.address, %error, "cannot take in connections");
                    }
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(BACKOFF_MAX);
                }
            }
        }
    }

    /// Whether it can be said again that connections cannot be taken in: where some can in between, that
    /// would be said hundreds of times a second.
    fn may_tell(&self, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.is_none_or(|told| now.duration_since(told) >= TELL_INTERVAL);
        if is_due {
            *told = Some(now);
        }
        is_due
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

    #[tokio::test]
    async fn localhost_has_one_port_for_all_its_addresses() {
        let address = "localhost:0".parse().unwrap();
        let listeners = Listener::bind(&address, ListenOptions::default())
            .await
            .unwrap();
        let ports = listeners.iter().map(|listener| match listener.address() {
            BoundAddress::Tcp(address) | BoundAddress::Tls(address) => address.port(),
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
    async fn trouble_is_told_now_and_then() {
        let address = "127.0.0.1:0".parse().unwrap();
        let options = ListenOptions::default();
        let listener = &Listener::bind(&address, options).await.unwrap()[0];
        let now = Instant::now();
        assert!(listener.may_tell(now));
        assert!(!listener.may_tell(now + TELL_INTERVAL / 2));
        assert!(listener.may_tell(now + TELL_INTERVAL));
        assert!(!listener.may_tell(now + TELL_INTERVAL));
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
