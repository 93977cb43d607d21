//! A stream socket, TCP or Unix: blocking while it joins, non-blocking in the load loop.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use mio::event::Source;
use mio::{Interest, Registry, Token};

use crate::target::Address;

/// A connected stream that blocks.
#[derive(Debug)]
pub enum Blocking {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Blocking {
    /// Connects; reads and writes give up after `timeout`.
    pub fn connect(address: &Address, timeout: Duration) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Ok(Self::Tcp(stream))
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Ok(Self::Unix(stream))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The same connection for a readiness loop.
    pub fn into_ready(self) -> io::Result<Ready> {
        match self {
            Self::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Ready::Tcp(mio::net::TcpStream::from_std(stream)))
            }
            #[cfg(unix)]
            Self::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Ok(Ready::Unix(mio::net::UnixStream::from_std(stream)))
            }
        }
    }
}

/// A connected stream that does not block.
#[derive(Debug)]
pub enum Ready {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

/// Passes a call on to whichever stream it is.
macro_rules! either {
    ($kind:ident, $socket:expr, $stream:ident => $call:expr) => {
        match $socket {
            $kind::Tcp($stream) => $call,
            #[cfg(unix)]
            $kind::Unix($stream) => $call,
        }
    };
}

impl Read for Blocking {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        either!(Blocking, self, stream => stream.read(room))
    }
}

impl Write for Blocking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        either!(Blocking, self, stream => stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        either!(Blocking, self, stream => stream.flush())
    }
}

impl Read for Ready {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        either!(Ready, self, stream => stream.read(room))
    }
}

impl Write for Ready {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        either!(Ready, self, stream => stream.write(bytes))
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        either!(Ready, self, stream => stream.write_vectored(pieces))
    }

    fn flush(&mut self) -> io::Result<()> {
        either!(Ready, self, stream => stream.flush())
    }
}

impl Source for Ready {
    fn register(&mut self, registry: &Registry, token: Token, to: Interest) -> io::Result<()> {
        either!(Ready, self, stream => stream.register(registry, token, to))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, to: Interest) -> io::Result<()> {
        either!(Ready, self, stream => stream.reregister(registry, token, to))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        either!(Ready, self, stream => stream.deregister(registry))
    }
}
