//! The subscription meta API.

use wampy_proto::{MatchPolicy, SessionId, SubscriptionId, Value, error_uri};

use super::arguments::Arguments;
use super::{Answer, Revocable, record, session};
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::records::Record;
use crate::refusal::Refusal;
use crate::session::SessionKey;

/// `wamp.subscription.list()` → `{exact, prefix, wildcard}`
pub(super) fn list(realm: &Realm, _: SessionKey, _: &Arguments) -> Result<Answer, Refusal> {
    Ok(Answer::one(record::list(&realm.broker.subscriptions)))
}

/// `wamp.subscription.lookup(topic, options?)` → id or null
pub(super) fn lookup(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    record::lookup(&realm.broker.subscriptions, arguments).map(Answer::one)
}

/// `wamp.subscription.match(topic)` → the ids of all subscriptions that match, or null
pub(super) fn matches(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let topic = arguments.text(0, "topic")?;
    let subscriptions = &realm.broker.subscriptions;
    let exact = subscriptions.lookup(topic, MatchPolicy::Exact);
    let mut found: Vec<_> = exact.into_iter().collect();
    subscriptions.for_each_pattern(topic, |id| found.push(id));
    Ok(Answer::one(if found.is_empty() {
        Value::Null
    } else {
        record::id_list(found)
    }))
}

/// `wamp.subscription.get(subscription)` → `{id, created, uri, match}`
pub(super) fn get(realm: &Realm, _: SessionKey, arguments: &Arguments) -> Result<Answer, Refusal> {
    let (id, subscription) = named(realm, arguments)?;
    Ok(Answer::one(Value::Map(record::details(id, subscription))))
}

/// `wamp.subscription.list_subscribers(subscription)` → session ids
pub(super) fn list_subscribers(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let (_, subscription) = named(realm, arguments)?;
    Ok(Answer::one(session::ids(
        realm,
        subscription.members.iter().copied(),
    )))
}

/// `wamp.subscription.count_subscribers(subscription)` → their number
pub(super) fn count_subscribers(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let (_, subscription) = named(realm, arguments)?;
    Ok(Answer::one(Value::Unsigned(
        subscription.members.len() as u64
    )))
}

/// `wamp.subscription.remove_subscriber(subscription, session; reason)`
///
/// A session that is none of its subscribers is `wamp.error.no_such_subscription`.
pub(super) fn remove_subscriber(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    record::remove_member(
        realm,
        &realm.broker.subscriptions,
        arguments,
        error_uri::NO_SUCH_SUBSCRIPTION,
        |session, id| session.subscriptions.contains_key(&id),
        Revocable::Subscription,
    )
}

pub(super) fn named<'r>(
    realm: &'r Realm,
    arguments: &Arguments,
) -> Result<(SubscriptionId, &'r Record<Vec<SessionKey>>), Refusal> {
    record::named(
        &realm.broker.subscriptions,
        arguments,
        error_uri::NO_SUCH_SUBSCRIPTION,
    )
}

impl Realm {
    /// A session has joined a subscription, which may be new.
    pub(crate) fn announce_subscribed(
        &mut self,
        subscriber: SessionKey,
        id: SubscriptionId,
        created: bool,
        outbox: &mut impl Outbox,
    ) {
        let Some(session) = self
            .sessions
            .get(subscriber)
            .map(|session| session.details.id)
        else {
            return;
        };
        let session = Value::Unsigned(session.value());
        if created {
            let args = |realm: &Self| {
                let subscription = realm.broker.subscriptions.get(id);
                let details = subscription.map_or(Value::Null, |record| {
                    Value::Map(record::details(id, record))
                });
                vec![session.clone(), details]
            };
            self.publish_meta_event("wamp.subscription.on_create", args, outbox);
        }
        let args = |_: &Self| vec![session, Value::Unsigned(id.value())];
        self.publish_meta_event("wamp.subscription.on_subscribe", args, outbox);
    }

    /// A session has left a subscription, which may have been deleted with it.
    pub(crate) fn announce_unsubscribed(
        &mut self,
        subscriber: SessionId,
        id: SubscriptionId,
        deleted: bool,
        outbox: &mut impl Outbox,
    ) {
        let args = |_: &Self| {
            vec![
                Value::Unsigned(subscriber.value()),
                Value::Unsigned(id.value()),
            ]
        };
        self.publish_meta_event("wamp.subscription.on_unsubscribe", args, outbox);
        if deleted {
            self.publish_meta_event("wamp.subscription.on_delete", args, outbox);
        }
    }
}
