//! How the network thread calls a loop of Python: a list of whose turn it is, and a byte in a pipe.
//!
//! Deliberately absent: Python, and limits. Each operation is noted once until it is looked at, so
//! the list is as short as the table of operations.

use std::collections::VecDeque;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;

use crate::locks::lock;

/// Tells a loop of Python whose turn it is.
pub struct Bell {
    /// While there are any, one byte is in the pipe.
    tokens: Mutex<VecDeque<u64>>,
    reader: PipeReader,
    writer: PipeWriter,
}

impl Bell {
    /// A bell of its own pipe.
    ///
    /// # Errors
    /// The process has no file descriptors left.
    pub fn new() -> std::io::Result<Self> {
        let (reader, writer) = std::io::pipe()?;
        Ok(Self {
            tokens: Mutex::default(),
            reader,
            writer,
        })
    }

    /// What to watch: it can be read while there is something to take.
    pub fn fileno(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// It is the turn of `token`.
    pub fn ring(&self, token: u64) {
        let mut tokens = lock(&self.tokens);
        let is_first = tokens.is_empty();
        tokens.push_back(token);
        if is_first {
            // A pipe of ours that cannot be written is gone, with the process.
            _ = (&self.writer).write(&[0]);
        }
    }

    /// Whether there is nothing to take.
    pub fn is_silent(&self) -> bool {
        lock(&self.tokens).is_empty()
    }

    /// Moves up to `max` tokens to `taken`. Never waits.
    pub fn take(&self, max: usize, taken: &mut Vec<u64>) {
        let mut tokens = lock(&self.tokens);
        if tokens.is_empty() {
            return;
        }
        let count = max.min(tokens.len());
        taken.extend(tokens.drain(..count));
        if tokens.is_empty() {
            _ = (&self.reader).read(&mut [0]);
        }
    }
}

/// What wakes one operation.
pub struct Ringer {
    token: u64,
    /// Whether it has rung since it was looked at last.
    has_rung: AtomicBool,
    bell: Arc<Bell>,
}

impl Ringer {
    pub fn new(token: u64, bell: &Arc<Bell>) -> Arc<Self> {
        Arc::new(Self {
            token,
            has_rung: AtomicBool::new(false),
            bell: Arc::clone(bell),
        })
    }

    /// Someone is about to look: what happens from now on is told again.
    pub fn rearm(&self) {
        self.has_rung.store(false, Ordering::Release);
    }
}

impl Wake for Ringer {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.has_rung.swap(true, Ordering::AcqRel) {
            self.bell.ring(self.token);
        }
    }
}
