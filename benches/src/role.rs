//! What each session of a run does with what it receives. No sockets here: messages come in, frames
//! are appended to the outbox.
//!
//! Over the relay the messages are those that a router would have delivered: the callee gets a
//! RESULT and sends it back, the subscriber gets the EVENT that the publisher sent.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::frames::Frames;
use crate::incoming::{Incoming, code};
use crate::outbox::Outbox;
use crate::payload::{check, head};
use crate::tally::Tally;
use crate::window::Window;

/// What the sessions of one run share.
#[derive(Debug)]
pub struct Run {
    /// Whether new calls and publications are made.
    pub issuing: bool,
    pub tally: Tally,
    /// One for each publisher.
    pub windows: Vec<Window>,
    /// What follows the head in each payload.
    pub filler: Rc<[u8]>,
}

/// One session's part.
#[derive(Debug)]
pub enum Role {
    Caller(Caller),
    Callee(Callee),
    Publisher(Publisher),
    Subscriber(Subscriber),
}

impl Role {
    /// Takes one message of an established session (ABORT and GOODBYE are not for roles).
    pub fn receive(
        &mut self,
        message: &Incoming<'_>,
        now_ns: u64,
        run: &mut Run,
        out: &mut Outbox,
    ) {
        match self {
            _ if message.code == code::ERROR && !matches!(self, Self::Caller(_)) => {
                run.tally.error(message.uri);
            }
            Self::Caller(caller) => caller.receive(message, now_ns, run, out),
            Self::Callee(callee) => callee.receive(message, run, out),
            Self::Subscriber(subscriber) => subscriber.receive(message, now_ns, run),
            // A publication without acknowledgement has no answer.
            Self::Publisher(_) => run.tally.misplaced += 1,
        }
    }

    /// Sends as much as the window leaves room for.
    pub fn fill(&mut self, now_ns: u64, run: &mut Run, out: &mut Outbox) {
        match self {
            _ if !run.issuing => {}
            Self::Caller(caller) => caller.fill(now_ns, out),
            Self::Publisher(publisher) => publisher.fill(now_ns, run, out),
            Self::Callee(_) | Self::Subscriber(_) => {}
        }
    }

    /// What this session waits for: calls without an answer, or (for a subscriber) nothing, because
    /// the publisher counts its publications.
    pub fn outstanding(&self, run: &Run) -> u64 {
        match self {
            Self::Caller(caller) => caller.in_flight.len() as u64,
            Self::Publisher(publisher) => run.windows[usize::from(publisher.stream)].in_flight(),
            Self::Callee(_) | Self::Subscriber(_) => 0,
        }
    }

    /// Counts what has not come as lost, and forgets it.
    pub fn write_off(&mut self, run: &mut Run) {
        match self {
            Self::Caller(caller) => {
                run.tally.lost += caller.in_flight.len() as u64;
                caller.in_flight.clear();
            }
            Self::Subscriber(subscriber) => subscriber.write_off(run),
            Self::Callee(_) | Self::Publisher(_) => {}
        }
    }
}

/// Keeps a number of calls in flight.
#[derive(Debug)]
pub struct Caller {
    pub stream: u16,
    /// Calls in flight at most.
    pub limit: usize,
    /// Id of the next request, and sequence number of its payload.
    pub next: u64,
    /// Request id and time of each unanswered call, oldest first.
    pub in_flight: VecDeque<(u64, u64)>,
    pub frames: Frames,
}

impl Caller {
    fn fill(&mut self, now_ns: u64, out: &mut Outbox) {
        while self.in_flight.len() < self.limit {
            self.frames
                .append(self.next, &head(self.stream, self.next), out);
            self.in_flight.push_back((self.next, now_ns));
            self.next += 1;
        }
    }

    fn receive(&mut self, message: &Incoming<'_>, now_ns: u64, run: &mut Run, out: &mut Outbox) {
        let Some(sent_at_ns) = self.answered(message.id, run) else {
            run.tally.misplaced += 1;
            return;
        };
        let expected = Some((self.stream, message.id));
        match (message.code, message.payload) {
            (code::RESULT, Some(payload)) if check(payload, &run.filler) == expected => {
                run.tally.complete(now_ns.saturating_sub(sent_at_ns));
            }
            (code::ERROR, _) => run.tally.error(message.uri),
            _ => run.tally.corrupt += 1,
        }
        if run.issuing {
            self.fill(now_ns, out);
        }
    }

    /// Takes a request off the list: when it was sent. Answers to one caller come in order from one
    /// callee; another order is counted.
    fn answered(&mut self, id: u64, run: &mut Run) -> Option<u64> {
        let at = self
            .in_flight
            .iter()
            .position(|(request, _)| *request == id)?;
        if at > 0 {
            run.tally.misplaced += 1;
        }
        self.in_flight.remove(at).map(|(_, sent_at_ns)| sent_at_ns)
    }
}

