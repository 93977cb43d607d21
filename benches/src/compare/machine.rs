//! The machine in one line, without anything that tells whose it is.

use std::fs;
use std::process::Command;
use std::thread;

/// Processor, cores, memory, kernel, compiler.
pub fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let parts = [
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| env_arch().to_owned()),
        format!("{cores} cores"),
        field("/proc/meminfo", "MemTotal")
            .and_then(|kib| gibibytes(&kib))
            .unwrap_or_default(),
        fs::read_to_string("/proc/sys/kernel/osrelease")
            .map_or(String::new(), |name| kernel(&name)),
        rustc().unwrap_or_default(),
    ];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// Above this many runnable tasks before the start, others disturb the measurement.
const IDLE_LOAD_MAX: f64 = 0.5;

/// What the page says about other work on the machine, from the load average before the start:
/// nothing if it was idle.
pub fn disturbance() -> Option<String> {
    disturbed_by(&fs::read_to_string("/proc/loadavg").ok()?)
}

fn disturbed_by(averages: &str) -> Option<String> {
    let load: f64 = averages.split(' ').next()?.parse().ok()?;
    (load > IDLE_LOAD_MAX).then(|| {
        format!(
            "The machine was not idle: its load average before the start was {load:.1}. \
             Rates are too low, tails too long, and the ratios rough."
        )
    })
}

fn env_arch() -> &'static str {
    std::env::consts::ARCH
}

/// The value behind the first `name :` of a file of `/proc`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gibibytes(kib: &str) -> Option<String> {
    let kib: f64 = kib.split(' ').next()?.parse().ok()?;
    Some(format!("{:.0} GiB", kib / (1024.0 * 1024.0)))
}

/// The first two numbers: what follows may name a host or a site.
fn kernel(release: &str) -> String {
    let numbers: Vec<&str> = release.split(['.', '-']).take(2).collect();
    format!("Linux {}", numbers.join("."))
}

fn rustc() -> Option<String> {
    let output = Command::new("rustc").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(
        text.split(' ')
            .take(2)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_files_say_is_read() {
        assert_eq!(kernel("6.18.44-some-site\n"), "Linux 6.18");
        assert_eq!(disturbed_by("0.21 3.00 4.00 1/99 7"), None);
        assert!(disturbed_by("5.49 7.22 5.27 2/99 7").is_some_and(|said| said.contains("5.5")));
        assert_eq!(gibibytes("16384000 kB").as_deref(), Some("16 GiB"));
    }
}
