//! The walk looks again at what has just become too old, or is just about to.

use serde_json::json;
use wampy_proto::MatchPolicy;

use super::Walk;
use super::dice::{META_TOPICS, URIS, WILDCARDS};
use super::model::{Need, Register, Request};
use crate::simulated::Client;

impl Walk {
    /// A session asks again for something that an authorizer has decided about.
    pub fn need_again(&mut self, client: Client, need: &Need) {
        let is_there = self.model.sessions.iter().any(|it| it.client == client);
        let known = URIS.iter().chain(&WILDCARDS).chain(&META_TOPICS);
        let Some(&uri) = known.copied().find(|it| *it == need.uri).as_ref() else {
            return;
        };
        if !is_there {
            return;
        }
        let (number, policy) = (self.request_number(), need.policy);
        let request = match need.action {
            "call" => Request::Call {
                procedure: uri,
                options: json!({}),
                args: json!([self.network.id(client), number]),
            },
            "publish" if policy == MatchPolicy::Exact => Request::Publish {
                topic: uri,
                options: json!({"acknowledge": true}),
                args: json!([self.network.id(client), number]),
            },
            "subscribe" => Request::Subscribe {
                uri,
                policy,
                options: json!({"match": policy.as_str()}),
            },
            "register" => Request::Register(Register::plain(uri, policy)),
            _ => return,
        };
        self.request(client, number, request, "a need again");
    }

    /// Somebody wants the retained events and the history of a topic.
    pub fn look_for_events(&mut self, topic: &str) {
        let topics = URIS.into_iter();
        if let Some(uri) = topics.into_iter().find(|it| *it == topic) {
            self.subscribe_again(uri);
            self.get_events();
        }
    }

    /// Somebody subscribes, perhaps again, to get what is retained of a topic.
    pub fn subscribe_again(&mut self, uri: &'static str) {
        let (client, number) = (self.anybody(), self.request_number());
        // By a prefix it gets those of other topics with it.
        let (uri, policy) = match self.dice.chance(40) {
            true => (self.dice.pick(&["a", "a.b", "b"]), MatchPolicy::Prefix),
            false => (uri, MatchPolicy::Exact),
        };
        let wanted = Request::Subscribe {
            uri,
            policy,
            options: json!({"match": policy.as_str(), "get_retained": true}),
        };
        self.request(client, number, wanted, "SUBSCRIBE for retained events");
    }
}