/// Returns each argument, after checking it and the order of each caller's calls.
#[derive(Debug)]
pub struct Callee {
    /// The sequence number that comes next, for each caller.
    pub expected: Vec<u64>,
    pub frames: Frames,
}

impl Callee {
    fn receive(&mut self, message: &Incoming<'_>, run: &mut Run, out: &mut Outbox) {
        let origin = match (message.code, message.payload) {
            (code::INVOCATION | code::RESULT, Some(payload)) => check(payload, &run.filler),
            _ => None,
        };
        let Some((stream, sequence)) = origin else {
            run.tally.corrupt += 1;
            return;
        };
        let Some(expected) = self.expected.get_mut(usize::from(stream)) else {
            run.tally.corrupt += 1;
            return;
        };
        // A gap is no disorder: the caller counts what was refused or lost.
        if sequence < *expected {
            run.tally.misplaced += 1;
        } else {
            *expected = sequence + 1;
        }
        self.frames
            .append_answer(message, &head(stream, sequence), out);
    }
}

/// Keeps its window of publications full.
#[derive(Debug)]
pub struct Publisher {
    pub stream: u16,
    pub frames: Frames,
}

impl Publisher {
    fn fill(&mut self, now_ns: u64, run: &mut Run, out: &mut Outbox) {
        let window = &mut run.windows[usize::from(self.stream)];
        while let Some(sequence) = window.publish(now_ns) {
            self.frames
                .append(sequence, &head(self.stream, sequence), out);
        }
    }
}

/// Checks content, order and completeness of the events of every publisher.
#[derive(Debug)]
pub struct Subscriber {
    /// The sequence number that comes next, for each publisher.
    pub expected: Vec<u64>,
}

impl Subscriber {
    fn receive(&mut self, message: &Incoming<'_>, now_ns: u64, run: &mut Run) {
        let tally = &mut run.tally;
        let origin = match (message.code, message.payload) {
            (code::EVENT, Some(payload)) => check(payload, &run.filler),
            _ => None,
        };
        let Some((stream, sequence)) = origin else {
            tally.corrupt += 1;
            return;
        };
        let Some(expected) = self.expected.get_mut(usize::from(stream)) else {
            tally.corrupt += 1;
            return;
        };
        if sequence < *expected {
            // It had been counted as lost when a later one overtook it, or it is a repetition.
            tally.lost = tally.lost.saturating_sub(1);
            tally.misplaced += 1;
            return;
        }
        match run.windows[usize::from(stream)].receive(*expected, sequence) {
            Some(sent_at_ns) => {
                tally.lost += sequence - *expected;
                *expected = sequence + 1;
                tally.complete(now_ns.saturating_sub(sent_at_ns));
            }
            None => tally.corrupt += 1,
        }
    }

