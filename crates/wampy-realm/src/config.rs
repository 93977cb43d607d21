//! What can be set about a realm: its policies and its limits.

use wampy_proto::uri::Grammar;

use crate::authorizer::RealmRoles;
use crate::keeping::Keeping;

/// Whether a caller or publisher becomes known to those it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disclosure {
    /// Never: a request with `disclose_me` (or a registration with `disclose_caller`) is refused
    /// with `wamp.error.option_disallowed.disclose_me`.
    Denied,
    /// When `disclose_me` asks for it or, for callers, the registration's `disclose_caller`. The
    /// default: the specification lets a router deny the request, and grants it otherwise.
    #[default]
    OnRequest,
    /// Always.
    Always,
}

/// Whose registrations REGISTER with `force_reregister` takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForceReregister {
    /// Nobody's: the option is refused with `wamp.error.option_not_allowed`.
    Denied,
    /// Those of sessions with the same authid; others are `wamp.error.not_authorized`. The default.
    /// (A session that joined as `anonymous` has an authid of its own, and so only itself.)
    #[default]
    SameAuthid,
    /// Everybody's.
    Everybody,
}

/// The policies and limits of a realm.
///
/// Each limit says what a session sees that reaches it; the `ERROR` says why in its first argument.
/// The specification names no error for limits, so each uses the registered URI that fits best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmConfig {
    /// What the sessions of each role may do. Default: no roles, so that everybody may do everything.
    pub roles: RealmRoles,
    /// For how many exact URIs it is remembered what the permissions of a role say; for more, all
    /// that is remembered is forgotten. Default: 4096.
    pub remembered_decisions_per_role_max: usize,
    /// How long a session waits for the answer of an authorizer, in milliseconds. Then what it asked
    /// for is refused with `wamp.error.authorization_failed`. Default: 10 seconds.
    pub authorizer_timeout_ms: u64,
    /// How long an answer of an authorizer is remembered that may be, in milliseconds. Default: 5
    /// minutes.
    pub authorizer_answer_lifetime_ms: u64,
    /// How many answers of an authorizer are remembered about each session; for more, all about that
    /// session are forgotten. Default: 256.
    pub authorizer_answers_per_session_max: usize,
    /// The most requests of one session that wait for an authorizer, and behind the one it is asked
    /// about. One more gets ERROR `wamp.error.unavailable`. Default: 256.
    pub waiting_messages_per_session_max: usize,
    /// The most bytes that these requests have together. What would make them more gets ERROR
    /// `wamp.error.unavailable`; a single one may have more. Default: 1 MiB.
    pub waiting_bytes_per_session_max: usize,
    /// The grammar of the URIs in requests. Others are answered by ERROR
    /// `wamp.error.invalid_uri`. Default: loose.
    pub uri_grammar: Grammar,
    /// Whether callees learn who calls. Default: on request.
    pub caller_disclosure: Disclosure,
    /// Whether subscribers learn who publishes. Default: on request.
    pub publisher_disclosure: Disclosure,
    /// Whose registrations `force_reregister` takes over. Default: those of the same authid.
    pub force_reregister: ForceReregister,
    /// A leniency for clients such as wampy 1.1.0, which end a call that took too long by CANCEL
    /// and then take any answer to it for an error of the protocol. It applies to sessions that
    /// announce `call_timeout` in every role and `call_canceling` in none. Their calls end
    /// without ERROR when they are canceled or time out, and the time limit is forwarded to the
    /// callee as `timeout` of the INVOCATION. Default: off.
    pub silent_cancel: bool,
    /// A leniency for callees such as those of autobahn-js and wampy.js, which announce
    /// `progressive_call_results` but not `call_canceling`. They are asked for progressive results
    /// all the same, although they cannot be stopped when the caller has gone. Default: off.
    pub progress_without_canceling: bool,
    /// The most sessions at once. One more is refused by [`Realm::join`](crate::Realm::join).
    /// Default: 100 000.
    pub sessions_max: usize,
    /// The most calls that one session may have made and that have not ended. One more gets ERROR
    /// `wamp.error.unavailable`. Default: 10 000.
    pub pending_calls_per_session_max: usize,
    /// The most invocations that one session may have received and not answered. A further call
    /// goes to another callee of the registration; if none has room it gets ERROR
    /// `wamp.error.no_available_callee`. Default: 100 000.
    pub pending_invocations_per_session_max: usize,
    /// The most calls that wait for a callee of one registration, because all have as many as their
    /// `concurrency` allows. One more gets ERROR `wamp.error.unavailable`. Default: 1000.
    pub waiting_calls_per_registration_max: usize,
    /// The most that these calls count together, in bytes: arguments, options, and what the realm
    /// needs beside them. Beyond it a call gets ERROR `wamp.error.unavailable`. Default: 16 MiB.
    pub waiting_bytes_per_registration_max: usize,
    /// The largest call that is kept so that it can be rerouted when its callee is unavailable, counted
    /// in the same way. The caller of a larger one gets the callee's `wamp.error.unavailable`.
    /// Default: 64 KiB.
    pub rerouted_call_bytes_max: usize,
    /// The most that all calls which wait or can be rerouted count, in bytes. Beyond it a call that
    /// would have to wait gets ERROR `wamp.error.unavailable`, and others are not rerouted.
    /// Default: 128 MiB.
    pub kept_call_bytes_max: usize,
    /// The most registrations of one session. One more gets ERROR `wamp.error.not_authorized`.
    /// Default: 10 000.
    pub registrations_per_session_max: usize,
    /// The most subscriptions of one session. One more gets ERROR `wamp.error.not_authorized`.
    /// Default: 10 000.
    pub subscriptions_per_session_max: usize,
    /// The most testaments of one session, in both scopes together. One more gets ERROR
    /// `wamp.error.not_authorized`. Default: 100.
    pub testaments_per_session_max: usize,
    /// The most bytes of the testaments of one session: topics, options and payloads as they came.
    /// What would make them more gets ERROR `wamp.error.not_authorized`. Default: 1 MiB.
    pub testament_bytes_per_session_max: usize,
    /// The most definitions that one session may make of procedures, topics and errors. One more gets
    /// ERROR `wamp.error.not_authorized`. Default: 10 000.
    pub definitions_per_session_max: usize,
    /// The most bytes of the definitions of one session: URIs, and definitions in MessagePack. What
    /// would make them more gets ERROR `wamp.error.not_authorized`. Default: 4 MiB.
    pub definition_bytes_per_session_max: usize,
    /// The longest URI of a procedure, topic or pattern, in bytes. A longer one gets ERROR
    /// `wamp.error.invalid_uri`. The router limits the names of realms by it, too: a HELLO with a
    /// longer one gets ABORT `wamp.error.invalid_uri`. Default: 1024.
    pub uri_bytes_max: usize,
    /// The longest time that a call's `timeout` can ask for, in milliseconds. A longer one counts
    /// as this one. Default: 7 days.
    pub call_timeout_ms_max: u64,
    /// Which published events are retained for later subscribers where their publisher asks for it.
    /// Default: [`Keeping::retention`], those of every topic.
    pub event_retention: Keeping,
    /// Which published events are kept as history. Default: [`Keeping::history`], none.
    pub event_history: Keeping,
    /// The most retained events that one SUBSCRIBE brings. If its pattern matches more topics, it
    /// brings the latest. Default: 1000.
    pub retained_events_per_subscribe_max: usize,
    /// The most bytes of payload of the retained events that one SUBSCRIBE brings; the latest comes
    /// in any case. Default: 4 MiB.
    pub retained_bytes_per_subscribe_max: usize,
    /// The most events that one call of `wamp.subscription.get_events` returns, whatever its
    /// `limit`; the keyword result `more` tells whether there are others. Default: 1000.
    pub history_events_per_call_max: usize,
    /// The most bytes of payload that one call of `wamp.subscription.get_events` returns; the first
    /// event comes in any case. Default: 4 MiB.
    pub history_bytes_per_call_max: usize,
}

