//! The benchmark program: compares routers with each other and with the floor, runs one workload,
//! or is the floor's relay.

mod compare;
mod load_arguments;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use load_arguments::LoadArguments;
use wampy_bench::relay::{Engine, Plan, Relay};
use wampy_bench::{Report, Target, Transport, run};

#[derive(Parser)]
#[command(about = "Benchmarks of WAMP routers", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare wampy, the floor and other routers, and write the tables.
    Compare(compare::CompareArguments),
    /// Run one workload against one router, or a NATS server.
    Run(RunArguments),
    /// Be the floor: copy frames between the sockets of one workload.
    Relay(RelayArguments),
}

#[derive(Args)]
struct RunArguments {
    /// ws://HOST:PORT/PATH, rs://HOST:PORT or unix:///PATH, or nats://HOST:PORT.
    #[arg(long)]
    url: String,
    /// The realm to join.
    #[arg(long, default_value = "realm1")]
    realm: String,
    /// Seconds to measure.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// The router's process, to report its CPU time.
    #[arg(long)]
    pid: Option<u32>,
    /// There is a relay of the same workload at this address.
    #[arg(long)]
    relay: bool,
    #[command(subcommand)]
    load: LoadArguments,
}

#[derive(Args)]
struct RelayArguments {
    /// How the relay waits.
    #[arg(long)]
    engine: EngineName,
    /// Whose frames it copies.
    #[arg(long)]
    transport: TransportName,
    #[command(subcommand)]
    load: LoadArguments,
}

#[derive(Clone, Copy, ValueEnum)]
enum EngineName {
    Readiness,
    Blocking,
}

#[derive(Clone, Copy, ValueEnum)]
enum TransportName {
    RawSocketMsgpack,
    WebSocketJson,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Run(arguments) => run_one(&arguments),
        Command::Relay(arguments) => relay(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_one(arguments: &RunArguments) -> Result<(), Box<dyn Error>> {
    let mut target = match arguments.url.strip_prefix("nats://") {
        Some(host) => Target::nats(host)?,
        None => Target::parse(&arguments.url)?.realm(&arguments.realm),
    };
    target.router_pid = arguments.pid;
    if arguments.relay {
        target = target.relay();
    }
    let duration = Duration::try_from_secs_f64(arguments.seconds)?;
    let workload = arguments.load.workload();
    let report = run(&workload, &target, duration, &mut |_| ())?;
    println!("{}", line(&report));
    Ok(())
}

fn relay(arguments: &RelayArguments) -> Result<(), Box<dyn Error>> {
    let transport = match arguments.transport {
        TransportName::RawSocketMsgpack => Transport::RawSocketMsgpack,
        TransportName::WebSocketJson => Transport::WebSocketJson,
    };
    let engine = match arguments.engine {
        EngineName::Readiness => Engine::Readiness,
        EngineName::Blocking => Engine::Blocking,
    };
    let relay = Relay::bind(Plan::new(&arguments.load.workload(), transport))?;
    println!("{}", relay.address()?);
    std::io::stdout().flush()?;
    Ok(relay.serve(engine)?)
}

/// A report in one line.
fn line(report: &Report) -> String {
    let microseconds = |duration: Duration| duration.as_secs_f64() * 1e6;
    let mut text = format!(
        "{:>9.0} {}s/s  p50 {:>7.1} µs  p99 {:>7.1} µs",
        report.per_second(),
        report.workload.unit(),
        microseconds(report.latency_p50),
        microseconds(report.latency_p99),
    );
    if let Some(each) = report.router_cpu_each() {
        text += &format!("  router {:.2} µs each", microseconds(each));
    }
    if let Some(share) = report.generator_share() {
        text += &format!("  load loop {:.0} %", share * 100.0);
    }
    if report.faults() > 0 {
        text += &format!(
            "  FAULTS: {} errors ({}), {} lost, {} misplaced, {} corrupt",
            report.errors,
            report.first_error.as_deref().unwrap_or("none"),
            report.lost,
            report.misplaced,
            report.corrupt
        );
    }
    text
}
