//! `scale`: how cost grows, with sessions, subscriptions, payloads, realms. Each measurement stands in
//! a module of its own and hands [`Findings`] to the page.
//!
//! Deliberately absent: other routers. They are compared where the work is the same for all of them.

mod axis;
mod beside;
mod chart;
mod cores;
mod crowd;
mod curves;
mod door;
mod encrypted;
mod findings;
mod holders;
mod joining;
mod member;
mod memory;
mod open_files;
mod page;
mod process_files;
mod realms;
mod router;
mod slow;
mod start;
mod statistics;
mod subscriptions;
mod wire;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

pub use door::{DoorArguments, serve as serve_door};
use findings::Findings;

/// Command line of `scale`.
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// The wampy binary; the default is the one beside this program.
    #[arg(long)]
    wampy: Option<PathBuf>,
    /// Only this measurement; may be repeated.
    #[arg(long, value_parser = names())]
    only: Vec<String>,
    /// Small numbers and short times, to see that everything works; the figures are rough.
    #[arg(long)]
    quick: bool,
    /// The directory for scaling.md and its charts; a whole run writes to docs, any other nowhere.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What all measurements know.
#[derive(Debug)]
pub struct Setup {
    pub wampy: PathBuf,
    /// Sockets that a process may have open.
    pub sockets: usize,
    pub quick: bool,
}

/// How long anything is measured in a quick run.
const TIME_QUICK: Duration = Duration::from_millis(100);

impl Setup {
    /// How long something is measured.
    pub fn time(&self, time: Duration) -> Duration {
        match self.quick {
            true => time.min(TIME_QUICK),
            false => time,
        }
    }

    /// How often something is measured.
    pub fn rounds(&self, rounds: usize) -> usize {
        match self.quick {
            true => 1,
            false => rounds,
        }
    }
}

/// One measurement.
pub struct Measurement {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its heading on the page.
    pub heading: &'static str,
    measure: fn(&Setup) -> Result<Findings, String>,
}

/// All measurements, in the order of the page.
#[rustfmt::skip]
const MEASUREMENTS: [Measurement; 12] = [
    Measurement { name: "memory", heading: "Idle sessions", measure: memory::measure },
    Measurement { name: "joining", heading: "Joining and leaving", measure: joining::measure },
    Measurement { name: "start", heading: "Start and size", measure: start::measure },
    Measurement { name: "subscriptions", heading: "Subscriptions of others", measure: subscriptions::measure },
    Measurement { name: "slow", heading: "Slow and hostile sessions", measure: slow::measure },
    Measurement { name: "cores", heading: "Threads at work", measure: cores::measure },
    Measurement { name: "payload", heading: "Payload", measure: curves::payload },
    Measurement { name: "subscribers", heading: "Subscribers", measure: curves::subscribers },
    Measurement { name: "in-flight", heading: "Calls under way", measure: curves::in_flight },
    Measurement { name: "sessions", heading: "Calls beside idle sessions", measure: beside::sessions },
    Measurement { name: "registrations", heading: "Registrations of others", measure: beside::registrations },
    Measurement { name: "realms", heading: "Realms", measure: realms::measure },
];

fn names() -> clap::builder::PossibleValuesParser {
    MEASUREMENTS.map(|measurement| measurement.name).into()
}

impl ScaleArguments {
    fn wampy(&self) -> PathBuf {
        let beside = || Some(std::env::current_exe().ok()?.parent()?.join("wampy"));
        self.wampy
            .clone()
            .or_else(beside)
            .unwrap_or_else(|| "wampy".into())
    }

    fn out(&self) -> Option<PathBuf> {
        let whole = !self.quick && self.only.is_empty();
        self.out.clone().or_else(|| whole.then(|| "docs".into()))
    }

    fn is_chosen(&self, measurement: &Measurement) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == measurement.name)
    }
}

/// Measures, prints, and writes the page with its charts.
pub fn scale(arguments: &ScaleArguments) -> Result<(), Box<dyn Error>> {
    let setup = Setup {
        wampy: arguments.wampy(),
        sockets: open_files::raise(),
        quick: arguments.quick,
    };
    if !setup.wampy.exists() {
        let path = setup.wampy.display();
        return Err(format!("there is no {path} (cargo build --release -p wampy-cli)").into());
    }
    let heading = page::heading(&setup);
    let mut outcomes = Vec::new();
    for measurement in &MEASUREMENTS {
        if !arguments.is_chosen(measurement) {
            continue;
        }
        let start = Instant::now();
        let outcome = (measurement.measure)(&setup);
        let section = page::section(measurement, &outcome);
        println!("{section}");
        eprintln!(
            "{}: {:.1} s",
            measurement.name,
            start.elapsed().as_secs_f64()
        );
        outcomes.push((measurement, outcome));
    }
    println!("{}", page::targets(&outcomes));
    if let Some(out) = arguments.out() {
        page::write(&out, &heading, &outcomes)
            .map_err(|error| format!("cannot write to {}: {error}", out.display()))?;
        eprintln!("written to {}", out.display());
    }
    // Files left behind in the place for temporary ones harm nobody.
    let _ = fs::remove_dir_all(router::directory());
    let failed: Vec<&str> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.is_err())
        .map(|(measurement, _)| measurement.name)
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("these measurements failed: {}", failed.join(", ")).into()),
    }
}
