//! The walk uses the meta API.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::Walk;
use super::dice::URIS;
use super::model::{Ask, Filter, LARGE, Model, Published, Request, Subject, Testament, Wish};
use crate::simulated::Client;

const KINDS: [&str; 3] = ["procedure", "topic", "error"];

/// The procedures that tell something.
const OF_SESSIONS: [&str; 3] = ["session.count", "session.list", "session.get"];
const OF_REGISTRATIONS: [&str; 6] = [
    "registration.list",
    "registration.lookup",
    "registration.match",
    "registration.get",
    "registration.list_callees",
    "registration.count_callees",
];
const OF_SUBSCRIPTIONS: [&str; 6] = [
    "subscription.list",
    "subscription.lookup",
    "subscription.match",
    "subscription.get",
    "subscription.list_subscribers",
    "subscription.count_subscribers",
];
const OF_REFLECTION: [&str; 7] = [
    "reflection.procedure.list",
    "reflection.topic.list",
    "reflection.error.list",
    "reflection.procedure.describe",
    "reflection.topic.describe",
    "reflection.error.describe",
    "reflect.describe",
];

/// An event of a history.
struct Kept {
    unix_ms: u64,
    number: Json,
}

impl Kept {
    fn of(event: &Published) -> Self {
        Self {
            unix_ms: event.unix_ms,
            number: event.number().clone(),
        }
    }
}

impl Walk {
    /// Asks what there is.
    pub fn ask(&mut self) {
        let client = self.any_caller();
        let none = json!({});
        let (name, args, kwargs) = match self.dice.roll(4) {
            0 => {
                let name = self.dice.pick(&OF_SESSIONS);
                let args = match name {
                    "session.get" => json!([self.some_session()]),
                    _ if self.dice.chance(50) => json!([["admin", "nobody"]]),
                    _ => json!([]),
                };
                (name, args, none)
            }
            1 => {
                let name = self.dice.pick(&OF_REGISTRATIONS);
                let live = self.model.registrations.iter().map(|it| it.id).collect();
                let id = self.live_or_some_id(live, |model| &model.registration_ids);
                (name, self.about_records(name, id), none)
            }
            2 => {
                let name = self.dice.pick(&OF_SUBSCRIPTIONS);
                let live = self.model.subscriptions.iter().map(|it| it.id).collect();
                let id = self.live_or_some_id(live, |model| &model.subscription_ids);
                (name, self.about_records(name, id), none)
            }
            _ => {
                let name = self.dice.pick(&OF_REFLECTION);
                let (uri, policy) = self.pattern(false);
                match name.ends_with("list") {
                    true => (name, json!([]), none),
                    false if self.dice.chance(50) => (name, json!([uri]), none),
                    false => (name, json!([uri]), json!({"match": policy.as_str()})),
                }
            }
        };
        self.call_meta(client, Ask::plain(name, args, kwargs));
    }

    /// Mostly an id of something that is there.
    fn live_or_some_id(&mut self, live: Vec<u64>, ids: impl Fn(&Model) -> &Vec<u64>) -> u64 {
        match live.is_empty() || self.dice.chance(20) {
            true => self.some_id(ids),
            false => self.dice.pick(&live),
        }
    }

    fn about_records(&mut self, name: &str, id: u64) -> Json {
        let verb = name.rsplit_once('.').unwrap().1;
        let (uri, policy) = self.pattern(true);
        match verb {
            "list" => json!([]),
            "match" => json!([self.dice.pick(&URIS)]),
            "lookup" => json!([uri, {"match": policy.as_str()}]),
            _ => json!([id]),
        }
    }

    /// The id of a session that is, or may have been.
    fn some_session(&mut self) -> u64 {
        let client = self.anybody();
        match self.dice.chance(80) {
            true => self.network.id(client),
            false => self.dice.pick(&[1, 7, 13, 20, 900]),
        }
    }

    pub fn testament(&mut self) {
        let client = self.anybody_who(|it| !it.testaments.is_empty());
        let scope = self.dice.pick(&["detached", "destroyed"]);
        if self.dice.chance(15) {
            let kwargs = json!({"scope": scope});
            let flush = Ask::plain("session.flush_testaments", json!([]), kwargs);
            return self.call_meta(client, flush);
        }
        let topic = self.dice.pick(&URIS);
        let options = self.publish_options(client, false);
        let number = self.request_number();
        let mut args = self.args(client, number);
        let more = args.as_array_mut().unwrap();
        if more.len() == 2 && self.dice.chance(25) {
            more.push(json!("x".repeat(LARGE)));
        }
        more.push(json!("testament"));
        let testament = Testament {
            scope,
            topic,
            options: options.clone(),
            args: args.clone(),
        };
        let add = Ask {
            name: "session.add_testament",
            args: json!([topic, args, {}]),
            kwargs: json!({"publish_options": options, "scope": scope}),
            wish: Wish::AddTestament(testament),
        };
        self.call_meta(client, add);
    }

