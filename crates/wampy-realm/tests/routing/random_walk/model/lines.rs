//! The lines of calls that wait for a callee of a registration, and when they go on.

use wampy_proto::MatchPolicy;

use super::choosing::Choice;
use super::{Call, Model, is_large, large_within};
use crate::simulated::Client;

impl Model {
    pub fn line_is_full(&self, registration: u64) -> bool {
        let waiting = self.calls.iter().filter(|it| it.waits_for(registration));
        waiting.count() >= self.config.waiting_calls_per_registration_max
    }

    /// Whether a call finds no place in its line beside the large ones there.
    pub fn line_is_too_large(&mut self, call: &Call) -> bool {
        let line = self.calls.iter();
        let line = line.filter(|it| it.waits_for(call.registration) && is_large(&it.args));
        let large = line.count() + usize::from(is_large(&call.args));
        let too_large = large > large_within(self.config.waiting_bytes_per_registration_max);
        if too_large {
            self.note("calls that wait in one line were too large");
        }
        too_large
    }

    /// Whether a call cannot be kept beside the large ones that are kept, because they wait or may be
    /// rerouted.
    pub fn kept_calls_are_too_large(&self, call: &Call) -> bool {
        let kept = self.calls.iter();
        let kept = kept.filter(|it| it.kept && is_large(&it.args));
        let large = kept.count() + usize::from(is_large(&call.args));
        large > large_within(self.config.kept_call_bytes_max)
    }

    /// Whether a call that has a callee is kept for another one. If it was kept before there is room.
    pub fn keeps_for_rerouting(&mut self, call: &Call) -> bool {
        let large = usize::from(is_large(&call.args));
        let is_kept = call.reroutable
            && call.options["progress"] != true
            && large <= large_within(self.config.rerouted_call_bytes_max)
            && (call.kept || !self.kept_calls_are_too_large(call));
        if is_kept && large > 0 {
            self.note("a large call was kept to be rerouted");
        }
        is_kept
    }

    /// The registrations of which a line may stop at one call and go on with another: those of exactly
    /// a procedure whose several callees are all busy.
    pub fn lines_of_several(&self) -> Vec<&'static str> {
        let all = self.registrations.iter();
        let several = all.filter(|it| {
            it.policy == MatchPolicy::Exact && it.callees.len() > 1 && self.nobody_is_free(it.id)
        });
        several.map(|it| it.uri).collect()
    }

    /// What callees have of registrations for which calls wait.
    pub fn awaited_answers(&self) -> Vec<(Client, u64)> {
        let awaited = self.calls.iter();
        let awaited = awaited.filter(|it| self.is_awaited(it.registration));
        let asked = awaited.filter_map(|it| Some((it.callee?, it.invocation)));
        asked.collect()
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
