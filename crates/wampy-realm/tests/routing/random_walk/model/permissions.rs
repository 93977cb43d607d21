//! Permissions: which of several decides, and whether one allows all that a pattern can match.
//!
//! Patterns are compared by trying them on many URIs, instead of by reasoning about them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use wampy_proto::MatchPolicy;

use super::Session;

/// A permission, as a role has it.
pub struct Rule {
    /// With stars for prefixes and wildcards, and perhaps a placeholder.
    pub uri: &'static str,
    pub allows: &'static [&'static str],
    pub discloses: bool,
}

const ACTIONS: [&str; 4] = ["call", "register", "publish", "subscribe"];

const fn rule(uri: &'static str, allows: &'static [&'static str], discloses: bool) -> Rule {
    Rule {
        uri,
        allows,
        discloses,
    }
}

/// Most roles have the first two.
pub static RULES: [Rule; 17] = [
    rule("*", &ACTIONS, false),
    rule("wamp.*", &ACTIONS, false),
    rule("a.b", &[], false),
    rule("a.b.c", &["subscribe", "register"], false),
    rule("b.b.c", &["call", "publish"], true),
    rule("a.bc", &ACTIONS, true),
    rule("a.b*", &["call", "publish", "register"], false),
    rule("a.*", &["call", "subscribe", "publish"], true),
    rule("a*", &ACTIONS, false),
    rule("b*", &ACTIONS, true),
    rule("*.b", &["subscribe", "publish"], true),
    rule("a.*.c", &["call", "register"], false),
    rule("*.*.c", &ACTIONS, true),
    rule("u.{authid}", &["register", "publish"], true),
    rule("u.{authid}.*", &["call", "subscribe"], true),
    rule("u.ann", &["call"], false),
    rule("s.{session}", &["call", "subscribe"], false),
];

/// What a permission means for a session: the greater of two that match a URI decides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    precedence: (u8, usize, Vec<bool>),
    origin: Origin,
    pub uri: String,
    pub policy: MatchPolicy,
    allows: &'static [&'static str],
    pub discloses: bool,
}

/// Of two permissions for the same pattern that of the later origin decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Placeholder,
    Literal,
    /// A placeholder has nothing to stand for, so that all below it is refused.
    Refusal,
}

impl Rule {
    fn policy(&self) -> MatchPolicy {
        match self.uri.matches('*').count() {
            0 => MatchPolicy::Exact,
            1 if self.uri.ends_with('*') => MatchPolicy::Prefix,
            _ => MatchPolicy::Wildcard,
        }
    }

    /// What all URIs begin with that it is about, if it is about all that do.
    pub fn prefix(&self) -> Option<&'static str> {
        let is_prefix = self.policy() == MatchPolicy::Prefix;
        self.uri.strip_suffix('*').filter(|_| is_prefix)
    }

    /// What stands before the first wildcard, if it has any.
    pub fn wildcard_head(&self) -> Option<&'static str> {
        let (head, _) = self.uri.split_once('*')?;
        (self.policy() == MatchPolicy::Wildcard).then_some(head)
    }

    pub fn for_session(&self, session: &Session) -> Permission {
        let mut uri = self.uri.to_owned();
        let (mut allows, mut discloses) = (self.allows, self.discloses);
        let mut origin = match uri.contains('{') {
            true => Origin::Placeholder,
            false => Origin::Literal,
        };
        if let Some(below) = uri
            .find("{authid}")
            .filter(|_| session.authid.contains('.'))
        {
            uri.truncate(below);
            (origin, allows, discloses) = (Origin::Refusal, &[], false);
        }
        uri = uri.replace("{authid}", session.authid);
        uri = uri.replace("{session}", &session.id.to_string());
        let policy = match origin {
            Origin::Refusal => MatchPolicy::Prefix,
            _ => self.policy(),
        };
        let uri = uri.replace('*', "");
        let precedence = match policy {
            MatchPolicy::Exact => (2, 0, Vec::new()),
            MatchPolicy::Prefix => (1, uri.len(), Vec::new()),
            MatchPolicy::Wildcard => {
                let is_literal = |component: &str| !component.is_empty();
                (0, 0, uri.split('.').map(is_literal).collect())
            }
        };
        Permission {
            precedence,
            origin,
            uri,
            policy,
            allows,
            discloses,
        }
    }
}

