//! Interface Reflection: what procedures, topics and errors there are, and what is said about them.
//! How sessions say it is in `definition`.
//!
//! `wamp.reflection.<kind>.list` and `.describe` work from the live registrations and subscriptions as
//! well as from the definitions that sessions make by `wamp.reflect.define`. The specification's
//! chapter names the procedures and events and says nothing of their arguments; those decided here, and
//! the form of a definition, are in `docs/reflection.md`.
//!
//! A session sees what its role may call or register, subscribe or publish to: all that a pattern
//! matches, if it is one. Errors are seen by all.
//!
//! Deliberately absent: the procedures, topics and errors of the protocol itself (those below `wamp.`),
//! which the specification describes and every router has; and topics that somebody only publishes to,
//! because a router that remembered them would grow with every topic ever used.

use std::collections::BTreeSet;

use wampy_proto::{MatchPolicy, Serializer, Value, serializer, uri};

use super::Answer;
use super::arguments::{Arguments, invalid};
use crate::authorizer::Action;
use crate::definitions::{Definition, Kind, Subject};
use crate::realm::Realm;
use crate::records::{RecordId, Records};
use crate::refusal::Refusal;
use crate::session::SessionKey;

/// The keys of a definition that say what it is about; the router adds them to what it hands out.
pub(super) const SUBJECT_KEYS: [&str; 3] = ["uri", "kind", "match"];
/// The key under which the router says what there is at this moment.
pub(super) const LIVE_KEY: &str = "live";

/// `wamp.reflection.procedure.list(prefix?)` → `{exact, prefix, wildcard}`
pub(super) fn list_procedures(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    list(realm, caller, Kind::Procedure, arguments)
}

/// `wamp.reflection.topic.list(prefix?)` → `{exact, prefix, wildcard}`
pub(super) fn list_topics(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    list(realm, caller, Kind::Topic, arguments)
}

/// `wamp.reflection.error.list(prefix?)` → `{exact, prefix, wildcard}`
pub(super) fn list_errors(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    list(realm, caller, Kind::Error, arguments)
}

/// `wamp.reflection.procedure.describe(uri; match)` → description or null
pub(super) fn describe_procedure(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    describe(realm, caller, Kind::Procedure, arguments).map(Answer::one)
}

/// `wamp.reflection.topic.describe(uri; match)` → description or null
pub(super) fn describe_topic(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    describe(realm, caller, Kind::Topic, arguments).map(Answer::one)
}

/// `wamp.reflection.error.describe(uri; match)` → description or null
pub(super) fn describe_error(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    describe(realm, caller, Kind::Error, arguments).map(Answer::one)
}

/// `wamp.reflect.describe(uri; match)` → the descriptions of every kind that there are
pub(super) fn describe_all(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let mut descriptions = Vec::new();
    for kind in Kind::ALL {
        let description = describe(realm, caller, kind, arguments)?;
        if description != Value::Null {
            descriptions.push(description);
        }
    }
    Ok(Answer::one(Value::List(descriptions)))
}

pub(super) fn kind_of(word: &Value) -> Result<Kind, Refusal> {
    let word = word.as_str().unwrap_or_default();
    Kind::from_name(word).ok_or_else(|| {
        invalid(format!(
            "kind must be procedure, topic or error, not {word:?}"
        ))
    })
}

pub(super) fn policy_of(word: &Value) -> Result<MatchPolicy, Refusal> {
    let word = word.as_str().unwrap_or_default();
    word.parse()
        .map_err(|problem| invalid(format!("match: {problem}")))
}

/// The keyword argument `match`.
pub(super) fn given_policy(arguments: &Arguments<'_>) -> Result<Option<MatchPolicy>, Refusal> {
    arguments.keyword("match")?.map(policy_of).transpose()
}

/// The URIs that are live or defined, by match policy and in order; those that begin with the first
/// argument, if there is one.
fn list(
    realm: &Realm,
    caller: SessionKey,
    kind: Kind,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let prefix = arguments.optional_text(0, "prefix")?.unwrap_or_default();
    let lists = MatchPolicy::ALL.map(|policy| {
        let mut uris = BTreeSet::new();
        add_uris(realm.definitions.of(kind), policy, prefix, &mut uris);
        match kind {
            Kind::Procedure => add_uris(&realm.dealer.registrations, policy, prefix, &mut uris),
            Kind::Topic => add_uris(&realm.broker.subscriptions, policy, prefix, &mut uris),
            Kind::Error => {}
        }
        let seen = uris
            .into_iter()
            .filter(|uri| sees(realm, caller, kind, uri, policy));
        let uris = seen.map(|uri| Value::Text(uri.to_owned()));
        (policy.as_str().to_owned(), Value::List(uris.collect()))
    });
    Ok(Answer::one(Value::Map(lists.into())))
}

