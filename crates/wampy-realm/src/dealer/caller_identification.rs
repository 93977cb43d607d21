//! Caller Identification: callees learn who calls, if the caller or the registration asks for it
//! and the realm allows it, or if the realm always discloses.
//!
//! The attributes go to every callee: one that does not know them ignores them.

use wampy_proto::error_uri;
use wampy_proto::message::InvocationDetails;

use crate::config::{Disclosure, RealmConfig};
use crate::refusal::Refusal;
use crate::session::SessionDetails;

impl RealmConfig {
    /// The details of an invocation, with its caller if disclosed.
    pub(super) fn caller_identity(
        &self,
        caller: &SessionDetails,
        disclose_me: bool,
        disclose_caller: bool,
    ) -> Result<InvocationDetails, Refusal> {
        let disclosed = match self.caller_disclosure {
            Disclosure::Always => true,
            Disclosure::OnRequest => disclose_me || disclose_caller,
            Disclosure::Denied if disclose_me => {
                return Err(Refusal::new(error_uri::OPTION_DISALLOWED_DISCLOSE_ME));
            }
            Disclosure::Denied => false,
        };
        let mut details = InvocationDetails::default();
        if disclosed {
            details.caller = Some(caller.id.value());
            details.caller_authid = Some(caller.authid.clone());
            details.caller_authrole = Some(caller.authrole.clone());
        }
        Ok(details)
    }

    /// Checks that a callee may ask who its callers are.
    pub(super) fn check_disclose_caller(&self, disclose_caller: bool) -> Result<(), Refusal> {
        if disclose_caller && self.caller_disclosure == Disclosure::Denied {
            return Err(Refusal::new(error_uri::OPTION_DISALLOWED_DISCLOSE_ME));
        }
        Ok(())
    }
}
