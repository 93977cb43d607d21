//! Latency percentiles: a histogram with 3 significant digits and a fixed cost per sample.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Latencies above this count as this.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// The significant decimal digits that are kept.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Distribution of latencies.
#[derive(Debug)]
pub struct Latency(Histogram<u64>);

impl Latency {
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_MAX_NS, SIGNIFICANT_DIGITS);
        Self(histogram.expect("constant bounds within the documented ranges"))
    }

    pub fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record(nanoseconds.max(1));
    }

    pub fn clear(&mut self) {
        self.0.reset();
    }

    /// The latency that this share (0 to 1) of the samples does not exceed; zero without samples.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(share))
    }

    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_distribution() {
        let mut latency = Latency::new();
        for microseconds in 1..=1000 {
            latency.record(microseconds * 1000);
        }
        let within = |share, expected_us: u64| {
            let got = latency.quantile(share).as_nanos() as f64;
            let expected = (expected_us * 1000) as f64;
            assert!((got / expected - 1.0).abs() < 0.002, "{share}: {got} ns");
        };
        within(0.50, 500);
        within(0.99, 990);
        within(1.0, 1000);
        assert!(latency.max() >= Duration::from_micros(1000));
        latency.clear();
        assert_eq!(latency.quantile(0.5), Duration::ZERO);
    }

    #[test]
    fn extremes_are_kept_within_the_bounds() {
        let mut latency = Latency::new();
        latency.record(0);
        latency.record(u64::MAX);
        assert!(latency.quantile(0.5) >= Duration::from_nanos(1));
        assert!(latency.max() >= Duration::from_secs(59));
    }
}
