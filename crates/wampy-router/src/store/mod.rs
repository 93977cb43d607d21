//! The store: retained events and event history of all realms, on disk, so that they outlive the router.
//!
//! A write that is acknowledged returns when the operating system has it: so it survives the death of the
//! process, but not for sure that of the machine. Others wait in a bounded queue ([`queue`]). What belongs
//! to the format: the keyspace `format` holds its version; `retained` and `history` hold the events, each by
//! its realm's name (2 bytes of length before it) and its number (8 bytes, so that they are in order). The
//! realms keep the limits and say what to forget; the database gives the space back in the background.
//! Deliberately absent: reading while the router runs: realms have all their events in memory.

mod contents;
mod journals;
mod queue;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use wampy_realm::{KeptEvent, Shelf, StoreChange, StoreFailed};

pub use contents::{StoreContents, StoredRealm};
use journals::Journals;
use queue::{Change, Disk, Queue, Writer};

/// The version of the format.
const VERSION: &str = "1";
const VERSION_KEY: &str = "version";

/// How much of each shelf is kept in memory before it is written in order; the database's least.
const MEMTABLE_BYTES: u64 = 8 << 20;
/// How long the journals may become together; the database's least.
const JOURNAL_BYTES: u64 = 64 << 20;
/// Blocks of files in memory: they are read only when a realm begins.
const CACHE_BYTES: u64 = 1 << 20;

/// The longest name of a realm whose events are stored: the database's keys have a limit.
const REALM_BYTES_MAX: u16 = 32_768;

/// A store of events cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store {}: {problem}", path.display())]
pub struct StoreError {
    /// The directory.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// The store of a router.
pub(crate) struct Store {
    writer: Writer,
    /// Whether nobody waits any more for what is read.
    is_given_up: AtomicBool,
}

/// A realm's part of the store.
#[derive(Debug)]
pub(crate) struct RealmStore {
    store: Arc<Store>,
    /// What its keys begin with.
    prefix: Box<[u8]>,
}

impl Store {
    /// Opens the store in a directory, or makes one there. At most `queue_bytes_max` wait to be written
    /// ([`Limits::store_queue_bytes_max`](crate::Limits::store_queue_bytes_max)).
    pub(crate) fn open(path: &Path, queue_bytes_max: usize) -> Result<Self, StoreError> {
        // The database trusts its files in some places, so that damaged ones can make it panic.
        let opened = catch_unwind(AssertUnwindSafe(|| Self::open_database(path)));
        let writing = |disk| {
            let started = Writer::start(Queue::new(disk, queue_bytes_max));
            started.map_err(|problem| error(path, problem.to_string()))
        };
        let disk =
            opened.unwrap_or_else(|_| Err(error(path, "its files are damaged".to_owned())))?;
        Ok(Self {
            writer: writing(disk)?,
            is_given_up: AtomicBool::new(false),
        })
    }

    fn open_database(path: &Path) -> Result<Disk, StoreError> {
        let failed = |problem| error(path, describe(&problem));
        let unreadable = |problem: std::io::Error| error(path, problem.to_string());
        let journals = Journals::read(path).map_err(unreadable)?;
        let database = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(failed)?;
        if let Some((file, at)) = journals.damaged() {
            drop(database);
            journals.put_back().map_err(unreadable)?;
            let problem = format!("its file {} is damaged at byte {at}", file.display());
            return Err(error(path, problem));
        }
        let options = || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES);
        let keyspace = |name| database.keyspace(name, options).map_err(failed);
        let format = keyspace("format")?;
        match format.get(VERSION_KEY).map_err(failed)? {
            None => format.insert(VERSION_KEY, VERSION).map_err(failed)?,
            Some(version) if *version == *VERSION.as_bytes() => {}
            Some(version) => {
                let version = String::from_utf8_lossy(&version);
                let problem = format!(
                    "it has the format {version:?}, and this router knows {VERSION:?} only"
                );
                return Err(error(path, problem));
            }
        }
        Ok(Disk {
            path: path.to_owned(),
            retained: keyspace("retained")?,
            history: keyspace("history")?,
            database,
        })
    }

