//! A random walk through a realm whose authorizer answers, fails, stalls, leaves and is replaced.
//!
//! Whatever happens, each request is answered once, the answers of a session keep the order of its
//! requests, nothing forbidden is granted and nothing allowed forbidden.

use std::collections::VecDeque;

use serde_json::{Value as Json, json};
use wampy_realm::RealmConfig;

use crate::authorization::{everything, join, roles};
use crate::simulated::{Client, Network};

const AUTHORIZER: &str = "com.example.authorize";

/// SplitMix64, as simple as it can be.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) % bound as u64) as usize
    }
}

struct User {
    client: Client,
    next_request: u64,
    /// Requests that were not answered, with their URIs.
    waiting: VecDeque<(u64, String)>,
}

struct Walk {
    random: Random,
    network: Network,
    authorizer: Option<Client>,
    questions: Vec<Json>,
    users: Vec<User>,
    granted: usize,
    forbidden: usize,
    failed: usize,
}

/// What every authorizer and every permission of the walk says.
fn is_allowed(uri: &str) -> bool {
    uri.starts_with("open.")
}

fn asked() -> Json {
    json!([everything(), {"name": "user", "authorizer": AUTHORIZER}])
}

fn permitted() -> Json {
    let all = json!({"call": true, "register": true, "publish": true, "subscribe": true});
    json!([everything(), {"name": "user", "permissions": [{"uri": "open.*", "allow": all}]}])
}

impl Walk {
    fn new(seed: u64) -> Self {
        let network = Network::with(RealmConfig {
            roles: roles(asked()),
            authorizer_answers_per_session_max: 3,
            authorizer_timeout_ms: 1000,
            authorizer_answer_lifetime_ms: 3000,
            ..RealmConfig::default()
        });
        Self {
            random: Random(seed),
            network,
            authorizer: None,
            questions: Vec::new(),
            users: Vec::new(),
            granted: 0,
            forbidden: 0,
            failed: 0,
        }
    }

    fn step(&mut self) {
        match self.random.below(40) {
            0 if self.users.len() < 5 => {
                let name = format!("user{}", self.random.below(3));
                let client = join(&mut self.network, &name, "user");
                self.users.push(User {
                    client,
                    next_request: 1,
                    waiting: VecDeque::new(),
                });
            }
            1 if self.users.len() > 1 => {
                let at = self.random.below(self.users.len());
                let user = self.users.swap_remove(at);
                self.network.leave(user.client);
            }
            2 => self.change_authorizer(),
            3 => {
                let ms = self.random.below(700) as u64;
                self.network.pass(ms);
            }
            4 => {
                let of = if self.random.below(3) > 0 {
                    asked()
                } else {
                    permitted()
                };
                self.network.set_roles(roles(of));
            }
            5..=18 => self.answer(),
            _ => self.request(),
        }
        self.take_in();
    }

    fn change_authorizer(&mut self) {
        if let Some(authorizer) = self.authorizer.take() {
            self.network.leave(authorizer);
            self.questions.clear();
        } else {
            let authorizer = join(&mut self.network, "judge", "backend");
            self.network.register(authorizer, AUTHORIZER, json!({}));
            self.authorizer = Some(authorizer);
        }
    }

    fn answer(&mut self) {
        let Some(authorizer) = self.authorizer else {
            return self.change_authorizer();
        };
        if self.questions.is_empty() {
            return;
        }
        let at = self.random.below(self.questions.len());
        let question = self.questions.remove(at);
        let allow = is_allowed(question[4][1].as_str().unwrap());
        let answer = match self.random.below(8) {
            0 => json!([8, 68, question[1], {}, "com.example.broken"]),
            1 => json!([70, question[1], {}, ["maybe"]]),
            2..=4 => json!([70, question[1], {}, [{"allow": allow, "cache": true}]]),
            _ => json!([70, question[1], {}, [allow]]),
        };
        self.network.send(authorizer, answer);
    }

    fn request(&mut self) {
        if self.users.is_empty() {
            return;
        }
        let at = self.random.below(self.users.len());
        let word = ["open", "shut"][self.random.below(2)];
        let uri = format!("{word}.{}", self.random.below(3));
        let kind = self.random.below(5);
        let user = &mut self.users[at];
        let request = user.next_request;
        user.next_request += 1;
        let message = match kind {
            0 => json!([16, request, {"acknowledge": true}, uri]),
            1 => json!([32, request, {}, uri]),
            2 => json!([64, request, {"invoke": "roundrobin"}, uri]),
            // Nobody has registered it.
            3 => json!([48, request, {}, format!("{uri}.nothing")]),
            _ => json!([32, request, {"match": "prefix"}, uri]),
        };
        user.waiting.push_back((request, uri));
        self.network.send(user.client, message);
    }

    /// Looks at everything that was received.
    fn take_in(&mut self) {
        if let Some(authorizer) = self.authorizer {
            let received = self.network.received(authorizer);
            let questions = received.into_iter().filter(|message| message[0] == 68);
            self.questions.extend(questions);
        }
        for user in &mut self.users {
            for message in self.network.received(user.client) {
                let request = match message[0].as_u64().unwrap() {
                    8 => message[2].as_u64().unwrap(),
                    17 | 33 | 65 => message[1].as_u64().unwrap(),
                    // Events, and what was revoked.
                    36 | 35 | 67 => continue,
                    other => panic!("{other}: {message}"),
                };
                let (expected, uri) = user.waiting.pop_front().expect("a request");
                assert_eq!(request, expected, "{message}");
                match message[4].as_str().filter(|_| message[0] == 8) {
                    Some("wamp.error.authorization_failed") => self.failed += 1,
                    Some("wamp.error.not_authorized") => {
                        assert!(!is_allowed(&uri), "{message}");
                        self.forbidden += 1;
                    }
                    _ => {
                        assert!(is_allowed(&uri), "{message}");
                        self.granted += 1;
                    }
                }
            }
        }
    }

    /// In time everything is answered.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            if self.users.iter().all(|user| user.waiting.is_empty()) {
                break;
            }
            self.network.pass(1000);
            self.take_in();
        }
        for user in &self.users {
            assert!(user.waiting.is_empty(), "{:?}", user.waiting);
        }
        assert_eq!(self.network.realm.stats().pending_calls, 0);
        assert_eq!(self.network.realm.next_timeout_ms(), None);
    }
}

#[test]
fn each_request_is_answered_once_in_order_and_rightly() {
    let mut counts = [0; 3];
    for seed in 0..12 {
        let mut walk = Walk::new(seed);
        for _ in 0..1500 {
            walk.step();
        }
        walk.finish();
        for (count, of_walk) in counts
            .iter_mut()
            .zip([walk.granted, walk.forbidden, walk.failed])
        {
            *count += of_walk;
        }
    }
    // Everything happened, often.
    assert!(counts.iter().all(|&count| count > 500), "{counts:?}");
}
