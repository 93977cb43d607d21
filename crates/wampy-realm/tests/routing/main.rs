//! Whole conversations between simulated clients and a realm.
//!
//! Numbers in test names are those of the table `WIRE_CHECKS.md`.

// Tests fail by panicking; the lint exempts only the test functions themselves.
#![allow(clippy::unwrap_used)]

mod authorization;
mod authorization_asked;
mod authorization_asked_parts;
mod authorization_changed;
mod call_canceling;
mod call_rerouting;
mod call_timeout;
mod calls;
mod event_history;
mod event_retention;
mod force_reregister;
mod internal_sessions;
mod leniency;
mod limits;
mod pattern_based;
mod payload_passthru_mode;
mod progressive_call_invocations;
mod pubsub;
mod random_walk;
mod receivers;
mod reflection;
mod registration_concurrency;
mod registration_meta_api;
mod registrations;
mod revocation;
mod session_meta_api;
mod sessions;
mod sharded_registration;
mod sharded_subscription;
mod simulated;
mod subscription_meta_api;
mod tables_changed;
mod testament;
mod trustlevels;
mod wire_checks;
