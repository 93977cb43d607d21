//! A stream within the process: two ends, and a bounded buffer each way.
//!
//! For connections whose bytes do not come over a socket of their own, such as long-polling over
//! HTTP: the end that a session has is a [`Stream`](crate::Stream) like any other, so that whatever
//! holds for sockets (halves, waiting, being full, being closed) holds for it.
//!
//! Deliberately absent: sharing memory between the ends. Bytes are copied, as a socket does it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most memory that an empty buffer keeps.
const KEPT_BYTES_MAX: usize = 4 << 10;

/// One end of a stream within the process.
#[derive(Debug)]
pub struct MemoryStream {
    pub(crate) reader: MemoryReader,
    pub(crate) writer: MemoryWriter,
    peer: Box<str>,
}

impl MemoryStream {
    /// Both ends. At most `bytes_max` wait in each direction; `peer` is whom both name in logs.
    #[must_use]
    pub fn pair(bytes_max: usize, peer: &str) -> (Self, Self) {
        let (one, other) = (Pipe::new(bytes_max), Pipe::new(bytes_max));
        let end = |from: &Arc<Pipe>, to: &Arc<Pipe>| Self {
            reader: MemoryReader(Arc::clone(from)),
            writer: MemoryWriter(Arc::clone(to)),
            peer: peer.into(),
        };
        (end(&one, &other), end(&other, &one))
    }

    pub(crate) fn peer(&self) -> &str {
        &self.peer
    }

    /// Waits until a read would bring something.
    pub(crate) async fn readable(&self) {
        std::future::poll_fn(|cx| self.reader.0.poll_readable(cx)).await;
    }

    /// Waits until a write would take something.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        std::future::poll_fn(|cx| self.writer.poll_writable(cx)).await
    }
}

/// The end of a pipe that is read from. Dropping it fails further writes.
#[derive(Debug)]
pub(crate) struct MemoryReader(Arc<Pipe>);

/// The end of a pipe that is written to. Dropping it ends what can be read.
#[derive(Debug)]
pub(crate) struct MemoryWriter(Arc<Pipe>);

impl MemoryReader {
    /// Reads what is there into `buf`; 0 means the end.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.state();
        if state.bytes.is_empty() && !state.is_ended {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let read = state.take(buf);
        Poll::Ready(Ok(read))
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_abandoned = true;
        state.bytes = VecDeque::new();
        wake(state.writer.take());
    }
}

impl MemoryWriter {
    /// Writes as much as there is room for.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        if state.is_abandoned || state.is_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = state.bytes_max.saturating_sub(state.bytes.len());
        let taken = room.min(bytes.len());
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.bytes.extend(&bytes[..taken]);
        wake(state.reader.take());
        Ok(taken)
    }

    /// Waits until there is room, or nobody will read any more.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state();
        let is_full = state.bytes.len() >= state.bytes_max;
        if is_full && !state.is_abandoned && !state.is_ended {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing follows what was written.
    pub(crate) fn end(&self) {
        let mut state = self.0.state();
        state.is_ended = true;
        wake(state.reader.take());
        wake(state.writer.take());
    }
}

impl Drop for MemoryWriter {
    fn drop(&mut self) {
        self.end();
    }
}

/// One direction.
#[derive(Debug)]
struct Pipe(Mutex<State>);

#[derive(Debug)]
struct State {
    bytes: VecDeque<u8>,
    bytes_max: usize,
    /// Nothing more will be written.
    is_ended: bool,
    /// Nothing more will be read.
    is_abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            bytes: VecDeque::new(),
            bytes_max: bytes_max.max(1),
            is_ended: false,
            is_abandoned: false,
            reader: None,
            writer: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.bytes.is_empty() && !state.is_ended {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

impl State {
    fn take(&mut self, buf: &mut [u8]) -> usize {
        let mut taken = 0;
        let (front, back) = self.bytes.as_slices();
        for part in [front, back] {
            let bytes = part.len().min(buf.len() - taken);
            buf[taken..taken + bytes].copy_from_slice(&part[..bytes]);
            taken += bytes;
        }
        self.bytes.drain(..taken);
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes = VecDeque::new();
        }
        wake(self.writer.take());
        taken
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl AsyncRead for MemoryStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.reader.poll_read(cx, buf.initialize_unfilled());
        read.map_ok(|read| buf.advance(read))
    }
}

impl AsyncWrite for MemoryStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.writer.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::task::ready!(self.writer.poll_writable(cx))?;
                }
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.end();
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn more_than_fits_waits_for_the_reader_and_comes_whole() {
        let (mut one, mut other) = MemoryStream::pair(100, "test");
        let sent: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let expected = sent.clone();
        let writing = tokio::spawn(async move {
            one.write_all(&sent).await.unwrap();
            one.shutdown().await.unwrap();
            one
        });
        let mut received = Vec::new();
        other.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, expected);
        // The other direction is still open.
        let mut one = writing.await.unwrap();
        other.write_all(b"back").await.unwrap();
        drop(other);
        received.clear();
        one.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"back");
    }

    #[tokio::test]
    async fn no_more_than_the_limit_waits() {
        let (one, _other) = MemoryStream::pair(10, "test");
        assert_eq!(one.writer.try_write(&[0; 8]).unwrap(), 8);
        assert_eq!(one.writer.try_write(&[0; 8]).unwrap(), 2);
        let full = one.writer.try_write(&[0]).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn writing_to_nobody_fails_also_for_those_who_wait() {
        let (mut one, other) = MemoryStream::pair(10, "test");
        let writing = tokio::spawn(async move { one.write_all(&[0; 11]).await });
        tokio::task::yield_now().await;
        drop(other);
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
