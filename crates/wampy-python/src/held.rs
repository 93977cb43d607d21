//! What the router has granted a session, by its ids: registrations and subscriptions.
//!
//! Deliberately absent: handlers, which are Python's.

use std::collections::HashMap;
use std::sync::Mutex;

use pyo3::prelude::*;
use wampy::{Registration, Subscription};

use crate::failure::{Kind, failure};
use crate::locks::lock;

/// Something that has an id while it stands.
pub trait Held {
    /// What it is called.
    const NAME: &'static str;

    /// Its id in the present session, unless the router has taken it back.
    fn present_id(&self) -> Option<u64>;
}

impl Held for Registration {
    const NAME: &'static str = "registration";

    fn present_id(&self) -> Option<u64> {
        self.id().map(|id| id.value())
    }
}

impl Held for Subscription {
    const NAME: &'static str = "subscription";

    fn present_id(&self) -> Option<u64> {
        self.id().map(|id| id.value())
    }
}

/// All of one kind.
pub struct Holdings<T>(Mutex<HashMap<u64, T>>);

impl<T> Default for Holdings<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Held> Holdings<T> {
    /// Keeps what was just granted; returns its id.
    ///
    /// # Errors
    /// The session has ended meanwhile.
    pub fn keep(&self, py: Python<'_>, held: T) -> PyResult<u64> {
        let id = noted(py, held.present_id())?;
        lock(&self.0).insert(id, held);
        Ok(id)
    }

    /// Takes out what is to be given up.
    ///
    /// # Errors
    /// There is no such id: `wampy.errors.ConfigurationError`.
    pub fn take(&self, py: Python<'_>, id: u64) -> PyResult<T> {
        let found = lock(&self.0).remove(&id);
        found.ok_or_else(|| {
            let problem = format!("there is no {} {id}", T::NAME);
            failure(py, Kind::Configuration, &problem)
        })
    }

    /// The ids of those that are over.
    pub fn over(&self) -> Vec<u64> {
        lock(&self.0)
            .iter()
            .filter_map(|(id, held)| held.present_id().is_none().then_some(*id))
            .collect()
    }

    /// Forgets some of them.
    pub fn forget(&self, ids: &[u64]) {
        let mut held = lock(&self.0);
        for id in ids {
            held.remove(id);
        }
    }
}

impl Holdings<Subscription> {
    /// How many events were left out because none of the keys opens them.
    pub fn undecryptable(&self) -> u64 {
        lock(&self.0)
            .values()
            .map(Subscription::undecryptable)
            .sum()
    }
}

/// The id of a registration or subscription that the session still has.
///
/// # Errors
/// The session has ended meanwhile.
pub fn noted(py: Python<'_>, id: Option<u64>) -> PyResult<u64> {
    id.ok_or_else(|| failure(py, Kind::Session, "the session ended meanwhile"))
}
