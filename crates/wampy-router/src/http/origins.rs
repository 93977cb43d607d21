//! The web pages that may talk to the router: by the `Origin` that browsers send, with requests for
//! a WebSocket and with all others.
//!
//! Deliberately absent: a check of clients that are no browsers. They send no `Origin`, or any they
//! like; who may do what is a matter of authentication.

/// Whose pages may talk to the router.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Origins {
    /// Everybody's.
    #[default]
    Any,
    /// Those of these origins.
    Only(Vec<Pattern>),
}

/// An origin, or all of a scheme whose hosts end alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `https://example.com`, `http://localhost:8000`, `null`.
    Exactly(String),
    /// `https://*.example.com`: what stands before the asterisk, and behind it.
    Below(String, String),
}

impl Origins {
    /// Reads origins, of which `*` means all.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub(crate) fn parse(origins: &[String]) -> Result<Self, String> {
        if origins.iter().any(|origin| origin == "*") {
            return Ok(Self::Any);
        }
        let patterns = origins.iter().map(|origin| Pattern::parse(origin));
        patterns.collect::<Result<_, _>>().map(Self::Only)
    }

    /// Why a request with this `Origin` is refused, if it is.
    pub(crate) fn refusal(&self, origin: Option<&[u8]>) -> Option<String> {
        let (Self::Only(patterns), Some(origin)) = (self, origin) else {
            return None;
        };
        let origin = String::from_utf8_lossy(origin);
        if patterns.iter().any(|pattern| pattern.matches(&origin)) {
            return None;
        }
        Some(format!(
            "This WAMP router is not open to pages from {:?}.",
            origin.chars().take(200).collect::<String>()
        ))
    }

    /// Whether pages of everybody may talk to the router.
    pub(crate) fn are_any(&self) -> bool {
        *self == Self::Any
    }
}

impl Pattern {
    fn parse(origin: &str) -> Result<Self, String> {
        let wrong = |problem: &str| Err(format!("{origin:?} is no origin: {problem}"));
        let lower = origin.to_ascii_lowercase();
        if lower == "null" {
            return Ok(Self::Exactly(lower));
        }
        let Some((scheme, host)) = lower.split_once("://") else {
            return wrong("it must have a scheme, such as https://example.com");
        };
        if scheme.is_empty() || host.is_empty() {
            return wrong("the scheme or the host is missing");
        }
        if host.contains('/') {
            return wrong("it ends behind the host and port, without a path");
        }
        match host.strip_prefix("*.") {
            Some(domain) if !domain.contains('*') && !domain.is_empty() => {
                Ok(Self::Below(format!("{scheme}://"), format!(".{domain}")))
            }
            None if !host.contains('*') => Ok(Self::Exactly(lower)),
            _ => wrong("an asterisk may only stand for what is before the first dot of the host"),
        }
    }

    fn matches(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        match self {
            Self::Exactly(exactly) => origin == *exactly,
            Self::Below(before, behind) => origin
                .strip_prefix(before.as_str())
                .and_then(|host| host.strip_suffix(behind.as_str()))
                .is_some_and(|name| !name.is_empty() && !name.contains(['/', '@', ':'])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(list: &[&str]) -> Origins {
        let list: Vec<_> = list.iter().map(|&it| it.to_owned()).collect();
        Origins::parse(&list).unwrap()
    }

    #[test]
    fn only_listed_origins_may_talk_to_the_router() {
        let listed = origins(&[
            "https://example.com",
            "http://localhost:8000",
            "https://*.x.org",
        ]);
        for (origin, allowed) in [
            ("https://example.com", true),
            ("HTTPS://Example.com", true),
            ("http://example.com", false),
            ("https://example.com.evil.org", false),
            ("https://sub.example.com", false),
            ("http://localhost:8000", true),
            ("http://localhost", false),
            ("https://a.x.org", true),
            ("https://a.b.x.org", true),
            ("https://x.org", false),
            ("https://.x.org", false),
            ("https://evil.org/a.x.org", false),
            ("https://evil.org:1@a.x.org", false),
            ("null", false),
            ("", false),
        ] {
            let refusal = listed.refusal(Some(origin.as_bytes()));
            assert_eq!(refusal.is_none(), allowed, "{origin}");
        }
        assert_eq!(listed.refusal(None), None, "clients that are no browsers");
        assert_eq!(origins(&["null"]).refusal(Some(b"null")), None);
    }

    #[test]
    fn by_default_and_by_an_asterisk_all_are_allowed() {
        for all in [Origins::default(), origins(&["https://a.org", "*"])] {
            assert!(all.are_any());
            assert_eq!(all.refusal(Some(b"https://anybody.example")), None);
        }
        // Nobody is allowed by an empty list.
        assert!(origins(&[]).refusal(Some(b"https://a.org")).is_some());
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for (origin, problem) in [
            ("example.com", "scheme"),
            ("https://", "missing"),
            ("https://example.com/", "path"),
            ("https://*example.com", "asterisk"),
            ("https://a.*.com", "asterisk"),
        ] {
            let error = Origins::parse(&[origin.to_owned()]).unwrap_err();
            assert!(error.contains(origin) && error.contains(problem), "{error}");
        }
    }
}
