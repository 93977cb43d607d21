//! What a store holds, for who looks after it: the realms whose events are in it, and dropping those of
//! one that is served no more.
//!
//! Nothing is dropped by itself: a realm that is missing from a configuration may come back, and a
//! mistake there must not cost its events. Deliberately absent: reading the events, and dropping single
//! ones.

use std::path::Path;

use fjall::{Keyspace, PersistMode};
use wampy_realm::Shelf;

use super::{Store, StoreError, describe, error};

/// How long the number is at the end of a key.
const NUMBER_BYTES: usize = 8;

/// The events in a store that no router uses.
///
/// ```no_run
/// let store = wampy_router::StoreContents::open("/var/lib/wampy")?;
/// for realm in store.realms()? {
///     println!("{}: {} events", realm.name, realm.retained_events + realm.history_events);
/// }
/// store.forget("com.example.gone")?;
/// # Ok::<(), wampy_router::StoreError>(())
/// ```
#[derive(Debug)]
pub struct StoreContents(Store);

/// What a store holds of a realm.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRealm {
    /// The realm's name.
    pub name: String,
    /// How many retained events there are, also such as the realm would forget when it begins.
    pub retained_events: u64,
    /// How many events of its history there are, also such as the realm would forget when it begins.
    pub history_events: u64,
}

impl StoreContents {
    /// Opens the store in the directory `path`. Nobody else can until this is dropped.
    ///
    /// # Errors
    /// There is none, a router uses it, or its files are damaged.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let is_filled = std::fs::read_dir(path)
            .map_err(|problem| error(path, problem.to_string()))?
            .next()
            .is_some();
        if !is_filled {
            return Err(error(path, "there is none".to_owned()));
        }
        Store::open(path, 0).map(Self)
    }

    /// The realms of which there are events, in the order of the lengths of their names.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn realms(&self) -> Result<Vec<StoredRealm>, StoreError> {
        let names = self.0.realm_names()?;
        let stored = names.into_iter().map(|name| {
            Ok(StoredRealm {
                retained_events: self.0.keys(Shelf::Retained, &name)?.len() as u64,
                history_events: self.0.keys(Shelf::History, &name)?.len() as u64,
                name,
            })
        });
        stored.collect()
    }

    /// Drops all events of the realm called `name`: how many there were. When this returns, the disk has
    /// it.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn forget(&self, name: &str) -> Result<u64, StoreError> {
        let failed = |problem| error(self.0.path(), describe(&problem));
        let mut dropped = 0;
        for shelf in [Shelf::Retained, Shelf::History] {
            for key in self.0.keys(shelf, name)? {
                self.0.keyspace(shelf).remove(key).map_err(failed)?;
                dropped += 1;
            }
        }
        self.0
            .disk()
            .database
            .persist(PersistMode::SyncAll)
            .map_err(failed)?;
        Ok(dropped)
    }
}

impl Store {
    /// The names of the realms of which there are events, in the order of their lengths.
    pub(crate) fn realm_names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        for shelf in [Shelf::Retained, Shelf::History] {
            let keyspace = self.keyspace(shelf);
            let mut next = self.first_from(keyspace, &[])?;
            while let Some(key) = next {
                let Some(prefix) = key.get(..key.len().saturating_sub(NUMBER_BYTES)) else {
                    break;
                };
                let name = prefix.get(2..).unwrap_or_default();
                names.push((prefix.len(), String::from_utf8_lossy(name).into_owned()));
                // Behind all numbers that the realm can have.
                let end = [prefix, &[u8::MAX; NUMBER_BYTES + 1]].concat();
                next = self.first_from(keyspace, &end)?;
            }
        }
        names.sort();
        names.dedup();
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }

    /// The first key that is not below `from`.
    fn first_from(&self, keyspace: &Keyspace, from: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let first = keyspace.range(from..).next();
        let key = first.map(|entry| entry.key().map(|key| key.to_vec()));
        key.transpose()
            .map_err(|problem| error(self.path(), describe(&problem)))
    }

    fn keys(&self, shelf: Shelf, name: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        let prefix = self.prefix(name)?;
        let keys = self.keyspace(shelf).prefix(&prefix);
        keys.map(|entry| entry.key().map(|key| key.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|problem| error(self.path(), describe(&problem)))
    }
}
