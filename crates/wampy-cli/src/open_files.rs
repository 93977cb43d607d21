//! How many files, which sockets are, this process may have open.
//!
//! The limit that a shell or service manager gives is often 1024, because old programs cannot take more;
//! the one up to which a process may raise it is that of the machine.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as the system lets this process; how many files it may have open then, if that
/// is limited.
pub(crate) fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is refused, the limit stays what it was.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current
}
