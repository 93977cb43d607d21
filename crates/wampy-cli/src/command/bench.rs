//! `wampy bench`: measures any router, with a progress bar.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use wampy_bench::{BenchError, Phase, Progress, PubSub, Report, Rpc, Target, Workload};

use crate::connection::seconds;
use crate::exit::{Exit, UsageError};
use crate::json;

/// Measure a router: calls or events per second, latency, losses.
///
/// The load is checked: every message must come back once, in order, with its content.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy bench rpc
  wampy bench rpc --callers 16 --in-flight 8 --url rs://localhost:8080
  wampy bench pubsub --subscribers 100 --payload 1024 --duration 10
  wampy bench pubsub --json | jq .per_second")]
pub(crate) struct Bench {
    #[command(subcommand)]
    workload: WorkloadArguments,
}

/// What to send.
#[derive(Debug, Subcommand)]
enum WorkloadArguments {
    /// Callers that call echoing callees.
    Rpc {
        /// Sessions that call.
        #[arg(long, default_value_t = 1)]
        callers: usize,
        /// Unanswered calls of each caller at any time.
        #[arg(long, default_value_t = 1)]
        in_flight: usize,
        /// Sessions that answer.
        #[arg(long, default_value_t = 1)]
        callees: usize,
        #[command(flatten)]
        run: RunArguments,
    },
    /// A publisher whose events all subscribers receive.
    #[command(name = "pubsub")]
    PubSub {
        /// Sessions that publish.
        #[arg(long, default_value_t = 1)]
        publishers: usize,
        /// Sessions that subscribe.
        #[arg(long, default_value_t = 1)]
        subscribers: usize,
        /// Publications of each publisher on their way at any time.
        #[arg(long, default_value_t = 16)]
        window: usize,
        #[command(flatten)]
        run: RunArguments,
    },
}

/// Where to and for how long.
#[derive(Debug, Args)]
struct RunArguments {
    /// Where the router listens: ws:// (WebSocket, JSON), rs:// or unix:/// (RawSocket,
    /// MessagePack).
    #[arg(long, short, env = "WAMPY_URL", default_value = "ws://localhost:8080")]
    url: String,
    /// The realm to join.
    #[arg(long, short, env = "WAMPY_REALM", default_value = "realm1")]
    realm: String,
    /// Length of the one argument, a text, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 16)]
    payload: usize,
    /// How long to measure.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    duration: Duration,
    /// The router's process, to report its CPU time, if it runs on this machine.
    #[arg(long, value_name = "PID")]
    router_pid: Option<u32>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Measures and prints the report; lost or wrong messages make it fail.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let (workload, run) = self.workload.split();
        let mut target = Target::parse(&run.url)?.realm(&run.realm);
        if let Some(pid) = run.router_pid {
            target = target.router_pid(pid);
        }
        let bar = ProgressBar::new(1000).with_style(style()?);
        let result = wampy_bench::run(&workload, &target, run.duration, &mut |progress| {
            show(&bar, &progress);
        });
        bar.finish_and_clear();
        let report = match result {
            Err(BenchError::Workload(problem)) => return Err(UsageError(problem).into()),
            other => other.with_context(|| format!("with the router at {}", run.url))?,
        };
        if run.json {
            json::print(&as_json(&report).to_string())?;
        } else {
            json::print_line(as_text(&report).trim_end_matches('\n'))?;
        }
        Ok(if report.faults() == 0 {
            Exit::Success
        } else {
            Exit::Failed
        })
    }
}

impl WorkloadArguments {
    fn split(self) -> (Workload, RunArguments) {
        match self {
            Self::Rpc {
                callers,
                in_flight,
                callees,
                run,
            } => {
                let payload_bytes = run.payload;
                (
                    Workload::Rpc(Rpc {
                        callers,
                        in_flight,
                        callees,
                        payload_bytes,
                    }),
                    run,
                )
            }
            Self::PubSub {
                publishers,
                subscribers,
                window,
                run,
            } => {
                let payload_bytes = run.payload;
                let pubsub = PubSub {
                    publishers,
                    subscribers,
                    window,
                    payload_bytes,
                };
                (Workload::PubSub(pubsub), run)
            }
        }
    }
}

fn style() -> anyhow::Result<ProgressStyle> {
    Ok(
        ProgressStyle::with_template("{msg:10} [{wide_bar}] {percent:>3}% {prefix}")?
            .progress_chars("=> "),
    )
}

fn show(bar: &ProgressBar, progress: &Progress) {
    let share = progress.elapsed.as_secs_f64() / progress.total.as_secs_f64();
    bar.set_position((share * 1000.0) as u64);
    bar.set_message(match progress.phase {
        Phase::Joining => "joining",
        Phase::WarmingUp => "warming up",
        Phase::Measuring => "measuring",
        Phase::Draining => "draining",
    });
    let faults = match progress.faults {
        0 => String::new(),
        faults => format!(", {faults} faults"),
    };
    bar.set_prefix(format!("{} done{faults}", progress.completed));
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn as_text(report: &Report) -> String {
    use std::fmt::Write;
    let unit = report.workload.unit();
    let mut text = String::new();
    // Writing to a string cannot fail.
    _ = writeln!(
        text,
        "{:>14.0} {unit}s per second ({})",
        report.per_second(),
        report.transport.name()
    );
    let latency = [report.latency_p50, report.latency_p99, report.latency_max].map(micros);
    let [p50, p99, max] = latency;
    _ = writeln!(
        text,
        "{p50:>14.1} µs p50   {p99:.1} µs p99   {max:.1} µs at most"
    );
    if let Some(each) = report.router_cpu_each() {
        _ = writeln!(text, "{:>14.2} µs router CPU per {unit}", micros(each));
    }
    if let Some(share) = report.generator_share() {
        _ = writeln!(
            text,
            "{:>14.0} % of a core used by the load itself",
            share * 100.0
        );
    }
    if report.faults() > 0 {
        let Report {
            errors,
            lost,
            misplaced,
            corrupt,
            ..
        } = report;
        _ = writeln!(
            text,
            "FAULTS: {errors} errors, {lost} lost, {misplaced} misplaced, {corrupt} corrupt"
        );
        if let Some(uri) = &report.first_error {
            _ = writeln!(text, "first error: {uri}");
        }
    }
    text
}

fn as_json(report: &Report) -> serde_json::Value {
    serde_json::json!({
        "unit": report.workload.unit(),
        "transport": report.transport.name(),
        "seconds": report.elapsed.as_secs_f64(),
        "completed": report.completed,
        "per_second": report.per_second(),
        "latency_us": {
            "p50": micros(report.latency_p50),
            "p99": micros(report.latency_p99),
            "max": micros(report.latency_max),
        },
        "router_cpu_us_each": report.router_cpu_each().map(micros),
        "generator_share": report.generator_share(),
        "errors": report.errors,
        "first_error": report.first_error,
        "lost": report.lost,
        "misplaced": report.misplaced,
        "corrupt": report.corrupt,
    })
}
