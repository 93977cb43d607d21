//! One type for the byte streams that carry frames: TCP, Unix sockets, TLS over TCP, and memory.
//!
//! Deliberately absent: buffering and framing.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use wampy_proto::auth::ChannelId;

use crate::memory::MemoryStream;
#[cfg(feature = "tls")]
use crate::tls_peer::{self, PeerCertificate};

/// A connected byte stream.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS over TCP, of either side.
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
    /// A buffer each way, within the process.
    Memory(Box<MemoryStream>),
}

impl Stream {
    /// Reads what the socket has, without waiting, into `buf`; 0 means that the peer has closed.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if nothing is there, [`io::ErrorKind::Unsupported`] for all but
    /// plain sockets (a TLS record is decrypted by whoever owns the stream: use [`AsyncRead`]), or
    /// the socket failed.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_read(buf),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_read(buf),
            #[cfg(feature = "tls")]
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Writes as much of `bytes` as the socket takes without waiting; several tasks may do so if
    /// they agree on the order.
    ///
    /// # Errors
    /// As for [`Stream::try_read`].
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_write(bytes),
            #[cfg(feature = "tls")]
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Writes as much of `slices`, one after the other, as the socket takes without waiting.
    ///
    /// # Errors
    /// As for [`Stream::try_read`].
    pub fn try_write_vectored(&self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(stream) => stream.try_write_vectored(slices),
            #[cfg(feature = "tls")]
            Self::Tls(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Memory(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Waits until the socket below has bytes, or the peer has closed.
    ///
    /// # Errors
    /// The socket failed.
    pub async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.readable().await,
            #[cfg(unix)]
            Self::Unix(stream) => stream.readable().await,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().0.readable().await,
            Self::Memory(stream) => {
                stream.readable().await;
                Ok(())
            }
        }
    }

    /// Waits until the socket below takes bytes.
    ///
    /// # Errors
    /// The socket failed.
    pub async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.writable().await,
            #[cfg(unix)]
            Self::Unix(stream) => stream.writable().await,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().0.writable().await,
            Self::Memory(stream) => stream.writable().await,
        }
    }

    /// Whether `try_read` and `try_write` work: on plain sockets.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Tcp(_) => true,
            #[cfg(unix)]
            Self::Unix(_) => true,
            #[cfg(feature = "tls")]
            Self::Tls(_) => false,
            Self::Memory(_) => false,
        }
    }

    /// What only the two ends of this connection know, for channel binding: over TLS 1.3, after its
    /// handshake; else `None`.
    #[must_use]
    pub fn channel_id(&self) -> Option<ChannelId> {
        match self {
            Self::Tcp(_) => None,
            #[cfg(unix)]
            Self::Unix(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => tls_peer::channel_id(stream),
            Self::Memory(_) => None,
        }
    }

    /// The certificate that the peer has shown in the handshake of TLS, if it has. Of a client one
    /// is only there if the router asked for it, and then an authority has signed it.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn peer_certificate(&self) -> Option<PeerCertificate> {
        match self {
            Self::Tcp(_) => None,
            #[cfg(unix)]
            Self::Unix(_) => None,
            Self::Tls(stream) => tls_peer::certificate(stream),
            Self::Memory(_) => None,
        }
    }

    /// The peer's address for logs: `127.0.0.1:54321`, or `unix` where it has none.
    #[must_use]
    pub fn peer(&self) -> String {
        let tcp_peer = |stream: &TcpStream| {
            stream
                .peer_addr()
                .map_or_else(|_| "tcp".into(), |a| a.to_string())
        };
        match self {
            Self::Tcp(stream) => tcp_peer(stream),
            #[cfg(unix)]
            Self::Unix(_) => "unix".to_owned(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => tcp_peer(stream.get_ref().0),
            Self::Memory(stream) => stream.peer().to_owned(),
        }
    }

    /// The address of the peer, where it has one.
    #[must_use]
    pub fn peer_ip(&self) -> Option<IpAddr> {
        let tcp_peer = |stream: &TcpStream| stream.peer_addr().ok().map(|address| address.ip());
        match self {
            Self::Tcp(stream) => tcp_peer(stream),
            #[cfg(unix)]
            Self::Unix(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => tcp_peer(stream.get_ref().0),
            Self::Memory(_) => None,
        }
    }
}

impl From<MemoryStream> for Stream {
    fn from(stream: MemoryStream) -> Self {
        Self::Memory(Box::new(stream))
    }
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

/// Runs `$body` with `$stream` as the pinned stream inside.
macro_rules! each {
    ($self:ident, |$stream:ident| $body:expr) => {
        match $self.get_mut() {
            Self::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $body
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                let $stream = Pin::new(stream);
                $body
            }
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                let $stream = Pin::new(&mut **stream);
                $body
            }
            Self::Memory(stream) => {
                let $stream = Pin::new(&mut **stream);
                $body
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, |stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, |stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, |stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.is_plain()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, |stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, |stream| stream.poll_shutdown(cx))
    }
}
