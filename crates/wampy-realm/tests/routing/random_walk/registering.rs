//! The walk registers.

use serde_json::json;

use super::Walk;
use super::dice::INVOKES;
use super::model::Register;

impl Walk {
    pub fn register(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let (mut uri, mut policy) = self.pattern(false);
        let mut invoke = self.dice.pick(&INVOKES);
        let known = &self.model.registrations;
        if !known.is_empty() && self.dice.chance(60) {
            let shared = &known[self.dice.roll(known.len())];
            (uri, policy, invoke) = (shared.uri, shared.policy, shared.invoke);
        }
        let concurrency = match self.dice.roll(100) {
            0 => Some(0),
            roll @ 1..50 => Some(1 + u64::from(roll % 4 == 0)),
            _ => None,
        };
        let wanted = Register {
            uri,
            policy,
            invoke,
            concurrency,
            forward_timeout: self.dice.chance(20),
            force: self.dice.chance(15),
            disclose_caller: self.dice.chance(10),
        };
        let mut options = json!({
            "match": policy.as_str(), "invoke": invoke,
            "forward_timeout": wanted.forward_timeout, "force_reregister": wanted.force,
            "disclose_caller": wanted.disclose_caller,
        });
        if let Some(concurrency) = concurrency {
            options["concurrency"] = json!(concurrency);
        }
        if self.dice.chance(20) {
            options["nkey"] = json!(self.dice.pick(&["node1", "node2"]));
        }
        self.send(client, json!([64, request, options, uri]));
        let granted = self.granted(client, 65);
        self.model.register(client, request, &wanted, granted);
        self.compare("REGISTER");
    }

    pub fn unregister(&mut self) {
        let (client, request) = (self.anybody(), self.request());
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
        self.send(client, json!([66, request, id]));
        self.model.unregister(client, request, id);
        self.compare("UNREGISTER");
    }
}
