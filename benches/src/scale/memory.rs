//! Memory of the router for each idle session.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::Setup;
use super::axis::Axis;
use super::chart::{Chart, Series};
use super::crowd::Crowd;
use super::encrypted::Encryption;
use super::findings::{Bound, Findings, count, number, table};
use super::open_files::fitting;
use super::process_files::{Memory, memory};
use super::router::{Router, offers};
use super::wire::Framing;

/// Sessions at which memory is looked at, and those among them that are judged.
const STEPS: [usize; 6] = [1000, 2000, 5000, 10_000, 20_000, 50_000];
const JUDGED: [usize; 3] = [1000, 10_000, 50_000];
const STEPS_QUICK: [usize; 2] = [100, 500];

/// Over TLS fewer are enough.
const ENCRYPTED_MAX: usize = 10_000;

/// Sessions that join and leave before the first look, so that what the router needs for any
/// session at all is not counted for the first thousand.
const WARM_UP: usize = 1;

/// Sessions that are joining at any time: few, as where sessions come in the course of days. What many
/// handshakes at once need, a router gets back from its allocator late or never.
const AT_ONCE: usize = 4;

/// Memory is at rest when it has not changed for so long; after the limit it is taken as it is.
const REST: Duration = Duration::from_millis(300);
const REST_LIMIT: Duration = Duration::from_secs(3);

const KIB: f64 = 1024.0;

/// One way to connect, with the most that a session may take.
struct Kind {
    name: &'static str,
    kib_max: f64,
    steps: Vec<Step>,
}

/// What was found with so many sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    sessions: usize,
    /// Memory for each of them, in KiB.
    kib: f64,
    /// What the process has in huge pages, in MiB.
    huge_mib: f64,
}

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let mut kinds = Vec::new();
    for (framing, kib_max) in [(Framing::RawSocket, 4.0), (Framing::WebSocket, 6.0)] {
        let (name, steps) = (framing.name(), plain(setup, framing)?);
        kinds.push(Kind {
            name,
            kib_max,
            steps,
        });
    }
    let mut notes = String::new();
    if offers(&setup.wampy, "--tls-cert") {
        kinds.push(Kind {
            name: "RawSocket over TLS",
            kib_max: 12.0,
            steps: encrypted(setup)?,
        });
    } else {
        notes +=
            "This router has no TLS on its listeners, so sessions over TLS are not in the table. ";
    }
    if setup.sockets < 50_000 && !setup.quick {
        notes += &format!(
            "This machine lets a process have {} open sockets, so that is where the steps end. ",
            count(setup.sockets)
        );
    }
    Ok(findings(&kinds, &notes))
}

fn steps(setup: &Setup, most: usize) -> Vec<usize> {
    let steps = if setup.quick {
        &STEPS_QUICK[..]
    } else {
        &STEPS
    };
    fitting(steps, setup.sockets.min(most))
}

fn plain(setup: &Setup, framing: Framing) -> Result<Vec<Step>, String> {
    let router = Router::start(&setup.wampy, &[])?;
    let crowd = || {
        let crowd = Crowd::new(framing, router.addresses(), "realm1")?;
        Ok::<_, String>(crowd.at_once(AT_ONCE))
    };
    let mut first = crowd()?;
    first.grow_to(WARM_UP)?;
    first.leave()?;
    let empty = at_rest(router.pid())?;
    let mut crowd = crowd()?;
    let mut found = Vec::new();
    for sessions in steps(setup, usize::MAX) {
        crowd.grow_to(sessions)?;
        found.push(each(sessions, empty, at_rest(router.pid())?));
    }
    let sessions = crowd.len();
    let departure = crowd.leave()?;
    match departure.failed {
        0 => Ok(found),
        failed => Err(format!(
            "{failed} of {sessions} idle sessions were gone at the end"
        )),
    }
}

fn encrypted(setup: &Setup) -> Result<Vec<Step>, String> {
    let encryption = Encryption::new()?;
    let files = [&encryption.certificate, &encryption.key].map(|file| file.display().to_string());
    let router = Router::start(
        &setup.wampy,
        &["--tls-cert", &files[0], "--tls-key", &files[1]],
    )?;
    let join = |at: usize| {
        let addresses = router.addresses();
        encryption.join(addresses[at % addresses.len()], "realm1")
    };
    drop(join(0)?);
    let empty = at_rest(router.pid())?;
    let mut sockets: Vec<TcpStream> = Vec::new();
    let mut found = Vec::new();
    for sessions in steps(setup, ENCRYPTED_MAX) {
        while sockets.len() < sessions {
            sockets.push(join(sockets.len())?);
        }
        found.push(each(sessions, empty, at_rest(router.pid())?));
    }
    Ok(found)
}

