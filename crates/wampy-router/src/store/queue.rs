//! What is on its way to the disk: changes that nobody has been promised wait here, so that a realm does
//! not stand still while the disk does.
//!
//! All changes are written in the order in which they came. One that has to be written before it is
//! acknowledged, and one for which there is no room, is written by whoever brings it, after all that wait.
//! Deliberately absent: waiting for the disk itself (fsync): what the operating system has outlives the
//! process.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use fjall::{Database, Keyspace};
use parking_lot::{Condvar, Mutex};
use wampy_realm::{Shelf, StoreFailed};

use super::{describe, error};

/// The database.
pub(super) struct Disk {
    pub(super) path: PathBuf,
    pub(super) retained: Keyspace,
    pub(super) history: Keyspace,
    /// Last, so that it is closed when nothing refers to it any more.
    pub(super) database: Database,
}

/// What an event costs in the queue beside its bytes.
const CHANGE_BYTES: usize = size_of::<Change>();

/// A change of one event; without a value it is forgotten.
pub(super) struct Change {
    pub(super) shelf: Shelf,
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// The changes that wait, and who writes them.
pub(super) struct Queue {
    disk: Disk,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    has_come: Condvar,
    /// Held by whoever writes.
    turn: Mutex<()>,
    /// Whether the last write failed: a failure is logged once until writing works again.
    is_failing: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    changes: VecDeque<Change>,
    /// With the one that is being written.
    bytes: usize,
    is_ending: bool,
}

/// The thread that writes what waits. Dropping it writes the rest.
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Disk {
    pub(super) const fn keyspace(&self, shelf: Shelf) -> &Keyspace {
        match shelf {
            Shelf::Retained => &self.retained,
            Shelf::History => &self.history,
        }
    }
}

impl Change {
    fn bytes(&self) -> usize {
        let value = self.value.as_ref().map_or(0, Vec::len);
        CHANGE_BYTES + self.key.len() + value
    }
}

impl Queue {
    pub(super) fn new(disk: Disk, bytes_max: usize) -> Self {
        Self {
            disk,
            bytes_max,
            waiting: Mutex::default(),
            has_come: Condvar::new(),
            turn: Mutex::default(),
            is_failing: AtomicBool::new(false),
        }
    }

    pub(super) const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Writes a change in its turn. Waits only if there is no room for it.
    pub(super) fn put(&self, change: Change) -> Result<(), StoreFailed> {
        let bytes = change.bytes();
        let mut waiting = self.waiting.lock();
        if waiting.bytes.saturating_add(bytes) > self.bytes_max {
            drop(waiting);
            return self.write(change);
        }
        waiting.bytes += bytes;
        waiting.changes.push_back(change);
        drop(waiting);
        self.has_come.notify_one();
        Ok(())
    }

    /// Writes a change, after all that wait; when this returns, the operating system has it.
    pub(super) fn write(&self, change: Change) -> Result<(), StoreFailed> {
        let turn = self.turn.lock();
        self.write_waiting();
        let written = self.write_to_disk(change);
        drop(turn);
        written
    }

    /// Writes all that wait; whoever calls this has the turn.
    fn write_waiting(&self) {
        loop {
            let Some(change) = self.waiting.lock().changes.pop_front() else {
                return;
            };
            let bytes = change.bytes();
            // Nobody was promised anything; that it failed has been logged.
            let _ = self.write_to_disk(change);
            self.waiting.lock().bytes -= bytes;
        }
    }

    fn write_to_disk(&self, change: Change) -> Result<(), StoreFailed> {
        let keyspace = self.disk.keyspace(change.shelf);
        let written = match change.value {
            Some(value) => keyspace.insert(change.key, value),
            None => keyspace.remove(change.key),
        };
        match written {
            Ok(()) => {
                self.is_failing.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(problem) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    let error = error(&self.disk.path, describe(&problem));
                    tracing::error!(%error, "events cannot be stored");
                }
                Err(StoreFailed)
            }
        }
    }

    /// Writes what comes until the end.
    fn run(&self) {
        loop {
            let mut waiting = self.waiting.lock();
            while waiting.changes.is_empty() {
                if waiting.is_ending {
                    return;
                }
                self.has_come.wait(&mut waiting);
            }
            drop(waiting);
            let _turn = self.turn.lock();
            self.write_waiting();
        }
    }
}

impl Writer {
    pub(super) fn start(queue: Queue) -> std::io::Result<Self> {
        let queue = Arc::new(queue);
        let its = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("wampy-store".to_owned());
        let thread = Some(thread.spawn(move || its.run())?);
        Ok(Self { queue, thread })
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.waiting.lock().is_ending = true;
        self.queue.has_come.notify_one();
        if let Some(thread) = self.thread.take() {
            // It cannot panic but where the database does, and then there is nobody to tell.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Store;
    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let name = format!("wampy-store-queue-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn open(&self, queue_bytes_max: usize) -> Store {
            Store::open(Path::new(&self.0), queue_bytes_max).unwrap()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn change(value: &str) -> Change {
        Change {
            shelf: Shelf::Retained,
            key: b"key".to_vec(),
            value: Some(value.into()),
        }
    }

    fn found(store: &Store) -> Option<Vec<u8>> {
        let found = store.queue().disk.retained.get("key").unwrap();
        found.map(|value| value.to_vec())
    }

    #[test]
    fn what_nobody_was_promised_waits_while_the_disk_stalls_and_stays_in_order() {
        let directory = Directory::new("stalls");
        let store = directory.open(1 << 20);
        let stalled = store.queue().turn.lock();
        for value in ["first", "second"] {
            store.queue().put(change(value)).unwrap();
        }
        assert_eq!(found(&store), None);
        drop(stalled);
        // What is acknowledged comes after all that waited.
        store.queue().write(change("third")).unwrap();
        assert_eq!(found(&store).as_deref(), Some(&b"third"[..]));
        assert_eq!(store.queue().waiting.lock().bytes, 0);
    }

    #[test]
    fn without_room_whoever_brings_a_change_writes_it() {
        let directory = Directory::new("full");
        let store = directory.open(change("x").bytes() * 2);
        let stalled = store.queue().turn.lock();
        for value in ["1", "2"] {
            store.queue().put(change(value)).unwrap();
        }
        assert_eq!(store.queue().waiting.lock().changes.len(), 2);
        drop(stalled);
        store.queue().put(change(&"3".repeat(1000))).unwrap();
        assert_eq!(found(&store).map(|value| value.len()), Some(1000));
    }

    #[test]
    fn the_end_writes_what_waits() {
        let directory = Directory::new("end");
        let store = directory.open(1 << 20);
        for value in ["first", "last"] {
            store.queue().put(change(value)).unwrap();
        }
        drop(store);
        assert_eq!(found(&directory.open(0)).as_deref(), Some(&b"last"[..]));
    }
}
