//! The broker: subscriptions, and who gets an event.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::Disclosure;

use super::sessions::Session;
use super::{Model, SUBSCRIPTIONS_MAX, fresh};
use crate::simulated::Client;

#[derive(Clone)]
pub struct Subscription {
    pub id: u64,
    pub uri: String,
    pub policy: MatchPolicy,
    pub members: Vec<Client>,
    /// The members that are nodes, each with its `nkey`.
    nodes: Vec<(Client, String)>,
    /// Which node the keys of events belonged to since the nodes last changed.
    owners: Vec<(String, String)>,
}

impl Subscription {
    /// Takes a member out; returns whether it was one.
    pub fn remove(&mut self, client: Client) -> bool {
        let before = self.members.len();
        self.members.retain(|&member| member != client);
        self.set_node(client, None);
        self.members.len() < before
    }

    fn set_node(&mut self, client: Client, nkey: Option<&str>) {
        self.nodes.retain(|(node, _)| *node != client);
        self.owners.clear();
        let node = nkey.map(|nkey| (client, nkey.to_owned()));
        self.nodes.extend(node);
    }

    fn node(&self, client: Client) -> Option<&str> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|(node, _)| *node == client)
            .map(|(_, nkey)| &**nkey)
    }
}

/// An event of a session's.
#[derive(Clone)]
pub struct Published {
    pub topic: String,
    pub options: Json,
    pub details: Json,
    pub args: Json,
    /// The publisher's session, if it does not get the event itself.
    excluded: Option<u64>,
    /// When it was published.
    pub unix_ms: u64,
}

impl Published {
    fn listed(&self, key: &str, value: Json) -> Option<bool> {
        let list = self.options[key].as_array();
        list.map(|list| list.contains(&value))
    }

    pub fn lists_admit(&self, receiver: &Session) -> bool {
        self.listed("eligible", json!(receiver.id)) != Some(false)
            && self.listed("eligible_authid", json!(receiver.authid)) != Some(false)
            && self.listed("eligible_authrole", json!(receiver.authrole)) != Some(false)
            && self.listed("exclude", json!(receiver.id)) != Some(true)
            && self.listed("exclude_authid", json!(receiver.authid)) != Some(true)
            && self.listed("exclude_authrole", json!(receiver.authrole)) != Some(true)
    }

    /// Whether a subscriber gets the event, but for its `rkey`.
    pub fn reaches(&self, receiver: &Session) -> bool {
        let reads = self.options["ppt_scheme"].is_null()
            || receiver
                .roles
                .supports(Role::Subscriber, Feature::PayloadPassthruMode);
        reads && self.excluded != Some(receiver.id) && self.lists_admit(receiver)
    }

    /// Which publication it is: nobody else's has the same.
    pub fn number(&self) -> &Json {
        &self.args[1]
    }
}

impl Model {
    /// Sends an event to all subscribers that pass `wanted`: by the exact subscription first, then by
    /// prefixes, the shortest first, then by wildcards.
    fn event(
        &mut self,
        topic: &str,
        details: &Json,
        args: &Json,
        wanted: impl Fn(&Subscription, &Session) -> bool,
    ) {
        let matches = |it: &&Subscription| it.policy.matches(&it.uri, topic);
        let matching = self.subscriptions.iter().filter(matches);
        let mut matching: Vec<Subscription> = matching.cloned().collect();
        matching.sort_by_key(|it| {
            let wild: Vec<bool> = it.uri.split('.').map(str::is_empty).collect();
            let length = it.uri.len();
            (
                it.policy,
                (it.policy == MatchPolicy::Prefix).then_some(length),
                wild,
            )
        });
        for subscription in matching {
            let mut details = details.clone();
            if subscription.policy != MatchPolicy::Exact {
                details["topic"] = json!(topic);
            }
            for &member in &subscription.members {
                if !wanted(&subscription, self.session(member)) {
                    continue;
                }
                if self.takes(member, args) {
                    self.expect(member, json!([36, subscription.id, 0, details, args]));
                } else {
                    self.note("an event was too large for its subscriber");
                }
            }
        }
    }

    /// Finds out to which node of each subscription an event with an `rkey` belongs, where that is not
    /// known: to the one that got it, or else to one that could not.
    fn learn_owners(&mut self, event: &Published, rkey: &str) {
        let (seen, sessions) = (&self.seen, &self.sessions);
        for it in &mut self.subscriptions {
            let matches = it.policy.matches(&it.uri, &event.topic);
            if !matches || it.nodes.is_empty() || it.owners.iter().any(|(key, _)| key == rkey) {
                continue;
            }
            let got = |client: &Client| {
                let mut messages = seen.get(client).into_iter().flatten();
                messages.any(|m| m[0] == 36 && m[1] == it.id && m[4] == event.args)
            };
            if let Some((_, node)) = it.nodes.iter().find(|(client, _)| got(client)) {
                it.owners.push((rkey.to_owned(), node.clone()));
                continue;
            }
            let reached = |client: Client| {
                let session = sessions.iter().find(|it| it.client == client).unwrap();
                event.reaches(session) && session.takes(&event.args)
            };
            let mut nodes = it.nodes.iter();
            let idle = |nkey: &str| {
                let mut same = it.nodes.iter().filter(|(_, other)| other == nkey);
                !same.any(|&(client, _)| reached(client))
            };
            assert!(nodes.any(|(_, nkey)| idle(nkey)), "no node got the event");
        }
    }

