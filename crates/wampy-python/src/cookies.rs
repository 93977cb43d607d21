//! `_wampy.CookieJar`: the cookies that routers set, kept in memory.

use pyo3::prelude::*;

/// Cookies of routers, in memory; several clients can share one.
#[pyclass(frozen, module = "wampy._wampy")]
#[derive(Default)]
pub struct CookieJar(wampy::CookieJar);

impl CookieJar {
    /// The same jar.
    pub fn jar(&self) -> wampy::CookieJar {
        self.0.clone()
    }
}

#[pymethods]
impl CookieJar {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Take in what `host` says in a header `Set-Cookie`: `name=value; Max-Age=3600; Secure`.
    fn insert(&self, host: &str, set_cookie: &str) {
        self.0.insert(host, set_cookie);
    }

    /// The cookies that `host` gets, as a header `Cookie` has them, or None.
    #[pyo3(signature = (host, *, tls = false))]
    fn for_host(&self, host: &str, tls: bool) -> Option<String> {
        self.0.for_host(host, tls)
    }

    /// Forget all cookies.
    fn clear(&self) {
        self.0.clear();
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("<CookieJar: {} cookies>", self.0.len())
    }
}
