//! Locks that nobody has to give up because a thread failed while it held them.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a lock holds, whatever happened to a thread that held it.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
