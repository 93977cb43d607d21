//! A permission: what may be done with the URIs that one pattern matches.
//!
//! The syntax is Crossbar's, with placeholders added. How it is read from a configuration file is in
//! `crossbar_syntax`; which permission wins is in `rules`.

use std::fmt;

use wampy_proto::MatchPolicy;
use wampy_proto::uri::Grammar;

use super::placeholder::{self, Placeholder};
use crate::pattern::WILDCARD_COMPONENTS_MAX;

/// What a session does with a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Calls a procedure.
    Call,
    /// Registers a procedure or a pattern.
    Register,
    /// Publishes to a topic.
    Publish,
    /// Subscribes to a topic or a pattern.
    Subscribe,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 4] = [Self::Call, Self::Register, Self::Publish, Self::Subscribe];

    /// The action's name in permissions, and where an authorizer is asked.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Register => "register",
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
        }
    }
}

/// Which actions a permission allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allow {
    /// Calling.
    pub call: bool,
    /// Registering.
    pub register: bool,
    /// Publishing.
    pub publish: bool,
    /// Subscribing.
    pub subscribe: bool,
}

impl Allow {
    /// No action: an exception from a permission for more URIs.
    pub const NOTHING: Self = Self {
        call: false,
        register: false,
        publish: false,
        subscribe: false,
    };
    /// Every action.
    pub const EVERYTHING: Self = Self {
        call: true,
        register: true,
        publish: true,
        subscribe: true,
    };

    /// Whether `action` is allowed.
    pub const fn allows(self, action: Action) -> bool {
        match action {
            Action::Call => self.call,
            Action::Register => self.register,
            Action::Publish => self.publish,
            Action::Subscribe => self.subscribe,
        }
    }
}

/// Who is made known to those it reaches, whether or not it asks for that.
///
/// A realm that denies disclosure ([`Disclosure::Denied`](crate::Disclosure::Denied)) makes nobody
/// known, whatever a permission says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disclose {
    /// The caller, to the callee.
    pub caller: bool,
    /// The publisher, to the subscribers.
    pub publisher: bool,
}

/// What a role may do with the URIs that a pattern matches.
///
/// In the URI, the component `{authid}` stands for the authid of the session, and `{session}` for
/// its id. A session whose authid is no single component of a URI (it is empty, or has a dot, a `#`
/// or whitespace in it) is not given what such a permission allows: everything below what stands
/// before the placeholder is refused to it, but for what a longer permission allows.
///
/// ```
/// use wampy_proto::MatchPolicy;
/// use wampy_realm::{Allow, Permission};
///
/// let own = Permission::new("com.example.users.{authid}.", MatchPolicy::Prefix, Allow::EVERYTHING)?;
/// assert_eq!(own.uri(), "com.example.users.{authid}.");
///
/// let open = Permission::new("com.example.users.{authid}", MatchPolicy::Prefix, Allow::EVERYTHING);
/// let problem = open.unwrap_err().to_string();
/// assert!(problem.contains("would match the authids that begin with this one"), "{problem}");
/// # Ok::<(), wampy_realm::PermissionError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    uri: Box<str>,
    match_policy: MatchPolicy,
    allow: Allow,
    disclose: Disclose,
}

/// A permission that makes no sense; the text names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{uri:?} (match: {}): {problem}", .match_policy.as_str())]
pub struct PermissionError {
    uri: Box<str>,
    match_policy: MatchPolicy,
    problem: String,
}

impl Permission {
    /// A permission for the URIs that `uri` matches.
    ///
    /// # Errors
    /// `uri` is malformed, or has a placeholder that is unknown or in the wrong place.
    pub fn new(
        uri: impl Into<Box<str>>,
        match_policy: MatchPolicy,
        allow: Allow,
    ) -> Result<Self, PermissionError> {
        let uri = uri.into();
        match check(&uri, match_policy) {
            Ok(()) => Ok(Self {
                uri,
                match_policy,
                allow,
                disclose: Disclose::default(),
            }),
            Err(problem) => Err(PermissionError {
                uri,
                match_policy,
                problem,
            }),
        }
    }

