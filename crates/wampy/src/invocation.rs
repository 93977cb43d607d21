//! What a handler gets.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wampy_proto::message::InvocationDetails;
use wampy_proto::{Payload, RequestId, SessionId};

use crate::client::Client;
use crate::encryption::{Seal, is_sealed};
use crate::error::Error;
use crate::parts::{Part, Parts};
use crate::session::Shared;
use crate::wamp_error::{WampError, invalid_argument};

/// A call that this client has to answer, as its handler gets it.
#[derive(Debug)]
pub struct Invocation {
    pub(crate) key: InvocationKey,
    pub(crate) procedure: Arc<str>,
    pub(crate) details: InvocationDetails,
    pub(crate) payload: Payload<'static>,
    pub(crate) parts: Parts,
}

/// Which invocation of which session.
#[derive(Debug, Clone)]
pub(crate) struct InvocationKey {
    pub(crate) shared: Arc<Shared>,
    pub(crate) epoch: u64,
    pub(crate) request: RequestId,
    /// How the call was sealed, and its answer is to be.
    pub(crate) seal: Option<Arc<Seal>>,
}

impl Invocation {
    /// The arguments, decoded as a list: a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.add", async |invocation: wampy::Invocation| {
    ///     let (a, b): (i64, i64) = invocation.args()?;
    ///     Ok(a + b)
    /// }).await?;
    /// let error = client.call("com.example.add").args(("one", 2)).await.unwrap_err();
    /// assert_eq!(error.uri(), Some("wamp.error.invalid_argument"));
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// `wamp.error.invalid_argument` for the caller, whose arguments do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, WampError> {
        self.payload.args().map_err(invalid_argument)
    }

    /// The named arguments, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.greet", async |invocation: wampy::Invocation| {
    ///     let named: HashMap<String, String> = invocation.kwargs()?;
    ///     Ok(format!("hello, {}", named["name"]))
    /// }).await?;
    /// let call = client.call("com.example.greet").kwargs(HashMap::from([("name", "Ada")]));
    /// assert_eq!(call.await?.value::<String>()?, "hello, Ada");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`Invocation::args`].
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, WampError> {
        self.payload.kwargs().map_err(invalid_argument)
    }

    /// The arguments as they are encoded.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.size", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.payload().encoded_len())
    /// }).await?;
    /// assert!(client.call("com.example.size").args((1,)).await?.value::<usize>()? > 0);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        &self.payload
    }

    /// The procedure that was called: for a pattern registration, the one that matched it.
    ///
    /// ```
    /// use wampy::proto::MatchPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.procedure().to_owned())
    /// }).match_policy(MatchPolicy::Prefix).await?;
    /// let called: String = client.call("com.example.any.thing").await?.value()?;
    /// assert_eq!(called, "com.example.any.thing");
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn procedure(&self) -> &str {
        self.details.procedure.as_deref().unwrap_or(&self.procedure)
    }

    /// The details of the INVOCATION message.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.who", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.details().caller_authrole.clone())
    /// }).await?;
    /// # client.call("com.example.who").disclose_me(true).await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn details(&self) -> &InvocationDetails {
        &self.details
    }

    /// How far the router trusts the caller, if it says so: a number whose meaning is the router's.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.trusted", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.trustlevel().is_some_and(|level| level > 3))
    /// }).await?;
    /// assert!(!client.call("com.example.trusted").await?.value::<bool>()?);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn trustlevel(&self) -> Option<u64> {
        self.details.trustlevel
    }

    /// Whether the arguments were encrypted on their way here from the caller.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.secret", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.is_encrypted())
    /// }).await?;
    /// assert!(!client.call("com.example.secret").await?.value::<bool>()?);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        is_sealed(self.details.ppt_scheme.as_deref())
    }

    /// The session that calls, if it is disclosed.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.known", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.caller().is_some())
    /// }).await?;
    /// assert!(!client.call("com.example.known").await?.value::<bool>()?);
    /// assert!(client.call("com.example.known").disclose_me(true).await?.value::<bool>()?);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn caller(&self) -> Option<SessionId> {
        self.details
            .caller
            .and_then(|caller| SessionId::try_from(caller).ok())
    }

    /// The id of the invocation.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.id", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.request_id().value())
    /// }).await?;
    /// assert_eq!(client.call("com.example.id").await?.value::<u64>()?, 1);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.key.request
    }

    /// Whether the caller takes the result in parts.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.parts", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.receives_progress())
    /// }).await?;
    /// assert!(!client.call("com.example.parts").await?.value::<bool>()?);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn receives_progress(&self) -> bool {
        self.details.receive_progress
    }

    /// Sends a part of the result: `args` is a list of values. Does nothing if the caller has not
    /// asked for parts. Waits while more waits for the socket than
    /// [`Limits::outbox_bytes_max`](crate::Limits).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.work", async |invocation: wampy::Invocation| {
    ///     invocation.progress(("half done",)).await?;
    ///     Ok("done")
    /// }).await?;
    /// let mut parts = client.call("com.example.work").progressive();
    /// assert_eq!(parts.next().await.unwrap()?.value::<String>()?, "half done");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values have no form in WAMP, the call is over, or the session.
    pub async fn progress(&self, args: impl Serialize) -> Result<(), Error> {
        let serializer = self.key.shared.serializer();
        let payload = Payload::encode(serializer, &args, &())?;
        self.progress_payload(payload).await
    }

    /// Sends a part of the result that is encoded already.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.twice", async |invocation: wampy::Invocation| {
    ///     invocation.progress_payload(invocation.payload().clone()).await?;
    ///     Ok(wampy::Reply::from(invocation.payload().clone()))
    /// }).await?;
    /// # client.call("com.example.twice").args((1,)).await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`Invocation::progress`].
    pub async fn progress_payload(&self, payload: Payload<'static>) -> Result<(), Error> {
        if !self.receives_progress() {
            return Ok(());
        }
        self.key.shared.progress(&self.key, payload).await
    }

    /// The next part of a call that is made in parts, of which the first is the invocation itself;
    /// `None` after the last one, and for a call that is made in one.
    ///
    /// Parts that are not read yet wait in a queue, also while the invocation waits for its turn
    /// ([`Register::concurrency`](crate::Register::concurrency)). When
    /// [`Limits::queue_events_max`](crate::Limits) or [`Limits::queue_bytes_max`](crate::Limits) is
    /// reached, the handler is stopped and the caller gets [`TOO_MANY_PARTS`](crate::TOO_MANY_PARTS).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.join", async |mut invocation: wampy::Invocation| {
    ///     let (mut text,): (String,) = invocation.args()?;
    ///     while let Some(part) = invocation.next_part().await? {
    ///         text += &part.args::<(String,)>()?.0;
    ///     }
    ///     Ok(text)
    /// }).await?;
    /// let (mut input, mut results) = client.call("com.example.join").args(("a",)).duplex().await?;
    /// input.send(("b",)).await?;
    /// input.finish(("c",)).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<String>()?, "abc");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`Parts::next`].
    pub async fn next_part(&mut self) -> Result<Option<Part>, Error> {
        self.parts.next().await
    }

    /// Takes the further parts of the call out, for another task to read them. What is left behind
    /// are none.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.count", async |mut invocation: wampy::Invocation| {
    ///     let mut parts = invocation.take_parts();
    ///     let counting = tokio::spawn(async move {
    ///         let mut count = 1;
    ///         while let Ok(Some(_)) = parts.next().await {
    ///             count += 1;
    ///         }
    ///         count
    ///     });
    ///     invocation.progress(("counting",)).await?;
    ///     Ok(counting.await?)
    /// }).await?;
    /// let (input, mut results) = client.call("com.example.count").duplex().await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<String>()?, "counting");
    /// input.finish(()).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<u32>()?, 2);
    /// # client.close().await });
    /// ```
    pub fn take_parts(&mut self) -> Parts {
        std::mem::replace(&mut self.parts, Parts::NONE)
    }

    /// The client that answers, for calls of the handler's own. Unlike a clone that the handler
    /// captures it does not keep the session open.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.sessions", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.client().call("wamp.session.count").await?.value::<u64>()?)
    /// }).await?;
    /// assert_eq!(client.call("com.example.sessions").await?.value::<u64>()?, 1);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn client(&self) -> Client {
        self.key.shared.client()
    }
}
