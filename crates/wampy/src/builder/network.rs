//! How a client is to reach its router.
//!
//! Deliberately absent: time limits.

use wampy_transport::{CookieJar, IpVersion};

use super::Builder;

impl Builder {
    /// Whether to ask the router for compression (RFC 7692, permessage-deflate). Messages of 512
    /// bytes and more are then compressed both ways, if the router agrees; `wampy router` does with
    /// `--compress`. Only over WebSocket. Default false.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).compress(true).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn compress(mut self, yes: bool) -> Self {
        self.connect.compress = yes;
        self
    }

    /// Whether to prefer that messages which are sent together share WebSocket frames, or requests of
    /// long-polling: the subprotocols `wamp.2.*.batched`. It pays where frames are dear, as on some proxies and with
    /// compression, which then finds more to compress. A router that knows no batches is spoken to
    /// without. Default false.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).batched(true).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn batched(mut self, yes: bool) -> Self {
        self.connect.batched = yes;
        self
    }

    /// A jar for the cookies that the router sets, over WebSocket and long-polling. Once it has one for
    /// the router, the client offers the authmethod `cookie` before all others (unless
    /// [`Builder::authmethods`] says what to offer, or the router has to prove itself): so who has
    /// authenticated once is known again, when the client reconnects and for every client that shares the
    /// jar. Default: no cookies.
    ///
    /// ```
    /// use wampy::CookieJar;
    ///
    /// # wampy::doc_example(async |url| {
    /// let jar = CookieJar::new();
    /// let client = wampy::Client::builder(url).cookies(jar.clone()).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn cookies(mut self, jar: CookieJar) -> Self {
        self.connect.cookies = Some(jar);
        self
    }

    /// A further header of the WebSocket handshake, such as `Origin` or `Cookie`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).header("Origin", "http://localhost");
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.connect.headers.push((name.into(), value.into()));
        self
    }

    /// A PEM file of certificates to trust for `wss` and `rss`, beside those that the operating
    /// system trusts: of an authority, or of a router that signed its own.
    ///
    /// ```
    /// let builder = wampy::Client::builder("wss://localhost").ca_file("ca.pem");
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.connect.tls.ca_files.push(path.into());
        self
    }

    /// The PEM files of a certificate and of its private key, which the client shows to a router
    /// that asks for one. Without [`Builder::auth`] the client then is whom the certificate names
    /// (authmethod `tls`), if the router knows it, or else anonymous.
    ///
    /// ```
    /// let builder = wampy::Client::builder("wss://localhost")
    ///     .client_certificate("client.pem", "client.key");
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<std::path::PathBuf>,
        key: impl Into<std::path::PathBuf>,
    ) -> Self {
        self.connect.tls.client_certificate = Some(wampy_transport::ClientCertificate {
            certificate: certificate.into(),
            key: key.into(),
        });
        self
    }

    /// Whether to trust the certificate authorities of the operating system. Default true.
    ///
    /// ```
    /// let builder =
    ///     wampy::Client::builder("wss://localhost").ca_file("ca.pem").system_authorities(false);
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn system_authorities(mut self, trusted: bool) -> Self {
        self.connect.tls.system_authorities = trusted;
        self
    }

    /// Connects only over this version of IP. By default all addresses of the host are tried.
    ///
    /// ```
    /// use wampy::IpVersion;
    ///
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).ip_version(IpVersion::V4).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn ip_version(mut self, version: IpVersion) -> Self {
        self.connect.ip_version = Some(version);
        self
    }
}
