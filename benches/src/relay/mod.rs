//! The floor: a process that copies frames between the sockets of a workload and routes nothing.
//!
//! Every connection starts with 4 octets: which end it is (`SOURCE` or `SINK`), its number (two
//! octets, big-endian), and zero. When all have come, each gets one octet, and from then on bytes are
//! only copied. For calls, source `i` is paired with sink `i % sinks`; for publications every sink
//! gets what every source sends.
//!
//! Many callers on one callee need no routing either: all frames of a run have one length, the callee
//! answers in order with frames of that length, and so the relay only remembers how many bytes of
//! which caller it has passed on, and cuts what comes back by the same counts. It looks into no frame.
//! Where a sink hears one source only, bytes are passed on before their frame is whole, and long
//! pieces are never copied on their way from one socket to another.
//!
//! Two engines do the same: a readiness loop on one thread, and blocking threads, one for each
//! connection. The better of the two is the floor.

mod blocking;
pub(crate) mod plan;
mod readiness;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

pub use plan::Plan;
use plan::{Pattern, SINK, SOURCE};

/// How much one read takes at most, in bytes.
const READ_BYTES: usize = 256 * 1024;

/// How a relay waits for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// One thread that waits for all sockets at once.
    Readiness,
    /// One thread for each connection.
    Blocking,
}

/// A relay that listens on a free port of the loopback interface.
#[derive(Debug)]
pub struct Relay {
    listener: TcpListener,
    plan: Plan,
}

impl Relay {
    /// Binds the port.
    pub fn bind(plan: Plan) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind("127.0.0.1:0")?,
            plan,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Waits for all connections of the plan, then copies until one of them ends.
    pub fn serve(self, engine: Engine) -> io::Result<()> {
        let ends = self.accept()?;
        match engine {
            Engine::Readiness => readiness::serve(ends, self.plan),
            Engine::Blocking => blocking::serve(ends, self.plan),
        }
    }

    fn accept(&self) -> io::Result<Ends> {
        let mut sources: Vec<Option<TcpStream>> = (0..self.plan.sources).map(|_| None).collect();
        let mut sinks: Vec<Option<TcpStream>> = (0..self.plan.sinks).map(|_| None).collect();
        while sources.iter().chain(&sinks).any(Option::is_none) {
            let (mut stream, _) = self.listener.accept()?;
            stream.set_nodelay(true)?;
            let mut hello = [0; 4];
            stream.read_exact(&mut hello)?;
            let number = usize::from(u16::from_be_bytes([hello[1], hello[2]]));
            let place = match hello[0] {
                SOURCE => sources.get_mut(number),
                SINK => sinks.get_mut(number),
                _ => None,
            };
            *place.ok_or_else(|| io::Error::other("a connection that is not in the plan"))? =
                Some(stream);
        }
        let mut ends = Ends {
            sources: sources.into_iter().flatten().collect(),
            sinks: sinks.into_iter().flatten().collect(),
        };
        for stream in ends.sources.iter_mut().chain(&mut ends.sinks) {
            stream.write_all(&[1])?;
        }
        Ok(ends)
    }
}

/// All connections of a relay.
#[derive(Debug)]
struct Ends {
    sources: Vec<TcpStream>,
    sinks: Vec<TcpStream>,
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::{PubSub, Rpc, Target, Transport, Workload, run};

    const PAYLOADS: [usize; 3] = [16, 5000, 300_000];

    fn through_relay(workload: Workload, transport: Transport, engine: Engine) {
        let relay = Relay::bind(Plan::new(&workload, transport)).unwrap();
        let address = relay.address().unwrap();
        let serving = thread::spawn(move || relay.serve(engine));
        let scheme = match transport {
            Transport::WebSocketJson => "ws",
            _ => "rs",
        };
        let target = Target::parse(&format!("{scheme}://{address}")).unwrap();
        let target = target.relay().router_pid(std::process::id());
        let report = run(&workload, &target, Duration::from_millis(60), &mut |_| ()).unwrap();
        // On a busy machine all of it may come after the time that is measured.
        assert!(!report.latency_max.is_zero(), "{report:?}");
        assert_eq!(report.faults(), 0, "{report:?}");
        assert!(report.latency_p50 <= report.latency_p99, "{report:?}");
        serving.join().unwrap().unwrap();
    }

    fn through_all(workload: impl Fn(usize) -> Workload) {
        for payload_bytes in PAYLOADS {
            for transport in [Transport::RawSocketMsgpack, Transport::WebSocketJson] {
                for engine in [Engine::Readiness, Engine::Blocking] {
                    through_relay(workload(payload_bytes), transport, engine);
                }
            }
        }
    }

    #[test]
    fn one_caller_gets_its_answers() {
        through_all(|payload_bytes| {
            Workload::Rpc(Rpc {
                callers: 1,
                in_flight: 1,
                callees: 1,
                payload_bytes,
            })
        });
    }

    #[test]
    fn many_callers_of_few_callees_get_their_own_answers_in_order() {
        through_all(|payload_bytes| {
            Workload::Rpc(Rpc {
                callers: 7,
                in_flight: 5,
                callees: 2,
                payload_bytes,
            })
        });
    }

    #[test]
    fn every_subscriber_gets_every_event() {
        through_all(|payload_bytes| {
            Workload::PubSub(PubSub {
                publishers: 1,
                subscribers: 9,
                window: 4,
                payload_bytes,
            })
        });
    }

    #[test]
    fn publishers_do_not_mix() {
        through_all(|payload_bytes| {
            Workload::PubSub(PubSub {
                publishers: 3,
                subscribers: 2,
                window: 40,
                payload_bytes,
            })
        });
    }
}
