//! Buffers that no connection holds while nothing happens on it.
//!
//! Each thread has one buffer to read into, used for as long as one read is being routed, and a few
//! buffers to write from, lent to whichever sessions have something waiting.

use std::cell::RefCell;
use std::ops::Range;

/// How much is read at once: several messages of 16 KiB, so that few are cut apart.
const READ_BYTES: usize = 128 << 10;
/// The most buffers that a thread keeps for later: one for each receiver of a large publication.
const KEPT_MAX: usize = 1024;
/// The most bytes that they have together.
const KEPT_TOTAL_BYTES_MAX: usize = 4 << 20;
/// The largest buffer that is kept: one that had to hold a large message is given back instead. It is
/// more than what waits for a session when that is written at once, and a message, need with doubling.
const KEPT_BYTES_MAX: usize = 192 << 10;

thread_local! {
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
    static WRITE: RefCell<Kept> = const {
        RefCell::new(Kept { buffers: Vec::new(), bytes: 0 })
    };
}

/// Buffers that were written.
struct Kept {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// Runs `f` with this thread's buffer to read into.
///
/// `f` must not come here again: it reads and routes, both of which end without another read.
pub(crate) fn with_read_buffer<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    READ.with_borrow_mut(|buffer| f(buffer))
}

/// An empty buffer to write from.
pub(crate) fn take() -> Vec<u8> {
    // Also where a thread is ending and has no kept buffers any more.
    WRITE
        .try_with(|kept| kept.borrow_mut().take())
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Gives back a buffer that was written.
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    if buffer.capacity() > KEPT_BYTES_MAX {
        return;
    }
    buffer.clear();
    let _ = WRITE.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.buffers.len() < KEPT_MAX && kept.bytes + buffer.capacity() <= KEPT_TOTAL_BYTES_MAX {
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
        }
    });
}

impl Kept {
    fn take(&mut self) -> Option<Vec<u8>> {
        let buffer = self.buffers.pop()?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }
}

/// Where `part` lies in the `len` bytes at `address`, or `None` if it lies elsewhere: also right
/// behind them, where an allocator may well put another buffer.
pub(crate) fn place_in(address: usize, len: usize, part: &[u8]) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(address)?;
    let end = start.checked_add(part.len())?;
    (end <= len).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_the_memory_next_to_the_buffer_is_not_in_the_buffer() {
        let memory = [0; 24];
        let (before, rest) = memory.split_at(8);
        let (buffer, behind) = rest.split_at(8);
        let place = |part| place_in(buffer.as_ptr() as usize, buffer.len(), part);
        assert_eq!(place(buffer), Some(0..8));
        assert_eq!(place(&buffer[3..5]), Some(3..5));
        assert_eq!(place(behind), None);
        assert_eq!(place(&behind[1..]), None);
        assert_eq!(place(before), None);
    }
}
