//! The load loop: one thread, one readiness loop over all sessions.
//!
//! After a wake-up each readable session is read once, everything in it is answered, and the answers
//! leave in one write, so batches grow with the load as they would with real peers. It is the same
//! loop for a router and for the relay.

use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::cast::{first_id, join_all};
use crate::cpu::{process_tree_cpu, thread_cpu};
use crate::error::BenchError;
use crate::payload::filler;
use crate::report::{Phase, Progress, Report};
use crate::role::{Role, Run};
use crate::session::{Clock, Session};
use crate::tally::Tally;
use crate::target::{Peer, Target};
use crate::window::Window;
use crate::workload::Workload;

/// Not measured at the start: this part of the time that is, and at most so long.
const WARM_UP_DIVISOR: u32 = 5;
const WARM_UP_MAX: Duration = Duration::from_secs(1);

/// What has not come after so long without any sign of life is lost.
const STALL_LIMIT: Duration = Duration::from_secs(2);

/// After so many stalls the rest of a run would show nothing new.
const STALLS_MAX: u32 = 3;

/// Longest wait for what is in flight at the end, even if now and then something comes.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// How often the callback hears of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Longest sleep of the loop, so that it looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// Longest wait for the answers to GOODBYE.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(500);

/// Wake-ups handled at once at most.
const EVENTS_MAX: usize = 1024;

