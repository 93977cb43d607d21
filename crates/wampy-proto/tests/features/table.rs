//! The rows of `docs/features.md`: each feature with the tests that fail without it.

use wampy_proto::Feature;

/// What the page begins with.
pub const INTRODUCTION: &str = "# Features

Every feature of the advanced profile, with the roles in which the router and the clients announce it in
WELCOME and HELLO. The announcement of the program and this page come from one table, and a test checks
that each side that announces a feature has a test for it. (`make features` writes the page.)
";

/// What the page ends with.
pub const LEFT_OUT: &str = "
## Left out

- UBJSON and FlatBuffers: their wire forms are not agreed between implementations.
- Router-to-router links, RawSocket and WebSocket multiplexing, and session resumption: the specification
  has no text for them that two implementations could agree on.
";

/// A feature, or something else that a peer can do, and the tests for it.
pub struct Row {
    /// The feature, if it has a key.
    pub feature: Option<Feature>,
    /// What it is called.
    pub name: &'static str,
    /// How settled it is in the specification.
    pub status: &'static str,
    /// The router's tests.
    pub router: &'static [&'static str],
    /// The Rust client's tests.
    pub rust: &'static [&'static str],
    /// The Python client's tests.
    pub python: &'static [&'static str],
}

/// Writes a row: name, status, and the tests of each side.
macro_rules! rows {
    ($($feature:expr, $name:literal, $status:literal, [$($router:literal)*] [$($rust:literal)*] [$($python:literal)*];)*) => {
        &[$(Row {
            feature: $feature,
            name: $name,
            status: $status,
            router: &[$($router),*],
            rust: &[$($rust),*],
            python: &[$($python),*],
        },)*]
    };
}

