//! Where each of the compared is measured: the routers run throughout, and the floor as long as one
//! measurement.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{self, Command, Stdio};

use wampy_bench::{Target, Transport};

use super::matrix::Cell;
use super::peer::Peer;
use super::process::Process;
use super::routers::Router;
use crate::load_arguments::LoadArguments;

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
