//! The client over real sockets: against the embedded router, and against routers of a script that
//! show what the client puts on the wire.
//!
//! The wire checks that concern a client, and their tests:
//!
//! | check | test |
//! |---|---|
//! | 5 | `violations::messages_that_no_router_sends_in_a_session_end_it` |
//! | 7 | `violations::answers_before_welcome_end_the_session` |
//! | 10 | `wire::request_ids_of_a_session_are_one_sequence_from_1`, `reconnect::request_ids_begin_at_1_in_each_session` |
//! | 11 | `violations::what_is_no_message_ends_the_session` |
//! | 12 | `goodbye::an_abort_is_not_answered`, `goodbye::a_refusal_to_join_is_not_answered` |
//! | 13 | `goodbye::a_goodbye_is_answered_exactly_once` |
//! | 14 | `goodbye::what_comes_between_goodbye_and_its_answer_counts_for_nothing` |
//! | 17 | `violations::a_welcome_without_a_router_s_role_is_a_violation` |
//! | 24 | `wire::subscriptions_to_one_topic_share_one_at_the_router` |
//! | 25 | `wire::an_event_right_behind_subscribed_is_delivered` |
//! | 39, 75 | `wire::what_the_router_revokes_is_over`, `registrations::what_an_operator_takes_back_is_over` |
//! | 44 | `wire::an_error_of_a_handler_is_sent_whole` |
//! | 45 | `wire::an_invocation_right_behind_registered_is_answered` |
//! | 47 to 51 | `wire::dropping_a_call_cancels_it_in_its_mode`, `wire::an_interrupt_stops_the_handler_and_is_answered` |
//! | 52, 53 | `wire::parts_of_a_result_are_sent_only_to_those_who_take_them` |
//! | 56 | `registrations::check_56_a_handler_whose_time_is_out_is_stopped` |
//! | 57 | `wire::a_progressive_call_restarts_its_clock_with_each_part`, `registrations::check_57_…` |
//! | 65 | `progressive_call_invocations::check_65_parts_for_a_call_that_has_ended_are_ignored` |
//! | 68 | `registrations::a_call_that_one_handler_cannot_take_goes_to_the_next` |
//! | 86 | `auth::check_86_…` |
//! | 89, 90 | `auth::check_89_a_challenge_with_another_channel_binding_is_not_signed`, `auth::check_90_a_router_with_another_key_gets_no_signature` |
//! | 92 | `websocket::a_message_of_the_other_kind_is_a_violation` |
//! | 96 | `rawsocket::a_handshake_that_is_no_acceptance_fails_the_connection` |
//! | 97 | `rawsocket::a_frame_above_the_announced_limit_fails_the_connection`, `rawsocket::a_message_above_the_router_s_limit_is_not_sent` |
//! | 98 | `rawsocket::a_ping_is_answered_by_exactly_one_pong`, and the same of `websocket` |
//! | 99 | `rawsocket::the_largest_messages_that_rawsocket_can_carry_arrive` |

// What must hold is checked by unwrapping it.
#![allow(clippy::unwrap_used)]

mod auth;
mod auth_at_router;
#[path = "../../../wampy-transport/tests/authority/mod.rs"]
mod authority;
mod callee;
mod caller;
mod compression;
mod cookies;
mod end_to_end;
mod fake_router;
mod fixture;
mod goodbye;
mod keepalive;
mod limits;
mod meta;
mod progressive_call_invocations;
mod pubsub;
mod rawsocket;
mod reconnect;
mod registrations;
mod told_calls;
mod transports;
mod violations;
mod websocket;
mod wire;
