//! Which callee of a registration gets a call.

use wampy_proto::{Feature, FeatureSet, Role};

use super::registrations::Callee;
use super::{Call, Model, owner};
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
        pending.count() < self.config.pending_invocations_per_session_max
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
                let seen = self.seen_invocation(call);
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

    /// The callee to whom the key of a call belongs.
    fn choose_owner(&mut self, at: usize, call: &Call) -> Choice {
        let key = call.options["rkey"].as_str().unwrap();
        let all = self.registrations[at].callees.clone();
        let node = owner(key, all.iter().map(|it| it.node));
        let of_node = all.iter().filter(|it| Some(it.node) == node);
        let of_several = of_node.clone().count() > 1;
        let owner = of_node.max_by_key(|it| weight_among_equals(key, it.node, it.client));
        let owner = owner.expect("a registration has callees");
        if !self.has_features(owner.client, call) {
            return Choice::Nobody("feature_not_supported");
        }
        if !self.suits(owner.client, call) {
            return Choice::Nobody("no_available_callee");
        }
        if !self.is_free(call.registration, owner) {
            return Choice::Wait;
        }
        self.note("a call went to the owner of its key");
        if of_several {
            self.note("a call went to one of several callees of a node");
        }
        Choice::Callee(owner.client)
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

/// Which of several callees of one node has a key: the one for which this is the greatest.
fn weight_among_equals(key: &str, node: &str, client: Client) -> u64 {
    let hash = |text: &str| {
        let next = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        text.bytes().fold(0xCBF2_9CE4_8422_2325, next)
    };
    let mix = |bits: u64| {
        let bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    };
    // The place of the session and how often the place was used before, which only its name tells.
    let name = format!("{client:?}");
    let numbers = name.split(|it: char| !it.is_ascii_digit());
    let mut numbers = numbers.filter_map(|it| it.parse::<u64>().ok());
    let (index, generation) = (numbers.next().unwrap(), numbers.next().unwrap());
    let session = generation << 32 | index;
    mix(mix(hash(key)).wrapping_add(hash(node) ^ session))
}
