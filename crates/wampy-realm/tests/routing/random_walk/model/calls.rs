//! Calls between CALL and the last RESULT or ERROR.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::Disclosure;

use super::choosing::Choice;
use super::registrations::Callee;
use super::{
    CALL_TIMEOUT_MS_MAX, LARGE, Model, PENDING_CALLS_MAX, Session, WAITING_CALLS_MAX, is_large,
    is_malformed,
};
use crate::simulated::Client;

#[derive(Clone)]
pub struct Call {
    pub caller: Client,
    pub request: u64,
    pub procedure: String,
    pub options: Json,
    /// Nobody else's call has the same.
    pub args: Json,
    /// The one who has the call; nobody while it waits.
    pub callee: Option<Client>,
    pub invocation: u64,
    pub registration: u64,
    /// The registration at which the call counts for its callee's `concurrency`.
    pub counted: Option<u64>,
    /// The callees that were unavailable.
    pub tried: Vec<Client>,
    /// Whether another callee may take the call, and whether it is still kept for that.
    reroutable: bool,
    kept: bool,
    /// The details of the first part, as long as more may come.
    pub input: Option<Json>,
    interrupted: bool,
    /// When it is too late, as far as the dealer minds that.
    pub deadline: Option<u64>,
    /// When the limit that came with the call is over.
    pub limit: Option<u64>,
}

impl Call {
    pub fn new(caller: Client, request: u64, options: &Json, procedure: &str, args: &Json) -> Self {
        Self {
            caller,
            request,
            procedure: procedure.to_owned(),
            options: options.clone(),
            args: args.clone(),
            callee: None,
            invocation: 0,
            registration: 0,
            counted: None,
            tried: Vec::new(),
            reroutable: false,
            kept: false,
            input: None,
            interrupted: false,
            deadline: None,
            limit: None,
        }
    }

    pub fn is_sharded(&self) -> bool {
        !self.options["runmode"].is_null()
    }

    fn is_plain(&self) -> bool {
        self.tried.is_empty() && !self.is_sharded()
    }

    pub fn waits_for(&self, registration: u64) -> bool {
        self.callee.is_none() && self.registration == registration
    }

    /// Whether the call waits, and counts much among those that are kept.
    fn is_large_and_waits(&self) -> bool {
        self.callee.is_none() && is_large(&self.args)
    }

    fn timeout(&self) -> u64 {
        let wanted = self.options["timeout"].as_u64().unwrap_or(0);
        wanted.min(CALL_TIMEOUT_MS_MAX)
    }
}

/// What a callee answers.
pub struct Answer {
    pub kind: AnswerKind,
    /// Whether the payload is passed through.
    pub is_passed: bool,
    pub args: Json,
}

#[derive(Clone, Copy, PartialEq)]
pub enum AnswerKind {
    Progress,
    Result,
    /// With this URI.
    Error(&'static str),
    Unavailable,
}

impl Model {
    pub fn call(&mut self, mut call: Call) {
        let (client, request) = (call.caller, call.request);
        let refuse = |model: &mut Self, error| model.expect_error(client, 48, request, error);
        if is_malformed(&call.procedure) {
            return refuse(self, "invalid_uri");
        }
        // The realm's own procedures need no place among the pending calls.
        if call.procedure.starts_with("wamp.") {
            let error = match Self::needs(&call.options).is_empty() {
                true => "no_such_procedure",
                false => "feature_not_supported",
            };
            return refuse(self, error);
        }
        if self.calls.iter().filter(|it| it.caller == client).count() >= PENDING_CALLS_MAX {
            return refuse(self, "unavailable");
        }
        if call.is_sharded() {
            if call.options["runmode"] != "partition" {
                return refuse(self, "option_not_allowed");
            }
            if call.options["rkey"].is_null() {
                return refuse(self, "invalid_argument");
            }
        }
        let Some(at) = self.best_match(&call.procedure) else {
            return refuse(self, "no_such_procedure");
        };
        call.registration = self.registrations[at].id;
        call.limit = Some(self.now + call.timeout()).filter(|_| call.timeout() > 0);
        call.deadline = call.limit;
        let others_wait = self
            .calls
            .iter()
            .any(|it| it.waits_for(call.registration) && it.is_plain());
        let choice = match others_wait && !call.is_sharded() {
            true => Choice::Wait,
            false => self.choose(&call),
        };
        match choice {
            Choice::Callee(callee) => self.invoke(call, callee),
            Choice::Wait if call.options["progress"] == true => refuse(self, "unavailable"),
            // What would be refused later is refused at once.
            Choice::Wait if self.denies_caller(&call) => {
                refuse(self, "option_disallowed.disclose_me");
            }
            Choice::Wait if self.line_is_full(call.registration) => {
                self.note("a line was full");
                refuse(self, "unavailable");
            }
            Choice::Wait if self.calls_are_too_large(&call) => refuse(self, "unavailable"),
            Choice::Wait => {
                self.note("a call waited");
                self.join_line(call);
            }
            Choice::Nobody(error) => refuse(self, error),
        }
    }

