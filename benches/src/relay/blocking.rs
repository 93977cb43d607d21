//! The relay as blocking threads, one for each connection that sends.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Ends, Pattern, Plan, READ_BYTES};

/// What several sources share to send to one sink: who is owed how many bytes, in the order in which
/// their frames were written.
type Owed = Mutex<VecDeque<(usize, usize)>>;

pub(super) fn serve(ends: Ends, plan: Plan) -> io::Result<()> {
    let owed: Vec<Owed> = ends.sinks.iter().map(|_| Mutex::default()).collect();
    // Frames of several publishers must not mix on the way to a subscriber.
    let turn = Mutex::new(());
    thread::scope(|scope| {
        for (number, source) in ends.sources.iter().enumerate() {
            let (ends, owed, turn) = (&ends, &owed, &turn);
            scope.spawn(move || {
                let done = from_source(source, plan, |frames| match plan.pattern {
                    Pattern::Pairs => {
                        let sink = number % plan.sinks;
                        send_owed(&ends.sinks[sink], &owed[sink], number, frames)
                    }
                    Pattern::FanOut => {
                        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                        ends.sinks
                            .iter()
                            .try_for_each(|mut sink| sink.write_all(frames))
                    }
                });
                end(ends);
                done
            });
        }
        if plan.pattern == Pattern::Pairs {
            for (sink, owed) in ends.sinks.iter().zip(&owed) {
                let ends = &ends;
                scope.spawn(move || {
                    let done = from_sink(sink, owed, &ends.sources);
                    end(ends);
                    done
                });
            }
        }
    });
    Ok(())
}

/// Ends all connections, so that no thread waits any longer.
fn end(ends: &Ends) {
    for stream in ends.sources.iter().chain(&ends.sinks) {
        // One that has ended by itself needs no help.
        let _ = stream.shutdown(std::net::Shutdown::Both);
    }
}

/// Reads from a source until it ends, and passes on what can be.
fn from_source(
    mut source: &TcpStream,
    plan: Plan,
    mut pass_on: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let longest = if plan.mixes() { plan.frame_bytes } else { 0 };
    let mut buffer = vec![0; READ_BYTES.max(2 * longest)];
    let mut filled = 0;
    loop {
        let bytes = source.read(&mut buffer[filled..])?;
        if bytes == 0 {
            return Ok(());
        }
        filled += bytes;
        let ready = plan.ready(filled);
        if ready > 0 {
            pass_on(&buffer[..ready])?;
            buffer.copy_within(ready..filled, 0);
            filled -= ready;
        }
    }
}

fn send_owed(mut sink: &TcpStream, owed: &Owed, source: usize, frames: &[u8]) -> io::Result<()> {
    // The lock is held while writing: the order of debts is the order of bytes. The debt comes first
    // because the answer may be read before the write returns.
    let mut owed = owed.lock().unwrap_or_else(PoisonError::into_inner);
    owed.push_back((source, frames.len()));
    sink.write_all(frames)
}

/// Reads from a sink until it ends, and returns the bytes to those whom they are owed.
fn from_sink(mut sink: &TcpStream, owed: &Owed, sources: &[TcpStream]) -> io::Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let bytes = sink.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(());
        }
        let mut rest = &buffer[..bytes];
        while !rest.is_empty() {
            let Some((source, share)) = take_owed(owed, rest.len()) else {
                return Ok(());
            };
            let (now, later) = rest.split_at(share);
            (&sources[source]).write_all(now)?;
            rest = later;
        }
    }
}

/// Who gets the next bytes, and how many of at most `bytes`. Neighboring debts to one source are one.
fn take_owed(owed: &Owed, bytes: usize) -> Option<(usize, usize)> {
    let mut owed = owed.lock().unwrap_or_else(PoisonError::into_inner);
    let (source, _) = *owed.front()?;
    let mut share = 0;
    while let Some((next, debt)) = owed.front_mut() {
        if *next != source || share == bytes {
            break;
        }
        let part = (*debt).min(bytes - share);
        *debt -= part;
        share += part;
        if *debt == 0 {
            owed.pop_front();
        }
    }
    Some((source, share))
}
