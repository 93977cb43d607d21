//! What a handler may answer with.

use serde::Serialize;
use wampy_proto::message::Passthru;
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
    /// What is said of the values, if they are passed through.
    pub(crate) passthru: Option<Box<Passthru>>,
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
            passthru: None,
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

    /// A result whose values have no form.
    pub(crate) fn failed(problem: EncodeError) -> Self {
        Self {
            values: Values::of(Err(problem)),
            passthru: None,
        }
    }

    /// Says of the values how they are to be read, if that is agreed between callee and caller
    /// (Payload Passthru Mode). The answer to an encrypted call is encrypted in place of this.
    ///
    /// ```
    /// use wampy::Reply;
    /// use wampy::proto::message::Passthru;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.mine", async |_| {
    ///     let passthru = Passthru {
    ///         scheme: "x_mine".into(), serializer: None, cipher: None, keyid: None,
    ///     };
    ///     Ok(Reply::new().with_args((1,)).with_passthru(passthru))
    /// }).await?;
    /// let result = client.call("com.example.mine").await?;
    /// assert_eq!(result.details().ppt_scheme.as_deref(), Some("x_mine"));
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn with_passthru(mut self, passthru: Passthru) -> Self {
        self.passthru = Some(Box::new(passthru));
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
        Self {
            values: Values::of(Ok(payload)),
            passthru: None,
        }
    }
}

/// What a handler may return: a [`Reply`], or any value that serializes, which becomes the only
/// arg of the result.
pub trait IntoReply {
    /// The reply, with values of its own encoded in `serializer`. If one has no form in WAMP, the
    /// caller gets [`RUNTIME_ERROR`](crate::RUNTIME_ERROR).
    fn into_reply(self, serializer: Serializer) -> Reply;
}

impl<T: Serialize> IntoReply for T {
    fn into_reply(self, serializer: Serializer) -> Reply {
        Reply {
            values: Values::of(Payload::encode(serializer, &(self,), &())),
            passthru: None,
        }
    }
}

impl IntoReply for Reply {
    fn into_reply(self, _: Serializer) -> Reply {
        self
    }
}
