//! `[limits]` of the router and of a realm: every limit by the name of its field.

use wampy_realm::RealmConfig;

use super::section::Section;
use crate::limits::Limits;

/// Reads each of the fields that the section has.
macro_rules! read_fields {
    ($section:ident, $into:ident, $($field:ident),* $(,)?) => {
        $(if let Some(limit) = $section.number(stringify!($field)) {
            $into.$field = limit;
        })*
    };
}

/// The limits of the router.
pub(super) fn router(mut section: Section<'_>) -> Limits {
    let mut limits = Limits::default();
    read_fields!(
        section,
        limits,
        connections_max,
        connections_per_address_max,
        sessions_max,
        auto_created_realms_max,
        message_bytes_max,
        fragments_max,
        http_head_bytes_max,
        http_headers_max,
        http_idle_timeout_ms,
        http_body_bytes_max,
        longpoll_transports_max,
        longpoll_transports_per_address_max,
        longpoll_pending_bytes_max,
        longpoll_poll_timeout_ms,
        longpoll_session_timeout_ms,
        cookies_max,
        handshake_timeout_ms,
        handshake_message_bytes_max,
        authentication_failures_free,
        authentication_delay_ms_max,
        authentication_failure_forgotten_ms,
        authentication_failures_remembered_max,
        users_file_poll_ms,
        close_timeout_ms,
        shutdown_timeout_ms,
        outbound_bytes_per_session_max,
        outbound_bytes_max,
        outbound_bytes_pause,
        paused_timeout_ms,
        store_queue_bytes_max,
        messages_per_batch_max,
        busy_poll_us,
        keepalive_interval_ms,
        keepalive_timeout_ms,
        pending_calls_per_session_max,
        registrations_per_session_max,
        subscriptions_per_session_max,
    );
    if let Some(problem) = limits.problem() {
        section.problem(problem);
    }
    section.end();
    limits
}

/// The limits of a realm, beside those that it has from the router.
pub(super) fn realm(mut section: Section<'_>, config: &mut RealmConfig) {
    read_fields!(
        section,
        config,
        remembered_decisions_per_role_max,
        authorizer_timeout_ms,
        authorizer_answer_lifetime_ms,
        authorizer_answers_per_session_max,
        waiting_messages_per_session_max,
        waiting_bytes_per_session_max,
        pending_invocations_per_session_max,
        waiting_calls_per_registration_max,
        waiting_bytes_per_registration_max,
        rerouted_call_bytes_max,
        kept_call_bytes_max,
        testaments_per_session_max,
        testament_bytes_per_session_max,
        definitions_per_session_max,
        definition_bytes_per_session_max,
        retained_events_per_subscribe_max,
        retained_bytes_per_subscribe_max,
        history_events_per_call_max,
        history_bytes_per_call_max,
        uri_bytes_max,
        call_timeout_ms_max,
    );
    section.end();
}
