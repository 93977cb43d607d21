//! How long a client is to wait, and whether it tries again.
//!
//! Deliberately absent: limits of size, see `Limits`.

use std::time::Duration;

use super::Builder;
use crate::reconnect::Reconnect;

impl Builder {
    /// How long a call may take unless it says so itself. Default: without end.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let ten_seconds = Duration::from_secs(10);
    /// let client = wampy::Client::builder(url).call_timeout(ten_seconds).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// How long connecting and joining the realm may take together. Default 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).connect_timeout(Duration::from_secs(3));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect.timeout = timeout;
        self
    }

    /// How long a goodbye may take before the connection is closed without it. Default 2 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).close_timeout(Duration::from_millis(500));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long the router may be silent before the client pings it; `None` for never. If nothing
    /// comes within [`Builder::ping_timeout`] of a ping, the connection counts as lost.
    ///
    /// Default 30 s over WebSocket. Over RawSocket the client does not ping unless this is called,
    /// because some routers take a RawSocket ping for an error; TCP's own keepalive watches the
    /// connection there.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).ping_interval(Some(Duration::from_secs(5)));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn ping_interval(mut self, interval: Option<Duration>) -> Self {
        self.ping_interval = interval;
        self.pings_rawsocket = true;
        self
    }

    /// How long the router may take to answer a ping. Default 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).ping_timeout(Duration::from_secs(2));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// Gets a new session when one is lost, and restores registrations, subscriptions and testaments
    /// in it. Off by default: a program that runs once wants to know instead.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let reconnect = wampy::Reconnect::default();
    /// let client = wampy::Client::builder(url).reconnect(reconnect).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = Some(reconnect);
        self
    }
}
