//! Which permission decides about a URI, or about all that a pattern matches.
//!
//! The permissions of a role that have no placeholders are the same for all its sessions: they stand
//! in a pattern table, and what was found for an exact URI is remembered. Those that have some become
//! rules of each session's own, which are few and walked through.

use std::cmp::Ordering;

use hashbrown::HashMap;
use wampy_proto::MatchPolicy;

use super::coverage::{self, Pattern};
use super::permission::{Action, Allow, Disclose, Permission};
use super::placeholder::{self, Expanded};
use super::requirements::Requirement;
use crate::hash::RandomState;
use crate::pattern::PatternTable;
use crate::session::SessionDetails;

/// A permission without placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    uri: Box<str>,
    match_policy: MatchPolicy,
    allow: Allow,
    disclose: Disclose,
    origin: Origin,
}

/// Where a rule comes from: of two rules for the same pattern, the later here wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// A permission with placeholders.
    Expanded,
    /// A permission as it stands.
    Literal,
    /// A permission whose placeholders have nothing to stand for.
    Refusal,
}

impl Rule {
    fn new(permission: &Permission, uri: Box<str>, origin: Origin) -> Self {
        Self {
            uri,
            match_policy: permission.match_policy(),
            allow: permission.allow(),
            disclose: permission.disclose(),
            origin,
        }
    }

    /// What a permission with placeholders means for a session.
    fn expanded(permission: &Permission, session: &SessionDetails) -> Self {
        match placeholder::expand(permission.uri(), session) {
            Expanded::Pattern(uri) => Self::new(permission, uri, Origin::Expanded),
            Expanded::Everything { below } => Self {
                uri: below,
                match_policy: MatchPolicy::Prefix,
                allow: Allow::NOTHING,
                disclose: Disclose::default(),
                origin: Origin::Refusal,
            },
        }
    }

    /// Whether the rule, which decides about the URI of `requirement`, allows it.
    pub(super) fn allows(&self, requirement: &Requirement<'_>) -> bool {
        self.allow.allows(requirement.action)
            && (!requirement.is_administrative() || self.uri.starts_with("wamp."))
    }

    /// Whether who does this is made known.
    pub(super) const fn discloses(&self, action: Action) -> bool {
        match action {
            Action::Call => self.disclose.caller,
            Action::Publish => self.disclose.publisher,
            Action::Register | Action::Subscribe => false,
        }
    }

    fn pattern(&self) -> Pattern<'_> {
        Pattern::new(&self.uri, self.match_policy)
    }

    /// Which of two rules that match the same URI wins: the greater.
    fn precedence(&self, other: &Self) -> Ordering {
        let by_policy = other.match_policy.cmp(&self.match_policy);
        by_policy
            .then_with(|| match self.match_policy {
                MatchPolicy::Exact => Ordering::Equal,
                MatchPolicy::Prefix => self.uri.len().cmp(&other.uri.len()),
                MatchPolicy::Wildcard => {
                    let literal = |component: &str| !component.is_empty();
                    let components = self.uri.split('.').map(literal);
                    components.cmp(other.uri.split('.').map(literal))
                }
            })
            .then_with(|| self.origin.cmp(&other.origin))
    }
}

/// The greater of two rules.
fn winner<'r>(one: Option<&'r Rule>, other: Option<&'r Rule>) -> Option<&'r Rule> {
    match (one, other) {
        (Some(one), Some(other)) if one.precedence(other) == Ordering::Less => Some(other),
        (Some(one), _) => Some(one),
        (None, other) => other,
    }
}

/// Which literal rule a URI was found to have, if any; `None` if it was not looked up.
pub(super) type Remembered = Option<Option<u32>>;

/// The permissions of a role.
#[derive(Debug)]
pub(super) struct Rules {
    /// The permissions without placeholders.
    literal: Vec<Rule>,
    /// Where each of these is in `literal`.
    table: PatternTable<u32>,
    /// The permissions with placeholders.
    with_placeholders: Vec<Permission>,
    /// Which literal rule an exact URI has, if any: one lookup instead of three.
    remembered: HashMap<Box<str>, Option<u32>, RandomState>,
    remembered_max: usize,
}

/// The rules of one session: the permissions of its role with placeholders.
#[derive(Debug)]
pub(super) struct OwnRules(Vec<Rule>);

