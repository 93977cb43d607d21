//! Session Testament: events that a session leaves behind, published when it is gone.
//!
//! There are two buckets, `detached` and `destroyed`; the realm has no session resumption, so both
//! are published when the session ends, however it ends: `detached` first, each in the order in which
//! it was added. By then the session holds nothing any more and its meta events of registrations and
//! subscriptions are out; `wamp.session.on_leave` follows as the last that is heard of it.
//!
//! What could not be published is refused when it is added: a malformed or reserved topic, options of
//! the wrong type, a disclosure that the realm denies. `acknowledge` and `exclude_me` mean nothing
//! here and are ignored: nobody is left to be acknowledged or excluded.

use wampy_proto::message::{Publish, PublishOptions};
use wampy_proto::{DecodeError, Payload, RequestId, Role, Serializer, error_uri, serializer};

use super::arguments::{Arguments, invalid};
use super::{Answer, Change};
use crate::authorizer::Requirement;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::{Session, SessionKey};

/// When a testament is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Detached,
    Destroyed,
}

/// An event that is published when its session is gone.
#[derive(Debug)]
pub(super) struct Testament {
    topic: Box<str>,
    /// Valid options of PUBLISH as they came: decoded they may take many times the memory.
    options: Box<[u8]>,
    serializer: Serializer,
    payload: Payload<'static>,
}

impl Testament {
    fn bytes(&self) -> usize {
        self.topic.len() + self.options.len() + self.payload.encoded_len()
    }
}

/// The testaments of a session.
#[derive(Debug, Default)]
pub(crate) struct Testaments {
    detached: Vec<Testament>,
    destroyed: Vec<Testament>,
}

impl Testaments {
    fn bucket(&mut self, scope: Scope) -> &mut Vec<Testament> {
        match scope {
            Scope::Detached => &mut self.detached,
            Scope::Destroyed => &mut self.destroyed,
        }
    }

    fn len(&self) -> usize {
        self.detached.len() + self.destroyed.len()
    }

    fn bytes(&self) -> usize {
        let all = self.detached.iter().chain(&self.destroyed);
        all.map(Testament::bytes).sum()
    }
}

/// The procedure that adds a testament.
pub(super) const ADD: &str = "wamp.session.add_testament";

