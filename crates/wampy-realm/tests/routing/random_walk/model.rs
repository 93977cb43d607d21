//! What a realm should do, said as simply as possible: lists, searched from begin to end.
//!
//! For each step the model says who receives which messages. Publication ids and the words of
//! errors are left out, and the callee that a `random` registration chooses is taken as it came.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use crate::simulated::Client;

pub const PENDING_CALLS_MAX: usize = 2;
pub const PENDING_INVOCATIONS_MAX: usize = 3;
pub const REGISTRATIONS_MAX: usize = 5;
pub const SUBSCRIPTIONS_MAX: usize = 6;

#[derive(Clone)]
pub struct Session {
    pub client: Client,
    pub id: u64,
    pub authid: &'static str,
    pub authrole: &'static str,
    pub canceling: bool,
    pub progressive: bool,
    pub last_invocation: u64,
}

#[derive(Clone)]
pub struct Subscription {
    pub id: u64,
    pub uri: String,
    pub policy: MatchPolicy,
    pub members: Vec<Client>,
}

pub struct Registration {
    pub id: u64,
    pub uri: String,
    pub policy: MatchPolicy,
    pub invoke: &'static str,
    pub callees: Vec<Client>,
    turn: usize,
}

#[derive(Clone, Copy)]
pub struct Call {
    pub caller: Client,
    pub request: u64,
    pub callee: Client,
    pub invocation: u64,
    pub progress: bool,
    pub interrupted: bool,
    pub timeout: u64,
    pub deadline: Option<u64>,
}

#[derive(Default)]
pub struct Model {
    pub sessions: Vec<Session>,
    pub subscriptions: Vec<Subscription>,
    pub registrations: Vec<Registration>,
    pub calls: Vec<Call>,
    pub now: u64,
    /// The ids of all subscriptions and registrations there ever were.
    pub subscription_ids: Vec<u64>,
    pub registration_ids: Vec<u64>,
    /// What is to be received since this was last taken.
    pub expected: BTreeMap<Client, Vec<Json>>,
}

impl Model {
    pub fn session(&self, client: Client) -> &Session {
        self.sessions
            .iter()
            .find(|session| session.client == client)
            .unwrap()
    }

    fn alive(&self, client: Client) -> bool {
        self.sessions.iter().any(|session| session.client == client)
    }

    pub fn expect(&mut self, client: Client, message: Json) {
        self.expected.entry(client).or_default().push(message);
    }

    fn expect_error(&mut self, client: Client, request_type: u64, request: u64, error: &str) {
        let uri = format!("wamp.error.{error}");
        self.expect(client, json!([8, request_type, request, {}, uri]));
    }

    /// An event for all subscribers that pass `wanted`.
    fn event(
        &mut self,
        topic: &str,
        details: &Json,
        args: &Json,
        wanted: impl Fn(&Session) -> bool,
    ) {
        for subscription in self.subscriptions.clone() {
            if !subscription.policy.matches(&subscription.uri, topic) {
                continue;
            }
            let mut details = details.clone();
            if subscription.policy != MatchPolicy::Exact {
                details["topic"] = json!(topic);
            }
            for member in subscription.members {
                if wanted(self.session(member)) {
                    self.expect(member, json!([36, subscription.id, 0, details, args]));
                }
            }
        }
    }

    fn meta_event(&mut self, topic: &str, args: Json) {
        self.event(&format!("wamp.{topic}"), &json!({}), &args, |_| true);
    }

    pub fn join(&mut self, session: Session) {
        let details = json!({
            "session": session.id, "authid": session.authid, "authrole": session.authrole,
            "authmethod": "ticket", "authprovider": "static", "transport": {"type": "simulated", "serializer": "json"},
        });
        self.sessions.push(session);
        self.meta_event("session.on_join", json!([details]));
    }

    pub fn leave(&mut self, client: Client) {
        let session = self.session(client).clone();
        self.sessions.retain(|session| session.client != client);
        for call in std::mem::take(&mut self.calls) {
            if call.callee == client {
                if self.alive(call.caller) {
                    self.expect_error(call.caller, 48, call.request, "canceled");
                }
            } else if call.caller == client {
                self.interrupt(&call);
            } else {
                self.calls.push(call);
            }
        }
        let mut left = Vec::new();
        for subscription in &mut self.subscriptions {
            if let Some(at) = subscription
                .members
                .iter()
                .position(|&member| member == client)
            {
                subscription.members.remove(at);
                left.push((
                    "subscription",
                    subscription.id,
                    subscription.members.is_empty(),
                ));
            }
        }
        for registration in &mut self.registrations {
            if registration.remove(client) {
                left.push((
                    "registration",
                    registration.id,
                    registration.callees.is_empty(),
                ));
            }
        }
        self.drop_empty();
        for (kind, id, deleted) in left {
            self.left(kind, session.id, id, deleted);
        }
        let args = json!([session.id, session.authid, session.authrole]);
        self.meta_event("session.on_leave", args);
    }