    pub fn define(&mut self) {
        let defining = self.model.defining();
        let client = self.anybody_who(|it| defining.contains(&it.client));
        let (uri, policy) = self.pattern(false);
        let kind = self.dice.pick(&KINDS);
        if self.dice.chance(30) {
            return self.undefine(client, Subject { kind, uri, policy });
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
        let define = Ask {
            name: "reflect.define",
            args: json!([uri, definition]),
            kwargs: json!({}),
            wish: Wish::Define(Subject { kind, uri, policy }, doc),
        };
        self.call_meta(client, define);
    }

    fn undefine(&mut self, client: Client, mut subject: Subject) {
        let own = self.model.defined_by(client);
        if !own.is_empty() && self.dice.chance(70) {
            subject = own[self.dice.roll(own.len())].clone();
        }
        let Subject { kind, uri, policy } = subject;
        let kind = Some(kind).filter(|_| self.dice.chance(50));
        let policy = Some(policy).filter(|_| self.dice.chance(50));
        let mut kwargs = json!({});
        if let Some(kind) = kind {
            kwargs["kind"] = json!(kind);
        }
        if let Some(policy) = policy {
            kwargs["match"] = json!(policy.as_str());
        }
        let undefine = Ask {
            name: "reflect.define",
            args: json!([uri, null]),
            kwargs,
            wish: Wish::Undefine { uri, kind, policy },
        };
        self.call_meta(client, undefine);
    }

    pub fn get_events(&mut self) {
        let asked_about = self.model.with_authorizers();
        let client = match asked_about.is_empty() || self.dice.chance(40) {
            true => self.any_caller(),
            false => self.dice.pick(&asked_about),
        };
        let Some(id) = self.some_history(client) else {
            return;
        };
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
        let kept = self.model.history_for(client, id).into_iter();
        let kept: Vec<Kept> = kept.map(Kept::of).collect();
        self.bound_times(&kept, &mut filter, &mut kwargs);
        self.bound_publications(&kept, &mut filter, &mut kwargs);
        let get = Ask {
            name: "subscription.get_events",
            args: json!([id]),
            kwargs,
            wish: Wish::GetEvents(id, filter),
        };
        self.call_meta(client, get);
    }

    /// A subscription whose history somebody may ask for.
    fn some_history(&mut self, client: Client) -> Option<u64> {
        let subscriptions = &self.model.subscriptions;
        if subscriptions.is_empty() {
            return None;
        }
        // Mostly one of which much is kept, or that goes when its only subscriber does.
        let roll = self.dice.roll(10);
        let wanted = subscriptions.iter().filter(|it| match roll {
            0..5 => self.model.history_for(client, it.id).len() > 1,
            5..8 => it.members.len() == 1,
            _ => true,
        });
        let mut ids: Vec<u64> = wanted.map(|it| it.id).collect();
        if ids.is_empty() {
            ids = subscriptions.iter().map(|it| it.id).collect();
        }
        Some(self.dice.pick(&ids))
    }

    /// Mostly the very moment of an event.
    fn bound_times(&mut self, kept: &[Kept], filter: &mut Filter, kwargs: &mut Json) {
        for name in ["from_time", "after_time", "before_time", "until_time"] {
            if self.dice.chance(15) {
                let unix_ms = match kept.is_empty() || self.dice.chance(20) {
                    true => self.model.unix_ms() - self.dice.roll(200) as u64,
                    false => kept[self.dice.roll(kept.len())].unix_ms,
                };
                filter.times.push((name, unix_ms));
                kwargs[name] = json!(self.model.date(unix_ms));
            }
        }
    }

    /// Mostly one of the history, seldom of another, or none at all.
    fn bound_publications(&mut self, kept: &[Kept], filter: &mut Filter, kwargs: &mut Json) {
        for name in [
            "from_publication",
            "after_publication",
            "before_publication",
            "until_publication",
        ] {
            if !self.dice.chance(15) {
                continue;
            }
            let all = &self.model.history.events;
            let number = match self.dice.roll(20) {
                2.. if !kept.is_empty() => kept[self.dice.roll(kept.len())].number.clone(),
                1.. if !all.is_empty() => all[self.dice.roll(all.len())].number().clone(),
                _ => json!(null),
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
        let client = self.any_caller();
        let authid = self.dice.pick(&["joe", "ann", "eve", "e.v", "router"]);
        let authrole = self.dice.pick(&["user", "admin"]);
        let (name, args) = match self.dice.roll(8) {
            0..=4 => ("session.kill", json!([self.some_session()])),
            5 => ("session.kill_by_authid", json!([authid])),
            6 => ("session.kill_by_authrole", json!([authrole])),
            _ => ("session.kill_all", json!([])),
        };
        let kwargs = match self.dice.roll(8) {
            0 => json!({"reason": "no uri", "message": "why"}),
            1..5 => json!({"reason": "app.over", "message": "why"}),
            _ => json!({}),
        };
        self.call_meta(client, Ask::plain(name, args, kwargs));
    }

    /// Takes a registration or subscription from somebody.
    pub fn revoke(&mut self) {
        let client = self.any_caller();
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
        // What somebody waits to hear of is the most interesting to go.
        let asked = self.model.histories_asked_for();
        let is_asked_for = |id: u64| asked.iter().any(|it| it.1 == id);
        let mut awaited = subscribers.clone();
        awaited.retain(|&(id, _)| is_asked_for(id));
        let (name, held) = match self.dice.chance(60) {
            _ if !awaited.is_empty() => ("subscription.remove_subscriber", awaited),
            true => ("registration.remove_callee", callees),
            false => ("subscription.remove_subscriber", subscribers),
        };
        if held.is_empty() {
            return;
        }
        let (id, victim) = self.dice.pick(&held);
        let session = match self.dice.chance(10) {
            true => self.some_session(),
            false => self.network.id(victim),
        };
        let reason = json!({"reason": "why"});
        self.call_meta(client, Ask::plain(name, json!([id, session]), reason));
    }

    /// Calls a procedure of the meta API.
    fn call_meta(&mut self, client: Client, ask: Ask) {
        let (number, name) = (self.request_number(), ask.name);
        self.request(client, number, Request::Ask(ask), name);
    }
}
