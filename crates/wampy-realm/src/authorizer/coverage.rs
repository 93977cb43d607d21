//! What a pattern can match, compared with what another one can match.
//!
//! A SUBSCRIBE or REGISTER with a pattern reaches every URI that the pattern matches, so permissions
//! are compared with that whole set. [`covers`] may only err towards no, [`overlap`] only towards
//! yes; the tests compare both with all URIs over a small alphabet.

use wampy_proto::MatchPolicy;

/// A set of URIs: all that a pattern matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pattern<'p> {
    uri: &'p str,
    match_policy: MatchPolicy,
}

impl<'p> Pattern<'p> {
    /// All URIs that `uri` matches.
    pub(super) fn new(uri: &'p str, match_policy: MatchPolicy) -> Self {
        // A wildcard pattern without wildcards matches itself alone.
        let match_policy = match match_policy {
            MatchPolicy::Wildcard if !has_wildcard(uri) => MatchPolicy::Exact,
            other => other,
        };
        Self { uri, match_policy }
    }
}

fn has_wildcard(pattern: &str) -> bool {
    pattern.split('.').any(str::is_empty)
}

/// What every URI that a wildcard pattern matches begins with: the text before its first wildcard.
pub(super) fn literal_head(pattern: &str) -> &str {
    let mut end = 0;
    for component in pattern.split('.') {
        if component.is_empty() {
            return &pattern[..end];
        }
        end = (end + component.len() + 1).min(pattern.len());
    }
    pattern
}

/// Whether `wide` matches every URI that `narrow` matches.
pub(super) fn covers(wide: Pattern<'_>, narrow: Pattern<'_>) -> bool {
    use MatchPolicy::{Exact, Prefix, Wildcard};
    match (wide.match_policy, narrow.match_policy) {
        (_, Exact) => wide.match_policy.matches(wide.uri, narrow.uri),
        // A prefix matches URIs of any number of components, a wildcard many of one number.
        (Exact, Prefix | Wildcard) | (Wildcard, Prefix) => false,
        (Prefix, Prefix) => narrow.uri.starts_with(wide.uri),
        (Prefix, Wildcard) => literal_head(narrow.uri).starts_with(wide.uri),
        (Wildcard, Wildcard) => components_agree(wide.uri, narrow.uri, |wide, narrow| {
            wide.is_empty() || wide == narrow
        }),
    }
}

/// Whether some URI is matched by both.
pub(super) fn overlap(one: Pattern<'_>, other: Pattern<'_>) -> bool {
    use MatchPolicy::{Exact, Prefix, Wildcard};
    match (one.match_policy, other.match_policy) {
        (_, Exact) => one.match_policy.matches(one.uri, other.uri),
        (Exact, _) => other.match_policy.matches(other.uri, one.uri),
        (Prefix, Prefix) => one.uri.starts_with(other.uri) || other.uri.starts_with(one.uri),
        (Prefix, Wildcard) => prefix_meets_wildcard(one.uri, other.uri),
        (Wildcard, Prefix) => prefix_meets_wildcard(other.uri, one.uri),
        (Wildcard, Wildcard) => components_agree(one.uri, other.uri, |one, other| {
            one.is_empty() || other.is_empty() || one == other
        }),
    }
}

/// Whether two patterns have equally many components, which agree one by one.
fn components_agree(one: &str, other: &str, agree: impl Fn(&str, &str) -> bool) -> bool {
    let mut others = other.split('.');
    one.split('.')
        .all(|component| others.next().is_some_and(|other| agree(component, other)))
        && others.next().is_none()
}

/// Whether a URI that `wildcard` matches can begin with `prefix`, whose last component need not be
/// whole.
fn prefix_meets_wildcard(prefix: &str, wildcard: &str) -> bool {
    let mut components = wildcard.split('.');
    let mut parts = prefix.split('.').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let agrees = components.next().is_some_and(|component| {
            component.is_empty() || component == part || is_last && component.starts_with(part)
        });
        if !agrees {
            return false;
        }
    }
    true
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every URI of at most `components` components over two letters, each of at most two letters.
    pub(in crate::authorizer) fn all_uris(components: usize) -> Vec<String> {
        let words = ["a", "b", "aa", "ab", "ba", "bb"];
        let mut uris: Vec<String> = words.map(str::to_owned).to_vec();
        let mut last = uris.clone();
        for _ in 1..components {
            last = last
                .iter()
                .flat_map(|uri| words.map(|word| format!("{uri}.{word}")))
                .collect();
            uris.extend_from_slice(&last);
        }
        uris
    }

    /// Every pattern of at most three components of at most one letter, with each policy that takes
    /// it.
    pub(in crate::authorizer) fn all_patterns() -> Vec<(String, MatchPolicy)> {
        let words = ["", "a", "b"];
        let mut patterns = Vec::new();
        for one in words {
            patterns.push(one.to_owned());
            for two in words {
                patterns.push(format!("{one}.{two}"));
                for three in words {
                    patterns.push(format!("{one}.{two}.{three}"));
                }
            }
        }
        let grammar = wampy_proto::uri::Grammar::Loose;
        let with_policies = patterns.iter().flat_map(|pattern| {
            MatchPolicy::ALL
                .into_iter()
                .filter(|&policy| grammar.accepts_pattern(pattern, policy))
                .map(|policy| (pattern.clone(), policy))
        });
        with_policies.collect()
    }

    #[test]
    fn patterns_cover_and_overlap_as_trying_every_uri_says() {
        // One component more than any pattern has, so that the ends of prefixes are seen.
        let uris = all_uris(4);
        let patterns = all_patterns();
        let matched: Vec<Vec<bool>> = patterns
            .iter()
            .map(|(pattern, policy)| uris.iter().map(|u| policy.matches(pattern, u)).collect())
            .collect();
        for (one, in_one) in patterns.iter().zip(&matched) {
            for (other, in_other) in patterns.iter().zip(&matched) {
                let (a, b) = (Pattern::new(&one.0, one.1), Pattern::new(&other.0, other.1));
                let both = in_one
                    .iter()
                    .zip(in_other)
                    .any(|(one, other)| *one && *other);
                assert_eq!(overlap(a, b), both, "{one:?} and {other:?}");
                let all = in_one
                    .iter()
                    .zip(in_other)
                    .all(|(one, other)| *one || !*other);
                assert_eq!(covers(a, b), all, "{one:?} covers {other:?}");
            }
        }
    }
}
