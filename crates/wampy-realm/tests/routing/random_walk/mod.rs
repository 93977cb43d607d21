//! Sessions that join, act and leave at random, compared step by step with a simple model.
//!
//! Besides the model, which says exactly what everybody receives, two things are checked on the
//! messages alone: every call ends exactly once, and what one session sends to another arrives in
//! order. A failure names its seed, which repeats it.

mod model;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::RealmConfig;

use crate::simulated::{Client, Network, all_features, features_without, no_features};
use model::{Answer, Model, Session};

const SESSIONS_MAX: usize = 8;

/// The steps of a walk, and how many walks there are unless `make nightly` says otherwise: 200 000
/// steps in all.
const STEPS: usize = 20_000;
const WALKS: u64 = 10;

/// Topics and procedures; the walk also uses them as prefixes.
const URIS: [&str; 10] = [
    "a",
    "a.b",
    "a.b.c",
    "a.bc",
    "a.b.d",
    "b.b.c",
    "b",
    "c.a.b.c",
    "wamp.session.x",
    "no uri",
];
const WILDCARDS: [&str; 8] = ["", ".b", "a.", "a..c", ".b.c", "..c", "a.b.c", "c..b."];
const META_TOPICS: [&str; 8] = [
    "wamp.session.on_join",
    "wamp.session.on_leave",
    "wamp.subscription.on_create",
    "wamp.subscription.on_unsubscribe",
    "wamp.registration.on_register",
    "wamp.registration.on_delete",
    "wamp.registration",
    "wamp.",
];
const INVOKES: [&str; 5] = ["single", "roundrobin", "random", "first", "last"];

/// A small generator of its own, so that a seed means the same walk for ever.
struct Dice(u64);

