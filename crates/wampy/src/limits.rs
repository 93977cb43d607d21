//! The limits of a client: every buffer, queue and table that a peer, or a fast producer in this
//! program, could fill.

use std::time::Duration;

/// The longest time that anything is waited for, a hundred years: clocks do not reach as far as
/// durations do.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How much a client holds at most. All have defaults.
///
/// ```
/// let limits = wampy::Limits { queue_events_max: 100, ..wampy::Limits::default() };
/// assert_eq!(limits.message_bytes_max, 16 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest message accepted from the router. Default 16 MiB.
    pub message_bytes_max: usize,
    /// Bytes that wait for the socket before senders have to wait too. Default 1 MiB.
    pub outbox_bytes_max: usize,
    /// Requests that wait for their answers; further ones are refused. Default 65 536.
    pub requests_max: usize,
    /// Invocations in work or waiting for their turn; further ones are answered with
    /// `wamp.error.unavailable`, so that a router may try another callee. Default 10 000.
    pub invocations_max: usize,
    /// Events that wait in one [`Subscription`](crate::Subscription), parts of a result that wait in
    /// one [`ProgressiveCall`](crate::ProgressiveCall), or parts of a call that wait for one
    /// [`Invocation`](crate::Invocation). Default 16 384.
    pub queue_events_max: usize,
    /// The bytes of their payloads. Default 64 MiB.
    pub queue_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 << 20,
            outbox_bytes_max: 1 << 20,
            requests_max: 1 << 16,
            invocations_max: 10_000,
            queue_events_max: 1 << 14,
            queue_bytes_max: 64 << 20,
        }
    }
}