    /// The part of a realm.
    pub(crate) fn of_realm(self: &Arc<Self>, name: &str) -> Result<RealmStore, StoreError> {
        Ok(RealmStore {
            store: Arc::clone(self),
            prefix: self.prefix(name)?.into(),
        })
    }

    /// What a realm's keys begin with.
    fn prefix(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let length = u16::try_from(name.len()).ok();
        let length = length.filter(|&length| length <= REALM_BYTES_MAX);
        let too_long = || {
            let problem = format!("a realm's name has more than {REALM_BYTES_MAX} bytes");
            error(self.path(), problem)
        };
        let mut prefix = length.ok_or_else(too_long)?.to_be_bytes().to_vec();
        prefix.extend_from_slice(name.as_bytes());
        Ok(prefix)
    }

    /// Ends whatever is being read, with an error: nobody waits for it any more.
    pub(crate) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    fn queue(&self) -> &Queue {
        self.writer.queue()
    }

    fn disk(&self) -> &Disk {
        self.queue().disk()
    }

    fn path(&self) -> &Path {
        &self.disk().path
    }

    fn keyspace(&self, shelf: Shelf) -> &Keyspace {
        self.disk().keyspace(shelf)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("path", &self.path()).finish()
    }
}

impl RealmStore {
    fn key(&self, number: u64) -> Vec<u8> {
        [&*self.prefix, &number.to_be_bytes()].concat()
    }

    /// Writes a change: one that must be stored before this returns, so that the operating system has it;
    /// any other in its turn.
    pub(crate) fn write(&self, change: StoreChange<'_>) -> Result<(), StoreFailed> {
        let (shelf, number, kept) = match change {
            StoreChange::Keep {
                shelf,
                number,
                event,
                must_be_stored,
            } => (shelf, number, Some((event, must_be_stored))),
            StoreChange::Forget { shelf, number } => (shelf, number, None),
        };
        let value = kept.map(|(event, _)| {
            let mut bytes = Vec::new();
            event.encode(&mut bytes);
            bytes
        });
        let key = self.key(number);
        let change = Change { shelf, key, value };
        match kept {
            Some((_, true)) => self.store.queue().write(change),
            _ => self.store.queue().put(change),
        }
    }

    /// The events of a shelf with their numbers, in order.
    pub(crate) fn events(
        &self,
        shelf: Shelf,
    ) -> impl Iterator<Item = Result<(u64, KeptEvent), StoreError>> {
        let path = self.store.path();
        let keyspace = self.store.keyspace(shelf);
        keyspace.prefix(&*self.prefix).map(move |entry| {
            if self.store.is_given_up.load(Ordering::Relaxed) {
                return Err(error(path, "reading it was given up".to_owned()));
            }
            let (key, value) = entry
                .into_inner()
                .map_err(|problem| error(path, describe(&problem)))?;
            let number = key.get(self.prefix.len()..);
            let number = number.and_then(|bytes| bytes.try_into().ok());
            let event = KeptEvent::decode(&value);
            match (number.map(u64::from_be_bytes), event) {
                (Some(number), Ok(event)) => Ok((number, event)),
                (_, Err(problem)) => Err(error(path, format!("an event is damaged: {problem}"))),
                (None, _) => Err(error(path, "an event has no number".to_owned())),
            }
        })
    }
}

fn error(path: &Path, problem: String) -> StoreError {
    StoreError {
        path: path.to_owned(),
        problem,
    }
}

/// What the database says, for people.
fn describe(problem: &fjall::Error) -> String {
    match problem {
        fjall::Error::Io(error) => error.to_string(),
        fjall::Error::Locked => "another router uses it".to_owned(),
        fjall::Error::InvalidVersion(None) => "it is no store, or damaged".to_owned(),
        fjall::Error::InvalidVersion(Some(_)) => {
            "its files have a format that this router does not know".to_owned()
        }
        fjall::Error::Poisoned => "a write has failed before; restart the router".to_owned(),
        other => format!("its files are damaged ({other:?})"),
    }
}
