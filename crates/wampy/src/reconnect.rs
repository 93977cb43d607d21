//! How a client gets its session back: the arithmetic of the delays.

use std::time::Duration;

use rand::RngExt as _;

/// How to reconnect after the connection, or the session on it, was lost.
///
/// The delay before an attempt doubles from `delay_min` to `delay_max`, and is drawn at random
/// from its upper half, so that the clients of a router that restarts do not all come at once.
///
/// A session that the router refuses for good is not tried again: no such realm, wrong or missing
/// credentials, a protocol violation.
///
/// ```
/// use std::time::Duration;
///
/// let reconnect = wampy::Reconnect { delay_max: Duration::from_secs(5), ..Default::default() };
/// assert_eq!(reconnect.attempts_max, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconnect {
    /// The delay before the first attempt. Default 100 ms.
    pub delay_min: Duration,
    /// The longest delay between attempts. Default 30 s.
    pub delay_max: Duration,
    /// How many attempts in a row may fail before the client gives up; `None` for no end, which
    /// is the default.
    pub attempts_max: Option<u32>,
    /// Whether the first connection is tried again too, for programs that start before their
    /// router does. Default false.
    pub first_connection: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(30),
            attempts_max: None,
            first_connection: false,
        }
    }
}

impl Reconnect {
    /// The delay before attempt number `attempt`, 1 for the first.
    pub(crate) fn delay(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let longest = self
            .delay_min
            .saturating_mul(1 << doublings)
            .min(self.delay_max);
        longest.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    pub(crate) fn is_exhausted(&self, failed_attempts: u32) -> bool {
        self.attempts_max
            .is_some_and(|attempts_max| failed_attempts >= attempts_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let reconnect = Reconnect {
            delay_min: Duration::from_millis(100),
            delay_max: Duration::from_secs(1),
            ..Reconnect::default()
        };
        for (attempt, longest) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1000),
            (900, 1000),
        ] {
            for _ in 0..50 {
                let delay = reconnect.delay(attempt);
                assert!(
                    delay <= Duration::from_millis(longest),
                    "{attempt}: {delay:?}"
                );
                assert!(
                    delay >= Duration::from_millis(longest / 2),
                    "{attempt}: {delay:?}"
                );
            }
        }
    }
}