impl OwnRules {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Rules {
    pub(super) fn new(
        permissions: &[Permission],
        remembered_max: usize,
        hash: &RandomState,
    ) -> Self {
        let (with_placeholders, literal): (Vec<&Permission>, Vec<_>) = permissions
            .iter()
            .partition(|permission| placeholder::is_in(permission.uri()));
        let literal: Vec<Rule> = literal
            .into_iter()
            .map(|permission| Rule::new(permission, permission.uri().into(), Origin::Literal))
            .collect();
        let mut table = PatternTable::new(hash.clone());
        for (rule, at) in literal.iter().zip(0..) {
            table.insert(&rule.uri, rule.match_policy, at);
        }
        Self {
            literal,
            table,
            with_placeholders: with_placeholders.into_iter().cloned().collect(),
            remembered: HashMap::with_hasher(hash.clone()),
            remembered_max,
        }
    }

    /// What the permissions with placeholders mean for a session.
    pub(super) fn own(&self, session: &SessionDetails) -> OwnRules {
        let expanded = self.with_placeholders.iter();
        OwnRules(expanded.map(|it| Rule::expanded(it, session)).collect())
    }

    /// What is remembered of an exact URI. If anything is, its form is known to be right.
    #[inline]
    pub(super) fn remembered(&self, uri: &str) -> Remembered {
        self.remembered.get(uri).copied()
    }

