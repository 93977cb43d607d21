//! Files with users, read again when they have changed.
//!
//! They are looked at from time to time, because what tells of changes by itself differs from one file
//! system to the next and fails on some. Sessions that stand stay: who may join is asked when
//! somebody joins.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::Access;
use crate::config;

/// What changes with a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

/// A file and what it was like when it was read.
struct Watched {
    access: Weak<Access>,
    stamp: Option<Stamp>,
}

/// Keeps the users of `accesses` as their files say, every `poll_ms` milliseconds, until they are gone.
pub(crate) async fn keep_fresh(accesses: Vec<Arc<Access>>, poll_ms: u64) {
    let mut watched: Vec<_> = accesses
        .iter()
        .filter(|access| access.users_file().is_some())
        .map(|access| Watched {
            access: Arc::downgrade(access),
            // A change between the first reading and this look is read at the first look after it.
            stamp: None,
        })
        .collect();
    drop(accesses);
    if poll_ms == 0 {
        return;
    }
    while !watched.is_empty() {
        tokio::time::sleep(Duration::from_millis(poll_ms)).await;
        let looked = tokio::task::spawn_blocking(move || {
            watched.retain_mut(Watched::look);
            watched
        });
        match looked.await {
            Ok(left) => watched = left,
            // The runtime ends.
            Err(_) => return,
        }
    }
}

impl Watched {
    /// Reads the file again if it has changed; whether somebody still needs it.
    fn look(&mut self) -> bool {
        let Some(access) = self.access.upgrade() else {
            return false;
        };
        let Some(path) = access.users_file() else {
            return false;
        };
        let stamp = stamp(path);
        if stamp == self.stamp {
            return true;
        }
        // Also when it cannot be read: its mistakes are told once, not at every look.
        self.stamp = stamp;
        read_again(&access, path);
        true
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        modified: metadata.modified().ok()?,
        bytes: metadata.len(),
    })
}

fn read_again(access: &Access, path: &Path) {
    let file = path.display();
    let users = match config::read_users(path, access.roles()) {
        Ok(users) => users,
        Err(problem) => {
            tracing::error!(%file, %problem, "the users stay as they were: their file has mistakes");
            return;
        }
    };
    match access.replace_users(users) {
        Ok(true) => tracing::info!(%file, "the users were read again"),
        Ok(false) => {}
        Err(problem) => {
            tracing::error!(%file, %problem, "the users stay as they were: their file has mistakes");
        }
    }
}
