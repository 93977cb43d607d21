//! Which callee of a registration gets a call.

use wampy_proto::{Feature, FeatureSet, Role};

use super::registrations::Callee;
use super::{Call, Model, PENDING_INVOCATIONS_MAX};
use crate::simulated::Client;

/// Who gets a call.
pub enum Choice {
    Callee(Client),
    Wait,
    /// Nobody, for which reason.
    Nobody(&'static str),
}

impl Model {
    fn suits(&self, callee: Client, call: &Call) -> bool {
        let pending = self.calls.iter().filter(|it| it.callee == Some(callee));
        pending.count() < PENDING_INVOCATIONS_MAX
            && self.has_features(callee, call)
            && !call.tried.contains(&callee)
    }

    fn has_features(&self, callee: Client, call: &Call) -> bool {
        let session = self.session(callee);
        let parts = call.options["progress"] != true
            || session.is_callee_with(Feature::ProgressiveCallInvocations)
                && session.is_callee_with(Feature::CallCanceling);
        let passthru = call.options["ppt_scheme"].is_null()
            || session.is_callee_with(Feature::PayloadPassthruMode);
        parts && passthru
    }

    fn is_free(&self, registration: u64, callee: &Callee) -> bool {
        let counts =
            |it: &&Call| it.counted == Some(registration) && it.callee == Some(callee.client);
        let running = self.calls.iter().filter(counts).count() as u64;
        callee.concurrency.is_none_or(|max| running < max)
    }

    pub fn nobody_is_free(&self, registration: u64) -> bool {
        let Some(at) = self.registration(registration) else {
            return true;
        };
        let mut callees = self.registrations[at].callees.iter();
        !callees.any(|callee| self.is_free(registration, callee))
    }

    pub fn choose(&mut self, call: &Call) -> Choice {
        let Some(at) = self.registration(call.registration) else {
            return Choice::Nobody("no_available_callee");
        };
        if call.is_sharded() {
            return self.choose_owner(at, call);
        }
        let registration = &self.registrations[at];
        let len = registration.callees.len();
        let order: Vec<usize> = match registration.invoke {
            "last" => (0..len).rev().collect(),
            "roundrobin" => (0..len).map(|n| (registration.turn + n) % len).collect(),
            _ => (0..len).collect(),
        };
        let callees = order.into_iter().map(|at| (at, registration.callees[at]));
        let suiting: Vec<_> = callees
            .filter(|(_, callee)| self.suits(callee.client, call))
            .collect();
        let Some(&first) = suiting.first() else {
            return Choice::Nobody(self.why_nobody(at, call));
        };
        let is_free = |callee: &Callee| self.is_free(call.registration, callee);
        let mut free = suiting.iter().filter(|(_, callee)| is_free(callee));
        let chosen = match registration.invoke {
            "roundrobin" => free.next(),
            "random" if free.clone().next().is_some() => {
                let seen = self.seen_invocation(&call.args);
                // Who was to get a call that is too large for it is not seen.
                let too_large = self.seen_error(call.caller, call.request)
                    == Some("wamp.error.payload_size_exceeded");
                let chosen = free.find(|(_, callee)| match seen {
                    None => too_large && !self.takes(callee.client, &call.args),
                    seen => seen == Some(callee.client),
                });
                assert!(chosen.is_some(), "{seen:?} got a call that it should not");
                chosen
            }
            "random" => None,
            _ => Some(&first).filter(|(_, callee)| is_free(callee)),
        };
        let Some(&(place, callee)) = chosen else {
            return Choice::Wait;
        };
        self.registrations[at].turn = (place + 1) % len;
        Choice::Callee(callee.client)
    }

    fn why_nobody(&self, at: usize, call: &Call) -> &'static str {
        let mut callees = self.registrations[at].callees.iter();
        match callees.any(|callee| self.has_features(callee.client, call)) {
            true => "no_available_callee",
            false => "feature_not_supported",
        }
    }

    /// The callee to whom the key of a call belongs. Which it is, is learned when a call of it is first
    /// seen; until the callees change it stays the same.
    fn choose_owner(&mut self, at: usize, call: &Call) -> Choice {
        let key = call.options["rkey"].as_str().unwrap();
        let mut known = self.registrations[at].owners.iter();
        let mut owner = known.find(|(it, _)| it == key).map(|&(_, owner)| owner);
        if owner.is_some() {
            self.note("a key went to its known owner");
        } else {
            owner = self.seen_invocation(&call.args);
            let registration = &mut self.registrations[at];
            if let Some(owner) = owner {
                self.happened.insert("a call went to the owner of its key");
                registration.owners.push((key.to_owned(), owner));
            }
        }
        let callees = self.registrations[at].callees.clone();
        let candidates: Vec<Callee> = callees
            .into_iter()
            .filter(|callee| owner.is_none_or(|owner| owner == callee.client))
            .collect();
        assert!(!candidates.is_empty(), "{owner:?} is no callee");
        let has_features = |it: &Callee| self.has_features(it.client, call);
        let waits =
            |it: &&Callee| self.suits(it.client, call) && !self.is_free(call.registration, it);
        let takes =
            |it: &&Callee| self.suits(it.client, call) && self.is_free(call.registration, it);
        match self.seen_error(call.caller, call.request) {
            // Whose key it is, is not known.
            Some("wamp.error.feature_not_supported")
                if candidates.iter().any(|it| !has_features(it)) =>
            {
                Choice::Nobody("feature_not_supported")
            }
            Some("wamp.error.no_available_callee")
                if candidates
                    .iter()
                    .any(|it| has_features(it) && !self.suits(it.client, call)) =>
            {
                Choice::Nobody("no_available_callee")
            }
            _ if owner.is_some() && candidates.iter().any(|it| takes(&it)) => {
                Choice::Callee(owner.unwrap())
            }
            Some("wamp.error.payload_size_exceeded") => {
                let is_small = |it: &&Callee| takes(it) && !self.takes(it.client, &call.args);
                let small = candidates.iter().find(is_small);
                Choice::Callee(small.expect("a callee that is too small").client)
            }
            _ if candidates.iter().any(|it| waits(&it)) => Choice::Wait,
            other => panic!("nobody got a call whose key is {key}: {other:?}"),
        }
    }

    /// The features without which a call is none.
    pub fn needs(options: &serde_json::Value) -> FeatureSet {
        let mut needs = FeatureSet::EMPTY;
        if options["progress"] == true {
            needs.insert(Feature::ProgressiveCallInvocations);
        }
        if !options["ppt_scheme"].is_null() {
            needs.insert(Feature::PayloadPassthruMode);
        }
        needs
    }

    pub fn may_call(&self, caller: Client, options: &serde_json::Value) -> bool {
        let roles = self.session(caller).roles;
        let announced = roles.get(Role::Caller).unwrap_or_default();
        Self::needs(options).without(announced).is_empty()
    }
}
