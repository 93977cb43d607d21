//! REGISTER and UNREGISTER.
//!
//! Calls that are on their way to a callee when it unregisters go on: it is there to answer them.

use wampy_proto::message::{
    InvocationPolicy, Register, RegisterOptions, Registered, Unregister, Unregistered,
};
use wampy_proto::{Message, MessageType, RegistrationId, error_uri};

use super::force_reregister::Ousted;
use super::shared_registration::{Callee, Callees};
use super::{Dealer, call_timeout, registration_concurrency};
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::records::Record;
use crate::refusal::{Refusal, check_not_reserved};
use crate::rendezvous;
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
            Ok((registration, created, ousted)) => {
                self.announce_ousted(&ousted, outbox);
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

    /// Adds a callee; returns its registration, whether that is new, and who lost it.
    fn register(
        &mut self,
        now: Now,
        from: SessionKey,
        register: &Register<'_>,
    ) -> Result<(RegistrationId, bool, Ousted), Refusal> {
        let (procedure, options) = (&*register.procedure, &register.options);
        self.config.check_pattern(procedure, options.match_policy)?;
        check_not_reserved(procedure)?;
        self.config.check_disclose_caller(options.disclose_caller)?;
        let concurrency = registration_concurrency::limit(options.concurrency)?;
        let policy = options.invoke.unwrap_or(InvocationPolicy::Single);
        let mut known = self
            .dealer
            .registrations
            .lookup(procedure, options.match_policy);
        self.check_may_register(from, known, options)?;
        let mut ousted = Ousted::default();
        if options.force_reregister
            && let Some(id) = known.take()
        {
            ousted = self.oust(id);
        }
        let Some(session) = self.sessions.get_mut(from) else {
            return Err(Refusal::new(error_uri::NO_SUCH_SESSION));
        };
        let registrations = &mut self.dealer.registrations;
        let registration = known.unwrap_or_else(|| {
            registrations.insert(Record {
                uri: procedure.into(),
                match_policy: options.match_policy,
                created_unix_ms: now.unix_ms,
                members: Callees::new(policy),
            })
        });
        let nkey = options.nkey.as_ref().filter(|nkey| !nkey.is_empty());
        let node = nkey.unwrap_or(&session.details.authid);
        let running = match known {
            Some(id) => Dealer::running(&self.dealer.calls, id, session),
            None => 0,
        };
        if let Some(record) = registrations.get_mut(registration) {
            record.members.list.push(Callee {
                session: from,
                disclose_caller: options.disclose_caller,
                forward_timeout: call_timeout::is_forwarded(options, session),
                concurrency,
                running,
                node: rendezvous::hash(node),
            });
        }
        session.registrations.insert(registration);
        self.inherit_line(&mut ousted, registration);
        self.dealer.callees_changed(registration);
        Ok((registration, known.is_none(), ousted))
    }

    /// Checks that a session may join the registration `known`, or take it over, or begin one.
    fn check_may_register(
        &self,
        from: SessionKey,
        known: Option<RegistrationId>,
        options: &RegisterOptions,
    ) -> Result<(), Refusal> {
        if let Some(record) = known.and_then(|id| self.dealer.registrations.get(id)) {
            let policy = options.invoke.unwrap_or(InvocationPolicy::Single);
            if options.force_reregister {
                self.check_force(from, record)?;
            } else if !record.members.takes(from, policy) {
                return Err(already_exists(record, from, policy));
            }
        }
        let max = self.config.registrations_per_session_max;
        let session = self.sessions.get(from);
        if session.is_some_and(|session| session.registrations.len() >= max) {
            return Err(Refusal::limit(
                error_uri::NOT_AUTHORIZED,
                "registrations",
                max,
            ));
        }
        Ok(())
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
    pub(super) fn remove_callee(&mut self, id: RegistrationId, callee: SessionKey) -> bool {
        let Some(record) = self.dealer.registrations.get_mut(id) else {
            return false;
        };
        record.members.remove(callee);
        let deleted = record.members.list.is_empty();
        if deleted {
            self.dealer.orphan_line(id);
            self.dealer.registrations.remove(id);
        } else {
            self.dealer.callees_changed(id);
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
