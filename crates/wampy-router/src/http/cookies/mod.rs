//! Cookies, by which a browser shows that it was here: which one a connection brings, which one it
//! gets, and who had authenticated with it.
//!
//! A cookie is a random value of 256 bits that says nothing by itself. Only those with which somebody
//! has authenticated are remembered, so clients that do not authenticate cannot fill the table. A
//! cookie that is not remembered is never taken over: its connection gets a new one, and so nobody
//! can plant a value of his own in another's browser and be taken for that one later.
//!
//! A cookie of which half its life is over is replaced when its browser connects next. The old one
//! is good for a minute more, for the browser's other connections.
//!
//! Deliberately absent: keeping cookies when the router ends, and signing them.

mod config;
mod id;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wampy_proto::Value;

pub(crate) use config::CookiePorts;
use config::MAX_AGE_S_MAX;
pub use config::{CookieConfig, SameSite};
pub(crate) use id::CookieId;
use id::value;

use crate::settings::User;

/// For how long a cookie is still good after it was replaced.
const REPLACED_GRACE: Duration = Duration::from_secs(60);

/// Who had authenticated with a cookie.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Principal {
    pub(crate) realm: Box<str>,
    pub(crate) authid: Box<str>,
    pub(crate) authrole: Box<str>,
    pub(crate) authprovider: &'static str,
    pub(crate) authextra: Option<Value>,
    /// What the user on the realm's list was like then, if it is one of these.
    pub(crate) user: Option<Arc<User>>,
}

/// The cookie of a connection.
#[derive(Debug)]
pub(crate) struct Presented {
    pub(crate) id: CookieId,
    /// The value of the header `Set-Cookie`, if the client has to be told.
    pub(crate) set_cookie: Option<String>,
}

/// The cookies of a router.
#[derive(Debug)]
pub(crate) struct Cookies {
    config: CookieConfig,
    entries_max: usize,
    entries: Mutex<HashMap<CookieId, Entry>>,
}

#[derive(Debug)]
struct Entry {
    principal: Principal,
    expires: Instant,
    /// Whether the browser was given another one instead.
    is_replaced: bool,
}

impl Cookies {
    pub(crate) fn new(config: CookieConfig, entries_max: usize) -> Self {
        Self {
            config,
            entries_max,
            entries: Mutex::default(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<CookieId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn max_age(&self) -> Duration {
        Duration::from_secs(self.config.max_age_s.min(MAX_AGE_S_MAX))
    }

    /// The cookie of a connection whose request has these `Cookie` headers.
    pub(crate) fn present<H: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = H>,
        is_tls: bool,
    ) -> Presented {
        self.present_at(headers, is_tls, Instant::now())
    }

    fn present_at<H: AsRef<[u8]>>(
        &self,
        headers: impl IntoIterator<Item = H>,
        is_tls: bool,
        now: Instant,
    ) -> Presented {
        let mut entries = self.entries();
        let brought = headers.into_iter().find_map(|header| {
            let id = value(header.as_ref(), &self.config.name).and_then(CookieId::parse)?;
            let entry = entries.get(&id).filter(|entry| entry.expires > now)?;
            // One that was replaced already is what another connection of the browser still has.
            let is_young = entry.expires - now > self.max_age() / 2;
            Some((id, is_young || entry.is_replaced))
        });
        let id = match brought {
            Some((id, true)) => {
                return Presented {
                    id,
                    set_cookie: None,
                };
            }
            Some((id, false)) => self.rotate(&mut entries, &id, now),
            None => CookieId::new(),
        };
        Presented {
            set_cookie: Some(self.set_cookie(&id, is_tls)),
            id,
        }
    }

    fn set_cookie(&self, id: &CookieId, is_tls: bool) -> String {
        let CookieConfig {
            name, same_site, ..
        } = &self.config;
        let max_age_s = self.max_age().as_secs();
        let secure = match is_tls || self.config.secure {
            true => "; Secure",
            false => "",
        };
        let (value, same_site) = (id.text(), same_site.as_str());
        format!(
            "{name}={value}; Max-Age={max_age_s}; Path=/; HttpOnly{secure}; SameSite={same_site}"
        )
    }

    /// Replaces a cookie by a new one of the same principal.
    fn rotate(
        &self,
        entries: &mut HashMap<CookieId, Entry>,
        id: &CookieId,
        now: Instant,
    ) -> CookieId {
        let new = CookieId::new();
        if let Some(old) = entries.get_mut(id) {
            old.expires = old.expires.min(now + REPLACED_GRACE);
            old.is_replaced = true;
            let principal = old.principal.clone();
            self.insert(entries, new.clone(), principal, now);
        }
        new
    }

    fn insert(
        &self,
        entries: &mut HashMap<CookieId, Entry>,
        id: CookieId,
        principal: Principal,
        now: Instant,
    ) {
        if entries.len() >= self.entries_max {
            entries.retain(|_, entry| entry.expires > now);
        }
        if entries.len() >= self.entries_max {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.expires);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                entries.remove(&oldest);
            }
        }
        let expires = now + self.max_age();
        let entry = Entry {
            principal,
            expires,
            is_replaced: false,
        };
        entries.insert(id, entry);
    }

