//! The walk calls, answers and cancels.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy};

use super::Walk;
use super::dice::URIS;
use super::model::{Answer, AnswerKind, Call, LARGE};
use crate::simulated::Client;

impl Walk {
    pub fn call(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let options = self.call_options(client);
        let procedure = self.procedure();
        let args = self.args(client, request);
        let message = json!([48, request, options, procedure, args]);
        // What is refused at the gate is not looked at further.
        let refused = self.model.roles.is_some()
            && (procedure.contains(' ')
                || self
                    .model
                    .forbids(client, "call", procedure, MatchPolicy::Exact));
        if !refused && !self.model.may_call(client, &options) {
            return self.break_protocol(client, message);
        }
        if options["progress"] == true {
            self.calls_in_parts.push((client, request, procedure));
        }
        self.open_calls.insert((client, request));
        self.send(client, message);
        let call = Call::new(client, request, &options, procedure, &args);
        self.model.call(call);
        self.compare("CALL");
    }

    /// Often one that somebody has registered.
    fn procedure(&mut self) -> &'static str {
        let known = &self.model.registrations;
        if !known.is_empty() && self.dice.chance(50) {
            let busy = known.iter().filter(|it| self.model.nobody_is_free(it.id));
            let busy: Vec<_> = busy.map(|it| it.id).collect();
            let at = match busy.is_empty() || self.dice.chance(60) {
                true => self.dice.roll(known.len()),
                false => self.model.registration(self.dice.pick(&busy)).unwrap(),
            };
            let registration = &known[at];
            if registration.policy == MatchPolicy::Exact {
                return registration.uri;
            }
        }
        self.dice.pick(&URIS)
    }

    fn call_options(&mut self, client: Client) -> Json {
        let mut options = json!({});
        for (key, percent) in [
            ("receive_progress", 40),
            ("disclose_me", 20),
            ("progress", 20),
        ] {
            if self.dice.chance(percent) {
                options[key] = json!(true);
            }
        }
        if self.dice.chance(40) {
            let mut timeout = self.dice.roll(100) as u64;
            while timeout > 0 && self.model.is_taken(self.model.now + timeout) {
                timeout += 1;
            }
            options["timeout"] = json!(timeout);
        }
        if self.dice.chance(10) {
            options["ppt_scheme"] = json!("x_test");
        }
        if self.dice.chance(15) {
            options["runmode"] = json!("partition");
            if self.dice.chance(90) {
                options["rkey"] = json!(self.dice.pick(&["k1", "k2", "k3"]));
            }
        }
        if !self.model.may_call(client, &options) && self.dice.chance(90) {
            for key in ["progress", "ppt_scheme"] {
                options.as_object_mut().unwrap().remove(key);
            }
        }
        options
    }

    /// A further part of a call, perhaps of one that has ended.
    pub fn part(&mut self) {
        let open = self.model.calls.iter().filter(|it| it.input.is_some());
        let open: Vec<_> = open.map(|it| (it.caller, it.request)).collect();
        let (client, request, procedure) = if !open.is_empty() && self.dice.chance(90) {
            let (client, request) = self.dice.pick(&open);
            let mut calls = self.calls_in_parts.iter();
            *calls
                .find(|it| (it.0, it.1) == (client, request))
                .expect("a call in parts")
        } else if self.calls_in_parts.is_empty() {
            return;
        } else {
            let call = self.dice.pick(&self.calls_in_parts);
            let mut calls = self.model.calls.iter();
            if calls.any(|it| (it.caller, it.request) == (call.0, call.1)) {
                return;
            }
            call
        };
        let progress = self.dice.chance(60);
        let number = self.request();
        let args = self.args(client, number);
        let options = json!({"progress": progress});
        self.send(client, json!([48, request, options, procedure, args]));
        self.model.part(client, request, progress, &args);
        self.compare("a further part");
    }

    pub fn answer(&mut self) {
        let calls = self.model.calls.iter();
        let asked: Vec<_> = calls
            .filter_map(|it| Some((it.callee?, it.invocation)))
            .collect();
        let (callee, invocation) = if !asked.is_empty() && !self.dice.chance(10) {
            self.dice.pick(&asked)
        } else {
            // Some invocation of the past, most likely answered long ago.
            let callee = self.anybody();
            let last = self.model.session(callee).last_invocation as usize;
            if last == 0 {
                return;
            }
            (callee, 1 + self.dice.roll(last) as u64)
        };
        let session = self.model.session(callee);
        let passes_through = session.is_callee_with(Feature::PayloadPassthruMode);
        let kind = match self.dice.roll(10) {
            0..=2 if !self.collides(callee, invocation) => AnswerKind::Progress,
            3 | 4 => AnswerKind::Error,
            5 | 6 => AnswerKind::Unavailable,
            _ => AnswerKind::Result,
        };
        let is_passed = passes_through && kind != AnswerKind::Unavailable && self.dice.chance(20);
        let args = match self.dice.chance(5) {
            true => json!(["x".repeat(LARGE)]),
            false => json!(["answer"]),
        };
        let mut options = json!({});
        if kind == AnswerKind::Progress {
            options["progress"] = json!(true);
        }
        if is_passed {
            options["ppt_scheme"] = json!("x_test");
        }
        let message = match kind {
            AnswerKind::Progress | AnswerKind::Result => json!([70, invocation, options, args]),
            AnswerKind::Error => json!([8, 68, invocation, options, "app.error", args]),
            AnswerKind::Unavailable => json!([8, 68, invocation, {}, "wamp.error.unavailable"]),
        };
        let answer = Answer {
            kind,
            is_passed,
            args,
        };
        self.send(callee, message);
        self.model.answer(callee, invocation, &answer);
        self.compare("an answer");
    }

    /// Whether a progressive result would make two calls time out at once: which of them ends first
    /// the model does not know.
    fn collides(&self, callee: Client, invocation: u64) -> bool {
        let mut calls = self.model.calls.iter();
        let call = calls.find(|it| it.callee == Some(callee) && it.invocation == invocation);
        let timeout = call.and_then(|it| it.options["timeout"].as_u64());
        timeout.is_some_and(|timeout| self.model.is_taken(self.model.now + timeout))
    }

    pub fn cancel(&mut self) {
        let calls = self.model.calls.iter();
        let calls: Vec<_> = calls.map(|it| (it.caller, it.request)).collect();
        let (caller, request) = match calls.is_empty() {
            true => (self.anybody(), 1),
            false => self.dice.pick(&calls),
        };
        let mode = self.dice.pick(&["skip", "kill", "killnowait"]);
        self.send(caller, json!([49, request, {"mode": mode}]));
        self.model.cancel(caller, request, mode);
        self.compare("CANCEL");
    }

    /// Somebody sends what may not be sent, and is thrown out.
    pub fn break_protocol(&mut self, client: Client, message: Json) {
        self.network.violate(client, message);
        self.gather();
        self.forget(client);
        self.model.leave(client);
        self.compare("a violation");
    }

    /// Somebody answers what it was never asked.
    pub fn answer_unasked(&mut self) {
        let client = self.anybody();
        let invocation = self.model.session(client).last_invocation + 1;
        self.break_protocol(client, json!([70, invocation, {}]));
    }
}
