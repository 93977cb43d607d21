//! Which of many patterns match a URI, at a cost that does not grow with their number.
//!
//! Exact URIs are in a hash map, prefixes in a radix tree over bytes, wildcards in a tree over
//! components. A lookup takes one hash, and in each tree a walk that is as long as the URI shares
//! its begin with patterns.

mod prefix;
mod wildcard;

use hashbrown::HashMap;
use wampy_proto::MatchPolicy;

use crate::hash::RandomState;
use prefix::PrefixTree;
use wildcard::WildcardTree;

/// The most components of a wildcard pattern: the trees are walked recursively.
pub const WILDCARD_COMPONENTS_MAX: usize = 128;

/// Values by pattern; one for each pair of URI and match policy.
#[derive(Debug)]
pub(crate) struct PatternTable<V> {
    exact: HashMap<Box<str>, V, RandomState>,
    prefix: PrefixTree<V>,
    wildcard: WildcardTree<V>,
}

impl<V: Copy> PatternTable<V> {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            exact: HashMap::with_hasher(hash.clone()),
            prefix: PrefixTree::new(),
            wildcard: WildcardTree::new(hash),
        }
    }

    /// The value of exactly this pattern.
    #[inline]
    pub(crate) fn get(&self, pattern: &str, policy: MatchPolicy) -> Option<V> {
        match policy {
            MatchPolicy::Exact => self.exact.get(pattern).copied(),
            MatchPolicy::Prefix => self.prefix.get(pattern),
            MatchPolicy::Wildcard => self.wildcard.get(pattern),
        }
    }

    /// Sets the value of a pattern.
    pub(crate) fn insert(&mut self, pattern: &str, policy: MatchPolicy, value: V) {
        match policy {
            MatchPolicy::Exact => _ = self.exact.insert(pattern.into(), value),
            MatchPolicy::Prefix => self.prefix.insert(pattern, value),
            MatchPolicy::Wildcard => self.wildcard.insert(pattern, value),
        }
    }

    /// Removes a pattern.
    pub(crate) fn remove(&mut self, pattern: &str, policy: MatchPolicy) {
        match policy {
            MatchPolicy::Exact => _ = self.exact.remove(pattern),
            MatchPolicy::Prefix => self.prefix.remove(pattern),
            MatchPolicy::Wildcard => self.wildcard.remove(pattern),
        }
    }

    /// Whether there is any pattern but exact ones.
    #[inline]
    pub(crate) const fn has_patterns(&self) -> bool {
        !self.prefix.is_empty() || !self.wildcard.is_empty()
    }

    /// Hands every value whose prefix or wildcard pattern matches `uri` to `found`, in this order.
    #[inline]
    pub(crate) fn for_each_pattern(&self, uri: &str, mut found: impl FnMut(V)) {
        self.prefix.for_each_match(uri, &mut found);
        self.wildcard.for_each_match(uri, &mut found);
    }

    /// The value of the one pattern that a call of `uri` goes to, if it has no exact value: the
    /// longest prefix, else the wildcard pattern with the longest run of literal components before
    /// its first wildcard, then before its second, and so on.
    pub(crate) fn best_pattern(&self, uri: &str) -> Option<V> {
        self.prefix
            .longest_match(uri)
            .or_else(|| self.wildcard.best_match(uri))
    }

    /// How many nodes the trees have, for tests that nothing is left over.
    #[cfg(test)]
    fn nodes(&self) -> usize {
        self.exact.len() + self.prefix.nodes() + self.wildcard.nodes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hash, random::Random};

    const POLICIES: [MatchPolicy; 3] = MatchPolicy::ALL;

    fn matches(table: &PatternTable<usize>, uri: &str) -> Vec<usize> {
        let mut found: Vec<_> = table.get(uri, MatchPolicy::Exact).into_iter().collect();
        table.for_each_pattern(uri, |value| found.push(value));
        found.sort_unstable();
        found
    }

    fn best_match(table: &PatternTable<usize>, uri: &str) -> Option<usize> {
        let exact = table.get(uri, MatchPolicy::Exact);
        exact.or_else(|| table.best_pattern(uri))
    }

    /// A random URI of few words, so that patterns often share components and bytes.
    fn random_uri(random: &mut Random, empty_allowed: bool) -> String {
        let words = ["a", "b", "ab", "abc", "ba", "ä", ""];
        let usable = if empty_allowed {
            words.len()
        } else {
            words.len() - 1
        };
        let components = 1 + random.below(4);
        let uri: Vec<&str> = (0..components)
            .map(|_| words[random.below(usable)])
            .collect();
        uri.join(".")
    }

    #[test]
    fn lookups_agree_with_trying_every_pattern() {
        let mut random = Random::new(42);
        let mut table = PatternTable::new(hash::seeded(1));
        let mut reference: Vec<(String, MatchPolicy, usize)> = Vec::new();
        for step in 0..20_000 {
            let policy = POLICIES[random.below(3)];
            let pattern = random_uri(&mut random, policy == MatchPolicy::Wildcard);
            let known = reference
                .iter()
                .position(|(p, m, _)| *p == pattern && *m == policy);
            assert_eq!(table.get(&pattern, policy), known.map(|i| reference[i].2));
            match known {
                Some(index) if random.below(2) == 0 => {
                    reference.swap_remove(index);
                    table.remove(&pattern, policy);
                }
                None if reference.len() < 200 => {
                    table.insert(&pattern, policy, step);
                    reference.push((pattern, policy, step));
                }
                _ => {}
            }
            let uri = random_uri(&mut random, false);
            let mut expected: Vec<usize> = reference
                .iter()
                .filter(|(pattern, policy, _)| policy.matches(pattern, &uri))
                .map(|&(_, _, value)| value)
                .collect();
            expected.sort_unstable();
            assert_eq!(matches(&table, &uri), expected, "{uri}");
        }
        for (pattern, policy, _) in reference {
            table.remove(&pattern, policy);
        }
        assert_eq!(table.nodes(), 2, "only the roots of the two trees are left");
    }

    #[test]
    fn the_best_match_follows_the_specification() {
        let mut table = PatternTable::new(hash::seeded(1));
        for (value, (pattern, policy)) in [
            ("a1.b2.c3.d4.e55", MatchPolicy::Exact),
            ("a1.b2.c3", MatchPolicy::Prefix),
            ("a1.b2.c3.d4", MatchPolicy::Prefix),
            ("a1.b2..d4.e5", MatchPolicy::Wildcard),
            ("a1.b2..d4.e5..g7", MatchPolicy::Wildcard),
            ("a1.b2..d4..f6.g7", MatchPolicy::Wildcard),
        ]
        .into_iter()
        .enumerate()
        {
            table.insert(pattern, policy, value + 1);
        }
        for (uri, expected) in [
            ("a1.b2.c3.d4.e55", Some(1)),
            ("a1.b2.c3.d98.e74", Some(2)),
            ("a1.b2.c3.d4.e325", Some(3)),
            ("a1.b2.c55.d4.e5", Some(4)),
            ("a1.b2.c88.d4.e5.f6.g7", Some(5)),
            ("a1.b2.c88.d4.e9.f6.g7", Some(6)),
            ("a2.b2.c2.d2.e2", None),
        ] {
            assert_eq!(best_match(&table, uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_dead_end_in_the_literal_branch_falls_back_to_the_wildcard() {
        let mut table = PatternTable::new(hash::seeded(1));
        table.insert("a.b..x", MatchPolicy::Wildcard, 1);
        table.insert("a..c.y", MatchPolicy::Wildcard, 2);
        table.insert("...", MatchPolicy::Wildcard, 3);
        assert_eq!(best_match(&table, "a.b.c.y"), Some(2));
        assert_eq!(best_match(&table, "a.b.c.x"), Some(1));
        assert_eq!(best_match(&table, "a.b.c.z"), Some(3));
        assert_eq!(best_match(&table, "a.b.c"), None);
    }

    #[test]
    fn an_empty_prefix_matches_everything() {
        let mut table = PatternTable::new(hash::seeded(1));
        table.insert("", MatchPolicy::Prefix, 1);
        assert_eq!(matches(&table, "x.y"), [1]);
        table.remove("", MatchPolicy::Prefix);
        assert_eq!(matches(&table, "x.y"), [0; 0]);
    }
}