impl Default for RealmConfig {
    fn default() -> Self {
        Self {
            roles: RealmRoles::default(),
            remembered_decisions_per_role_max: 4096,
            authorizer_timeout_ms: 10_000,
            authorizer_answer_lifetime_ms: 5 * 60 * 1000,
            authorizer_answers_per_session_max: 256,
            waiting_messages_per_session_max: 256,
            waiting_bytes_per_session_max: 1024 * 1024,
            uri_grammar: Grammar::Loose,
            caller_disclosure: Disclosure::OnRequest,
            publisher_disclosure: Disclosure::OnRequest,
            force_reregister: ForceReregister::SameAuthid,
            silent_cancel: false,
            progress_without_canceling: false,
            sessions_max: 100_000,
            pending_calls_per_session_max: 10_000,
            pending_invocations_per_session_max: 100_000,
            waiting_calls_per_registration_max: 1000,
            waiting_bytes_per_registration_max: 16 << 20,
            rerouted_call_bytes_max: 64 << 10,
            kept_call_bytes_max: 128 << 20,
            registrations_per_session_max: 10_000,
            subscriptions_per_session_max: 10_000,
            testaments_per_session_max: 100,
            testament_bytes_per_session_max: 1 << 20,
            definitions_per_session_max: 10_000,
            definition_bytes_per_session_max: 4 << 20,
            uri_bytes_max: 1024,
            call_timeout_ms_max: 7 * 24 * 60 * 60 * 1000,
            event_retention: Keeping::retention(),
            event_history: Keeping::history(),
            retained_events_per_subscribe_max: 1000,
            retained_bytes_per_subscribe_max: 4 << 20,
            history_events_per_call_max: 1000,
            history_bytes_per_call_max: 4 << 20,
        }
    }
}
