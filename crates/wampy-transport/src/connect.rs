//! From a URL to a connection on which messages can be exchanged.

use std::time::Duration;

#[cfg(unix)]
use tokio::net::UnixStream;
use wampy_proto::Serializer;
use wampy_proto::framing::rawsocket::{Refusal, ReplyError};
use wampy_proto::framing::{Decoder, Encoder};

use crate::cookies::CookieJar;
use crate::error::{ConnectError, ConnectProblem};
use crate::stream::Stream;
use crate::tcp::{self, IpVersion};
#[cfg(feature = "tls")]
use crate::tls::TlsOptions;
use crate::url::{Endpoint, Framing, Url};
use crate::{longpoll, opening};

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

/// A connection after its opening handshake.
#[derive(Debug)]
pub struct Connection {
    /// The bytes.
    pub stream: Stream,
    /// Reads frames. Whether text is UTF-8 it mostly leaves to who reads the JSON, and has to fail the
    /// connection with [`InvalidUtf8`](wampy_proto::framing::FramingError::InvalidUtf8).
    pub decoder: Decoder,
    /// Writes frames.
    pub encoder: Encoder,
    /// The serializer agreed upon.
    pub serializer: Serializer,
    /// Bytes that came behind the handshake; they are frames.
    pub received: Vec<u8>,
}

/// Connects to the router at `url`.
///
/// A RawSocket can ask for only one serializer: where the router refuses it, the next one is asked
/// for over a new connection.
///
/// # Errors
/// [`ConnectError`] says what stood in the way.
pub async fn connect(url: &Url, options: &ConnectOptions) -> Result<Connection, ConnectError> {
    let attempt = tokio::time::timeout(options.timeout, connect_and_open(url, options));
    let timeout = ConnectProblem::Timeout {
        after: options.timeout,
    };
    attempt
        .await
        .unwrap_or(Err(timeout))
        .map_err(|problem| ConnectError {
            url: url.to_string(),
            problem,
        })
}

async fn connect_and_open(
    url: &Url,
    options: &ConnectOptions,
) -> Result<Connection, ConnectProblem> {
    match url.scheme().framing {
        Framing::WebSocket => {
            let stream = open_stream(url, options).await?;
            opening::websocket(stream, url, options).await
        }
        Framing::LongPoll => longpoll::open(url, options).await,
        Framing::RawSocket => open_rawsocket(url, options).await,
    }
}

/// Asks for one serializer after the other.
async fn open_rawsocket(url: &Url, options: &ConnectOptions) -> Result<Connection, ConnectProblem> {
    let mut refusal = ConnectProblem::NoSerializer;
    for &serializer in &options.serializers {
        let stream = open_stream(url, options).await?;
        match opening::rawsocket(stream, serializer, options).await {
            Err(
                problem @ ConnectProblem::RawSocket(ReplyError::Refused(
                    Refusal::SerializerUnsupported,
                )),
            ) => refusal = problem,
            outcome => return outcome,
        }
    }
    Err(refusal)
}

pub(crate) async fn open_stream(
    url: &Url,
    options: &ConnectOptions,
) -> Result<Stream, ConnectProblem> {
    match url.endpoint() {
        Endpoint::Tcp { host, port } => {
            let stream =
                tcp::connect(host, *port, options.ip_version, options.tcp_keepalive).await?;
            match url.scheme().tls {
                false => Ok(stream.into()),
                true => secure(stream, host, url.scheme().framing, options).await,
            }
        }
        #[cfg(unix)]
        Endpoint::Unix { path } => match UnixStream::connect(path).await {
            Ok(stream) => Ok(stream.into()),
            Err(source) => Err(ConnectProblem::Unreachable {
                tried: path.display().to_string(),
                source,
            }),
        },
        #[cfg(not(unix))]
        Endpoint::Unix { .. } => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
    }
}

#[cfg(feature = "tls")]
async fn secure(
    stream: tokio::net::TcpStream,
    host: &str,
    framing: Framing,
    options: &ConnectOptions,
) -> Result<Stream, ConnectProblem> {
    let stream = crate::tls::connect(stream, host, framing, &options.tls).await?;
    Ok(Stream::Tls(Box::new(stream)))
}

#[cfg(not(feature = "tls"))]
async fn secure(
    _stream: tokio::net::TcpStream,
    _host: &str,
    _framing: Framing,
    _options: &ConnectOptions,
) -> Result<Stream, ConnectProblem> {
    Err(ConnectProblem::NoTls)
}
