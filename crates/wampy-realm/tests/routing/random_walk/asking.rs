//! The walk uses the meta API.

use serde_json::{Value as Json, json};

use super::Walk;
use super::dice::URIS;
use super::model::Testament;
use crate::simulated::Client;

impl Walk {
    pub fn ask(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let uri = self.dice.pick(&URIS);
        let (procedure, args, result) = match self.dice.roll(3) {
            0 => ("session.count", json!([]), json!(self.model.sessions.len())),
            1 => {
                let found = self
                    .model
                    .best_match(uri)
                    .map(|at| self.model.registrations[at].id);
                ("registration.match", json!([uri]), json!(found))
            }
            _ => {
                let id = self.some_id(|model| &model.subscription_ids);
                let found = self.model.subscriptions.iter().find(|s| s.id == id);
                let Some(found) = found.map(|s| (s.uri.clone(), s.policy)) else {
                    return;
                };
                let args = json!([found.0, {"match": found.1.as_str()}]);
                ("subscription.lookup", args, json!(id))
            }
        };
        self.open_calls.insert((client, request));
        self.send(
            client,
            json!([48, request, {}, format!("wamp.{procedure}"), args]),
        );
        self.model
            .expect(client, json!([50, request, {}, [result]]));
        self.compare(procedure);
    }

    pub fn testament(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let scope = self.dice.pick(&["detached", "destroyed"]);
        if self.dice.chance(15) {
            let kwargs = json!({"scope": scope});
            self.ask_for(
                client,
                request,
                "session.flush_testaments",
                json!([]),
                kwargs,
            );
            self.model.flush_testaments(client, request, scope);
            return self.compare("flush_testaments");
        }
        let topic = self.dice.pick(&URIS);
        let options = self.publish_options(client);
        let args = json!([self.network.id(client), request, "testament"]);
        let kwargs = json!({"publish_options": options, "scope": scope});
        let call = json!([topic, args, {}]);
        self.ask_for(client, request, "session.add_testament", call, kwargs);
        let testament = Testament {
            scope,
            topic,
            options,
            args,
        };
        self.model.add_testament(client, request, testament);
        self.compare("add_testament");
    }

    pub fn get_events(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let subscriptions = &self.model.subscriptions;
        if subscriptions.is_empty() {
            return;
        }
        let id = subscriptions[self.dice.roll(subscriptions.len())].id;
        let mut kwargs = json!({"reverse": self.dice.chance(50)});
        if self.dice.chance(40) {
            kwargs["limit"] = json!(1 + self.dice.roll(3));
        }
        if self.dice.chance(20) {
            kwargs["topic"] = json!(self.dice.pick(&URIS));
        }
        let args = json!([id]);
        self.ask_for(
            client,
            request,
            "subscription.get_events",
            args,
            kwargs.clone(),
        );
        self.model.get_events(client, request, id, &kwargs);
        self.compare("get_events");
    }

    pub fn kill(&mut self) {
        let (client, victim, request) = (self.anybody(), self.anybody(), self.request());
        let id = self.network.id(victim);
        self.ask_for(client, request, "session.kill", json!([id]), json!({}));
        if client == victim {
            let error = json!([8, 48, request, {}, "wamp.error.no_such_session"]);
            self.model.expect(client, error);
        } else {
            self.model.leave(victim);
            self.forget(victim);
            self.model
                .expect(victim, json!([6, {}, "wamp.close.killed"]));
            self.model.expect(client, json!([50, request, {}]));
        }
        self.compare("wamp.session.kill");
    }

    /// Takes a registration or subscription from somebody.
    pub fn revoke(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let registrations = &self.model.registrations;
        let callees = registrations
            .iter()
            .flat_map(|it| it.callees.iter().map(|callee| (it.id, callee.client)));
        let callees: Vec<(u64, Client)> = callees.collect();
        let subscriptions = &self.model.subscriptions;
        let subscribers = subscriptions
            .iter()
            .flat_map(|it| it.members.iter().map(|&member| (it.id, member)));
        let subscribers: Vec<(u64, Client)> = subscribers.collect();
        let of_callee = self.dice.chance(60);
        let held = if of_callee { callees } else { subscribers };
        if held.is_empty() {
            return;
        }
        let (id, mut victim) = self.dice.pick(&held);
        if self.dice.chance(10) {
            victim = self.anybody();
        }
        let args = json!([id, self.network.id(victim)]);
        let reason = json!({"reason": "why"});
        if of_callee {
            self.ask_for(client, request, "registration.remove_callee", args, reason);
            self.model.remove_callee(client, request, id, victim);
        } else {
            let procedure = "subscription.remove_subscriber";
            self.ask_for(client, request, procedure, args, reason);
            self.model.remove_subscriber(client, request, id, victim);
        }
        self.compare("a revocation");
    }

    /// Calls a procedure of the meta API.
    pub fn ask_for(&mut self, client: Client, request: u64, name: &str, args: Json, kwargs: Json) {
        self.open_calls.insert((client, request));
        let procedure = format!("wamp.{name}");
        self.send(client, json!([48, request, {}, procedure, args, kwargs]));
    }
}
