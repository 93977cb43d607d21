//! What can be set about the cookie, and which of it makes no sense.
//!
//! Deliberately absent: the `Domain` of a cookie: it is for the router's own host.

/// The longest life of a cookie, a hundred years: clocks do not reach as far as numbers do.
pub(super) const MAX_AGE_S_MAX: u64 = 100 * 365 * 24 * 60 * 60;
/// To which requests from pages of other sites a browser adds the cookie (RFC 6265bis, 4.1.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SameSite {
    /// To none. The default.
    #[default]
    Strict,
    /// To those by which a person follows a link: to none that open a session.
    Lax,
    /// To all. Needs TLS, and a list of allowed origins.
    None,
}

impl SameSite {
    pub(crate) const ALL: [Self; 3] = [Self::Strict, Self::Lax, Self::None];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "Strict",
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// The cookie that the router sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieConfig {
    /// Its name. Default: `wampy`. A name that begins with `__Host-` is one that only this host can
    /// have set, over TLS; one that begins with `__Secure-`, anybody over TLS. Both need TLS.
    pub name: String,
    /// For how long a browser keeps it, and the router remembers who had authenticated with it, in
    /// seconds. Default: a week. More than a hundred years are a hundred years.
    pub max_age_s: u64,
    /// To which requests browsers add it. Default: [`SameSite::Strict`].
    pub same_site: SameSite,
    /// Whether browsers get it for TLS only (`Secure`) also from ports without TLS: for a router behind
    /// a proxy that speaks TLS in its stead. What is set over TLS is for TLS only in any case.
    /// Default: no.
    pub secure: bool,
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: "wampy".to_owned(),
            max_age_s: 7 * 24 * 60 * 60,
            same_site: SameSite::default(),
            secure: false,
        }
    }
}

impl CookieConfig {
    /// What makes no sense in this.
    pub(crate) fn problem(&self, origins_are_any: bool, ports: CookiePorts) -> Option<String> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            let name = &self.name;
            return Some(format!("{name:?} is no name for a cookie"));
        }
        if self.max_age_s == 0 {
            return Some("a cookie with a max_age_s of 0 is none".to_owned());
        }
        if self.same_site == SameSite::None && origins_are_any {
            let problem = "a cookie for pages of all sites (SameSite=None) needs a list of allowed \
                           origins: else any page could act for its readers";
            return Some(problem.to_owned());
        }
        match (self.needs_tls(), ports) {
            (Some(why), CookiePorts::Plain) if !self.secure => Some(format!(
                "{why} is one that browsers take over TLS only, and no port speaks it; behind a \
                 proxy that does: secure = true"
            )),
            _ => None,
        }
    }

    /// What is wrong with this at some ports only.
    pub(crate) fn warning(&self, ports: CookiePorts) -> Option<String> {
        let why = self.needs_tls().filter(|_| !self.secure)?;
        (ports == CookiePorts::Mixed)
            .then(|| format!("{why} is one that browsers do not take at the ports without TLS"))
    }

    /// What about this cookie makes browsers refuse it where it is not `Secure` (RFC 6265bis, 5.7).
    fn needs_tls(&self) -> Option<String> {
        let name = self.name.to_ascii_lowercase();
        if name.starts_with("__host-") || name.starts_with("__secure-") {
            return Some(format!("a cookie with the name {:?}", self.name));
        }
        (self.same_site == SameSite::None)
            .then(|| "a cookie for pages of all sites (SameSite=None)".to_owned())
    }
}

/// Which of the TCP ports, where browsers come in, speak TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CookiePorts {
    /// All of them, or there is none: then a Unix socket has a proxy before it, if anything.
    Tls,
    /// Some.
    Mixed,
    /// None.
    Plain,
}

impl CookiePorts {
    /// Whether TLS is spoken there, for each port.
    pub(crate) fn of(ports: impl IntoIterator<Item = bool>) -> Self {
        let (mut any_tls, mut any_plain) = (false, false);
        for is_tls in ports {
            any_tls |= is_tls;
            any_plain |= !is_tls;
        }
        match (any_tls, any_plain) {
            (true, true) => Self::Mixed,
            (false, true) => Self::Plain,
            (_, false) => Self::Tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_for_all_sites_need_a_list_of_origins() {
        let config = CookieConfig {
            same_site: SameSite::None,
            ..CookieConfig::default()
        };
        let problem = |origins_are_any| config.problem(origins_are_any, CookiePorts::Tls);
        assert!(problem(true).is_some_and(|it| it.contains("origins")));
        assert_eq!(problem(false), None);
        let config = CookieConfig {
            name: "a;b".to_owned(),
            ..CookieConfig::default()
        };
        let problem = config.problem(false, CookiePorts::Tls);
        assert!(problem.is_some_and(|it| it.contains("a;b")));
        let usual = CookieConfig::default();
        assert_eq!(usual.problem(true, CookiePorts::Plain), None);
    }

    #[test]
    fn cookies_that_browsers_take_over_tls_only_need_it() {
        let named = |name: &str| CookieConfig {
            name: name.to_owned(),
            ..CookieConfig::default()
        };
        let everywhere = CookieConfig {
            same_site: SameSite::None,
            ..CookieConfig::default()
        };
        for mut config in [named("__Host-wampy"), named("__secure-wampy"), everywhere] {
            let problem = config.problem(false, CookiePorts::Plain);
            assert!(problem.is_some_and(|it| it.contains("TLS")), "{config:?}");
            assert_eq!(config.problem(false, CookiePorts::Mixed), None);
            assert!(config.warning(CookiePorts::Mixed).is_some());
            assert_eq!(config.warning(CookiePorts::Tls), None);
            config.secure = true;
            assert_eq!(config.problem(false, CookiePorts::Plain), None);
            assert_eq!(config.warning(CookiePorts::Mixed), None);
        }
        assert_eq!(named("__Hosted").problem(false, CookiePorts::Plain), None);
        assert_eq!(named("x").warning(CookiePorts::Mixed), None);
    }
}
