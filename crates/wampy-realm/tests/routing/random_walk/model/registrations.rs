//! Registrations: who may register, take over and revoke what.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::{Disclosure, ForceReregister};

use super::{Model, Session, fresh};
use crate::simulated::Client;

pub struct Registration {
    pub id: u64,
    pub uri: &'static str,
    pub policy: MatchPolicy,
    pub invoke: &'static str,
    created: String,
    pub callees: Vec<Callee>,
    /// Whose turn it is (`roundrobin`).
    pub turn: usize,
}

#[derive(Clone, Copy)]
pub struct Callee {
    pub client: Client,
    pub concurrency: Option<u64>,
    pub forward_timeout: bool,
    pub disclose_caller: bool,
    /// What its partition is called.
    pub node: &'static str,
}

/// What a REGISTER asks for.
#[derive(Clone)]
pub struct Register {
    pub uri: &'static str,
    pub policy: MatchPolicy,
    pub invoke: &'static str,
    pub concurrency: Option<u64>,
    pub forward_timeout: bool,
    pub force: bool,
    pub disclose_caller: bool,
    pub nkey: Option<&'static str>,
}

impl Register {
    /// Without any wish.
    pub fn plain(uri: &'static str, policy: MatchPolicy) -> Self {
        Self {
            uri,
            policy,
            invoke: "roundrobin",
            concurrency: None,
            forward_timeout: false,
            force: false,
            disclose_caller: false,
            nkey: None,
        }
    }

    pub fn options(&self) -> Json {
        let mut options = json!({
            "match": self.policy.as_str(), "invoke": self.invoke,
            "forward_timeout": self.forward_timeout, "force_reregister": self.force,
            "disclose_caller": self.disclose_caller,
        });
        if let Some(concurrency) = self.concurrency {
            options["concurrency"] = json!(concurrency);
        }
        if let Some(nkey) = self.nkey {
            options["nkey"] = json!(nkey);
        }
        options
    }
}

impl Registration {
    pub fn has(&self, client: Client) -> bool {
        self.callees.iter().any(|callee| callee.client == client)
    }

    pub fn remove(&mut self, client: Client) -> bool {
        let Some(at) = self.callees.iter().position(|it| it.client == client) else {
            return false;
        };
        self.callees.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
        true
    }
}

impl Model {
    pub fn registration(&self, id: u64) -> Option<usize> {
        self.registrations.iter().position(|it| it.id == id)
    }

    /// Whether anybody has registered exactly a procedure, so that its form is not looked at.
    pub fn is_registered(&self, procedure: &str) -> bool {
        self.authorizer(procedure).is_some()
    }

    pub fn register(&mut self, client: Client, request: u64, wanted: &Register) {
        let uri = wanted.uri;
        if self.is_malformed(uri) || uri.starts_with("wamp.") {
            return self.expect_error(client, 64, request, "invalid_uri");
        }
        if wanted.disclose_caller && self.config.caller_disclosure == Disclosure::Denied {
            self.note("a callee was not to know its callers");
            return self.expect_error(client, 64, request, "option_disallowed.disclose_me");
        }
        if wanted.concurrency == Some(0) {
            return self.expect_error(client, 64, request, "invalid_argument");
        }
        let same = |it: &Registration| it.uri == uri && it.policy == wanted.policy;
        let mut known = self.registrations.iter().position(same);
        if let Some(at) = known
            && let Some(error) = self.why_not_join(client, at, wanted)
        {
            return self.expect_error(client, 64, request, error);
        }
        if self.registrations.iter().filter(|r| r.has(client)).count()
            >= self.config.registrations_per_session_max
        {
            return self.expect_error(client, 64, request, "not_authorized");
        }
        let ousted = known.take_if(|_| wanted.force).map(|at| self.oust(at));
        let created = known.is_none();
        let granted = self.seen_granted(client, 65, request);
        let date = self.date(self.unix_ms());
        let at = known.unwrap_or_else(|| {
            let registration = Registration {
                id: fresh(granted, &mut self.registration_ids),
                uri,
                policy: wanted.policy,
                invoke: wanted.invoke,
                created: date,
                callees: Vec::new(),
                turn: 0,
            };
            self.registrations.push(registration);
            self.registrations.len() - 1
        });
        let Session { roles, authid, .. } = *self.session(client);
        let registration = &mut self.registrations[at];
        registration.callees.push(Callee {
            client,
            concurrency: wanted.concurrency,
            forward_timeout: wanted.forward_timeout
                && roles.supports(Role::Callee, Feature::CallTimeout),
            disclose_caller: wanted.disclose_caller,
            node: wanted.nkey.unwrap_or(authid),
        });
        let id = registration.id;
        if let Some(ousted) = ousted {
            self.note("a registration was taken over");
            for call in self.calls.iter_mut().filter(|it| it.waits_for(ousted)) {
                call.registration = id;
                self.happened.insert("a line was inherited");
            }
        }
        self.room_in(id);
        self.expect(client, json!([65, request, id]));
        let session = self.session(client).id;
        if created {
            let details = self.registration_details(&self.registrations[at]);
            self.meta_event("registration.on_create", json!([session, details]));
        }
        self.meta_event("registration.on_register", json!([session, id]));
    }

