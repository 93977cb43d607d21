//! The walk calls, answers and cancels.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy};

use super::Walk;
use super::dice::URIS;
use super::model::{Answer, AnswerKind, LARGE, Request};
use crate::simulated::{Client, UNENCODABLE};

impl Walk {
    pub fn call(&mut self) {
        let (client, request) = (self.any_caller(), self.request_number());
        let procedure = self.procedure();
        let options = self.call_options(client, procedure);
        let args = self.args(client, request);
        if options["progress"] == true {
            self.calls_in_parts.push((client, request, procedure));
        }
        let wanted = Request::Call {
            procedure,
            options,
            args,
        };
        self.request(client, request, wanted, "CALL");
    }

    /// Often one that somebody has registered, the more so where a line of several callees is.
    fn procedure(&mut self) -> &'static str {
        let lines = self.model.lines_of_several();
        if !lines.is_empty() && self.dice.chance(35) {
            return self.dice.pick(&lines);
        }
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

    /// Often none at all, as most calls have none. In a line of several callees some wait for one of
    /// them, and others pass those.
    fn call_options(&mut self, client: Client, procedure: &'static str) -> Json {
        let mut options = json!({});
        if self.model.lines_of_several().contains(&procedure) && self.dice.chance(50) {
            return json!({"runmode": "partition", "rkey": self.dice.pick(&["k1", "k2", "k3"])});
        }
        if self.dice.chance(20) {
            return options;
        }
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
            options["timeout"] = json!(self.dice.roll(100));
        }
        if self.dice.chance(10) {
            options["ppt_scheme"] = json!("x_test");
        }
        if self.dice.chance(20) {
            options["runmode"] = json!("partition");
            if self.dice.chance(5) {
                options["runmode"] = json!("all");
            }
            if self.dice.chance(90) {
                options["rkey"] = json!(self.dice.pick(&["k1", "k2", "k3"]));
            }
        }
        let errs = self.dice.chance(10) && !self.model.is_internal(client);
        if !self.model.may_call(client, &options) && !errs {
            for key in ["progress", "ppt_scheme"] {
                options.as_object_mut().unwrap().remove(key);
            }
        }
        options
    }

    /// A further part of a call, perhaps of one that has ended, seldom behind the last.
    pub fn part(&mut self) {
        let open = self.model.calls.iter().filter(|it| it.input.is_some());
        let open = open.map(|it| (it.caller, it.request));
        let open: Vec<_> = open.chain(self.model.calls_that_wait()).collect();
        let known = &self.calls_in_parts;
        let open = known.iter().filter(|it| open.contains(&(it.0, it.1)));
        let open: Vec<_> = open.copied().collect();
        let (client, request, procedure) = if !open.is_empty() && self.dice.chance(90) {
            self.dice.pick(&open)
        } else if known.is_empty() {
            return;
        } else {
            // At times one of which the last part has come already.
            let closed = self.model.calls.iter().filter(|it| it.input.is_none());
            let closed = closed.map(|it| (it.caller, it.request));
            let closed: Vec<_> = closed.chain(self.model.calls_that_wait()).collect();
            let closed = known.iter().filter(|it| closed.contains(&(it.0, it.1)));
            let mut those: Vec<_> = closed.copied().collect();
            if those.is_empty() || self.dice.chance(60) {
                those.clone_from(known);
            }
            let call = self.dice.pick(&those);
            let mut calls = self.model.calls.iter();
            let pending = calls.find(|it| (it.caller, it.request) == (call.0, call.1));
            if pending.is_some() && self.dice.chance(50) {
                return;
            }
            call
        };
        // What waits breaks the protocol later, when its turn comes.
        let percent = if self.model.waits(client) { 15 } else { 4 };
        let procedure = match self.dice.chance(percent) {
            true => "b.other",
            false => procedure,
        };
        let progress = self.dice.chance(60);
        let number = self.request_number();
        let args = match self.dice.chance(10) {
            true => json!([self.network.id(client), number, "x".repeat(LARGE)]),
            false => self.args(client, number),
        };
        let wanted = Request::Part {
            procedure,
            progress,
            args,
        };
        self.request(client, request, wanted, "a further part");
    }

    pub fn answer(&mut self) {
        // Before an authorizer answers, what it was asked about may go.
        if !self.model.histories_asked_for().is_empty() && self.dice.chance(60) {
            return self.unsubscribe();
        }
        let questions = self.model.questions_asked();
        let Some((callee, invocation)) = self.some_invocation(&questions) else {
            return;
        };
        let is_question = questions.contains(&(callee, invocation));
        let session = self.model.session(callee);
        let passes_through = session.is_callee_with(Feature::PayloadPassthruMode);
        let kind = match self.dice.roll(10) {
            0..=2 if !is_question => AnswerKind::Progress,
            0 => AnswerKind::Progress,
            3 => AnswerKind::Error(self.dice.pick(&["app.error", "app.error", "no uri"])),
            4 if !is_question => AnswerKind::Error("app.error"),
            5 | 6 if !is_question => AnswerKind::Unavailable,
            5 => AnswerKind::Unavailable,
            _ => AnswerKind::Result,
        };
        let passed_percent = if is_question { 3 } else { 20 };
        let is_passed =
            passes_through && kind != AnswerKind::Unavailable && self.dice.chance(passed_percent);
        let args = match self.dice.chance(5) {
            true => json!(["x".repeat(LARGE)]),
            false if is_question => json!([self.verdict()]),
            false if self.dice.chance(3) => json!([[UNENCODABLE]]),
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
            AnswerKind::Error(uri) => json!([8, 68, invocation, options, uri, args]),
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
        // What is remembered no more has to be asked again.
        if let Some((about, need)) = self.model.forgotten.take()
            && self.dice.chance(70)
        {
            self.need_again(about, &need);
        }
    }

    /// An invocation to be answered: who has it, and its number.
    fn some_invocation(&mut self, questions: &[(Client, u64)]) -> Option<(Client, u64)> {
        let calls = self.model.calls.iter();
        let mut asked: Vec<_> = calls
            .filter_map(|it| Some((it.callee?, it.invocation)))
            .collect();
        // Where calls wait it matters the most who has answered.
        let awaited = self.model.awaited_answers();
        if !awaited.is_empty() && self.dice.chance(30) {
            asked = awaited;
        }
        if !questions.is_empty() && self.dice.chance(50) {
            Some(self.dice.pick(questions))
        } else if !asked.is_empty() && !self.dice.chance(10) {
            Some(self.dice.pick(&asked))
        } else {
            // Some invocation of the past, most likely answered long ago.
            let callee = self.anybody();
            let last = self.model.session(callee).last_invocation as usize;
            (last > 0).then(|| (callee, 1 + self.dice.roll(last) as u64))
        }
    }

    /// What an authorizer answers.
    fn verdict(&mut self) -> Json {
        let allow = self.dice.chance(75);
        match self.dice.roll(20) {
            0 => json!("maybe"),
            1 => json!({"disclose": true}),
            2 => json!({"allow": allow, "who": "knows"}),
            3..8 => json!(allow),
            _ => json!({
                "allow": allow, "disclose": self.dice.chance(30), "cache": self.dice.chance(70),
            }),
        }
    }

    pub fn cancel(&mut self) {
        let mut calls = self.model.calls_that_wait();
        if calls.is_empty() || self.dice.chance(70) {
            let pending = self.model.calls.iter().map(|it| (it.caller, it.request));
            calls = pending.filter(|it| self.model.is_client(it.0)).collect();
        }
        let (caller, request) = match calls.is_empty() {
            true => (self.anybody(), 1),
            false => self.dice.pick(&calls),
        };
        let mode = self.dice.pick(&["skip", "kill", "killnowait", ""]);
        let options = match mode {
            "" => json!({}),
            mode => json!({"mode": mode}),
        };
        self.send(caller, json!([49, request, options]));
        self.model.cancel(caller, request, mode);
        self.compare("CANCEL");
    }

    /// Somebody answers what it was never asked.
    pub fn answer_unasked(&mut self) {
        let client = self.anybody();
        let invocation = self.model.session(client).last_invocation + 1;
        self.network.violate(client, json!([70, invocation, {}]));
        self.gather();
        self.model.leave(client);
        self.compare("an answer that nobody asked for");
    }
}