    /// Remembers that `principal` has authenticated on a connection with the cookie `id`. One that
    /// belongs to somebody else already stays so.
    pub(crate) fn remember(&self, id: &CookieId, principal: Principal) {
        let now = Instant::now();
        let mut entries = self.entries();
        if entries.get(id).is_none_or(|entry| entry.expires <= now) {
            self.insert(&mut entries, id.clone(), principal, now);
        }
    }

    /// Who had authenticated with the cookie `id`.
    pub(crate) fn principal(&self, id: &CookieId) -> Option<Principal> {
        self.principal_at(id, Instant::now())
    }

    fn principal_at(&self, id: &CookieId, now: Instant) -> Option<Principal> {
        let entries = self.entries();
        let entry = entries.get(id).filter(|entry| entry.expires > now)?;
        Some(entry.principal.clone())
    }

    /// Forgets all cookies of `authid` in `realm`: how many there were.
    pub(crate) fn forget(&self, realm: &str, authid: &str) -> usize {
        let mut entries = self.entries();
        let before = entries.len();
        entries.retain(|_, entry| {
            *entry.principal.realm != *realm || *entry.principal.authid != *authid
        });
        before - entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_for_ever_lives_long() {
        let config = CookieConfig {
            max_age_s: u64::MAX,
            ..CookieConfig::default()
        };
        let cookies = Cookies::new(config, 10);
        let id = CookieId::new();
        cookies.remember(&id, principal("joe"));
        let later = Instant::now() + Duration::from_secs(MAX_AGE_S_MAX / 4);
        assert_eq!(cookies.principal_at(&id, later), Some(principal("joe")));
        let presented = cookies.present_at(header(&id), false, later);
        assert_eq!(presented.id, id);
    }

    const HOUR: Duration = Duration::from_secs(3600);

    fn principal(authid: &str) -> Principal {
        Principal {
            realm: "realm1".into(),
            authid: authid.into(),
            authrole: "user".into(),
            authprovider: "static",
            authextra: None,
            user: None,
        }
    }

    fn cookies(entries_max: usize) -> Cookies {
        let config = CookieConfig {
            max_age_s: 10 * HOUR.as_secs(),
            ..CookieConfig::default()
        };
        Cookies::new(config, entries_max)
    }

    fn header(id: &CookieId) -> [String; 1] {
        [format!("other=1; wampy={}; last=2", id.text())]
    }

    #[test]
    fn a_connection_without_a_cookie_gets_one_that_is_well_guarded() {
        let cookies = cookies(10);
        let plain = cookies.present(["a=b"], false);
        let set = plain.set_cookie.unwrap();
        let value = plain.id.text();
        assert_eq!(value.len(), 43, "256 bits");
        let rest = "Max-Age=36000; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(set, format!("wampy={value}; {rest}"));
        let secure = cookies.present::<&str>([], true).set_cookie.unwrap();
        assert!(secure.contains("; Secure;"), "{secure}");
        assert!(!secure.contains(&value));
    }

    #[test]
    fn a_cookie_is_known_only_after_somebody_has_authenticated_with_it() {
        let cookies = cookies(10);
        let first = cookies.present::<&str>([], false).id;
        assert_eq!(cookies.principal(&first), None);
        // Nobody can choose the value that another one authenticates with.
        let planted = cookies.present(header(&first), false);
        assert_ne!(planted.id, first);
        assert!(planted.set_cookie.is_some());
        cookies.remember(&planted.id, principal("joe"));
        let again = cookies.present(header(&planted.id), false);
        assert_eq!((again.id, again.set_cookie), (planted.id.clone(), None));
        assert_eq!(cookies.principal(&planted.id), Some(principal("joe")));
        // It stays the one's who came first.
        cookies.remember(&planted.id, principal("eve"));
        assert_eq!(cookies.principal(&planted.id), Some(principal("joe")));
    }

    #[test]
    fn cookies_expire_and_are_replaced_after_half_their_life() {
        let cookies = cookies(10);
        let id = cookies.present::<&str>([], false).id;
        cookies.remember(&id, principal("joe"));
        let now = Instant::now();
        let early = cookies.present_at(header(&id), false, now + 4 * HOUR);
        assert_eq!(early.id, id);
        let late = cookies.present_at(header(&id), false, now + 6 * HOUR);
        assert_ne!(late.id, id);
        assert!(late.set_cookie.unwrap().contains(&late.id.text()));
        let later = now + 6 * HOUR + REPLACED_GRACE / 2;
        // Other connections of the browser still have the old one, and are not given yet another.
        let other = cookies.present_at(header(&id), false, later);
        assert_eq!((other.id, other.set_cookie), (id.clone(), None));
        let much_later = now + 7 * HOUR;
        assert_eq!(cookies.principal_at(&id, much_later), None);
        let replaced = cookies.principal_at(&late.id, now + 15 * HOUR);
        assert_eq!(replaced, Some(principal("joe")));
        assert_eq!(cookies.principal_at(&late.id, now + 17 * HOUR), None);
    }

    #[test]
    fn cookies_of_a_short_life_are_replaced_as_well() {
        for max_age_s in [1, 60, 120] {
            let config = CookieConfig {
                max_age_s,
                ..CookieConfig::default()
            };
            let cookies = Cookies::new(config, 10);
            let life = Duration::from_secs(max_age_s);
            let id = CookieId::new();
            let now = Instant::now();
            cookies.remember(&id, principal("joe"));
            let at = now + life.mul_f32(0.75);
            let new = cookies.present_at(header(&id), false, at);
            assert_ne!(new.id, id, "{max_age_s}");
            // The old one is still good, for no longer than it was, and not replaced again.
            let other = cookies.present_at(header(&id), false, at);
            assert_eq!((other.id, other.set_cookie), (id.clone(), None));
            let later = now + life + life / 4;
            assert_eq!(cookies.principal_at(&id, later), None);
            assert_eq!(cookies.principal_at(&new.id, later), Some(principal("joe")));
        }
    }

    #[test]
    fn behind_a_proxy_with_tls_a_cookie_can_be_for_tls_only() {
        let config = CookieConfig {
            secure: true,
            ..CookieConfig::default()
        };
        let set = Cookies::new(config, 1)
            .present::<&str>([], false)
            .set_cookie;
        assert!(set.is_some_and(|it| it.contains("; Secure;")));
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_goes_first() {
        let cookies = cookies(2);
        let ids: Vec<CookieId> = (0..3).map(|_| CookieId::new()).collect();
        for (id, name) in ids.iter().zip(["a", "b", "c"]) {
            cookies.remember(id, principal(name));
        }
        assert_eq!(cookies.entries().len(), 2);
        assert_eq!(cookies.principal(&ids[0]), None);
        assert_eq!(cookies.principal(&ids[2]), Some(principal("c")));
    }

    #[test]
    fn the_cookies_of_a_principal_can_be_forgotten() {
        let cookies = cookies(10);
        let ids: Vec<CookieId> = (0..3).map(|_| CookieId::new()).collect();
        for (id, name) in ids.iter().zip(["joe", "joe", "eve"]) {
            cookies.remember(id, principal(name));
        }
        assert_eq!(cookies.forget("realm2", "joe"), 0);
        assert_eq!(cookies.forget("realm1", "joe"), 2);
        assert_eq!(cookies.principal(&ids[0]), None);
        assert_eq!(cookies.principal(&ids[2]), Some(principal("eve")));
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        assert_eq!(value(b"a=1; wampy=2", "wampy"), Some(&b"2"[..]));
        assert_eq!(value(b"xwampy=1;wampy2=3; wampy=", "wampy"), Some(&b""[..]));
        assert_eq!(value(b"wampy", "wampy"), None);
        for wrong in ["wampy=", "wampy=short", "wampy=\"AAAA\""] {
            let presented = cookies(1).present([wrong], false);
            assert!(presented.set_cookie.is_some(), "{wrong}");
        }
    }
}
