//! The value of a cookie, and finding it among a request's headers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const ID_BYTES: usize = 32;

/// A cookie's value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CookieId([u8; ID_BYTES]);

impl CookieId {
    pub(super) fn new() -> Self {
        Self(rand::random())
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// A cookie is a secret.
impl fmt::Debug for CookieId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieId(..)")
    }
}

/// The value of the cookie `name` in a header `Cookie` (RFC 6265, 4.2.1).
pub(super) fn value<'a>(header: &'a [u8], name: &str) -> Option<&'a [u8]> {
    header.split(|&byte| byte == b';').find_map(|pair| {
        let pair = pair.trim_ascii();
        let rest = pair.strip_prefix(name.as_bytes())?;
        rest.strip_prefix(b"=")
    })
}