    fn write_off(&mut self, run: &mut Run) {
        for (expected, window) in self.expected.iter_mut().zip(&run.windows) {
            run.tally.lost += window.next() - *expected;
            *expected = window.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{Sender, cut};
    use crate::incoming::parse;
    use crate::load::Load;
    use crate::payload::filler;
    use crate::transport::Transport;

    const TRANSPORT: Transport = Transport::RawSocketMsgpack;

    fn run(windows: Vec<Window>) -> Run {
        Run {
            issuing: true,
            tally: Tally::new(),
            windows,
            filler: filler(20).into(),
        }
    }

    fn frames(load: Load) -> Frames {
        Frames::new(TRANSPORT, Sender::Router, load, 20)
    }

    fn caller(limit: usize) -> Role {
        let frames = frames(Load::Result);
        Role::Caller(Caller {
            stream: 0,
            limit,
            next: 1,
            in_flight: VecDeque::new(),
            frames,
        })
    }

    /// Hands each frame in `bytes` to the role and returns what it sends.
    fn deliver(role: &mut Role, bytes: &[u8], now_ns: u64, run: &mut Run) -> Vec<u8> {
        let (mut out, mut rest) = (Outbox::default(), bytes);
        while let Some(frame) = cut(TRANSPORT, rest).unwrap() {
            let message = parse(TRANSPORT, &rest[frame.body.clone()]).unwrap();
            role.receive(&message, now_ns, run, &mut out);
            rest = &rest[frame.body.end..];
        }
        assert!(rest.is_empty());
        out.to_vec()
    }

    /// What the role sends by itself.
    fn filled(role: &mut Role, now_ns: u64, run: &mut Run) -> Vec<u8> {
        let mut out = Outbox::default();
        role.fill(now_ns, run, &mut out);
        out.to_vec()
    }

    /// One frame as a source sends it.
    fn frame(frames: &mut Frames, stream: u16, sequence: u64) -> Vec<u8> {
        let mut out = Outbox::default();
        frames.append(sequence, &head(stream, sequence), &mut out);
        out.to_vec()
    }

    #[test]
    fn a_caller_keeps_its_calls_in_flight_and_times_them() {
        let mut run = run(Vec::new());
        let mut caller = caller(3);
        let calls = filled(&mut caller, 100, &mut run);
        assert_eq!(caller.outstanding(&run), 3);
        let more = deliver(&mut caller, &calls, 600, &mut run);
        assert_eq!(
            more.len(),
            calls.len(),
            "three answers make three new calls"
        );
        assert_eq!((run.tally.completed, run.tally.activity()), (3, 3));
        assert_eq!(run.tally.latency.max().as_nanos(), 500);
        run.issuing = false;
        assert!(deliver(&mut caller, &more, 700, &mut run).is_empty());
        assert_eq!(caller.outstanding(&run), 0);
    }

    #[test]
    fn a_caller_counts_disorder_strangers_and_losses() {
        let mut run = run(Vec::new());
        let mut caller = caller(3);
        let calls = filled(&mut caller, 0, &mut run);
        run.issuing = false;
        let length = calls.len() / 3;
        deliver(&mut caller, &calls[length..2 * length], 1, &mut run);
        assert_eq!(
            (run.tally.completed, run.tally.misplaced),
            (1, 1),
            "2 before 1"
        );
        deliver(&mut caller, &calls[length..2 * length], 1, &mut run);
        assert_eq!(
            (run.tally.completed, run.tally.misplaced),
            (1, 2),
            "2 again"
        );
        let foreign = frame(&mut frames(Load::Result), 9, 1);
        deliver(&mut caller, &foreign, 1, &mut run);
        assert_eq!(
            (run.tally.completed, run.tally.corrupt),
            (1, 1),
            "the argument of another"
        );
        caller.write_off(&mut run);
        assert_eq!((run.tally.lost, caller.outstanding(&run)), (1, 0));
    }

    #[test]
    fn an_error_answers_a_call_and_is_counted() {
        let mut run = run(Vec::new());
        let mut caller = caller(1);
        filled(&mut caller, 0, &mut run);
        let error = Incoming {
            code: code::ERROR,
            id: 1,
            payload: None,
            uri: b"a.b",
        };
        let mut out = Outbox::default();
        caller.receive(&error, 5, &mut run, &mut out);
        assert_eq!(
            (run.tally.errors, run.tally.first_error.as_deref()),
            (1, Some("a.b"))
        );
        assert!(!out.is_empty(), "the next call takes its place");
    }

    #[test]
    fn a_callee_echoes_and_checks_the_order_of_each_caller() {
        let mut run = run(Vec::new());
        let mut callee = Role::Callee(Callee {
            expected: vec![1, 1],
            frames: frames(Load::Result),
        });
        let mut calls = Vec::new();
        let mut source = frames(Load::Result);
        for (stream, sequence) in [(0, 1), (1, 1), (0, 2), (1, 2)] {
            calls.extend(frame(&mut source, stream, sequence));
        }
        assert_eq!(deliver(&mut callee, &calls, 0, &mut run), calls);
        assert_eq!(run.tally.activity(), 0);
        let again = frame(&mut source, 1, 2);
        deliver(&mut callee, &again, 0, &mut run);
        assert_eq!(run.tally.misplaced, 1);
        let unknown = frame(&mut source, 2, 1);
        assert!(deliver(&mut callee, &unknown, 0, &mut run).is_empty());
        assert_eq!(run.tally.corrupt, 1);
    }

    #[test]
    fn subscribers_open_the_window_and_notice_what_is_missing() {
        let mut run = run(vec![Window::new(4, 2, 1)]);
        let mut publisher = Role::Publisher(Publisher {
            stream: 0,
            frames: frames(Load::Event),
        });
        let subscriber = || Role::Subscriber(Subscriber { expected: vec![1] });
        let (mut good, mut lossy) = (subscriber(), subscriber());
        let events = filled(&mut publisher, 10, &mut run);
        assert_eq!(publisher.outstanding(&run), 4);
        deliver(&mut good, &events, 30, &mut run);
        assert_eq!((run.tally.completed, publisher.outstanding(&run)), (4, 4));
        let length = events.len() / 4;
        deliver(&mut lossy, &events[..length], 30, &mut run);
        deliver(&mut lossy, &events[3 * length..], 30, &mut run);
        assert_eq!((run.tally.completed, run.tally.lost), (6, 2));
        assert_eq!(publisher.outstanding(&run), 0);
        deliver(&mut lossy, &events[length..2 * length], 40, &mut run);
        assert_eq!(
            (run.tally.lost, run.tally.misplaced),
            (1, 1),
            "late, so not lost"
        );
        filled(&mut publisher, 50, &mut run);
        good.write_off(&mut run);
        assert_eq!(run.tally.lost, 1 + 4);
    }
}
