//! The signals that a router minds.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the router minds. Whoever reads where it listens may send one at once: they are
/// installed before that is said.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Only where there is a file to read again.
    hangup: Option<Signal>,
}

/// What a signal asks for.
pub(super) enum Asked {
    /// The end; with the signal's name.
    End(&'static str),
    /// That the configuration file is read again.
    Reload,
}

impl Signals {
    pub(super) fn install(hangup: bool) -> anyhow::Result<Self> {
        let hangup = hangup.then(|| signal(SignalKind::hangup()));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot await SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot await SIGINT")?,
            hangup: hangup.transpose().context("cannot await SIGHUP")?,
        })
    }

    /// The next signal; none is lost between two calls.
    pub(super) async fn next(&mut self) -> Asked {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::End("SIGTERM"),
            _ = self.interrupt.recv() => Asked::End("SIGINT"),
            _ = hung_up => Asked::Reload,
        }
    }
}