    fn drop_empty(&mut self) {
        self.subscriptions
            .retain(|subscription| !subscription.members.is_empty());
        self.registrations
            .retain(|registration| !registration.callees.is_empty());
    }

    fn left(&mut self, kind: &str, session: u64, id: u64, deleted: bool) {
        let verb = if kind == "subscription" {
            "on_unsubscribe"
        } else {
            "on_unregister"
        };
        self.meta_event(&format!("{kind}.{verb}"), json!([session, id]));
        if deleted {
            self.meta_event(&format!("{kind}.on_delete"), json!([session, id]));
        }
    }

    /// `granted` is the id that SUBSCRIBED names, if it came.
    pub fn subscribe(
        &mut self,
        client: Client,
        request: u64,
        uri: &str,
        policy: MatchPolicy,
        granted: Option<u64>,
    ) {
        if uri.contains(' ') {
            return self.expect_error(client, 32, request, "invalid_uri");
        }
        let held = self
            .subscriptions
            .iter()
            .filter(|s| s.members.contains(&client))
            .count();
        let known = self
            .subscriptions
            .iter_mut()
            .find(|s| s.uri == uri && s.policy == policy);
        let session = self
            .sessions
            .iter()
            .find(|s| s.client == client)
            .unwrap()
            .id;
        let (id, created) = match known {
            Some(subscription) if subscription.members.contains(&client) => {
                let id = subscription.id;
                return self.expect(client, json!([33, request, id]));
            }
            _ if held >= SUBSCRIPTIONS_MAX => {
                return self.expect_error(client, 32, request, "not_authorized");
            }
            Some(subscription) => {
                subscription.members.push(client);
                (subscription.id, false)
            }
            None => {
                let id = fresh(granted, &mut self.subscription_ids);
                let uri = uri.to_owned();
                self.subscriptions.push(Subscription {
                    id,
                    uri,
                    policy,
                    members: vec![client],
                });
                (id, true)
            }
        };
        self.expect(client, json!([33, request, id]));
        if created {
            let details = json!({
                "id": id, "created": "2020-02-28T23:59:59.999Z", "uri": uri,
                "match": policy.as_str(),
            });
            self.meta_event("subscription.on_create", json!([session, details]));
        }
        self.meta_event("subscription.on_subscribe", json!([session, id]));
    }

    pub fn unsubscribe(&mut self, client: Client, request: u64, id: u64) {
        let held = self
            .subscriptions
            .iter_mut()
            .find(|subscription| subscription.id == id && subscription.members.contains(&client));
        let Some(subscription) = held else {
            return self.expect_error(client, 34, request, "no_such_subscription");
        };
        subscription.members.retain(|&member| member != client);
        let deleted = subscription.members.is_empty();
        self.drop_empty();
        self.expect(client, json!([35, request]));
        let session = self.session(client).id;
        self.left("subscription", session, id, deleted);
    }

    /// The options are those that the walk gives: it knows no others.
    pub fn publish(
        &mut self,
        client: Client,
        request: u64,
        options: &Json,
        topic: &str,
        args: &Json,
    ) {
        let acknowledge = options["acknowledge"] == true;
        if topic.contains(' ') || topic.starts_with("wamp.") {
            if acknowledge {
                self.expect_error(client, 16, request, "invalid_uri");
            }
            return;
        }
        let publisher = self.session(client).clone();
        let mut details = json!({});
        if options["disclose_me"] == true {
            details = json!({
                "publisher": publisher.id, "publisher_authid": publisher.authid,
                "publisher_authrole": publisher.authrole,
            });
        }
        let listed =
            |key: &str, value: Json| options[key].as_array().map(|list| list.contains(&value));
        self.event(topic, &details, args, |receiver| {
            (receiver.client != client || options["exclude_me"] == false)
                && listed("eligible", json!(receiver.id)) != Some(false)
                && listed("eligible_authid", json!(receiver.authid)) != Some(false)
                && listed("eligible_authrole", json!(receiver.authrole)) != Some(false)
                && listed("exclude", json!(receiver.id)) != Some(true)
                && listed("exclude_authid", json!(receiver.authid)) != Some(true)
                && listed("exclude_authrole", json!(receiver.authrole)) != Some(true)
        });
        if acknowledge {
            self.expect(client, json!([17, request, 0]));
        }
    }

