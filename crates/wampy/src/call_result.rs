//! What a call gives: its result, or a part of one.
//!
//! Deliberately absent: errors, which are of all requests ([`crate::error`]).

use serde::de::DeserializeOwned;
use wampy_proto::message::ResultDetails;
use wampy_proto::{Payload, PayloadError, RequestId};

use crate::encryption::is_sealed;
use crate::values::first_arg;

/// The result of a call, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    pub(crate) request: RequestId,
    pub(crate) details: ResultDetails,
    pub(crate) payload: Payload<'static>,
}

impl CallResult {
    /// The first arg, decoded: what a procedure with one result returned. No args count as null.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let count: u64 = client.call("wamp.session.count").await?.value()?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The value does not suit `T`.
    pub fn value<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        first_arg(&self.payload)
    }

    /// All args, decoded as a list: a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let (count,): (u64,) = client.call("wamp.session.count").await?.args()?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.payload.args()
    }

    /// The kwargs, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let result = client.call("wamp.session.count").await?;
    /// assert!(result.kwargs::<HashMap<String, u64>>()?.is_empty());
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.payload.kwargs()
    }

    /// The values as they are encoded.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let result = client.call("wamp.session.count").await?;
    /// assert_eq!(result.payload().serializer(), client.serializer());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        &self.payload
    }

    /// Whether more parts follow.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert!(!client.call("wamp.session.count").await?.is_progress());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_progress(&self) -> bool {
        self.details.progress
    }

    /// The details of the RESULT message.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert_eq!(client.call("wamp.session.count").await?.details().ppt_scheme, None);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn details(&self) -> &ResultDetails {
        &self.details
    }

    /// Whether the result was encrypted on its way here from the callee.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert!(!client.call("wamp.session.count").await?.is_encrypted());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        is_sealed(self.details.ppt_scheme.as_deref())
    }

    /// The id of the call.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert_eq!(client.call("wamp.session.count").await?.request_id().value(), 1);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request
    }
}
