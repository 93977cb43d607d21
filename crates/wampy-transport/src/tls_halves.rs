//! One TLS connection under two halves: the reading task decrypts, whoever routes encrypts.
//!
//! Both sides change one state, so one lock is around it. It is held for as long as a few records
//! are encrypted or decrypted and offered to the socket, and never while anybody waits. What the
//! socket does not take of the ciphertext stays here, at most [`CIPHERTEXT_BYTES_MAX`] and the
//! records' own overhead.
//!
//! Deliberately absent: handshakes (those are `tls` and `tls_server`); a stream comes here after its
//! own.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustls::Connection;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

/// The most bytes that are encrypted while the socket takes none. More are not taken from the
/// writer, who then waits.
const CIPHERTEXT_BYTES_MAX: usize = 64 << 10;
/// How often the socket is read before other tasks have their turn: rustls reads 4 KiB at once.
const READS_MAX: usize = 16;

/// A TLS connection over TCP after its handshake.
#[derive(Debug)]
pub(crate) struct TlsHalves {
    socket: TcpStream,
    tls: Mutex<Connection>,
}

impl TlsHalves {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (socket, mut tls): (_, Connection) = match stream {
            TlsStream::Server(stream) => {
                let (socket, tls) = stream.into_inner();
                (socket, tls.into())
            }
            TlsStream::Client(stream) => {
                let (socket, tls) = stream.into_inner();
                (socket, tls.into())
            }
        };
        tls.set_buffer_limit(Some(CIPHERTEXT_BYTES_MAX));
        Self {
            socket,
            tls: Mutex::new(tls),
        }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn tls(&self) -> MutexGuard<'_, Connection> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what has come into `buf`; 0 means that the peer has closed, whether or not TLS said so:
    /// a message that was cut short shows in its framing.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut filled = 0;
        for _ in 0..READS_MAX {
            match self.try_read(&mut buf[filled..]) {
                Ok(Progress::Plaintext(0)) => return Poll::Ready(Ok(filled)),
                Ok(Progress::Plaintext(read)) => filled += read,
                Ok(Progress::Ciphertext) => {}
                // What has been read comes first; the next read meets the error again.
                Err(_) if filled > 0 => return Poll::Ready(Ok(filled)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.socket.poll_read_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
            if filled == buf.len() {
                break;
            }
        }
        if filled > 0 {
            return Poll::Ready(Ok(filled));
        }
        // Many records without content, or a large one in small pieces.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// One step of reading, without waiting.
    fn try_read(&self, buf: &mut [u8]) -> io::Result<Progress> {
        let mut tls = self.tls();
        match tls.reader().read(buf) {
            Ok(read) => return Ok(Progress::Plaintext(read)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Progress::Plaintext(0));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        tls.read_tls(&mut Socket(&self.socket))?;
        if let Err(error) = tls.process_new_packets() {
            // An alert says what was wrong; a peer that does not take it at once never hears it.
            let _ = self.drain(&mut tls);
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(Progress::Ciphertext)
    }

    /// Encrypts bytes of `bytes`, and writes as much ciphertext as the socket takes: how many bytes
    /// were encrypted.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut tls = self.tls();
        self.drain(&mut tls)?;
        let taken = tls.writer().write(bytes)?;
        match self.drain(&mut tls) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(taken),
        }
    }

    /// Writes the ciphertext that is left.
    pub(crate) fn try_flush(&self) -> io::Result<()> {
        self.drain(&mut self.tls())
    }

    /// Says `close_notify`, as far as the socket takes it now.
    pub(crate) fn close(&self) {
        let mut tls = self.tls();
        tls.send_close_notify();
        // A peer that takes nothing more has to do without.
        let _ = self.drain(&mut tls);
    }

    fn drain(&self, tls: &mut Connection) -> io::Result<()> {
        while tls.wants_write() {
            if tls.write_tls(&mut Socket(&self.socket))? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

/// What one step of reading brought.
enum Progress {
    /// Bytes for the reader; none at the end.
    Plaintext(usize),
    /// Bytes that TLS has taken in.
    Ciphertext,
}

/// The socket as rustls wants it: without waiting.
struct Socket<'a>(&'a TcpStream);

impl io::Read for Socket<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

impl io::Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
