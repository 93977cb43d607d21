//! Which events of a realm are kept: by event retention, or as event history.

use wampy_proto::MatchPolicy;
use wampy_realm::{Keeping, KeepingRule};

use super::section::Section;

/// Reads what is set about retained events, or about the history; `rule` makes a rule with the usual
/// limits.
pub(super) fn read(
    mut section: Section<'_>,
    keeping: &mut Keeping,
    rule: fn(String, MatchPolicy) -> KeepingRule,
) {
    if let Some(events) = section.number("events_max") {
        keeping.events_max = events;
    }
    if let Some(bytes) = section.number("bytes_max") {
        keeping.bytes_max = bytes;
    }
    if section.has("rules") {
        keeping.rules.clear();
        for section in section.tables("rules") {
            keeping.rules.extend(read_rule(section, rule));
        }
    }
    if let Err(problem) = keeping.check() {
        section.problem(problem);
    }
    section.end();
}

fn read_rule(
    mut section: Section<'_>,
    rule: fn(String, MatchPolicy) -> KeepingRule,
) -> Option<KeepingRule> {
    let topic = section.required_text("topic").map(|topic| topic.value);
    let is_nameless = topic.is_none();
    let words = MatchPolicy::ALL.map(|policy| (policy.as_str(), policy));
    let match_policy = section.word("match", &words).unwrap_or_default();
    let mut rule = rule(topic.unwrap_or_default(), match_policy);
    if let Some(events) = section.number("events_per_topic_max") {
        rule.events_per_topic_max = events;
    }
    if let Some(bytes) = section.number("bytes_per_topic_max") {
        rule.bytes_per_topic_max = bytes;
    }
    rule.age_ms_max = section.number("age_ms_max");
    section.end();
    (!is_nameless).then_some(rule)
}