impl Permission {
    pub fn allows(&self, action: &str) -> bool {
        self.allows.contains(&action)
    }

    fn wins_over(&self, other: &Self) -> bool {
        (&self.precedence, self.origin) > (&other.precedence, other.origin)
    }
}

/// The permission that decides about a URI.
pub fn deciding<'p>(permissions: &'p [Permission], uri: &str) -> Option<&'p Permission> {
    let matching = permissions
        .iter()
        .filter(|it| it.policy.matches(&it.uri, uri));
    matching.max()
}

/// Whether an action is allowed for all that a pattern can match: one permission that allows it
/// covers all of that, and none that wins over it anywhere there forbids it.
pub fn allow_all(permissions: &[Permission], action: &str, uri: &str, policy: MatchPolicy) -> bool {
    let compare = |it: &Permission| compare((&it.uri, it.policy), (uri, policy));
    let covering = permissions.iter().filter(|it| compare(it).covers).max();
    covering.is_some_and(|covering| {
        covering.allows(action)
            && permissions
                .iter()
                .all(|it| it.allows(action) || !it.wins_over(covering) || !compare(it).overlaps)
    })
}

/// How a pattern and another one are to each other.
#[derive(Clone, Copy)]
struct Comparison {
    /// Whether the first matches all that the other does.
    covers: bool,
    /// Whether both match something.
    overlaps: bool,
}

type Pattern<'p> = (&'p str, MatchPolicy);

/// Compares two patterns; what was found is remembered, because trying takes long.
fn compare(one: Pattern<'_>, other: Pattern<'_>) -> Comparison {
    type Known = HashMap<(String, MatchPolicy, String, MatchPolicy), Comparison>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let key = (one.0.to_owned(), one.1, other.0.to_owned(), other.1);
    let mut known = KNOWN.lock().unwrap();
    *known.entry(key).or_insert_with(|| {
        let matched = |uri: &&String| other.1.matches(other.0, uri);
        let is_own = |uri: &String| one.1.matches(one.0, uri);
        // Each may match what it is itself, and what begins so.
        let own: Vec<String> = [one.0, other.0]
            .into_iter()
            .flat_map(beginning_with)
            .collect();
        let mut matched = TRIED.iter().chain(&own).filter(matched);
        Comparison {
            covers: matched.clone().all(is_own),
            overlaps: matched.any(is_own),
        }
    })
}

/// URIs that begin with a text.
fn beginning_with(text: &str) -> Vec<String> {
    let few = TRIED.iter().filter(|it| it.matches('.').count() < 2);
    let ends = few.flat_map(|it| [it.clone(), format!(".{it}")]);
    let all = ends.chain(["".into()]).map(|end| format!("{text}{end}"));
    all.filter(|it| !it.split('.').any(str::is_empty)).collect()
}

/// URIs of one component to five, among which are some for everything that the walk's patterns tell
/// apart.
static TRIED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = ["a", "b", "bc", "c", "x"];
    let mut all = Vec::new();
    let mut longest: Vec<String> = words.map(str::to_owned).to_vec();
    for components in 1..=4 {
        all.extend(longest.iter().cloned());
        let further = match components {
            4 => &words[..1],
            _ => &words[..],
        };
        let longer = longest.iter();
        let longer = longer.flat_map(|it| further.iter().map(move |word| format!("{it}.{word}")));
        longest = longer.collect();
    }
    all.extend(longest);
    all
});
