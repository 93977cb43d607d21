//! Caller Identification: callees learn who calls, if the caller or the registration asks for it
//! and the realm allows it, or if the realm always discloses.
//!
//! The attributes go to every callee: one that does not know them ignores them.

use wampy_proto::error_uri;
use wampy_proto::message::InvocationDetails;

use crate::config::{Disclosure, RealmConfig};
use crate::refusal::Refusal;
use crate::session::SessionDetails;

/// Adds who calls.
pub(super) fn add_caller(details: &mut InvocationDetails, caller: &SessionDetails) {
    details.caller = Some(caller.id.value());
    details.caller_authid = Some(caller.authid.clone());
    details.caller_authrole = Some(caller.authrole.clone());
}

impl RealmConfig {
    /// Whether a callee learns who calls it.
    pub(super) fn discloses_caller(
        &self,
        disclose_me: bool,
        disclose_caller: bool,
    ) -> Result<bool, Refusal> {
        match self.caller_disclosure {
            Disclosure::Always => Ok(true),
            Disclosure::OnRequest => Ok(disclose_me || disclose_caller),
            Disclosure::Denied if disclose_me => {
                Err(Refusal::new(error_uri::OPTION_DISALLOWED_DISCLOSE_ME))
            }
            Disclosure::Denied => Ok(false),
        }
    }

    /// Checks that a callee may ask who its callers are.
    pub(super) fn check_disclose_caller(&self, disclose_caller: bool) -> Result<(), Refusal> {
        if disclose_caller && self.caller_disclosure == Disclosure::Denied {
            return Err(Refusal::new(error_uri::OPTION_DISALLOWED_DISCLOSE_ME));
        }
        Ok(())
    }
}