/// Runs a workload for a time and reports. Blocks; `progress` is called about ten times a second and
/// should return quickly. One thread drives all sessions.
///
/// ```no_run
/// use std::time::Duration;
/// use wampy_bench::{Rpc, Target, Workload, run};
///
/// let workload = Workload::Rpc(Rpc { callers: 16, in_flight: 8, callees: 1, payload_bytes: 16 });
/// let target = Target::parse("rs://localhost:8080")?;
/// let report = run(&workload, &target, Duration::from_secs(5), &mut |_| ())?;
/// println!("{:.0} calls a second", report.per_second());
/// # Ok::<(), wampy_bench::BenchError>(())
/// ```
pub fn run(
    workload: &Workload,
    target: &Target,
    duration: Duration,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, BenchError> {
    workload.check()?;
    if duration.is_zero() {
        return Err(BenchError::Workload("the duration is zero".into()));
    }
    let sessions = join_all(workload, target, &mut |joined| {
        let phase = Phase::Joining;
        let elapsed = Duration::ZERO;
        progress(Progress {
            phase,
            elapsed,
            total: duration,
            joined,
            completed: 0,
            faults: 0,
        });
    })?;
    let mut drive = Drive::new(workload, target, sessions)?;
    drive.fill()?;
    drive.turn_for(
        (duration / WARM_UP_DIVISOR).min(WARM_UP_MAX),
        Phase::WarmingUp,
        duration,
        progress,
    )?;
    let measured = drive.measure(target, duration, progress)?;
    drive.drain(duration, progress)?;
    drive.leave(target);
    Ok(drive.report(workload, target, measured))
}

/// What is read at the start and at the end of measuring.
struct Measured {
    elapsed: Duration,
    completed: u64,
    generator_cpu: Option<Duration>,
    router_cpu: Option<Duration>,
}

struct Drive {
    poll: Poll,
    events: Events,
    sessions: Vec<Session>,
    /// Indices of the sessions that publish: they fill when others receive.
    publishers: Vec<usize>,
    run: Run,
    clock: Clock,
    /// When the router last showed a sign of life, and how many there had been.
    alive: (Instant, u64),
    stalls: u32,
    next_progress: Instant,
}

impl Drive {
    fn new(
        workload: &Workload,
        target: &Target,
        sessions: Vec<Session>,
    ) -> Result<Self, BenchError> {
        let poll = Poll::new().map_err(BenchError::io("making a readiness loop"))?;
        let first = first_id(target.peer);
        let windows = match workload {
            Workload::Rpc(_) => Vec::new(),
            Workload::PubSub(pubsub) => (0..pubsub.publishers)
                .map(|_| Window::new(pubsub.window, pubsub.subscribers, first))
                .collect(),
        };
        let is_publisher = |session: &Session| matches!(session.role, Role::Publisher(_));
        let publishers = (0..sessions.len())
            .filter(|&at| is_publisher(&sessions[at]))
            .collect();
        let filler = filler(workload.payload_bytes()).into();
        let now = Instant::now();
        let mut drive = Self {
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            sessions,
            publishers,
            run: Run {
                issuing: true,
                tally: Tally::new(),
                windows,
                filler,
            },
            clock: Clock::start(),
            alive: (now, 0),
            stalls: 0,
            next_progress: now,
        };
        for (at, session) in drive.sessions.iter_mut().enumerate() {
            drive
                .poll
                .registry()
                .register(&mut session.socket, Token(at), Interest::READABLE)
                .map_err(BenchError::io("watching a socket"))?;
        }
        Ok(drive)
    }

    /// Lets every source send what its window allows.
    fn fill(&mut self) -> Result<(), BenchError> {
        for at in 0..self.sessions.len() {
            self.fill_one(at)?;
        }
        Ok(())
    }

    fn fill_one(&mut self, at: usize) -> Result<(), BenchError> {
        let session = &mut self.sessions[at];
        session
            .role
            .fill(self.clock.now_ns(), &mut self.run, &mut session.outbox);
        session.flush(Token(at), self.poll.registry())
    }

    /// One wake-up: serve whoever can be served.
    fn turn(&mut self) -> Result<(), BenchError> {
        match self.poll.poll(&mut self.events, Some(TICK)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(BenchError::io("waiting for sockets")(error));
            }
            _ => {}
        }
        for event in &self.events {
            let session = &mut self.sessions[event.token().0];
            if !session.over {
                session.serve(
                    event.token(),
                    self.poll.registry(),
                    self.clock,
                    &mut self.run,
                )?;
            }
        }
        for at in 0..self.publishers.len() {
            self.fill_one(self.publishers[at])?;
        }
        Ok(())
    }

    /// Turns until the time is over, or nothing is left to wait for.
    fn turn_for(
        &mut self,
        time: Duration,
        phase: Phase,
        total: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BenchError> {
        let start = Instant::now();
        self.alive.0 = start;
        loop {
            let now = Instant::now();
            if now - start >= time || self.stalls == STALLS_MAX {
                return Ok(());
            }
            self.turn()?;
            self.notice_stall(now)?;
            if phase == Phase::Draining && (self.stalls > 0 || self.outstanding() == 0) {
                return Ok(());
            }
            if now >= self.next_progress {
                self.next_progress = now + PROGRESS_INTERVAL;
                let elapsed = match phase {
                    Phase::Joining | Phase::WarmingUp => Duration::ZERO,
                    Phase::Measuring => now - start,
                    Phase::Draining => total,
                };
                progress(self.progress(phase, elapsed, total));
            }
        }
    }

    fn progress(&self, phase: Phase, elapsed: Duration, total: Duration) -> Progress {
        let tally = &self.run.tally;
        let (joined, completed) = (self.sessions.len(), tally.completed);
        Progress {
            phase,
            elapsed,
            total,
            joined,
            completed,
            faults: tally.faults(),
        }
    }

    /// Writes off what is in flight when nothing has come for too long, and starts anew.
    fn notice_stall(&mut self, now: Instant) -> Result<(), BenchError> {
        let activity = self.run.tally.activity();
        if activity != self.alive.1 {
            self.alive = (now, activity);
        } else if now - self.alive.0 >= STALL_LIMIT {
            self.stalls += 1;
            self.alive.0 = now;
            self.write_off();
            self.fill()?;
        }
        Ok(())
    }

    fn write_off(&mut self) {
        for session in &mut self.sessions {
            session.role.write_off(&mut self.run);
        }
        self.run.windows.iter_mut().for_each(Window::write_off);
    }

    fn outstanding(&self) -> u64 {
        self.sessions
            .iter()
            .map(|session| session.role.outstanding(&self.run))
            .sum()
    }

    fn measure(
        &mut self,
        target: &Target,
        duration: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Measured, BenchError> {
        self.run.tally.latency.clear();
        let completed = self.run.tally.completed;
        let router_cpu = target.router_pid.and_then(process_tree_cpu);
        let generator_cpu = thread_cpu();
        let start = Instant::now();
        self.turn_for(duration, Phase::Measuring, duration, progress)?;
        let elapsed = start.elapsed();
        let since = |now: Option<Duration>, then: Option<Duration>| now?.checked_sub(then?);
        Ok(Measured {
            elapsed,
            completed: self.run.tally.completed - completed,
            generator_cpu: since(thread_cpu(), generator_cpu),
            router_cpu: since(target.router_pid.and_then(process_tree_cpu), router_cpu),
        })
    }

    /// Waits for what is in flight; what does not come is lost.
    fn drain(
        &mut self,
        total: Duration,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), BenchError> {
        self.run.issuing = false;
        self.stalls = 0;
        if self.outstanding() > 0 {
            self.turn_for(DRAIN_LIMIT, Phase::Draining, total, progress)?;
        }
        self.write_off();
        Ok(())
    }

    /// Says GOODBYE on all sessions and waits a little for the answers, so that the next run finds
    /// the router at rest. A router that does not answer has lost nothing that was measured.
    fn leave(&mut self, target: &Target) {
        if target.peer == Peer::Relay {
            return;
        }
        let start = Instant::now();
        for (at, session) in self.sessions.iter_mut().enumerate() {
            session.leave();
            if session.flush(Token(at), self.poll.registry()).is_err() {
                session.over = true;
            }
        }
        while start.elapsed() < GOODBYE_TIMEOUT && self.sessions.iter().any(|session| !session.over)
        {
            if self.turn().is_err() {
                return;
            }
        }
    }

    fn report(self, workload: &Workload, target: &Target, measured: Measured) -> Report {
        let tally = self.run.tally;
        Report {
            workload: *workload,
            transport: target.transport,
            elapsed: measured.elapsed,
            completed: measured.completed,
            latency_p50: tally.latency.quantile(0.50),
            latency_p99: tally.latency.quantile(0.99),
            latency_max: tally.latency.max(),
            errors: tally.errors,
            first_error: tally.first_error,
            lost: tally.lost,
            misplaced: tally.misplaced,
            corrupt: tally.corrupt,
            generator_cpu: measured.generator_cpu,
            router_cpu: measured.router_cpu,
        }
    }
}
