//! Whether realms run in parallel: pairs of a caller and a callee, each pair in a realm of its own,
//! beside as many pairs in one realm.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use wampy_bench::{Report, Rpc, Target, Transport, Workload, run};

use super::Setup;
use super::axis::Axis;
use super::chart::{Chart, Series};
use super::findings::{Findings, count, number, table};
use super::process_files::cpu;
use super::router::Router;

const PAIRS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Calls under way of each pair.
const IN_FLIGHT: usize = 16;

/// What all pairs together did.
struct Point {
    pairs: usize,
    per_second: f64,
    /// Cores that the router used.
    cores: f64,
}

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let time = setup.time(Duration::from_millis(800));
    let steps = if setup.quick { &PAIRS[..3] } else { &PAIRS };
    let names: Vec<String> = (1..=64).map(|number| format!("realm{number}")).collect();
    let arguments: Vec<&str> = names.iter().flat_map(|name| ["--realm", name]).collect();
    let router = Router::start(&setup.wampy, &arguments)?;
    let target = router.target(Transport::RawSocketMsgpack)?;
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for &pairs in steps {
        let apart = |pair: usize| target.clone().realm(&names[pair]);
        own.push(all(pairs, apart, router.pid(), time)?);
        let together = |_| target.clone().realm(&names[0]);
        shared.push(all(pairs, together, router.pid(), time)?);
    }
    Ok(findings(&own, &shared))
}

/// Runs so many pairs at once, each with a load loop of its own.
fn all(
    pairs: usize,
    target: impl Fn(usize) -> Target,
    pid: u32,
    time: Duration,
) -> Result<Point, String> {
    let workload = Workload::Rpc(Rpc {
        callers: 1,
        in_flight: IN_FLIGHT,
        callees: 1,
        payload_bytes: 16,
    });
    let together = Barrier::new(pairs);
    let targets: Vec<Target> = (0..pairs).map(target).collect();
    let (start, before) = (Instant::now(), cpu(pid)?);
    let outcomes: Vec<Result<Report, String>> = thread::scope(|scope| {
        let threads: Vec<_> = targets
            .iter()
            .map(|target| {
                scope.spawn(|| {
                    together.wait();
                    run(&workload, target, time, &mut |_| ()).map_err(|error| error.to_string())
                })
            })
            .collect();
        let outcome = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a load loop failed".to_owned()))
        };
        threads.into_iter().map(outcome).collect()
    });
    let used = cpu(pid)?.saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64();
    let mut per_second = 0.0;
    for outcome in outcomes {
        let report = outcome?;
        if report.faults() > 0 {
            return Err(format!("{} faults with {pairs} pairs", report.faults()));
        }
        per_second += report.per_second();
    }
    Ok(Point {
        pairs,
        per_second,
        cores: used,
    })
}

fn findings(own: &[Point], shared: &[Point]) -> Findings {
    let row = |(own, shared): (&Point, &Point)| {
        vec![
            count(own.pairs),
            number(own.per_second),
            number(own.cores),
            number(shared.per_second),
            number(shared.cores),
        ]
    };
    let rows: Vec<Vec<String>> = own.iter().zip(shared).map(row).collect();
    let header = [
        "pairs",
        "realm each: calls a second",
        "router's cores",
        "one realm: calls a second",
        "router's cores",
    ];
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let line = |name: &str, points: &[Point]| {
        let point = |point: &Point| (point.pairs as f64, point.per_second);
        Series::new(name, points.iter().map(point))
    };
    let chart = Chart {
        title: "Calls of all pairs, a realm for each pair or one for all".to_owned(),
        x: Axis::log("pairs of caller and callee"),
        y: Axis::linear("calls a second, all pairs"),
        series: vec![
            line("a realm for each pair", own),
            line("one realm", shared),
        ],
    };
    Findings {
        verdicts: Vec::new(),
        text: format!(
            "Each pair is a caller with {IN_FLIGHT} calls under way and its callee, over RawSocket, \
             driven by a thread of its own; the {cores} cores of this machine are shared by the \
             router and all these threads. The router's cores are counted from before the first \
             session to after the last.\n\n{}",
            table(&header, &rows)
        ),
        charts: vec![("realms", chart)],
    }
}