    /// `granted` is the id that REGISTERED names, if it came.
    pub fn register(
        &mut self,
        client: Client,
        request: u64,
        uri: &str,
        policy: MatchPolicy,
        invoke: &'static str,
        granted: Option<u64>,
    ) {
        if uri.contains(' ') || uri.starts_with("wamp.") {
            return self.expect_error(client, 64, request, "invalid_uri");
        }
        let held = self
            .registrations
            .iter()
            .filter(|r| r.callees.contains(&client))
            .count();
        let known = self
            .registrations
            .iter()
            .position(|r| r.uri == uri && r.policy == policy);
        if let Some(at) = known {
            let registration = &self.registrations[at];
            let shared = registration.invoke == invoke && invoke != "single";
            if !shared || registration.callees.contains(&client) {
                return self.expect_error(client, 64, request, "procedure_already_exists");
            }
        }
        if held >= REGISTRATIONS_MAX {
            return self.expect_error(client, 64, request, "not_authorized");
        }
        let session = self.session(client).id;
        let at = known.unwrap_or_else(|| {
            let id = fresh(granted, &mut self.registration_ids);
            let uri = uri.to_owned();
            let callees = Vec::new();
            let registration = Registration {
                id,
                uri,
                policy,
                invoke,
                callees,
                turn: 0,
            };
            self.registrations.push(registration);
            self.registrations.len() - 1
        });
        self.registrations[at].callees.push(client);
        let id = self.registrations[at].id;
        self.expect(client, json!([65, request, id]));
        if known.is_none() {
            let details = json!({
                "id": id, "created": "2020-02-28T23:59:59.999Z", "uri": uri,
                "match": policy.as_str(), "invoke": invoke,
            });
            self.meta_event("registration.on_create", json!([session, details]));
        }
        self.meta_event("registration.on_register", json!([session, id]));
    }

    pub fn unregister(&mut self, client: Client, request: u64, id: u64) {
        let held = self
            .registrations
            .iter_mut()
            .find(|registration| registration.id == id);
        let Some(deleted) = held.and_then(|r| {
            if r.remove(client) {
                Some(r.callees.is_empty())
            } else {
                None
            }
        }) else {
            return self.expect_error(client, 66, request, "no_such_registration");
        };
        self.drop_empty();
        self.expect(client, json!([67, request]));
        let session = self.session(client).id;
        self.left("registration", session, id, deleted);
    }

    /// The registration that a call goes to, by comparing all of them.
    pub fn best_match(&self, procedure: &str) -> Option<usize> {
        let rank = |registration: &Registration| {
            let uri = &registration.uri;
            match registration.policy {
                MatchPolicy::Exact => (2, Vec::new()),
                MatchPolicy::Prefix => (1, vec![uri.len()]),
                // The lengths of the runs of literal components before each wildcard.
                MatchPolicy::Wildcard => {
                    let mut runs = vec![0];
                    for component in uri.split('.') {
                        match component {
                            "" => runs.push(0),
                            _ => *runs.last_mut().unwrap() += 1,
                        }
                    }
                    (0, runs)
                }
            }
        };
        (0..self.registrations.len())
            .filter(|&at| {
                let registration = &self.registrations[at];
                registration.policy.matches(&registration.uri, procedure)
            })
            .max_by_key(|&at| rank(&self.registrations[at]))
    }

    /// `taken` tells which callee a `random` registration chose, if any got an invocation.
    pub fn call(
        &mut self,
        client: Client,
        request: u64,
        options: &Json,
        procedure: &str,
        taken: impl Fn(&[Client]) -> Option<Client>,
    ) {
        if procedure.contains(' ') {
            return self.expect_error(client, 48, request, "invalid_uri");
        }
        // The realm's own procedures need no place among the pending calls.
        if procedure.starts_with("wamp.") {
            return self.expect_error(client, 48, request, "no_such_procedure");
        }
        if self
            .calls
            .iter()
            .filter(|call| call.caller == client)
            .count()
            >= PENDING_CALLS_MAX
        {
            return self.expect_error(client, 48, request, "unavailable");
        }
        let Some(at) = self.best_match(procedure) else {
            return self.expect_error(client, 48, request, "no_such_procedure");
        };
        let pending = |callee: Client| self.calls.iter().filter(|c| c.callee == callee).count();
        let full: Vec<bool> = self.registrations[at]
            .callees
            .iter()
            .map(|&callee| pending(callee) >= PENDING_INVOCATIONS_MAX)
            .collect();
        let Some(callee) = self.registrations[at].choose(&full, taken) else {
            return self.expect_error(client, 48, request, "no_available_callee");
        };
        self.invoke(client, request, options, procedure, at, callee);
    }

