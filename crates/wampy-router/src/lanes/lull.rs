//! Whether a lane sleeps when there is nothing to do, or looks for news again and again.
//!
//! A processor that has nothing to do is put to sleep, and waking it takes longer than routing a
//! message does: on a virtual machine often 30 to 50 microseconds. So where a caller waits for each
//! answer before it makes its next call, most of a round trip would be spent on waking the router. A
//! lane that expects the next message within that time stays awake for it.
//!
//! It expects that only if the last message came so, after work that was short: while a lane has much
//! to do, or messages follow each other at once, no processor sleeps, and looking for news would only
//! take time from others.

use std::time::{Duration, Instant};

/// A message that comes sooner than this finds everybody awake.
const AWAKE_ANYWAY: Duration = Duration::from_micros(15);

/// A lane that worked for longer than this has enough to do.
const SHORT_WORK: Duration = Duration::from_micros(25);

/// The time between two passes of a lane.
#[derive(Debug)]
pub(super) struct Lull {
    /// How long to stay awake at most; zero for never.
    max: Duration,
    /// When the lane had work the last time: from, to.
    worked: Option<(Instant, Instant)>,
    /// When it began to work again.
    working_since: Option<Instant>,
    is_awaited: bool,
}

impl Lull {
    pub(super) const fn new(max: Duration) -> Self {
        Self {
            max,
            worked: None,
            working_since: None,
            is_awaited: false,
        }
    }

    /// A pass begins.
    pub(super) fn ends(&mut self) {
        if self.max.is_zero() {
            return;
        }
        let now = Instant::now();
        self.working_since = Some(now);
        self.is_awaited = self.worked.is_some_and(|(from, to)| {
            to - from < SHORT_WORK && (AWAKE_ANYWAY..self.max).contains(&(now - to))
        });
    }

    /// A pass has ended.
    pub(super) fn begins(&mut self) {
        self.worked = self.working_since.map(|since| (since, Instant::now()));
    }

    /// Whether to look again instead of sleeping.
    pub(super) fn is_awaited(&self) -> bool {
        self.is_awaited && self.worked.is_some_and(|(_, to)| to.elapsed() < self.max)
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
        lull.ends();
        lull.begins();
        assert!(!lull.is_awaited(), "nothing came before");
        for (from_ms, to_ms, awaited) in [
            (1000, 1000, true),
            (2000, 1000, false),
            (20_000, 20_000, false),
        ] {
            lull.worked = Some((ago(from_ms), ago(to_ms)));
            lull.ends();
            lull.begins();
            assert_eq!(
                lull.is_awaited(),
                awaited,
                "worked from {from_ms} to {to_ms}"
            );
        }
        lull.worked = Some((Instant::now(), Instant::now() + Duration::from_secs(1)));
        lull.ends();
        assert!(!lull.is_awaited, "it came at once");
        let mut never = Lull::new(Duration::ZERO);
        never.worked = Some((ago(1), ago(1)));
        never.ends();
        never.begins();
        assert!(!never.is_awaited());
    }
}
