//! Interface Reflection: the definitions that sessions make, and the events about them.
//!
//! `docs/reflection.md` says what a definition looks like; only its well-known keys are checked here.
//! Whether it is true is for whoever made it: the router looks into no schema and no payload.

use wampy_proto::{MatchPolicy, Serializer, Value, error_uri, serializer};

use super::arguments::{Arguments, invalid};
use super::reflection::{
    LIVE_KEY, SUBJECT_KEYS, decoded, given_policy, kind_of, policy_of, subject_pairs,
};
use super::{Answer, Change};
use crate::authorizer::{Action, Requirement};
use crate::definitions::{Kind, Outcome, Subject};
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::{Session, SessionKey};

/// The well-known keys whose values are JSON Schemas: maps, or booleans.
const SCHEMA_KEYS: [&str; 4] = ["args", "kwargs", "result", "progress"];

/// The deepest nesting of a definition, in levels: what hands it out adds some, and no receiver may get
/// more than it takes.
const DEPTH_MAX: usize = 64;

/// A definition that a session makes.
#[derive(Debug)]
pub(super) struct NewDefinition {
    subject: Subject,
    encoded: Box<[u8]>,
}

/// Which of a session's definitions it takes back.
#[derive(Debug)]
pub(super) struct Undefine {
    uri: Box<str>,
    kind: Option<Kind>,
    match_policy: Option<MatchPolicy>,
}

/// The procedure by which sessions make definitions.
pub(super) const DEFINE: &str = "wamp.reflect.define";

/// Who says what a procedure or topic is has to be allowed to register it or to publish to it.
pub(super) fn requirement(arguments: &Arguments<'_>) -> Option<Requirement<'static>> {
    // What is no definition is refused by the procedure.
    let uri = arguments.text(0, "uri").ok()?;
    let Some(Value::Map(definition)) = arguments.optional_map(1, "definition").ok()? else {
        return None;
    };
    let action = match kind_of(value_of(definition, "kind")?).ok()? {
        Kind::Procedure => Action::Register,
        Kind::Topic => Action::Publish,
        Kind::Error => return None,
    };
    let policy = policy_in(definition).ok()?;
    Some(Requirement::of_caller(action, uri.to_owned(), policy))
}

/// `wamp.reflect.define(uri, definition)`, or `wamp.reflect.define(uri, null; kind, match)` to take
/// back what the caller has defined.
pub(super) fn define(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let uri = arguments.text(0, "uri")?;
    let Some(Value::Map(definition)) = arguments.optional_map(1, "definition")? else {
        let undefine = Undefine {
            uri: uri.into(),
            kind: arguments.keyword("kind")?.map(kind_of).transpose()?,
            match_policy: given_policy(arguments)?,
        };
        return Ok(Answer::change(Change::Undefine(undefine)));
    };
    let subject = subject(realm, uri, definition)?;
    check_definition(&subject, definition)?;
    let kept = definition
        .iter()
        .filter(|(key, _)| !SUBJECT_KEYS.contains(&&**key) && key != LIVE_KEY);
    let kept = Value::Map(kept.cloned().collect());
    if !is_nested_within(&kept, DEPTH_MAX) {
        let problem = format!("the definition is nested deeper than {DEPTH_MAX} levels");
        return Err(invalid(problem));
    }
    let encoded = serializer::serialize(Serializer::MsgPack, &kept)
        .map_err(|error| invalid(format!("the definition: {error}")))?;
    let new = NewDefinition {
        subject,
        encoded: encoded.into(),
    };
    realm.check_room_for_definition(caller, &new)?;
    Ok(Answer::change(Change::Define(new)))
}

/// Whether a value has at most this many levels of lists and maps.
fn is_nested_within(value: &Value, levels: usize) -> bool {
    let within = |value| {
        let deeper = levels.checked_sub(1);
        deeper.is_some_and(|levels| is_nested_within(value, levels))
    };
    match value {
        Value::List(list) => levels > 0 && list.iter().all(within),
        Value::Map(pairs) => levels > 0 && pairs.iter().all(|(_, value)| within(value)),
        _ => true,
    }
}

/// What a definition is about, by its own words.
fn subject(realm: &Realm, uri: &str, definition: &[(String, Value)]) -> Result<Subject, Refusal> {
    let kind = match value_of(definition, "kind") {
        Some(kind) => kind_of(kind)?,
        None => return Err(invalid("the definition has no kind".into())),
    };
    let match_policy = policy_in(definition)?;
    if kind == Kind::Error && match_policy != MatchPolicy::Exact {
        return Err(invalid("errors have no match policy".into()));
    }
    realm.config.check_pattern(uri, match_policy)?;
    check_not_reserved(uri)?;
    Ok(Subject {
        kind,
        uri: uri.into(),
        match_policy,
    })
}

/// Checks the well-known keys, so that whoever reads a definition can rely on them.
fn check_definition(subject: &Subject, definition: &[(String, Value)]) -> Result<(), Refusal> {
    if let Some(uri) = value_of(definition, "uri")
        && uri.as_str() != Some(&subject.uri)
    {
        return Err(invalid("the definition is about another uri".into()));
    }
    if let Some(doc) = value_of(definition, "doc")
        && doc.as_str().is_none()
    {
        return Err(invalid("the definition's doc must be a string".into()));
    }
    for key in SCHEMA_KEYS {
        let schema = value_of(definition, key);
        if !matches!(schema, None | Some(Value::Map(_) | Value::Bool(_))) {
            let problem = format!("the definition's {key} must be a JSON Schema: a dict or a bool");
            return Err(invalid(problem));
        }
    }
    Ok(())
}

/// The value of a key; null counts as absent.
fn value_of<'d>(definition: &'d [(String, Value)], key: &str) -> Option<&'d Value> {
    let found = definition.iter().find(|(known, _)| known == key);
    found
        .map(|(_, value)| value)
        .filter(|value| **value != Value::Null)
}

