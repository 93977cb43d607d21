//! The session meta API.

use wampy_proto::message::Goodbye;
use wampy_proto::{SessionId, Value, close_reason, error_uri};

use super::arguments::{Arguments, invalid};
use super::{Answer, Change, EndSessions};
use crate::outbox::Outbox;
use crate::realm::{MetaEvents, Realm};
use crate::refusal::Refusal;
use crate::session::{Session, SessionDetails, SessionKey};

/// `wamp.session.count(authroles?)` → the number of sessions
pub(super) fn count(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let count = filtered(realm, arguments)?.len();
    Ok(Answer::one(Value::Unsigned(count as u64)))
}

/// `wamp.session.list(authroles?)` → session ids
pub(super) fn list(realm: &Realm, _: SessionKey, arguments: &Arguments) -> Result<Answer, Refusal> {
    let sessions = filtered(realm, arguments)?;
    Ok(Answer::one(ids(realm, sessions.into_iter())))
}

/// `wamp.session.get(session)` → `{session, authid, authrole, authmethod, authprovider, authextra?,
/// transport?}`
pub(super) fn get(realm: &Realm, _: SessionKey, arguments: &Arguments) -> Result<Answer, Refusal> {
    let (_, session) = named(realm, arguments)?;
    Ok(Answer::one(Value::Map(details(&session.details))))
}

/// `wamp.session.kill(session; reason, message)`
pub(super) fn kill(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let goodbye = goodbye(realm, arguments)?;
    let (key, _) = named(realm, arguments)?;
    if key == caller {
        return Err(no_such_session());
    }
    Ok(Answer::change(announced(vec![key], goodbye)))
}

/// `wamp.session.kill_by_authid(authid; reason, message)` → ids of the sessions killed
pub(super) fn kill_by_authid(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let goodbye = goodbye(realm, arguments)?;
    let authid = arguments.text(0, "authid")?;
    let sessions = others(realm, caller, |session| &*session.details.authid == authid);
    let results = vec![ids(realm, sessions.iter().copied())];
    Ok(Answer {
        results,
        change: Some(announced(sessions, goodbye)),
        ..Answer::default()
    })
}

/// `wamp.session.kill_by_authrole(authrole; reason, message)` → number of sessions killed
pub(super) fn kill_by_authrole(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let goodbye = goodbye(realm, arguments)?;
    let authrole = arguments.text(0, "authrole")?;
    let sessions = others(realm, caller, |session| {
        &*session.details.authrole == authrole
    });
    let results = vec![Value::Unsigned(sessions.len() as u64)];
    Ok(Answer {
        results,
        change: Some(announced(sessions, goodbye)),
        ..Answer::default()
    })
}

/// `wamp.session.kill_all(; reason, message)` → number of sessions killed; without meta events
pub(super) fn kill_all(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let goodbye = goodbye(realm, arguments)?;
    let sessions = others(realm, caller, |_| true);
    let results = vec![Value::Unsigned(sessions.len() as u64)];
    let end = EndSessions {
        sessions,
        goodbye,
        meta_events: MetaEvents::Suppressed,
    };
    Ok(Answer {
        results,
        change: Some(Change::EndSessions(end)),
        ..Answer::default()
    })
}

/// The ids of sessions.
pub(super) fn ids(realm: &Realm, sessions: impl Iterator<Item = SessionKey>) -> Value {
    let id = |key| Some(Value::Unsigned(realm.sessions.get(key)?.details.id.value()));
    Value::List(sessions.filter_map(id).collect())
}

/// The sessions whose authrole is in the list of the first argument, if there is one.
fn filtered(realm: &Realm, arguments: &Arguments) -> Result<Vec<SessionKey>, Refusal> {
    let authroles = arguments.optional_texts(0, "filter_authroles")?;
    Ok(realm
        .sessions
        .iter()
        .filter(|(_, session)| {
            let authrole = &*session.details.authrole;
            authroles
                .as_ref()
                .is_none_or(|authroles| authroles.contains(&authrole))
        })
        .map(|(key, _)| key)
        .collect())
}

