//! The cookie of a WebSocket: `cookie`.

use super::super::source::Located;
use super::item::Item;
use crate::http::cookies::SameSite;

/// The cookie, with what Crossbar.io takes where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: String,
    pub(super) max_age_s: u64,
    pub(super) same_site: SameSite,
    pub(super) secure: bool,
}

const NAME_DEFAULT: &str = "cbtid";
const MAX_AGE_S_DEFAULT: u64 = 7 * 24 * 60 * 60;

/// Reads the cookie of a transport, if it has one.
pub(super) fn read(transport: &mut Item<'_>) -> Option<Located<Cookie>> {
    let mut item = transport.item("cookie")?;
    let same_sites = SameSite::ALL.map(|it| (it.as_str(), it));
    let cookie = Cookie {
        name: item
            .text("name")
            .map_or_else(|| NAME_DEFAULT.to_owned(), |it| it.value),
        max_age_s: item
            .number("max_age")
            .map_or(MAX_AGE_S_DEFAULT, |it| it.value),
        // What browsers do with a cookie that says nothing.
        same_site: item
            .word("same_site", &same_sites)
            .map_or(SameSite::Lax, |it| it.value),
        secure: item.flag("secure").is_some_and(|it| it.value),
    };
    item.ignore("length", "a cookie always has 256 random bits");
    item.ignore("http_strict", "no script sees the cookie in any case");
    store(&mut item);
    let place = item.place().clone();
    item.end();
    Some(Located {
        value: cookie,
        place,
    })
}

fn store(item: &mut Item<'_>) {
    let Some(mut store) = item.item("store") else {
        return;
    };
    if let Some(kind) = store.required_text("type")
        && kind.value != "memory"
    {
        let why =
            "cookies are kept in memory; who has one logs in again when the router was restarted";
        store.scope.ignore(kind.place(), why);
    }
    store.forget();
}
