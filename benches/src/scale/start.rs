//! How soon a router that is started takes its first session, and how large its program is.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Setup;
use super::findings::{Bound, Findings, number, table};
use super::member::Member;
use super::router::{command, directory, log_file};
use super::statistics::{median, quantile};
use super::wire::Framing;
use crate::compare::process::{Process, free_address};

const STARTS: usize = 20;
const STARTS_QUICK: usize = 3;

/// Longest wait for a router that was started.
const START_TIMEOUT: Duration = Duration::from_secs(10);

const MILLISECONDS_MAX: f64 = 15.0;
const MEBIBYTES_MAX: f64 = 20.0;

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let starts = if setup.quick { STARTS_QUICK } else { STARTS };
    let mut milliseconds = Vec::new();
    for _ in 0..starts {
        milliseconds.push(first_session(&setup.wampy)?.as_secs_f64() * 1e3);
    }
    let mut findings = Findings::default();
    let typical = median(milliseconds.iter().copied());
    findings.judge(
        "start to first session",
        Bound::AtMost(MILLISECONDS_MAX),
        typical,
        "ms",
    );
    let (built, stripped) = program_bytes(&setup.wampy)?;
    let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    let smallest = mebibytes(stripped.unwrap_or(built));
    findings.judge(
        "program, stripped",
        Bound::AtMost(MEBIBYTES_MAX),
        Some(smallest),
        "MiB",
    );
    let shown = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), number);
    findings.text = format!(
        "From the moment before the process is started to the first WELCOME, over a connection that \
         is tried again and again without a pause; {starts} starts. The program as it is built, and \
         without symbols:\n\n{}",
        table(
            &["", "median", "shortest", "longest"],
            &[
                vec![
                    "start to first session, ms".to_owned(),
                    shown(typical),
                    shown(quantile(&milliseconds, 0.0)),
                    shown(quantile(&milliseconds, 1.0)),
                ],
                vec![
                    "program as built, MiB".to_owned(),
                    number(mebibytes(built)),
                    String::new(),
                    String::new()
                ],
                vec![
                    "program stripped, MiB".to_owned(),
                    shown(stripped.map(mebibytes)),
                    String::new(),
                    String::new(),
                ],
            ]
        )
    );
    Ok(findings)
}

fn first_session(wampy: &Path) -> Result<Duration, String> {
    let address: SocketAddr = free_address().map_err(|error| format!("no free port: {error}"))?;
    let mut command = command(wampy, &[address], &[]);
    let log = log_file();
    let start = Instant::now();
    let process = Process::start("wampy", &mut command, log);
    let _process = process.map_err(|error| format!("cannot start wampy: {error}"))?;
    while TcpStream::connect(address).is_err() {
        if start.elapsed() > START_TIMEOUT {
            return Err("wampy does not listen".to_owned());
        }
    }
    let member = Member::join(address, Framing::RawSocket, "realm1")?;
    let elapsed = start.elapsed();
    drop(member);
    Ok(elapsed)
}

/// Size of the program as it is, and after `strip`, where that is installed.
fn program_bytes(wampy: &Path) -> Result<(u64, Option<u64>), String> {
    let bytes = |path: &Path| Ok(fs::metadata(path)?.len());
    let failed = |error: std::io::Error| format!("{}: {error}", wampy.display());
    let copy = directory().join("wampy.stripped");
    let stripped = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(wampy)
        .status();
    let stripped = match stripped.is_ok_and(|status| status.success()) {
        true => bytes(&copy).ok(),
        false => None,
    };
    Ok((bytes(wampy).map_err(failed)?, stripped))
}
