//! REGISTER and UNREGISTER.
//!
//! Calls that are on their way to a callee when it unregisters go on: it is there to answer them.

use wampy_proto::message::{InvocationPolicy, Register, Registered, Unregister, Unregistered};
use wampy_proto::{Message, MessageType, RegistrationId, error_uri};

use super::call_timeout;
use super::shared_registration::{Callee, Callees};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::records::Record;
use crate::refusal::{Refusal, check_not_reserved};
use crate::session::{Session, SessionKey};

impl Realm {
    pub(crate) fn handle_register(
        &mut self,
        now: Now,
        from: SessionKey,
        register: &Register<'_>,
        outbox: &mut impl Outbox,
    ) {
        let request = register.request;
        match self.register(now, from, register) {
            Ok((registration, created)) => {
                let registered = Registered {
                    request,
                    registration,
                };
                _ = outbox.send(from, &Message::Registered(registered));
                self.announce_registered(from, registration, created, outbox);
            }
            Err(refusal) => refusal.send(from, MessageType::Register, request, outbox),
        }
    }

    /// Adds a callee; returns its registration and whether that is new.
    fn register(
        &mut self,
        now: Now,
        from: SessionKey,
        register: &Register<'_>,
    ) -> Result<(RegistrationId, bool), Refusal> {
        let (procedure, options) = (&*register.procedure, &register.options);
        self.config.check_pattern(procedure, options.match_policy)?;
        check_not_reserved(procedure)?;
        self.config.check_disclose_caller(options.disclose_caller)?;
        let Some(session) = self.sessions.get_mut(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        let policy = options.invoke.unwrap_or(InvocationPolicy::Single);
        let registrations = &mut self.dealer.registrations;
        let known = registrations.lookup(procedure, options.match_policy);
        if let Some(record) = known.and_then(|id| registrations.get(id))
            && !record.members.takes(from, policy)
        {
            return Err(already_exists(record, from, policy));
        }
        let max = self.config.registrations_per_session_max;
        if session.registrations.len() >= max {
            return Err(Refusal::limit(
                error_uri::NOT_AUTHORIZED,
                "registrations",
                max,
            ));
        }
        let registration = known.unwrap_or_else(|| {
            registrations.insert(Record {
                uri: procedure.into(),
                match_policy: options.match_policy,
                created_unix_ms: now.unix_ms,
                members: Callees::new(policy),
            })
        });
        if let Some(record) = registrations.get_mut(registration) {
            record.members.list.push(Callee {
                session: from,
                disclose_caller: options.disclose_caller,
                forward_timeout: call_timeout::is_forwarded(options, session),
            });
        }
        session.registrations.insert(registration);
        Ok((registration, known.is_none()))
    }

    pub(crate) fn handle_unregister(
        &mut self,
        from: SessionKey,
        unregister: &Unregister,
        outbox: &mut impl Outbox,
    ) {
        let Unregister {
            request,
            registration,
        } = *unregister;
        let Some(session) = self.sessions.get_mut(from) else {
            return;
        };
        let id = session.details.id;
        if !session.registrations.remove(&registration) {
            let refusal = Refusal::new(error_uri::NO_SUCH_REGISTRATION);
            return refusal.send(from, MessageType::Unregister, request, outbox);
        }
        let deleted = self.remove_callee(registration, from);
        let unregistered = Unregistered {
            request: Some(request),
            details: None,
        };
        _ = outbox.send(from, &Message::Unregistered(unregistered));
        self.announce_unregistered(id, registration, deleted, outbox);
    }

    /// Takes a session that is gone from its registrations: which those were, and whether each was
    /// deleted with it.
    pub(crate) fn remove_registrations_of(
        &mut self,
        key: SessionKey,
        session: &Session,
    ) -> Vec<(RegistrationId, bool)> {
        let mut held: Vec<_> = session.registrations.iter().copied().collect();
        held.sort_unstable();
        held.into_iter()
            .map(|id| (id, self.remove_callee(id, key)))
            .collect()
    }

    /// Takes a callee from a registration; returns whether it was the last.
    fn remove_callee(&mut self, id: RegistrationId, callee: SessionKey) -> bool {
        let registrations = &mut self.dealer.registrations;
        let Some(record) = registrations.get_mut(id) else {
            return false;
        };
        record.members.remove(callee);
        let deleted = record.members.list.is_empty();
        if deleted {
            registrations.remove(id);
        }
        deleted
    }
}

/// Why a callee cannot join a registration. The specification names no error for another policy;
/// other routers use this one, too.
fn already_exists(
    record: &Record<Callees>,
    session: SessionKey,
    policy: InvocationPolicy,
) -> Refusal {
    let uri = &record.uri;
    let message = if record
        .members
        .list
        .iter()
        .any(|callee| callee.session == session)
    {
        format!("this session has registered {uri:?} already")
    } else if policy == record.members.policy {
        format!("another session has registered {uri:?} already")
    } else {
        let existing = record.members.policy.as_str();
        format!(
            "{uri:?} is registered with invocation policy {existing}, not {}",
            policy.as_str()
        )
    };
    Refusal::explained(error_uri::PROCEDURE_ALREADY_EXISTS, message)
}
