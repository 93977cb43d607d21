//! All measurements of a comparison, and what is read out of them: medians, ratios, spreads.

use std::collections::HashMap;

use wampy_bench::Report;

use super::matrix::Cell;
use super::peer::Peer;

/// What one measurement gave.
pub type Outcome = Result<Report, String>;

/// Which number of a report is looked at.
pub type Figure = fn(&Report) -> Option<f64>;

/// Median, smallest and largest of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` if there are no numbers.
    pub fn of(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        Some(Self { median, min, max })
    }
}

/// All measurements.
#[derive(Debug, Default)]
pub struct Results(HashMap<(Cell, Peer), Vec<(u32, Outcome)>>);

impl Results {
    pub fn add(&mut self, cell: Cell, peer: Peer, round: u32, outcome: Outcome) {
        self.0
            .entry((cell, peer))
            .or_default()
            .push((round, outcome));
    }

    pub fn outcomes(&self, cell: Cell, peer: Peer) -> &[(u32, Outcome)] {
        self.0.get(&(cell, peer)).map_or(&[], Vec::as_slice)
    }

    /// A figure in each round that has it.
    fn rounds(&self, cell: Cell, peer: Peer, figure: Figure) -> HashMap<u32, f64> {
        let outcomes = self.outcomes(cell, peer).iter();
        outcomes
            .filter_map(|(round, outcome)| Some((*round, figure(outcome.as_ref().ok()?)?)))
            .collect()
    }

    pub fn spread(&self, cell: Cell, peer: Peer, figure: Figure) -> Option<Spread> {
        Spread::of(self.rounds(cell, peer, figure).into_values())
    }

    /// A figure of one peer over that of another, round by round: what slows both down in one round
    /// cancels out.
    pub fn ratio(&self, cell: Cell, peer: Peer, over: Peer, figure: Figure) -> Option<Spread> {
        self.quotient((cell, peer), (cell, over), figure)
    }

    /// The same between any two measurements of one round.
    pub fn quotient(
        &self,
        above: (Cell, Peer),
        below: (Cell, Peer),
        figure: Figure,
    ) -> Option<Spread> {
        let below = self.rounds(below.0, below.1, figure);
        let above = self.rounds(above.0, above.1, figure);
        Spread::of(
            above
                .iter()
                .filter_map(|(round, value)| Some(value / below.get(round)?)),
        )
    }

    /// Whether anything was lost, wrong or without a result.
    pub fn has_faults(&self, cell: Cell, peer: Peer) -> bool {
        let is_faulty = |outcome: &Outcome| match outcome {
            Ok(report) => report.faults() > 0,
            Err(_) => true,
        };
        let outcomes = self.outcomes(cell, peer).iter();
        outcomes.map(|(_, outcome)| outcome).any(is_faulty)
    }

    /// The better engine of the floor for a cell: the shorter round trip, or the higher rate.
    pub fn floor(&self, cell: Cell) -> Peer {
        let goodness = |peer| match cell.is_round_trip() {
            true => self
                .spread(cell, peer, latency)
                .map_or(f64::MIN, |spread| -spread.median),
            false => self
                .spread(cell, peer, rate)
                .map_or(f64::MIN, |spread| spread.median),
        };
        match goodness(Peer::FloorBlocking) > goodness(Peer::FloorReadiness) {
            true => Peer::FloorBlocking,
            false => Peer::FloorReadiness,
        }
    }
}

/// Calls or events per second.
pub fn rate(report: &Report) -> Option<f64> {
    Some(report.per_second())
}

/// Payload bytes of these, in millions per second.
pub fn bytes(report: &Report) -> Option<f64> {
    Some(report.per_second() * report.workload.payload_bytes() as f64 / 1e6)
}

/// Median latency in microseconds.
pub fn latency(report: &Report) -> Option<f64> {
    Some(report.latency_p50.as_secs_f64() * 1e6)
}

/// 99th percentile of the latency in microseconds.
pub fn latency_p99(report: &Report) -> Option<f64> {
    Some(report.latency_p99.as_secs_f64() * 1e6)
}

/// CPU time of the router for each call or event, in microseconds.
pub fn router_cpu(report: &Report) -> Option<f64> {
    Some(report.router_cpu_each()?.as_secs_f64() * 1e6)
}

/// Share of a core that the load loop used, in percent.
pub fn generator(report: &Report) -> Option<f64> {
    Some(report.generator_share()? * 100.0)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::compare::matrix::matrix;
    use std::time::Duration;

    /// A second without faults.
    pub fn report(cell: Cell, completed: u64) -> Outcome {
        Ok(Report {
            workload: cell.workload,
            transport: cell.transport,
            elapsed: Duration::from_secs(1),
            completed,
            latency_p50: Duration::from_micros(1_000_000 / completed),
            latency_p99: Duration::ZERO,
            latency_max: Duration::ZERO,
            errors: 0,
            first_error: None,
            lost: 0,
            misplaced: 0,
            corrupt: 0,
            generator_cpu: None,
            router_cpu: Some(Duration::from_micros(3 * completed)),
        })
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.median, spread.min, spread.max), (2.0, 1.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap().median, 2.5);
    }

    #[test]
    fn ratios_are_taken_within_each_round() {
        let cell = matrix()[4];
        let mut results = Results::default();
        for (round, floor, wampy) in [(0, 100, 50), (1, 1000, 500), (2, 10, 8)] {
            results.add(cell, Peer::FloorBlocking, round, report(cell, floor));
            results.add(cell, Peer::Wampy, round, report(cell, wampy));
        }
        results.add(cell, Peer::Wampy, 3, Err("it broke".into()));
        let ratio = results
            .ratio(cell, Peer::Wampy, Peer::FloorBlocking, rate)
            .unwrap();
        assert_eq!((ratio.median, ratio.min, ratio.max), (0.5, 0.5, 0.8));
        assert_eq!(
            results
                .spread(cell, Peer::Wampy, router_cpu)
                .unwrap()
                .median,
            3.0
        );
        assert_eq!(results.ratio(cell, Peer::Crossbar, Peer::Wampy, rate), None);
    }

    #[test]
    fn the_floor_is_the_better_engine() {
        let (round_trip, throughput) = (matrix()[0], matrix()[4]);
        let mut results = Results::default();
        for cell in [round_trip, throughput] {
            results.add(cell, Peer::FloorReadiness, 0, report(cell, 10));
            results.add(cell, Peer::FloorBlocking, 0, report(cell, 20));
            assert_eq!(results.floor(cell), Peer::FloorBlocking);
            results.add(cell, Peer::FloorReadiness, 1, report(cell, 90));
            results.add(cell, Peer::FloorReadiness, 2, report(cell, 90));
            assert_eq!(results.floor(cell), Peer::FloorReadiness);
        }
    }
}