/// Who adds a testament has to be allowed to publish it, then and when it is published.
pub(super) fn requirement(arguments: &Arguments<'_>) -> Option<Requirement<'static>> {
    // Without a topic the procedure refuses.
    let topic = topic(arguments).ok()?;
    Some(Requirement::publish(topic.into()))
}

/// `wamp.session.add_testament(topic, args, kwargs; publish_options, scope)`
pub(super) fn add(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let payload = arguments.payload();
    let serializer = payload.serializer();
    let topic = topic(arguments)?;
    realm.config.check_uri(&topic)?;
    check_not_reserved(&topic)?;
    let scope = scope(arguments)?;
    let options = arguments.encoded_keyword("publish_options")?;
    check_options(realm, caller, serializer, options)?;
    let (args, kwargs) = (arguments.encoded(1)?, arguments.encoded(2)?);
    let inner = Payload::of_parts(serializer, args, kwargs)
        .map_err(|error| invalid(format!("the testament's {error}")))?;
    let testament = Testament {
        topic,
        options: options.unwrap_or_default().into(),
        serializer,
        payload: inner.into_owned(),
    };
    realm.check_room(caller, &testament)?;
    Ok(Answer::change(Change::AddTestament(scope, testament)))
}

/// `wamp.session.flush_testaments(; scope)`
pub(super) fn flush(
    _: &Realm,
    _: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let scope = scope(arguments)?;
    Ok(Answer::change(Change::FlushTestaments(scope)))
}

fn topic(arguments: &Arguments<'_>) -> Result<Box<str>, Refusal> {
    arguments
        .encoded(0)?
        .and_then(|topic| serializer::deserialize(arguments.payload().serializer(), topic).ok())
        .ok_or_else(|| invalid("argument 0, topic, must be a string".into()))
}

fn scope(arguments: &Arguments<'_>) -> Result<Scope, Refusal> {
    let Some(encoded) = arguments.encoded_keyword("scope")? else {
        return Ok(Scope::Destroyed);
    };
    let word: Option<Option<String>> =
        serializer::deserialize(arguments.payload().serializer(), encoded).ok();
    match word.as_ref().map(Option::as_deref) {
        Some(Some("destroyed") | None) => Ok(Scope::Destroyed),
        Some(Some("detached")) => Ok(Scope::Detached),
        _ => Err(invalid(
            "scope must be \"destroyed\" or \"detached\"".into(),
        )),
    }
}

/// Checks that the event could be published with these options.
fn check_options(
    realm: &Realm,
    caller: SessionKey,
    serializer: Serializer,
    encoded: Option<&[u8]>,
) -> Result<(), Refusal> {
    let options = decode_options(serializer, encoded.unwrap_or_default())
        .map_err(|error| invalid(format!("publish_options: {error}")))?;
    if let Some(session) = realm.sessions.get(caller) {
        if options.is_passed_through() && !session.passes_through(Role::Publisher) {
            let why = "publish_options: ppt_scheme needs payload_passthru_mode, not announced";
            return Err(Refusal::explained(error_uri::OPTION_NOT_ALLOWED, why));
        }
        realm
            .config
            .publisher_identity(&session.details, options.disclose_me)?;
    }
    Ok(())
}

/// The options of a testament; none if there are no bytes.
fn decode_options(serializer: Serializer, encoded: &[u8]) -> Result<PublishOptions, DecodeError> {
    if encoded.is_empty() {
        return Ok(PublishOptions::default());
    }
    PublishOptions::decode(serializer, encoded)
}

impl Realm {
    /// Checks that a session may have one more testament.
    fn check_room(&self, caller: SessionKey, testament: &Testament) -> Result<(), Refusal> {
        let held = self
            .sessions
            .get(caller)
            .and_then(|session| session.rare.as_ref())
            .map_or((0, 0), |rare| {
                (rare.testaments.len(), rare.testaments.bytes())
            });
        let max = self.config.testaments_per_session_max;
        if held.0 >= max {
            return Err(Refusal::limit(error_uri::NOT_AUTHORIZED, "testaments", max));
        }
        let max = self.config.testament_bytes_per_session_max;
        if held.1 + testament.bytes() > max {
            let why = format!("the testaments of this session would have more than {max} bytes");
            return Err(Refusal::explained(error_uri::NOT_AUTHORIZED, why));
        }
        Ok(())
    }

    pub(super) fn add_testament(&mut self, of: SessionKey, scope: Scope, testament: Testament) {
        if let Some(session) = self.sessions.get_mut(of) {
            let testaments = &mut session.rare.get_or_insert_default().testaments;
            testaments.bucket(scope).push(testament);
        }
    }

    pub(super) fn flush_testaments(&mut self, of: SessionKey, scope: Scope) {
        let session = self.sessions.get_mut(of);
        if let Some(rare) = session.and_then(|session| session.rare.as_mut()) {
            *rare.testaments.bucket(scope) = Vec::new();
        }
    }

    /// Publishes the testaments of a session that is gone.
    pub(crate) fn publish_testaments(
        &mut self,
        now: Now,
        testaments: Testaments,
        gone: &Session,
        outbox: &mut impl Outbox,
    ) {
        let Testaments {
            detached,
            destroyed,
        } = testaments;
        for testament in detached.into_iter().chain(destroyed) {
            // They were checked when they came.
            let options = decode_options(testament.serializer, &testament.options);
            let Ok(options) = options else { continue };
            let mut publish = Publish {
                request: RequestId::FIRST,
                options,
                topic: testament.topic.as_ref().into(),
                payload: testament.payload,
            };
            if self.admit_testament(gone, &mut publish) {
                self.publish_for_gone(now, &gone.details, &mut publish, outbox);
            }
        }
    }
}
