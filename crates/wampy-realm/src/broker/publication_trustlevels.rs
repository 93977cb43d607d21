//! Publication Trust Levels: subscribers learn how far the router trusts whoever publishes.
//!
//! The router sets a session's level from its configuration when it joins
//! ([`SessionDetails::trust_level`]); the level of an event is that of its publisher. An event is
//! encoded once for all its receivers, so the level goes to every receiver: one that does not know
//! the attribute ignores it. Meta events have no publisher and so no level.
//!
//! Deliberately absent: levels for single topics.

use wampy_proto::message::EventDetails;

use crate::session::SessionDetails;

/// Adds the publisher's trust level, if it has one.
pub(super) fn add_level(details: &mut EventDetails, publisher: &SessionDetails) {
    if publisher.trust_level.is_some() {
        details.trustlevel = publisher.trust_level;
    }
}
