//! Registration Revocation: the router takes a registration from a callee, asked by
//! `wamp.registration.remove_callee` or because another session takes it over (`force_reregister`).
//!
//! The callee gets `[UNREGISTERED, 0, {registration, reason?}]` if it announced the feature, and nothing
//! otherwise. What it was asked before it can still answer, as after UNREGISTER.

use wampy_proto::message::{RevocationDetails, Unregistered};
use wampy_proto::{Feature, Message, RegistrationId, Role};

use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::session::SessionKey;

impl Realm {
    /// Takes a registration from a callee that has it.
    pub(crate) fn revoke_registration(
        &mut self,
        id: RegistrationId,
        callee: SessionKey,
        reason: Option<&str>,
        outbox: &mut impl Outbox,
    ) {
        let Some(session) = self.sessions.get_mut(callee) else {
            return;
        };
        if !session.registrations.remove(&id) {
            return;
        }
        let session = session.details.id;
        let deleted = self.remove_callee(id, callee);
        self.tell_unregistered(callee, id, reason, outbox);
        self.announce_unregistered(session, id, deleted, outbox);
    }

    /// Tells a session that it has lost a registration, if it understands that.
    pub(super) fn tell_unregistered(
        &self,
        callee: SessionKey,
        id: RegistrationId,
        reason: Option<&str>,
        outbox: &mut impl Outbox,
    ) {
        let session = self.sessions.get(callee);
        let is_told = session.is_some_and(|session| {
            let roles = &session.details.roles;
            roles.supports(Role::Callee, Feature::RegistrationRevocation)
        });
        if !is_told {
            return;
        }
        let unregistered = Unregistered {
            request: None,
            details: Some(RevocationDetails {
                registration: Some(id.value()),
                reason: reason.map(Into::into),
                ..RevocationDetails::default()
            }),
        };
        _ = outbox.send(callee, &Message::Unregistered(unregistered));
    }
}
