//! What a client may say of how to connect.
//!
//! Deliberately absent: connecting (`connect.rs`), and the router's side (`accept.rs`).

use std::time::Duration;

use wampy_proto::Serializer;

use crate::cookies::CookieJar;
use crate::tcp::IpVersion;
#[cfg(feature = "tls")]
use crate::tls::TlsOptions;
use crate::url::Url;

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// The serializers to offer, the preferred first. Default all: MessagePack, CBOR, JSON.
    pub serializers: Vec<Serializer>,
    /// The largest message accepted from the router. Default 16 MiB, which is also the most that
    /// RawSocket can carry; RawSocket announces the largest power of two that fits.
    pub message_bytes_max: usize,
    /// Whether to ask for compression (RFC 7692) over WebSocket. Not by default.
    pub compress: bool,
    /// Whether to prefer batches: over WebSocket, messages that are sent together share frames, over
    /// long-polling requests. Not by default.
    pub batched: bool,
    /// Further headers of the WebSocket handshake, or of all requests of long-polling, such as `Origin` or `Cookie`.
    pub headers: Vec<(String, String)>,
    /// The cookies that routers get and set, over WebSocket and long-polling. Not by default. A `Cookie`
    /// among the headers counts instead of what is in here.
    pub cookies: Option<CookieJar>,
    /// How long connecting may take, with all handshakes. Default 10 s.
    pub timeout: Duration,
    /// The only version of IP to use; `None` for all addresses of the host.
    pub ip_version: Option<IpVersion>,
    /// How long a TCP connection may be idle before the system probes the peer; the probes repeat
    /// at the same interval. Default 30 s; `None` for no probes.
    pub tcp_keepalive: Option<Duration>,
    /// Whom to trust for `wss` and `rss`, and who to be.
    #[cfg(feature = "tls")]
    pub tls: TlsOptions,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            serializers: Serializer::ALL.to_vec(),
            message_bytes_max: 16 << 20,
            compress: false,
            batched: false,
            headers: Vec::new(),
            cookies: None,
            timeout: Duration::from_secs(10),
            ip_version: None,
            tcp_keepalive: Some(Duration::from_secs(30)),
            #[cfg(feature = "tls")]
            tls: TlsOptions::default(),
        }
    }
}

impl ConnectOptions {
    /// The header `Cookie` for the router at `url`, if it is to get one.
    pub(crate) fn cookie(&self, url: &Url) -> Option<String> {
        let mut given = self.headers.iter();
        let is_given = given.any(|(name, _)| name.eq_ignore_ascii_case("Cookie"));
        let jar = self.cookies.as_ref().filter(|_| !is_given)?;
        jar.for_url(url)
    }

    /// The WebSocket subprotocols to offer, the preferred first.
    pub(crate) fn subprotocols(&self) -> Vec<&'static str> {
        let rows = || self.serializers.iter().map(|it| it.row());
        let batched = rows().map(|row| row.batched_subprotocol);
        let preferred = batched.filter(|_| self.batched);
        preferred.chain(rows().map(|row| row.subprotocol)).collect()
    }
}
