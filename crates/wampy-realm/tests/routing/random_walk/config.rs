//! The policies, limits and roles that a walk's realm has.

use wampy_proto::MatchPolicy;
use wampy_proto::uri::Grammar;
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
    let mut event_retention = kept(dice, "");
    let mut event_history = kept(dice, model::HISTORY_OF);
    for (keeping, percent) in [(&mut event_retention, 5), (&mut event_history, 10)] {
        if dice.chance(percent) {
            keeping.rules.clear();
        }
    }
    let config = RealmConfig {
        event_retention,
        event_history,
        ..RealmConfig::default()
    };
    other_policies(config, dice)
}

/// Other policies and limits. What is there already stays, also where a limit is lower then. Which
/// events are kept does not change: that is fixed for as long as a realm is there.
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
        uri_grammar: dice.pick(&[Grammar::Loose, Grammar::Loose, Grammar::Strict]),
        sessions_max: dice.pick(&[SESSIONS_MAX, SESSIONS_MAX, SESSIONS_MAX - 2]),
        pending_calls_per_session_max: 2 + dice.roll(3),
        pending_invocations_per_session_max: 2 + dice.roll(3),
        waiting_calls_per_registration_max: 2 + dice.roll(3),
        registrations_per_session_max: 4 + dice.roll(3),
        subscriptions_per_session_max: 5 + dice.roll(3),
        testaments_per_session_max: 2 + dice.roll(2),
        definitions_per_session_max: 3 + dice.roll(2),
        call_timeout_ms_max: dice.pick(&[50, 90]),
        authorizer_timeout_ms: dice.pick(&[100, 150]),
        authorizer_answer_lifetime_ms: dice.pick(&[200, 400]),
        authorizer_answers_per_session_max: dice.pick(&[0, 1, 1, 2, 3]),
        waiting_messages_per_session_max: dice.pick(&[1, 3, 4, 5]),
        remembered_decisions_per_role_max: dice.pick(&[0, 2, 100]),
        retained_events_per_subscribe_max: 2 + dice.roll(2),
        history_events_per_call_max: 2 + dice.roll(3),
        ..other_limits_of_bytes(config, dice)
    }
}

/// Limits of bytes, which are limits of how many large payloads there are.
fn other_limits_of_bytes(config: RealmConfig, dice: &mut Dice) -> RealmConfig {
    let mut some = |counts: &[usize]| LARGE * dice.pick(counts) + LARGE / 2;
    RealmConfig {
        waiting_bytes_per_session_max: some(&[0, 1, 1, 2]),
        retained_bytes_per_subscribe_max: some(&[0, 1, 1, 2]),
        history_bytes_per_call_max: some(&[0, 0, 1, 1, 2]),
        waiting_bytes_per_registration_max: some(&[0, 1, 1, 2, 2]),
        rerouted_call_bytes_max: some(&[0, 0, 1]),
        // What is small and kept may be much, of all sessions together.
        kept_call_bytes_max: some(&[1, 1, 3]) + LARGE / 4,
        testament_bytes_per_session_max: some(&[0, 1, 1, 2]),
        definition_bytes_per_session_max: some(&[0, 1, 1, 2]),
        uri_bytes_max: dice.pick(&[40, 40, 50]),
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
            false => Decider::Rules(some_rules(dice)),
        };
        roles.insert(name, decider);
    }
    if roles.is_empty() {
        roles.insert("admin", Decider::Rules(vec![0, 1]));
    }
    Some(roles)
}

/// Some permissions. Beside a prefix that covers it a wildcard would never decide, so that no role may
/// have both.
fn some_rules(dice: &mut Dice) -> Vec<usize> {
    let has_one_for_everything = dice.chance(70);
    let rules = model::RULES
        .iter()
        .enumerate()
        .filter(|(_, rule)| match rule.uri {
            "*" => has_one_for_everything,
            "wamp.*" => dice.chance(90),
            "a*" | "b*" if !has_one_for_everything => dice.chance(70),
            _ => dice.chance(35),
        });
    let mut rules: Vec<usize> = rules.map(|(at, _)| at).collect();
    let prefixes = rules.iter().filter_map(|&at| model::RULES[at].prefix());
    let prefixes: Vec<&str> = prefixes.collect();
    rules.retain(|&at| {
        let head = model::RULES[at].wildcard_head();
        head.is_none_or(|head| !prefixes.iter().any(|prefix| head.starts_with(prefix)))
    });
    rules
}
