//! Files with users, read again when they have changed.
//!
//! They are looked at from time to time, because what tells of changes by itself differs from one file
//! system to the next and fails on some. Sessions that stand stay: who may join is asked when
//! somebody joins.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use super::Access;
use crate::config::{self, ConfigError};
use crate::settings::User;

/// What changes with a file's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

/// A file with users.
struct Watched {
    access: Weak<Access>,
    /// What it was like at the last look.
    seen: Option<Stamp>,
    /// What it was like when it was read.
    read: Option<Stamp>,
    /// Whether it has been said that it cannot be read.
    is_told: bool,
}

/// Keeps the users of `accesses` as their files say, every `poll_ms` milliseconds, until they are gone.
pub(crate) async fn keep_fresh(accesses: Vec<Arc<Access>>, poll_ms: u64) {
    let mut watched: Vec<_> = accesses
        .iter()
        .filter(|access| access.users_file().is_some())
        .map(Watched::new)
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
    fn new(access: &Arc<Access>) -> Self {
        Self {
            access: Arc::downgrade(access),
            // The file may have changed since the router has read it: it is read once more.
            seen: None,
            read: None,
            is_told: false,
        }
    }

    /// Reads the file again if it has changed since it was read and not since the last look, when it
    /// might have been half written. Returns whether somebody still needs it.
    fn look(&mut self) -> bool {
        let Some(access) = self.access.upgrade() else {
            return false;
        };
        let Some(path) = access.users_file() else {
            return false;
        };
        let stamp = stamp(path);
        let is_settled = stamp == std::mem::replace(&mut self.seen, stamp);
        if is_settled && stamp != self.read {
            match config::read_users(path, &access.roles(), &access.methods) {
                // The process may have too many files open at the moment: the next look tries again.
                Err(problem) if problem.is_about_reading() => self.tell(path, &problem),
                // Also with mistakes in it: they are told once, not at every look.
                users => {
                    self.read = stamp;
                    self.is_told = false;
                    replace(&access, path, users);
                }
            }
        }
        true
    }

    /// Says once that the file cannot be read.
    fn tell(&mut self, path: &Path, problem: &ConfigError) {
        if !std::mem::replace(&mut self.is_told, true) {
            let file = path.display();
            tracing::error!(%file, %problem, "the users stay as they were until their file can be read");
        }
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp {
        modified: metadata.modified().ok()?,
        bytes: metadata.len(),
    })
}

fn replace(access: &Access, path: &Path, users: Result<Vec<User>, ConfigError>) {
    let file = path.display();
    let users = match users {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::PathBuf;

    use super::*;
    use crate::settings::{Authentication, Method};
    use wampy_realm::RealmRoles;

    /// A file with users, removed at the end.
    struct File {
        path: PathBuf,
        access: Arc<Access>,
        watched: Watched,
        bytes_written: usize,
    }

    impl File {
        fn new(name: &str) -> Self {
            let name = format!("wampy-users-{}-{name}.toml", std::process::id());
            let path = std::env::temp_dir().join(name);
            let settings = Authentication::by([Method::Ticket]).users_file(&path);
            let access = Access::new(settings, RealmRoles::default(), HashMap::new(), Vec::new());
            let access = Arc::new(access.unwrap());
            Self {
                watched: Watched::new(&access),
                path,
                access,
                bytes_written: 0,
            }
        }

        /// Other contents of another length: clocks of file systems may be coarse.
        fn write(&mut self, text: &str) {
            self.bytes_written += 1;
            let text = format!("{text}#{}\n", "x".repeat(self.bytes_written));
            std::fs::write(&self.path, text).unwrap();
        }

        fn users(&self) -> Vec<&'static str> {
            let users = self.access.users();
            ["joe", "ann", "eve"]
                .into_iter()
                .filter(|authid| users.by_authid(authid).is_some())
                .collect()
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    fn user(authid: &str) -> String {
        format!("[[users]]\nauthid = '{authid}'\nrole = 'user'\nticket = 'x'\n")
    }

    #[test]
    fn a_changed_file_is_read_when_it_has_settled() {
        let mut file = File::new("settled");
        file.write(&user("joe"));
        assert!(file.watched.look());
        assert_eq!(file.users(), [""; 0]);
        file.write(&(user("joe") + &user("ann")));
        file.watched.look();
        assert_eq!(file.users(), [""; 0], "it may be half written");
        file.watched.look();
        assert_eq!(file.users(), ["joe", "ann"]);
    }

    #[test]
    fn a_file_that_cannot_be_read_for_a_moment_is_read_later() {
        let mut file = File::new("moment");
        file.write(&user("joe"));
        file.watched.look();
        file.watched.look();
        // A directory cannot be read as a file, and is as new at each look.
        std::fs::remove_file(&file.path).unwrap();
        std::fs::create_dir(&file.path).unwrap();
        for _ in 0..3 {
            file.watched.look();
        }
        let directory = file.watched.seen;
        assert!(directory.is_some() && file.watched.read != directory);
        assert!(file.watched.is_told);
        assert_eq!(file.users(), ["joe"]);
        std::fs::remove_dir(&file.path).unwrap();
        file.write(&user("ann"));
        file.watched.look();
        file.watched.look();
        assert_eq!(file.users(), ["ann"]);
        assert!(!file.watched.is_told);
    }

    #[test]
    fn a_broken_or_missing_file_leaves_the_users_as_they_were() {
        let mut file = File::new("broken");
        let look = |file: &mut File| {
            file.watched.look();
            file.watched.look();
            file.users()
        };
        file.write(&user("joe"));
        assert_eq!(look(&mut file), ["joe"]);
        for broken in [
            "[[users]]\nauthid = ".to_owned(),
            user("eve") + &user("eve"),
            user("eve") + "[x]\n",
        ] {
            file.write(&broken);
            assert_eq!(look(&mut file), ["joe"], "{broken}");
        }
        std::fs::remove_file(&file.path).unwrap();
        assert_eq!(look(&mut file), ["joe"]);
        file.write(&user("ann"));
        assert_eq!(look(&mut file), ["ann"]);
        file.access = Arc::new(
            Access::new(
                Authentication::default(),
                RealmRoles::default(),
                HashMap::new(),
                Vec::new(),
            )
            .unwrap(),
        );
        assert!(!file.watched.look(), "nobody needs it any more");
    }
}
