//! How many sessions a second can join, and leave again, beside a door that only answers.

use std::time::{Duration, Instant};

use super::Setup;
use super::crowd::{AT_ONCE, Crowd};
use super::door::Door;
use super::findings::{Bound, Findings, number, table};
use super::process_files::cpu;
use super::router::Router;
use super::statistics::median;
use super::wire::Framing;

/// Sessions that join before they all leave.
const SESSIONS: usize = 10_000;
const SESSIONS_QUICK: usize = 300;

/// How often all of them come and go.
const ROUNDS: usize = 3;

/// Sessions a second that have to be able to join.
const RATE_MIN: f64 = 15_000.0;

/// One round.
struct Round {
    joined_per_second: f64,
    left_per_second: f64,
    /// CPU time of the router for one session that comes and goes.
    router_cpu: Duration,
    /// CPU time of this program for the same.
    own_cpu: Duration,
    failed: usize,
}

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let sessions = if setup.quick {
        SESSIONS_QUICK
    } else {
        SESSIONS
    }
    .min(setup.sockets);
    let mut findings = Findings::default();
    let mut rows = Vec::new();
    for framing in [Framing::RawSocket, Framing::WebSocket] {
        let (mut routers, mut doors) = (Vec::new(), Vec::new());
        for _ in 0..setup.rounds(ROUNDS) {
            // A fresh process each time: the one before may still be busy with the last sessions.
            let router = Router::start(&setup.wampy, &[])?;
            routers.push(round(framing, router.addresses(), router.pid(), sessions)?);
            let door = Door::start()?;
            doors.push(round(framing, door.addresses(), door.pid(), sessions)?);
        }
        let rate = median(routers.iter().map(|round| round.joined_per_second));
        findings.judge(
            format!("sessions that join, {}", framing.name()),
            Bound::AtLeast(RATE_MIN),
            rate,
            "a second",
        );
        let failed = routers.iter().map(|round| round.failed).sum::<usize>();
        findings.judge(
            format!("sessions without a GOODBYE in return, {}", framing.name()),
            Bound::AtMost(0.0),
            Some(failed as f64),
            "",
        );
        rows.push(row(framing, "wampy", &routers));
        rows.push(row(framing, "door", &doors));
    }
    findings.text = format!(
        "{} sessions connect, {AT_ONCE} at a time, each waits for the answer to its handshake and for its \
         WELCOME; when all are there, all say GOODBYE and wait for the answer. Medians of {ROUNDS} \
         rounds. The door is the floor: a process of one thread that accepts connections and sends \
         the same answers without having read the questions. One thread of this program drives all \
         sessions; where its own CPU time for each session approaches the time between two \
         sessions, it is the limit.\n\n{}",
        number(sessions as f64),
        table(
            &[
                "over",
                "sessions join, a second",
                "leave, a second",
                "its CPU a session",
                "load's CPU a session"
            ],
            &rows
        )
    );
    Ok(findings)
}

fn round(
    framing: Framing,
    addresses: &[std::net::SocketAddr],
    pid: u32,
    sessions: usize,
) -> Result<Round, String> {
    let before = (cpu(pid)?, cpu(std::process::id())?);
    let mut crowd = Crowd::new(framing, addresses, "realm1")?;
    let start = Instant::now();
    crowd.grow_to(sessions)?;
    let joined = start.elapsed();
    let start = Instant::now();
    let departure = crowd.leave()?;
    let left = start.elapsed();
    let each = |now: Duration, then: Duration| now.saturating_sub(then) / sessions as u32;
    Ok(Round {
        joined_per_second: sessions as f64 / joined.as_secs_f64(),
        left_per_second: departure.answered as f64 / left.as_secs_f64(),
        router_cpu: each(cpu(pid)?, before.0),
        own_cpu: each(cpu(std::process::id())?, before.1),
        failed: departure.failed,
    })
}

fn row(framing: Framing, whom: &str, rounds: &[Round]) -> Vec<String> {
    let figure = |figure: fn(&Round) -> f64| {
        median(rounds.iter().map(figure)).map_or_else(String::new, number)
    };
    let microseconds = |text: String| format!("{text} µs");
    vec![
        format!("{}, {whom}", framing.name()),
        figure(|round| round.joined_per_second),
        figure(|round| round.left_per_second),
        microseconds(figure(|round| round.router_cpu.as_secs_f64() * 1e6)),
        microseconds(figure(|round| round.own_cpu.as_secs_f64() * 1e6)),
    ]
}
