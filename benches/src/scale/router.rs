//! The router under measurement, and the relay that is the floor, as processes.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wampy_bench::{Target, Transport, Workload};

use crate::compare::process::{Process, free_address};
use crate::load_arguments::LoadArguments;

/// Loopback addresses on which a router listens. A client has less than 28,000 ports towards each
/// of them.
const ADDRESSES: u8 = 4;

/// Longest wait for a router to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A router that ends with its owner.
#[derive(Debug)]
pub struct Router {
    process: Process,
    addresses: Vec<SocketAddr>,
}

impl Router {
    /// Starts a router with these further arguments, and waits until it listens.
    pub fn start(wampy: &Path, arguments: &[&str]) -> Result<Self, String> {
        let addresses = free_addresses()?;
        let mut command = command(wampy, &addresses, arguments);
        let log = log_file();
        let started = Process::start("wampy", &mut command, log);
        let mut process = started.map_err(|error| format!("cannot start wampy: {error}"))?;
        process.wait_for(&addresses, START_TIMEOUT)?;
        Ok(Self { process, addresses })
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The router as a target of the load generator.
    pub fn target(&self, transport: Transport) -> Result<Target, String> {
        let scheme = match transport {
            Transport::WebSocketJson => "ws",
            _ => "rs",
        };
        let target = Target::parse(&format!("{scheme}://{}/", self.address()));
        Ok(target
            .map_err(|error| error.to_string())?
            .router_pid(self.pid()))
    }
}

/// The command that runs a router on these addresses.
pub fn command(wampy: &Path, addresses: &[SocketAddr], arguments: &[&str]) -> Command {
    let mut command = Command::new(wampy);
    command.args(["router", "--log", "error"]).args(arguments);
    for address in addresses {
        command.args(["--listen", &address.to_string()]);
    }
    command
}

/// Whether the router has such an option.
pub fn offers(wampy: &Path, option: &str) -> bool {
    let help = Command::new(wampy).args(["router", "--help"]).output();
    help.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(option))
}

/// One port that is free, on several loopback addresses where the system has them all.
fn free_addresses() -> Result<Vec<SocketAddr>, String> {
    let first = free_address().map_err(|error| format!("no free port: {error}"))?;
    let others = if cfg!(target_os = "linux") {
        ADDRESSES
    } else {
        1
    };
    Ok((1..=others)
        .map(|last| (Ipv4Addr::new(127, 0, 0, last), first.port()).into())
        .collect())
}

/// A directory for the files of this run.
pub fn directory() -> PathBuf {
    let directory = env::temp_dir().join(format!("wampy-scale-{}", process::id()));
    // Where that fails, the first file in it cannot be made, and that is told.
    let _ = fs::create_dir_all(&directory);
    directory
}

/// A file for the output of one more process.
pub fn log_file() -> PathBuf {
    static PROCESSES: AtomicU64 = AtomicU64::new(0);
    let number = PROCESSES.fetch_add(1, Ordering::Relaxed);
    directory().join(format!("{number}.log"))
}

/// A relay for one workload, and where the load finds it.
pub struct Floor {
    pub target: Target,
    _process: Process,
}

/// The two ways in which the relay can wait.
pub const ENGINES: [&str; 2] = ["readiness", "blocking"];

impl Floor {
    /// Starts the relay for a workload over RawSocket.
    pub fn start(engine: &str, workload: &Workload) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start the relay: {error}");
        let mut child = Command::new(env::current_exe().map_err(failed)?)
            .args([
                "relay",
                "--engine",
                engine,
                "--transport",
                "raw-socket-msgpack",
            ])
            .args(LoadArguments::of(workload))
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut address = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut address)
                .map_err(failed)?;
        }
        let process = Process::adopt("the relay", child);
        let target = Target::parse(&format!("rs://{}", address.trim()));
        let target = target.map_err(|error| error.to_string())?;
        Ok(Self {
            target: target.relay().router_pid(process.pid()),
            _process: process,
        })
    }
}
