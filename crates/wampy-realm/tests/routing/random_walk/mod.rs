//! Sessions that join, act and leave at random, compared step by step with a simple model.
//!
//! Besides the model, which says exactly what everybody receives, two things are checked on the
//! messages alone: every call ends exactly once, and what one session sends to another arrives in
//! order. A failure names its seed, which repeats it.
//!
//! Every feature that the realm announces is in it, and what else `docs/features.md` and the decisions
//! in ARCHITECTURE.md have of the realm: `model/features.rs` says what shows each of them, and a walk's
//! test fails if something of that never happens.
//!
//! Deliberately absent is what is none of the realm's: transports, serializers, batches, compression,
//! authentication, end-to-end encryption and what sessions may say before WELCOME and after GOODBYE are
//! the router's and the clients', and have tests of their own. Of the realm's own: permissions for
//! prefixes and wildcards beside those for everything (`authorization.rs`, and the tests of the rules),
//! a store that fails (`event_retention.rs`), calls of the router's own (`internal_sessions.rs`), and
//! limits that change while sessions are there.

mod asking;
mod calling;
mod config;
mod dice;
mod model;
mod publishing;
mod registering;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role, SessionId};
use wampy_realm::{JoinRefused, RealmConfig, SessionDetails, Transport};

use crate::authorization::roles as realm_roles;
use crate::simulated::{Client, Network, UNENCODABLE, every_feature, no_features};
use config::{config, other_policies, some_roles};
use dice::{Dice, META_TOPICS, URIS, WILDCARDS};
use model::{LARGE, Model, Request, Session};

const SESSIONS_MAX: usize = 8;

/// The steps of a walk, and which walks there are unless `make nightly` says otherwise: 200 000 steps
/// in all, in which everything happens that should.
const STEPS: usize = 20_000;
const FIRST_SEED: u64 = 1;
const WALKS: u64 = 10;

/// How many walks of any seeds practically always show everything: the rarest thing, that what an
/// authorizer was asked about is gone, happens in one of thirty.
const WALKS_THAT_SHOW_ALL: u64 = 500;

struct Walk {
    network: Network,
    model: Model,
    dice: Dice,
    requests: u64,
    /// What follows from every message received, for the checks on the messages alone.
    open_calls: HashSet<(Client, u64)>,
    last_heard: HashMap<(Client, u64, u64), u64>,
    /// The ids of publications, by the numbers in their arguments.
    publications: HashMap<u64, u64>,
    /// The calls that were begun to be made in parts, with their procedures.
    calls_in_parts: Vec<(Client, u64, &'static str)>,
}

impl Walk {
    /// The seed also says which policies the realm has.
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let config = config(&mut dice);
        let roles = some_roles(&mut dice);
        let mut network = Network::with(RealmConfig {
            roles: realm_roles(model::syntax(roles.as_ref())),
            ..config.clone()
        });
        network.date_goes_on = true;
        Self {
            model: Model::new(config, roles, network.now),
            network,
            dice,
            requests: 0,
            open_calls: HashSet::new(),
            last_heard: HashMap::new(),
            publications: HashMap::new(),
            calls_in_parts: Vec::new(),
        }
    }

    /// Arguments that nothing else has: who sends them, and a number. A few are large, and more where
    /// large calls wait already.
    fn args(&mut self, client: Client, number: u64) -> Json {
        let id = self.network.id(client);
        let mut calls = self.model.calls.iter();
        let percent = match calls.any(|it| it.callee.is_none() && model::is_large(&it.args)) {
            true => 50,
            false => 8,
        };
        match self.dice.chance(percent) {
            true => json!([id, number, "x".repeat(LARGE)]),
            false if self.dice.chance(4) => json!([id, number, [UNENCODABLE]]),
            false => json!([id, number]),
        }
    }

