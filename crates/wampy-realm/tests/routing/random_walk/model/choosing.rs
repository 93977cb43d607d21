//! Which callee of a registration gets a call.

use wampy_proto::{Feature, FeatureSet, Role};

use super::registrations::Callee;
use super::{Call, Model, PENDING_INVOCATIONS_MAX, owner};
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

    /// Whether the error of a call says that its callee was chosen and then not asked.
    fn was_not_sent(&self, call: &Call, callee: Client) -> bool {
        match self.seen_error(call.caller, call.request) {
            Some("wamp.error.option_disallowed.disclose_me") => true,
            error => {
                let why = self.why_not_take(callee, &call.args);
                why.is_some_and(|why| error == Some(&format!("wamp.error.{why}")))
            }
        }
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
                let chosen = free.find(|(_, callee)| match seen {
                    // Who was to get a call that it cannot have is not seen.
                    None => self.was_not_sent(call, callee.client),
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

    /// The callee to whom the key of a call belongs. Of several callees of one node, which it is is
    /// learned when a call of the key is first seen; until the callees change it stays the same.
    fn choose_owner(&mut self, at: usize, call: &Call) -> Choice {
        let key = call.options["rkey"].as_str().unwrap();
        let all = self.registrations[at].callees.clone();
        let node = owner(key, all.iter().map(|it| it.node));
        let of_node: Vec<Callee> = all.into_iter().filter(|it| Some(it.node) == node).collect();
        let mut known = self.registrations[at].owners.iter();
        let known = known.find(|(it, _)| it == key).map(|&(_, owner)| owner);
        let seen = self.seen_invocation(&call.args);
        let chosen = match (&*of_node, known, seen) {
            ([only], ..) => Some(only.client),
            (_, Some(known), _) => {
                self.note("a key went to its known owner");
                Some(known)
            }
            (_, None, Some(seen)) => {
                let registration = &mut self.registrations[at];
                registration.owners.push((key.to_owned(), seen));
                Some(seen)
            }
            (_, None, None) => None,
        };
        let candidates: Vec<Callee> = of_node
            .into_iter()
            .filter(|it| chosen.is_none_or(|chosen| chosen == it.client))
            .collect();
        assert!(!candidates.is_empty(), "{chosen:?} has not the key {key}");
        // Each says what becomes of the call; what is seen says which of these it was.
        let choices = candidates.iter().map(|it| match () {
            () if !self.has_features(it.client, call) => Choice::Nobody("feature_not_supported"),
            () if !self.suits(it.client, call) => Choice::Nobody("no_available_callee"),
            () if self.is_free(call.registration, it) => Choice::Callee(it.client),
            () => Choice::Wait,
        });
        let error = self.seen_error(call.caller, call.request);
        let explains = |choice: &Choice| match choice {
            Choice::Nobody(why) => error == Some(&format!("wamp.error.{why}")),
            Choice::Callee(it) => chosen == Some(*it) || self.was_not_sent(call, *it),
            Choice::Wait => error.is_none_or(|error| {
                let of_line = ["unavailable", "option_disallowed.disclose_me"];
                of_line.iter().any(|it| error == format!("wamp.error.{it}"))
            }),
        };
        let mut choices: Vec<Choice> = choices.collect();
        let at = choices.iter().position(explains).unwrap_or(0);
        if let [Choice::Callee(_)] = &*choices {
            self.note("a call went to the owner of its key");
        }
        choices.swap_remove(at)
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
