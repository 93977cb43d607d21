//! What has to happen in the walks, and which feature of the realm it shows.
//!
//! The model notes what it foretells; walks in which something of it never came to pass would prove
//! nothing about it. A feature without a row here fails the test.

use wampy_proto::Feature;

/// Each feature that the realm announces, with what shows that it was at work: the model said so, and the
/// realm did the same.
pub const FEATURES: &[(Feature, &[&str])] = &[
    (
        Feature::ProgressiveCallResults,
        &[
            "a part of a result was delivered",
            "a part of a result could not be delivered",
        ],
    ),
    (
        Feature::ProgressiveCallInvocations,
        &[
            "a call had further parts",
            "a part came too late",
            "a part came behind the last one",
        ],
    ),
    (
        Feature::CallTimeout,
        &["a call took too long", "a time limit was forwarded"],
    ),
    (
        Feature::CallCanceling,
        &["a callee was interrupted", "a call ended silently"],
    ),
    (
        Feature::CallReroute,
        &[
            "a call was rerouted",
            "a large call was kept to be rerouted",
            "nobody was left to take a rerouted call",
        ],
    ),
    (
        Feature::CallerIdentification,
        &[
            "a caller was disclosed",
            "a caller was not to be disclosed",
            "a callee was not to know its callers",
        ],
    ),
    (
        Feature::CallTrustlevels,
        &["a callee learned how far its caller is trusted"],
    ),
    (
        Feature::PatternBasedRegistration,
        &["a call went by a pattern"],
    ),
    (
        Feature::SharedRegistration,
        &["a call went to one of several callees"],
    ),
    (
        Feature::ShardedRegistration,
        &[
            "a call went to the owner of its key",
            "a call went to one of several callees of a node",
        ],
    ),
    (
        Feature::RegistrationRevocation,
        &["a registration was revoked"],
    ),
    (
        Feature::SessionMetaApi,
        &[
            "the session meta API told something",
            "a session was killed",
        ],
    ),
    (
        Feature::RegistrationMetaApi,
        &["the registration meta API told something"],
    ),
    (
        Feature::SubscriptionMetaApi,
        &["the subscription meta API told something"],
    ),
    (
        Feature::TestamentMetaApi,
        &["a testament was published", "a testament was too large"],
    ),
    (
        Feature::PublisherExclusion,
        &["a publisher got its own event"],
    ),
    (
        Feature::SubscriberBlackwhiteListing,
        &["a list left a session out"],
    ),
    (
        Feature::PublisherIdentification,
        &[
            "a publisher was disclosed",
            "a publisher was not to be disclosed",
        ],
    ),
    (
        Feature::PublicationTrustlevels,
        &["a subscriber learned how far its publisher is trusted"],
    ),
    (
        Feature::PatternBasedSubscription,
        &["an event came by a pattern"],
    ),
    (
        Feature::ShardedSubscriptions,
        &["an event belonged to another node"],
    ),
    (
        Feature::EventHistory,
        &[
            "a history was longer than its limit",
            "an event of the history was too old",
            "events that were too old were forgotten",
            "kept events outlived the router",
        ],
    ),
    (
        Feature::EventRetention,
        &[
            "a retained event was sent",
            "a retained event was too old",
            "a retained event belonged to another node",
            "a retained event came to the node of its key",
        ],
    ),
    (
        Feature::SubscriptionRevocation,
        &["a subscription was revoked"],
    ),
    (
        Feature::PayloadPassthruMode,
        &["a payload was passed through"],
    ),
    (
        Feature::Reflection,
        &[
            "something was described",
            "what was said of something changed",
        ],
    ),
];

