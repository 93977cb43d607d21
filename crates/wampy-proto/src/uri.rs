//! URIs: the loose and the strict grammar, and how a pattern matches a URI.
//!
//! Looking up which of many patterns match is routing and lives in `wampy-realm`.

/// How a registration's or subscription's URI is compared with that of a call or publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum MatchPolicy {
    /// The URIs are equal.
    #[default]
    Exact,
    /// The pattern is a string prefix of the URI.
    Prefix,
    /// The pattern's empty components stand for any one component.
    Wildcard,
}

impl MatchPolicy {
    /// All policies, in the order of precedence of pattern-based registrations.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Prefix, Self::Wildcard];

    /// The policy's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Wildcard => "wildcard",
        }
    }

    /// Whether `pattern`, read by this policy, matches the complete `uri`.
    pub fn matches(self, pattern: &str, uri: &str) -> bool {
        match self {
            Self::Exact => pattern == uri,
            Self::Prefix => uri.starts_with(pattern),
            Self::Wildcard => {
                let mut components = uri.split('.');
                pattern.split('.').all(|wanted| {
                    components
                        .next()
                        .is_some_and(|given| wanted.is_empty() || wanted == given)
                }) && components.next().is_none()
            }
        }
    }
}

/// Which characters a URI's components may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grammar {
    /// Anything but whitespace, `#` and the separating dots.
    #[default]
    Loose,
    /// Only `0-9`, `a-z` and `_`.
    Strict,
}

impl Grammar {
    /// Whether `uri` is a complete URI: no empty components. The URI of a call, a publication, an
    /// exact registration or subscription, a realm or an error.
    pub fn accepts(self, uri: &str) -> bool {
        !uri.is_empty() && self.all_components(uri, false)
    }

    /// Whether `pattern` is well formed for `policy`: a wildcard pattern may have empty
    /// components, a prefix may end in a dot, and both may be empty (such a prefix matches every URI, such
    /// a wildcard every URI of one component).
    pub fn accepts_pattern(self, pattern: &str, policy: MatchPolicy) -> bool {
        match policy {
            MatchPolicy::Exact => self.accepts(pattern),
            MatchPolicy::Prefix => {
                let complete = pattern.strip_suffix('.').unwrap_or(pattern);
                pattern.is_empty() || self.accepts(complete)
            }
            MatchPolicy::Wildcard => self.all_components(pattern, true),
        }
    }

    fn all_components(self, uri: &str, empty_allowed: bool) -> bool {
        if uri.is_ascii() {
            return self.all_ascii_components(uri.as_bytes(), empty_allowed);
        }
        self == Self::Loose
            && !uri.contains(|c: char| c.is_whitespace() || c == '#')
            && (empty_allowed || uri.split('.').all(|component| !component.is_empty()))
    }

    /// Without a branch for each byte: this is done for most publications.
    fn all_ascii_components(self, uri: &[u8], empty_allowed: bool) -> bool {
        let allowed = &ALLOWED[self as usize];
        let mut refused = false;
        let mut has_empty = false;
        let mut after_dot = true;
        for &byte in uri {
            let is_dot = byte == b'.';
            refused |= !allowed[usize::from(byte)];
            has_empty |= is_dot & after_dot;
            after_dot = is_dot;
        }
        !refused && (empty_allowed || !(has_empty | after_dot))
    }
}

/// Which ASCII characters each grammar allows, dots included.
static ALLOWED: [[bool; 256]; 2] = [allowed(Grammar::Loose), allowed(Grammar::Strict)];

const fn allowed(grammar: Grammar) -> [bool; 256] {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        allowed[byte as usize] = match byte {
            b'.' | b'0'..=b'9' | b'a'..=b'z' | b'_' => true,
            _ => matches!(grammar, Grammar::Loose) && byte != b'#' && !is_regex_whitespace(byte),
        };
        byte += 1;
    }
    allowed
}

/// The ASCII characters that a regular expression's `\s` matches.
const fn is_regex_whitespace(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r' | 0x1C..=0x1F)
}

/// Whether `uri` belongs to the protocol itself: its first component is `wamp`.
#[inline]
pub fn is_reserved(uri: &str) -> bool {
    uri.strip_prefix("wamp")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_uris_have_no_empty_components_and_no_whitespace() {
        for bad in [
            "",
            "a..b",
            ".a",
            "a.",
            ".",
            "a.#b",
            "a b",
            "a\tb",
            "a.b\u{a0}c",
            "ä..b",
        ] {
            assert!(!Grammar::Loose.accepts(bad), "{bad:?}");
        }
        for good in ["a", "a.b", "A-1.b", "com.müller.go", "a:b/c"] {
            assert!(Grammar::Loose.accepts(good), "{good:?}");
        }
    }

    #[test]
    fn strict_uris_are_lower_case_words() {
        assert!(Grammar::Strict.accepts("com.my_app.proc1"));
        for bad in ["com.MyApp", "a-b", "com.müller", "a:b"] {
            assert!(!Grammar::Strict.accepts(bad), "{bad:?}");
        }
    }

    #[test]
    fn patterns_may_leave_out_components() {
        assert!(Grammar::Loose.accepts_pattern("a..b", MatchPolicy::Wildcard));
        assert!(Grammar::Loose.accepts_pattern("", MatchPolicy::Wildcard));
        assert!(Grammar::Loose.accepts_pattern(".a.", MatchPolicy::Wildcard));
        assert!(!Grammar::Loose.accepts_pattern("a. .b", MatchPolicy::Wildcard));
        assert!(Grammar::Loose.accepts_pattern("a.b.", MatchPolicy::Prefix));
        assert!(Grammar::Loose.accepts_pattern("", MatchPolicy::Prefix));
        assert!(!Grammar::Loose.accepts_pattern("a..", MatchPolicy::Prefix));
        assert!(!Grammar::Loose.accepts_pattern("a..b", MatchPolicy::Exact));
    }

    #[test]
    fn prefixes_match_strings_and_wildcards_match_components() {
        for (uri, expected) in [
            ("a.bc", true),
            ("a.bcd", true),
            ("a.bc.d", true),
            ("a.b", false),
        ] {
            assert_eq!(MatchPolicy::Prefix.matches("a.bc", uri), expected, "{uri}");
        }
        for (uri, expected) in [
            ("a.x.c", true),
            ("a.x.c.d", false),
            ("a.x.y", false),
            ("a.c", false),
        ] {
            assert_eq!(
                MatchPolicy::Wildcard.matches("a..c", uri),
                expected,
                "{uri}"
            );
        }
    }

    #[test]
    fn only_the_first_component_wamp_is_reserved() {
        assert!(is_reserved("wamp.session.count"));
        assert!(is_reserved("wamp"));
        assert!(!is_reserved("wampy.x"));
        assert!(!is_reserved("com.wamp"));
    }
}
