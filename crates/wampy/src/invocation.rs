//! What a handler gets, and how it answers.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wampy_proto::message::InvocationDetails;
use wampy_proto::{
    EncodeError, Payload, PayloadError, RequestId, Serializer, SessionId, error_uri,
};

use crate::client::Client;
use crate::error::Error;
use crate::session::{Answer, Handler, Shared};
use crate::values::Values;
use crate::wamp_error::{RUNTIME_ERROR, WampError, text_payload};

/// A call that this client has to answer, as its handler gets it.
#[derive(Debug)]
pub struct Invocation {
    pub(crate) key: InvocationKey,
    pub(crate) procedure: Arc<str>,
    pub(crate) details: InvocationDetails,
    pub(crate) payload: Payload<'static>,
}

/// Which invocation of which session.
#[derive(Debug, Clone)]
pub(crate) struct InvocationKey {
    pub(crate) shared: Arc<Shared>,
    pub(crate) epoch: u64,
    pub(crate) request: RequestId,
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

fn invalid_argument(error: PayloadError) -> WampError {
    WampError::new(error_uri::INVALID_ARGUMENT).with_payload(text_payload(&error.to_string()))
}

/// The one right to answer an invocation, from any thread.
///
/// Dropping it without an answer answers with [`RUNTIME_ERROR`]. When the call is canceled the
/// client answers for itself, and what the responder says later counts for nothing.
#[derive(Debug)]
#[must_use = "dropping a responder answers with an error"]
pub struct Responder {
    /// Present until the answer.
    key: Option<InvocationKey>,
}

impl Responder {
    pub(crate) fn new(key: InvocationKey) -> Self {
        Self { key: Some(key) }
    }

    /// Answers with a result: a [`Reply`], or a [`Payload`]. False if the call is over already.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.one", |_, responder| {
    ///     responder.complete(wampy::Reply::new().with_args((1,)));
    /// }).await?;
    /// assert_eq!(client.call("com.example.one").await?.value::<u8>()?, 1);
    /// # client.close().await });
    /// ```
    pub fn complete(self, reply: impl Into<Reply>) -> bool {
        self.answer(Answer::Yield(reply.into().values.finish()))
    }

    /// Answers with an error. False if the call is over already.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.no", |_, responder| {
    ///     responder.fail(wampy::WampError::new("com.example.error.no"));
    /// }).await?;
    /// let error = client.call("com.example.no").await.unwrap_err();
    /// assert_eq!(error.uri(), Some("com.example.error.no"));
    /// # client.close().await });
    /// ```
    pub fn fail(self, error: WampError) -> bool {
        self.answer(Answer::Error(error))
    }

    /// Whether the call is over already: canceled, or its session is lost.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.open", |_, responder| {
    ///     assert!(!responder.is_over());
    ///     responder.complete(wampy::Reply::new());
    /// }).await?;
    /// client.call("com.example.open").await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self
            .key
            .as_ref()
            .is_some_and(|key| key.shared.is_in_work(key))
    }

    fn answer(mut self, answer: Answer) -> bool {
        self.key
            .take()
            .is_some_and(|key| key.shared.answer(&key, answer))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let problem = match std::thread::panicking() {
            true => "the handler panicked",
            false => "the handler gave no answer",
        };
        let error = WampError::new(RUNTIME_ERROR).with_payload(text_payload(problem));
        key.shared.answer(&key, Answer::Error(error));
    }
}

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
    values: Values,
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

/// Makes of an async function a handler that runs it as a task.
pub(crate) fn handler<H, F, R>(function: H) -> Handler
where
    H: Fn(Invocation) -> F + Send + Sync + 'static,
    F: Future<Output = Result<R, WampError>> + Send + 'static,
    R: IntoReply,
{
    let function = Arc::new(function);
    Arc::new(move |invocation: Invocation, responder: Responder| {
        let function = Arc::clone(&function);
        let shared = Arc::clone(&invocation.key.shared);
        let task = tokio::spawn(async move {
            // Moved in first, so that a panic drops the responder and so answers.
            let responder = responder;
            let answer = match (*function)(invocation).await {
                Ok(reply) => Answer::Yield(reply.into_payload(shared.serializer())),
                Err(error) => Answer::Error(error),
            };
            shared.wait_for_room().await;
            responder.answer(answer);
        });
        Some(task.abort_handle())
    })
}
