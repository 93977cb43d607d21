//! Whom a client is to be: authentication.
//!
//! Deliberately absent: certificates of TLS, which are the connection's.

use wampy_proto::Value;

use super::Builder;
use crate::auth::Auth;

impl Builder {
    /// Proves who the client is. Said several times, the client can do several methods, the
    /// preferred first; a router that wants two factors asks for one after the other.
    ///
    /// ```
    /// use wampy::auth::{Scram, WampCra};
    ///
    /// let builder = wampy::Client::builder("wss://localhost")
    ///     .auth(Scram::new("ada", "enchantress"))
    ///     .auth(WampCra::new("ada", "enchantress"));
    /// # drop(builder);
    /// ```
    #[must_use]
    pub fn auth(mut self, method: impl Into<Auth>) -> Self {
        self.auth.push(method.into());
        self
    }

    /// The authentication methods to offer, the preferred first. Default those of
    /// [`Builder::auth`], or else `anonymous`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).authmethods(["anonymous"]).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authmethods<T: Into<Box<str>>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.hello.authmethods = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Whom the client claims to be.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).authid("ada").connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authid(mut self, authid: impl Into<Box<str>>) -> Self {
        self.hello.authid = Some(authid.into());
        self
    }

    /// What the authentication method needs beyond that: a map.
    ///
    /// ```
    /// use wampy::proto::Value;
    ///
    /// # wampy::doc_example(async |url| {
    /// let extra = Value::Map(vec![("device".to_owned(), Value::Unsigned(7))]);
    /// let client = wampy::Client::builder(url).authextra(extra).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authextra(mut self, authextra: Value) -> Self {
        self.hello.authextra = Some(authextra);
        self
    }
}
