//! Calls that end in the middle: they are canceled, take too long, or one of both sides is gone.

use serde_json::{Value as Json, json};
use wampy_proto::Feature;

use super::gate::Need;
use super::{Call, Model};
use crate::simulated::Client;

/// What is over at a moment.
#[derive(Clone)]
pub enum Due {
    /// An answer about a session is remembered no longer.
    Answer(Client, Need),
    /// An event of a topic is too old to be kept.
    Event(String),
    Other,
}

impl Model {
    /// Takes a call from the list; its place at a callee that limits its calls is free then.
    pub fn end(&mut self, at: usize) -> Call {
        let call = self.calls.remove(at);
        self.vacate(&call);
        call
    }

    /// Ends a call in the middle: its callee need not go on.
    pub fn break_off(&mut self, at: usize, error: &str) {
        let call = self.end(at);
        self.interrupt(&call);
        self.expect_error(call.caller, 48, call.request, error);
    }

    /// Says that a call was canceled or took too long, unless its caller would not have that.
    fn give_up(&mut self, call: &Call, error: &str) {
        if self.session(call.caller).is_silent {
            self.note("a call ended silently");
            self.ended_silently.push((call.caller, call.request));
        } else {
            self.expect_error(call.caller, 48, call.request, error);
        }
    }

    fn vacate(&mut self, call: &Call) {
        if let (Some(id), Some(callee)) = (call.counted, call.callee)
            && let Some(at) = self.registration(id)
            && self.registrations[at].has(callee)
        {
            self.room_in(id);
        }
    }

    pub fn interrupt(&mut self, call: &Call) {
        let Some(callee) = call.callee.filter(|_| !call.interrupted) else {
            return;
        };
        if self.alive(callee) && self.session(callee).is_callee_with(Feature::CallCanceling) {
            self.note("a callee was interrupted");
            let options = json!({"mode": "killnowait"});
            self.expect(callee, json!([69, call.invocation, options]));
        }
    }

    pub fn cancel(&mut self, caller: Client, request: u64, mode: &str) {
        if !self.cancel_waiting(caller, request) {
            self.cancel_pending(caller, request, mode);
        }
        self.settle();
    }

    /// Cancels a call that was let through.
    pub fn cancel_pending(&mut self, caller: Client, request: u64, mode: &str) {
        let Some(at) = self.find(caller, request) else {
            return;
        };
        let call = &mut self.calls[at];
        let (invocation, callee) = (call.invocation, call.callee);
        let canceling = |callee| self.session(callee).is_callee_with(Feature::CallCanceling);
        if mode == "kill"
            && let Some(callee) = callee.filter(|&callee| canceling(callee))
        {
            if !std::mem::replace(&mut self.calls[at].interrupted, true) {
                self.expect(callee, json!([69, invocation, {"mode": "kill"}]));
            }
            return;
        }
        let call = self.end(at);
        if mode != "skip" {
            self.interrupt(&call);
        }
        self.give_up(&call, "canceled");
    }

    /// The calls of a session that is gone end: first those that it should have answered.
    pub fn end_calls_of(&mut self, client: Client) {
        let mut calls: Vec<_> = self
            .calls
            .iter()
            .filter(|it| it.callee == Some(client))
            .map(|it| (it.invocation, it.caller, it.request))
            .collect();
        calls.sort_unstable();
        for (_, caller, request) in calls {
            self.end(self.find(caller, request).unwrap());
            if self.alive(caller) {
                self.expect_error(caller, 48, request, "canceled");
            }
        }
        let made = self.calls.iter().filter(|it| it.caller == client);
        let mut made: Vec<u64> = made.map(|it| it.request).collect();
        made.sort_unstable();
        for request in made {
            let call = self.end(self.find(client, request).unwrap());
            self.interrupt(&call);
        }
    }

    pub fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let deadlines = self.calls.iter().filter_map(|it| it.deadline);
            let questions = self.questions.iter().map(|it| it.deadline);
            let sweeps = [self.retained.sweep_at, self.history.sweep_at];
            let moments = deadlines
                .chain(questions)
                .chain(sweeps.into_iter().flatten());
            let Some(next) = moments.min().filter(|&next| next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            while let Some(at) = self.next_overdue() {
                let call = self.end(at);
                self.interrupt(&call);
                self.give_up(&call, "timeout");
                self.note("a call took too long");
            }
            self.end_overdue_questions();
            self.settle();
            self.sweep();
        }
        self.now = end;
    }

    /// The moments to come at which something is over, each with what that is.
    pub fn moments(&self) -> Vec<(u64, Due)> {
        let calls = self.calls.iter().filter_map(|it| it.deadline);
        let questions = self.questions.iter().map(|it| it.deadline);
        let shelves = [&self.retained, &self.history];
        let sweeps = shelves.into_iter().filter_map(|it| it.sweep_at);
        let others = calls.chain(questions).chain(sweeps);
        let events = shelves.into_iter().flat_map(|it| &it.events);
        let events = events.filter_map(|it| {
            let expires = it.expires? - self.unix_ms_at_0;
            Some((expires, Due::Event(it.topic.clone())))
        });
        let others = others.map(|moment| (moment, Due::Other));
        let all = others.chain(events).chain(self.answers_due());
        all.filter(|&(moment, _)| moment > self.now).collect()
    }

    /// A call whose time is over: of several the one whose end was seen first. One whose end nobody
    /// sees is the last.
    fn next_overdue(&self) -> Option<usize> {
        let is_overdue = |it: &Call| it.deadline.is_some_and(|deadline| deadline <= self.now);
        let overdue = (0..self.calls.len()).filter(|&at| is_overdue(&self.calls[at]));
        overdue.min_by_key(|&at| {
            let call = &self.calls[at];
            let is_error = |m: &Json| m[0] == 8 && m[1] == 48 && m[2] == call.request;
            let is_interrupt = |m: &Json| m[0] == 69 && m[1] == call.invocation;
            let callee = call.callee;
            let ends = [
                self.seen_at(call.caller, is_error),
                callee.and_then(|callee| self.seen_at(callee, is_interrupt)),
            ];
            ends.into_iter().flatten().min().unwrap_or(usize::MAX)
        })
    }
}
