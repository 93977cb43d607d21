//! The broker: subscriptions, and who gets an event.

use serde_json::{Value as Json, json};
use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::Disclosure;

use super::sessions::Session;
use super::{Model, fresh, owner};
use crate::simulated::Client;

#[derive(Clone)]
pub struct Subscription {
    pub id: u64,
    pub uri: &'static str,
    pub policy: MatchPolicy,
    created: String,
    pub members: Vec<Client>,
    /// The members that are nodes, each with its `nkey`.
    nodes: Vec<(Client, String)>,
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
        let node = nkey.map(|nkey| (client, nkey.to_owned()));
        self.nodes.extend(node);
    }

    pub fn node(&self, client: Client) -> Option<&str> {
        let mut nodes = self.nodes.iter();
        nodes
            .find(|(node, _)| *node == client)
            .map(|(_, nkey)| &**nkey)
    }

    /// Whether a member is among those to whom events with this `rkey` go.
    pub fn gives(&self, rkey: Option<&str>, member: Client) -> bool {
        match (self.node(member), rkey) {
            (Some(node), Some(rkey)) => {
                owner(rkey, self.nodes.iter().map(|(_, nkey)| &**nkey)) == Some(node)
            }
            _ => true,
        }
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
    pub excluded: Option<u64>,
    /// When it was published, and when it is too old to be kept.
    pub unix_ms: u64,
    pub expires: Option<u64>,
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
        let matches = |it: &&Subscription| it.policy.matches(it.uri, topic);
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
                self.note("an event came by a pattern");
                details["topic"] = json!(topic);
            }
            for &member in &subscription.members {
                if !wanted(&subscription, self.session(member)) {
                    continue;
                }
                match self.why_not_take(member, args) {
                    None => self.expect(member, json!([36, subscription.id, 0, details, args])),
                    Some(_) => self.note("an event was too large for its subscriber"),
                }
            }
        }
    }

    pub fn meta_event(&mut self, topic: &str, args: Json) {
        self.event(&format!("wamp.{topic}"), &json!({}), &args, |_, _| true);
    }

    pub fn subscribe(
        &mut self,
        client: Client,
        request: u64,
        uri: &'static str,
        policy: MatchPolicy,
        options: &Json,
    ) {
        let nkey = options["nkey"].as_str();
        if self.is_malformed(uri) {
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
        let (id, is_new, created) = match known {
            Some(known) if known.members.contains(&client) => (known.id, false, false),
            _ if held >= self.config.subscriptions_per_session_max => {
                return self.expect_error(client, 32, request, "not_authorized");
            }
            Some(subscription) => {
                subscription.members.push(client);
                (subscription.id, true, false)
            }
            None => {
                let granted = self.seen_granted(client, 33, request);
                let id = fresh(granted, &mut self.subscription_ids);
                let created = self.date(self.unix_ms());
                self.subscriptions.push(Subscription {
                    id,
                    uri,
                    policy,
                    created,
                    members: vec![client],
                    nodes: Vec::new(),
                });
                (id, true, true)
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
        let session = self.session(client).id;
        if created {
            let details = self.subscription_details(&subscription);
            self.meta_event("subscription.on_create", json!([session, details]));
        }
        if is_new {
            self.meta_event("subscription.on_subscribe", json!([session, id]));
        }
    }

    /// What those subscriptions are to that have nodes, each with a node.
    pub fn with_nodes(&self) -> Vec<(&'static str, MatchPolicy, Client)> {
        let all = self.subscriptions.iter();
        all.filter_map(|it| Some((it.uri, it.policy, it.nodes.first()?.0)))
            .collect()
    }

    /// The topics to which a session has subscribed by exactly their names.
    pub fn exact_topics_of(&self, client: Client) -> Vec<&'static str> {
        let own = self
            .subscriptions
            .iter()
            .filter(|it| it.members.contains(&client));
        let exact = own.filter(|it| it.policy == MatchPolicy::Exact);
        exact.map(|it| it.uri).collect()
    }

    /// Whether anybody has subscribed to exactly a topic, so that its form is not looked at.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        let mut all = self.subscriptions.iter();
        all.any(|it| it.uri == topic && it.policy == MatchPolicy::Exact)
    }

    /// What the meta API tells of a subscription.
    pub fn subscription_details(&self, it: &Subscription) -> Json {
        json!({"id": it.id, "created": it.created, "uri": it.uri, "match": it.policy.as_str()})
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
        let is_malformed = self.is_malformed(topic) && !self.is_subscribed_to(topic);
        if is_malformed || topic.starts_with("wamp.") {
            if acknowledge {
                self.expect_error(client, 16, request, "invalid_uri");
            }
            return;
        }
        if self.denies_publisher(options) {
            if acknowledge {
                self.expect_error(client, 16, request, "option_disallowed.disclose_me");
            }
            return;
        }
        let publisher = self.session(client).clone();
        let excluded = Some(publisher.id).filter(|_| options["exclude_me"] != false);
        let is_published = self.publish_event(&publisher, excluded, options, topic, args);
        match is_published {
            _ if !acknowledge => {}
            true => self.expect(client, json!([17, request, 0])),
            false => {
                self.note("an event could not be stored");
                self.expect_error(client, 16, request, "unavailable");
            }
        }
    }

    /// Whether the realm refuses to make a publisher known that wants to be.
    pub fn denies_publisher(&mut self, options: &Json) -> bool {
        let denies = options["disclose_me"] == true
            && self.config.publisher_disclosure == Disclosure::Denied;
        if denies {
            self.note("a publisher was not to be disclosed");
        }
        denies
    }

    /// Publishes what is allowed; the publisher may be gone. Returns whether that went well.
    pub fn publish_event(
        &mut self,
        publisher: &Session,
        excluded: Option<u64>,
        options: &Json,
        topic: &str,
        args: &Json,
    ) -> bool {
        let mut details = json!({});
        let always = self.config.publisher_disclosure == Disclosure::Always;
        if options["disclose_me"] == true || always {
            self.note("a publisher was disclosed");
            details = json!({
                "publisher": publisher.id, "publisher_authid": publisher.authid,
                "publisher_authrole": publisher.authrole,
            });
        }
        if let Some(level) = publisher.trust_level {
            details["trustlevel"] = json!(level);
            self.note("a subscriber learned how far its publisher is trusted");
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
            expires: None,
        };
        if event.is_too_large() {
            self.note("an event was too large to be kept");
        }
        if !self.keep(&event, options["acknowledge"] == true) {
            return false;
        }
        let rkey = options["rkey"].as_str();
        self.note_selection(&event, publisher);
        self.event(topic, &event.details, args, |subscription, receiver| {
            subscription.gives(rkey, receiver.client) && event.reaches(receiver)
        });
        true
    }

    /// Notes what chooses among those who could get an event.
    fn note_selection(&mut self, event: &Published, publisher: &Session) {
        let rkey = event.options["rkey"].as_str();
        let matching = self.subscriptions.iter();
        let matching = matching.filter(|it| it.policy.matches(it.uri, &event.topic));
        let members = matching.flat_map(|it| it.members.iter().map(move |&member| (it, member)));
        let members: Vec<_> = members.collect();
        let of_others = members.iter().any(|&(it, member)| !it.gives(rkey, member));
        let receivers = members.iter().map(|&(_, member)| self.session(member));
        let is_own = |it: &Session| it.id == publisher.id && event.reaches(it);
        let (own, left_out) = (
            receivers.clone().any(is_own),
            receivers.clone().any(|it| !event.lists_admit(it)),
        );
        for (note, holds) in [
            ("an event belonged to another node", of_others),
            ("a publisher got its own event", own),
            ("a list left a session out", left_out),
        ] {
            if holds {
                self.note(note);
            }
        }
    }

    /// `wamp.subscription.remove_subscriber`
    pub fn remove_subscriber(&mut self, id: u64, session: u64) -> Result<(), &'static str> {
        let mut all = self.subscriptions.iter();
        let found = all.find(|it| it.id == id).ok_or("no_such_subscription")?;
        let of = self.client_of(session).ok_or("no_such_session")?;
        if !found.members.contains(&of) {
            return Err("no_such_subscription");
        }
        self.note("a subscription was revoked");
        self.revoke_subscription(id, of, "why");
        Ok(())
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