/// What else the realm can do, with what shows it.
pub const BEYOND: &[(&str, &[&str])] = &[
    (
        "REGISTER `concurrency`, with calls that wait",
        &[
            "a call waited",
            "a line was full",
            "a call that waited got a callee",
            "a call waited for a registration that went",
            "calls that wait in one line were too large",
            "all calls that are kept were too large",
        ],
    ),
    (
        "REGISTER `force_reregister`",
        &["a registration was taken over", "a line was inherited"],
    ),
    (
        "Descriptions that clients give",
        &[
            "what was said of something changed",
            "a definition was taken back before later ones",
            "there was no room for a definition",
        ],
    ),
    (
        "Roles with permissions, which may change",
        &[
            "a permission was lacking",
            "a permission was lacking for some of what a pattern matches",
            "a permission covered a pattern",
            "a permission disclosed a session",
            "a role lost a permission that was used",
        ],
    ),
    (
        "Authorizers that are procedures",
        &[
            "an authorizer allowed something",
            "an authorizer disclosed a session",
            "an authorizer refused something",
            "an authorizer was missing",
            "an authorizer failed",
            "an authorizer took too long",
            "an authorizer took back what was held",
            "an authorizer was not asked about itself",
            "an authorizer was asked about what a meta procedure does",
            "a remembered answer counted",
            "a remembered answer was too old",
            "too many answers were remembered",
            "a request waited for an authorizer",
            "too much waited for an authorizer",
            "a session left while an authorizer was asked about it",
            "a call was canceled while an authorizer was asked",
            "roles changed while an authorizer was asked",
        ],
    ),
    (
        "A store that outlives the router",
        &[
            "kept events outlived the router",
            "an event could not be stored",
            "what could not be stored was gone",
            "what could not be forgotten was there again",
        ],
    ),
    (
        "Calls that the router itself makes",
        &["the router called without being asked what it may do"],
    ),
    (
        "Receivers with limits, or other serializers",
        &[
            "a call was too large for its callee",
            "an answer could not be delivered",
            "an event was too large for its subscriber",
            "a payload had no form for its receiver",
        ],
    ),
];

/// What has to happen in some walk.
pub const EVERYTHING: [&str; 98] = [
    "a call was rerouted",
    "a large call was kept to be rerouted",
    "a rerouted call waited",
    "nobody was left to take a rerouted call",
    "a call waited",
    "a line was full",
    "a call that waited got a callee",
    "a call waited for a registration that went",
    "a call went to the owner of its key",
    "a call went to one of several callees of a node",
    "a registration was taken over",
    "a line was inherited",
    "a call had further parts",
    "a part came too late",
    "a time limit was forwarded",
    "a registration was revoked",
    "a subscription was revoked",
    "a testament was published",
    "a permission was lacking",
    "a retained event was sent",
    "a history was longer than its limit",
    "a permission disclosed a session",
    "a role lost a permission that was used",
    "calls that wait in one line were too large",
    "all calls that are kept were too large",
    "a testament was too large",
    "a definition was taken back before later ones",
    "a call was too large for its callee",
    "a part was too large for its callee",
    "a part of a result could not be delivered",
    "an answer could not be delivered",
    "an event was too large for its subscriber",
    "a call ended silently",
    "events were too large for one answer",
    "a filter named a publication that was not there",
    "what was said of something changed",
    "there was no room for a definition",
    "an authorizer was asked",
    "an authorizer was asked about what a meta procedure does",
    "an authorizer was missing",
    "an authorizer failed",
    "an authorizer took too long",
    "an authorizer allowed something",
    "an authorizer disclosed a session",
    "an authorizer refused something",
    "an authorizer took back what was held",
    "an authorizer was not asked about itself",
    "a remembered answer counted",
    "a remembered answer was too old",
    "too many answers were remembered",
    "a request waited for an authorizer",
    "too much waited for an authorizer",
    "a question was withdrawn",
    "a session left while an authorizer was asked about it",
    "a call was canceled while an authorizer was asked",
    "a part of a call that was given up came too late",
    "a request that waited broke the protocol",
    "roles changed while an authorizer was asked",
    "what was asked about was gone",
    "a part came behind the last one",
    "a retained event was too old",
    "a retained event belonged to another node",
    "a retained event came to the node of its key",
    "an event of the history was too old",
    "events that were too old were forgotten",
    "kept events outlived the router",
    "a publisher was disclosed",
    "a publisher was not to be disclosed",
    "a caller was disclosed",
    "a caller was not to be disclosed",
    "a callee was not to know its callers",
    "a callee learned how far its caller is trusted",
    "a subscriber learned how far its publisher is trusted",
    "a call took too long",
    "a callee was interrupted",
    "a part of a result was delivered",
    "a call went by a pattern",
    "a call went to one of several callees",
    "an event came by a pattern",
    "an event belonged to another node",
    "a publisher got its own event",
    "a list left a session out",
    "a payload was passed through",
    "a session was killed",
    "the session meta API told something",
    "the registration meta API told something",
    "the subscription meta API told something",
    "something was described",
    "a payload had no form for its receiver",
    "a part named another procedure",
    "an error had no well-formed URI",
    "an event was too large to be kept",
    "a permission was lacking for some of what a pattern matches",
    "a permission covered a pattern",
    "an event could not be stored",
    "what could not be stored was gone",
    "what could not be forgotten was there again",
    "the router called without being asked what it may do",
];
