//! Whether a lane sleeps when there is nothing to do, or looks for news again and again.
//!
//! A processor that has nothing to do is put to sleep, and waking it takes longer than routing a
//! message does: on a virtual machine often 30 to 50 microseconds. So where a caller waits for each
//! answer before it makes its next call, most of a round trip would be spent on waking the router. A
//! lane that expects the next message within that time stays awake for it.
//!
//! It expects that only if the last messages came so, one by one, each after work that was short: while
//! a lane has much to do, or messages follow each other at once, no processor sleeps, and looking for
//! news would only take time from others, and make smaller batches.

use std::time::{Duration, Instant};

/// A message that comes sooner than this finds everybody awake.
const AWAKE_ANYWAY: Duration = Duration::from_micros(15);

/// A lane that worked for longer than this has enough to do.
const SHORT_WORK: Duration = Duration::from_micros(20);

/// How many messages must have come so.
const IN_A_ROW: u32 = 4;

/// The time between two passes of a lane.
#[derive(Debug)]
pub(super) struct Lull {
    /// How long to stay awake at most; zero for never.
    max: Duration,
    /// When the lane had work the last time: from, to.
    worked: Option<(Instant, Instant)>,
    /// When it began to work again.
    working_since: Option<Instant>,
    /// How many messages came one by one.
    in_a_row: u32,
}

impl Lull {
    pub(super) const fn new(max: Duration) -> Self {
        Self {
            max,
            worked: None,
            working_since: None,
            in_a_row: 0,
        }
    }

    /// A pass begins.
    pub(super) fn ends(&mut self) {
        if self.max.is_zero() {
            return;
        }
        let now = Instant::now();
        self.working_since = Some(now);
        let came_alone = self.worked.is_some_and(|(from, to)| {
            to - from < SHORT_WORK && (AWAKE_ANYWAY..self.max).contains(&(now - to))
        });
        self.in_a_row = match came_alone {
            true => self.in_a_row.saturating_add(1),
            false => 0,
        };
    }

    /// A pass has ended, in which so many tasks were polled.
    pub(super) fn begins(&mut self, tasks: usize) {
        if tasks > 1 {
            self.in_a_row = 0;
        }
        self.worked = self.working_since.map(|since| (since, Instant::now()));
    }

    /// Whether to look again instead of sleeping.
    pub(super) fn is_awaited(&self) -> bool {
        let awaits = |(_, to): (Instant, Instant)| to.elapsed() < self.max;
        self.in_a_row >= IN_A_ROW && self.worked.is_some_and(awaits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_stays_awake_where_the_last_message_came_soon_but_not_at_once() {
        let max = Duration::from_secs(10);
        let mut lull = Lull::new(max);
        let ago = |ms| Instant::now() - Duration::from_millis(ms);
        // One message after another: when the last work began and ended, and the tasks of the next.
        let comes = |lull: &mut Lull, from_ms, to_ms, tasks| {
            lull.worked = Some((ago(from_ms), ago(to_ms)));
            lull.ends();
            lull.begins(tasks);
            lull.is_awaited()
        };
        for (from_ms, to_ms, tasks) in [(2000, 1000, 1), (20_000, 20_000, 1), (1000, 1000, 2)] {
            for _ in 1..IN_A_ROW {
                assert!(!comes(&mut lull, 1000, 1000, 1));
            }
            assert!(comes(&mut lull, 1000, 1000, 1));
            assert!(
                !comes(&mut lull, from_ms, to_ms, tasks),
                "{from_ms} {to_ms} {tasks}"
            );
        }
        let mut never = Lull::new(Duration::ZERO);
        for _ in 0..10 {
            assert!(!comes(&mut never, 1, 1, 1));
        }
    }
}
