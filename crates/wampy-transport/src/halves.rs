//! A stream as two halves: one task reads, whoever has something to say writes.
//!
//! A router's connection task owns the [`ReadHalf`]. The [`WriteHalf`] is shared: the task that
//! routed a message to a session writes it at once, without waiting; what the socket does not take
//! is left to the connection's own task, the only one that waits.
//!
//! Deliberately absent: buffering, agreeing on who writes now, and how TLS is shared by the halves
//! (that is `tls_halves`).

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::{Pin, pin};
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, ReadBuf};
use tokio::net::tcp;
#[cfg(unix)]
use tokio::net::unix;

use crate::memory::{MemoryReader, MemoryStream, MemoryWriter};
use crate::stream::Stream;
#[cfg(feature = "tls")]
use crate::tls_halves::TlsHalves;

/// How much is read into a slice at once.
const SLICE_BYTES: usize = 64 << 10;

/// The reading half.
#[derive(Debug)]
pub struct ReadHalf(Read);

#[derive(Debug)]
enum Read {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
    #[cfg(feature = "tls")]
    Tls(Arc<TlsHalves>),
    Memory(MemoryReader),
}

/// The writing half. Dropping it ends what the peer can read; with TLS, dropping both does.
#[derive(Debug)]
pub struct WriteHalf(Write);

#[derive(Debug)]
enum Write {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
    #[cfg(feature = "tls")]
    Tls(Arc<TlsHalves>),
    Memory(MemoryWriter),
}

impl Stream {
    /// Takes the stream apart.
    #[must_use]
    pub fn into_halves(self) -> (ReadHalf, WriteHalf) {
        match self {
            Self::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf(Read::Tcp(read)), WriteHalf(Write::Tcp(write)))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                let (read, write) = stream.into_split();
                (ReadHalf(Read::Unix(read)), WriteHalf(Write::Unix(write)))
            }
            #[cfg(feature = "tls")]
            Self::Tls(stream) => {
                let read = Arc::new(TlsHalves::new(*stream));
                let write = Arc::clone(&read);
                (ReadHalf(Read::Tls(read)), WriteHalf(Write::Tls(write)))
            }
            Self::Memory(stream) => {
                let MemoryStream { reader, writer, .. } = *stream;
                (
                    ReadHalf(Read::Memory(reader)),
                    WriteHalf(Write::Memory(writer)),
                )
            }
        }
    }
}

impl ReadHalf {
    /// Reads what the socket has into `buf`, at most its length; 0 means that the peer has closed.
    ///
    /// # Errors
    /// The socket failed.
    #[inline]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        let read = match &mut self.0 {
            Read::Tcp(half) => Pin::new(half).poll_read(cx, &mut buf),
            #[cfg(unix)]
            Read::Unix(half) => Pin::new(half).poll_read(cx, &mut buf),
            #[cfg(feature = "tls")]
            Read::Tls(half) => return half.poll_read(cx, buf.initialize_unfilled()),
            Read::Memory(half) => return half.poll_read(cx, buf.initialize_unfilled()),
        };
        read.map_ok(|()| buf.filled().len())
    }
}

impl ReadHalf {
    /// Reads what the socket has to the end of `buf`, within its capacity, which must have room; 0
    /// means that the peer has closed.
    ///
    /// # Errors
    /// The socket failed.
    pub fn poll_append(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut Vec<u8>,
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Read::Tcp(half) => pin!(half.read_buf(buf)).poll(cx),
            #[cfg(unix)]
            Read::Unix(half) => pin!(half.read_buf(buf)).poll(cx),
            #[cfg(feature = "tls")]
            Read::Tls(half) => append(buf, |room| half.poll_read(cx, room)),
            Read::Memory(half) => append(buf, |room| half.poll_read(cx, room)),
        }
    }
}

/// Appends what `read` brings, within the capacity of `buf`, for those who read into slices only.
fn append(
    buf: &mut Vec<u8>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<usize>> {
    let len = buf.len();
    buf.resize(buf.capacity().min(len + SLICE_BYTES), 0);
    let read = read(&mut buf[len..]);
    let filled = match &read {
        Poll::Ready(Ok(filled)) => *filled,
        _ => 0,
    };
    buf.truncate(len + filled);
    read
}

impl WriteHalf {
    /// Writes as much of `bytes` as the socket takes without waiting. TLS may hold some of it back:
    /// [`try_flush`](Self::try_flush) has to follow.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it takes nothing now, or the socket failed.
    #[inline]
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Write::Tcp(half) => half.try_write(bytes),
            #[cfg(unix)]
            Write::Unix(half) => half.try_write(bytes),
            #[cfg(feature = "tls")]
            Write::Tls(half) => half.try_write(bytes),
            Write::Memory(half) => half.try_write(bytes),
        }
    }

    /// The same for bytes in several places: one system call for all where there is one.
    ///
    /// # Errors
    /// As for [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.0 {
            Write::Tcp(half) => half.try_write_vectored(slices),
            #[cfg(unix)]
            Write::Unix(half) => half.try_write_vectored(slices),
            // Without a system call of their own, one after the other costs nothing.
            #[cfg(feature = "tls")]
            Write::Tls(_) => self.try_write(first_of(slices)),
            Write::Memory(_) => self.try_write(first_of(slices)),
        }
    }

    /// Writes what an earlier [`try_write`](Self::try_write) has taken and held back.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if the socket does not take all of it now, or it failed.
    #[inline]
    pub fn try_flush(&self) -> io::Result<()> {
        match &self.0 {
            Write::Tcp(_) => Ok(()),
            #[cfg(unix)]
            Write::Unix(_) => Ok(()),
            #[cfg(feature = "tls")]
            Write::Tls(half) => half.try_flush(),
            Write::Memory(_) => Ok(()),
        }
    }

    /// Waits until the socket takes bytes. Only one task may wait.
    ///
    /// # Errors
    /// The socket failed.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.0 {
            Write::Tcp(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(unix)]
            Write::Unix(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(feature = "tls")]
            Write::Tls(half) => half.socket().poll_write_ready(cx),
            Write::Memory(half) => half.poll_writable(cx),
        }
    }

    /// Tells the peer that nothing more comes, after all that was written. TLS says so itself first.
    pub fn shut_down(&self) {
        // A socket that is not connected any more has nothing to tell.
        let _ = match &self.0 {
            Write::Tcp(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Write::Unix(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
            #[cfg(feature = "tls")]
            Write::Tls(half) => {
                half.close();
                SockRef::from(half.socket()).shutdown(Shutdown::Write)
            }
            Write::Memory(half) => {
                half.end();
                Ok(())
            }
        };
    }
}

/// The first slice that is not empty, if there is one.
fn first_of<'a>(slices: &'a [IoSlice<'_>]) -> &'a [u8] {
    let first = slices.iter().find(|slice| !slice.is_empty());
    first.map_or(&[], |slice| slice)
}