    fn request_number(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    fn anybody(&mut self) -> Client {
        let at = self.dice.roll(self.model.sessions.len());
        self.model.sessions[at].client
    }

    /// Mostly somebody to whom this applies, so that some do it again and again.
    fn anybody_who(&mut self, applies: impl Fn(&Session) -> bool) -> Client {
        let those = self.model.sessions.iter().filter(|it| applies(it));
        let those: Vec<Client> = those.map(|it| it.client).collect();
        match those.is_empty() || self.dice.chance(30) {
            true => self.anybody(),
            false => self.dice.pick(&those),
        }
    }

    /// A session asks for something, which may break the protocol.
    fn request(&mut self, client: Client, number: u64, request: Request, action: &str) {
        let message = request.message(number);
        if message[0] == 48 && !matches!(request, Request::Part { .. }) {
            self.open_calls.insert((client, number));
        }
        let sent = self.network.try_send(client, &message);
        self.gather();
        let is_broken = self.model.request(client, number, request);
        assert_eq!(sent.is_err(), is_broken, "{message}: {sent:?}");
        if is_broken {
            self.network.leave(client);
            self.gather();
            self.model.leave(client);
        }
        self.compare(action);
    }

    /// Sends a message and gathers what everybody received.
    fn send(&mut self, client: Client, message: Json) {
        self.network.send(client, message);
        self.gather();
    }

    fn gather(&mut self) {
        let clients: Vec<Client> = self.model.sessions.iter().map(|s| s.client).collect();
        for (client, message) in self.network.received_by(&clients) {
            self.check_message(client, &message);
            self.model.seen.push((client, normalized(message)));
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
                "{call:?} ended twice, or never began: {message}"
            );
        }
        // Publications and calls carry their sender and a number that grows.
        let args = message[4].as_array().filter(|_| code == 36 || code == 68);
        let from = args.and_then(|args| args.get(1)?.as_u64().zip(args[0].as_u64()));
        let meta = code == 36 && self.is_meta(message);
        if let Some((number, _)) = from.filter(|_| code == 36 && !meta) {
            self.check_publication(number, &message[2]);
        }
        if code == 17 {
            self.check_publication(message[1].as_u64().unwrap(), &message[2]);
        }
        // Neither what is left behind or retained, nor calls that waited or were rerouted, come in the
        // order in which they were sent. (Calls that waited for an authorizer come in order to a
        // registration, which may have a line.)
        let old = meta
            || message[3]["retained"] == true
            || args.is_some_and(|args| args.last().is_some_and(|it| it == "testament"))
            || code == 68
                && (self.model.calls.iter().any(|it| it.args == message[4])
                    || self.model.is_waiting(&message[4]));
        if let Some((number, sender)) = from.filter(|_| !old) {
            let heard = self.last_heard.entry((client, code, sender));
            let last = heard.or_insert(0);
            assert!(*last <= number, "{number} of {sender} came after {last}");
            *last = number;
        }
    }

    /// A publication has the same id for everybody.
    fn check_publication(&mut self, number: u64, id: &Json) {
        let id = id.as_u64().unwrap();
        let known = *self.publications.entry(number).or_insert(id);
        assert_eq!(id, known, "the id of publication {number}");
    }

    fn is_meta(&self, event: &Json) -> bool {
        let id = event[1].as_u64().unwrap();
        let topic = event[3]["topic"].as_str().map(str::to_owned).or_else(|| {
            let subscription = self.model.subscriptions.iter().find(|s| s.id == id);
            subscription.map(|subscription| subscription.uri.to_owned())
        });
        topic.is_none_or(|topic| topic.starts_with("wamp."))
    }

