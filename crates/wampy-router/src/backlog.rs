//! How much waits for all sessions together that do not read, and who has to go when it is too much.
//!
//! Only what a socket did not take is counted: what is about to be written is short-lived, and
//! counting it would have all connections change one number with every message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What waits for all sessions of a router.
#[derive(Debug)]
pub(crate) struct Backlog {
    bytes: AtomicUsize,
    bytes_max: usize,
    /// As much as each session could have if all had the same.
    share_bytes: AtomicUsize,
}

impl Backlog {
    pub(crate) fn new(bytes_max: usize, connections_max: usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            bytes_max,
            share_bytes: AtomicUsize::new(share(bytes_max, connections_max)),
        }
    }

    /// There may be as many sessions now.
    pub(crate) fn set_connections_max(&self, connections_max: usize) {
        let share = share(self.bytes_max, connections_max);
        self.share_bytes.store(share, Ordering::Relaxed);
    }
}

fn share(bytes_max: usize, connections_max: usize) -> usize {
    bytes_max / connections_max.max(1)
}

/// One session's part of the backlog; dropping it takes it out.
#[derive(Debug)]
pub(crate) struct Part {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Part {
    pub(crate) fn new(backlog: &Arc<Backlog>) -> Self {
        Self {
            backlog: Arc::clone(backlog),
            bytes: 0,
        }
    }

    /// Sets how much waits for this session. False if that is too much: more than its even share
    /// while all together have more than they may. As nobody who has less than that has to go, at
    /// most twice as much as allowed waits at any time.
    pub(crate) fn set(&mut self, bytes: usize) -> bool {
        let total = &self.backlog.bytes;
        let all = if bytes >= self.bytes {
            let more = bytes - self.bytes;
            total.fetch_add(more, Ordering::Relaxed) + more
        } else {
            let less = self.bytes - bytes;
            total.fetch_sub(less, Ordering::Relaxed) - less
        };
        self.bytes = bytes;
        all <= self.backlog.bytes_max || bytes <= self.backlog.share_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_more_than_their_share_have_to_go_first() {
        let backlog = Arc::new(Backlog::new(1000, 10));
        let (mut large, mut small) = (Part::new(&backlog), Part::new(&backlog));
        assert!(large.set(950));
        assert!(small.set(100), "it has no more than its share");
        assert!(!small.set(101));
        assert!(!large.set(951));
        backlog.set_connections_max(20);
        assert!(!small.set(100), "shares are smaller for twice as many");
        assert!(small.set(50));
        drop(large);
        assert!(small.set(1000));
        assert!(small.set(0));
        assert_eq!(backlog.bytes.load(Ordering::Relaxed), 0);
    }
}
