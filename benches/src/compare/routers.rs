//! The routers that run for the whole comparison: how each is started, and what it says it is.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use wampy_bench::{Target, Transport};

use super::crossbar;
use super::process::{Process, free_address};

/// Longest wait for a router to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);
const CROSSBAR_START_TIMEOUT: Duration = Duration::from_secs(90);

/// A router that runs.
#[derive(Debug)]
pub struct Router {
    process: Process,
    rawsocket: Option<SocketAddr>,
    websocket: Option<SocketAddr>,
    nats: Option<SocketAddr>,
}

impl Router {
    /// Where to go with a transport.
    pub fn target(&self, transport: Transport) -> Result<Target, String> {
        let address = match transport {
            Transport::RawSocketMsgpack | Transport::RawSocketCbor => self.rawsocket,
            Transport::WebSocketJson => self.websocket,
            Transport::Nats => self.nats,
        };
        let address = address.ok_or("it does not speak this")?.to_string();
        let target = match transport {
            Transport::RawSocketMsgpack => Target::parse(&format!("rs://{address}")),
            Transport::RawSocketCbor => Target::parse(&format!("rs://{address}")).map(Target::cbor),
            Transport::WebSocketJson => Target::parse(&format!("ws://{address}/")),
            Transport::Nats => Target::nats(&address),
        };
        let target = target.map_err(|error| error.to_string())?;
        Ok(target.router_pid(self.process.pid()))
    }

    /// Whether it speaks NATS and not WAMP.
    pub fn is_nats(&self) -> bool {
        self.nats.is_some()
    }
}

pub fn start_wampy(command: &Path, directory: &Path) -> Result<Router, String> {
    let address = free()?;
    let listen = address.to_string();
    let mut command = Command::new(command);
    command.args(["router", "--realm", "realm1", "--listen", &listen]);
    let process = start("wampy", &mut command, directory, &[address], START_TIMEOUT)?;
    Ok(Router {
        process,
        rawsocket: Some(address),
        websocket: Some(address),
        nats: None,
    })
}

pub fn start_crossbar(command: &Path, directory: &Path) -> Result<Router, String> {
    let (websocket, rawsocket) = (free()?, free()?);
    let node = directory.join("crossbar");
    crossbar::write_node(&node, websocket, rawsocket)
        .map_err(|error| format!("cannot write the node of Crossbar.io: {error}"))?;
    let process = start(
        "Crossbar.io",
        &mut crossbar::command(command, &node),
        directory,
        &[websocket, rawsocket],
        CROSSBAR_START_TIMEOUT,
    )?;
    Ok(Router {
        process,
        rawsocket: Some(rawsocket),
        websocket: Some(websocket),
        nats: None,
    })
}

pub fn start_nexus(command: &Path, directory: &Path) -> Result<Router, String> {
    let (websocket, rawsocket) = (free()?, free()?);
    let (web, raw) = (websocket.to_string(), rawsocket.to_string());
    let mut command = Command::new(command);
    command.args(["-realm", "realm1", "-websocket", &web, "-rawsocket", &raw]);
    let listens = [websocket, rawsocket];
    let process = start("nexus", &mut command, directory, &listens, START_TIMEOUT)?;
    Ok(Router {
        process,
        rawsocket: Some(rawsocket),
        websocket: Some(websocket),
        nats: None,
    })
}

pub fn start_nats(command: &Path, directory: &Path) -> Result<Router, String> {
    let address = free()?;
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let mut command = Command::new(command);
    command.args(["--addr", &host, "--port", &port]);
    let process = start("NATS", &mut command, directory, &[address], START_TIMEOUT)?;
    Ok(Router {
        process,
        rawsocket: None,
        websocket: None,
        nats: Some(address),
    })
}

/// What a command that prints its version says.
pub fn version(command: &Path, option: &str) -> Option<String> {
    let output = Command::new(command).arg(option).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    Some(said.trim().to_owned())
}

fn free() -> Result<SocketAddr, String> {
    free_address().map_err(|error: io::Error| error.to_string())
}

/// Starts a router and waits until it listens.
fn start(
    name: &'static str,
    command: &mut Command,
    directory: &Path,
    listens: &[SocketAddr],
    timeout: Duration,
) -> Result<Process, String> {
    let log = directory.join(format!("{name}.log"));
    let mut process = Process::start(name, command, log)
        .map_err(|error| format!("cannot start {name}: {error}"))?;
    process.wait_for(listens, timeout)?;
    Ok(process)
}
