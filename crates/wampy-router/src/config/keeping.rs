//! Which events of a realm are kept: `event_retention` and `event_history`.

use wampy_proto::MatchPolicy;
use wampy_proto::uri::Grammar;
use wampy_realm::{Keeping, KeepingRule};

use super::section::Section;

const MATCH_POLICIES: [(&str, MatchPolicy); 3] = [
    ("exact", MatchPolicy::Exact),
    ("prefix", MatchPolicy::Prefix),
    ("wildcard", MatchPolicy::Wildcard),
];

/// What a rule is like of which only the topic is said.
type Usual = fn(String, MatchPolicy) -> KeepingRule;

/// Reads `event_retention`.
pub(super) fn retention(section: Section<'_>) -> Keeping {
    read(section, Keeping::retention(), KeepingRule::retention)
}

/// Reads `event_history`.
pub(super) fn history(section: Section<'_>) -> Keeping {
    read(section, Keeping::history(), KeepingRule::history)
}

fn read(mut section: Section<'_>, mut keeping: Keeping, usual: Usual) -> Keeping {
    if let Some(events_max) = section.number("events_max") {
        keeping.events_max = events_max;
    }
    if let Some(bytes_max) = section.number("bytes_max") {
        keeping.bytes_max = bytes_max;
    }
    for key in ["events_max", "bytes_max"] {
        section.refuse_zero(key, "0 keeps nothing; leave out all rules instead");
    }
    if section.has("rules") {
        let rules = section.tables("rules").into_iter();
        keeping.rules = rules.filter_map(|section| rule(section, usual)).collect();
    }
    section.end();
    keeping
}

fn rule(mut section: Section<'_>, usual: Usual) -> Option<KeepingRule> {
    let topic = section.required_text("topic");
    let match_policy = section
        .word("match", &MATCH_POLICIES)
        .unwrap_or(MatchPolicy::Exact);
    let (events, bytes) = (
        section.number("events_per_topic_max"),
        section.number("bytes_per_topic_max"),
    );
    let age_ms_max = section.number("age_ms_max");
    for key in ["events_per_topic_max", "bytes_per_topic_max", "age_ms_max"] {
        section.refuse_zero(key, "0 keeps nothing; leave out the rule instead");
    }
    if let Some(topic) = &topic
        && !Grammar::Loose.accepts_pattern(&topic.value, match_policy)
    {
        let text = format!("{:?} is no pattern of topics", topic.value);
        section.source().report_at(topic.place(), text);
    }
    section.end();
    let rule = usual(topic?.value, match_policy);
    Some(KeepingRule {
        events_per_topic_max: events.unwrap_or(rule.events_per_topic_max),
        bytes_per_topic_max: bytes.unwrap_or(rule.bytes_per_topic_max),
        age_ms_max: age_ms_max.or(rule.age_ms_max),
        ..rule
    })
}
