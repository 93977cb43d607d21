//! The sessions of a run: which there are, what each sends, and their way to a ready connection.

use std::collections::VecDeque;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::connect::{Joined, Request, attach, join, wait_for_relay};
use crate::error::BenchError;
use crate::frames::Frames;
use crate::framing::Sender;
use crate::incoming::code;
use crate::load::Load;
use crate::nats;
use crate::outbox::Outbox;
use crate::outgoing::{register, subscribe};
use crate::relay::plan::{FIRST_ID, SINK, SOURCE};
use crate::role::{Callee, Caller, Publisher, Role, Subscriber};
use crate::session::Session;
use crate::target::{Peer, Target};
use crate::transport::Transport;
use crate::workload::{PubSub, Rpc, Workload};

/// Id of the first request of every source session, and sequence number of its payload.
pub fn first_id(peer: Peer) -> u64 {
    match peer {
        Peer::Router => 1,
        Peer::Relay => FIRST_ID,
    }
}

/// One session to be.
struct Part<'a> {
    who: String,
    target: &'a Target,
    role: Role,
    request: Option<Request>,
    /// What the relay is told: which end it is, and its number.
    relay_end: (u8, usize),
}

/// Connects all sessions of a run, sinks first, so that nothing is sent to nobody. `joined` hears
/// how many are ready.
pub fn join_all(
    workload: &Workload,
    target: &Target,
    joined: &mut dyn FnMut(usize),
) -> Result<Vec<Session>, BenchError> {
    let parts = match workload {
        Workload::Rpc(rpc) => rpc_parts(rpc, target),
        Workload::PubSub(pubsub) => pubsub_parts(pubsub, target),
    };
    let mut connections = Vec::with_capacity(parts.len());
    for part in &parts {
        connections.push(match target.peer {
            Peer::Router => {
                let payload = workload.payload_bytes();
                join(part.target, &part.who, payload, part.request.as_ref())?
            }
            Peer::Relay => {
                let [high, low] = (part.relay_end.1 as u16).to_be_bytes();
                attach(target, &part.who, [part.relay_end.0, high, low, 0])?
            }
        });
        joined(connections.len());
    }
    if target.peer == Peer::Relay {
        for (connection, part) in connections.iter_mut().zip(&parts) {
            wait_for_relay(connection, &part.who)?;
        }
    }
    parts
        .into_iter()
        .zip(connections)
        .map(|(part, joined)| session(part, joined))
        .collect()
}

fn session(part: Part<'_>, joined: Joined) -> Result<Session, BenchError> {
    let socket = joined
        .socket
        .into_ready()
        .map_err(BenchError::io("preparing a socket"))?;
    Ok(Session {
        who: part.who,
        transport: part.target.transport,
        socket,
        inbox: joined.inbox,
        role: part.role,
        outbox: Outbox::default(),
        waits_to_write: false,
        leaving: false,
        over: false,
    })
}

/// A name under which no other run on this router, and no earlier one, registers or subscribes.
fn unique_uri() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    format!("wampy.bench.p{}_{run}", process::id())
}

fn frames(target: &Target, load: Load, payload_bytes: usize) -> Frames {
    match (target.peer, &load) {
        (Peer::Router, _) => Frames::new(target.transport, Sender::Client, load, payload_bytes),
        (Peer::Relay, Load::Publish { .. } | Load::Event) => {
            Frames::new(target.transport, Sender::Router, Load::Event, payload_bytes)
        }
        (Peer::Relay, Load::Call { .. } | Load::Yield | Load::Result) => Frames::new(
            target.transport,
            Sender::Router,
            Load::Result,
            payload_bytes,
        ),
    }
}

fn rpc_parts<'a>(rpc: &Rpc, target: &'a Target) -> Vec<Part<'a>> {
    let (base, first) = (unique_uri(), first_id(target.peer));
    let procedure = |callee: usize| format!("{base}.echo{callee}");
    let callees = (0..rpc.callees).map(|callee| Part {
        who: format!("callee {callee}"),
        target,
        role: Role::Callee(Callee {
            expected: vec![first; rpc.callers],
            frames: frames(target, Load::Yield, rpc.payload_bytes),
        }),
        request: Some(Request {
            body: register(target.transport, &procedure(callee)),
            granted_by: code::REGISTERED,
        }),
        relay_end: (SINK, callee),
    });
    let callers = (0..rpc.callers).map(|caller| Part {
        who: format!("caller {caller}"),
        target,
        role: Role::Caller(Caller {
            stream: caller as u16,
            limit: rpc.in_flight,
            next: first,
            in_flight: VecDeque::with_capacity(rpc.in_flight),
            frames: frames(
                target,
                Load::Call {
                    procedure: procedure(caller % rpc.callees),
                    inbox: nats::inbox(&base, caller),
                },
                rpc.payload_bytes,
            ),
        }),
        // Over NATS a caller subscribes to its answers; over WAMP they find it.
        request: (target.transport == Transport::Nats).then(|| Request {
            body: nats::subscribe(&format!("{}.*", nats::inbox(&base, caller))),
            granted_by: code::SUBSCRIBED,
        }),
        relay_end: (SOURCE, caller),
    });
    callees.chain(callers).collect()
}

fn pubsub_parts<'a>(pubsub: &PubSub, target: &'a Target) -> Vec<Part<'a>> {
    let (topic, first) = (unique_uri(), first_id(target.peer));
    let subscribers = (0..pubsub.subscribers).map(|subscriber| Part {
        who: format!("subscriber {subscriber}"),
        target: target.of_subscriber(subscriber),
        role: Role::Subscriber(Subscriber {
            expected: vec![first; pubsub.publishers],
        }),
        request: Some(Request {
            body: subscribe(target.of_subscriber(subscriber).transport, &topic),
            granted_by: code::SUBSCRIBED,
        }),
        relay_end: (SINK, subscriber),
    });
    let publishers = (0..pubsub.publishers).map(|publisher| Part {
        who: format!("publisher {publisher}"),
        target,
        role: Role::Publisher(Publisher {
            stream: publisher as u16,
            frames: frames(
                target,
                Load::Publish {
                    topic: topic.clone(),
                },
                pubsub.payload_bytes,
            ),
        }),
        request: None,
        relay_end: (SOURCE, publisher),
    });
    subscribers.chain(publishers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_never_share_a_uri() {
        assert_ne!(unique_uri(), unique_uri());
    }
}
