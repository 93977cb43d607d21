//! What a handler may answer with.

use serde::Serialize;
use wampy_proto::{EncodeError, Payload, Serializer};

use crate::values::Values;

/// A result with several args, or with kwargs, for a handler to return.
///
/// ```
/// use std::collections::HashMap;
/// use wampy::Reply;
///
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// client.register("com.example.measure", async |_| {
///     Ok(Reply::new().with_args((21.5, "degrees")).with_kwargs(HashMap::from([("room", "kitchen")])))
/// }).await?;
/// let result = client.call("com.example.measure").await?;
/// assert_eq!(result.args::<(f64, String)>()?, (21.5, "degrees".to_owned()));
/// # client.close().await });
/// ```
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) values: Values,
}

impl Reply {
    /// A result without values.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.nothing", async |_| Ok(wampy::Reply::new())).await?;
    /// assert!(client.call("com.example.nothing").await?.payload().is_empty());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            values: Values::EMPTY,
        }
    }

    /// Adds a list of values, such as a tuple.
    ///
    /// ```
    /// let reply = wampy::Reply::new().with_args((1, "two"));
    /// # drop(reply);
    /// ```
    #[must_use]
    pub fn with_args(mut self, args: impl Serialize) -> Self {
        self.values.set_args(Serializer::MsgPack, &args);
        self
    }

    /// Adds named values: a map, or a struct.
    ///
    /// ```
    /// let reply = wampy::Reply::new().with_kwargs(std::collections::HashMap::from([("a", 1)]));
    /// # drop(reply);
    /// ```
    #[must_use]
    pub fn with_kwargs(mut self, kwargs: impl Serialize) -> Self {
        self.values.set_kwargs(Serializer::MsgPack, &kwargs);
        self
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Payload<'static>> for Reply {
    fn from(payload: Payload<'static>) -> Self {
        let mut values = Values::EMPTY;
        values.set_payload(payload);
        Self { values }
    }
}

/// What a handler may return: a [`Reply`], or any value that serializes, which becomes the only
/// arg of the result.
pub trait IntoReply {
    /// The payload of the result.
    ///
    /// # Errors
    /// A value has no form in WAMP.
    fn into_payload(self, serializer: Serializer) -> Result<Payload<'static>, EncodeError>;
}

impl<T: Serialize> IntoReply for T {
    fn into_payload(self, serializer: Serializer) -> Result<Payload<'static>, EncodeError> {
        Payload::encode(serializer, &(self,), &())
    }
}

impl IntoReply for Reply {
    fn into_payload(self, _: Serializer) -> Result<Payload<'static>, EncodeError> {
        self.values.finish()
    }
}