    /// What the meta API tells of a registration.
    pub fn registration_details(&self, it: &Registration) -> Json {
        json!({
            "id": it.id, "created": it.created, "uri": it.uri,
            "match": it.policy.as_str(), "invoke": it.invoke,
        })
    }

    fn why_not_join(&self, client: Client, at: usize, wanted: &Register) -> Option<&'static str> {
        let registration = &self.registrations[at];
        if wanted.force {
            let authid = self.session(client).authid;
            let mut callees = registration.callees.iter();
            let others = callees.any(|callee| self.session(callee.client).authid != authid);
            return match self.config.force_reregister {
                ForceReregister::Denied => Some("option_not_allowed"),
                ForceReregister::SameAuthid => others.then_some("not_authorized"),
                ForceReregister::Everybody => None,
            };
        }
        let shared = registration.invoke == wanted.invoke && wanted.invoke != "single";
        (!shared || registration.has(client)).then_some("procedure_already_exists")
    }

    /// Takes a registration from all its callees; returns which it was.
    fn oust(&mut self, at: usize) -> u64 {
        let ousted = self.registrations.remove(at);
        for callee in &ousted.callees {
            let reason = "another session has taken the procedure over";
            self.tell_unregistered(callee.client, ousted.id, reason);
        }
        for (number, callee) in ousted.callees.iter().enumerate() {
            let session = self.session(callee.client).id;
            let is_last = number + 1 == ousted.callees.len();
            self.left("registration", session, ousted.id, is_last);
        }
        ousted.id
    }

    fn tell_unregistered(&mut self, callee: Client, id: u64, reason: &str) {
        let roles = self.session(callee).roles;
        if roles.supports(Role::Callee, Feature::RegistrationRevocation) {
            self.expect(
                callee,
                json!([67, 0, {"registration": id, "reason": reason}]),
            );
        }
    }

    /// Takes a registration from one callee: whether it was the last.
    pub fn remove_callee_of(&mut self, id: u64, client: Client) -> Option<bool> {
        let at = self.registration(id)?;
        if !self.registrations[at].remove(client) {
            return None;
        }
        let deleted = self.registrations[at].callees.is_empty();
        if deleted {
            self.registrations.remove(at);
        } else {
            self.room_in(id);
        }
        Some(deleted)
    }

    pub fn unregister(&mut self, client: Client, request: u64, id: u64) {
        let Some(deleted) = self.remove_callee_of(id, client) else {
            return self.expect_error(client, 66, request, "no_such_registration");
        };
        self.expect(client, json!([67, request]));
        let session = self.session(client).id;
        self.left("registration", session, id, deleted);
    }

    /// `wamp.registration.remove_callee`
    pub fn remove_callee(&mut self, id: u64, session: u64) -> Result<(), &'static str> {
        let at = self.registration(id).ok_or("no_such_registration")?;
        let of = self.client_of(session).ok_or("no_such_session")?;
        if !self.registrations[at].has(of) {
            return Err("no_such_registration");
        }
        self.note("a registration was revoked");
        self.revoke_registration(id, of, "why");
        Ok(())
    }

    pub fn revoke_registration(&mut self, id: u64, of: Client, reason: &str) {
        let deleted = self.remove_callee_of(id, of).unwrap();
        self.tell_unregistered(of, id, reason);
        let session = self.session(of).id;
        self.left("registration", session, id, deleted);
    }

    /// The registration that a call goes to, by comparing all of them.
    pub fn best_match(&self, procedure: &str) -> Option<usize> {
        (0..self.registrations.len())
            .filter(|&at| {
                let registration = &self.registrations[at];
                registration.policy.matches(registration.uri, procedure)
            })
            .max_by_key(|&at| rank(self.registrations[at].uri, self.registrations[at].policy))
    }
}

/// Of two patterns that match a URI the greater is the better one.
pub fn rank(uri: &str, policy: MatchPolicy) -> (u8, Vec<usize>) {
    match policy {
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
}
