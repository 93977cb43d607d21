//! A bounded queue from the task that reads the socket to one reader of this program.
//!
//! The reading task never waits: whoever pushes decides what happens when the queue is full.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::limits::Limits;

/// The queue; cheap to clone.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    inner: Arc<Mutex<Inner<T>>>,
    items_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    dropped: u64,
    ended: bool,
    reader: Option<Waker>,
}

/// The queue is full.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            ..*self
        }
    }
}

impl<T> Queue<T> {
    pub(crate) fn new(limits: &Limits) -> Self {
        let inner = Inner {
            items: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            ended: false,
            reader: None,
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            items_max: limits.queue_events_max.max(1),
            bytes_max: limits.queue_bytes_max,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item of `bytes`; if the queue is full, the oldest items make room.
    pub(crate) fn push_dropping_oldest(&self, item: T, bytes: usize) {
        let mut inner = self.lock();
        while self.is_full(&inner, bytes) {
            let Some((_, dropped_bytes)) = inner.items.pop_front() else {
                break;
            };
            inner.bytes -= dropped_bytes;
            inner.dropped += 1;
        }
        inner.push(item, bytes);
    }

    /// Adds an item of `bytes`, unless the queue is full.
    pub(crate) fn push(&self, item: T, bytes: usize) -> Result<(), Full> {
        let mut inner = self.lock();
        if self.is_full(&inner, bytes) {
            return Err(Full);
        }
        inner.push(item, bytes);
        Ok(())
    }

    /// Adds the last item, even to a full queue.
    pub(crate) fn push_last(&self, item: T) {
        let mut inner = self.lock();
        inner.push(item, 0);
        inner.end();
    }

    /// A single item may exceed the bytes on its own: it was within the limit of a message.
    fn is_full(&self, inner: &Inner<T>, bytes: usize) -> bool {
        !inner.items.is_empty()
            && (inner.items.len() >= self.items_max || inner.bytes + bytes > self.bytes_max)
    }

    /// No more items will come.
    pub(crate) fn end(&self) {
        self.lock().end();
    }

    /// Nobody reads any more: what waits is dropped, and what comes counts for nothing.
    pub(crate) fn discard(&self) {
        let mut inner = self.lock();
        inner.end();
        inner.bytes = 0;
        let unread = std::mem::take(&mut inner.items);
        drop(inner);
        drop(unread);
    }

    /// How many items were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// The next item, or `None` after the last.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inner = self.lock();
        if let Some((item, bytes)) = inner.items.pop_front() {
            inner.bytes -= bytes;
            return Poll::Ready(Some(item));
        }
        if inner.ended {
            return Poll::Ready(None);
        }
        inner.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl<T> Inner<T> {
    fn push(&mut self, item: T, bytes: usize) {
        if self.ended {
            return;
        }
        self.items.push_back((item, bytes));
        self.bytes += bytes;
        self.wake();
    }

    fn end(&mut self) {
        self.ended = true;
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    fn queue(items: usize, bytes: usize) -> Queue<u32> {
        let limits = Limits {
            queue_events_max: items,
            queue_bytes_max: bytes,
            ..Limits::default()
        };
        Queue::new(&limits)
    }

    #[tokio::test]
    async fn the_oldest_items_make_room_and_are_counted() {
        let queue = queue(3, 100);
        for item in 0..5 {
            queue.push_dropping_oldest(item, 10);
        }
        assert_eq!(queue.dropped(), 2);
        queue.push_dropping_oldest(5, 85);
        assert_eq!(queue.dropped(), 4);
        queue.end();
        let mut left = Vec::new();
        while let Some(item) = poll_fn(|cx| queue.poll_next(cx)).await {
            left.push(item);
        }
        assert_eq!(left, [4, 5]);
    }

    #[tokio::test]
    async fn what_comes_when_nobody_reads_any_more_counts_for_nothing() {
        let queue = queue(1, 100);
        assert_eq!(queue.push(1, 10), Ok(()));
        queue.discard();
        assert_eq!(queue.push(2, 10), Ok(()));
        assert_eq!(queue.push(3, 10), Ok(()));
        assert_eq!(poll_fn(|cx| queue.poll_next(cx)).await, None);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_but_takes_the_last_item() {
        let queue = queue(2, 100);
        assert_eq!(
            queue.push(1, 200),
            Ok(()),
            "one item may be larger than the limit"
        );
        assert_eq!(queue.push(2, 1), Err(Full));
        queue.push_last(3);
        assert_eq!(queue.push(4, 1), Err(Full));
        assert_eq!(poll_fn(|cx| queue.poll_next(cx)).await, Some(1));
        assert_eq!(poll_fn(|cx| queue.poll_next(cx)).await, Some(3));
        assert_eq!(poll_fn(|cx| queue.poll_next(cx)).await, None);
    }
}