    /// Compares what was received in this step with what the model expected.
    fn compare(&mut self, action: &str) {
        self.model.settle();
        for gone in std::mem::take(&mut self.model.gone) {
            self.forget(gone);
        }
        for ended in std::mem::take(&mut self.model.ended_silently) {
            assert!(self.open_calls.remove(&ended), "{ended:?} ended twice");
        }
        let expected = std::mem::take(&mut self.model.expected);
        let mut received = BTreeMap::<Client, Vec<Json>>::new();
        for (client, message) in std::mem::take(&mut self.model.seen) {
            received.entry(client).or_default().push(message);
        }
        assert_eq!(received, expected, "after {action}");
        let stats = self.network.realm.stats();
        let model = &self.model;
        let expected = wampy_realm::Stats {
            sessions: model.sessions.len(),
            registrations: model.registrations.len(),
            subscriptions: model.subscriptions.len(),
            pending_calls: model.calls.len(),
            call_timers: model
                .calls
                .iter()
                .filter(|it| it.deadline.is_some())
                .count(),
            waiting_calls: model.calls.iter().filter(|it| it.callee.is_none()).count(),
            retained_events: model.retained.events.len(),
            history_events: model.history.events.len(),
            ..stats
        };
        assert_eq!(stats, expected, "after {action}");
    }

    fn act(&mut self) {
        if self.model.sessions.is_empty() {
            return self.join();
        }
        match self.dice.roll(100) {
            0..=4 => self.join(),
            5..=7 => self.leave(),
            8..=16 => self.subscribe(),
            17..=20 => self.unsubscribe(),
            21..=32 => self.publish(),
            33..=41 => self.register(),
            42..=44 => self.unregister(),
            45..=65 => self.call(),
            66..=69 => self.part(),
            70..=86 => self.answer(),
            87..=91 => self.cancel(),
            92 | 93 => self.pass(),
            94 => self.define(),
            95 => self.testament(),
            96 => match self.dice.roll(3) {
                0 => self.ask(),
                1 => self.testament(),
                _ => self.get_events(),
            },
            97 => match self.dice.roll(3) {
                0 => self.define(),
                1 => self.ask(),
                _ => self.revoke(),
            },
            98 => match self.dice.roll(5) {
                0..3 => self.define(),
                _ => self.kill(),
            },
            _ => match self.dice.roll(10) {
                0 | 1 => self.answer_unasked(),
                2 => self.reconfigure(),
                3 if self.dice.chance(20) => self.restart(),
                _ => self.set_roles(),
            },
        }
    }

    fn join(&mut self) {
        let roles = some_features(&mut self.dice);
        let authid = self.dice.pick(&["joe", "ann", "eve"]);
        let authrole = self.dice.pick(&["user", "admin"]);
        let trust_level = self.dice.pick(&[None, Some(0), Some(5)]);
        // Ids are used again, as permissions with `{session}` name some of them.
        let taken: Vec<u64> = self.model.sessions.iter().map(|it| it.id).collect();
        let id = loop {
            let id = 1 + self.dice.roll(2 * SESSIONS_MAX) as u64;
            if !taken.contains(&id) || self.dice.chance(5) {
                break id;
            }
        };
        let details = SessionDetails {
            id: SessionId::try_from(id).unwrap(),
            authid: authid.into(),
            authrole: authrole.into(),
            authmethod: "ticket".into(),
            authprovider: "static".into(),
            trust_level,
            authextra: None,
            roles,
            transport: Some(Transport {
                kind: "simulated",
                serializer: "json",
            }),
        };
        let client = match self.network.join_details(details) {
            Ok(client) => client,
            Err(refused) => {
                let is_full = taken.len() == SESSIONS_MAX;
                assert!(is_full || taken.contains(&id), "{refused}");
                assert_eq!(refused == JoinRefused::TooManySessions, is_full);
                return self.compare("a refused join");
            }
        };
        let is_small = self.dice.chance(20);
        if is_small {
            self.network.limit_messages(client, LARGE / 2);
        }
        let is_picky = self.dice.chance(20);
        if is_picky {
            self.network.make_picky(client);
        }
        self.gather();
        self.model.join(Session {
            client,
            id,
            authid,
            authrole,
            trust_level,
            roles,
            last_invocation: 0,
            testaments: Vec::new(),
            is_small,
            is_picky,
            is_silent: self.model.config.silent_cancel && cancels_silently(&roles),
        });
        self.compare("join");
    }

