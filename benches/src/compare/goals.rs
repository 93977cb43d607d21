//! The targets of the project, and whether a comparison finds them met. Nothing here is a result:
//! every row is judged by what was measured.

use wampy_bench::{PubSub, Rpc, Workload};

use super::markdown::{head, line, ratio, short};
use super::matrix::Cell;
use super::peer::Peer;
use super::results::{Figure, Results, Spread, bytes, latency, rate, router_cpu};

/// What wampy's figure is divided by.
#[derive(Debug, Clone, Copy)]
enum Over {
    /// The same figure of the better relay.
    Floor,
    /// The same figure of the NATS server.
    Nats,
    /// wampy's own figure with one serializer for all.
    Unmixed,
}

impl Over {
    fn name(self) -> &'static str {
        match self {
            Self::Floor => "the floor",
            Self::Nats => "NATS",
            Self::Unmixed => "one serializer",
        }
    }
}

/// On which side of the number the quotient has to be.
#[derive(Debug, Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    fn allows(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn name(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {}", short(limit)),
            Self::AtLeast(limit) => format!("≥ {}", short(limit)),
        }
    }
}

/// One target for every cell that it is about.
struct Goal {
    /// What the figure is, in the plural of what is counted.
    what: &'static str,
    is_about: fn(&Cell) -> bool,
    figure: Figure,
    over: Over,
    limit: Limit,
}

impl Goal {
    fn name(&self) -> String {
        format!("{} {} × {}", self.what, self.limit.name(), self.over.name())
    }

    fn found(&self, cell: &Cell, results: &Results) -> Option<Spread> {
        let below = match self.over {
            Over::Floor => (*cell, results.floor(*cell)),
            Over::Nats => (*cell, Peer::Nats),
            Over::Unmixed => (cell.unmixed(), Peer::Wampy),
        };
        results.quotient((*cell, Peer::Wampy), below, self.figure)
    }

    /// What a comparison says about it. Lost or failed work is never a success.
    fn verdict(&self, cell: &Cell, results: &Results) -> Verdict {
        match self.found(cell, results) {
            _ if results.has_faults(*cell, Peer::Wampy) => Verdict::Faulty,
            None => Verdict::Unmeasured,
            Some(spread) if self.limit.allows(spread.median) => Verdict::Met,
            Some(_) => Verdict::Missed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    Faulty,
    Unmeasured,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "**not met**",
            Self::Faulty => "**not met**: see the faults",
            Self::Unmeasured => "not measured",
        }
    }
}

fn is_rpc(cell: &Cell, callers: usize) -> bool {
    matches!(cell.workload, Workload::Rpc(Rpc { callers: found, .. }) if found == callers)
}

fn is_pubsub(cell: &Cell, subscribers: usize) -> bool {
    !cell.mixed && pubsub(cell).is_some_and(|pubsub| pubsub.subscribers == subscribers)
}

fn pubsub(cell: &Cell) -> Option<PubSub> {
    match cell.workload {
        Workload::PubSub(pubsub) => Some(pubsub),
        Workload::Rpc(_) => None,
    }
}

fn has_window(cell: &Cell, window: usize) -> bool {
    pubsub(cell).is_some_and(|pubsub| pubsub.window == window)
}

/// Short names for the columns of the table below.
use Limit::{AtLeast, AtMost};
use Over::{Floor, Nats, Unmixed};

