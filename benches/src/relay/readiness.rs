//! The relay as one thread that waits for all sockets at once.
//!
//! Everything read in one wake-up is collected for its receiver and leaves in one write, which is
//! the most batching that the load allows. What could not grow by waiting (the one publisher's
//! batch) or would cost more to copy than another write does (a long piece) leaves at once, from
//! where it was read.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::{Ends, Pattern, Plan, READ_BYTES};

/// Wake-ups handled at once at most.
const EVENTS_MAX: usize = 1024;

/// From this length on, in bytes, copying a piece costs more than another system call.
const LONG_BYTES: usize = 32 * 1024;

/// One end. Sources come first, then sinks, so an index tells which it is.
struct End {
    stream: TcpStream,
    /// A part of a frame that has been read.
    partial: Vec<u8>,
    /// Of a source of long frames: how much of `partial` holds something.
    filled: usize,
    outbox: Vec<u8>,
    sent: usize,
    waits_to_write: bool,
    /// For a sink: which source gets how many of the next bytes.
    owed: VecDeque<(usize, usize)>,
}

pub(super) fn serve(ends: Ends, plan: Plan) -> io::Result<()> {
    let mut relay = Readiness::new(ends, plan)?;
    let mut events = Events::with_capacity(EVENTS_MAX);
    loop {
        match relay.poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            let from = event.token().0;
            if event.is_writable() {
                relay.mark(from);
            }
            if event.is_readable() && !relay.receive(from)? {
                return Ok(());
            }
        }
        relay.flush_marked()?;
    }
}

struct Readiness {
    poll: Poll,
    plan: Plan,
    ends: Vec<End>,
    /// Ends that have something to send, each once.
    marked: Vec<usize>,
    is_marked: Vec<bool>,
    buffer: Vec<u8>,
}

