//! What the subscriptions of others cost a publication: nothing, if tables are good.
//!
//! One subscriber gets what one publisher publishes. Other sessions hold subscriptions that never
//! match, in growing numbers: exact ones, prefixes, wildcards. They resemble the published topic, so
//! that a table cannot dismiss them by their first component.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Setup;
use super::axis::Axis;
use super::chart::{Chart, Series};
use super::findings::{Bound, Findings, count, number, table};
use super::holders::{Held, Holders, KINDS, Kind, PER_SESSION, topic};
use super::member::Member;
use super::process_files::{cpu, memory};
use super::router::Router;
use super::statistics::median;
use super::wire::{Framing, Match, code};

/// Topics that are published to in turn, where it is not always the same.
const TOPICS: usize = 1000;

/// Publications that are under way at once where CPU time is measured.
const PIPELINE: usize = 50;

/// How often the full router and the empty one are measured in turn.
const ROUNDS: usize = 5;

const RATIO_MAX: f64 = 2.0;

const REALM: &str = "realm1";

/// A router, its publisher and its subscriber, and the sessions with other subscriptions.
struct Stage {
    publisher: Member,
    subscriber: Member,
    holders: Holders,
    topics: Vec<String>,
    /// The last to be dropped: a router that ends waits for the answers of sessions that are there.
    router: Router,
}

/// What one publication costs.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// CPU time of the router, in µs.
    cpu_us: f64,
    /// From PUBLISH to PUBLISHED, in µs, alone.
    round_trip_us: f64,
}

impl Stage {
    /// The subscriber holds so many topics, all of which are published to in turn.
    fn new(wampy: &Path, topics: usize) -> Result<Self, String> {
        let router = Router::start(wampy, &[])?;
        let join = || Member::join(router.address(), Framing::RawSocket, REALM);
        let (publisher, mut subscriber) = (join()?, join()?);
        let topics: Vec<String> = (0..topics).map(topic).collect();
        subscriber.subscribe(topics.iter().cloned(), Match::Exact)?;
        Ok(Self {
            holders: Holders::new(router.address(), REALM, Held::Subscriptions),
            router,
            publisher,
            subscriber,
            topics,
        })
    }

    /// Publishes to the first topics in turn for a time, `pipeline` at once: the time that each took,
    /// and CPU time of the router, both in µs.
    fn publish(
        &mut self,
        topics: usize,
        time: Duration,
        pipeline: usize,
    ) -> Result<(f64, f64), String> {
        let topics = &self.topics[..topics];
        let mut topics = topics.iter().map(String::as_str).cycle();
        let mut publications = 0;
        let before = cpu(self.router.pid())?;
        let (start, mut waited) = (Instant::now(), Duration::ZERO);
        while start.elapsed() < time {
            let begun = Instant::now();
            self.publisher
                .publish(topics.by_ref().take(pipeline), "sixteen bytes, 0")?;
            waited += begun.elapsed();
            for _ in 0..pipeline {
                self.subscriber.expect(code::EVENT)?;
            }
            publications += pipeline;
        }
        let used = cpu(self.router.pid())?.saturating_sub(before);
        let each = |duration: Duration| duration.as_secs_f64() * 1e6 / publications as f64;
        Ok((each(waited), each(used)))
    }

    /// What a publication costs, with so many topics in turn.
    fn cost(&mut self, topics: usize, time: Duration) -> Result<Cost, String> {
        let (round_trip_us, _) = self.publish(topics, time / 2, 1)?;
        let (_, cpu_us) = self.publish(topics, time, PIPELINE)?;
        Ok(Cost {
            cpu_us,
            round_trip_us,
        })
    }
}

/// How much less a quick run holds.
const QUICK_DIVISOR: usize = 1000;

/// From so many subscriptions on, memory for each of them means something.
const MEMORY_FROM: usize = 100_000;

/// One point of a curve.
struct Point {
    kind: &'static str,
    held: usize,
    /// Always to the same topic, and to all in turn.
    same: Cost,
    in_turn: Cost,
    /// Memory of the router for each of them.
    bytes_each: Option<f64>,
}

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let time = setup.time(Duration::from_millis(500));
    let divisor = if setup.quick { QUICK_DIVISOR } else { 1 };
    let mut points = Vec::new();
    for kind in KINDS {
        points.extend(curve(setup, &kind, kind.most / divisor, time)?);
    }
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for (what, topics) in [
        ("always the same topic", 1),
        ("1,000 topics in turn", TOPICS),
    ] {
        let (alone, full) = compare(setup, topics, divisor, time)?;
        let ratio = |figure: Figure| {
            let pairs = full.iter().zip(&alone);
            median(pairs.map(|(full, alone)| figure(full) / figure(alone)))
        };
        for (name, figure) in FIGURES {
            let title = format!("{name} among 1.2 million subscriptions, {what}");
            let bound = Bound::AtMost(RATIO_MAX);
            findings.judge(title, bound, ratio(figure), "× that of one alone");
            let typical = |costs: &[Cost]| median(costs.iter().map(figure)).unwrap_or(f64::NAN);
            rows.push(vec![
                format!("{name}, {what}"),
                number(typical(&alone)),
                number(typical(&full)),
            ]);
        }
    }
    findings.text = text(&points, &rows);
    let figures: [PointFigure; 2] = [|point| point.same.cpu_us, |point| point.in_turn.cpu_us];
    let names = ["same-topic", "topics-in-turn"];
    let titles = ["always the same topic", "1,000 topics in turn"];
    for ((name, title), figure) in names.into_iter().zip(titles).zip(figures) {
        findings.charts.push((name, chart(&points, title, figure)));
    }
    Ok(findings)
}