#[rustfmt::skip]
const GOALS: [Goal; 10] = [
    Goal { what: "round trip", is_about: Cell::is_round_trip, figure: latency, over: Floor, limit: AtMost(1.2) },
    Goal { what: "calls/s", is_about: |cell| is_rpc(cell, 16), figure: rate, over: Floor, limit: AtLeast(0.65) },
    Goal { what: "router CPU per call", is_about: |cell| is_rpc(cell, 16), figure: router_cpu, over: Floor, limit: AtMost(1.6) },
    Goal { what: "events/s", is_about: |cell| is_pubsub(cell, 1), figure: rate, over: Floor, limit: AtLeast(0.65) },
    Goal { what: "events/s", is_about: |cell| is_pubsub(cell, 10), figure: rate, over: Floor, limit: AtLeast(0.6) },
    Goal { what: "events/s", is_about: |cell| is_pubsub(cell, 100) && has_window(cell, 4), figure: rate, over: Floor, limit: AtLeast(0.8) },
    Goal { what: "events/s", is_about: |cell| is_pubsub(cell, 1000), figure: rate, over: Floor, limit: AtLeast(0.9) },
    Goal { what: "events/s", is_about: |cell| has_window(cell, 64) && cell.takes(Peer::Nats), figure: rate, over: Nats, limit: AtLeast(1.0) },
    Goal { what: "bytes/s", is_about: Cell::is_large, figure: bytes, over: Floor, limit: AtLeast(0.8) },
    Goal { what: "events/s", is_about: |cell| cell.mixed, figure: rate, over: Unmixed, limit: AtLeast(1.0 / 3.0) },
];

/// The table of targets, and how many are met.
pub fn table(cells: &[Cell], results: &Results) -> String {
    let mut rows = String::new();
    let mut verdicts = Vec::new();
    for goal in &GOALS {
        for cell in cells.iter().filter(|cell| (goal.is_about)(cell)) {
            let verdict = goal.verdict(cell, results);
            verdicts.push(verdict);
            let mut row = vec![goal.name()];
            row.extend(cell.columns());
            row.push(verdict.name().to_owned());
            row.push(ratio(goal.found(cell, results)));
            rows += &line(&row);
        }
    }
    let met = verdicts.iter().filter(|verdict| **verdict == Verdict::Met);
    format!(
        "{} of {} met.\n\n{}{rows}",
        met.count(),
        verdicts.len(),
        head(
            &["target", "work", "payload", "transport", "met", "found"],
            5
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::matrix::matrix;
    use super::super::results::tests::report;
    use super::*;

    #[test]
    fn every_target_is_about_something_and_everything_it_is_about_is_listed() {
        let cells = matrix();
        for (goal, count) in GOALS.iter().zip([4, 6, 6, 4, 4, 4, 2, 1, 8, 1]) {
            let about = cells.iter().filter(|cell| (goal.is_about)(cell));
            assert_eq!(about.count(), count, "{}", goal.name());
        }
        let text = table(&cells, &Results::default());
        assert!(text.starts_with("0 of 40 met."), "{text}");
        assert_eq!(text.matches("| not measured | – |").count(), 40);
    }

    #[test]
    fn the_median_decides_and_faults_refuse() {
        let cell = matrix()[4];
        let goal = &GOALS[1];
        let mut results = Results::default();
        results.add(cell, Peer::FloorReadiness, 0, report(cell, 100));
        results.add(cell, Peer::Wampy, 0, report(cell, 64));
        assert_eq!(goal.verdict(&cell, &results), Verdict::Missed);
        for round in [1, 2] {
            results.add(cell, Peer::FloorReadiness, round, report(cell, 100));
            results.add(cell, Peer::Wampy, round, report(cell, 66));
        }
        assert_eq!(goal.verdict(&cell, &results), Verdict::Met);
        results.add(cell, Peer::Wampy, 3, Err("it broke".into()));
        assert_eq!(goal.verdict(&cell, &results), Verdict::Faulty);
    }

    #[test]
    fn a_mixed_rate_is_judged_by_the_rate_of_one_serializer() {
        let mixed = *matrix().iter().find(|cell| cell.mixed).unwrap();
        let goal = &GOALS[9];
        let mut results = Results::default();
        results.add(mixed, Peer::Wampy, 0, report(mixed, 40));
        assert_eq!(goal.verdict(&mixed, &results), Verdict::Unmeasured);
        results.add(mixed.unmixed(), Peer::Wampy, 0, report(mixed, 100));
        assert_eq!(goal.verdict(&mixed, &results), Verdict::Met);
        results.add(mixed.unmixed(), Peer::Wampy, 1, report(mixed, 100));
        results.add(mixed, Peer::Wampy, 1, report(mixed, 10));
        assert_eq!(goal.verdict(&mixed, &results), Verdict::Missed);
    }
}