    fn invoke(
        &mut self,
        client: Client,
        request: u64,
        options: &Json,
        procedure: &str,
        at: usize,
        callee: Client,
    ) {
        let caller = self.session(client).clone();
        let session = self
            .sessions
            .iter_mut()
            .find(|s| s.client == callee)
            .unwrap();
        session.last_invocation += 1;
        let invocation = session.last_invocation;
        let mut details = json!({});
        let progress = options["receive_progress"] == true;
        if progress && session.progressive && session.canceling {
            details["receive_progress"] = json!(true);
        }
        if options["disclose_me"] == true {
            details["caller"] = json!(caller.id);
            details["caller_authid"] = json!(caller.authid);
            details["caller_authrole"] = json!(caller.authrole);
        }
        let registration = &self.registrations[at];
        if registration.policy != MatchPolicy::Exact {
            details["procedure"] = json!(procedure);
        }
        let id = registration.id;
        self.expect(
            callee,
            json!([68, invocation, id, details, [caller.id, request]]),
        );
        let timeout = options["timeout"].as_u64().unwrap_or(0);
        let deadline = (timeout > 0).then_some(self.now + timeout);
        self.calls.push(Call {
            caller: client,
            request,
            callee,
            invocation,
            progress,
            interrupted: false,
            timeout,
            deadline,
        });
    }

    pub fn answer(&mut self, callee: Client, invocation: u64, answer: &Answer) {
        let position = self
            .calls
            .iter()
            .position(|c| c.callee == callee && c.invocation == invocation);
        let Some(at) = position else { return };
        let call = self.calls[at];
        match answer {
            Answer::Progress if !call.progress => {}
            Answer::Progress => {
                if call.timeout > 0 {
                    self.calls[at].deadline = Some(self.now + call.timeout);
                }
                self.expect(
                    call.caller,
                    json!([50, call.request, {"progress": true}, ["part"]]),
                );
            }
            Answer::Result => {
                self.calls.remove(at);
                self.expect(call.caller, json!([50, call.request, {}, ["result"]]));
            }
            Answer::Error => {
                self.calls.remove(at);
                let error = json!([8, 48, call.request, {}, "app.error", ["why"]]);
                self.expect(call.caller, error);
            }
        }
    }

    fn interrupt(&mut self, call: &Call) {
        if !call.interrupted && self.alive(call.callee) && self.session(call.callee).canceling {
            self.expect(
                call.callee,
                json!([69, call.invocation, {"mode": "killnowait"}]),
            );
        }
    }

    pub fn cancel(&mut self, caller: Client, request: u64, mode: &str) {
        let position = self
            .calls
            .iter()
            .position(|c| c.caller == caller && c.request == request);
        let Some(at) = position else { return };
        let call = self.calls[at];
        if mode == "kill" && self.session(call.callee).canceling {
            if !call.interrupted {
                self.calls[at].interrupted = true;
                self.expect(call.callee, json!([69, call.invocation, {"mode": "kill"}]));
            }
            return;
        }
        self.calls.remove(at);
        if mode != "skip" {
            self.interrupt(&call);
        }
        self.expect_error(caller, 48, request, "canceled");
    }

    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        for call in std::mem::take(&mut self.calls) {
            if call.deadline.is_some_and(|deadline| deadline <= self.now) {
                self.interrupt(&call);
                self.expect_error(call.caller, 48, call.request, "timeout");
            } else {
                self.calls.push(call);
            }
        }
    }
}

/// The id of a new subscription or registration, which the realm chooses: one that never was.
fn fresh(granted: Option<u64>, known: &mut Vec<u64>) -> u64 {
    let id = granted.expect("the realm grants what the model does");
    assert!(!known.contains(&id), "the id {id} is used again");
    known.push(id);
    id
}

/// What a callee answers.
pub enum Answer {
    Progress,
    Result,
    Error,
}

impl Registration {
    fn remove(&mut self, client: Client) -> bool {
        let Some(at) = self.callees.iter().position(|&callee| callee == client) else {
            return false;
        };
        self.callees.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
        true
    }

    fn choose(
        &mut self,
        full: &[bool],
        taken: impl Fn(&[Client]) -> Option<Client>,
    ) -> Option<Client> {
        let len = self.callees.len();
        let order: Vec<usize> = match self.invoke {
            "last" => (0..len).rev().collect(),
            "roundrobin" => (0..len).map(|n| (self.turn + n) % len).collect(),
            _ => (0..len).collect(),
        };
        let at = if self.invoke == "random" && full.contains(&false) {
            let chosen = taken(&self.callees).expect("somebody got the call");
            let at = self
                .callees
                .iter()
                .position(|&callee| callee == chosen)
                .unwrap();
            assert!(!full[at], "a callee without room was chosen");
            at
        } else {
            order.into_iter().find(|&at| !full[at])?
        };
        self.turn = (at + 1) % len;
        Some(self.callees[at])
    }
}
