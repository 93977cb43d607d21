//! What callees answer, and calls that go to another callee then.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, Role};

use super::Model;
use super::choosing::Choice;
use crate::simulated::Client;

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
                    self.calls[at].deadline = Some(self.now + call.timeout);
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
            Choice::Wait
                if self.line_is_full(call.registration) || self.line_is_too_large(&call) =>
            {
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
}
