//! Workloads on the command line, read and written, so that one process can start another with its
//! own workload.

use clap::Subcommand;
use wampy_bench::{PubSub, Rpc, Workload};

/// A workload as arguments.
#[derive(Debug, Clone, Subcommand)]
pub enum LoadArguments {
    /// Callers that call procedures of callees.
    Rpc {
        /// Sessions that call.
        #[arg(long, default_value_t = 16)]
        callers: usize,
        /// Unanswered calls of each caller.
        #[arg(long, default_value_t = 8)]
        in_flight: usize,
        /// Sessions that answer.
        #[arg(long, default_value_t = 1)]
        callees: usize,
        /// Bytes of the argument.
        #[arg(long, default_value_t = 16)]
        payload: usize,
    },
    /// A publisher whose events all subscribers receive.
    Pubsub {
        /// Sessions that publish.
        #[arg(long, default_value_t = 1)]
        publishers: usize,
        /// Sessions that subscribe.
        #[arg(long, default_value_t = 10)]
        subscribers: usize,
        /// Publications of each publisher that have not reached everybody, at most.
        #[arg(long, default_value_t = 16)]
        window: usize,
        /// Bytes of the argument.
        #[arg(long, default_value_t = 16)]
        payload: usize,
    },
}

impl LoadArguments {
    /// The workload that the arguments describe.
    pub fn workload(&self) -> Workload {
        match *self {
            Self::Rpc {
                callers,
                in_flight,
                callees,
                payload,
            } => Workload::Rpc(Rpc {
                callers,
                in_flight,
                callees,
                payload_bytes: payload,
            }),
            Self::Pubsub {
                publishers,
                subscribers,
                window,
                payload,
            } => {
                let payload_bytes = payload;
                Workload::PubSub(PubSub {
                    publishers,
                    subscribers,
                    window,
                    payload_bytes,
                })
            }
        }
    }

    /// The arguments that describe a workload.
    pub fn of(workload: &Workload) -> Vec<String> {
        let (name, options) = match workload {
            Workload::Rpc(rpc) => (
                "rpc",
                [
                    ("--callers", rpc.callers),
                    ("--in-flight", rpc.in_flight),
                    ("--callees", rpc.callees),
                    ("--payload", rpc.payload_bytes),
                ],
            ),
            Workload::PubSub(pubsub) => (
                "pubsub",
                [
                    ("--publishers", pubsub.publishers),
                    ("--subscribers", pubsub.subscribers),
                    ("--window", pubsub.window),
                    ("--payload", pubsub.payload_bytes),
                ],
            ),
        };
        let options = options
            .into_iter()
            .flat_map(|(name, value)| [name.into(), value.to_string()]);
        std::iter::once(name.to_owned()).chain(options).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(subcommand)]
        load: LoadArguments,
    }

    #[test]
    fn a_workload_survives_the_command_line() {
        let rpc = Rpc {
            callers: 3,
            in_flight: 5,
            callees: 2,
            payload_bytes: 77,
        };
        let pubsub = PubSub {
            publishers: 2,
            subscribers: 9,
            window: 4,
            payload_bytes: 1024,
        };
        for workload in [Workload::Rpc(rpc), Workload::PubSub(pubsub)] {
            let arguments = std::iter::once("bench".to_owned()).chain(LoadArguments::of(&workload));
            assert_eq!(Only::parse_from(arguments).load.workload(), workload);
        }
    }
}
