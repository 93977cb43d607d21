//! What was made before a fork is refused behind it, by its number: its threads live in the parent.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;

use crate::failure::{Kind, failure};

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that loaded the extension.
pub fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Refuses what was made before a fork, whose threads live in the parent.
///
/// # Errors
/// `made_in` is not the generation of this process: `wampy.errors.SessionError`.
pub fn check_generation(py: Python<'_>, made_in: u64, what: &str) -> PyResult<()> {
    if made_in == generation() {
        return Ok(());
    }
    let message = format!(
        "this {what} was started before os.fork(), and its connection belongs to the parent \
         process; stop() it here and start() it again, or make a new one"
    );
    Err(failure(py, Kind::Session, &message))
}

/// In the child of a fork.
pub fn count() {
    GENERATION.fetch_add(1, Ordering::AcqRel);
}