impl Dice {
    /// Seeds that are near each other begin far apart.
    fn new(seed: u64) -> Self {
        let bits = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self((bits ^ (bits >> 29)).max(1))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

struct Walk {
    network: Network,
    model: Model,
    dice: Dice,
    requests: u64,
    /// Every message received, for the checks on the messages alone.
    open_calls: HashSet<(Client, u64)>,
    last_heard: HashMap<(Client, u64, u64), u64>,
    /// What each client received in this step.
    step: BTreeMap<Client, Vec<Json>>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let config = RealmConfig {
            sessions_max: SESSIONS_MAX,
            pending_calls_per_session_max: model::PENDING_CALLS_MAX,
            pending_invocations_per_session_max: model::PENDING_INVOCATIONS_MAX,
            registrations_per_session_max: model::REGISTRATIONS_MAX,
            subscriptions_per_session_max: model::SUBSCRIPTIONS_MAX,
            ..RealmConfig::default()
        };
        let network = Network::with(config);
        let model = Model {
            now: network.now.monotonic_ms,
            ..Model::default()
        };
        Self {
            network,
            model,
            dice: Dice::new(seed),
            requests: 0,
            open_calls: HashSet::new(),
            last_heard: HashMap::new(),
            step: BTreeMap::new(),
        }
    }

    fn request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    fn anybody(&mut self) -> Client {
        let at = self.dice.roll(self.model.sessions.len());
        self.model.sessions[at].client
    }

    /// Sends a message and gathers what everybody received.
    fn send(&mut self, client: Client, message: Json) {
        self.network.send(client, message);
        self.gather();
    }

    fn gather(&mut self) {
        let clients: Vec<Client> = self.model.sessions.iter().map(|s| s.client).collect();
        for client in clients {
            let received = self.network.received(client);
            for message in &received {
                self.check_message(client, message);
            }
            self.step
                .entry(client)
                .or_default()
                .extend(received.into_iter().map(normalized));
        }
    }

    /// Checks a message without the model.
    fn check_message(&mut self, client: Client, message: &Json) {
        let code = message[0].as_u64().unwrap();
        let final_result = code == 50 && message[2]["progress"] != true;
        if final_result || (code == 8 && message[1] == 48) {
            let request = if code == 50 { &message[1] } else { &message[2] };
            let call = (client, request.as_u64().unwrap());
            assert!(
                self.open_calls.remove(&call),
                "{call:?} ended twice, or never began"
            );
        }
        // Publications and calls carry their sender and a number that grows.
        let from = match code {
            36 if message[4].as_array().is_some_and(|args| args.len() == 2) => {
                message[4][1].as_u64().zip(message[4][0].as_u64())
            }
            68 => message[4][1].as_u64().zip(message[4][0].as_u64()),
            _ => None,
        };
        let meta = code == 36 && self.is_meta(message);
        if let Some((number, sender)) = from.filter(|_| !meta) {
            let last = self
                .last_heard
                .insert((client, code, sender), number)
                .unwrap_or(0);
            assert!(last <= number, "{number} of {sender} came after {last}");
        }
    }

    fn is_meta(&self, event: &Json) -> bool {
        let id = event[1].as_u64().unwrap();
        let topic = event[3]["topic"].as_str().map(str::to_owned).or_else(|| {
            let subscription = self.model.subscriptions.iter().find(|s| s.id == id);
            subscription.map(|subscription| subscription.uri.clone())
        });
        topic.is_none_or(|topic| topic.starts_with("wamp."))
    }

    /// Compares what was received in this step with what the model expected.
    fn compare(&mut self, action: &str) {
        let mut expected = std::mem::take(&mut self.model.expected);
        let mut received = std::mem::take(&mut self.step);
        for messages in expected.values_mut().chain(received.values_mut()) {
            messages.sort_by_cached_key(Json::to_string);
        }
        expected.retain(|_, messages| !messages.is_empty());
        received.retain(|_, messages| !messages.is_empty());
        assert_eq!(received, expected, "after {action}");
        let stats = self.network.realm.stats();
        let counts = (
            stats.sessions,
            stats.registrations,
            stats.subscriptions,
            stats.pending_calls,
        );
        let model = &self.model;
        let (sessions, calls) = (model.sessions.len(), model.calls.len());
        let records = (model.registrations.len(), model.subscriptions.len());
        assert_eq!(
            counts,
            (sessions, records.0, records.1, calls),
            "after {action}"
        );
    }

    fn act(&mut self) {
        if self.model.sessions.is_empty() {
            return self.join();
        }
        match self.dice.roll(100) {
            0..=4 => self.join(),
            5..=7 => self.leave(),
            8..=16 => self.subscribe(),
            17..=21 => self.unsubscribe(),
            22..=36 => self.publish(),
            37..=45 => self.register(),
            46..=48 => self.unregister(),
            49..=68 => self.call(),
            69..=86 => self.answer(),
            87..=92 => self.cancel(),
            93..=96 => self.pass(),
            97..=98 => self.ask(),
            _ => self.kill(),
        }
    }

    fn join(&mut self) {
        let roles = match self.dice.roll(6) {
            0 => no_features(),
            1 => features_without(&[Feature::CallCanceling]),
            2 => features_without(&[Feature::ProgressiveCallResults]),
            _ => all_features(),
        };
        let authid = self.dice.pick(&["joe", "ann", "eve"]);
        let authrole = self.dice.pick(&["user", "admin"]);
        let joined = self.network.try_join(authid, authrole, roles);
        let Ok(client) = joined else {
            assert_eq!(self.model.sessions.len(), SESSIONS_MAX);
            return self.compare("a refused join");
        };
        self.gather();
        self.model.join(Session {
            client,
            id: self.network.id(client),
            authid,
            authrole,
            canceling: roles.supports(Role::Callee, Feature::CallCanceling),
            progressive: roles.supports(Role::Callee, Feature::ProgressiveCallResults),
            last_invocation: 0,
        });
        self.compare("join");
    }

    fn leave(&mut self) {
        let client = self.anybody();
        self.network.leave(client);
        self.forget(client);
        self.model.leave(client);
        self.gather();
        self.compare("leave");
    }

    /// A session is gone: its calls need not end any more.
    fn forget(&mut self, client: Client) {
        self.open_calls.retain(|&(caller, _)| caller != client);
    }

    fn pattern(&mut self, meta: bool) -> (&'static str, MatchPolicy) {
        if meta && self.dice.chance(40) {
            let topic = self.dice.pick(&META_TOPICS);
            let prefix = topic == "wamp." || topic == "wamp.registration";
            return (
                topic,
                if prefix {
                    MatchPolicy::Prefix
                } else {
                    MatchPolicy::Exact
                },
            );
        }
        match self.dice.roll(4) {
            0 => (self.dice.pick(&URIS), MatchPolicy::Prefix),
            1 => (self.dice.pick(&WILDCARDS), MatchPolicy::Wildcard),
            _ => (self.dice.pick(&URIS), MatchPolicy::Exact),
        }
    }

    fn subscribe(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let (uri, policy) = self.pattern(true);
        self.send(
            client,
            json!([32, request, {"match": policy.as_str()}, uri]),
        );
        let granted = self.granted(client, 33);
        self.model.subscribe(client, request, uri, policy, granted);
        self.compare("SUBSCRIBE");
    }

    /// The id that an answer of this type grants in this step.
    fn granted(&self, client: Client, message_type: u64) -> Option<u64> {
        self.step[&client]
            .iter()
            .find(|m| m[0] == message_type)
            .and_then(|m| m[2].as_u64())
    }

    /// An id of a subscription or registration: one that is, or was, or never was.
    fn some_id(&mut self, ids: impl Fn(&Model) -> &Vec<u64>) -> u64 {
        let ids = ids(&self.model);
        match self.dice.roll(ids.len() + 1) {
            0 => 123_456_789,
            at => ids[at - 1],
        }
    }

    fn unsubscribe(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let held: Vec<u64> = self
            .model
            .subscriptions
            .iter()
            .filter(|subscription| subscription.members.contains(&client))
            .map(|subscription| subscription.id)
            .collect();
        let id = if held.is_empty() || self.dice.chance(20) {
            self.some_id(|model| &model.subscription_ids)
        } else {
            self.dice.pick(&held)
        };
        self.send(client, json!([34, request, id]));
        self.model.unsubscribe(client, request, id);
        self.compare("UNSUBSCRIBE");
    }

    fn publish(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let mut options = json!({});
        for (key, percent) in [("acknowledge", 50), ("disclose_me", 20), ("exclude_me", 30)] {
            if self.dice.chance(percent) {
                options[key] = json!(self.dice.chance(50));
            }
        }
        let (one, other) = (self.anybody(), self.anybody());
        let (id, other) = (self.network.id(one), self.network.id(other));
        for (key, list) in [
            ("eligible", json!([id, other, 1])),
            ("exclude", json!([other, 7])),
            ("eligible_authid", json!(["joe", "ann"])),
            ("exclude_authid", json!(["eve"])),
            ("eligible_authrole", json!(["user"])),
            ("exclude_authrole", json!(["admin", "nobody"])),
        ] {
            if self.dice.chance(8) {
                options[key] = list;
            }
        }
        let topic = self.dice.pick(&URIS);
        let args = json!([self.network.id(client), request]);
        self.send(client, json!([16, request, options, topic, args]));
        self.model.publish(client, request, &options, topic, &args);
        self.compare("PUBLISH");
    }

    fn register(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let (uri, policy) = self.pattern(false);
        let invoke = self.dice.pick(&INVOKES);
        let options = json!({"match": policy.as_str(), "invoke": invoke});
        self.send(client, json!([64, request, options, uri]));
        let granted = self.granted(client, 65);
        self.model
            .register(client, request, uri, policy, invoke, granted);
        self.compare("REGISTER");
    }

    fn unregister(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let held: Vec<u64> = self
            .model
            .registrations
            .iter()
            .filter(|registration| registration.callees.contains(&client))
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

    fn call(&mut self) {
        let (client, request) = (self.anybody(), self.request());
        let mut options = json!({});
        for (key, percent) in [("receive_progress", 40), ("disclose_me", 20)] {
            if self.dice.chance(percent) {
                options[key] = json!(true);
            }
        }
        if self.dice.chance(40) {
            options["timeout"] = json!(self.dice.roll(100));
        }
        let procedure = self.dice.pick(&URIS);
        let args = json!([self.network.id(client), request]);
        self.open_calls.insert((client, request));
        self.send(client, json!([48, request, options, procedure, args]));
        let step = &self.step;
        let taken = |callees: &[Client]| {
            callees
                .iter()
                .copied()
                .find(|callee| step[callee].iter().any(|m| m[0] == 68))
        };
        self.model.call(client, request, &options, procedure, taken);
        self.compare("CALL");
    }

    fn answer(&mut self) {
        let calls = &self.model.calls;
        let (callee, invocation) = if !calls.is_empty() && !self.dice.chance(10) {
            let call = calls[self.dice.roll(calls.len())];
            (call.callee, call.invocation)
        } else {
            // Some invocation of the past, most likely answered long ago.
            let callee = self.anybody();
            let last = self.model.session(callee).last_invocation as usize;
            if last == 0 {
                return;
            }
            (callee, 1 + self.dice.roll(last) as u64)
        };
        let (answer, message) = match self.dice.roll(4) {
            0 => (
                Answer::Progress,
                json!([70, invocation, {"progress": true}, ["part"]]),
            ),
            1 => (
                Answer::Error,
                json!([8, 68, invocation, {}, "app.error", ["why"]]),
            ),
            _ => (Answer::Result, json!([70, invocation, {}, ["result"]])),
        };
        self.send(callee, message);
        self.model.answer(callee, invocation, &answer);
        self.compare("an answer");
    }

    fn cancel(&mut self) {
        let calls = &self.model.calls;
        let (caller, request) = if calls.is_empty() {
            (self.anybody(), 1)
        } else {
            let call = calls[self.dice.roll(calls.len())];
            (call.caller, call.request)
        };
        let mode = self.dice.pick(&["skip", "kill", "killnowait"]);
        self.send(caller, json!([49, request, {"mode": mode}]));
        self.model.cancel(caller, request, mode);
        self.compare("CANCEL");
    }

    fn pass(&mut self) {
        let ms = self.dice.roll(60) as u64;
        self.network.pass(ms);
        self.gather();
        self.model.pass(ms);
        self.compare("time passing");
    }

    fn ask(&mut self) {
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

    fn kill(&mut self) {
        let (client, victim, request) = (self.anybody(), self.anybody(), self.request());
        let id = self.network.id(victim);
        self.open_calls.insert((client, request));
        self.network
            .send(client, json!([48, request, {}, "wamp.session.kill", [id]]));
        if client == victim {
            let error = json!([8, 48, request, {}, "wamp.error.no_such_session"]);
            self.model.expect(client, error);
        } else {
            self.model.leave(victim);
            self.forget(victim);
            let goodbye = self.network.received(victim);
            assert_eq!(goodbye, [json!([6, {}, "wamp.close.killed"])]);
            self.model.expect(client, json!([50, request, {}]));
        }
        self.gather();
        self.compare("wamp.session.kill");
    }
}

/// A message without what the model does not know: publication ids, the words of errors.
fn normalized(mut message: Json) -> Json {
    match message[0].as_u64() {
        // The model does not know the words with which the realm explains a refusal.
        Some(8) => {
            let uri = message[4].as_str().unwrap_or_default();
            if uri.starts_with("wamp.error.") {
                message.as_array_mut().unwrap().truncate(5);
            }
            message[3] = json!({});
        }
        Some(36 | 17) => message[2] = json!(0),
        _ => {}
    }
    message
}

fn walk(seed: u64, steps: usize) {
    let mut walk = Walk::new(seed);
    for _ in 0..steps {
        walk.act();
    }
    // When all have left, nothing is left.
    while !walk.model.sessions.is_empty() {
        walk.leave();
    }
    assert_eq!(walk.network.realm.stats(), wampy_realm::Stats::default());
    assert!(walk.open_calls.is_empty());
}

/// Says, if its walk fails, how to repeat it.
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "seed {0} failed; it alone: make nightly SEED={0} WALKS=1",
                self.0
            );
        }
    }
}

/// A number from the environment, for `make nightly`.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")),
        Err(_) => default,
    }
}

#[test]
fn random_walks_agree_with_the_model() {
    let first = setting("WALK_SEED", 1);
    let walks = setting("WALKS", WALKS);
    let taken = AtomicU64::new(0);
    let one_after_another = || {
        loop {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            if number >= walks {
                return;
            }
            let repeat = Repeat(first + number);
            walk(repeat.0, STEPS);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(one_after_another);
        }
    });
}
