//! `compare`: the workloads against the floor, wampy and the routers that are there beside it, in
//! interleaved rounds, so that a slow minute of the machine hits all of them; then a page with the
//! targets and tables of medians.
//!
//! Deliberately absent: what grows with the number of sessions (memory, joining, start-up).

mod crossbar;
mod faults;
mod goals;
pub(crate) mod machine;
mod markdown;
mod matrix;
mod page;
mod peer;
pub(crate) mod process;
mod results;
mod routers;
mod tables;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use wampy_bench::{Report, run};

use crate::line;
use matrix::{Cell, matrix};
use peer::{Peer, Peers};
use results::Results;

/// Command line of `compare`.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The wampy binary; the default is the one beside this program.
    #[arg(long)]
    wampy: Option<PathBuf>,
    /// The crossbar command; benches/setup-crossbar makes the default one.
    #[arg(long, default_value = ".venv-crossbar/bin/crossbar")]
    crossbar: PathBuf,
    /// The nexus router; benches/setup-nexus makes the default one.
    #[arg(long, default_value = ".tools/nexus/nexus")]
    nexus: PathBuf,
    /// The NATS server; benches/setup-nats makes the default one.
    #[arg(long, default_value = ".tools/nats-server")]
    nats: PathBuf,
    /// Interleaved rounds. More short ones say more than few long ones: what disturbs a machine lasts
    /// longer than a round.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds that each workload is measured on each peer in each round.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// One short round, to see that everything works; the figures are rough.
    #[arg(long)]
    quick: bool,
    /// Only workloads whose name contains this, such as `16x8` or `RawSocket`.
    #[arg(long, default_value = "")]
    only: String,
    /// The file to write; a whole run writes docs/benchmarks.md, any other none.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl CompareArguments {
    fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    fn seconds(&self) -> f64 {
        if self.quick { 0.4 } else { self.seconds }
    }

    fn out(&self) -> Option<PathBuf> {
        let whole = !self.quick && self.only.is_empty();
        self.out
            .clone()
            .or_else(|| whole.then(|| "docs/benchmarks.md".into()))
    }

    /// The commands of the routers that may take part.
    fn commands(&self) -> [(Peer, PathBuf); 4] {
        [
            (Peer::Wampy, self.wampy()),
            (Peer::Nats, self.nats.clone()),
            (Peer::Nexus, self.nexus.clone()),
            (Peer::Crossbar, self.crossbar.clone()),
        ]
    }

    fn wampy(&self) -> PathBuf {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join("wampy"));
        self.wampy
            .clone()
            .or_else(beside)
            .unwrap_or_else(|| "wampy".into())
    }
}

/// Runs the comparison, prints it, and writes it to the file.
pub fn compare(arguments: &CompareArguments) -> Result<(), Box<dyn Error>> {
    let duration = Duration::try_from_secs_f64(arguments.seconds())?;
    let cells: Vec<Cell> = matrix()
        .into_iter()
        .filter(|cell| cell.name().contains(&arguments.only))
        .collect();
    if cells.is_empty() {
        return Err(format!("no workload has `{}` in its name", arguments.only).into());
    }
    let disturbance = machine::disturbance();
    if let Some(disturbance) = &disturbance {
        eprintln!("warning: {disturbance}");
    }
    let peers = Peers::start(&arguments.commands())?;
    let results = measure_all(&peers, &cells, arguments.rounds(), duration);
    write_up(arguments, &cells, &results, &peers, disturbance)
}

/// Interleaved rounds over all cells and peers.
fn measure_all(peers: &Peers, cells: &[Cell], rounds: u32, duration: Duration) -> Results {
    let mut results = Results::default();
    for round in 0..rounds {
        for cell in cells {
            let order = peers.in_order(round).into_iter();
            for peer in order.filter(|peer| cell.takes(*peer)) {
                let outcome = measure(peers, peer, cell, duration);
                announce(round, rounds, cell, peer, &outcome);
                results.add(*cell, peer, round, outcome);
            }
        }
    }
    results
}

/// Prints the tables, and writes the page if this run is to have one.
fn write_up(
    arguments: &CompareArguments,
    cells: &[Cell],
    results: &Results,
    peers: &Peers,
    disturbance: Option<String>,
) -> Result<(), Box<dyn Error>> {
    let goals = goals::table(cells, results);
    let tables = tables::tables(cells, results, peers.list());
    println!("\n{goals}\n{tables}");
    if let Some(out) = arguments.out() {
        let machine = [machine::describe()].into_iter().chain(disturbance);
        let machine = machine.collect::<Vec<_>>().join(". ");
        let page = page::page(&goals, &tables, &machine, peers.versions(), arguments);
        fs::write(&out, page)
            .map_err(|error| format!("cannot write {}: {error}", out.display()))?;
        eprintln!("written to {}", out.display());
    }
    Ok(())
}

fn measure(peers: &Peers, peer: Peer, cell: &Cell, duration: Duration) -> Result<Report, String> {
    let place = peers.place(peer, cell)?;
    run(&cell.workload, &place.target, duration, &mut |_| ()).map_err(|error| error.to_string())
}

fn announce(round: u32, rounds: u32, cell: &Cell, peer: Peer, outcome: &Result<Report, String>) {
    let said = match outcome {
        Ok(report) => line(report),
        Err(error) => format!("FAILED: {error}"),
    };
    eprintln!(
        "{}/{rounds} {:58} {:16} {said}",
        round + 1,
        cell.name(),
        peer.name()
    );
}
