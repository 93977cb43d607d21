//! Workloads as values: what is sent, by how many sessions, with how much in flight.

use crate::error::BenchError;
use crate::payload::{PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MIN};

/// Sessions of one run at most; each needs one socket.
pub const SESSIONS_MAX: usize = 60_000;

/// Calls or publications in flight per session at most.
pub const IN_FLIGHT_MAX: usize = 1 << 20;

/// Callers that call procedures of callees; every callee echoes the argument.
///
/// Caller `i` calls the procedure of callee `i % callees`, so that the order of one caller's calls is
/// defined and checked at the callee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rpc {
    /// Sessions that call.
    pub callers: usize,
    /// Unanswered calls of each caller at any time.
    pub in_flight: usize,
    /// Sessions that each register one procedure.
    pub callees: usize,
    /// Length of the one string argument, from 16.
    pub payload_bytes: usize,
}

/// Publishers whose events all subscribers receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PubSub {
    /// Sessions that publish (to the one topic of the run).
    pub publishers: usize,
    /// Sessions that subscribe to the topic.
    pub subscribers: usize,
    /// Publications of each publisher that have not reached every subscriber yet, at most.
    pub window: usize,
    /// Length of the one string argument, from 16.
    pub payload_bytes: usize,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Calls and results.
    Rpc(Rpc),
    /// Publications and events.
    PubSub(PubSub),
}

impl Workload {
    /// Length of the string argument of each message.
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Rpc(rpc) => rpc.payload_bytes,
            Self::PubSub(pubsub) => pubsub.payload_bytes,
        }
    }

    /// What one unit of the result is: a call with its result, or an event that arrived.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::Rpc(_) => "call",
            Self::PubSub(_) => "event",
        }
    }

    /// Number of sources (callers or publishers) and of sinks (callees or subscribers).
    pub(crate) fn sessions(&self) -> (usize, usize) {
        match self {
            Self::Rpc(rpc) => (rpc.callers, rpc.callees),
            Self::PubSub(pubsub) => (pubsub.publishers, pubsub.subscribers),
        }
    }

    /// Refuses what cannot run or could not be checked.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        let (sources, sinks) = self.sessions();
        let in_flight = match self {
            Self::Rpc(rpc) => rpc.in_flight,
            Self::PubSub(pubsub) => pubsub.window,
        };
        let payload = self.payload_bytes();
        let refuse = |reason: String| Err(BenchError::Workload(reason));
        if sources == 0 || sinks == 0 {
            return refuse("it needs at least one session on each side".into());
        }
        if sources.saturating_add(sinks) > SESSIONS_MAX {
            return refuse(format!("more than {SESSIONS_MAX} sessions"));
        }
        if in_flight == 0 || in_flight > IN_FLIGHT_MAX {
            return refuse(format!("in flight must be from 1 to {IN_FLIGHT_MAX}"));
        }
        if !(PAYLOAD_BYTES_MIN..=PAYLOAD_BYTES_MAX).contains(&payload) {
            return refuse(format!(
                "the payload must have {PAYLOAD_BYTES_MIN} to {PAYLOAD_BYTES_MAX} bytes: \
                 its first {PAYLOAD_BYTES_MIN} identify the message"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_checked_is_refused() {
        let good = Rpc {
            callers: 1,
            in_flight: 1,
            callees: 1,
            payload_bytes: 16,
        };
        assert!(Workload::Rpc(good).check().is_ok());
        for bad in [
            Rpc { callers: 0, ..good },
            Rpc { callees: 0, ..good },
            Rpc {
                in_flight: 0,
                ..good
            },
            Rpc {
                payload_bytes: 15,
                ..good
            },
            Rpc {
                payload_bytes: usize::MAX,
                ..good
            },
            Rpc {
                callers: usize::MAX,
                ..good
            },
        ] {
            assert!(Workload::Rpc(bad).check().is_err(), "{bad:?}");
        }
    }
}