/// Every feature that has a key, in the order of [`Feature::ALL`].
pub const FEATURES: &[Row] = rows! {
    Some(Feature::ProgressiveCallResults), "Progressive call results", "stable",
        ["check_57_each_progressive_result_restarts_the_time"] ["a_result_in_parts_arrives_in_order"] ["test_a_result_comes_in_parts" "test_leaving_the_loop_cancels_the_call"];
    Some(Feature::ProgressiveCallInvocations), "Progressive call invocations", "alpha",
        ["check_60_parts_of_a_call_go_to_one_callee_as_one_invocation" "both_sides_may_send_in_parts_at_once"] ["parts_of_a_call_arrive_in_order_with_every_serializer" "both_directions_flow_at_once"] ["test_arguments_go_in_parts" "test_both_directions_flow_at_once"];
    Some(Feature::CallTimeout), "Call timeout", "alpha",
        ["check_55_a_call_that_takes_too_long_is_interrupted"
         "check_56_the_limit_is_forwarded_to_a_callee_that_asks_for_it"] ["time_that_runs_out_at_the_router_is_time_that_runs_out" "check_56_a_handler_whose_time_is_out_is_stopped"]
        ["test_timeout_is_raised_here_and_told_to_the_dealer" "test_the_callee_may_mind_the_time_limit"];
    Some(Feature::CallCanceling), "Call canceling", "alpha",
        ["check_49_kill_waits_for_the_callee" "check_50_killnowait_does_both_at_once"]
        ["dropping_a_call_cancels_it_in_its_mode" "an_interrupt_stops_the_handler_and_is_answered"]
        ["test_cancel_by_hand" "test_leaving_the_loop_cancels_the_call"];
    Some(Feature::CallReroute), "Call rerouting", "sketch",
        ["check_68_the_next_callee_gets_the_call_as_the_policy_says" "check_68_a_single_callee_that_is_unavailable_ends_the_call"] ["a_call_that_one_handler_cannot_take_goes_to_the_next"] ["test_a_call_that_one_callee_cannot_take_goes_to_the_next"];
    Some(Feature::CallerIdentification), "Caller identification", "stable",
        ["check_71_callers_are_disclosed_on_request"] ["a_call_says_what_its_options_say"] ["test_a_callee_learns_who_calls_if_the_caller_says_so"];
    Some(Feature::CallTrustlevels), "Call trust levels", "alpha",
        ["a_callee_that_asks_learns_how_far_its_caller_is_trusted"] ["how_far_a_peer_is_trusted_is_told"] ["test_trust_levels_are_told"];
    Some(Feature::PatternBasedRegistration), "Pattern-based registrations", "stable",
        ["check_70_invocations_by_pattern_name_their_procedure"] ["patterns_tell_the_handler_what_was_called"] ["test_registrations_by_pattern_name_the_procedure"];
    Some(Feature::SharedRegistration), "Shared registrations", "beta",
        ["check_67_roundrobin_takes_turns"] ["a_shared_procedure_goes_round"] ["test_shared_registrations"];
    Some(Feature::ShardedRegistration), "Sharded registrations", "alpha",
        ["the_calls_of_a_key_go_to_one_callee"] ["calls_with_one_key_go_to_one_callee"] ["test_calls_of_one_key_go_to_one_callee"];
    Some(Feature::RegistrationRevocation), "Registration revocation", "alpha",
        ["check_75_a_revoked_registration_is_told_to_a_callee_that_announced_it"] ["what_an_operator_takes_back_is_over"] ["test_what_an_operator_takes_back_is_over"];
    Some(Feature::SessionMetaApi), "Session meta API", "beta",
        ["check_78_kill_says_goodbye_with_reason_and_message" "check_79_killing_many_spares_the_caller"] [] [];
    Some(Feature::RegistrationMetaApi), "Registration meta API", "beta",
        ["registrations_are_listed_found_and_described"] [] [];
    Some(Feature::SubscriptionMetaApi), "Subscription meta API", "beta",
        ["subscriptions_are_listed_found_and_described"] [] [];
    Some(Feature::TestamentMetaApi), "Testaments", "beta",
        ["check_82_testaments_are_published_when_their_session_is_gone"] [] [];
    Some(Feature::PublisherExclusion), "Publisher exclusion", "stable",
        ["check_29_a_publisher_gets_its_own_event_only_if_it_asks"]
        ["the_publisher_gets_its_own_event_only_if_it_says_so"]
        ["test_the_publisher_gets_its_own_event_only_if_it_asks"];
    Some(Feature::SubscriberBlackwhiteListing), "Subscriber black- and whitelisting", "stable",
        ["check_34_lists_of_session_ids_are_combined" "check_34_lists_of_authids_and_authroles_are_combined"]
        ["sessions_can_be_chosen_and_left_out"] ["test_receivers_can_be_chosen_and_left_out"];
    Some(Feature::PublisherIdentification), "Publisher identification", "stable",
        ["check_36_a_publisher_may_disclose_itself"] ["a_publication_says_what_its_options_say"] ["test_a_subscriber_learns_who_publishes_if_the_publisher_says_so"];
    Some(Feature::PublicationTrustlevels), "Publication trust levels", "alpha",
        ["events_say_how_far_their_publisher_is_trusted"] ["how_far_a_peer_is_trusted_is_told"] ["test_trust_levels_are_told"];
    Some(Feature::PatternBasedSubscription), "Pattern-based subscriptions", "stable",
        ["check_31_events_by_pattern_name_their_topic"] ["patterns_tell_the_topic"] ["test_subscriptions_by_pattern_name_the_topic"];
    Some(Feature::ShardedSubscriptions), "Sharded subscriptions", "alpha",
        ["an_event_with_an_rkey_goes_to_one_node"] ["events_with_one_key_go_to_one_of_those_that_share_the_topic"] ["test_events_of_one_key_go_to_one_of_those_that_share_the_topic"];
    Some(Feature::EventHistory), "Event history", "beta",
        ["each_subscription_has_the_events_of_its_topics_in_their_order" "every_filter_leaves_out_what_it_says"] [] [];
    Some(Feature::EventRetention), "Event retention", "beta",
        ["check_37_a_retained_event_comes_to_later_subscribers_that_ask"] [] [];
    Some(Feature::SubscriptionRevocation), "Subscription revocation", "alpha",
        ["check_39_a_revoked_subscription_is_told_to_a_subscriber_that_announced_it"] ["what_an_operator_takes_back_is_over"] ["test_what_an_operator_takes_back_is_over"];
    Some(Feature::PayloadPassthruMode), "Payload passthru mode", "sketch",
        ["check_74_what_is_passed_through_is_the_same_in_every_serializer"] ["what_other_schemes_pass_through_arrives_as_it_is"] ["test_what_other_schemes_pass_through_arrives_as_it_is"];
    Some(Feature::Reflection), "Interface reflection", "sketch",
        ["definitions_are_listed_and_described" "what_is_live_is_listed_and_described"] [] [];
};

