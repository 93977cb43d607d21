//! The outlets that a thread has appended to and not yet flushed.
//!
//! While a lane makes a pass, they are collected until its end, so that each receiver is written
//! once, whoever of its peers had something for it. Otherwise they are flushed after every turn of a
//! realm. Deliberately absent: waiting for sockets, which is the outlets' matter.

use std::cell::RefCell;
use std::sync::Arc;

use crate::outlet::Outlet;

thread_local! {
    static UNFLUSHED: RefCell<Unflushed> = const {
        RefCell::new(Unflushed { outlets: Vec::new(), is_collecting: false })
    };
}

struct Unflushed {
    outlets: Vec<Arc<Outlet>>,
    is_collecting: bool,
}

/// Collects until it is dropped, which flushes.
#[must_use]
pub(crate) struct Collecting(());

/// From now on this thread's outlets wait until the returned value is dropped.
pub(crate) fn collect() -> Collecting {
    let _ = UNFLUSHED.try_with(|unflushed| unflushed.borrow_mut().is_collecting = true);
    Collecting(())
}

impl Drop for Collecting {
    fn drop(&mut self) {
        let _ = UNFLUSHED.try_with(|unflushed| unflushed.borrow_mut().is_collecting = false);
        flush(take());
    }
}

/// The outlets that wait, to append to; [`put_back`] must follow.
pub(crate) fn take() -> Vec<Arc<Outlet>> {
    // Without the thread's vector a new one does: sessions may leave while a thread ends.
    let taken = UNFLUSHED.try_with(|unflushed| std::mem::take(&mut unflushed.borrow_mut().outlets));
    taken.unwrap_or_default()
}

/// Leaves `outlets` to the end of the lane's pass, or flushes them if there is none, or `now`.
pub(crate) fn put_back(outlets: Vec<Arc<Outlet>>, now: bool) {
    let mut outlets = Some(outlets);
    let _ = UNFLUSHED.try_with(|unflushed| {
        let mut unflushed = unflushed.borrow_mut();
        if unflushed.is_collecting && !now {
            unflushed.outlets = outlets.take().unwrap_or_default();
        }
    });
    if let Some(outlets) = outlets {
        flush(outlets);
    }
}

fn flush(mut outlets: Vec<Arc<Outlet>>) {
    for outlet in outlets.drain(..) {
        outlet.flush();
    }
    // Kept for its memory.
    let _ = UNFLUSHED.try_with(|unflushed| {
        let kept = &mut unflushed.borrow_mut().outlets;
        if kept.is_empty() {
            *kept = outlets;
        }
    });
}
