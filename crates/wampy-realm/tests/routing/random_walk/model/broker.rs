//! The broker: subscriptions, and who gets an event.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};

use super::sessions::Session;
use super::{Model, SUBSCRIPTIONS_MAX, fresh};
use crate::simulated::Client;

#[derive(Clone)]
pub struct Subscription {
    pub id: u64,
    pub uri: String,
    pub policy: MatchPolicy,
    pub members: Vec<Client>,
}

impl Model {
    /// An event for all subscribers that pass `wanted`.
    fn event(
        &mut self,
        topic: &str,
        details: &Json,
        args: &Json,
        wanted: impl Fn(&Session) -> bool,
    ) {
        for subscription in self.subscriptions.clone() {
            if !subscription.policy.matches(&subscription.uri, topic) {
                continue;
            }
            let mut details = details.clone();
            if subscription.policy != MatchPolicy::Exact {
                details["topic"] = json!(topic);
            }
            for member in subscription.members {
                if wanted(self.session(member)) {
                    self.expect(member, json!([36, subscription.id, 0, details, args]));
                }
            }
        }
    }

    pub fn meta_event(&mut self, topic: &str, args: Json) {
        self.event(&format!("wamp.{topic}"), &json!({}), &args, |_| true);
    }

    /// `granted` is the id that SUBSCRIBED names, if it came.
    pub fn subscribe(
        &mut self,
        client: Client,
        request: u64,
        uri: &str,
        policy: MatchPolicy,
        granted: Option<u64>,
    ) {
        if uri.contains(' ') {
            return self.expect_error(client, 32, request, "invalid_uri");
        }
        let held = self
            .subscriptions
            .iter()
            .filter(|s| s.members.contains(&client))
            .count();
        let known = self
            .subscriptions
            .iter_mut()
            .find(|s| s.uri == uri && s.policy == policy);
        let session = self
            .sessions
            .iter()
            .find(|s| s.client == client)
            .unwrap()
            .id;
        let (id, created) = match known {
            Some(subscription) if subscription.members.contains(&client) => {
                let id = subscription.id;
                return self.expect(client, json!([33, request, id]));
            }
            _ if held >= SUBSCRIPTIONS_MAX => {
                return self.expect_error(client, 32, request, "not_authorized");
            }
            Some(subscription) => {
                subscription.members.push(client);
                (subscription.id, false)
            }
            None => {
                let id = fresh(granted, &mut self.subscription_ids);
                let uri = uri.to_owned();
                self.subscriptions.push(Subscription {
                    id,
                    uri,
                    policy,
                    members: vec![client],
                });
                (id, true)
            }
        };
        self.expect(client, json!([33, request, id]));
        if created {
            let details = json!({
                "id": id, "created": "2020-02-28T23:59:59.999Z", "uri": uri,
                "match": policy.as_str(),
            });
            self.meta_event("subscription.on_create", json!([session, details]));
        }
        self.meta_event("subscription.on_subscribe", json!([session, id]));
    }

    pub fn unsubscribe(&mut self, client: Client, request: u64, id: u64) {
        let held = self
            .subscriptions
            .iter_mut()
            .find(|subscription| subscription.id == id && subscription.members.contains(&client));
        let Some(subscription) = held else {
            return self.expect_error(client, 34, request, "no_such_subscription");
        };
        subscription.members.retain(|&member| member != client);
        let deleted = subscription.members.is_empty();
        self.drop_empty();
        self.expect(client, json!([35, request]));
        let session = self.session(client).id;
        self.left("subscription", session, id, deleted);
    }

    /// The options are those that the walk gives: it knows no others.
    pub fn publish(
        &mut self,
        client: Client,
        request: u64,
        options: &Json,
        topic: &str,
        args: &Json,
    ) {
        let acknowledge = options["acknowledge"] == true;
        if topic.contains(' ') || topic.starts_with("wamp.") {
            if acknowledge {
                self.expect_error(client, 16, request, "invalid_uri");
            }
            return;
        }
        let publisher = self.session(client).clone();
        let mut details = json!({});
        if options["disclose_me"] == true {
            details = json!({
                "publisher": publisher.id, "publisher_authid": publisher.authid,
                "publisher_authrole": publisher.authrole,
            });
        }
        if let Some(level) = publisher.trust_level {
            details["trustlevel"] = json!(level);
        }
        let listed =
            |key: &str, value: Json| options[key].as_array().map(|list| list.contains(&value));
        self.event(topic, &details, args, |receiver| {
            (receiver.client != client || options["exclude_me"] == false)
                && listed("eligible", json!(receiver.id)) != Some(false)
                && listed("eligible_authid", json!(receiver.authid)) != Some(false)
                && listed("eligible_authrole", json!(receiver.authrole)) != Some(false)
                && listed("exclude", json!(receiver.id)) != Some(true)
                && listed("exclude_authid", json!(receiver.authid)) != Some(true)
                && listed("exclude_authrole", json!(receiver.authrole)) != Some(true)
        });
        if acknowledge {
            self.expect(client, json!([17, request, 0]));
        }
    }

    /// `wamp.subscription.remove_subscriber`
    pub fn remove_subscriber(&mut self, client: Client, request: u64, id: u64, of: Client) {
        let held = self
            .subscriptions
            .iter_mut()
            .find(|subscription| subscription.id == id && subscription.members.contains(&of));
        let Some(subscription) = held else {
            return self.expect_error(client, 48, request, "no_such_subscription");
        };
        subscription.members.retain(|&member| member != of);
        let deleted = subscription.members.is_empty();
        self.drop_empty();
        self.note("a subscription was revoked");
        let session = self.session(of);
        let (session_id, roles) = (session.id, session.roles);
        if roles.supports(Role::Subscriber, Feature::SubscriptionRevocation) {
            self.expect(of, json!([35, 0, {"subscription": id, "reason": "why"}]));
        }
        self.left("subscription", session_id, id, deleted);
        self.expect(client, json!([50, request, {}]));
    }
}
