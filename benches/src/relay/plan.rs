//! What a run over the relay looks like: its ends, its frames, and who gets what of whom.

use crate::frames::Frames;
use crate::framing::Sender;
use crate::load::Load;
use crate::transport::Transport;
use crate::workload::Workload;

/// First octet of a connection that sends calls or publications.
pub(crate) const SOURCE: u8 = 0;

/// First octet of a connection that answers calls or receives events.
pub(crate) const SINK: u8 = 1;

/// Over the relay ids start here, so that all frames of a run have one length.
pub(crate) const FIRST_ID: u64 = 1_000_000_000;

/// Length of every frame of a run over the relay.
fn frame_bytes(workload: &Workload, transport: Transport) -> usize {
    let load = match workload {
        Workload::Rpc(_) => Load::Result,
        Workload::PubSub(_) => Load::Event,
    };
    Frames::new(transport, Sender::Router, load, workload.payload_bytes()).frame_bytes(FIRST_ID)
}

/// What a relay passes on between whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub(super) sources: usize,
    pub(super) sinks: usize,
    /// Length of every frame.
    pub(super) frame_bytes: usize,
    pub(super) pattern: Pattern,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// From each source to one sink, and back.
    Pairs,
    /// From each source to all sinks.
    FanOut,
}

impl Plan {
    /// The relay for a workload over a transport.
    pub fn new(workload: &Workload, transport: Transport) -> Self {
        let (sources, sinks) = workload.sessions();
        let pattern = match workload {
            Workload::Rpc(_) => Pattern::Pairs,
            Workload::PubSub(_) => Pattern::FanOut,
        };
        Self {
            sources,
            sinks,
            frame_bytes: frame_bytes(workload, transport),
            pattern,
        }
    }

    /// How many bytes of `bytes` can be passed on: whole frames, where those of several sources must
    /// not mix on their way to one sink, and otherwise all.
    pub(super) fn ready(&self, bytes: usize) -> usize {
        match self.mixes() {
            true => bytes - bytes % self.frame_bytes,
            false => bytes,
        }
    }

    /// Whether a sink gets frames of several sources.
    pub(super) fn mixes(&self) -> bool {
        match self.pattern {
            Pattern::Pairs => self.sources > self.sinks,
            Pattern::FanOut => self.sources > 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Outbox;
    use crate::payload::head;
    use crate::{PubSub, Rpc};

    #[test]
    fn all_frames_of_a_relay_run_have_one_length() {
        let rpc = Workload::Rpc(Rpc {
            callers: 1,
            in_flight: 1,
            callees: 1,
            payload_bytes: 16,
        });
        let pubsub = PubSub {
            publishers: 1,
            subscribers: 1,
            window: 1,
            payload_bytes: 100_000,
        };
        for (workload, load) in [(rpc, Load::Result), (Workload::PubSub(pubsub), Load::Event)] {
            for transport in [Transport::RawSocketMsgpack, Transport::WebSocketJson] {
                let length = frame_bytes(&workload, transport);
                let mut frames = Frames::new(
                    transport,
                    Sender::Router,
                    load.clone(),
                    workload.payload_bytes(),
                );
                for id in [FIRST_ID, FIRST_ID + 3_000_000_000] {
                    let mut frame = Outbox::default();
                    frames.append(id, &head(65_535, id), &mut frame);
                    assert_eq!(
                        frame.to_vec().len(),
                        length,
                        "{workload:?} {transport:?} {id}"
                    );
                }
            }
        }
    }
}
