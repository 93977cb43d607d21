//! CPU time of other processes and of the load loop, as the kernel counts it.
//!
//! Linux only (`/proc`); elsewhere every answer is `None` and reports lack these figures.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// `/proc` counts CPU time in units of 1/100 s; the kernel keeps this constant for user space.
const TICK: Duration = Duration::from_millis(10);

/// CPU time used so far by a process and all its living descendants; `None` if there is no such
/// process or no `/proc`.
pub fn process_tree_cpu(pid: u32) -> Option<Duration> {
    let mut total = read_stat(&format!("/proc/{pid}/stat"))?.cpu;
    let mut children: HashMap<u32, Vec<(u32, Duration)>> = HashMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(child) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some(stat) = read_stat(&format!("/proc/{child}/stat")) {
            children
                .entry(stat.parent)
                .or_default()
                .push((child, stat.cpu));
        }
    }
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for (child, cpu) in children.remove(&parent).unwrap_or_default() {
            total += cpu;
            parents.push(child);
        }
    }
    Some(total)
}

/// CPU time used so far by the calling thread.
pub fn thread_cpu() -> Option<Duration> {
    Some(read_stat("/proc/thread-self/stat")?.cpu)
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    cpu: Duration,
}

fn read_stat(path: &str) -> Option<Stat> {
    parse_stat(&fs::read_to_string(path).ok()?)
}

/// Reads a line of `stat`. The second field, a name in parentheses, may hold anything, so fields are
/// counted from its end.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, fields) = line.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u32>().ok();
    let ticks = number(11)?.checked_add(number(12)?)?;
    Some(Stat {
        parent: number(1)?,
        cpu: TICK * ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_stat_line_is_read_even_with_a_hostile_name() {
        let line = "12 (a) R 1 (b) S 77 12 12 0 -1 4194304 1 0 0 0 150 25 0 0 20 0 1 0 9 9 9";
        let expected = Stat {
            parent: 77,
            cpu: Duration::from_millis(1750),
        };
        assert_eq!(parse_stat(line), Some(expected));
        assert_eq!(parse_stat("12 (a) R 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn work_shows_as_cpu_time_of_thread_and_process() {
        let thread = thread_cpu().unwrap();
        let process = process_tree_cpu(std::process::id()).unwrap();
        let start = Instant::now();
        let mut value = 1u64;
        while thread_cpu().unwrap() < thread + TICK * 3 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "the clock does not advance"
            );
            for _ in 0..100_000 {
                value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005));
            }
        }
        assert!(process_tree_cpu(std::process::id()).unwrap() >= process + TICK * 2);
        assert_eq!(process_tree_cpu(u32::MAX), None);
    }
}
