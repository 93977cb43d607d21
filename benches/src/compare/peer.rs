//! Who is compared: the two engines of the floor, wampy, and the routers that may be there beside it.

use std::path::Path;

use super::crossbar;
use super::routers::{Router, start_crossbar, start_nats, start_nexus, start_wampy, version};

/// One of the compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    FloorReadiness,
    FloorBlocking,
    Wampy,
    Nats,
    Nexus,
    Crossbar,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::FloorReadiness => "floor, readiness",
            Self::FloorBlocking => "floor, blocking",
            Self::Wampy => "wampy",
            Self::Nats => "NATS",
            Self::Nexus => "nexus",
            Self::Crossbar => "Crossbar.io",
        }
    }

    pub fn is_floor(self) -> bool {
        matches!(self, Self::FloorReadiness | Self::FloorBlocking)
    }

    /// What makes the command that it is started by.
    pub fn made_by(self) -> &'static str {
        match self {
            Self::FloorReadiness | Self::FloorBlocking => "this program",
            Self::Wampy => "cargo build --release",
            Self::Nats => "benches/setup-nats",
            Self::Nexus => "benches/setup-nexus",
            Self::Crossbar => "benches/setup-crossbar",
        }
    }

    /// Starts it, for all of the rounds.
    pub fn start(self, command: &Path, directory: &Path) -> Result<Router, String> {
        match self {
            Self::FloorReadiness | Self::FloorBlocking => {
                Err("a relay is started for each cell".into())
            }
            Self::Wampy => start_wampy(command, directory),
            Self::Nats => start_nats(command, directory),
            Self::Nexus => start_nexus(command, directory),
            Self::Crossbar => start_crossbar(command, directory),
        }
    }

    /// What it says it is.
    pub fn version(self, command: &Path) -> Option<String> {
        match self {
            Self::FloorReadiness | Self::FloorBlocking => None,
            Self::Wampy => version(command, "--version"),
            Self::Nats => version(command, "--version"),
            Self::Nexus => version(command, "-version"),
            Self::Crossbar => crossbar::version(command),
        }
    }
}
