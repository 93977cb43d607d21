//! What a run reports, while it lasts and at its end.

use std::time::Duration;

use crate::transport::Transport;
use crate::workload::Workload;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connecting, joining, registering, subscribing.
    Joining,
    /// Running, but not measured yet.
    WarmingUp,
    /// Running and measured.
    Measuring,
    /// Waiting for what is still in flight.
    Draining,
}

/// Where a run stands; the callback of [`run`](crate::run) gets one about ten times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Time measured so far.
    pub elapsed: Duration,
    /// Time that will be measured in all.
    pub total: Duration,
    /// Sessions that have joined (all of them after [`Phase::Joining`]).
    pub joined: usize,
    /// Completed calls or received events, those before measuring included.
    pub completed: u64,
    /// Errors, losses and other faults so far.
    pub faults: u64,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Report {
    /// What ran.
    pub workload: Workload,
    /// Over what.
    pub transport: Transport,
    /// How long was measured.
    pub elapsed: Duration,
    /// Calls that returned, or events that arrived, while measured.
    pub completed: u64,
    /// Half of all calls (or events) took at most so long: from the moment the message was encoded
    /// to the moment its result (or event) was read.
    pub latency_p50: Duration,
    /// 99 of 100 took at most so long.
    pub latency_p99: Duration,
    /// The longest.
    pub latency_max: Duration,
    /// ERROR messages.
    pub errors: u64,
    /// URI of the first ERROR.
    pub first_error: Option<String>,
    /// Calls that were never answered, events that never arrived.
    pub lost: u64,
    /// Messages that came out of order, repeated, or long after the run gave them up.
    pub misplaced: u64,
    /// Messages with other content than was sent.
    pub corrupt: u64,
    /// CPU time of the load loop while measured; `None` where the system does not tell.
    pub generator_cpu: Option<Duration>,
    /// CPU time of the router's process and its children while measured; `None` if its process is
    /// not known or not on this machine.
    pub router_cpu: Option<Duration>,
}

impl Report {
    /// Calls or events per second.
    pub fn per_second(&self) -> f64 {
        self.completed as f64 / self.elapsed.as_secs_f64()
    }

    /// CPU time of the router for each call or event.
    pub fn router_cpu_each(&self) -> Option<Duration> {
        let each = self.router_cpu?.as_secs_f64() / self.completed as f64;
        Duration::try_from_secs_f64(each).ok()
    }

    /// Share of one core that the load loop used: near 1, the generator may be the bottleneck.
    pub fn generator_share(&self) -> Option<f64> {
        Some(self.generator_cpu?.as_secs_f64() / self.elapsed.as_secs_f64())
    }

    /// Everything that a correct router has none of: errors, losses, disorder, wrong content.
    pub fn faults(&self) -> u64 {
        self.errors + self.lost + self.misplaced + self.corrupt
    }
}
