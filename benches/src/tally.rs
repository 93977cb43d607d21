//! What happened so far: completions, and everything that should not have happened.

use crate::latency::Latency;

/// Counts of one run.
#[derive(Debug)]
pub struct Tally {
    /// Calls that returned, or events that arrived, with the right content.
    pub completed: u64,
    /// ERROR messages.
    pub errors: u64,
    /// Calls without an answer, events that did not arrive.
    pub lost: u64,
    /// Messages out of order, repeated, or later than the run waited for them.
    pub misplaced: u64,
    /// Messages whose content is not what was sent.
    pub corrupt: u64,
    /// URI of the first ERROR.
    pub first_error: Option<String>,
    /// Latencies of completions since the last reset.
    pub latency: Latency,
}

impl Tally {
    pub fn new() -> Self {
        Self {
            completed: 0,
            errors: 0,
            lost: 0,
            misplaced: 0,
            corrupt: 0,
            first_error: None,
            latency: Latency::new(),
        }
    }

    /// One more completion that took so long.
    pub fn complete(&mut self, latency_ns: u64) {
        self.completed += 1;
        self.latency.record(latency_ns);
    }

    /// One more ERROR.
    pub fn error(&mut self, uri: &[u8]) {
        self.errors += 1;
        if self.first_error.is_none() {
            self.first_error = Some(String::from_utf8_lossy(uri).into_owned());
        }
    }

    /// Everything that a correct router has none of.
    pub fn faults(&self) -> u64 {
        self.errors + self.lost + self.misplaced + self.corrupt
    }

    /// Grows with everything that shows the router to be alive.
    pub fn activity(&self) -> u64 {
        self.completed + self.errors + self.misplaced + self.corrupt
    }
}
