//! Calls, from CALL to the invocation of a callee, and their further parts.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy};
use wampy_realm::Disclosure;

use super::choosing::Choice;
use super::registrations::Callee;
use super::{Model, Session};
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
    pub reroutable: bool,
    pub kept: bool,
    /// The details of the first part, as long as more may come.
    pub input: Option<Json>,
    pub interrupted: bool,
    /// When it is too late, as far as the dealer minds that.
    pub deadline: Option<u64>,
    /// The limit that came with the call, and when it is over.
    pub timeout: u64,
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
            timeout: 0,
            limit: None,
        }
    }

    pub fn is_sharded(&self) -> bool {
        !self.options["runmode"].is_null()
    }

    pub fn is_plain(&self) -> bool {
        self.tried.is_empty() && !self.is_sharded()
    }

    pub fn waits_for(&self, registration: u64) -> bool {
        self.callee.is_none() && self.registration == registration
    }
}

impl Model {
    pub fn call(&mut self, mut call: Call) {
        let (client, request) = (call.caller, call.request);
        let refuse = |model: &mut Self, error| model.expect_error(client, 48, request, error);
        if self.is_malformed(&call.procedure) && !self.is_registered(&call.procedure) {
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
        if self.calls.iter().filter(|it| it.caller == client).count()
            >= self.config.pending_calls_per_session_max
        {
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
        let wanted = call.options["timeout"].as_u64().unwrap_or(0);
        call.timeout = wanted.min(self.config.call_timeout_ms_max);
        call.limit = Some(self.now + call.timeout).filter(|_| call.timeout > 0);
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
            Choice::Wait if self.line_is_too_large(&call) => refuse(self, "unavailable"),
            Choice::Wait if self.kept_calls_are_too_large(&call) => {
                self.note("all calls that are kept were too large");
                refuse(self, "unavailable");
            }
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

    /// Gives a call to a callee.
    pub fn invoke(&mut self, mut call: Call, client: Client) {
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
        call.kept = self.keeps_for_rerouting(&call);
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
}
