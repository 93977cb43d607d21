//! The walk registers.

use wampy_proto::MatchPolicy;

use super::Walk;
use super::dice::INVOKES;
use super::model::{Register, Request};

impl Walk {
    pub fn register(&mut self) {
        let (client, request) = (self.anybody(), self.request_number());
        let (mut uri, mut policy) = self.pattern(false);
        let mut invoke = self.dice.pick(&INVOKES);
        let (mut takes_over, mut shares_limits) = (false, false);
        let known = &self.model.registrations;
        if !known.is_empty() && self.dice.chance(60) {
            // Where calls wait it matters the most who comes and goes.
            let awaited = known.iter().filter(|it| self.model.is_awaited(it.id));
            let awaited: Vec<u64> = awaited.map(|it| it.id).collect();
            let at = match awaited.is_empty() || self.dice.chance(40) {
                true => self.dice.roll(known.len()),
                false => self.model.registration(self.dice.pick(&awaited)).unwrap(),
            };
            let shared = &known[at];
            takes_over = self.model.is_awaited(shared.id) && self.dice.chance(50);
            shares_limits = shared.callees.iter().all(|it| it.concurrency.is_some());
            (uri, policy, invoke) = (shared.uri, shared.policy, shared.invoke);
        }
        // Without authorizers there is nothing to be asked.
        if let Some(missing) = self.model.missing_authorizer()
            && self.dice.chance(40)
        {
            (uri, policy) = (missing, MatchPolicy::Exact);
        }
        // A line is there where all callees have enough to do.
        let limited = if shares_limits { 80 } else { 50 };
        let concurrency = match self.dice.roll(100) {
            0 => Some(0),
            roll if roll < limited => Some(1 + u64::from(roll % 4 == 0)),
            _ => None,
        };
        let nkey = match self.dice.chance(20) {
            true => Some(self.dice.pick(&["node1", "node2"])),
            false => None,
        };
        let wanted = Request::Register(Register {
            uri,
            policy,
            invoke,
            concurrency,
            forward_timeout: self.dice.chance(20),
            force: takes_over || self.dice.chance(15),
            disclose_caller: self.dice.chance(10),
            nkey,
        });
        self.request(client, request, wanted, "REGISTER");
    }

    pub fn unregister(&mut self) {
        let (client, request) = (self.anybody(), self.request_number());
        let held: Vec<u64> = self
            .model
            .registrations
            .iter()
            .filter(|registration| registration.has(client))
            .map(|registration| registration.id)
            .collect();
        let id = if held.is_empty() {
            self.some_id(|model| &model.registration_ids)
        } else {
            self.dice.pick(&held)
        };
        self.request(client, request, Request::Unregister(id), "UNREGISTER");
    }
}
