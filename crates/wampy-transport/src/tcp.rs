//! TCP connections to a host of several addresses.
//!
//! `localhost` is often both `::1` and `127.0.0.1` while a router listens on one of them, and the
//! first address of a host may swallow packets. So every address gets its attempt, each a little
//! after the one before or as soon as that has failed, and the first connection wins (the idea of
//! RFC 8305).

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;

use crate::error::ConnectProblem;

/// How long an attempt may take before the next address is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// The most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 16;

/// A version of the Internet Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpVersion {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl IpVersion {
    fn matches(self, address: &SocketAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Connects to `host`, trying all its addresses. The socket sends small frames at once, and probes
/// an idle peer after `keepalive`.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    version: Option<IpVersion>,
    keepalive: Option<Duration>,
) -> Result<TcpStream, ConnectProblem> {
    let no_address = |source| ConnectProblem::NoAddress {
        host: host.to_owned(),
        source,
    };
    let addresses: VecDeque<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(no_address)?
        .filter(|address| version.is_none_or(|version| version.matches(address)))
        .take(ADDRESSES_MAX)
        .collect();
    if addresses.is_empty() {
        let wanted = version.map_or("IP", IpVersion::as_str);
        return Err(no_address(io::Error::other(format!("none is of {wanted}"))));
    }
    let tried = addresses
        .iter()
        .map(SocketAddr::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let stream = race(addresses)
        .await
        .map_err(|source| ConnectProblem::Unreachable { tried, source })?;
    stream.set_nodelay(true)?;
    if let Some(idle) = keepalive {
        let probes = TcpKeepalive::new().with_time(idle).with_interval(idle);
        SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    }
    Ok(stream)
}

async fn race(mut addresses: VecDeque<SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut last_error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = addresses.pop_front() {
            attempts.spawn(TcpStream::connect(address));
        } else if attempts.is_empty() {
            return Err(last_error);
        }
        let outcome = match addresses.is_empty() {
            true => attempts.join_next().await,
            false => match tokio::time::timeout(ATTEMPT_DELAY, attempts.join_next()).await {
                Ok(outcome) => outcome,
                Err(_) => continue,
            },
        };
        match outcome {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => last_error = error,
            Some(Err(join_error)) => last_error = io::Error::other(join_error),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_next_address_is_tried_when_one_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let refusing = free.local_addr().unwrap();
        drop(free);
        let stream = race(VecDeque::from([refusing, open])).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        let error = race(VecDeque::from([refusing])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_refusal_names_the_addresses_tried() {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let error = connect("localhost", port, None, None)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
        assert!(error.contains("refused"), "{error}");
    }

    #[tokio::test]
    async fn addresses_of_the_other_version_are_left_out() {
        let error = connect("127.0.0.1", 1, Some(IpVersion::V6), None)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("none is of IPv6"), "{error}");
    }
}
