//! From a URL to a stream of bytes: a TCP connection, with TLS or without, or a Unix socket.
//!
//! Deliberately absent: what is said on the stream first (`opening.rs`, `longpoll`).

#[cfg(unix)]
use tokio::net::UnixStream;

use crate::connect_options::ConnectOptions;
use crate::error::ConnectProblem;
use crate::stream::Stream;
use crate::tcp;
use crate::url::{Endpoint, Framing, Url};

/// Connects to the endpoint of `url`, with TLS where its scheme says so.
pub(crate) async fn dial(url: &Url, options: &ConnectOptions) -> Result<Stream, ConnectProblem> {
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
