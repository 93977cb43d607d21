//! What is compared: the two engines of the floor, wampy, and the routers that are there beside it.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

use wampy_bench::{Target, Transport};

use super::crossbar;
use super::matrix::Cell;
use super::process::Process;
use super::routers::{Router, start_crossbar, start_nats, start_nexus, start_wampy, version};
use crate::load_arguments::LoadArguments;

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
    fn made_by(self) -> &'static str {
        match self {
            Self::FloorReadiness | Self::FloorBlocking => "this program",
            Self::Wampy => "cargo build --release",
            Self::Nats => "benches/setup-nats",
            Self::Nexus => "benches/setup-nexus",
            Self::Crossbar => "benches/setup-crossbar",
        }
    }

    fn start(self, command: &Path, directory: &Path) -> Result<Router, String> {
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

    fn version(self, command: &Path) -> Option<String> {
        match self {
            Self::FloorReadiness | Self::FloorBlocking => None,
            Self::Wampy => version(command, "--version"),
            Self::Nats => version(command, "--version"),
            Self::Nexus => version(command, "-version"),
            Self::Crossbar => crossbar::version(command),
        }
    }
}

/// Where one measurement goes, and for the floor the process that lives as long as it.
pub struct Place {
    pub target: Target,
    _relay: Option<Process>,
}

/// Everything that takes part.
#[derive(Debug)]
pub struct Peers {
    list: Vec<Peer>,
    routers: HashMap<Peer, Router>,
    versions: Vec<String>,
    directory: PathBuf,
}

impl Peers {
    /// Starts the routers whose commands are there, and says which are not.
    pub fn start(commands: &[(Peer, PathBuf)]) -> Result<Self, String> {
        let directory = env::temp_dir().join(format!("wampy-bench-{}", process::id()));
        fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
        let mut peers = Self {
            list: vec![Peer::FloorReadiness, Peer::FloorBlocking],
            routers: HashMap::new(),
            versions: Vec::new(),
            directory,
        };
        for (peer, command) in commands {
            if !command.exists() {
                let (name, command) = (peer.name(), command.display());
                let made_by = peer.made_by();
                eprintln!("skipping {name}: there is no {command} ({made_by} makes it)");
                peers.versions.push(format!("{name} was not there"));
                continue;
            }
            let router = peer.start(command, &peers.directory)?;
            peers.routers.insert(*peer, router);
            peers.list.push(*peer);
            peers.versions.extend(peer.version(command));
        }
        Ok(peers)
    }

    pub fn list(&self) -> &[Peer] {
        &self.list
    }

    pub fn versions(&self) -> &[String] {
        &self.versions
    }

    /// All peers, beginning with another one in every round.
    pub fn in_order(&self, round: u32) -> Vec<Peer> {
        let mut order = self.list.clone();
        order.rotate_left(round as usize % self.list.len());
        order
    }

    /// Where to measure a cell on a peer.
    pub fn place(&self, peer: Peer, cell: &Cell) -> Result<Place, String> {
        let router = match peer {
            Peer::FloorReadiness => return start_relay("readiness", cell),
            Peer::FloorBlocking => return start_relay("blocking", cell),
            _ => self.routers.get(&peer).ok_or("it is not running")?,
        };
        let target = match (router.is_nats(), cell.mixed) {
            (true, _) => router.target(Transport::Nats)?,
            (false, false) => router.target(cell.transport)?,
            (false, true) => router.target(cell.transport)?.subscribers(vec![
                router.target(Transport::RawSocketMsgpack)?,
                router.target(Transport::RawSocketCbor)?,
            ]),
        };
        Ok(Place {
            target,
            _relay: None,
        })
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.routers.clear();
        // A directory left behind in the place for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Starts the floor of a cell. That of mixed serializers transcodes nothing: all ends take the frames
/// of the publisher's transport.
fn start_relay(engine: &str, cell: &Cell) -> Result<Place, String> {
    let (name, scheme) = match cell.transport {
        Transport::RawSocketMsgpack => ("raw-socket-msgpack", "rs"),
        Transport::WebSocketJson => ("web-socket-json", "ws"),
        other => return Err(format!("there is no relay for {}", other.name())),
    };
    let start = || -> io::Result<(Process, String)> {
        let mut child = Command::new(env::current_exe()?)
            .args(["relay", "--engine", engine, "--transport", name])
            .args(LoadArguments::of(&cell.workload))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        Ok((Process::adopt("the relay", child), address))
    };
    let (relay, address) = start().map_err(|error| format!("cannot start the relay: {error}"))?;
    let target = Target::parse(&format!("{scheme}://{}", address.trim()))
        .map_err(|_| "the relay did not say where it listens")?;
    Ok(Place {
        target: target.relay().router_pid(relay.pid()),
        _relay: Some(relay),
    })
}
