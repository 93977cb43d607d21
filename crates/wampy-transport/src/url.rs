//! The URLs by which a router is found.
//!
//! | URL | means | port |
//! |---|---|---|
//! | `ws://host:port/path` | WebSocket | 8080 unless given |
//! | `wss://host:port/path` | WebSocket over TLS | 443 unless given |
//! | `rs://host:port` | RawSocket | 8080 unless given |
//! | `rss://host:port` | RawSocket over TLS | 443 unless given |
//! | `http://host:port/path` | long-polling over HTTP | 8080 unless given |
//! | `https://host:port/path` | long-polling over HTTPS | 443 unless given |
//! | `unix:///path/of/socket` | RawSocket over a Unix socket | |
//! | `ws+unix:///path/of/socket` | WebSocket over a Unix socket | |
//!
//! `unix:path` and `ws+unix:path` take relative paths too. 8080 is the port on which WAMP routers
//! listen by custom; 80, HTTP's own, is hardly ever a router.
//!
//! Deliberately absent: user names and passwords (WAMP authenticates inside the session), percent
//! decoding, and internationalized host names, which have to be given in their ASCII form.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// How messages are cut out of the byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// WebSocket (RFC 6455).
    WebSocket,
    /// RawSocket.
    RawSocket,
    /// HTTP requests, one after the other. Between them and the session there are WebSocket frames
    /// without masks, in memory.
    LongPoll,
}

/// A URL scheme.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its name, in front of the colon.
    pub name: &'static str,
    /// The framing it stands for.
    pub framing: Framing,
    /// Whether the stream is TLS.
    pub tls: bool,
    /// The port unless given; `None` for Unix sockets.
    pub default_port: Option<u16>,
}

/// Every scheme. To add one that connects otherwise: a row here and a variant of [`Endpoint`].
pub const SCHEMES: [Scheme; 8] = [
    Scheme {
        name: "ws",
        framing: Framing::WebSocket,
        tls: false,
        default_port: Some(8080),
    },
    Scheme {
        name: "wss",
        framing: Framing::WebSocket,
        tls: true,
        default_port: Some(443),
    },
    Scheme {
        name: "rs",
        framing: Framing::RawSocket,
        tls: false,
        default_port: Some(8080),
    },
    Scheme {
        name: "rss",
        framing: Framing::RawSocket,
        tls: true,
        default_port: Some(443),
    },
    Scheme {
        name: "http",
        framing: Framing::LongPoll,
        tls: false,
        default_port: Some(8080),
    },
    Scheme {
        name: "https",
        framing: Framing::LongPoll,
        tls: true,
        default_port: Some(443),
    },
    Scheme {
        name: "unix",
        framing: Framing::RawSocket,
        tls: false,
        default_port: None,
    },
    Scheme {
        name: "ws+unix",
        framing: Framing::WebSocket,
        tls: false,
        default_port: None,
    },
];

/// Where the socket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A host and port.
    Tcp {
        /// A name or address, without the brackets of IPv6.
        host: String,
        /// The port, 1 to 65535.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
    },
}

/// A router's URL, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    text: String,
    scheme: &'static Scheme,
    endpoint: Endpoint,
    authority: String,
    target: String,
}

/// A URL that names no router.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is no URL of a router: {problem}")]
pub struct UrlError {
    /// What was given.
    pub url: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Url {
    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> &'static Scheme {
        self.scheme
    }

    /// Where the socket is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Host and port as HTTP's `Host` header wants them: `localhost:8080`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query of the WebSocket handshake, or the base path of long-polling; at least `/`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The URL as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        parse(text).map_err(|problem| UrlError {
            url: text.to_owned(),
            problem,
        })
    }
}

fn parse(text: &str) -> Result<Url, String> {
    let (name, rest) = text.split_once(':').ok_or_else(|| no_scheme(text))?;
    let scheme = SCHEMES
        .iter()
        .find(|scheme| scheme.name.eq_ignore_ascii_case(name))
        .ok_or_else(|| unknown_scheme(name, rest))?;
    if rest.contains('#') {
        return Err("a router's URL has no fragment (#...)".to_owned());
    }
    match scheme.default_port {
        Some(port) => parse_tcp(text, scheme, rest, port),
        None => parse_unix(text, scheme, rest),
    }
}

fn no_scheme(text: &str) -> String {
    let host = text.trim_start_matches('/');
    // What has slashes inside is a scheme gone wrong.
    let example = if host.contains("//") {
        "localhost:8080"
    } else {
        host
    };
    format!("it has no scheme; write for example ws://{example}")
}

fn unknown_scheme(name: &str, rest: &str) -> String {
    let instead = match name.to_ascii_lowercase().as_str() {
        "tcp" => "; did you mean rs (RawSocket)?",
        "tls" | "ssl" => "; did you mean rss (RawSocket over TLS)?",
        _ if !rest.starts_with("//") => "; a host and port need one in front, such as ws://",
        _ => "",
    };
    let known: Vec<_> = SCHEMES.iter().map(|scheme| scheme.name).collect();
    format!(
        "the scheme {name:?} is none of {}{instead}",
        known.join(", ")
    )
}

