//! The walk subscribes and publishes.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, Role};

use super::Walk;
use super::dice::URIS;
use super::model::{LARGE, Request};
use crate::simulated::Client;

impl Walk {
    pub fn subscribe(&mut self) {
        let (mut client, request) = (self.anybody(), self.request_number());
        let (mut uri, mut policy) = self.pattern(true);
        // Nodes want others beside them.
        let nodes = self.model.with_nodes();
        let joins_nodes = !nodes.is_empty() && self.dice.chance(35);
        if joins_nodes {
            let node;
            (uri, policy, node) = self.dice.pick(&nodes);
            // A node may want to be another, or none.
            if self.dice.chance(30) {
                client = node;
            }
        }
        let mut options = json!({"match": policy.as_str()});
        if self.dice.chance(if joins_nodes { 80 } else { 35 }) {
            options["nkey"] = json!(self.dice.pick(&["node1", "node2", "node3"]));
        }
        if self.dice.chance(if joins_nodes { 70 } else { 40 }) {
            options["get_retained"] = json!(true);
        }
        let wanted = Request::Subscribe {
            uri,
            policy,
            options,
        };
        self.request(client, request, wanted, "SUBSCRIBE");
    }

    pub fn unsubscribe(&mut self) {
        let asked: Vec<u64> = self
            .model
            .histories_asked_for()
            .iter()
            .map(|it| it.1)
            .collect();
        let awaited = self
            .model
            .subscriptions
            .iter()
            .filter(|it| asked.contains(&it.id));
        let awaited: Vec<_> = awaited.map(|it| (it.members[0], it.id)).collect();
        let (client, request) = (self.anybody(), self.request_number());
        // What somebody waits to hear of is the most interesting to go.
        if !awaited.is_empty() && self.dice.chance(70) {
            let (client, id) = self.dice.pick(&awaited);
            return self.request(client, request, Request::Unsubscribe(id), "UNSUBSCRIBE");
        }
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
        self.request(client, request, Request::Unsubscribe(id), "UNSUBSCRIBE");
    }

    pub fn publish(&mut self) {
        let (client, request) = (self.anybody(), self.request_number());
        let mut options = self.publish_options(client, true);
        let mut topic = self.dice.pick(&URIS);
        // At times one to which it has subscribed itself.
        let own = self.model.exact_topics_of(client);
        if !own.is_empty() && self.dice.chance(20) {
            topic = self.dice.pick(&own);
        }
        // Of a topic there may be several retained events, each for others.
        let crowded = self.model.retained.crowded();
        let joins_others = !crowded.is_empty() && self.dice.chance(15);
        if joins_others {
            topic = URIS[self.dice.roll(URIS.len())];
            if let Some(known) = URIS
                .into_iter()
                .find(|it| crowded.contains(&(*it).to_owned()))
            {
                topic = known;
            }
            options["retain"] = json!(true);
            options["eligible_authrole"] = json!([self.dice.pick(&["user", "admin"])]);
        }
        // What waits breaks the protocol later, when its turn comes.
        if self.model.waits(client) && self.dice.chance(10) {
            options["ppt_scheme"] = json!("x_test");
        }
        let mut args = self.args(client, request);
        let more = args.as_array_mut().unwrap();
        // Where large events are kept others come to them.
        let percent = match self.model.keeps_large_events() {
            true => 30,
            false => 10,
        };
        if self.dice.chance(percent) {
            more.push(json!("x".repeat(LARGE)));
        }
        let wanted = Request::Publish {
            topic,
            options,
            args,
        };
        self.request(client, request, wanted, "PUBLISH");
        if joins_others && !self.model.sessions.is_empty() {
            self.subscribe_again(topic);
        }
    }

    /// At times with a payload to be passed through; where `may_err`, at times by somebody who may not.
    pub fn publish_options(&mut self, client: Client, may_err: bool) -> Json {
        let mut options = json!({});
        for (key, percent) in [("acknowledge", 50), ("disclose_me", 20), ("exclude_me", 30)] {
            if self.dice.chance(percent) {
                options[key] = json!(self.dice.chance(50));
            }
        }
        // Many have no others, as most publications.
        if may_err && self.dice.chance(25) {
            return options;
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
        let is_retained = self.dice.chance(20);
        if is_retained {
            options["retain"] = json!(true);
        }
        if self.dice.chance(if is_retained { 60 } else { 30 }) {
            options["rkey"] = json!(self.dice.pick(&["k1", "k2", "k3"]));
        }
        let roles = self.model.session(client).roles;
        let may_pass = roles.supports(Role::Publisher, Feature::PayloadPassthruMode);
        if self.dice.chance(10) && (may_pass || may_err && self.dice.chance(30)) {
            options["ppt_scheme"] = json!("x_test");
        }
        options
    }
}
