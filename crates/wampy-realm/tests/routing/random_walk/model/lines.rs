//! The lines of calls that wait for a callee of a registration, and when they go on.

use super::choosing::Choice;
use super::{Call, LARGE, Model, is_large};

impl Model {
    pub fn line_is_full(&self, registration: u64) -> bool {
        let waiting = self.calls.iter().filter(|it| it.waits_for(registration));
        waiting.count() >= self.config.waiting_calls_per_registration_max
    }

    /// Whether a large call finds no place beside other large ones.
    pub fn calls_are_too_large(&mut self, call: &Call) -> bool {
        let large = self.calls.iter().filter(|it| it.is_large_and_waits());
        let in_line = large.clone();
        let in_line = in_line.filter(|it| it.registration == call.registration);
        let (all, in_line) = (large.count(), in_line.count());
        if !is_large(&call.args) {
            return false;
        }
        if in_line >= self.config.waiting_bytes_per_registration_max / LARGE {
            self.note("calls that wait in one line were too large");
            return true;
        }
        let too_many = all >= self.config.kept_call_bytes_max / LARGE;
        if too_many {
            self.note("all calls that wait were too large");
        }
        too_many
    }

    /// Whether calls wait for a callee of a registration.
    pub fn is_awaited(&self, registration: u64) -> bool {
        self.calls.iter().any(|it| it.waits_for(registration))
    }

    pub fn join_line(&mut self, mut call: Call) {
        (call.kept, call.deadline) = (true, call.limit);
        self.room_in(call.registration);
        self.calls.push(call);
    }

    /// A registration may have room for a call that waits.
    pub fn room_in(&mut self, registration: u64) {
        self.unsettled.insert(registration);
    }

    /// What is done when all else of a step is done: the lines are served, then answers of authorizers
    /// are taken up, after each of which lines may have to be served again.
    pub fn settle(&mut self) {
        self.settle_lines();
        while let Some((question, results)) = self.answers.pop_front() {
            self.take_answer(question, results.as_ref());
            self.settle_lines();
        }
    }

    /// What is done when a message is done: whoever waits for a registration that is gone waits in
    /// vain; then the lines of registrations are served, in the order of their ids.
    pub fn settle_lines(&mut self) {
        let orphan =
            |it: &Call| it.callee.is_none() && self.registration(it.registration).is_none();
        let orphans = self.calls.iter().filter(|it| orphan(it));
        let orphans: Vec<_> = orphans.map(|it| (it.caller, it.request)).collect();
        for (caller, request) in orphans {
            self.end(self.find(caller, request).unwrap());
            self.note("a call waited for a registration that went");
            self.expect_error(caller, 48, request, "no_available_callee");
        }
        while let Some(registration) = self.unsettled.pop_first() {
            self.serve(registration);
        }
    }

    /// Gives the calls that wait to callees that are free, in order.
    fn serve(&mut self, registration: u64) {
        let line = self.calls.iter().filter(|it| it.waits_for(registration));
        let line: Vec<_> = line.map(|it| (it.caller, it.request)).collect();
        let mut plain_calls_wait = false;
        for (caller, request) in line {
            let at = self.find(caller, request).unwrap();
            let call = self.calls[at].clone();
            if call.is_plain() && plain_calls_wait {
                continue;
            }
            match self.choose(&call) {
                Choice::Callee(callee) => {
                    self.note("a call that waited got a callee");
                    self.calls.remove(at);
                    self.invoke(call, callee);
                }
                Choice::Nobody(error) => {
                    self.calls.remove(at);
                    self.expect_error(caller, 48, request, error);
                }
                Choice::Wait => {
                    plain_calls_wait |= call.is_plain();
                    if self.nobody_is_free(registration) {
                        return;
                    }
                }
            }
        }
    }
}