fn each(sessions: usize, empty: Memory, full: Memory) -> Step {
    let more = full.resident.saturating_sub(empty.resident);
    Step {
        sessions,
        kib: more as f64 / KIB / sessions as f64,
        huge_mib: full.huge as f64 / KIB / KIB,
    }
}

/// The memory of a process when it changes no more.
fn at_rest(pid: u32) -> Result<Memory, String> {
    let start = Instant::now();
    let mut last = memory(pid)?;
    loop {
        thread::sleep(REST);
        let now = memory(pid)?;
        if now == last || start.elapsed() > REST_LIMIT {
            return Ok(now);
        }
        last = now;
    }
}

impl Kind {
    /// Some of the steps, and the last, against what a session may take.
    fn judge(&self, findings: &mut Findings) {
        let last = self.steps.last().map(|step| step.sessions);
        for step in &self.steps {
            if JUDGED.contains(&step.sessions) || Some(step.sessions) == last {
                let sessions = count(step.sessions);
                let what = format!("memory of an idle session, {}, {sessions}", self.name);
                findings.judge(what, Bound::AtMost(self.kib_max), Some(step.kib), "KiB");
            }
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut before = (0.0, 0.0);
        let row = |step: &Step| {
            let sessions = step.sessions as f64;
            let now = (sessions, sessions * step.kib);
            let further = (now.1 - before.1) / (now.0 - before.0);
            before = now;
            vec![
                self.name.to_owned(),
                count(step.sessions),
                number(step.kib),
                number(further),
                number(step.huge_mib),
            ]
        };
        self.steps.iter().map(row).collect()
    }

    fn line(&self) -> Series {
        let point = |step: &Step| (step.sessions as f64, step.kib);
        Series::new(self.name, self.steps.iter().map(point))
    }
}

fn findings(kinds: &[Kind], notes: &str) -> Findings {
    let header = [
        "over",
        "sessions",
        "KiB a session",
        "KiB for each further one",
        "MiB in huge pages",
    ];
    let rows: Vec<Vec<String>> = kinds.iter().flat_map(Kind::rows).collect();
    let chart = Chart {
        title: "Memory of the router for each idle session".to_owned(),
        x: Axis::log("idle sessions"),
        y: Axis::linear("KiB a session"),
        series: kinds.iter().map(Kind::line).collect(),
    };
    let mut findings = Findings {
        verdicts: Vec::new(),
        text: format!(
            "Resident memory of the router's process with so many idle sessions, less what it had \
             before, divided by their number. The sessions come {AT_ONCE} at a time, have joined \
             the realm and hold nothing. What the kernel keeps for each socket is not counted: it \
             belongs to no process. Huge pages come whole, 2 MiB each: where there are some, the \
             figures move in steps, which show most where sessions are few. {notes}\n\n{}",
            table(&header, &rows)
        ),
        charts: vec![("memory", chart)],
    };
    for kind in kinds {
        kind.judge(&mut findings);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_charged_what_came_with_it() {
        let memory = |mib: u64| Memory {
            resident: mib << 20,
            huge: mib << 19,
        };
        let found = each(1024, memory(10), memory(15));
        assert_eq!(
            (found.sessions, found.kib, found.huge_mib),
            (1024, 5.0, 7.5)
        );
        assert_eq!(each(100, memory(15), memory(10)).kib, 0.0);
    }

    #[test]
    fn some_steps_and_the_last_are_judged() {
        let kind = Kind {
            name: "RawSocket",
            kib_max: 4.0,
            steps: [1000, 2000, 3000]
                .map(|sessions| Step {
                    sessions,
                    kib: 5.0,
                    huge_mib: 4.0,
                })
                .to_vec(),
        };
        let findings = findings(&[kind], "");
        let judged: Vec<String> = findings
            .verdicts
            .iter()
            .map(|verdict| verdict.what.clone())
            .collect();
        assert_eq!(judged.len(), 2, "{judged:?}");
        assert!(
            judged[0].ends_with("1,000") && judged[1].ends_with("3,000"),
            "{judged:?}"
        );
        assert!(findings.verdicts.iter().all(|verdict| !verdict.is_met()));
        assert!(
            findings.text.contains("| RawSocket | 2,000 | 5 | 5 | 4 |"),
            "{}",
            findings.text
        );
    }
}
