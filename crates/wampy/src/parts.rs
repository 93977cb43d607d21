//! The further parts of a call that is made in parts, as its callee gets them.
//!
//! The task that reads the socket has the [`Input`], the handler the [`Parts`]. Deliberately
//! absent: slowing the caller down. WAMP has no means for that, so there is a limit to the parts
//! that wait, and a call that exceeds it fails.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;
use wampy_proto::Payload;

use crate::error::Error;
use crate::limits::Limits;
use crate::queue::{Full, Queue};
use crate::wamp_error::{WampError, invalid_argument};

/// A further part of a call; see [`Invocation::next_part`](crate::Invocation::next_part).
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    payload: Payload<'static>,
    is_last: bool,
}

impl Part {
    /// The arguments of this part, decoded as a list: a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.sum", async |mut invocation: wampy::Invocation| {
    ///     let (mut sum,): (i64,) = invocation.args()?;
    ///     while let Some(part) = invocation.next_part().await? {
    ///         sum += part.args::<(i64,)>()?.0;
    ///     }
    ///     Ok(sum)
    /// }).await?;
    /// let (input, mut results) = client.call("com.example.sum").args((1,)).duplex().await?;
    /// input.finish((2,)).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<i64>()?, 3);
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// `wamp.error.invalid_argument` for the caller, whose arguments do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, WampError> {
        self.payload.args().map_err(invalid_argument)
    }

    /// The named arguments of this part, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.last_name", async |mut invocation: wampy::Invocation| {
    ///     let mut named = HashMap::new();
    ///     while let Some(part) = invocation.next_part().await? {
    ///         named = part.kwargs::<HashMap<String, String>>()?;
    ///     }
    ///     Ok(named["name"].clone())
    /// }).await?;
    /// # let (input, mut results) = client.call("com.example.last_name").duplex().await?;
    /// # let named = HashMap::from([("name", "Ada")]);
    /// # let part = wampy::proto::Payload::encode(client.serializer(), &(), &named)?;
    /// # input.finish_payload(part).await?;
    /// # assert_eq!(results.next().await.unwrap()?.value::<String>()?, "Ada");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`Part::args`].
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, WampError> {
        self.payload.kwargs().map_err(invalid_argument)
    }

    /// The arguments of this part as they are encoded.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.bytes", async |mut invocation: wampy::Invocation| {
    ///     let mut bytes = invocation.payload().encoded_len();
    ///     while let Some(part) = invocation.next_part().await? {
    ///         bytes += part.payload().encoded_len();
    ///     }
    ///     Ok(bytes)
    /// }).await?;
    /// # let (input, mut results) = client.call("com.example.bytes").args((1,)).duplex().await?;
    /// # input.finish((2,)).await?;
    /// # assert!(results.next().await.unwrap()?.value::<usize>()? > 2);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        &self.payload
    }

    /// Whether no further part follows.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.two", async |mut invocation: wampy::Invocation| {
    ///     let second = invocation.next_part().await?;
    ///     Ok(second.is_some_and(|part| part.is_last()))
    /// }).await?;
    /// let (input, mut results) = client.call("com.example.two").duplex().await?;
    /// input.finish(()).await?;
    /// assert!(results.next().await.unwrap()?.value::<bool>()?);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

/// The further parts of a call; taken out of an [`Invocation`](crate::Invocation) by
/// [`Invocation::take_parts`](crate::Invocation::take_parts), so that one task can read them while
/// another one answers in parts.
///
/// A [`Stream`] that ends after the last part, and at once if the call is not made in parts. An
/// error means that the call is over before its last part has come. Dropping it drops the parts
/// that still come.
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// client.register("com.example.echo", async |mut invocation: wampy::Invocation| {
///     let mut parts = invocation.take_parts();
///     while let Some(part) = parts.next().await? {
///         invocation.progress_payload(part.payload().clone()).await?;
///     }
///     Ok("done")
/// }).await?;
/// let (mut input, mut results) = client.call("com.example.echo").duplex().await?;
/// input.send(("hello",)).await?;
/// assert_eq!(results.next().await.unwrap()?.value::<String>()?, "hello");
/// # client.close().await });
/// ```
#[must_use = "dropping it drops the parts that still come"]
pub struct Parts {
    queue: Option<Queue<Result<Part, Error>>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Parts {
    /// Those of a call that is made in one.
    pub(crate) const NONE: Self = Self { queue: None };

    /// The next part; `None` after the last one.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.count", async |mut invocation: wampy::Invocation| {
    ///     let mut parts = invocation.take_parts();
    ///     let mut count = 1;
    ///     while parts.next().await?.is_some() {
    ///         count += 1;
    ///     }
    ///     Ok(count)
    /// }).await?;
    /// assert_eq!(client.call("com.example.count").await?.value::<u32>()?, 1);
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The call is over before its last part has come: it was canceled or answered, or its session
    /// is lost.
    pub async fn next(&mut self) -> Result<Option<Part>, Error> {
        std::future::poll_fn(|cx| self.poll_part(cx))
            .await
            .transpose()
    }

    fn poll_part(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Part, Error>>> {
        match &self.queue {
            Some(queue) => queue.poll_next(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Stream for Parts {
    type Item = Result<Part, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_part(cx)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.discard();
        }
    }
}

/// Where the further parts of a call come in. Dropped when the call is over.
#[derive(Debug)]
pub(crate) struct Input {
    queue: Queue<Result<Part, Error>>,
}

impl Input {
    /// An input of which at most `limits` wait, and its reader.
    pub(crate) fn new(limits: &Limits) -> (Self, Parts) {
        let queue = Queue::new(limits);
        let parts = Parts {
            queue: Some(queue.clone()),
        };
        (Self { queue }, parts)
    }

    /// Takes in a part, unless too many wait.
    pub(crate) fn push(&self, payload: Payload<'static>, is_last: bool) -> Result<(), Full> {
        let bytes = payload.encoded_len();
        self.queue.push(Ok(Part { payload, is_last }), bytes)?;
        if is_last {
            self.queue.end();
        }
        Ok(())
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // Counts for nothing behind the last part.
        self.queue.push_last(Err(Error::misuse(
            "the call is over, so no further part of it comes",
        )));
    }
}