    /// Whether the realm refuses to make a caller known that wants to be.
    pub fn denies_caller(&mut self, call: &Call) -> bool {
        let denies = call.options["disclose_me"] == true
            && self.config.caller_disclosure == Disclosure::Denied;
        if denies {
            self.note("a caller was not to be disclosed");
        }
        denies
    }

    fn line_is_full(&self, registration: u64) -> bool {
        let waiting = self.calls.iter().filter(|it| it.waits_for(registration));
        waiting.count() >= WAITING_CALLS_MAX
    }

    /// Whether a large call finds no place beside other large ones.
    fn calls_are_too_large(&mut self, call: &Call) -> bool {
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

    fn join_line(&mut self, mut call: Call) {
        (call.kept, call.deadline) = (true, call.limit);
        self.room_in(call.registration);
        self.calls.push(call);
    }

    /// Gives a call to a callee.
    fn invoke(&mut self, mut call: Call, client: Client) {
        if self.denies_caller(&call) {
            let error = "option_disallowed.disclose_me";
            return self.expect_error(call.caller, 48, call.request, error);
        }
        let mut sessions = self.sessions.iter_mut();
        let callee = sessions.find(|it| it.client == client).unwrap();
        if let Some(error) = callee.why_not_take(&call.args) {
            self.note(match error {
                "invalid_argument" => "a payload had no form for its receiver",
                _ => "a call was too large for its callee",
            });
            return self.expect_error(call.caller, 48, call.request, error);
        }
        callee.last_invocation += 1;
        let callee = callee.clone();
        let at = self.registration(call.registration).unwrap();
        let registration = &self.registrations[at];
        let mut members = registration.callees.iter();
        let member = *members.find(|it| it.client == client).unwrap();
        let (policy, is_shared) = (registration.policy, registration.callees.len() > 1);
        let details = self.invocation_details(&call, &callee, &member, policy);
        if is_shared {
            self.note("a call went to one of several callees");
        }
        call.deadline = call.limit.filter(|_| !member.forward_timeout);
        call.callee = Some(client);
        call.invocation = callee.last_invocation;
        call.counted = member.concurrency.map(|_| call.registration);
        call.reroutable =
            !call.is_sharded() && is_shared && callee.is_callee_with(Feature::CallReroute);
        call.kept = call.reroutable && call.options["progress"] != true && !is_large(&call.args);
        call.input = (call.options["progress"] == true).then(|| details.clone());
        let invocation = json!([68, call.invocation, call.registration, details, call.args]);
        self.expect(client, invocation);
        self.calls.push(call);
    }

    /// What a callee is told of a call beside its payload.
    fn invocation_details(
        &mut self,
        call: &Call,
        callee: &Session,
        member: &Callee,
        policy: MatchPolicy,
    ) -> Json {
        let caller = self.session(call.caller).clone();
        let mut details = json!({});
        if call.options["receive_progress"] == true
            && callee.is_callee_with(Feature::ProgressiveCallResults)
            && (callee.is_callee_with(Feature::CallCanceling)
                || self.config.progress_without_canceling)
        {
            details["receive_progress"] = json!(true);
        }
        let always = self.config.caller_disclosure == Disclosure::Always;
        let on_request = self.config.caller_disclosure == Disclosure::OnRequest;
        let is_asked_for = call.options["disclose_me"] == true || member.disclose_caller;
        if is_asked_for && on_request || always {
            self.note("a caller was disclosed");
            details["caller"] = json!(caller.id);
            details["caller_authid"] = json!(caller.authid);
            details["caller_authrole"] = json!(caller.authrole);
        }
        if callee.is_callee_with(Feature::CallTrustlevels)
            && let Some(level) = caller.trust_level
        {
            details["trustlevel"] = json!(level);
            self.note("a callee learned how far its caller is trusted");
        }
        for key in ["progress", "ppt_scheme"] {
            if !call.options[key].is_null() {
                details[key] = call.options[key].clone();
            }
        }
        if !call.options["ppt_scheme"].is_null() {
            self.note("a payload was passed through");
        }
        if policy != MatchPolicy::Exact {
            details["procedure"] = json!(call.procedure);
            self.note("a call went by a pattern");
        }
        if (member.forward_timeout || caller.is_silent)
            && let Some(limit) = call.limit
        {
            details["timeout"] = json!(limit.saturating_sub(self.now).max(1));
            self.note("a time limit was forwarded");
        }
        details
    }

    /// A further part of a call; nothing if the call has ended. Returns whether it may come.
    pub fn part(
        &mut self,
        caller: Client,
        request: u64,
        (procedure, progress): (&str, bool),
        args: &Json,
    ) -> bool {
        let Some(at) = self.find(caller, request) else {
            self.note("a part came too late");
            return true;
        };
        let Some(mut details) = self.calls[at].input.take() else {
            self.note("a part came behind the last one");
            return false;
        };
        if self.calls[at].procedure != procedure {
            self.note("a part named another procedure");
            return false;
        }
        self.note("a call had further parts");
        let call = &mut self.calls[at];
        if progress {
            call.input = Some(details.clone());
        } else {
            details.as_object_mut().unwrap().remove("progress");
        }
        let (callee, registration) = (call.callee.unwrap(), call.registration);
        let invocation = json!([68, call.invocation, registration, details, args]);
        if let Some(error) = self.why_not_take(callee, args) {
            self.note("a part was too large for its callee");
            self.break_off(at, error);
        } else {
            self.expect(callee, invocation);
        }
        true
    }

    pub fn find(&self, caller: Client, request: u64) -> Option<usize> {
        let mut calls = self.calls.iter();
        calls.position(|it| it.caller == caller && it.request == request)
    }

    /// Takes a call from the list; its place at a callee that limits its calls is free then.
    fn end(&mut self, at: usize) -> Call {
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

    pub fn answer(&mut self, callee: Client, invocation: u64, answer: &Answer) {
        self.take_from_callee(callee, invocation, answer);
        self.settle();
    }

    fn take_from_callee(&mut self, callee: Client, invocation: u64, answer: &Answer) {
        let mut calls = self.calls.iter();
        let found = calls.position(|it| it.callee == Some(callee) && it.invocation == invocation);
        let Some(at) = found else { return };
        let call = self.calls[at].clone();
        let (caller, request) = (call.caller, call.request);
        let problem = self.why_not_answer(caller, answer);
        let mut details = json!({});
        if answer.is_passed {
            details["ppt_scheme"] = json!("x_test");
        }
        match (answer.kind, problem) {
            (AnswerKind::Unavailable, _) => self.reroute(at),
            (AnswerKind::Progress, _) if call.options["receive_progress"] != true => {}
            (AnswerKind::Progress, Some(error)) => {
                self.note("a part of a result could not be delivered");
                self.break_off(at, error);
            }
            (AnswerKind::Progress, None) => {
                self.calls[at].kept = false;
                if call.deadline.is_some() {
                    self.calls[at].deadline = Some(self.now + call.timeout());
                }
                details["progress"] = json!(true);
                self.note("a part of a result was delivered");
                self.expect(caller, json!([50, request, details, answer.args]));
            }
            (AnswerKind::Result | AnswerKind::Error(_), Some(error)) => {
                self.end(at);
                self.note("an answer could not be delivered");
                self.expect_error(caller, 48, request, error);
            }
            (AnswerKind::Result, None) => {
                self.end(at);
                self.expect(caller, json!([50, request, details, answer.args]));
            }
            (AnswerKind::Error("app.error"), None) => {
                self.end(at);
                let error = json!([8, 48, request, details, "app.error", answer.args]);
                self.expect(caller, error);
            }
            (AnswerKind::Error(_), None) => {
                self.end(at);
                self.note("an error had no well-formed URI");
                self.expect_error(caller, 48, request, "invalid_uri");
            }
        }
    }

    /// Why a caller cannot get an answer, if it cannot.
    fn why_not_answer(&self, caller: Client, answer: &Answer) -> Option<&'static str> {
        let session = self.session(caller);
        if answer.is_passed
            && !session
                .roles
                .supports(Role::Caller, Feature::PayloadPassthruMode)
        {
            return Some("feature_not_supported");
        }
        session.why_not_take(&answer.args)
    }

    fn reroute(&mut self, at: usize) {
        let call = &self.calls[at];
        let (caller, request, callee) = (call.caller, call.request, call.callee.unwrap());
        let hands_back = self.session(callee).is_callee_with(Feature::CallReroute);
        if !hands_back || call.interrupted || (call.reroutable && !call.kept) {
            self.end(at);
            return self.expect_error(caller, 48, request, "unavailable");
        }
        if !call.reroutable {
            self.end(at);
            return self.expect_error(caller, 48, request, "no_available_callee");
        }
        let mut call = self.end(at);
        (call.callee, call.counted) = (None, None);
        call.tried.push(callee);
        match self.choose(&call) {
            Choice::Callee(callee) => {
                self.note("a call was rerouted");
                self.invoke(call, callee);
            }
            Choice::Wait if self.line_is_full(call.registration) => {
                self.expect_error(caller, 48, request, "unavailable");
            }
            Choice::Wait => {
                self.note("a rerouted call waited");
                self.join_line(call);
            }
            Choice::Nobody(error) => {
                self.note("nobody was left to take a rerouted call");
                self.expect_error(caller, 48, request, error);
            }
        }
    }

    fn interrupt(&mut self, call: &Call) {
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