impl Readiness {
    fn new(ends: Ends, plan: Plan) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut all = Vec::new();
        for (at, stream) in ends.sources.into_iter().chain(ends.sinks).enumerate() {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(at), Interest::READABLE)?;
            all.push(End {
                stream,
                partial: Vec::new(),
                filled: 0,
                outbox: Vec::new(),
                sent: 0,
                waits_to_write: false,
                owed: VecDeque::new(),
            });
        }
        let is_marked = vec![false; all.len()];
        let buffer = vec![0; READ_BYTES];
        Ok(Self {
            poll,
            plan,
            ends: all,
            marked: Vec::new(),
            is_marked,
            buffer,
        })
    }

    fn mark(&mut self, at: usize) {
        if !self.is_marked[at] {
            self.is_marked[at] = true;
            self.marked.push(at);
        }
    }

    /// Reads all that one end has and puts it into the outboxes; false at its end.
    fn receive(&mut self, from: usize) -> io::Result<bool> {
        let is_source = from < self.plan.sources;
        if is_source && self.plan.mixes() && self.plan.frame_bytes > LONG_BYTES {
            return self.receive_long(from);
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        let goes_on = loop {
            match self.ends[from].stream.read(&mut buffer) {
                Ok(0) => break Ok(false),
                Ok(bytes) => {
                    if is_source {
                        self.take_from_source(from, &buffer[..bytes]);
                    } else {
                        self.take_from_sink(from, &buffer[..bytes]);
                    }
                    if bytes < buffer.len() {
                        break Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        self.buffer = buffer;
        goes_on
    }

    /// The same for a source whose frames are long: they are put together where they are read.
    fn receive_long(&mut self, from: usize) -> io::Result<bool> {
        let mut partial = std::mem::take(&mut self.ends[from].partial);
        partial.resize(2 * self.plan.frame_bytes, 0);
        let mut filled = self.ends[from].filled;
        let goes_on = loop {
            let room = partial.len() - filled;
            match self.ends[from].stream.read(&mut partial[filled..]) {
                Ok(0) => break Ok(false),
                Ok(bytes) => {
                    filled += bytes;
                    let ready = self.plan.ready(filled);
                    self.pass_on(from, &partial[..ready]);
                    partial.copy_within(ready..filled, 0);
                    filled -= ready;
                    if bytes < room {
                        break Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        self.ends[from].partial = partial;
        self.ends[from].filled = filled;
        goes_on
    }

    /// Passes on what can be; the rest waits for its other part.
    fn take_from_source(&mut self, from: usize, bytes: &[u8]) {
        if self.ends[from].partial.is_empty() {
            let ready = self.plan.ready(bytes.len());
            self.pass_on(from, &bytes[..ready]);
            self.ends[from].partial.extend_from_slice(&bytes[ready..]);
        } else {
            let mut all = std::mem::take(&mut self.ends[from].partial);
            all.extend_from_slice(bytes);
            let ready = self.plan.ready(all.len());
            self.pass_on(from, &all[..ready]);
            all.drain(..ready);
            self.ends[from].partial = all;
        }
    }

    fn pass_on(&mut self, from: usize, frames: &[u8]) {
        if frames.is_empty() {
            return;
        }
        let sources = self.plan.sources;
        match self.plan.pattern {
            Pattern::Pairs => {
                let sink = sources + from % self.plan.sinks;
                self.ends[sink].owed.push_back((from, frames.len()));
                self.queue(sink, frames);
            }
            Pattern::FanOut => {
                for sink in sources..self.ends.len() {
                    match sources {
                        1 => self.send(sink, frames),
                        _ => self.queue(sink, frames),
                    }
                }
            }
        }
    }

    /// Cuts what a sink answers by what is owed to whom.
    fn take_from_sink(&mut self, from: usize, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some((source, owed)) = self.ends[from].owed.front_mut() else {
                return;
            };
            let (now, later) = rest.split_at(rest.len().min(*owed));
            let source = *source;
            *owed -= now.len();
            if *owed == 0 {
                self.ends[from].owed.pop_front();
            }
            self.queue(source, now);
            rest = later;
        }
    }

    /// Puts bytes into an outbox, unless they are better sent at once.
    fn queue(&mut self, to: usize, bytes: &[u8]) {
        if bytes.len() >= LONG_BYTES {
            return self.send(to, bytes);
        }
        self.queue_rest(to, bytes);
    }

    /// Sends as much as the socket takes now, unless something waits already; the rest waits.
    fn send(&mut self, to: usize, bytes: &[u8]) {
        let end = &mut self.ends[to];
        let mut rest = bytes;
        while end.outbox.is_empty() && !rest.is_empty() {
            match end.stream.write(rest) {
                Ok(sent) => rest = &rest[sent..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It takes no more, or it is gone, which the outbox finds out as well.
                Err(_) => break,
            }
        }
        if !rest.is_empty() {
            self.queue_rest(to, rest);
        }
    }

    fn queue_rest(&mut self, to: usize, bytes: &[u8]) {
        self.ends[to].outbox.extend_from_slice(bytes);
        self.mark(to);
    }

    fn flush_marked(&mut self) -> io::Result<()> {
        while let Some(at) = self.marked.pop() {
            self.is_marked[at] = false;
            let blocked = self.ends[at].flush()?;
            let end = &mut self.ends[at];
            if blocked != end.waits_to_write {
                end.waits_to_write = blocked;
                let interest = match blocked {
                    true => Interest::READABLE | Interest::WRITABLE,
                    false => Interest::READABLE,
                };
                self.poll
                    .registry()
                    .reregister(&mut end.stream, Token(at), interest)?;
            }
        }
        Ok(())
    }
}

impl End {
    /// Sends the outbox; true if the socket does not take all of it now.
    fn flush(&mut self) -> io::Result<bool> {
        while self.sent < self.outbox.len() {
            match self.stream.write(&self.outbox[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The load generator is leaving; the next read tells.
                Err(_) => break,
            }
        }
        self.outbox.clear();
        self.sent = 0;
        Ok(false)
    }
}
