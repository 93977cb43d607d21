//! Latency and throughput of one realm's calls against what else the router holds: idle sessions,
//! registrations of others.

use std::time::Duration;

use wampy_bench::{Report, Rpc, Target, Transport, Workload, run};

use super::Setup;
use super::axis::Axis;
use super::chart::{Chart, Series};
use super::crowd::Crowd;
use super::findings::{Findings, count, number, table};
use super::holders::{Held, Holders, KINDS};
use super::open_files::fitting;
use super::router::Router;
use super::statistics::median;
use super::wire::Framing;

const SESSIONS: [usize; 6] = [1, 10, 100, 1000, 10_000, 50_000];
const REGISTRATIONS: [usize; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// Sockets that the load needs beside the idle ones.
const LOAD_SOCKETS: usize = 40;

const REALM: &str = "realm1";

/// How often each point is measured.
const ROUNDS: usize = 3;

/// What was found beside so many.
struct Point {
    kind: &'static str,
    others: usize,
    /// With one call under way.
    p50_us: f64,
    p99_us: f64,
    /// With 128 calls of 16 callers.
    per_second: f64,
}

impl Point {
    fn measure(
        setup: &Setup,
        kind: &'static str,
        others: usize,
        target: &Target,
    ) -> Result<Self, String> {
        let time = setup.time(Duration::from_millis(400));
        let (mut alone, mut busy) = (Vec::new(), Vec::new());
        for _ in 0..setup.rounds(ROUNDS) {
            alone.push(calls(1, 1, target, time)?);
            busy.push(calls(16, 8, target, time)?);
        }
        let microseconds = |figure: fn(&Report) -> Duration| {
            median(
                alone
                    .iter()
                    .map(|report| figure(report).as_secs_f64() * 1e6),
            )
        };
        // Nothing is drawn where nothing was measured.
        Ok(Self {
            kind,
            others,
            p50_us: microseconds(|report| report.latency_p50).unwrap_or(f64::NAN),
            p99_us: microseconds(|report| report.latency_p99).unwrap_or(f64::NAN),
            per_second: median(busy.iter().map(Report::per_second)).unwrap_or(f64::NAN),
        })
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.kind.to_owned(),
            count(self.others),
            number(self.p50_us),
            number(self.p99_us),
            number(self.per_second),
        ]
    }
}

fn calls(
    callers: usize,
    in_flight: usize,
    target: &Target,
    time: Duration,
) -> Result<Report, String> {
    let workload = Workload::Rpc(Rpc {
        callers,
        in_flight,
        callees: 1,
        payload_bytes: 16,
    });
    let report = run(&workload, target, time, &mut |_| ()).map_err(|error| error.to_string())?;
    match report.faults() {
        0 => Ok(report),
        faults => Err(format!("{faults} faults with {workload:?}")),
    }
}

pub fn sessions(setup: &Setup) -> Result<Findings, String> {
    let steps = if setup.quick {
        &SESSIONS[..3]
    } else {
        &SESSIONS
    };
    let router = Router::start(&setup.wampy, &[])?;
    let target = router.target(Transport::RawSocketMsgpack)?;
    let mut crowd = Crowd::new(Framing::RawSocket, router.addresses(), REALM)?;
    let mut points = Vec::new();
    for others in fitting(steps, setup.sockets.saturating_sub(LOAD_SOCKETS)) {
        crowd.grow_to(others)?;
        points.push(Point::measure(setup, "idle sessions", others, &target)?);
    }
    let departure = crowd.leave()?;
    if departure.failed > 0 {
        return Err(format!(
            "{} idle sessions were gone at the end",
            departure.failed
        ));
    }
    let text = "Calls over RawSocket, beside so many sessions in the same realm that do nothing.";
    Ok(findings(
        text,
        ["sessions-latency", "sessions-throughput"],
        "idle sessions",
        &points,
    ))
}

pub fn registrations(setup: &Setup) -> Result<Findings, String> {
    let steps = if setup.quick {
        &REGISTRATIONS[..3]
    } else {
        &REGISTRATIONS
    };
    let mut points = Vec::new();
    for kind in KINDS {
        let router = Router::start(&setup.wampy, &[])?;
        let target = router.target(Transport::RawSocketMsgpack)?;
        let mut holders = Holders::new(router.address(), REALM, Held::Registrations);
        let mut held = 0;
        for &others in steps {
            holders.hold(&kind, held, others)?;
            held = others;
            points.push(Point::measure(setup, kind.name, others, &target)?);
        }
    }
    let text = "Calls over RawSocket of a procedure that is registered exactly, beside so many \
                registrations of others: exact ones, prefixes, wildcards.";
    let files = ["registrations-latency", "registrations-throughput"];
    Ok(findings(text, files, "registrations of others", &points))
}

fn findings(
    text: &str,
    files: [&'static str; 2],
    what: &'static str,
    points: &[Point],
) -> Findings {
    let rows: Vec<Vec<String>> = points.iter().map(Point::row).collect();
    let header = [
        "others",
        "how many",
        "p50 µs, 1x1",
        "p99 µs, 1x1",
        "calls a second, 16x8",
    ];
    let chart = |name: &str, label, figure: fn(&Point) -> f64| Chart {
        title: format!("{name} of calls against {what}"),
        x: Axis::log(what),
        y: Axis::linear(label),
        series: series(points, figure),
    };
    Findings {
        verdicts: Vec::new(),
        text: format!(
            "{text} Medians of {ROUNDS} rounds.\n\n{}",
            table(&header, &rows)
        ),
        charts: vec![
            (
                files[0],
                chart("Latency", "median latency, µs", |point| point.p50_us),
            ),
            (
                files[1],
                chart("Throughput", "calls a second", |point| point.per_second),
            ),
        ],
    }
}

/// One line for each kind, in the order of their first points.
fn series(points: &[Point], figure: fn(&Point) -> f64) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for point in points {
        let value = (point.others as f64, figure(point));
        match series.iter_mut().find(|series| series.name == point.kind) {
            Some(series) => series.points.push(value),
            None => series.push(Series::new(point.kind, [value])),
        }
    }
    series
}
