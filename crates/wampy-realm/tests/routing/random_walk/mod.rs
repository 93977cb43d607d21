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
