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
//! the router's and the clients', and have tests of their own.

mod again;
mod asking;
mod calling;
mod changing;
mod checking;
mod config;
mod dice;
mod joining;
mod model;
mod publishing;
mod registering;
mod running;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;
use wampy_realm::RealmConfig;

use crate::authorization::roles as realm_roles;
use crate::simulated::{Client, Network, UNENCODABLE};
use config::{config, some_roles};
use dice::{Dice, META_TOPICS, URIS, WILDCARDS};
use model::{LARGE, Model, Session};

const SESSIONS_MAX: usize = 8;

type Action = fn(&mut Walk);

/// What may happen in a step, and in how many of a thousand steps it does.
const ACTIONS: [(Action, usize); 22] = [
    (Walk::join, 50),
    (Walk::leave, 30),
    (Walk::subscribe, 88),
    (Walk::unsubscribe, 40),
    (Walk::publish, 120),
    (Walk::register, 85),
    (Walk::unregister, 30),
    (Walk::call, 190),
    (Walk::part, 40),
    (Walk::answer, 162),
    (Walk::cancel, 45),
    (Walk::pass, 30),
    (Walk::define, 20),
    (Walk::testament, 14),
    (Walk::ask, 18),
    (Walk::get_events, 20),
    (Walk::revoke, 5),
    (Walk::kill, 2),
    (Walk::answer_unasked, 2),
    (Walk::set_roles, 4),
    (Walk::reconfigure, 2),
    (Walk::change_router, 3),
];

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
    /// calls wait.
    fn args(&mut self, client: Client, number: u64) -> Json {
        let id = self.network.id(client);
        let waiting = self.model.calls.iter().filter(|it| it.callee.is_none());
        let percent = match waiting.map(|it| model::is_large(&it.args)).max() {
            Some(true) => 50,
            Some(false) => 25,
            None => 10,
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

    /// Somebody, or the router itself, who calls.
    fn any_caller(&mut self) -> Client {
        match &self.model.internal {
            Some(internal) if self.dice.chance(10) => internal.client,
            _ => self.anybody(),
        }
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

    fn act(&mut self) {
        if self.model.sessions.is_empty() {
            return self.join();
        }
        let mut roll = self.dice.roll(1000);
        for (action, permille) in ACTIONS {
            if roll < permille {
                return action(self);
            }
            roll -= permille;
        }
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
