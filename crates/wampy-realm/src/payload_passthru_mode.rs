//! Payload Passthru Mode: payloads that are for the peers alone, with `ppt_*` attributes that say how
//! to read them.
//!
//! The router passes payload and attributes on and looks at neither. It only checks that both peers
//! have announced the mode: who sends such a payload without that breaks the protocol.
//!
//! Where the specification leaves a choice: a result or an error that its caller cannot read ends the
//! call by ERROR `wamp.error.feature_not_supported` for the caller (there is no ERROR that answers a
//! YIELD); an event is left out for subscribers without the mode, who would take it for a payload of
//! another shape. Attributes without a `ppt_scheme` mean nothing and are dropped.

use wampy_proto::{Feature, Message, MessageType, Role, error_uri};

use crate::outbox::Outbox;
use crate::realm::{Realm, Violation};
use crate::refusal::Refusal;
use crate::session::{Session, SessionKey};

impl Session {
    /// Whether the session, in `role`, has the mode.
    pub(crate) fn passes_through(&self, role: Role) -> bool {
        let roles = &self.details.roles;
        roles.supports(role, Feature::PayloadPassthruMode)
    }
}

impl Realm {
    /// Checks that a session may send a payload that is passed through, in this message of `role`.
    pub(crate) fn check_passes_through(
        &self,
        from: SessionKey,
        role: Role,
        message_type: MessageType,
    ) -> Result<(), Violation> {
        let sender = self.sessions.get(from);
        if sender.is_none_or(|sender| sender.passes_through(role)) {
            return Ok(());
        }
        let (message, role) = (message_type.as_str(), role.as_str());
        Err(Violation::new(format!(
            "{message} has ppt_scheme, but the {role} did not announce payload_passthru_mode"
        )))
    }

    /// Sends a caller an answer to its call, which has a payload that it may be unable to read.
    #[inline]
    pub(crate) fn send_answer(
        &self,
        caller: SessionKey,
        answer: &Message<'_>,
        is_passed_through: bool,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        if is_passed_through
            && let Some(session) = self.sessions.get(caller)
            && !session.passes_through(Role::Caller)
        {
            return Err(Refusal::explained(
                error_uri::FEATURE_NOT_SUPPORTED,
                "the answer has ppt_scheme, but the caller did not announce payload_passthru_mode",
            ));
        }
        outbox.send(caller, answer)?;
        Ok(())
    }
}
