//! Which of the router's threads work while one realm is hot.

use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use wampy_bench::{Rpc, Transport, Workload, run};

use super::Setup;
use super::findings::{Findings, number, table};
use super::process_files::{Thread, threads};
use super::router::Router;

/// The load begins with what it does not measure; the threads are watched after that.
const AFTER_START: f64 = 0.25;

/// Threads with less of a core than this are told as one.
const SHARE_MIN: f64 = 0.01;

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let time = setup.time(Duration::from_secs(4));
    let mut rows = Vec::new();
    for transport in [Transport::RawSocketMsgpack, Transport::WebSocketJson] {
        let router = Router::start(&setup.wampy, &[])?;
        let target = router.target(transport)?;
        let workload = Workload::Rpc(Rpc {
            callers: 16,
            in_flight: 8,
            callees: 1,
            payload_bytes: 16,
        });
        let (ended, end) = mpsc::channel();
        let pid = router.pid();
        let watcher = thread::spawn(move || watch(pid, time, &end));
        let report = run(&workload, &target, time, &mut |_| ()).map_err(|error| error.to_string());
        // A watcher that has ended by itself has failed, and says so below.
        let _ = ended.send(());
        let watched = watcher.join().map_err(|_| "the watching thread failed")?;
        let (before, after, elapsed) = watched?;
        let report = report?;
        let name = transport.name();
        for (thread, share) in shares(&before, &after, elapsed) {
            rows.push(vec![
                format!("{name}: {thread}"),
                format!("{} %", number(share * 100.0)),
            ]);
        }
        let load = report
            .generator_share()
            .map_or(f64::NAN, |share| share * 100.0);
        rows.push(vec![
            format!("{name}: the load, for comparison"),
            format!("{} %", number(load)),
        ]);
        let rate = format!("{} calls/s", number(report.per_second()));
        rows.push(vec![format!("{name}: result"), rate]);
    }
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let text = format!(
        "One realm, 16 callers with 8 calls under way each, one callee, 16 bytes: how much of one \
         core each thread of the router used, on {cores} cores, of which the load generator and its \
         share of the kernel need one.\n\n{}",
        table(&["thread", "share of a core"], &rows)
    );
    Ok(Findings {
        text,
        ..Findings::default()
    })
}

/// The threads some time after the start of the load, and at its end or shortly before.
fn watch(
    pid: u32,
    time: Duration,
    end: &mpsc::Receiver<()>,
) -> Result<(Vec<Thread>, Vec<Thread>, Duration), String> {
    if end.recv_timeout(time.mul_f64(AFTER_START)) != Err(RecvTimeoutError::Timeout) {
        return Err("the load ended before its threads were seen".to_owned());
    }
    let (start, before) = (Instant::now(), threads(pid)?);
    // The load lasts longer than that, by its warming up.
    let _ = end.recv_timeout(time.mul_f64(1.0 - AFTER_START));
    Ok((before, threads(pid)?, start.elapsed()))
}

/// How much of a core each thread used; threads that hardly worked are told together.
fn shares(before: &[Thread], after: &[Thread], elapsed: Duration) -> Vec<(String, f64)> {
    let before: HashMap<u32, Duration> = before
        .iter()
        .map(|thread| (thread.id, thread.cpu))
        .collect();
    let (mut shares, mut idle) = (Vec::new(), 0);
    for (at, thread) in after.iter().enumerate() {
        let then = before.get(&thread.id).copied().unwrap_or_default();
        let share = thread.cpu.saturating_sub(then).as_secs_f64() / elapsed.as_secs_f64();
        match share >= SHARE_MIN {
            true => shares.push((format!("thread {} ({})", at + 1, thread.name), share)),
            false => idle += 1,
        }
    }
    if idle > 0 {
        shares.push((format!("{idle} more threads, each"), 0.0));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_charged_what_it_used_meanwhile() {
        let thread = |id, cpu_ms| Thread {
            id,
            name: "worker".to_owned(),
            cpu: Duration::from_millis(cpu_ms),
        };
        let before = [thread(7, 100), thread(8, 500), thread(9, 40)];
        let after = [
            thread(7, 1100),
            thread(8, 1000),
            thread(9, 40),
            thread(10, 1000),
        ];
        let shares = shares(&before, &after, Duration::from_secs(2));
        let expected = [
            ("thread 1 (worker)", 0.5),
            ("thread 2 (worker)", 0.25),
            ("thread 4 (worker)", 0.5),
            ("1 more threads, each", 0.0),
        ]
        .map(|(name, share)| (name.to_owned(), share));
        assert_eq!(shares, expected);
    }
}
