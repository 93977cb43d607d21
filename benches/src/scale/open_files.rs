//! How many sockets this process, and the routers that it starts, may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside the sockets: logs, standard streams, the readiness loop.
const OTHER_FILES: usize = 100;

/// Raises the limit of this process as far as the system lets it: how many sockets fit. Processes
/// that are started afterwards inherit it.
pub fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where that is refused, the limit stays what it was, and the caller sees that.
    let _ = setrlimit(Resource::Nofile, raised);
    sockets(getrlimit(Resource::Nofile).current)
}

fn sockets(files: Option<u64>) -> usize {
    let files = files.map_or(usize::MAX, |files| {
        usize::try_from(files).unwrap_or(usize::MAX)
    });
    files.saturating_sub(OTHER_FILES)
}

/// `wanted` steps as far as they fit; those that do not are replaced by as many as do.
pub fn fitting(wanted: &[usize], room: usize) -> Vec<usize> {
    let mut steps: Vec<usize> = wanted.iter().map(|step| (*step).min(room)).collect();
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_where_the_system_does() {
        assert_eq!(fitting(&[10, 100, 1000], 5000), [10, 100, 1000]);
        assert_eq!(fitting(&[10, 100, 1000], 400), [10, 100, 400]);
        assert_eq!(fitting(&[10, 100, 1000], 50), [10, 50]);
    }

    #[test]
    fn a_limit_leaves_room_for_other_files() {
        assert_eq!(sockets(Some(20_000)), 19_900);
        assert_eq!(sockets(None), usize::MAX - OTHER_FILES);
        assert_eq!(sockets(Some(7)), 0);
        assert!(raise() > 0);
    }
}
