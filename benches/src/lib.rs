//! Load for WAMP routers, and the floor to judge the result by.
//!
//! [`run`] joins a realm with as many sessions as a [`Workload`] asks for, keeps its window full for
//! a given time, checks completeness, order and content of everything that comes back, and returns a
//! [`Report`]. The same load runs against any router, and against [`relay`], a process that copies
//! the same bytes between the same sockets and routes nothing: the floor below which no router gets.
//! It runs in the protocol of NATS as well, to compare with a message server outside of WAMP.
//!
//! Frames are encoded by hand, once, and patched with ids; one thread with one readiness loop drives
//! all sessions, so that the load costs less than the cheapest thing it measures.
//!
//! Deliberately absent: every other crate of the workspace (a router must not be measured with its
//! own codec on both ends), TLS, authentication, and an open (rate-driven) load model.

mod binary;
mod cast;
mod connect;
mod cpu;
mod cut;
mod drive;
mod error;
mod frames;
mod framing;
mod inbox;
mod incoming;
mod latency;
mod load;
mod nats;
mod outbox;
mod outgoing;
mod payload;
pub mod relay;
mod report;
mod role;
mod session;
mod socket;
mod tally;
mod target;
mod transport;
mod window;
mod workload;

pub use cpu::process_tree_cpu;
pub use drive::run;
pub use error::BenchError;
pub use report::{Phase, Progress, Report};
pub use target::{Address, Peer, Target};
pub use transport::Transport;
pub use workload::{PubSub, Rpc, Workload};
