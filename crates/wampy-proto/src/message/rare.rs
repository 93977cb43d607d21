//! Options that few messages have, apart from those that many have.
//!
//! A message is moved a few times on its way through a router, so its size is part of its cost. What
//! is rare takes one word while it is absent, and reads as if it were there: absent and all default
//! are the same. Writing to it makes it present.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Options that are all default, or kept on the heap.
#[derive(Clone)]
pub struct Rare<T>(Option<Box<T>>);

/// Options of which there is one default value for all.
pub trait Absent: Default + 'static {
    /// All default.
    fn absent() -> &'static Self;
}

impl<T> Rare<T> {
    /// The options, if any was set.
    #[inline]
    pub fn present(&self) -> Option<&T> {
        self.0.as_deref()
    }
}

impl<T> Default for Rare<T> {
    #[inline]
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Rare<T> {
    fn from(options: T) -> Self {
        Self(Some(Box::new(options)))
    }
}

impl<T: Absent> Deref for Rare<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.0 {
            Some(options) => options,
            None => T::absent(),
        }
    }
}

impl<T: Absent> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Absent + PartialEq> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            _ => **self == **other,
        }
    }
}

impl<T: Absent + fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.deref().fmt(f)
    }
}