/// Costs while others hold more and more of one kind.
fn curve(setup: &Setup, kind: &Kind, most: usize, time: Duration) -> Result<Vec<Point>, String> {
    let mut stage = Stage::new(&setup.wampy, TOPICS)?;
    stage.cost(1, time / 2)?;
    let empty = memory(stage.router.pid())?.resident;
    let (mut points, mut held) = (Vec::new(), 0);
    while held < most {
        let more = (held * 10).max(1);
        stage.holders.hold(kind, held, more)?;
        held = more;
        let full = memory(stage.router.pid())?.resident;
        let bytes = full.saturating_sub(empty) as f64 / held as f64;
        points.push(Point {
            kind: kind.name,
            held,
            same: stage.cost(1, time)?,
            in_turn: stage.cost(TOPICS, time)?,
            bytes_each: (held >= MEMORY_FROM).then_some(bytes),
        });
    }
    Ok(points)
}

/// What is looked at.
type Figure = fn(&Cost) -> f64;

const FIGURES: [(&str, Figure); 2] = [
    ("router's CPU for a publication", |cost| cost.cpu_us),
    ("round trip of a publication", |cost| cost.round_trip_us),
];

/// Costs without and with all subscriptions of others, round by round.
fn compare(
    setup: &Setup,
    topics: usize,
    divisor: usize,
    time: Duration,
) -> Result<(Vec<Cost>, Vec<Cost>), String> {
    let mut alone = Stage::new(&setup.wampy, topics)?;
    let mut full = Stage::new(&setup.wampy, topics)?;
    for kind in KINDS {
        full.holders.hold(&kind, 0, kind.most / divisor)?;
    }
    let mut costs = (Vec::new(), Vec::new());
    for _ in 0..setup.rounds(ROUNDS) {
        costs.0.push(alone.cost(topics, time)?);
        costs.1.push(full.cost(topics, time)?);
    }
    Ok(costs)
}

fn text(points: &[Point], rows: &[Vec<String>]) -> String {
    let curve = |point: &Point| {
        vec![
            point.kind.to_owned(),
            count(point.held),
            number(point.same.cpu_us),
            number(point.in_turn.cpu_us),
            number(point.same.round_trip_us),
            number(point.in_turn.round_trip_us),
            point.bytes_each.map_or_else(String::new, number),
        ]
    };
    let curves: Vec<Vec<String>> = points.iter().map(curve).collect();
    let header = [
        "others hold",
        "subscriptions",
        "router's CPU, same topic",
        "in turn",
        "round trip, same topic",
        "in turn",
        "memory of each, bytes",
    ];
    format!(
        "One publisher, one subscriber, and sessions with other subscriptions that never match, \
         {} each. A publication is acknowledged and received before the next one (the round trip), \
         or {PIPELINE} are under way at once (the CPU time). Two routers in turn, one without and \
         one with 1,000,000 exact subscriptions, 100,000 prefixes and 100,000 wildcards of others; \
         medians of {ROUNDS} rounds, in µs:\n\n{}\n\
         How the cost grows with each kind, always the same topic and {} topics in turn, in µs:\n\n{}",
        count(PER_SESSION),
        table(&["", "alone", "among all"], rows),
        count(TOPICS),
        table(&header, &curves)
    )
}

type PointFigure = fn(&Point) -> f64;

fn chart(points: &[Point], title: &str, figure: PointFigure) -> Chart {
    let line = |kind: Kind| {
        let of_kind = points.iter().filter(|point| point.kind == kind.name);
        Series::new(
            kind.name,
            of_kind.map(|point| (point.held as f64, figure(point))),
        )
    };
    Chart {
        title: format!("Cost of a publication against the subscriptions of others, {title}"),
        x: Axis::log("subscriptions of others in the realm"),
        y: Axis::linear("router's CPU for a publication, µs"),
        series: KINDS.map(line).into(),
    }
}