    /// A permission with Crossbar's stars: `com.example.*` for a prefix, `com.*.example` for a
    /// wildcard, a URI without a star for itself, `*` for everything.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub fn starred(uri: &str, allow: Allow) -> Result<Self, PermissionError> {
        match uri.matches('*').count() {
            0 => Self::new(uri, MatchPolicy::Exact, allow),
            1 if uri.ends_with('*') => {
                Self::new(uri.trim_end_matches('*'), MatchPolicy::Prefix, allow)
            }
            _ => Self::new(uri.replace('*', ""), MatchPolicy::Wildcard, allow),
        }
    }

    /// The same permission, which makes callers or publishers known.
    #[must_use]
    pub fn disclosing(mut self, disclose: Disclose) -> Self {
        self.disclose = disclose;
        self
    }

    /// The URI, prefix or wildcard pattern, with its placeholders.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// How the URI is matched.
    pub const fn match_policy(&self) -> MatchPolicy {
        self.match_policy
    }

    /// What is allowed.
    pub const fn allow(&self) -> Allow {
        self.allow
    }

    /// Who is made known.
    pub const fn disclose(&self) -> Disclose {
        self.disclose
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (match: {})", self.uri, self.match_policy.as_str())
    }
}

/// What is wrong with the pattern of a permission.
fn check(uri: &str, match_policy: MatchPolicy) -> Result<(), String> {
    let mut last_is_placeholder = false;
    let mut complete = Vec::new();
    for component in uri.split('.') {
        let placeholder = Placeholder::parse(component)?;
        last_is_placeholder = placeholder.is_some();
        complete.push(placeholder.map_or(component, |_| placeholder::EXAMPLE));
    }
    if last_is_placeholder && match_policy == MatchPolicy::Prefix {
        let problem = "a prefix that ends in a placeholder would match the authids that begin with \
                       this one, too: end it with a dot";
        return Err(problem.to_owned());
    }
    if complete.len() > WILDCARD_COMPONENTS_MAX {
        return Err(format!(
            "it has more than {WILDCARD_COMPONENTS_MAX} components"
        ));
    }
    if !Grammar::Loose.accepts_pattern(&complete.join("."), match_policy) {
        return Err("it is no well-formed URI or pattern".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_prefixes_and_wildcards() {
        for (starred, uri, match_policy) in [
            ("com.example.one", "com.example.one", MatchPolicy::Exact),
            ("com.example.*", "com.example.", MatchPolicy::Prefix),
            ("com.exam*", "com.exam", MatchPolicy::Prefix),
            ("*", "", MatchPolicy::Prefix),
            ("com.*.one", "com..one", MatchPolicy::Wildcard),
            ("com.*.*", "com..", MatchPolicy::Wildcard),
        ] {
            let permission = Permission::starred(starred, Allow::NOTHING).unwrap();
            assert_eq!(
                (permission.uri(), permission.match_policy()),
                (uri, match_policy)
            );
        }
    }

    #[test]
    fn a_permission_that_makes_no_sense_is_refused_and_named() {
        for (uri, match_policy, problem) in [
            ("a b", MatchPolicy::Exact, "no well-formed"),
            ("", MatchPolicy::Exact, "no well-formed"),
            ("a..b", MatchPolicy::Exact, "no well-formed"),
            ("a..", MatchPolicy::Prefix, "no well-formed"),
            ("a.{authid}", MatchPolicy::Prefix, "end it with a dot"),
            ("a.{user}.", MatchPolicy::Prefix, "{authid} and {session}"),
            ("a.x{authid}", MatchPolicy::Exact, "a whole component"),
            (
                "a.{authid}{session}",
                MatchPolicy::Exact,
                "a whole component",
            ),
            ("a.{", MatchPolicy::Exact, "{authid} and {session}"),
        ] {
            let error = Permission::new(uri, match_policy, Allow::NOTHING).unwrap_err();
            let text = error.to_string();
            assert!(text.contains(problem), "{text}");
            assert!(text.starts_with(&format!("{uri:?}")), "{text}");
        }
        let long = vec!["a"; WILDCARD_COMPONENTS_MAX + 1].join(".");
        assert!(Permission::new(long, MatchPolicy::Exact, Allow::NOTHING).is_err());
    }
}