    fn leave(&mut self) {
        let client = self.anybody();
        self.network.leave(client);
        self.gather();
        self.model.leave(client);
        self.compare("leave");
    }

    /// A session is gone: its calls need not end any more.
    fn forget(&mut self, client: Client) {
        self.open_calls.retain(|&(caller, _)| caller != client);
        self.calls_in_parts.retain(|&(caller, ..)| caller != client);
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

    /// An id of a subscription or registration: one that is, or was, or never was.
    fn some_id(&mut self, ids: impl Fn(&Model) -> &Vec<u64>) -> u64 {
        let ids = ids(&self.model);
        match self.dice.roll(ids.len() + 1) {
            0 => 123_456_789,
            at => ids[at - 1],
        }
    }

    fn set_roles(&mut self) {
        let roles = some_roles(&mut self.dice);
        self.network
            .set_roles(realm_roles(model::syntax(roles.as_ref())));
        self.gather();
        self.model.set_roles(roles);
        self.compare("other roles");
    }

    /// Other policies, while the walk goes on.
    fn reconfigure(&mut self) {
        let config = other_policies(self.model.config.clone(), &mut self.dice);
        self.network.reconfigure(RealmConfig {
            roles: realm_roles(model::syntax(self.model.roles.as_ref())),
            ..config.clone()
        });
        self.gather();
        self.model.reconfigure(config);
        self.compare("other policies");
    }

    /// The router ends, and another begins with the same store.
    fn restart(&mut self) {
        self.network.restart(RealmConfig {
            roles: realm_roles(model::syntax(self.model.roles.as_ref())),
            ..self.model.config.clone()
        });
        self.model.restart();
        self.open_calls.clear();
        self.calls_in_parts.clear();
        self.last_heard.clear();
        self.compare("a restart");
    }

    fn pass(&mut self) {
        let ms = match self.dice.roll(20) {
            0 => self.dice.roll(1500) as u64,
            // Until the very moment at which something becomes too old.
            1..8 => match self.model.next_expiry() {
                Some(expires) => expires.saturating_sub(self.model.unix_ms()).min(1500),
                None => return,
            },
            _ => self.dice.roll(60) as u64,
        };
        self.network.pass(ms);
        self.gather();
        self.model.pass(ms);
        self.compare("time passing");
    }
}

/// What a client announces: often everything.
fn some_features(dice: &mut Dice) -> wampy_proto::Roles {
    match dice.roll(8) {
        0 => no_features(),
        1 => every_feature_but(&[Feature::CallCanceling]),
        2 => every_feature_but(&[Feature::ProgressiveCallResults, Feature::CallTrustlevels]),
        3 => every_feature_but(&[Feature::ProgressiveCallInvocations, Feature::CallTimeout]),
        4 => every_feature_but(&[
            Feature::PayloadPassthruMode,
            Feature::CallReroute,
            Feature::RegistrationRevocation,
            Feature::SubscriptionRevocation,
        ]),
        _ => every_feature(),
    }
}

/// Whether a client has every feature of its kind but that to cancel calls.
fn cancels_silently(roles: &wampy_proto::Roles) -> bool {
    let features = Role::CLIENT.map(|role| roles.get(role).unwrap());
    features.into_iter().all(|features| {
        features.contains(Feature::CallTimeout) && !features.contains(Feature::CallCanceling)
    })
}

fn every_feature_but(missing: &[Feature]) -> wampy_proto::Roles {
    let mut roles = every_feature();
    for role in Role::CLIENT {
        let mut features = roles.get(role).unwrap();
        for &feature in missing {
            features.remove(feature);
        }
        roles.set(role, features);
    }
    roles
}

/// A message without what the model does not know: publication ids, the words of errors.
fn normalized(mut message: Json) -> Json {
    match message[0].as_u64() {
        // The model does not know the words with which the realm explains a refusal.
        Some(8) => {
            let uri = message[4].as_str().unwrap_or_default();
            if uri.starts_with("wamp.error.") {
                message.as_array_mut().unwrap().truncate(5);
                message[3] = json!({});
            }
        }
        // Nor those with which it ends a session.
        Some(6) if message[2] == "wamp.error.protocol_violation" => message[1] = json!({}),
        Some(36 | 17) => message[2] = json!(0),
        // Nobody knows the session by which the realm asks authorizers.
        Some(68) if message[3]["caller_authid"] == "wampy.authorizer" => {
            message[3]["caller"] = json!(0);
        }
        // The history names publications.
        Some(50) => {
            let results = message.get_mut(3).and_then(Json::as_array_mut);
            for event in results.into_iter().flatten() {
                if event.get("publication").is_some() {
                    event["publication"] = json!(0);
                }
                sort_ids(event);
                let lists = event.as_object_mut();
                for (policy, list) in lists.into_iter().flatten() {
                    if MatchPolicy::ALL.iter().any(|it| it.as_str() == policy) {
                        sort_ids(list);
                    }
                }
            }
        }
        _ => {}
    }
    message
}

/// Lists of ids are in no order.
fn sort_ids(list: &mut Json) {
    if let Json::Array(ids) = list
        && ids.iter().all(Json::is_u64)
    {
        ids.sort_unstable_by_key(Json::as_u64);
    }
}

/// Walks; returns what happened.
fn walk(seed: u64, steps: usize) -> BTreeSet<&'static str> {
    let mut walk = Walk::new(seed);
    for _ in 0..steps {
        walk.act();
    }
    // When all have left, nothing is left.
    while !walk.model.sessions.is_empty() {
        walk.leave();
    }
    let kept = wampy_realm::Stats {
        retained_events: walk.model.retained.events.len(),
        history_events: walk.model.history.events.len(),
        ..wampy_realm::Stats::default()
    };
    assert_eq!(walk.network.realm.stats(), kept);
    assert!(walk.open_calls.is_empty());
    walk.model.happened
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
fn every_feature_of_the_realm_is_foretold_by_the_model() {
    let announced = wampy_proto::Roles::announced(&Role::ROUTER);
    for feature in Feature::ALL {
        let is_announced = |&role: &Role| announced.supports(role, feature);
        let shown_by = model::FEATURES.iter().find(|it| it.0 == feature);
        let is_shown = shown_by.is_some_and(|(_, shown_by)| !shown_by.is_empty());
        assert!(
            is_shown || !Role::ROUTER.iter().any(is_announced),
            "{feature:?} is in no walk"
        );
    }
    let shown_by = model::FEATURES.iter().map(|it| it.1);
    let shown_by = shown_by.chain(model::BEYOND.iter().map(|it| it.1));
    for what in shown_by.flatten() {
        assert!(model::EVERYTHING.contains(what), "{what} need not happen");
    }
}

#[test]
fn random_walks_agree_with_the_model() {
    let first = setting("WALK_SEED", FIRST_SEED);
    let walks = setting("WALKS", WALKS);
    let taken = AtomicU64::new(0);
    let one_after_another = || {
        let mut happened = BTreeSet::new();
        loop {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            if number >= walks {
                return happened;
            }
            let repeat = Repeat(first + number);
            happened.extend(walk(repeat.0, STEPS));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let happened = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(one_after_another))
            .collect();
        let happened = threads.into_iter().map(|thread| thread.join().unwrap());
        happened.flatten().collect::<BTreeSet<_>>()
    });
    // Walks that never get somewhere prove nothing about it; but a few of any seeds may not.
    let has_those_of_every_day = first == FIRST_SEED && walks >= WALKS;
    if has_those_of_every_day || walks >= WALKS_THAT_SHOW_ALL {
        let never = |what: &&str| !happened.contains(what);
        let never: Vec<_> = model::EVERYTHING.into_iter().filter(never).collect();
        assert!(never.is_empty(), "never happened: {never:?}");
    }
}
