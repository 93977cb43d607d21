//! What the good subscribers notice of one that does not read, and of a session that floods.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wampy_bench::{PubSub, Report, Transport, Workload, run};

use super::Setup;
use super::findings::{Bound, Findings, number, table};
use super::member::Member;
use super::router::Router;
use super::statistics::median;
use super::wire::{Framing, Match, publish};

/// Subscribers that read.
const GOOD: usize = 99;

/// How often each case is measured, in turn.
const ROUNDS: usize = 5;

/// How much more the good ones may wait.
const RATIO_MAX: f64 = 1.1;

/// What is sent to the subscriber that does not read before the measurement begins: more than the
/// sockets take, less than what the router lets wait (32 MiB).
const FILL_BYTES: usize = 12 << 20;
const FILL_EVENT_BYTES: usize = 8192;
const FILL_AT_ONCE: usize = 32;

/// Receive buffer of the socket that nobody reads, in bytes.
const RECEIVE_BUFFER_BYTES: usize = 16 * 1024;

/// All topics of the load generator begin so.
const LOAD_TOPICS: &str = "wampy.bench.";

/// How long nothing may come before all that was waiting has been read.
const SILENCE: Duration = Duration::from_millis(300);

/// What else is in the realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Nobody,
    Stalled,
    Flooder,
}

const COMPANIES: [(Company, &str); 3] = [
    (Company::Nobody, "nobody else"),
    (Company::Stalled, "one more subscriber that does not read"),
    (
        Company::Flooder,
        "a session that publishes without end to nobody",
    ),
];

pub fn measure(setup: &Setup) -> Result<Findings, String> {
    let time = setup.time(Duration::from_secs(2));
    let mut reports: [Vec<Report>; 3] = Default::default();
    for _ in 0..setup.rounds(ROUNDS) {
        for (at, (company, _)) in COMPANIES.iter().enumerate() {
            reports[at].push(in_company(setup, *company, time)?);
        }
    }
    let ratio = |at: usize, figure: fn(&Report) -> f64| {
        let pairs = reports[at].iter().zip(&reports[0]);
        median(pairs.map(|(with, without)| figure(with) / figure(without)))
    };
    let p99 = |report: &Report| report.latency_p99.as_secs_f64() * 1e6;
    let mut findings = Findings::default();
    findings.judge(
        "p99 of 99 subscribers beside one that does not read",
        Bound::AtMost(RATIO_MAX),
        ratio(1, p99),
        "× that without it",
    );
    let rows: Vec<Vec<String>> = COMPANIES
        .iter()
        .enumerate()
        .map(|(at, (_, name))| {
            let typical = |figure: fn(&Report) -> f64| {
                median(reports[at].iter().map(figure)).map_or_else(String::new, number)
            };
            let times = |ratio: Option<f64>| ratio.map_or_else(String::new, number) + " ×";
            vec![
                (*name).to_owned(),
                typical(Report::per_second),
                times(ratio(at, Report::per_second)),
                typical(p99),
                times(ratio(at, p99)),
            ]
        })
        .collect();
    findings.text = format!(
        "One publisher with 4 publications under way, {GOOD} subscribers that read, 16 bytes, over \
         RawSocket, and in the same realm someone else. The one that does not read has the same \
         topic; before the measurement begins so much was sent to it that it waits in the router, \
         and it is still connected at the end. The flooding session has a thread of its own in \
         this program, which takes a core from the others: its row shows more than what the \
         router does to them. Medians of {ROUNDS} rounds, ratios round by round.\n\n{}",
        table(&["beside", "events a second", "", "p99 µs", ""], &rows)
    );
    Ok(findings)
}

fn in_company(setup: &Setup, company: Company, time: Duration) -> Result<Report, String> {
    let router = Router::start(&setup.wampy, &[])?;
    let workload = Workload::PubSub(PubSub {
        publishers: 1,
        subscribers: if setup.quick { 9 } else { GOOD },
        window: 4,
        payload_bytes: 16,
    });
    let target = router.target(Transport::RawSocketMsgpack)?;
    let load = || run(&workload, &target, time, &mut |_| ()).map_err(|error| error.to_string());
    let report = match company {
        Company::Nobody => load()?,
        Company::Stalled => {
            let stalled = stall(&router)?;
            let report = load()?;
            if !is_connected(stalled) {
                return Err("the subscriber that did not read was cut off too early".to_owned());
            }
            report
        }
        Company::Flooder => {
            let flooder = Flooder::start(&router)?;
            let report = load()?;
            flooder.end()?;
            report
        }
    };
    match report.faults() {
        0 => Ok(report),
        faults => Err(format!("{faults} faults beside {company:?}")),
    }
}

/// A subscriber that does not read, with so much sent to it that it waits in the router.
fn stall(router: &Router) -> Result<Member, String> {
    let join = || Member::join(router.address(), Framing::RawSocket, "realm1");
    let (mut stalled, mut publisher) = (join()?, join()?);
    let shrunk =
        rustix::net::sockopt::set_socket_recv_buffer_size(stalled.stream(), RECEIVE_BUFFER_BYTES);
    shrunk.map_err(|error| format!("cannot shrink a receive buffer: {error}"))?;
    stalled.subscribe([LOAD_TOPICS.to_owned()].into_iter(), Match::Prefix)?;
    let payload = "x".repeat(FILL_EVENT_BYTES);
    let topic = format!("{LOAD_TOPICS}fill");
    for _ in 0..FILL_BYTES / FILL_EVENT_BYTES / FILL_AT_ONCE {
        publisher.publish(std::iter::repeat_n(topic.as_str(), FILL_AT_ONCE), &payload)?;
    }
    Ok(stalled)
}

/// Whether a session is still there: reads all that waited for it.
fn is_connected(member: Member) -> bool {
    let mut stream = member.stream();
    let mut buffer = vec![0; 1 << 20];
    if stream.set_read_timeout(Some(SILENCE)).is_err() {
        return false;
    }
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                return matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
            }
        }
    }
}

/// A session that publishes as fast as its socket takes it, to a topic that nobody has.
struct Flooder {
    goes_on: Arc<AtomicBool>,
    thread: JoinHandle<bool>,
}

impl Flooder {
    fn start(router: &Router) -> Result<Self, String> {
        let member = Member::join(router.address(), Framing::RawSocket, "realm1")?;
        let goes_on = Arc::new(AtomicBool::new(true));
        let flag = Arc::clone(&goes_on);
        let thread = thread::spawn(move || flood(&member, &flag));
        Ok(Self { goes_on, thread })
    }

    /// Ends it; an error if the router had ended it before.
    fn end(self) -> Result<(), String> {
        self.goes_on.store(false, Ordering::Relaxed);
        match self.thread.join() {
            Ok(true) => Ok(()),
            _ => Err("the flooding session did not last".to_owned()),
        }
    }
}

/// Whether it could go on to the end. The acknowledgments are read, so that it is no second
/// subscriber that does not read.
fn flood(member: &Member, goes_on: &AtomicBool) -> bool {
    let mut stream = member.stream();
    let mut buffer = vec![0; 1 << 20];
    let mut request = 0;
    while goes_on.load(Ordering::Relaxed) {
        let mut frames = Vec::new();
        for _ in 0..FILL_AT_ONCE {
            request += 1;
            Framing::RawSocket.append(&publish(request, "scale.nobody", "x"), &mut frames);
        }
        if stream.write_all(&frames).is_err() || !matches!(stream.read(&mut buffer), Ok(1..)) {
            return false;
        }
    }
    true
}