    pub fn meta_event(&mut self, topic: &str, args: Json) {
        self.event(&format!("wamp.{topic}"), &json!({}), &args, |_, _| true);
    }

    /// `granted` is the id that SUBSCRIBED names, if it came.
    pub fn subscribe(
        &mut self,
        client: Client,
        request: u64,
        uri: &str,
        policy: MatchPolicy,
        options: &Json,
        granted: Option<u64>,
    ) {
        let nkey = options["nkey"].as_str();
        if uri.contains(' ') {
            return self.expect_error(client, 32, request, "invalid_uri");
        }
        if self.forbids(client, "subscribe", uri, policy) {
            return self.expect_error(client, 32, request, "not_authorized");
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
                subscription.set_node(client, nkey);
                let subscription = subscription.clone();
                self.expect(client, json!([33, request, subscription.id]));
                if options["get_retained"] == true {
                    self.send_retained(client, &subscription);
                }
                return;
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
                    nodes: Vec::new(),
                    owners: Vec::new(),
                });
                (id, true)
            }
        };
        self.expect(client, json!([33, request, id]));
        let mut all = self.subscriptions.iter_mut();
        let subscription = all.find(|it| it.id == id).unwrap();
        subscription.set_node(client, nkey);
        let subscription = subscription.clone();
        if options["get_retained"] == true {
            self.send_retained(client, &subscription);
        }
        if created {
            let details = json!({
                "id": id, "created": self.date(self.unix_ms()), "uri": uri,
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
        subscription.remove(client);
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
        if self.forbids(client, "publish", topic, MatchPolicy::Exact) {
            if acknowledge {
                self.expect_error(client, 16, request, "not_authorized");
            }
            return;
        }
        let publisher = self.session(client).clone();
        let excluded = Some(publisher.id).filter(|_| options["exclude_me"] != false);
        self.publish_event(&publisher, excluded, options, topic, args);
        if acknowledge {
            self.expect(client, json!([17, request, 0]));
        }
    }

    /// Publishes what is allowed; the publisher may be gone.
    pub fn publish_event(
        &mut self,
        publisher: &Session,
        excluded: Option<u64>,
        options: &Json,
        topic: &str,
        args: &Json,
    ) {
        let mut details = json!({});
        let always = self.config.publisher_disclosure == Disclosure::Always;
        if self.discloses(publisher, topic) || options["disclose_me"] == true || always {
            details = json!({
                "publisher": publisher.id, "publisher_authid": publisher.authid,
                "publisher_authrole": publisher.authrole,
            });
        }
        if let Some(level) = publisher.trust_level {
            details["trustlevel"] = json!(level);
        }
        if !options["ppt_scheme"].is_null() {
            details["ppt_scheme"] = options["ppt_scheme"].clone();
        }
        let event = Published {
            topic: topic.to_owned(),
            options: options.clone(),
            details,
            args: args.clone(),
            excluded,
            unix_ms: self.unix_ms(),
        };
        self.keep(&event);
        let rkey = options["rkey"].as_str();
        if let Some(rkey) = rkey {
            self.learn_owners(&event, rkey);
        }
        self.event(topic, &event.details, args, |subscription, receiver| {
            let mut owners = subscription.owners.iter();
            let owner = owners.find(|(key, _)| Some(&**key) == rkey);
            let belongs = match subscription.node(receiver.client) {
                Some(node) if rkey.is_some() => owner.is_some_and(|(_, owner)| owner == node),
                _ => true,
            };
            belongs && event.reaches(receiver)
        });
    }

    /// `wamp.subscription.remove_subscriber`
    pub fn remove_subscriber(&mut self, client: Client, request: u64, id: u64, of: Client) {
        let mut held = self.subscriptions.iter();
        if !held.any(|it| it.id == id && it.members.contains(&of)) {
            return self.expect_error(client, 48, request, "no_such_subscription");
        }
        self.note("a subscription was revoked");
        self.revoke_subscription(id, of, "why");
        self.expect(client, json!([50, request, {}]));
    }

    pub fn revoke_subscription(&mut self, id: u64, of: Client, reason: &str) {
        let mut subscriptions = self.subscriptions.iter_mut();
        let subscription = subscriptions.find(|it| it.id == id).unwrap();
        subscription.remove(of);
        let deleted = subscription.members.is_empty();
        self.drop_empty();
        let session = self.session(of);
        let (session_id, roles) = (session.id, session.roles);
        if roles.supports(Role::Subscriber, Feature::SubscriptionRevocation) {
            let details = json!({"subscription": id, "reason": reason});
            self.expect(of, json!([35, 0, details]));
        }
        self.left("subscription", session_id, id, deleted);
    }
}
