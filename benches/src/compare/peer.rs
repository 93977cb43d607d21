//! What is compared: the two engines of the floor, wampy, Crossbar.io.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::Duration;

use wampy_bench::{Address, Target, Transport};

use super::crossbar;
use super::matrix::Cell;
use super::process::{Process, free_address};
use crate::load_arguments::LoadArguments;

/// Longest wait for a router to listen.
const WAMPY_START_TIMEOUT: Duration = Duration::from_secs(10);
const CROSSBAR_START_TIMEOUT: Duration = Duration::from_secs(90);

/// One of the compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    FloorReadiness,
    FloorBlocking,
    Wampy,
    Crossbar,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Self::FloorReadiness => "floor, readiness",
            Self::FloorBlocking => "floor, blocking",
            Self::Wampy => "wampy",
            Self::Crossbar => "Crossbar.io",
        }
    }

    pub fn is_floor(self) -> bool {
        matches!(self, Self::FloorReadiness | Self::FloorBlocking)
    }
}

/// A router that runs for the whole comparison.
#[derive(Debug)]
struct Router {
    process: Process,
    websocket: SocketAddr,
    rawsocket: SocketAddr,
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
    wampy: Option<Router>,
    crossbar: Option<Router>,
    versions: Vec<String>,
    directory: PathBuf,
}

impl Peers {
    /// Starts the routers that are there, and says which are not.
    pub fn start(wampy: &Path, crossbar: &Path) -> Result<Self, String> {
        let directory = env::temp_dir().join(format!("wampy-bench-{}", process::id()));
        fs::create_dir_all(&directory).map_err(|error| error.to_string())?;
        let mut peers = Self {
            list: vec![Peer::FloorReadiness, Peer::FloorBlocking],
            wampy: None,
            crossbar: None,
            versions: Vec::new(),
            directory,
        };
        if wampy.exists() {
            peers.wampy = Some(start_wampy(wampy, &peers.directory)?);
            peers.list.push(Peer::Wampy);
            peers.versions.extend(wampy_version(wampy));
        } else {
            eprintln!(
                "skipping wampy: there is no {} (cargo build --release)",
                wampy.display()
            );
        }
        if crossbar.exists() {
            peers.crossbar = Some(start_crossbar(crossbar, &peers.directory)?);
            peers.list.push(Peer::Crossbar);
            peers.versions.extend(crossbar::version(crossbar));
        } else {
            eprintln!(
                "skipping Crossbar.io: there is no {} (benches/setup-crossbar)",
                crossbar.display()
            );
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
            Peer::Wampy => &self.wampy,
            Peer::Crossbar => &self.crossbar,
        };
        let router = router.as_ref().ok_or("it is not running")?;
        let address = match cell.transport {
            Transport::RawSocketMsgpack | Transport::RawSocketCbor => router.rawsocket,
            Transport::Nats => return Err("not yet".into()),
            Transport::WebSocketJson => router.websocket,
        };
        let target = target(address, cell.transport, router.process.pid())?;
        Ok(Place {
            target,
            _relay: None,
        })
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        (self.wampy, self.crossbar) = (None, None);
        // A directory left behind in the place for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn target(address: SocketAddr, transport: Transport, pid: u32) -> Result<Target, String> {
    let scheme = match transport {
        Transport::WebSocketJson => "ws",
        _ => "rs",
    };
    let target =
        Target::parse(&format!("{scheme}://{address}/")).map_err(|error| error.to_string())?;
    debug_assert!(matches!(target.address, Address::Tcp(_)));
    Ok(target.router_pid(pid))
}

fn start_wampy(wampy: &Path, directory: &Path) -> Result<Router, String> {
    let address = free_address().map_err(|error| error.to_string())?;
    let mut command = Command::new(wampy);
    command.args([
        "router",
        "--realm",
        "realm1",
        "--listen",
        &address.to_string(),
    ]);
    let process = Process::start("wampy", &mut command, directory.join("wampy.log"));
    let mut process = process.map_err(|error| format!("cannot start wampy: {error}"))?;
    process.wait_for(&[address], WAMPY_START_TIMEOUT)?;
    Ok(Router {
        process,
        websocket: address,
        rawsocket: address,
    })
}

fn wampy_version(wampy: &Path) -> Option<String> {
    let output = Command::new(wampy).arg("--version").output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn start_crossbar(crossbar: &Path, directory: &Path) -> Result<Router, String> {
    let prepare = || -> io::Result<(SocketAddr, SocketAddr, Process)> {
        let (websocket, rawsocket) = (free_address()?, free_address()?);
        let node = directory.join("crossbar");
        crossbar::write_node(&node, websocket, rawsocket)?;
        let mut command = crossbar::command(crossbar, &node);
        let process = Process::start("Crossbar.io", &mut command, directory.join("crossbar.log"))?;
        Ok((websocket, rawsocket, process))
    };
    let (websocket, rawsocket, mut process) =
        prepare().map_err(|error| format!("cannot start Crossbar.io: {error}"))?;
    process.wait_for(&[websocket, rawsocket], CROSSBAR_START_TIMEOUT)?;
    Ok(Router {
        process,
        websocket,
        rawsocket,
    })
}

fn start_relay(engine: &str, cell: &Cell) -> Result<Place, String> {
    let start = || -> io::Result<(Process, String)> {
        let transport = match cell.transport {
            Transport::WebSocketJson => "web-socket-json",
            _ => "raw-socket-msgpack",
        };
        let mut child = Command::new(env::current_exe()?)
            .args(["relay", "--engine", engine, "--transport", transport])
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
    let address = address
        .trim()
        .parse()
        .map_err(|_| "the relay did not say where it listens")?;
    let target = target(address, cell.transport, relay.pid())?.relay();
    Ok(Place {
        target,
        _relay: Some(relay),
    })
}
