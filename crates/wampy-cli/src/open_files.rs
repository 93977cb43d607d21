//! How many files, which sockets are, this process may have open.
//!
//! The limit that a shell or service manager gives is often 1024, because old programs cannot take more;
//! the one up to which a process may raise it is that of the machine.

use std::os::unix::net::UnixStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Pairs of files that the smallest command has open at once, beside what it was started with: those of its
/// runtime (its epoll, what wakes it, what tells it of signals), its socket, and what it needs to look up
/// the name of a host.
const PAIRS: usize = 5;

/// There is no room for the files that every command needs.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may not even have the {} files and sockets open that a command needs; `ulimit -n` says \
     how many it may, and raises that",
    2 * PAIRS
)]
pub(crate) struct NoRoom(#[source] std::io::Error);

/// Raises the limit as far as the system lets this process.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is refused, the limit stays what it was.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// How many files this process may have open, if that is limited.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Checks that there is room for the files that every command needs: a runtime that finds none for its own
/// panics.
///
/// # Errors
/// There is none.
pub(crate) fn check_room() -> Result<(), NoRoom> {
    // They are opened rather than counted: nobody knows how many files a process is started with.
    let pairs: Result<Vec<_>, _> = (0..PAIRS).map(|_| UnixStream::pair()).collect();
    pairs.map(drop).map_err(NoRoom)
}
