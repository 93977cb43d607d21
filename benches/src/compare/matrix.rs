//! The workloads that are compared, and which of the compared take part in which.

use wampy_bench::{PubSub, Rpc, Transport, Workload};

use super::peer::Peer;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

const TRANSPORTS: [Transport; 2] = [Transport::RawSocketMsgpack, Transport::WebSocketJson];

/// From this length on payloads are also reported in bytes per second.
const LARGE_BYTES: usize = 16 * KIB;

/// Where the slower routers still show more than their own queues: publications in flight and
/// subscribers at most.
const SLOW_WINDOW_MAX: usize = 16;
const SLOW_SUBSCRIBERS_MAX: usize = 100;

/// One workload over one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    pub workload: Workload,
    /// Of callers and publishers, and of the others unless they are mixed.
    pub transport: Transport,
    /// Whether subscribers take RawSocket with MessagePack and with CBOR, in turn.
    pub mixed: bool,
}

impl Cell {
    /// What happens, without payload and transport.
    pub fn work(&self) -> String {
        match self.workload {
            Workload::Rpc(rpc) => {
                let callees = match rpc.callees {
                    1 => String::new(),
                    callees => format!(", {callees} callees"),
                };
                format!("RPC {}x{}{callees}", rpc.callers, rpc.in_flight)
            }
            Workload::PubSub(pubsub) => format!(
                "PubSub {}->{}, window {}",
                pubsub.publishers, pubsub.subscribers, pubsub.window
            ),
        }
    }

    /// Length of the payload with its unit.
    pub fn payload(&self) -> String {
        match self.workload.payload_bytes() {
            bytes if bytes >= MIB && bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
            bytes if bytes >= KIB && bytes % KIB == 0 => format!("{} KiB", bytes / KIB),
            bytes => format!("{bytes} B"),
        }
    }

    /// Transport and serializer.
    pub fn carriage(&self) -> &'static str {
        match self.mixed {
            true => "JSON to MessagePack and CBOR",
            false => self.transport.name(),
        }
    }

    /// All of it in one line.
    pub fn name(&self) -> String {
        format!("{} {} {}", self.work(), self.payload(), self.carriage())
    }

    /// What tables begin their rows with.
    pub fn columns(&self) -> Vec<String> {
        vec![self.work(), self.payload(), self.carriage().to_owned()]
    }

    /// Whether it is latency that counts: nothing is ever in flight beside the one call.
    pub fn is_round_trip(&self) -> bool {
        matches!(
            self.workload,
            Workload::Rpc(Rpc {
                callers: 1,
                in_flight: 1,
                ..
            })
        )
    }

    /// Whether bytes per second say more than messages per second.
    pub fn is_large(&self) -> bool {
        self.workload.payload_bytes() >= LARGE_BYTES
    }

    /// The same work with one serializer for all.
    pub fn unmixed(&self) -> Self {
        Self {
            transport: Transport::RawSocketMsgpack,
            mixed: false,
            ..*self
        }
    }

    /// Whether a peer is measured here.
    pub fn takes(&self, peer: Peer) -> bool {
        match peer {
            Peer::FloorReadiness | Peer::FloorBlocking | Peer::Wampy => true,
            Peer::Nats => self.transport == Transport::RawSocketMsgpack,
            Peer::Nexus | Peer::Crossbar => self.is_for_slow(),
        }
    }

    /// Not where a slow router would only take time: each kind of work once, with the short payload,
    /// and once with a long one.
    fn is_for_slow(&self) -> bool {
        let modest = match self.workload {
            Workload::Rpc(_) => true,
            Workload::PubSub(pubsub) => {
                pubsub.window <= SLOW_WINDOW_MAX && pubsub.subscribers <= SLOW_SUBSCRIBERS_MAX
            }
        };
        match self.workload.payload_bytes() {
            16 => modest,
            LARGE_BYTES => self.transport == Transport::RawSocketMsgpack,
            _ => false,
        }
    }
}

fn rpc(callers: usize, in_flight: usize, callees: usize) -> impl Fn(usize) -> Workload {
    move |payload_bytes| {
        Workload::Rpc(Rpc {
            callers,
            in_flight,
            callees,
            payload_bytes,
        })
    }
}

fn pubsub(subscribers: usize, window: usize) -> impl Fn(usize) -> Workload {
    move |payload_bytes| {
        Workload::PubSub(PubSub {
            publishers: 1,
            subscribers,
            window,
            payload_bytes,
        })
    }
}

/// A workload that waits for its payload, and the payloads that it gets.
type Row<'a> = (&'a dyn Fn(usize) -> Workload, &'a [usize]);

/// All cells, in the order of the tables.
pub fn matrix() -> Vec<Cell> {
    let rows: [Row<'_>; 11] = [
        (&rpc(1, 1, 1), &[16, KIB]),
        (&rpc(16, 8, 1), &[16, KIB]),
        (&rpc(16, 8, 8), &[16]),
        (&rpc(4, 2, 1), &[LARGE_BYTES, MIB]),
        (&pubsub(1, 16), &[16]),
        (&pubsub(1, 256), &[16]),
        (&pubsub(10, 16), &[16, KIB]),
        (&pubsub(100, 4), &[16, KIB]),
        (&pubsub(100, 64), &[16]),
        (&pubsub(1000, 1), &[16]),
        (&pubsub(4, 4), &[LARGE_BYTES, MIB]),
    ];
    let mut cells = Vec::new();
    for (work, payloads) in rows {
        for &payload_bytes in payloads {
            for transport in TRANSPORTS {
                cells.push(Cell {
                    workload: work(payload_bytes),
                    transport,
                    mixed: false,
                });
            }
        }
    }
    cells.push(Cell {
        workload: pubsub(10, 16)(16),
        transport: Transport::WebSocketJson,
        mixed: true,
    });
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_there_once_under_its_own_name() {
        let mut names: Vec<String> = matrix().iter().map(Cell::name).collect();
        for name in [
            "RPC 16x8 16 B RawSocket-MessagePack",
            "RPC 16x8, 8 callees 16 B WebSocket-JSON",
            "PubSub 1->100, window 4 1 KiB WebSocket-JSON",
            "PubSub 1->4, window 4 1 MiB RawSocket-MessagePack",
            "PubSub 1->10, window 16 16 B JSON to MessagePack and CBOR",
        ] {
            assert!(names.contains(&name.to_owned()), "{name}");
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        let round_trips = matrix().iter().filter(|cell| cell.is_round_trip()).count();
        assert_eq!(round_trips, 4);
    }

    #[test]
    fn the_mixed_cell_has_another_to_be_compared_with() {
        let cells = matrix();
        let mixed = cells.iter().find(|cell| cell.mixed).unwrap();
        assert!(cells.contains(&mixed.unmixed()));
        assert!(!mixed.takes(Peer::Nats) && mixed.takes(Peer::Crossbar));
    }
}
