//! What an authorizer has answered about a session, and may be remembered because it said so.
//!
//! Each session has its own: an answer never counts for anybody else. They are forgotten when their
//! time is over, when there are too many, when the roles of the realm change, and with the session.

use hashbrown::{Equivalent, HashMap};
use wampy_proto::MatchPolicy;

use super::gate::Grant;
use super::permission::Action;
use super::requirements::Requirement;
use crate::realm::Now;

/// Answers by what was asked.
#[derive(Debug, Default)]
pub(super) struct Answers(HashMap<Asked, Answer>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Asked {
    action: Action,
    match_policy: MatchPolicy,
    uri: Box<str>,
}

/// The same, borrowed.
#[derive(Hash)]
struct AskedRef<'a> {
    action: Action,
    match_policy: MatchPolicy,
    uri: &'a str,
}

impl Equivalent<Asked> for AskedRef<'_> {
    fn equivalent(&self, asked: &Asked) -> bool {
        (self.action, self.match_policy, self.uri)
            == (asked.action, asked.match_policy, &*asked.uri)
    }
}

#[derive(Debug, Clone, Copy)]
struct Answer {
    /// `None` if it is forbidden.
    grant: Option<Grant>,
    expires_ms: u64,
}

impl Answers {
    /// What was answered, if it is remembered: what is granted, or `Some(None)` if nothing is.
    pub(super) fn get(&self, now: Now, requirement: &Requirement<'_>) -> Option<Option<Grant>> {
        let asked = AskedRef {
            action: requirement.action,
            match_policy: requirement.match_policy,
            uri: &requirement.uri,
        };
        let answer = self.0.get(&asked)?;
        (now.monotonic_ms < answer.expires_ms).then_some(answer.grant)
    }

    /// Remembers an answer for `lifetime_ms`, among at most `answers_max`.
    pub(super) fn remember(
        &mut self,
        now: Now,
        requirement: &Requirement<'_>,
        grant: Option<Grant>,
        lifetime_ms: u64,
        answers_max: usize,
    ) {
        if answers_max == 0 {
            return;
        }
        if self.0.len() >= answers_max {
            self.0
                .retain(|_, answer| now.monotonic_ms < answer.expires_ms);
        }
        if self.0.len() >= answers_max {
            self.0.clear();
        }
        let asked = Asked {
            action: requirement.action,
            match_policy: requirement.match_policy,
            uri: (*requirement.uri).into(),
        };
        let answer = Answer {
            grant,
            expires_ms: now.monotonic_ms.saturating_add(lifetime_ms),
        };
        self.0.insert(asked, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_ms: u64) -> Now {
        Now {
            monotonic_ms,
            unix_ms: 0,
        }
    }

    #[test]
    fn answers_are_for_what_was_asked_expire_and_are_few() {
        fn exact(action: Action, uri: &str) -> Requirement<'_> {
            Requirement::new(action, uri, MatchPolicy::Exact)
        }
        let mut answers = Answers::default();
        let call = exact(Action::Call, "a.b");
        answers.remember(at(0), &call, Some(Grant::default()), 100, 3);
        assert_eq!(answers.get(at(99), &call), Some(Some(Grant::default())));
        assert_eq!(answers.get(at(100), &call), None);
        for other in [
            exact(Action::Publish, "a.b"),
            exact(Action::Call, "a.c"),
            Requirement::new(Action::Call, "a.b", MatchPolicy::Prefix),
        ] {
            assert_eq!(answers.get(at(0), &other), None);
        }
        // The one that has expired makes room; then all have to go.
        for (number, len) in [(1, 2), (2, 3), (3, 3), (4, 1)] {
            let uri = format!("b.{number}");
            let subscribe = exact(Action::Subscribe, &uri);
            answers.remember(at(99 + number), &subscribe, None, 100, 3);
            assert_eq!(answers.0.len(), len);
            assert_eq!(answers.get(at(150), &subscribe), Some(None));
        }
        answers.0.clear();
        answers.remember(at(0), &call, None, 100, 0);
        assert!(answers.0.is_empty());
    }
}
