//! `force_reregister`: a callee that comes back takes its procedures over, before the session that it
//! had has timed out.
//!
//! The specification does not know this option of REGISTER; Crossbar.io does. As there, all callees of
//! the registration lose it, are told so if they announced `registration_revocation`, and a new
//! registration begins, with a policy of its own. Here in addition:
//!
//! - Not everybody may do so: [`ForceReregister`].
//! - Calls that waited for the old callees wait for the new one. What the old ones have, they may
//!   still answer, as after UNREGISTER.

use wampy_proto::{RegistrationId, SessionId, error_uri};

use super::registration_concurrency::WaitingCalls;
use super::shared_registration::{Callee, Callees};
use crate::config::ForceReregister;
use crate::outbox::Outbox;
use crate::realm::Realm;
use crate::records::Record;
use crate::refusal::Refusal;
use crate::session::SessionKey;

/// What those who lost a registration hear of it.
const REASON: &str = "another session has taken the procedure over";

/// A registration that was taken over.
#[derive(Debug, Default)]
pub(super) struct Ousted {
    registration: Option<RegistrationId>,
    callees: Vec<(SessionKey, SessionId)>,
    waiting: Option<Box<WaitingCalls>>,
}

impl Realm {
    /// Checks that a session may take a registration over.
    pub(super) fn check_force(
        &self,
        from: SessionKey,
        record: &Record<Callees>,
    ) -> Result<(), Refusal> {
        let authid = |key| {
            self.sessions
                .get(key)
                .map(|session| &session.details.authid)
        };
        match self.config.force_reregister {
            ForceReregister::Everybody => Ok(()),
            ForceReregister::SameAuthid => {
                let same = |callee: &Callee| authid(callee.session) == authid(from);
                if record.members.list.iter().all(same) {
                    return Ok(());
                }
                let uri = &record.uri;
                let why = format!("{uri:?} is registered by a session with another authid");
                Err(Refusal::explained(error_uri::NOT_AUTHORIZED, why))
            }
            ForceReregister::Denied => Err(Refusal::explained(
                error_uri::OPTION_NOT_ALLOWED,
                "this realm does not allow force_reregister",
            )),
        }
    }

    /// Takes a registration from all its callees; it is gone then.
    pub(super) fn oust(&mut self, id: RegistrationId) -> Ousted {
        let Some(record) = self.dealer.registrations.get_mut(id) else {
            return Ousted::default();
        };
        let waiting = record.members.waiting.take();
        let list = std::mem::take(&mut record.members.list);
        self.dealer.registrations.remove(id);
        let mut callees = Vec::with_capacity(list.len());
        for callee in list {
            if let Some(session) = self.sessions.get_mut(callee.session) {
                session.registrations.remove(&id);
                callees.push((callee.session, session.details.id));
            }
        }
        Ousted {
            registration: Some(id),
            callees,
            waiting,
        }
    }

    /// Hands the calls that waited for those who were ousted to the new registration.
    pub(super) fn inherit_line(&mut self, ousted: &mut Ousted, id: RegistrationId) {
        let Some(waiting) = ousted.waiting.take() else {
            return;
        };
        for &slot in waiting.line.values() {
            let call = self.dealer.calls.get_mut(slot);
            if let Some(rare) = call.and_then(|call| call.rare.as_mut()) {
                rare.registration = id;
            }
        }
        if let Some(record) = self.dealer.registrations.get_mut(id) {
            record.members.waiting = Some(waiting);
        }
        self.dealer.callees_changed(id);
    }

    /// Tells everybody that a registration was taken over.
    pub(super) fn announce_ousted(&mut self, ousted: &Ousted, outbox: &mut impl Outbox) {
        let Some(registration) = ousted.registration else {
            return;
        };
        for &(callee, _) in &ousted.callees {
            self.tell_unregistered(callee, registration, Some(REASON), outbox);
        }
        let last = ousted.callees.len().saturating_sub(1);
        for (number, &(_, id)) in ousted.callees.iter().enumerate() {
            self.announce_unregistered(id, registration, number == last, outbox);
        }
    }
}