/// The session that the first argument names.
fn named<'r>(
    realm: &'r Realm,
    arguments: &Arguments,
) -> Result<(SessionKey, &'r Session), Refusal> {
    named_at(realm, arguments, 0)
}

/// The session that the argument at `position` names.
pub(super) fn named_at<'r>(
    realm: &'r Realm,
    arguments: &Arguments,
    position: usize,
) -> Result<(SessionKey, &'r Session), Refusal> {
    SessionId::try_from(arguments.id(position, "session")?)
        .ok()
        .and_then(|id| realm.sessions.key_of(id))
        .and_then(|key| Some((key, realm.sessions.get(key)?)))
        .ok_or_else(no_such_session)
}

/// The sessions other than the caller's to which `wanted` applies.
fn others(realm: &Realm, caller: SessionKey, wanted: impl Fn(&Session) -> bool) -> Vec<SessionKey> {
    realm
        .sessions
        .iter()
        .filter(|&(key, session)| key != caller && wanted(session))
        .map(|(key, _)| key)
        .collect()
}

/// The GOODBYE that the keyword arguments `reason` and `message` ask for.
fn goodbye(realm: &Realm, arguments: &Arguments) -> Result<Goodbye<'static>, Refusal> {
    let reason = match arguments.keyword("reason")? {
        None => close_reason::KILLED.to_owned(),
        Some(reason) => {
            let reason = reason.as_str().unwrap_or_default();
            realm.config.check_uri(reason)?;
            reason.to_owned()
        }
    };
    let mut goodbye = Goodbye::new(reason);
    if let Some(message) = arguments.keyword("message")? {
        let text = message
            .as_str()
            .ok_or_else(|| invalid("message must be a string".into()))?;
        goodbye.details.message = Some(text.into());
    }
    Ok(goodbye)
}

const fn announced(sessions: Vec<SessionKey>, goodbye: Goodbye<'static>) -> Change {
    Change::EndSessions(EndSessions {
        sessions,
        goodbye,
        meta_events: MetaEvents::Published,
    })
}

const fn no_such_session() -> Refusal {
    Refusal::new(error_uri::NO_SUCH_SESSION)
}

/// What `get` and `on_join` tell of a session.
pub(crate) fn details(session: &SessionDetails) -> Vec<(String, Value)> {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut details = vec![
        ("session".to_owned(), Value::Unsigned(session.id.value())),
        ("authid".to_owned(), text(&session.authid)),
        ("authrole".to_owned(), text(&session.authrole)),
        ("authmethod".to_owned(), text(&session.authmethod)),
        ("authprovider".to_owned(), text(&session.authprovider)),
    ];
    if let Some(authextra) = &session.authextra {
        details.push(("authextra".to_owned(), Value::clone(authextra)));
    }
    if let Some(transport) = session.transport {
        let transport = vec![
            ("type".to_owned(), text(transport.kind)),
            ("serializer".to_owned(), text(transport.serializer)),
        ];
        details.push(("transport".to_owned(), Value::Map(transport)));
    }
    details
}

impl Realm {
    /// A session has joined the realm.
    pub(crate) fn announce_join(&mut self, joined: SessionKey, outbox: &mut impl Outbox) {
        let args = |realm: &Self| {
            let session = realm.sessions.get(joined);
            vec![session.map_or(Value::Null, |session| Value::Map(details(&session.details)))]
        };
        self.publish_meta_event("wamp.session.on_join", args, outbox);
    }

    /// A session has left the realm.
    pub(crate) fn announce_leave(&mut self, left: &SessionDetails, outbox: &mut impl Outbox) {
        let args = |_: &Self| {
            vec![
                Value::Unsigned(left.id.value()),
                Value::Text(left.authid.to_string()),
                Value::Text(left.authrole.to_string()),
            ]
        };
        self.publish_meta_event("wamp.session.on_leave", args, outbox);
    }
}
