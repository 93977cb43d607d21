//! Latency and throughput against one number of a workload, over both transports, with the floor.

use std::time::Duration;

use wampy_bench::{PubSub, Report, Rpc, Target, Transport, Workload, run};

use super::Setup;
use super::axis::{Axis, Scale, Unit, write_value};
use super::chart::{Chart, Series};
use super::findings::{Findings, number, table};
use super::router::{ENGINES, Floor, Router};
use super::statistics::median;

/// How often each point is measured, all peers in turn.
const ROUNDS: usize = 3;

/// A curve: which number is varied, and what runs with it.
struct Curve {
    /// Name of the charts' files, for latency and throughput.
    files: [&'static str; 2],
    /// The number that is varied.
    what: &'static str,
    unit: Unit,
    steps: &'static [usize],
    latency: fn(usize) -> Workload,
    throughput: fn(usize) -> Workload,
    /// Whether latency and throughput come from one run.
    is_one_run: bool,
    text: &'static str,
}

const fn rpc(callers: usize, in_flight: usize, payload_bytes: usize) -> Workload {
    Workload::Rpc(Rpc {
        callers,
        in_flight,
        callees: 1,
        payload_bytes,
    })
}

const fn pubsub(subscribers: usize) -> Workload {
    Workload::PubSub(PubSub {
        publishers: 1,
        subscribers,
        window: 4,
        payload_bytes: 16,
    })
}

const PAYLOAD: Curve = Curve {
    files: ["payload-latency", "payload-throughput"],
    what: "payload",
    unit: Unit::Bytes,
    steps: &[16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576],
    latency: |bytes| rpc(1, 1, bytes),
    throughput: |bytes| rpc(4, 4, bytes),
    is_one_run: false,
    text: "One caller with one call under way (latency); 4 callers with 4 calls each (throughput).",
};

const SUBSCRIBERS: Curve = Curve {
    files: ["subscribers-latency", "subscribers-throughput"],
    what: "subscribers",
    unit: Unit::Count,
    steps: &[1, 3, 10, 30, 100, 300, 1000],
    latency: pubsub,
    throughput: pubsub,
    is_one_run: true,
    text: "One publisher with 4 publications under way, 16 bytes. Latency is that of each event; \
           the last of many subscribers waits until all before it are served.",
};

const IN_FLIGHT: Curve = Curve {
    files: ["in-flight-latency", "in-flight-throughput"],
    what: "calls under way",
    unit: Unit::Count,
    steps: &[1, 2, 4, 8, 16, 32, 64, 128, 256],
    latency: |calls| rpc(1, calls, 16),
    throughput: |calls| rpc(1, calls, 16),
    is_one_run: true,
    text: "One caller, one callee, 16 bytes.",
};

pub fn payload(setup: &Setup) -> Result<Findings, String> {
    PAYLOAD.measure(setup)
}

pub fn subscribers(setup: &Setup) -> Result<Findings, String> {
    SUBSCRIBERS.measure(setup)
}

pub fn in_flight(setup: &Setup) -> Result<Findings, String> {
    IN_FLIGHT.measure(setup)
}

/// The peers, in the order of the lines; the floor is the last.
const PEERS: [&str; 3] = ["wampy, RawSocket", "wampy, WebSocket", "floor, RawSocket"];
const FLOOR: usize = 2;

/// What one peer did with one step.
#[derive(Clone, Copy)]
struct Point {
    p50_us: f64,
    p99_us: f64,
    per_second: f64,
}

impl Point {
    /// Each figure's median.
    fn median(points: &[Self]) -> Self {
        let typical = |figure: fn(&Self) -> f64| {
            // Nothing is drawn where nothing was measured.
            median(points.iter().map(figure)).unwrap_or(f64::NAN)
        };
        Self {
            p50_us: typical(|point| point.p50_us),
            p99_us: typical(|point| point.p99_us),
            per_second: typical(|point| point.per_second),
        }
    }
}

impl Curve {
    fn measure(&self, setup: &Setup) -> Result<Findings, String> {
        let time = setup.time(Duration::from_millis(400));
        let steps = if setup.quick {
            &self.steps[..2]
        } else {
            self.steps
        };
        let router = Router::start(&setup.wampy, &[])?;
        let targets = [
            router.target(Transport::RawSocketMsgpack)?,
            router.target(Transport::WebSocketJson)?,
        ];
        let mut rows = Vec::new();
        for &step in steps {
            let mut rounds: [Vec<Point>; PEERS.len()] = Default::default();
            for _ in 0..setup.rounds(ROUNDS) {
                for (at, target) in targets.iter().enumerate() {
                    rounds[at].push(self.point(step, |workload| measured(workload, target, time))?);
                }
                rounds[FLOOR].push(self.point(step, |workload| floor(workload, time))?);
            }
            rows.push((step, rounds.map(|points| Point::median(&points)).to_vec()));
        }
        Ok(self.findings(&rows))
    }

