//! Where a router listens, as text: what is asked for, and what it got.
//!
//! Deliberately absent: sockets (those are [`crate::listener`]).

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a router is told to listen: `HOST:PORT`, `plain:HOST:PORT` or `unix:PATH`.
///
/// `localhost` means 127.0.0.1 and, where there is one, ::1, both with the same port. Port 0 picks
/// a free one. `[::]:PORT` takes IPv4 too where the operating system does so by default. A router
/// with a certificate speaks TLS on TCP ports, except where `plain:` says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A host name or address, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port; 0 for a free one.
        port: u16,
        /// Whether TLS is not spoken here in any case.
        always_plain: bool,
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
        let (address, always_plain) = match text.strip_prefix("plain:") {
            Some(address) => (address, true),
            None => (text, false),
        };
        let (host, port) = address
            .rsplit_once(':')
            .ok_or_else(|| error("expected HOST:PORT, plain:HOST:PORT or unix:PATH"))?;
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
                always_plain,
            }),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp {
                host,
                port,
                always_plain,
            } => {
                let plain = if *always_plain { "plain:" } else { "" };
                match host.contains(':') {
                    true => write!(f, "{plain}[{host}]:{port}"),
                    false => write!(f, "{plain}{host}:{port}"),
                }
            }
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where a listener really listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundAddress {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A TCP address at which TLS is spoken.
    Tls(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for BoundAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) | Self::Tls(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
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
            "plain:localhost:8080",
            "plain:[::1]:0",
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
            "plain:",
            "plain:unix:/run/x.sock",
        ] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text:?}");
        }
    }
}