fn parse_tcp(
    text: &str,
    scheme: &'static Scheme,
    rest: &str,
    default_port: u16,
) -> Result<Url, String> {
    let rest = rest
        .strip_prefix("//")
        .ok_or_else(|| format!("`//` is missing after `{}:`", scheme.name))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if authority.contains('@') {
        return Err(
            "it holds a user name; give authid and secret to the client instead".to_owned(),
        );
    }
    let (host, port) = parse_authority(authority, default_port)?;
    let target = match target {
        "" => "/".to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        path => path.to_owned(),
    };
    if scheme.framing == Framing::RawSocket && target != "/" {
        return Err(format!("a RawSocket has no path, but {target:?} is given"));
    }
    if let Some(odd) = target.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!("the path holds {odd:?}; write it percent-encoded"));
    }
    let bracketed = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    Ok(Url {
        text: text.to_owned(),
        scheme,
        endpoint: Endpoint::Tcp { host, port },
        authority: format!("{bracketed}:{port}"),
        target,
    })
}

/// Host and port of `authority`, which is what stands between `//` and the path.
fn parse_authority(authority: &str, default_port: u16) -> Result<(String, u16), String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6
                .split_once(']')
                .ok_or("the address in brackets has no closing bracket")?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| format!("{host:?} is no IPv6 address"))?;
            match port.strip_prefix(':') {
                None if !port.is_empty() => return Err(format!("{port:?} follows the address")),
                port => (host, port),
            }
        }
        None => match authority.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err(format!("write the IPv6 address in brackets: [{authority}]"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    if let Some(odd) = host.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(format!("the host holds {odd:?}"));
    }
    let port = match port {
        None => default_port,
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("the port {port:?} is not a number from 1 to 65535")),
        },
    };
    Ok((host.to_owned(), port))
}

fn parse_unix(text: &str, scheme: &'static Scheme, rest: &str) -> Result<Url, String> {
    if !cfg!(unix) {
        return Err("this system has no Unix sockets".to_owned());
    }
    let path = match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        Some(path) => {
            return Err(format!(
                "a Unix socket has no host; write {}:///{path} or {0}:{path}",
                scheme.name
            ));
        }
        None => rest,
    };
    if path.is_empty() || path.ends_with('/') {
        return Err(format!("{path:?} is no path of a socket"));
    }
    Ok(Url {
        text: text.to_owned(),
        scheme,
        endpoint: Endpoint::Unix {
            path: Path::new(path).to_owned(),
        },
        authority: "localhost".to_owned(),
        target: "/".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        text.parse::<Url>().unwrap_err().problem
    }

    #[test]
    fn hosts_ports_and_paths() {
        for (text, host, port, target, authority) in [
            ("ws://localhost", "localhost", 8080, "/", "localhost:8080"),
            (
                "ws://localhost:8080/ws?a=b",
                "localhost",
                8080,
                "/ws?a=b",
                "localhost:8080",
            ),
            (
                "WSS://example.com?x",
                "example.com",
                443,
                "/?x",
                "example.com:443",
            ),
            ("rs://[::1]:7000/", "::1", 7000, "/", "[::1]:7000"),
            ("rss://10.0.0.1", "10.0.0.1", 443, "/", "10.0.0.1:443"),
            ("http://a/lp", "a", 8080, "/lp", "a:8080"),
            ("https://a", "a", 443, "/", "a:443"),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(
                *url.endpoint(),
                Endpoint::Tcp {
                    host: host.into(),
                    port
                },
                "{text}"
            );
            assert_eq!(
                (url.target(), url.authority()),
                (target, authority),
                "{text}"
            );
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn unix_sockets() {
        for (text, path, framing) in [
            (
                "unix:///run/wampy.sock",
                "/run/wampy.sock",
                Framing::RawSocket,
            ),
            (
                "unix:/run/wampy.sock",
                "/run/wampy.sock",
                Framing::RawSocket,
            ),
            ("unix:wampy.sock", "wampy.sock", Framing::RawSocket),
            (
                "ws+unix:///run/wampy.sock",
                "/run/wampy.sock",
                Framing::WebSocket,
            ),
        ] {
            let url: Url = text.parse().unwrap();
            assert_eq!(*url.endpoint(), Endpoint::Unix { path: path.into() });
            assert_eq!(url.scheme().framing, framing);
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        for (text, expected) in [
            ("localhost", "no scheme"),
            ("localhost:8080", "a host and port need one in front"),
            ("tcp://localhost", "did you mean rs"),
            (
                "mqtt://localhost",
                "none of ws, wss, rs, rss, http, https, unix, ws+unix",
            ),
            ("ws:localhost", "`//` is missing"),
            ("ws://", "host is missing"),
            ("ws://:8080/", "host is missing"),
            ("ws://localhost:0/", "port \"0\""),
            ("ws://localhost:99999", "port \"99999\""),
            ("ws://localhost:http", "port \"http\""),
            ("ws://::1:8080", "brackets"),
            ("ws://[::1", "closing bracket"),
            ("ws://[::1]8080", "follows the address"),
            ("ws://[example]:1", "no IPv6 address"),
            ("ws://user:secret@localhost", "user name"),
            ("ws://localhost/#top", "fragment"),
            ("ws://localhost/a b", "percent-encoded"),
            ("rs://localhost/ws", "no path"),
            ("unix://run/wampy.sock", "no host"),
            ("unix:", "no path of a socket"),
        ] {
            let problem = problem(text);
            assert!(problem.contains(expected), "{text}: {problem}");
        }
    }
}
