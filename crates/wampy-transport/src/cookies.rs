//! The cookies that routers set, kept in memory.
//!
//! A cookie goes back to the host that has set it, over WebSocket and long-polling, as long as its
//! `Max-Age` says, and over TLS only if it is `Secure`. Deliberately absent: cookies of whole domains, of
//! paths, and by date (`Expires`): a router's cookie is for itself, and has a `Max-Age` or none; files
//! (a program that keeps cookies takes them out and puts them in by itself).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::url::{Endpoint, Url};

/// The most cookies in a jar. One more takes the place of that whose host and name come last.
const COOKIES_MAX: usize = 1000;
/// The longest cookie that is kept, in bytes: its name and its value.
const COOKIE_BYTES_MAX: usize = 4096;

/// Cookies of routers, in memory. A clone is the same jar, so that clients can share one.
#[derive(Clone, Default)]
pub struct CookieJar(Arc<Mutex<BTreeMap<Key, Cookie>>>);

/// Whose cookie it is, and its name.
type Key = (Box<str>, Box<str>);

#[derive(Clone)]
struct Cookie {
    value: Box<str>,
    is_secure: bool,
    expires: Option<Instant>,
}

/// A cookie is a secret.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieJar({} cookies)", self.len())
    }
}

impl CookieJar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn cookies(&self) -> MutexGuard<'_, BTreeMap<Key, Cookie>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many cookies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cookies().len()
    }

    /// Whether there is no cookie.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all cookies.
    pub fn clear(&self) {
        self.cookies().clear();
    }

    /// Takes in what `host` says in a header `Set-Cookie`: `name=value; Max-Age=3600; Secure`. What is no
    /// cookie, or longer than 4096 bytes, is not kept; a `Max-Age` of 0 takes a cookie out.
    pub fn insert(&self, host: &str, set_cookie: &str) {
        let mut parts = set_cookie.split(';').map(str::trim);
        let pair = parts.next().and_then(|pair| pair.split_once('='));
        let Some((name, value)) = pair.map(|(name, value)| (name.trim(), value.trim())) else {
            return;
        };
        let is_sendable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let is_too_long = name.len() + value.len() > COOKIE_BYTES_MAX;
        if name.is_empty() || is_too_long || !is_sendable(name) || !is_sendable(value) {
            return;
        }
        let mut cookie = Cookie {
            value: value.into(),
            is_secure: false,
            expires: None,
        };
        let mut is_over = false;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            if attribute.trim().eq_ignore_ascii_case("secure") {
                cookie.is_secure = true;
            } else if attribute.trim().eq_ignore_ascii_case("max-age")
                && let Ok(max_age_s) = value.trim().parse::<i64>()
            {
                let max_age = Duration::from_secs(max_age_s.try_into().unwrap_or(0));
                is_over = max_age.is_zero();
                cookie.expires = Instant::now().checked_add(max_age);
            }
        }
        let key = (host.to_ascii_lowercase().into(), name.into());
        let mut cookies = self.cookies();
        if is_over {
            cookies.remove(&key);
            return;
        }
        cookies.insert(key, cookie);
        if cookies.len() > COOKIES_MAX {
            cookies.pop_last();
        }
    }

    /// The cookies that `host` gets, as a header `Cookie` has them; `None` if there are none. Over
    /// connections without TLS it gets those only that are not `Secure`.
    #[must_use]
    pub fn for_host(&self, host: &str, is_tls: bool) -> Option<String> {
        let now = Instant::now();
        let mut cookies = self.cookies();
        cookies.retain(|_, cookie| cookie.expires.is_none_or(|expires| now < expires));
        let host = host.to_ascii_lowercase();
        let own = cookies
            .iter()
            .filter(|((of, _), cookie)| **of == *host && (is_tls || !cookie.is_secure));
        let pairs: Vec<_> = own
            .map(|((_, name), cookie)| format!("{name}={}", cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The cookies for the router at `url`.
    #[must_use]
    pub fn for_url(&self, url: &Url) -> Option<String> {
        self.for_host(host_of(url)?, url.scheme().tls)
    }

    pub(crate) fn take_from(&self, url: &Url, set_cookie: &[u8]) {
        if let (Some(host), Ok(text)) = (host_of(url), std::str::from_utf8(set_cookie)) {
            self.insert(host, text);
        }
    }
}

/// Whose cookies the router at `url` gets: those of its host, or of its socket.
fn host_of(url: &Url) -> Option<&str> {
    match url.endpoint() {
        Endpoint::Tcp { host, .. } => Some(host),
        Endpoint::Unix { path } => path.to_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_goes_back_to_its_host_as_its_attributes_say() {
        let jar = CookieJar::new();
        jar.insert("Router.example", "a=1; Path=/; HttpOnly; SameSite=Strict");
        jar.insert("router.example", "b=2; max-age=3600; SECURE");
        jar.insert("other.example", "c=3");
        assert_eq!(jar.for_host("router.EXAMPLE", false).unwrap(), "a=1");
        assert_eq!(jar.for_host("router.example", true).unwrap(), "a=1; b=2");
        assert_eq!(jar.for_host("sub.router.example", true), None);
        let url: Url = "wss://router.example:4321/ws".parse().unwrap();
        assert_eq!(jar.for_url(&url).unwrap(), "a=1; b=2");
        assert_eq!(format!("{jar:?}"), "CookieJar(3 cookies)");
    }

    #[test]
    fn cookies_end() {
        let jar = CookieJar::new();
        jar.insert("host", "a=1; Max-Age=3600");
        jar.insert("host", "a=; Max-Age=0");
        assert!(jar.is_empty());
        jar.insert("host", "a=1");
        jar.insert("host", "a=2; Max-Age=-5");
        assert!(jar.is_empty());
        jar.insert("host", "a=1");
        jar.clear();
        assert_eq!(jar.for_host("host", true), None);
    }

    #[test]
    fn what_is_no_cookie_is_not_kept_and_a_jar_is_bounded() {
        let jar = CookieJar::new();
        let long = format!("a={}", "x".repeat(COOKIE_BYTES_MAX));
        for nonsense in ["", "a", "=b", "a b=c", "a=b c", "a=\u{e4}", &long] {
            jar.insert("host", nonsense);
        }
        assert!(jar.is_empty());
        for number in 0..2 * COOKIES_MAX {
            jar.insert("host", &format!("c{number}=x"));
        }
        assert_eq!(jar.len(), COOKIES_MAX);
    }
}
