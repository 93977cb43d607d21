//! The walk uses the meta API.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::Walk;
use super::dice::URIS;
use super::model::{Filter, LARGE, Subject, Testament};
use crate::simulated::Client;

const KINDS: [&str; 3] = ["procedure", "topic", "error"];

impl Walk {
    pub fn ask(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let uri = self.dice.pick(&URIS);
        let kind = self.dice.pick(&KINDS);
        let (procedure, args, kwargs, result) = match self.dice.roll(5) {
            0 => {
                let count = json!(self.model.sessions.len());
                ("session.count".to_owned(), json!([]), json!({}), count)
            }
            1 => {
                let found = self
                    .model
                    .best_match(uri)
                    .map(|at| self.model.registrations[at].id);
                let procedure = "registration.match".to_owned();
                (procedure, json!([uri]), json!({}), json!(found))
            }
            2 => {
                let id = self.some_id(|model| &model.subscription_ids);
                let found = self.model.subscriptions.iter().find(|s| s.id == id);
                let Some(found) = found.map(|s| (s.uri.clone(), s.policy)) else {
                    return;
                };
                let args = json!([found.0, {"match": found.1.as_str()}]);
                ("subscription.lookup".to_owned(), args, json!({}), json!(id))
            }
            3 => {
                let list = self.model.reflection_list(client, kind);
                let procedure = format!("reflection.{kind}.list");
                (procedure, json!([]), json!({}), list)
            }
            _ => {
                let (uri, policy) = self.pattern(false);
                let policy = Some(policy).filter(|_| self.dice.chance(50));
                let description = self.model.description(client, kind, uri, policy);
                let kwargs = match policy {
                    Some(policy) => json!({"match": policy.as_str()}),
                    None => json!({}),
                };
                let procedure = format!("reflection.{kind}.describe");
                (procedure, json!([uri]), kwargs, description)
            }
        };
        self.ask_for(client, request, &procedure, args, kwargs);
        if self.model.may_ask(client, request) {
            let result = match self.model.session(client).takes(&result) {
                true => json!([50, request, {}, [result]]),
                false => json!([8, 48, request, {}, "wamp.error.payload_size_exceeded"]),
            };
            self.model.expect(client, result);
        }
        self.compare(&procedure);
    }

    pub fn testament(&mut self) {
        let (client, request) = (
            self.anybody_who(|it| !it.testaments.is_empty()),
            self.request(),
        );
        let scope = self.dice.pick(&["detached", "destroyed"]);
        if self.dice.chance(15) {
            let kwargs = json!({"scope": scope});
            let procedure = "session.flush_testaments";
            self.ask_for(client, request, procedure, json!([]), kwargs);
            if self.model.may_ask(client, request) {
                self.model.flush_testaments(client, request, scope);
            }
            return self.compare("flush_testaments");
        }
        let topic = self.dice.pick(&URIS);
        let options = self.publish_options(client);
        let mut args = self.args(client, request);
        let more = args.as_array_mut().unwrap();
        if more.len() == 2 && self.dice.chance(25) {
            more.push(json!("x".repeat(LARGE)));
        }
        more.push(json!("testament"));
        let kwargs = json!({"publish_options": options, "scope": scope});
        let call = json!([topic, args, {}]);
        self.ask_for(client, request, "session.add_testament", call, kwargs);
        let testament = Testament {
            scope,
            topic,
            options,
            args,
        };
        if self.model.may_ask(client, request) {
            self.model.add_testament(client, request, testament);
        }
        self.compare("add_testament");
    }

    pub fn define(&mut self) {
        let defining = self.model.defining();
        let client = self.anybody_who(|it| defining.contains(&it.client));
        let request = self.request();
        let (mut uri, mut policy) = self.pattern(false);
        let mut kind = self.dice.pick(&KINDS);
        if self.dice.chance(30) {
            let own = self.model.defined_by(client);
            if !own.is_empty() && self.dice.chance(70) {
                Subject { kind, uri, policy } = own[self.dice.roll(own.len())].clone();
            }
            let kind = Some(kind).filter(|_| self.dice.chance(50));
            let policy = Some(policy).filter(|_| self.dice.chance(50));
            let mut kwargs = json!({});
            if let Some(kind) = kind {
                kwargs["kind"] = json!(kind);
            }
            if let Some(policy) = policy {
                kwargs["match"] = json!(policy.as_str());
            }
            let args = json!([uri, null]);
            self.ask_for(client, request, "reflect.define", args, kwargs);
            if self.model.may_ask(client, request) {
                self.model.undefine(client, request, uri, kind, policy);
            }
            return self.compare("a definition taken back");
        }
        let (uri, policy) = match kind {
            "error" if self.dice.chance(80) => (self.dice.pick(&URIS), MatchPolicy::Exact),
            _ => (uri, policy),
        };
        let doc = match self.dice.roll(8) {
            0..3 => json!("x".repeat(LARGE)),
            3..6 => json!("this"),
            _ => json!("that"),
        };
        let definition = json!({"kind": kind, "match": policy.as_str(), "doc": doc});
        let args = json!([uri, definition]);
        self.ask_for(client, request, "reflect.define", args, json!({}));
        if self.model.may_ask(client, request) {
            let subject = Subject { kind, uri, policy };
            self.model.define(client, request, &subject, doc);
        }
        self.compare("a definition");
    }

