//! A process that this program started: it ends when its owner is dropped.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for a process to end by itself after it was asked to.
const END_TIMEOUT: Duration = Duration::from_secs(8);

/// How often a state is looked at that nobody announces.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A process that ends with its owner.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: &'static str,
    /// Where its output goes.
    log: Option<PathBuf>,
}

impl Process {
    /// Starts a command whose output goes to a file.
    pub fn start(name: &'static str, command: &mut Command, log: PathBuf) -> io::Result<Self> {
        let file = File::create(&log)?;
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        Ok(Self {
            child: command.spawn()?,
            name,
            log: Some(log),
        })
    }

    /// Takes over a process that somebody else started.
    pub fn adopt(name: &'static str, child: Child) -> Self {
        Self {
            child,
            name,
            log: None,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until something listens at all these addresses.
    pub fn wait_for(&mut self, addresses: &[SocketAddr], timeout: Duration) -> Result<(), String> {
        let start = Instant::now();
        for address in addresses {
            while TcpStream::connect(address).is_err() {
                let ended = matches!(self.child.try_wait(), Ok(Some(_)));
                if ended || start.elapsed() > timeout {
                    let what = if ended { "ended" } else { "does not listen" };
                    return Err(format!("{} {what}; it said:\n{}", self.name, self.said()));
                }
                thread::sleep(POLL_INTERVAL);
            }
        }
        Ok(())
    }

    /// The last lines of its output.
    fn said(&self) -> String {
        let text = self
            .log
            .as_ref()
            .and_then(|log| std::fs::read_to_string(log).ok());
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Process {
    /// Asks it to end, waits a little, and then makes it end.
    fn drop(&mut self) {
        let asked = Command::new("kill")
            .arg(self.pid().to_string())
            .stderr(Stdio::null())
            .status();
        let start = Instant::now();
        while asked.is_ok() && start.elapsed() < END_TIMEOUT {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(POLL_INTERVAL);
        }
        // An error means that it is gone.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on the loopback interface that nobody uses now.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}