/// The match policy that a definition names.
fn policy_in(definition: &[(String, Value)]) -> Result<MatchPolicy, Refusal> {
    let word = value_of(definition, "match");
    Ok(word.map(policy_of).transpose()?.unwrap_or_default())
}

impl Realm {
    /// Checks that a session may make one more definition.
    fn check_room_for_definition(
        &self,
        caller: SessionKey,
        new: &NewDefinition,
    ) -> Result<(), Refusal> {
        let session = self.sessions.get(caller);
        let rare = session.and_then(|session| session.rare.as_ref());
        let (count, bytes) = rare.map_or((0, 0), |rare| {
            (rare.definitions.list.len(), rare.definitions.bytes)
        });
        let replaced = self.definitions.bytes_of(&new.subject, caller);
        let max = self.config.definitions_per_session_max;
        if replaced.is_none() && count >= max {
            let uri = error_uri::NOT_AUTHORIZED;
            return Err(Refusal::limit(uri, "definitions", max));
        }
        let bytes = bytes - replaced.unwrap_or(0) + new.subject.uri.len() + new.encoded.len();
        let max = self.config.definition_bytes_per_session_max;
        if bytes > max {
            let why = format!("the definitions of this session would have more than {max} bytes");
            return Err(Refusal::explained(error_uri::NOT_AUTHORIZED, why));
        }
        Ok(())
    }

    pub(super) fn define(&mut self, of: SessionKey, new: NewDefinition, outbox: &mut impl Outbox) {
        let Some(session) = self.sessions.get_mut(of) else {
            return;
        };
        let NewDefinition { subject, encoded } = new;
        let outcome = self.definitions.define(&subject, of, encoded, session);
        let id = session.details.id.value();
        self.announce_definition(id, &subject, &outcome, outbox);
    }

    pub(super) fn undefine(&mut self, of: SessionKey, what: &Undefine, outbox: &mut impl Outbox) {
        let Some(session) = self.sessions.get_mut(of) else {
            return;
        };
        let Some(rare) = &mut session.rare else {
            return;
        };
        let own = &mut rare.definitions;
        let id = session.details.id.value();
        let mut changes = Vec::new();
        for kind in Kind::ALL {
            for policy in MatchPolicy::ALL {
                let wanted = what.kind.is_none_or(|wanted| wanted == kind)
                    && what.match_policy.is_none_or(|wanted| wanted == policy);
                let found = self.definitions.of(kind).lookup(&what.uri, policy);
                if let Some(found) = found.filter(|_| wanted) {
                    changes.extend(self.definitions.undefine((kind, found), of, own));
                }
            }
        }
        for (subject, outcome) in changes {
            self.announce_definition(id, &subject, &outcome, outbox);
        }
    }

    /// Takes away the definitions of a session that is gone: what they were about.
    pub(crate) fn remove_definitions_of(
        &mut self,
        key: SessionKey,
        session: &mut Session,
    ) -> Vec<(Subject, Outcome)> {
        let Some(rare) = &mut session.rare else {
            return Vec::new();
        };
        let own = &mut rare.definitions;
        let mut changes = Vec::new();
        while let Some(&last) = own.list.last() {
            match self.definitions.undefine(last, key, own) {
                Some(change) => changes.push(change),
                None => _ = own.list.pop(),
            }
        }
        changes
    }

    /// Says what is said of a subject now.
    pub(crate) fn announce_definition(
        &mut self,
        session: u64,
        subject: &Subject,
        outcome: &Outcome,
        outbox: &mut impl Outbox,
    ) {
        let topic = match outcome {
            Outcome::Same => return,
            Outcome::Defined => "wamp.reflect.on_define",
            Outcome::Undefined => "wamp.reflect.on_undefine",
        };
        let args = |realm: &Self| {
            let mut details = subject_pairs(subject);
            let definition = realm.definitions.current(subject);
            if let Some(Value::Map(pairs)) = definition.and_then(decoded) {
                details.extend(pairs);
            }
            vec![Value::Unsigned(session), Value::Map(details)]
        };
        self.publish_meta_event(topic, args, outbox);
    }
}