    pub fn get_events(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let subscriptions = &self.model.subscriptions;
        if subscriptions.is_empty() {
            return;
        }
        let id = subscriptions[self.dice.roll(subscriptions.len())].id;
        let mut filter = Filter {
            reverse: self.dice.chance(50),
            ..Filter::default()
        };
        let mut kwargs = json!({"reverse": filter.reverse});
        if self.dice.chance(40) {
            let limit = 1 + self.dice.roll(4);
            filter.limit = Some(limit);
            kwargs["limit"] = json!(limit);
        }
        if self.dice.chance(20) {
            let topic = self.dice.pick(&URIS);
            filter.topic = Some(topic);
            kwargs["topic"] = json!(topic);
        }
        self.bound_times(&mut filter, &mut kwargs);
        self.bound_publications(&mut filter, &mut kwargs);
        let args = json!([id]);
        self.ask_for(client, request, "subscription.get_events", args, kwargs);
        if self.model.may_ask(client, request) {
            self.model.get_events(client, request, id, &filter);
        }
        self.compare("get_events");
    }

    /// Often the very moment of an event.
    fn bound_times(&mut self, filter: &mut Filter, kwargs: &mut Json) {
        for name in ["from_time", "after_time", "before_time", "until_time"] {
            if self.dice.chance(10) {
                let history = &self.model.history;
                let unix_ms = match history.is_empty() || self.dice.chance(30) {
                    true => self.model.unix_ms() - self.dice.roll(200) as u64,
                    false => history[self.dice.roll(history.len())].unix_ms,
                };
                filter.times.push((name, unix_ms));
                kwargs[name] = json!(self.model.date(unix_ms));
            }
        }
    }

    fn bound_publications(&mut self, filter: &mut Filter, kwargs: &mut Json) {
        for name in [
            "from_publication",
            "after_publication",
            "before_publication",
            "until_publication",
        ] {
            if !self.dice.chance(10) {
                continue;
            }
            let history = &self.model.history;
            let number = match history.is_empty() || self.dice.chance(10) {
                true => json!(null),
                false => history[self.dice.roll(history.len())].number().clone(),
            };
            let known = number.as_u64().map(|number| self.publications.get(&number));
            let id = match known {
                // It was neither acknowledged nor received.
                Some(None) => continue,
                Some(Some(&id)) => id,
                None => 4711,
            };
            filter.publications.push((name, number));
            kwargs[name] = json!(id);
        }
    }

    pub fn kill(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let authid = self.dice.pick(&["joe", "ann", "eve"]);
        let authrole = self.dice.pick(&["user", "admin"]);
        let victim = self.anybody();
        let id = self.network.id(victim);
        let (procedure, args) = match self.dice.roll(8) {
            0..=4 => ("session.kill", json!([id])),
            5 => ("session.kill_by_authid", json!([authid])),
            6 => ("session.kill_by_authrole", json!([authrole])),
            _ => ("session.kill_all", json!([])),
        };
        self.ask_for(client, request, procedure, args, json!({}));
        if !self.model.may_ask(client, request) {
            return self.compare("a forbidden kill");
        }
        let model = &mut self.model;
        let victims = match procedure {
            "session.kill" => model.kill(client, |it| it.id == id, true),
            "session.kill_by_authid" => model.kill(client, |it| it.authid == authid, true),
            "session.kill_by_authrole" => model.kill(client, |it| it.authrole == authrole, true),
            _ => model.kill(client, |_| true, false),
        };
        let ids: Vec<u64> = victims.iter().map(|&it| self.network.id(it)).collect();
        let answer = match procedure {
            "session.kill" if victims.is_empty() => {
                json!([8, 48, request, {}, "wamp.error.no_such_session"])
            }
            "session.kill" => json!([50, request, {}]),
            "session.kill_by_authid" => json!([50, request, {}, [ids]]),
            _ => json!([50, request, {}, [ids.len()]]),
        };
        self.model.expect(client, answer);
        for victim in victims {
            self.forget(victim);
        }
        self.compare(procedure);
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
        let procedure = match of_callee {
            true => "registration.remove_callee",
            false => "subscription.remove_subscriber",
        };
        self.ask_for(client, request, procedure, args, reason);
        if self.model.may_ask(client, request) {
            match of_callee {
                true => self.model.remove_callee(client, request, id, victim),
                false => self.model.remove_subscriber(client, request, id, victim),
            }
        }
        self.compare("a revocation");
    }

    /// Calls a procedure of the meta API.
    fn ask_for(&mut self, client: Client, request: u64, name: &str, args: Json, kwargs: Json) {
        self.open_calls.insert((client, request));
        let procedure = format!("wamp.{name}");
        self.send(client, json!([48, request, {}, procedure, args, kwargs]));
    }
}