    fn point(
        &self,
        step: usize,
        measured: impl Fn(&Workload) -> Result<Vec<Report>, String>,
    ) -> Result<Point, String> {
        let quick = measured(&(self.latency)(step))?;
        let many = match self.is_one_run {
            true => quick.clone(),
            false => measured(&(self.throughput)(step))?,
        };
        // Where there are several engines, each figure is that of the better one.
        let best = quick.iter().min_by_key(|report| report.latency_p50);
        let best = best.ok_or("nothing was measured")?;
        Ok(Point {
            p50_us: best.latency_p50.as_secs_f64() * 1e6,
            p99_us: best.latency_p99.as_secs_f64() * 1e6,
            per_second: many.iter().map(Report::per_second).fold(0.0, f64::max),
        })
    }

    fn findings(&self, rows: &[(usize, Vec<Point>)]) -> Findings {
        let cells = |(step, points): &(usize, Vec<Point>)| {
            let mut row = vec![write_value(*step as f64, self.unit)];
            for point in points {
                row.push(format!(
                    "{} ({})",
                    number(point.p50_us),
                    number(point.p99_us)
                ));
            }
            row.extend(points.iter().map(|point| number(point.per_second)));
            row
        };
        let rows_text: Vec<Vec<String>> = rows.iter().map(cells).collect();
        let header: Vec<String> = std::iter::once(self.what.to_owned())
            .chain(PEERS.map(|peer| format!("{peer}: p50 (p99) µs")))
            .chain(PEERS.map(|peer| format!("{peer}: {}s a second", self.counted())))
            .collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let [latency, throughput] = self.files;
        Findings {
            verdicts: Vec::new(),
            text: format!(
                "{} Medians of {ROUNDS} rounds, all peers in turn.\n\n{}",
                self.text,
                table(&header, &rows_text)
            ),
            charts: vec![
                (
                    latency,
                    self.chart(rows, "Latency", "median latency, µs", |point| point.p50_us),
                ),
                (
                    throughput,
                    self.chart(rows, "Throughput", self.rate(), |point| point.per_second),
                ),
            ],
        }
    }

    fn counted(&self) -> &'static str {
        (self.throughput)(self.steps[0]).unit()
    }

    fn rate(&self) -> &'static str {
        match self.counted() {
            "event" => "events a second",
            _ => "calls a second",
        }
    }

    fn chart(
        &self,
        rows: &[(usize, Vec<Point>)],
        name: &str,
        label: &'static str,
        figure: fn(&Point) -> f64,
    ) -> Chart {
        let line = |(at, peer): (usize, &&str)| {
            let points = rows
                .iter()
                .map(|(step, points)| (*step as f64, figure(&points[at])));
            Series {
                is_floor: at == FLOOR,
                ..Series::new(peer, points)
            }
        };
        Chart {
            title: format!("{name} against {}", self.what),
            x: Axis {
                label: self.what,
                scale: Scale::Log,
                unit: self.unit,
            },
            y: Axis::log(label),
            series: PEERS.iter().enumerate().map(line).collect(),
        }
    }
}

fn measured(workload: &Workload, target: &Target, time: Duration) -> Result<Vec<Report>, String> {
    let report = run(workload, target, time, &mut |_| ()).map_err(|error| error.to_string())?;
    match report.faults() {
        0 => Ok(vec![report]),
        faults => Err(format!("{faults} faults with {workload:?}")),
    }
}

/// Both engines of the relay.
fn floor(workload: &Workload, time: Duration) -> Result<Vec<Report>, String> {
    let mut reports = Vec::new();
    for engine in ENGINES {
        let floor = Floor::start(engine, workload)?;
        reports.extend(measured(workload, &floor.target, time)?);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_has_charts_with_the_floor_and_all_its_steps() {
        for curve in [PAYLOAD, SUBSCRIBERS, IN_FLIGHT] {
            let point = Point {
                p50_us: 20.0,
                p99_us: 40.0,
                per_second: 5000.0,
            };
            let rows: Vec<_> = curve
                .steps
                .iter()
                .map(|step| (*step, vec![point; 3]))
                .collect();
            let findings = curve.findings(&rows);
            assert_eq!(findings.charts.len(), 2);
            for (_, chart) in &findings.charts {
                assert!(chart.series[FLOOR].is_floor, "{}", chart.title);
                assert_eq!(chart.series[0].points.len(), curve.steps.len());
            }
            let lines = findings.text.lines().filter(|line| line.starts_with('|'));
            assert_eq!(lines.count(), curve.steps.len() + 2, "{}", findings.text);
        }
    }

    #[test]
    fn what_is_under_way_fits_into_what_may_wait_for_one_session() {
        const OUTBOUND_BYTES_MAX: usize = 32 << 20;
        for step in PAYLOAD.steps {
            let Workload::Rpc(rpc) = (PAYLOAD.throughput)(*step) else {
                panic!("calls are measured");
            };
            assert!(rpc.callers * rpc.in_flight * step < OUTBOUND_BYTES_MAX);
        }
    }
}
