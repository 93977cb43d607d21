//! What can be set about the events that a realm keeps: by event retention and by event history.
//!
//! A rule says for which topics events are kept, and how many of each topic. What goes beyond a
//! limit is forgotten, the oldest first. Deliberately absent: the store on disk, which is the
//! router's matter; a realm tells it what to keep and what to forget ([`StoreChange`]).
//!
//! [`StoreChange`]: crate::StoreChange

use wampy_proto::MatchPolicy;

/// Which events of a realm are kept, for event retention or for event history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The rules: the first whose pattern matches a topic decides about it. No event is kept of a
    /// topic that none matches.
    pub rules: Vec<KeepingRule>,
    /// The most events of the whole realm. One more, and the oldest of the realm is forgotten.
    pub events_max: usize,
    /// The most bytes of the whole realm: payloads, topics, lists of receivers, and 256 for each
    /// event. Beyond that the oldest events of the realm are forgotten.
    pub bytes_max: usize,
}

/// How much is kept of each topic that matches a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepingRule {
    /// The pattern.
    pub topic: Box<str>,
    /// How topics are matched with the pattern.
    pub match_policy: MatchPolicy,
    /// The most events of one topic. One more, and the topic's oldest is forgotten.
    ///
    /// By event retention that is one event for everybody, and beside it those that were published
    /// later and for some receivers only; of these the oldest is forgotten.
    pub events_per_topic_max: usize,
    /// The most bytes of one topic, counted as for the realm. Beyond that the topic's oldest events
    /// are forgotten. An event that is larger by itself is not kept.
    pub bytes_per_topic_max: usize,
    /// After how long an event is forgotten, in milliseconds; `None` for never.
    pub age_ms_max: Option<u64>,
}

impl KeepingRule {
    /// A rule with the usual limits of event retention: 16 events and 1 MiB of a topic, of any age.
    pub fn retention(topic: impl Into<Box<str>>, match_policy: MatchPolicy) -> Self {
        Self {
            topic: topic.into(),
            match_policy,
            events_per_topic_max: 16,
            bytes_per_topic_max: 1 << 20,
            age_ms_max: None,
        }
    }

    /// A rule with the usual limits of event history: 1000 events and 4 MiB of a topic, of any age.
    pub fn history(topic: impl Into<Box<str>>, match_policy: MatchPolicy) -> Self {
        Self {
            events_per_topic_max: 1000,
            bytes_per_topic_max: 4 << 20,
            ..Self::retention(topic, match_policy)
        }
    }
}

impl Keeping {
    /// Retained events of every topic, at most 10 000 and 64 MiB: what a realm does by default.
    pub fn retention() -> Self {
        Self {
            rules: vec![KeepingRule::retention("", MatchPolicy::Prefix)],
            events_max: 10_000,
            bytes_max: 64 << 20,
        }
    }

    /// A history of no topic, and room for 100 000 events and 256 MiB if rules are added: what a
    /// realm does by default.
    pub const fn history() -> Self {
        Self {
            rules: Vec::new(),
            events_max: 100_000,
            bytes_max: 256 << 20,
        }
    }

    /// What makes no sense in these settings.
    ///
    /// # Errors
    /// A limit is 0, or a rule's pattern is malformed; the text names the rule.
    pub fn check(&self) -> Result<(), String> {
        if self.events_max == 0 || self.bytes_max == 0 {
            return Err("events_max or bytes_max is 0; leave out all rules instead".to_owned());
        }
        for rule in &self.rules {
            let (topic, policy) = (&rule.topic, rule.match_policy.as_str());
            if !wampy_proto::uri::Grammar::Loose.accepts_pattern(topic, rule.match_policy) {
                return Err(format!(
                    "{topic:?} is no well-formed topic (match: {policy})"
                ));
            }
            if rule.events_per_topic_max == 0
                || rule.bytes_per_topic_max == 0
                || rule.age_ms_max == Some(0)
            {
                return Err(format!(
                    "the rule for {topic:?} (match: {policy}) keeps nothing: a limit of it is 0"
                ));
            }
        }
        Ok(())
    }
}
