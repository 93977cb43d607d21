//! The workloads that are compared.

use wampy_bench::{PubSub, Rpc, Transport, Workload};

const PAYLOADS: [usize; 2] = [16, 1024];
const TRANSPORTS: [Transport; 2] = [Transport::RawSocketMsgpack, Transport::WebSocketJson];

/// One workload over one transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    pub workload: Workload,
    pub transport: Transport,
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
            Workload::PubSub(pubsub) => {
                format!("PubSub {}->{}", pubsub.publishers, pubsub.subscribers)
            }
        }
    }

    /// Length of the payload with its unit.
    pub fn payload(&self) -> String {
        match self.workload.payload_bytes() {
            bytes if bytes >= 1024 && bytes % 1024 == 0 => format!("{} KiB", bytes / 1024),
            bytes => format!("{bytes} B"),
        }
    }

    /// All of it in one line.
    pub fn name(&self) -> String {
        format!(
            "{} {} {}",
            self.work(),
            self.payload(),
            self.transport.name()
        )
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
}

/// All cells, in the order of the tables.
pub fn matrix() -> Vec<Cell> {
    let rpc = |callers, in_flight| {
        move |payload_bytes| {
            Workload::Rpc(Rpc {
                callers,
                in_flight,
                callees: 1,
                payload_bytes,
            })
        }
    };
    let pubsub = |subscribers, window| {
        move |payload_bytes| {
            Workload::PubSub(PubSub {
                publishers: 1,
                subscribers,
                window,
                payload_bytes,
            })
        }
    };
    let works: [&dyn Fn(usize) -> Workload; 5] = [
        &rpc(1, 1),
        &rpc(16, 8),
        &pubsub(1, 16),
        &pubsub(10, 16),
        &pubsub(100, 4),
    ];
    let mut cells = Vec::new();
    for work in works {
        for payload_bytes in PAYLOADS {
            for transport in TRANSPORTS {
                cells.push(Cell {
                    workload: work(payload_bytes),
                    transport,
                });
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_there_once_under_its_own_name() {
        let mut names: Vec<String> = matrix().iter().map(Cell::name).collect();
        assert_eq!(names.len(), 5 * 2 * 2);
        assert!(names.contains(&"RPC 16x8 16 B RawSocket-MessagePack".to_owned()));
        assert!(names.contains(&"PubSub 1->100 1 KiB WebSocket-JSON".to_owned()));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 20);
        assert_eq!(
            matrix().iter().filter(|cell| cell.is_round_trip()).count(),
            4
        );
    }
}
