//! What the kernel tells about the router's process: its memory, and the work of its threads.
//!
//! Linux only (`/proc`); elsewhere the measurements say that they cannot be made.

use std::fs;
use std::time::Duration;

/// `/proc` counts CPU time in units of 1/100 s; the kernel keeps this constant for user space.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All pages that are in memory, those of the program itself included.
    pub resident: u64,
    /// What of it lies in huge pages, which the kernel gives only whole.
    pub huge: u64,
}

/// The memory of a process now.
pub fn memory(pid: u32) -> Result<Memory, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    parse_memory(&text).ok_or_else(|| format!("{path} does not tell the memory"))
}

fn parse_memory(smaps: &str) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = smaps.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    };
    Some(Memory {
        resident: bytes("Rss:")?,
        huge: bytes("AnonHugePages:")?,
    })
}

/// One thread and the CPU time that it has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub id: u32,
    pub name: String,
    pub cpu: Duration,
}

/// The threads of a process, oldest first.
pub fn threads(pid: u32) -> Result<Vec<Thread>, String> {
    let path = format!("/proc/{pid}/task");
    let entries = fs::read_dir(&path).map_err(|error| format!("{path}: {error}"))?;
    let mut threads: Vec<Thread> = entries
        .flatten()
        .filter_map(|entry| parse_thread(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect();
    threads.sort_by_key(|thread| thread.id);
    Ok(threads)
}

/// Reads a line of `stat`: `id (name) state …`, and user and system time as the 12th and 13th
/// fields after the name, which may hold anything.
fn parse_thread(stat: &str) -> Option<Thread> {
    let (front, back) = stat.rsplit_once(')')?;
    let (id, name) = front.split_once(" (")?;
    let fields: Vec<&str> = back.split_ascii_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(Thread {
        id: id.parse().ok()?,
        name: name.to_owned(),
        cpu: TICK * ticks(11)?.checked_add(ticks(12)?)?,
    })
}

/// CPU time of all threads of a process.
pub fn cpu(pid: u32) -> Result<Duration, String> {
    Ok(threads(pid)?.iter().map(|thread| thread.cpu).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_bytes() {
        let smaps = "55d0-7ff1 ---p 00000000 00:00 0   [rollup]\nRss:               11724 kB\n\
                     Pss:                9858 kB\nAnonHugePages:      6144 kB\n";
        let expected = Memory {
            resident: 11_724 * 1024,
            huge: 6144 * 1024,
        };
        assert_eq!(parse_memory(smaps), Some(expected));
        assert_eq!(parse_memory("Pss: 12 kB\nAnonHugePages: 0 kB\n"), None);
        assert_eq!(parse_memory("Rss: 12 MB\nAnonHugePages: 1 kB\n"), None);
    }

    #[test]
    fn a_thread_is_read_even_with_a_hostile_name() {
        let line = "77 (to) R (kio) S 1 12 12 0 -1 4194304 1 0 0 0 150 25 0 0 20 0 1 0 9 9 9";
        let expected = Thread {
            id: 77,
            name: "to) R (kio".to_owned(),
            cpu: Duration::from_millis(1750),
        };
        assert_eq!(parse_thread(line), Some(expected));
        assert_eq!(parse_thread("77 (tokio) S 1"), None);
        assert_eq!(parse_thread(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_and_threads() {
        let pid = std::process::id();
        let memory = memory(pid).unwrap();
        assert!(memory.resident > memory.huge);
        assert!(!threads(pid).unwrap().is_empty());
        assert!(cpu(pid).is_ok());
        assert!(super::memory(u32::MAX).is_err() && threads(u32::MAX).is_err());
    }
}
