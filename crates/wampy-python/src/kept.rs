//! What belongs to the process that made it: a fork neither uses nor drops it.
//!
//! Deliberately absent: what stays usable in a fork; the locks in here may be held by threads that
//! the fork has left behind.

use pyo3::prelude::*;

use crate::failure::{Kind, failure};
use crate::fork::{self, check_generation};

/// A value of one process.
pub struct Kept<T> {
    generation: u64,
    /// `None` only while it is dropped.
    value: Option<T>,
}

impl<T> Kept<T> {
    pub fn new(value: T) -> Self {
        Self {
            generation: fork::generation(),
            value: Some(value),
        }
    }

    /// The value, in the process that made it.
    pub fn here(&self) -> Option<&T> {
        let is_here = self.generation == fork::generation();
        self.value.as_ref().filter(|_| is_here)
    }

    /// The value, which a program knows as `what`.
    ///
    /// # Errors
    /// This process is a fork of the one that made it: `wampy.errors.SessionError`.
    pub fn get(&self, py: Python<'_>, what: &str) -> PyResult<&T> {
        check_generation(py, self.generation, what)?;
        let value = self.value.as_ref();
        value.ok_or_else(|| failure(py, Kind::Session, &format!("the {what} is gone")))
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.generation != fork::generation() {
            std::mem::forget(self.value.take());
        }
    }
}
