//! Call Trust Levels: callees learn how far the router trusts whoever calls.
//!
//! The router sets a session's level from its configuration when it joins
//! ([`SessionDetails::trust_level`]); the level of a call is that of its caller. It goes to the
//! callees that announced the feature.
//!
//! Deliberately absent: levels for single procedures.

use wampy_proto::message::InvocationDetails;
use wampy_proto::{Feature, Role};

use crate::session::{Session, SessionDetails};

/// Adds the caller's trust level, if it has one and the callee wants to know it.
pub(super) fn add_level(
    details: &mut InvocationDetails,
    caller: &SessionDetails,
    callee: &Session,
) {
    if caller.trust_level.is_some()
        && callee
            .details
            .roles
            .supports(Role::Callee, Feature::CallTrustlevels)
    {
        details.trustlevel = caller.trust_level;
    }
}