fn add_uris<'r, I: RecordId, M>(
    records: &'r Records<I, M>,
    policy: MatchPolicy,
    prefix: &str,
    uris: &mut BTreeSet<&'r str>,
) {
    let wanted = records.iter().filter(|(_, record)| {
        record.match_policy == policy
            && record.uri.starts_with(prefix)
            && !uri::is_reserved(&record.uri)
    });
    uris.extend(wanted.map(|(_, record)| &*record.uri));
}

/// What is known of a URI or pattern, or null.
fn describe(
    realm: &Realm,
    caller: SessionKey,
    kind: Kind,
    arguments: &Arguments<'_>,
) -> Result<Value, Refusal> {
    let uri = arguments.text(0, "uri")?;
    let described = match given_policy(arguments)? {
        Some(match_policy) => Some(Subject {
            kind,
            uri: uri.into(),
            match_policy,
        }),
        None => best_match(realm, kind, uri),
    };
    let described = described.filter(|subject| {
        !uri::is_reserved(&subject.uri)
            && sees(realm, caller, kind, &subject.uri, subject.match_policy)
    });
    Ok(described
        .and_then(|subject| description(realm, &subject))
        .unwrap_or(Value::Null))
}

/// Whether a session may know of something.
fn sees(
    realm: &Realm,
    caller: SessionKey,
    kind: Kind,
    uri: &str,
    match_policy: MatchPolicy,
) -> bool {
    let actions = match kind {
        Kind::Procedure => [Action::Call, Action::Register],
        Kind::Topic => [Action::Subscribe, Action::Publish],
        Kind::Error => return true,
    };
    let session = realm.sessions.get(caller);
    session.is_some_and(|session| realm.sees(session, actions, uri, match_policy))
}

/// What a call or publication of `uri` is about: what has exactly this URI, else the best pattern; for
/// a procedure, the one to which the call would go.
fn best_match(realm: &Realm, kind: Kind, uri: &str) -> Option<Subject> {
    let subject = |uri: &str, match_policy| Subject {
        kind,
        uri: uri.into(),
        match_policy,
    };
    let exact = subject(uri, MatchPolicy::Exact);
    if live(realm, &exact).is_some() || realm.definitions.current(&exact).is_some() {
        return Some(exact);
    }
    let registrations = &realm.dealer.registrations;
    let registered = match kind {
        Kind::Procedure => registrations.best_pattern(uri),
        Kind::Topic | Kind::Error => None,
    };
    if let Some(record) = registered.and_then(|id| registrations.get(id)) {
        return Some(subject(&record.uri, record.match_policy));
    }
    let definitions = realm.definitions.of(kind);
    let record = definitions.get(definitions.best_pattern(uri)?)?;
    Some(subject(&record.uri, record.match_policy))
}

/// `{uri, kind, match, live?, …}` and what the definition says, if there is any of both.
fn description(realm: &Realm, subject: &Subject) -> Option<Value> {
    let definition = realm.definitions.current(subject);
    let live = live(realm, subject);
    if definition.is_none() && live.is_none() {
        return None;
    }
    let mut description = subject_pairs(subject);
    if let Some(live) = live {
        description.push((LIVE_KEY.to_owned(), live));
    }
    if let Some(Value::Map(pairs)) = definition.and_then(decoded) {
        description.extend(pairs);
    }
    Some(Value::Map(description))
}

/// What the router itself knows at this moment: `{registration, invoke, callees}` or
/// `{subscription, subscribers}`.
fn live(realm: &Realm, subject: &Subject) -> Option<Value> {
    let (uri, policy) = (&*subject.uri, subject.match_policy);
    let pairs = match subject.kind {
        Kind::Procedure => {
            let registrations = &realm.dealer.registrations;
            let id = registrations.lookup(uri, policy)?;
            let callees = &registrations.get(id)?.members;
            vec![
                ("registration", Value::Unsigned(id.number())),
                ("invoke", Value::Text(callees.policy.as_str().to_owned())),
                ("callees", Value::Unsigned(callees.list.len() as u64)),
            ]
        }
        Kind::Topic => {
            let subscriptions = &realm.broker.subscriptions;
            let id = subscriptions.lookup(uri, policy)?;
            let subscribers = subscriptions.get(id)?.members.len();
            vec![
                ("subscription", Value::Unsigned(id.number())),
                ("subscribers", Value::Unsigned(subscribers as u64)),
            ]
        }
        Kind::Error => return None,
    };
    let pairs = pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    Some(Value::Map(pairs.collect()))
}

pub(super) fn subject_pairs(subject: &Subject) -> Vec<(String, Value)> {
    let values = [
        &*subject.uri,
        subject.kind.as_str(),
        subject.match_policy.as_str(),
    ];
    let pairs = SUBJECT_KEYS.into_iter().zip(values);
    pairs
        .map(|(key, value)| (key.to_owned(), Value::Text(value.to_owned())))
        .collect()
}

pub(super) fn decoded(definition: &Definition) -> Option<Value> {
    // The realm wrote it itself.
    serializer::deserialize(Serializer::MsgPack, &definition.encoded).ok()
}
