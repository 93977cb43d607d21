//! The registration meta API.

use wampy_proto::{MatchPolicy, RegistrationId, SessionId, Value, error_uri};

use super::arguments::Arguments;
use super::{Answer, Revocable, record, session};
use crate::dealer::Callees;
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::records::Record;
use crate::refusal::Refusal;
use crate::session::SessionKey;

/// `wamp.registration.list()` → `{exact, prefix, wildcard}`
pub(super) fn list(realm: &Realm, _: SessionKey, _: &Arguments) -> Result<Answer, Refusal> {
    Ok(Answer::one(record::list(&realm.dealer.registrations)))
}

/// `wamp.registration.lookup(procedure, options?)` → id or null
pub(super) fn lookup(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    record::lookup(&realm.dealer.registrations, arguments).map(Answer::one)
}

/// `wamp.registration.match(procedure)` → the id of the registration that a call goes to, or null
pub(super) fn best_match(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let procedure = arguments.text(0, "procedure")?;
    let registrations = &realm.dealer.registrations;
    let exact = registrations.lookup(procedure, MatchPolicy::Exact);
    let found = exact.or_else(|| registrations.best_pattern(procedure));
    Ok(Answer::one(record::id_or_null(found)))
}

/// `wamp.registration.get(registration)` → `{id, created, uri, match, invoke}`
pub(super) fn get(realm: &Realm, _: SessionKey, arguments: &Arguments) -> Result<Answer, Refusal> {
    let (id, registration) = named(realm, arguments)?;
    Ok(Answer::one(details(id, registration)))
}

/// `wamp.registration.list_callees(registration)` → session ids
pub(super) fn list_callees(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let (_, registration) = named(realm, arguments)?;
    let callees = registration
        .members
        .list
        .iter()
        .map(|callee| callee.session);
    Ok(Answer::one(session::ids(realm, callees)))
}

/// `wamp.registration.count_callees(registration)` → their number
pub(super) fn count_callees(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    let (_, registration) = named(realm, arguments)?;
    Ok(Answer::one(Value::Unsigned(
        registration.members.list.len() as u64,
    )))
}

/// `wamp.registration.remove_callee(registration, session; reason)`
///
/// A session that is none of its callees is `wamp.error.no_such_registration`.
pub(super) fn remove_callee(
    realm: &Realm,
    _: SessionKey,
    arguments: &Arguments,
) -> Result<Answer, Refusal> {
    record::remove_member(
        realm,
        &realm.dealer.registrations,
        arguments,
        error_uri::NO_SUCH_REGISTRATION,
        |session, id| session.registrations.contains(&id),
        Revocable::Registration,
    )
}

fn named<'r>(
    realm: &'r Realm,
    arguments: &Arguments,
) -> Result<(RegistrationId, &'r Record<Callees>), Refusal> {
    record::named(
        &realm.dealer.registrations,
        arguments,
        error_uri::NO_SUCH_REGISTRATION,
    )
}

fn details(id: RegistrationId, registration: &Record<Callees>) -> Value {
    let mut details = record::details(id, registration);
    let invoke = registration.members.policy.as_str().to_owned();
    details.push(("invoke".to_owned(), Value::Text(invoke)));
    Value::Map(details)
}

impl Realm {
    /// A session has joined a registration, which may be new.
    pub(crate) fn announce_registered(
        &mut self,
        callee: SessionKey,
        id: RegistrationId,
        created: bool,
        outbox: &mut impl Outbox,
    ) {
        let Some(session) = self.sessions.get(callee).map(|session| session.details.id) else {
            return;
        };
        let session = Value::Unsigned(session.value());
        if created {
            let args = |realm: &Self| {
                let registration = realm.dealer.registrations.get(id);
                let details = registration.map_or(Value::Null, |record| details(id, record));
                vec![session.clone(), details]
            };
            self.publish_meta_event("wamp.registration.on_create", args, outbox);
        }
        let args = |_: &Self| vec![session, Value::Unsigned(id.value())];
        self.publish_meta_event("wamp.registration.on_register", args, outbox);
    }

    /// A session has left a registration, which may have been deleted with it.
    pub(crate) fn announce_unregistered(
        &mut self,
        callee: SessionId,
        id: RegistrationId,
        deleted: bool,
        outbox: &mut impl Outbox,
    ) {
        let args = |_: &Self| vec![Value::Unsigned(callee.value()), Value::Unsigned(id.value())];
        self.publish_meta_event("wamp.registration.on_unregister", args, outbox);
        if deleted {
            self.publish_meta_event("wamp.registration.on_delete", args, outbox);
        }
    }
}
