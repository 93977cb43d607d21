//! The meta API: procedures that the realm itself answers, and events that it publishes about
//! itself.
//!
//! To add a procedure: a function in the file of its family and a row in [`PROCEDURES`]. Procedures
//! are answered at once, inside the realm: they have no registration, no callee and no invocation.
//! Events are published after the state that they announce, and built only if somebody subscribed.

mod arguments;
mod definition;
mod event_history;
mod record;
mod reflection;
mod registration;
mod session;
mod subscription;
mod testament;

use wampy_proto::message::{Call, Goodbye, Result as ResultMessage, ResultDetails};
use wampy_proto::{Message, Payload, RegistrationId, Serializer, SubscriptionId, Value, error_uri};

use crate::authorizer::Requirement;
use crate::outbox::Outbox;
use crate::realm::{MetaEvents, Now, Realm};
use crate::refusal::Refusal;
use crate::session::SessionKey;
use arguments::Arguments;
use definition::{NewDefinition, Undefine};
pub(crate) use session::details as session_details;
pub(crate) use testament::Testaments;
use testament::{Scope, Testament};

/// A procedure: reads the realm for a caller, and says what to answer and what to do.
type Procedure = fn(&Realm, SessionKey, &Arguments<'_>) -> Result<Answer, Refusal>;

/// Every procedure by its URI.
const PROCEDURES: [(&str, Procedure); 32] = [
    ("wamp.session.count", session::count),
    ("wamp.session.list", session::list),
    ("wamp.session.get", session::get),
    ("wamp.session.kill", session::kill),
    ("wamp.session.kill_by_authid", session::kill_by_authid),
    ("wamp.session.kill_by_authrole", session::kill_by_authrole),
    ("wamp.session.kill_all", session::kill_all),
    (testament::ADD, testament::add),
    ("wamp.session.flush_testaments", testament::flush),
    ("wamp.registration.list", registration::list),
    ("wamp.registration.lookup", registration::lookup),
    ("wamp.registration.match", registration::best_match),
    ("wamp.registration.get", registration::get),
    ("wamp.registration.list_callees", registration::list_callees),
    (
        "wamp.registration.count_callees",
        registration::count_callees,
    ),
    (
        "wamp.registration.remove_callee",
        registration::remove_callee,
    ),
    ("wamp.subscription.list", subscription::list),
    ("wamp.subscription.lookup", subscription::lookup),
    ("wamp.subscription.match", subscription::matches),
    ("wamp.subscription.get", subscription::get),
    (
        "wamp.subscription.list_subscribers",
        subscription::list_subscribers,
    ),
    (
        "wamp.subscription.count_subscribers",
        subscription::count_subscribers,
    ),
    (event_history::GET_EVENTS, event_history::get_events),
    (
        "wamp.subscription.remove_subscriber",
        subscription::remove_subscriber,
    ),
    (
        "wamp.reflection.procedure.list",
        reflection::list_procedures,
    ),
    ("wamp.reflection.topic.list", reflection::list_topics),
    ("wamp.reflection.error.list", reflection::list_errors),
    (
        "wamp.reflection.procedure.describe",
        reflection::describe_procedure,
    ),
    ("wamp.reflection.topic.describe", reflection::describe_topic),
    ("wamp.reflection.error.describe", reflection::describe_error),
    ("wamp.reflect.describe", reflection::describe_all),
    (definition::DEFINE, definition::define),
];

/// What a procedure answers, and what it changes.
#[derive(Debug, Default)]
struct Answer {
    /// The positional results.
    results: Vec<Value>,
    /// All results as bytes, where they are more than values of the realm's own.
    encoded: Option<Payload<'static>>,
    /// What is done before the answer is sent.
    change: Option<Change>,
}

/// What a procedure changes in the realm.
#[derive(Debug)]
enum Change {
    EndSessions(EndSessions),
    AddTestament(Scope, Testament),
    FlushTestaments(Scope),
    Revoke(Revoke),
    Define(NewDefinition),
    Undefine(Undefine),
}

/// A registration or subscription to be taken from a session.
#[derive(Debug)]
struct Revoke {
    of: Revocable,
    session: SessionKey,
    reason: Option<String>,
}

#[derive(Debug)]
enum Revocable {
    Registration(RegistrationId),
    Subscription(SubscriptionId),
}

/// Sessions to be ended.
#[derive(Debug)]
struct EndSessions {
    sessions: Vec<SessionKey>,
    goodbye: Goodbye<'static>,
    meta_events: MetaEvents,
}

impl Answer {
    /// One positional result.
    fn one(result: Value) -> Self {
        Self {
            results: vec![result],
            ..Self::default()
        }
    }

    /// Results that are encoded already.
    fn encoded(results: Payload<'static>) -> Self {
        Self {
            encoded: Some(results),
            ..Self::default()
        }
    }

    /// No result, but a change.
    fn change(change: Change) -> Self {
        Self {
            change: Some(change),
            ..Self::default()
        }
    }
}

impl Realm {
    /// Answers a call of a procedure of the meta API.
    pub(crate) fn call_meta_procedure(
        &mut self,
        now: Now,
        caller: SessionKey,
        call: &Call<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let uri = &*call.procedure;
        let Some((_, procedure)) = PROCEDURES.iter().find(|(known, _)| *known == uri) else {
            let message = format!("the router has no procedure {uri:?}");
            return Err(Refusal::explained(error_uri::NO_SUCH_PROCEDURE, message));
        };
        let arguments = Arguments::new(now, &call.payload);
        let answer = procedure(self, caller, &arguments)?;
        match answer.change {
            None => {}
            Some(Change::EndSessions(end)) => self.end_sessions(now, end, outbox),
            Some(Change::AddTestament(scope, it)) => self.add_testament(caller, scope, it),
            Some(Change::FlushTestaments(scope)) => self.flush_testaments(caller, scope),
            Some(Change::Revoke(revoke)) => self.revoke(&revoke, outbox),
            Some(Change::Define(new)) => self.define(caller, new, outbox),
            Some(Change::Undefine(what)) => self.undefine(caller, &what, outbox),
        }
        let payload = match answer.encoded {
            Some(payload) => payload,
            None => encode(call.payload.serializer(), &answer.results),
        };
        let details = ResultDetails::default();
        let result = ResultMessage {
            request: call.request,
            details,
            payload,
        };
        outbox.send(caller, &Message::Result(result))?;
        Ok(())
    }

    fn revoke(&mut self, revoke: &Revoke, outbox: &mut impl Outbox) {
        let Revoke {
            session, reason, ..
        } = revoke;
        let reason = reason.as_deref();
        match revoke.of {
            Revocable::Registration(id) => {
                self.revoke_registration(id, *session, reason, outbox);
            }
            Revocable::Subscription(id) => {
                self.revoke_subscription(id, *session, reason, outbox);
            }
        }
    }

    /// What a caller has to be allowed besides calling a procedure of the meta API.
    pub(crate) fn further_requirement(
        &self,
        now: Now,
        call: &Call<'_>,
    ) -> Option<Requirement<'static>> {
        let arguments = Arguments::new(now, &call.payload);
        match &*call.procedure {
            testament::ADD => testament::requirement(&arguments),
            definition::DEFINE => definition::requirement(&arguments),
            event_history::GET_EVENTS => event_history::requirement(self, &arguments),
            _ => None,
        }
    }

    fn end_sessions(&mut self, now: Now, end: EndSessions, outbox: &mut impl Outbox) {
        for session in end.sessions {
            if self.take_out(now, session, end.meta_events, outbox) {
                outbox.end(session, end.goodbye.clone());
            }
        }
    }
}

/// The payload of a meta event.
pub(crate) fn event_payload(args: &[Value]) -> Payload<'static> {
    encode(Serializer::MsgPack, args)
}

fn encode(serializer: Serializer, args: &[Value]) -> Payload<'static> {
    if args.is_empty() {
        return Payload::EMPTY;
    }
    // Values always have a form in every serializer; what has none would be sent as no payload.
    Payload::encode(serializer, args, &()).unwrap_or(Payload::EMPTY)
}
