//! The policies, limits and roles that a walk's realm has.

use wampy_proto::MatchPolicy;
use wampy_realm::{Disclosure, ForceReregister, Keeping, KeepingRule, RealmConfig};

use super::SESSIONS_MAX;
use super::dice::Dice;
use super::model::{self, AUTHORIZERS, Decider, LARGE, Roles};

/// The policies and limits of a walk.
pub fn config(dice: &mut Dice) -> RealmConfig {
    let kept = |dice: &mut Dice, topic: &str| {
        let rule = |topic: &str, age_ms_max| KeepingRule {
            events_per_topic_max: model::PER_TOPIC_MAX,
            bytes_per_topic_max: LARGE + LARGE / 2,
            age_ms_max,
            ..KeepingRule::history(topic, MatchPolicy::Prefix)
        };
        let ages = [None, Some(60), Some(400), Some(3000)];
        Keeping {
            rules: vec![
                rule(model::AGED, dice.pick(&ages)),
                rule(topic, dice.pick(&ages)),
            ],
            events_max: model::EVENTS_MAX,
            bytes_max: 2 * LARGE + LARGE / 2,
        }
    };
    let event_retention = kept(dice, "");
    let event_history = kept(dice, model::HISTORY_OF);
    // How many of the calls that wait may be large.
    let (in_line, in_all) = dice.pick(&[(1, 3), (2, 1)]);
    let config = RealmConfig {
        event_retention,
        event_history,
        retained_events_per_subscribe_max: model::PER_REQUEST_MAX,
        retained_bytes_per_subscribe_max: LARGE + LARGE / 2,
        history_events_per_call_max: model::PER_REQUEST_MAX,
        history_bytes_per_call_max: LARGE + LARGE / 2,
        sessions_max: SESSIONS_MAX,
        pending_calls_per_session_max: model::PENDING_CALLS_MAX,
        pending_invocations_per_session_max: model::PENDING_INVOCATIONS_MAX,
        waiting_calls_per_registration_max: model::WAITING_CALLS_MAX,
        waiting_bytes_per_registration_max: LARGE * in_line + LARGE / 2,
        rerouted_call_bytes_max: LARGE / 2,
        kept_call_bytes_max: LARGE * in_all + LARGE * 3 / 4,
        registrations_per_session_max: model::REGISTRATIONS_MAX,
        subscriptions_per_session_max: model::SUBSCRIPTIONS_MAX,
        testaments_per_session_max: model::TESTAMENTS_MAX,
        testament_bytes_per_session_max: LARGE + LARGE / 2,
        definitions_per_session_max: model::DEFINITIONS_MAX,
        definition_bytes_per_session_max: LARGE + LARGE / 2,
        uri_bytes_max: model::URI_BYTES_MAX,
        call_timeout_ms_max: model::CALL_TIMEOUT_MS_MAX,
        authorizer_timeout_ms: model::ANSWER_TIMEOUT_MS,
        authorizer_answer_lifetime_ms: model::ANSWER_LIFETIME_MS,
        authorizer_answers_per_session_max: model::ANSWERS_MAX,
        waiting_messages_per_session_max: model::WAITING_MESSAGES_MAX,
        waiting_bytes_per_session_max: LARGE + LARGE / 2,
        ..RealmConfig::default()
    };
    other_policies(config, dice)
}

/// The same limits, but other policies.
pub fn other_policies(config: RealmConfig, dice: &mut Dice) -> RealmConfig {
    let disclosures = [
        Disclosure::OnRequest,
        Disclosure::OnRequest,
        Disclosure::Always,
        Disclosure::Denied,
    ];
    RealmConfig {
        caller_disclosure: dice.pick(&disclosures),
        publisher_disclosure: dice.pick(&disclosures),
        force_reregister: dice.pick(&[
            ForceReregister::SameAuthid,
            ForceReregister::SameAuthid,
            ForceReregister::Everybody,
            ForceReregister::Denied,
        ]),
        silent_cancel: dice.chance(50),
        progress_without_canceling: dice.chance(30),
        ..config
    }
}

/// Mostly roles of which each has some of the rules, or an authorizer; at times one role is missing, or
/// there are none.
pub fn some_roles(dice: &mut Dice) -> Option<Roles> {
    if dice.chance(15) {
        return None;
    }
    let mut roles = Roles::new();
    for name in ["user", "admin"] {
        if dice.chance(8) {
            continue;
        }
        let decider = match dice.chance(30) {
            true => Decider::Procedure(dice.pick(&AUTHORIZERS)),
            false => {
                let rules = (0..model::RULES.len()).filter(|_| dice.chance(40));
                Decider::Rules(rules.collect())
            }
        };
        roles.insert(name, decider);
    }
    if roles.is_empty() {
        roles.insert("admin", Decider::Rules(Vec::new()));
    }
    Some(roles)
}