    /// The rule that decides about an exact URI, of which this is remembered.
    #[inline]
    pub(super) fn for_uri<'r>(
        &'r mut self,
        own: &'r OwnRules,
        uri: &str,
        remembered: Remembered,
    ) -> Option<&'r Rule> {
        let at = remembered.unwrap_or_else(|| self.look_up(uri));
        let literal = at.and_then(|at| self.literal.get(at as usize));
        if own.0.is_empty() {
            return literal;
        }
        own.0
            .iter()
            .filter(|rule| rule.match_policy.matches(&rule.uri, uri))
            .fold(literal, |best, rule| winner(best, Some(rule)))
    }

    #[cold]
    fn look_up(&mut self, uri: &str) -> Option<u32> {
        let exact = self.table.get(uri, MatchPolicy::Exact);
        let at = exact.or_else(|| self.table.best_pattern(uri));
        if self.remembered.len() >= self.remembered_max {
            self.remembered.clear();
        }
        if self.remembered_max > 0 {
            self.remembered.insert(uri.into(), at);
        }
        at
    }

    /// Whether `action` is allowed for everything that a pattern matches.
    ///
    /// It is if one rule that allows it covers the pattern, and no rule that wins over that one
    /// anywhere in it forbids it. Several rules that only together cover a pattern are not enough,
    /// and a rule that forbids counts even where another one wins over it everywhere: both err
    /// towards no.
    pub(super) fn allow_all(
        &self,
        own: &OwnRules,
        action: Action,
        uri: &str,
        match_policy: MatchPolicy,
    ) -> bool {
        let asked = Pattern::new(uri, match_policy);
        let rules = || self.literal.iter().chain(&own.0);
        let covering = rules()
            .filter(|rule| coverage::covers(rule.pattern(), asked))
            .fold(None, |best, rule| winner(best, Some(rule)));
        let Some(covering) = covering else {
            return false;
        };
        covering.allow.allows(action)
            && rules().all(|rule| {
                rule.allow.allows(action)
                    || rule.precedence(covering) != Ordering::Greater
                    || !coverage::overlap(rule.pattern(), asked)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizer::coverage::tests::{all_patterns, all_uris};
    use crate::hash;
    use crate::random::Random;

    fn rules(permissions: &[Permission]) -> Rules {
        Rules::new(permissions, 1000, &hash::seeded(1))
    }

    /// By the specification: the exact rule, else the longest prefix, else the wildcard that is
    /// literal for longer.
    fn by_trying_all<'p>(permissions: &'p [Permission], uri: &str) -> Option<&'p Permission> {
        let mut best: Option<&Permission> = None;
        for rule in permissions {
            if !rule.match_policy().matches(rule.uri(), uri) {
                continue;
            }
            let wins = |best: &Permission| match (rule.match_policy(), best.match_policy()) {
                (MatchPolicy::Prefix, MatchPolicy::Prefix) => rule.uri().len() > best.uri().len(),
                (MatchPolicy::Wildcard, MatchPolicy::Wildcard) => {
                    let first_difference = rule
                        .uri()
                        .split('.')
                        .zip(best.uri().split('.'))
                        .find(|(one, other)| one.is_empty() != other.is_empty());
                    first_difference.is_some_and(|(one, _)| !one.is_empty())
                }
                (one, other) => one < other,
            };
            if best.is_none_or(wins) {
                best = Some(rule);
            }
        }
        best
    }

    #[test]
    fn a_pattern_is_allowed_only_if_every_uri_is_that_it_matches() {
        let mut random = Random::new(42);
        let (patterns, uris) = (all_patterns(), all_uris(4));
        let (mut allowed, mut allowable) = (0, 0);
        for _ in 0..300 {
            let permissions: Vec<Permission> = (0..1 + random.below(5))
                .map(|_| {
                    let (uri, policy) = &patterns[random.below(patterns.len())];
                    let allow = match random.below(3) {
                        0 => Allow::NOTHING,
                        _ => Allow::EVERYTHING,
                    };
                    Permission::new(uri.as_str(), *policy, allow).unwrap()
                })
                .collect();
            // The first of several for one pattern is enough: a role can have only one.
            let mut distinct: Vec<Permission> = Vec::new();
            for permission in permissions {
                let same = |it: &Permission| {
                    (it.uri(), it.match_policy()) == (permission.uri(), permission.match_policy())
                };
                if !distinct.iter().any(same) {
                    distinct.push(permission);
                }
            }
            let mut rules = rules(&distinct);
            let own = OwnRules::NONE;
            for _ in 0..20 {
                let (uri, policy) = &patterns[random.below(patterns.len())];
                let every = uris
                    .iter()
                    .filter(|it| policy.matches(uri, it))
                    .all(|it| by_trying_all(&distinct, it).is_some_and(|p| p.allow().subscribe));
                let says = rules.allow_all(&own, Action::Subscribe, uri, *policy);
                assert!(every || !says, "{distinct:?} allow {uri:?} {policy:?}");
                allowed += usize::from(says);
                allowable += usize::from(every);
            }
            for uri in uris.iter().step_by(7) {
                let expected = by_trying_all(&distinct, uri).map(Permission::uri);
                for _ in 0..2 {
                    let rule = rules.for_uri(&own, uri, rules.remembered(uri));
                    assert_eq!(rule.map(|rule| &*rule.uri), expected, "{uri}");
                }
            }
        }
        // What it errs is little: the test would pass if nothing were ever allowed.
        assert!(allowed * 10 > allowable * 9, "{allowed} of {allowable}");
        assert!(allowed > 600, "{allowed}");
    }

    #[test]
    fn exact_uris_may_be_subscribed_to_as_patterns_without_wildcards() {
        let permission = Permission::new("a.b", MatchPolicy::Exact, Allow::EVERYTHING).unwrap();
        let (rules, own) = (rules(&[permission]), OwnRules::NONE);
        let allowed = |uri, policy| rules.allow_all(&own, Action::Register, uri, policy);
        assert!(allowed("a.b", MatchPolicy::Exact));
        assert!(allowed("a.b", MatchPolicy::Wildcard));
        assert!(!allowed("a.b", MatchPolicy::Prefix));
        assert!(!allowed("a.", MatchPolicy::Wildcard));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let permission = Permission::new("a.", MatchPolicy::Prefix, Allow::EVERYTHING).unwrap();
        let mut rules = Rules::new(&[permission], 10, &hash::seeded(1));
        let own = OwnRules::NONE;
        for number in 0..1000 {
            for (start, is_ruled) in [("a", true), ("b", false)] {
                let uri = format!("{start}.{number}");
                assert_eq!(rules.remembered(&uri), None);
                assert_eq!(rules.for_uri(&own, &uri, None).is_some(), is_ruled);
                assert_eq!(rules.remembered(&uri), Some(is_ruled.then_some(0)));
            }
            assert!(rules.remembered.len() <= 10);
        }
        rules.remembered_max = 0;
        rules.remembered.clear();
        assert!(rules.for_uri(&own, "a.1", None).is_some());
        assert_eq!(rules.remembered("a.1"), None);
    }
}
