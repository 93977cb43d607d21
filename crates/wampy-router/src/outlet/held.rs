//! An outlet that stays locked from one message to the next.
//!
//! The messages of one read are mostly for one receiver, or for each of several in a row. Taking its
//! lock for each of them costs more than the rest of appending: giving a lock back waits until the
//! processor has carried out all that was written before, which is the message. Who holds an outlet
//! must let it go before it is touched in any other way; whoever else needs it waits for that long.
//!
//! Deliberately absent: knowing which outlet is held, which the holder does.

use std::mem::ManuallyDrop;

use wampy_proto::Message;
use wampy_realm::SendError;

use super::{Appended, Outlet};

impl Outlet {
    /// Locks the outlet until [`let_go`](Self::let_go).
    #[inline]
    pub(crate) fn hold(&self) {
        std::mem::forget(self.queue());
    }

    /// Appends a message to the outlet that is held.
    ///
    /// # Safety
    /// The caller has called [`hold`](Self::hold), on this thread, and not let go since.
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn append_to_held(
        &self,
        message: &Message<'_>,
    ) -> Result<Appended, SendError> {
        debug_assert!(self.queue.is_locked());
        // SAFETY: the guard that `hold` has forgotten stood for this; nobody else has one meanwhile.
        let guard = unsafe { self.queue.make_guard_unchecked() };
        // Not even a panic may unlock it: the holder will.
        let mut guard = ManuallyDrop::new(guard);
        self.append_message(&mut guard, message)
    }

    /// Unlocks the outlet.
    ///
    /// # Safety
    /// As for [`append_to_held`](Self::append_to_held).
    #[inline]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn let_go(&self) {
        // SAFETY: this is the guard that `hold` has forgotten.
        drop(unsafe { self.queue.make_guard_unchecked() });
    }
}