/// What no key announces.
pub const BEYOND: &[Row] = rows! {
    None, "Authmethod `anonymous`", "by example",
        ["a_client_without_credentials_is_anonymous_under_an_authid_of_our_own"]
        ["hello_announces_roles_features_and_agent"] ["test_a_session_begins_and_ends"];
    None, "Authmethod `ticket`", "beta",
        ["check_84_a_ticket_is_asked_for_and_looked_at"]
        ["each_method_is_a_type" "every_method_works_over_tls_bound_to_it_where_that_is_possible"]
        ["test_every_method_lets_its_user_in" "test_roles_and_the_environment_as_in_wampy_1"];
    None, "Authmethod `wampcra`", "stable",
        ["check_85_the_cra_challenge_says_who_the_session_will_be"]
        ["each_method_is_a_type" "every_method_works_over_tls_bound_to_it_where_that_is_possible"]
        ["test_every_method_lets_its_user_in" "test_roles_and_the_environment_as_in_wampy_1"];
    None, "Authmethod `wamp-scram` (also `scram`)", "no status",
        ["check_87_a_scram_proof_must_fit_nonce_binding_and_password"]
        ["check_86_a_challenge_that_does_not_continue_the_nonce_is_not_signed" "every_method_works_over_tls_bound_to_it_where_that_is_possible"]
        ["test_every_method_lets_its_user_in" "test_roles_and_the_environment_as_in_wampy_1"];
    None, "Authmethod `cryptosign`", "beta",
        ["check_90_the_router_signs_the_challenge_of_a_cryptosign_client"]
        ["check_90_a_router_with_another_key_gets_no_signature" "every_method_works_over_tls_bound_to_it_where_that_is_possible"]
        ["test_every_method_lets_its_user_in" "test_the_router_may_have_to_prove_itself_too"];
    None, "Authmethod `cookie`", "by one sentence",
        ["who_has_authenticated_is_known_again_by_the_cookie"]
        ["a_client_is_known_again_by_its_cookie_over_every_transport"]
        ["test_a_client_is_known_again_by_its_cookie"];
    None, "Channel binding of `wamp-scram` and `cryptosign` (`tls-exporter`)", "beta",
        ["check_87_a_scram_proof_is_bound_to_its_connection" "a_cryptosign_proof_is_bound_to_its_connection"]
        ["check_89_a_challenge_with_another_channel_binding_is_not_signed" "every_method_works_over_tls_bound_to_it_where_that_is_possible"]
        ["test_proofs_are_bound_to_their_connection"];
    None, "Authentication by TLS certificates", "mentioned",
        ["a_certificate_says_who_its_client_is"]
        ["a_certificate_is_an_identity"]
        ["test_a_certificate_is_an_identity"];
    None, "Authentication by two factors", "by one sentence",
        ["two_factors_are_two_challenges"]
        ["two_factors_are_both_needed"]
        ["test_two_factors"];
    None, "Dynamic authentication", "empty",
        ["the_authenticator_learns_who_asks_and_says_the_role"] [] [];
    None, "REGISTER `concurrency`, with calls that wait", "no: Crossbar.io's",
        ["a_callee_gets_as_many_calls_as_it_takes_and_the_next_when_it_answers"] ["the_router_gives_a_callee_as_many_calls_as_it_takes"] ["test_the_router_gives_a_callee_as_many_calls_as_it_takes"];
    None, "REGISTER `force_reregister`", "no: Crossbar.io's",
        ["a_callee_that_comes_back_takes_over"] ["a_procedure_can_be_taken_over"] ["test_a_procedure_can_be_taken_over"];
    None, "End-to-end encryption (`ppt_scheme: wamp`, CBOR, XSalsa20-Poly1305 and AES-256-GCM)", "sketch",
        [] ["nobody_on_the_way_sees_what_is_sealed" "sealed_calls_are_opened_and_their_answers_sealed"
            "a_listener_without_the_key_gets_only_ciphertext"] ["test_nobody_on_the_way_sees_the_plaintext" "test_listeners_without_the_key_get_nothing"];
    None, "Transports WebSocket and RawSocket over TCP, TLS and Unix sockets", "stable",
        ["check_92_text_frames_are_for_json_and_binary_frames_for_the_others"] ["wss_and_rss" "unix_sockets"] ["test_it_speaks_tls" "test_among_itself_through_a_unix_socket"];
    None, "Message batching (`wamp.2.*.batched`)", "sketch",
        ["check_93_a_whole_batch_is_routed_in_order"] ["batched_websockets"] ["test_messages_go_in_batches"];
    None, "Transport HTTP long-poll", "beta",
        ["sessions_of_all_transports_meet"] ["long_polling"] ["test_sessions_over_long_polling"];
    None, "Descriptions that clients give of their procedures and topics (`wamp.reflect.define`)", "sketch",
        ["definitions_are_listed_and_described"] ["a_procedure_is_described_while_it_is_registered" "a_topic_is_described_while_a_described_subscription_lasts"] ["test_the_router_describes_what_a_client_offers"];
};
