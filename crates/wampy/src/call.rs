//! Calling procedures: what can be said of a call, and making it.
//!
//! Deliberately absent: that it is under way ([`crate::pending_call`]), and what comes of it
//! ([`crate::call_result`], [`crate::progressive`]).

use std::future::IntoFuture;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::oneshot;
use wampy_proto::message::{self, CallOptions, CancelMode, Passthru};
use wampy_proto::{Feature, Payload, RequestId, Role};

use crate::call_result::CallResult;
use crate::client::Client;
use crate::duplex::CallInput;
use crate::error::Error;
use crate::pending_call::{CancelOnDrop, about, timed_out};
use crate::progressive::ProgressiveCall;
use crate::queue::Queue;
use crate::request_future::RequestFuture;
use crate::session::{CallSink, Pending};
use crate::values::Values;

/// A call that is not made yet; made by [`Client::call`]. Awaiting it makes the call and gives its
/// [`CallResult`]; dropping the future before that cancels the call.
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// let result = client.call("wamp.session.count").await?;
/// assert_eq!(result.value::<u64>()?, 1);
/// # client.close().await });
/// ```
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Call {
    client: Client,
    procedure: String,
    options: CallOptions,
    values: Values,
    timeout: Option<Duration>,
    cancel_mode: CancelMode,
    encrypt: Option<Box<str>>,
}

impl Call {
    pub(crate) fn new(client: Client, procedure: String) -> Self {
        let timeout = client.shared().options.call_timeout;
        Self {
            client,
            procedure,
            options: CallOptions::default(),
            values: Values::EMPTY,
            timeout,
            cancel_mode: CancelMode::KillNoWait,
            encrypt: None,
        }
    }

    /// The arguments: something that serializes as a list, such as a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let id = client.session_id().value();
    /// client.call("wamp.session.get").args((id,)).await?;
    /// # client.close().await });
    /// ```
    pub fn args(mut self, args: impl Serialize) -> Self {
        self.values.set_args(self.client.serializer(), &args);
        self
    }

    /// The named arguments: something that serializes as a map, such as a struct or a `HashMap`.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.echo", async |call: wampy::Invocation| Ok(wampy::Reply::from(call.payload().clone()))).await?;
    /// let result = client.call("com.example.echo").kwargs(HashMap::from([("a", 1)])).await?;
    /// assert_eq!(result.kwargs::<HashMap<String, u8>>()?["a"], 1);
    /// # client.close().await });
    /// ```
    pub fn kwargs(mut self, kwargs: impl Serialize) -> Self {
        self.values.set_kwargs(self.client.serializer(), &kwargs);
        self
    }

    /// All arguments, encoded already, in whichever serializer.
    ///
    /// ```
    /// use wampy::proto::Payload;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.call("wamp.session.count").payload(Payload::EMPTY).await?;
    /// # client.close().await });
    /// ```
    pub fn payload(mut self, payload: Payload<'static>) -> Self {
        self.values.set_payload(payload);
        self
    }

    /// How long the call may take; for a progressive call, how long each part may. The router is
    /// told too. When time runs out the call is canceled and fails with [`Error::Timeout`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.never", async |_| Ok(std::future::pending::<()>().await)).await?;
    /// let call = client.call("com.example.never").timeout(Duration::from_millis(50));
    /// assert!(matches!(call.await, Err(wampy::Error::Timeout { .. })));
    /// # client.close().await });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether the callee learns who calls.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.who", async |call: wampy::Invocation| Ok(call.details().caller)).await?;
    /// let caller: Option<u64> = client.call("com.example.who").disclose_me(true).await?.value()?;
    /// assert_eq!(caller, Some(client.session_id().value()));
    /// # client.close().await });
    /// ```
    pub fn disclose_me(mut self, disclose: bool) -> Self {
        self.options.disclose_me = disclose;
        self
    }

    /// What becomes of the callee's work when the call is canceled, by dropping its future or
    /// because time ran out. Default `killnowait`: the callee is told to stop.
    ///
    /// ```
    /// use wampy::proto::message::CancelMode;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.call("wamp.session.count").cancel_mode(CancelMode::Skip).await?;
    /// # client.close().await });
    /// ```
    pub fn cancel_mode(mut self, mode: CancelMode) -> Self {
        self.cancel_mode = mode;
        self
    }

    /// All options of the CALL message at once, for those without a method here. A time limit in
    /// them counts like [`Call::timeout`].
    ///
    /// ```
    /// use wampy::proto::message::CallOptions;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let options = CallOptions { disclose_me: true, ..CallOptions::default() };
    /// client.call("wamp.session.count").options(options).await?;
    /// # client.close().await });
    /// ```
    pub fn options(mut self, options: CallOptions) -> Self {
        if options.timeout_ms > 0 {
            self.timeout = Some(Duration::from_millis(options.timeout_ms));
        }
        self.options = options;
        // Only `duplex` can send the parts that this announces.
        self.options.progress = false;
        self
    }

    /// Encrypts the arguments with the key called `keyid`, one of [`Builder::keys`]; the result is
    /// encrypted by the callee. The router still sees the procedure and the URI of an error.
    ///
    /// [`Builder::keys`]: crate::Builder::keys
    ///
    /// ```
    /// use wampy::proto::end_to_end::{DataKey, Keyring};
    ///
    /// # wampy::doc_example(async |url| {
    /// let keys = Keyring::from([DataKey::with_id("2026", [7; 32])]);
    /// let client = wampy::Client::builder(url).keys(keys).connect().await?;
    /// client.register("com.example.shout", async |invocation: wampy::Invocation| {
    ///     assert!(invocation.is_encrypted());
    ///     Ok(invocation.args::<(String,)>()?.0.to_uppercase())
    /// }).await?;
    /// let result = client.call("com.example.shout").args(("psst",)).encrypt("2026").await?;
    /// assert_eq!(result.value::<String>()?, "PSST");
    /// assert!(result.is_encrypted());
    /// # client.close().await });
    /// ```
    pub fn encrypt(mut self, keyid: impl Into<Box<str>>) -> Self {
        self.encrypt = Some(keyid.into());
        self
    }

    /// Says of the arguments how they are to be read, if that is agreed between caller and callee
    /// (Payload Passthru Mode).
    ///
    /// ```
    /// use wampy::proto::message::Passthru;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.scheme", async |invocation: wampy::Invocation| {
    ///     Ok(invocation.details().passthru().map(|passthru| passthru.scheme))
    /// }).await?;
    /// let passthru = Passthru {
    ///     scheme: "x_mine".into(), serializer: None, cipher: None, keyid: None,
    /// };
    /// let call = client.call("com.example.scheme").args((1,)).passthru(passthru);
    /// assert_eq!(call.await?.value::<String>()?, "x_mine");
    /// # client.close().await });
    /// ```
    pub fn passthru(mut self, passthru: Passthru) -> Self {
        self.options.set_passthru(passthru);
        self
    }

    /// The key that selects the callee among those that share the procedure: calls with the same
    /// key go to the same callee (Sharded Registration).
    ///
    /// ```
    /// use wampy::proto::message::InvocationPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.cart", async |_| Ok("cart"))
    ///     .invoke(InvocationPolicy::RoundRobin)
    ///     .nkey("shelf 1")
    ///     .await?;
    /// assert_eq!(client.call("com.example.cart").rkey("Ada").await?.value::<String>()?, "cart");
    /// # client.close().await });
    /// ```
    pub fn rkey(mut self, rkey: impl Into<Box<str>>) -> Self {
        self.options.runmode = Some("partition".into());
        self.options.rkey = Some(rkey.into());
        self
    }

    /// Makes the call in parts, of which this is the first, for a result that may come in parts,
    /// too: sends it, and returns what sends the further parts and what receives the results.
    ///
    /// Both belong to one call: dropping the results cancels it, and so does dropping the input
    /// before [`CallInput::finish`].
    ///
    /// ```
    /// use wampy::Invocation;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.double", async |mut invocation: Invocation| {
    ///     while let Some(part) = invocation.next_part().await? {
    ///         let (number,): (i64,) = part.args()?;
    ///         invocation.progress((number * 2,)).await?;
    ///     }
    ///     Ok("done")
    /// }).await?;
    /// let (mut input, mut results) = client.call("com.example.double").duplex().await?;
    /// input.send((1,)).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<i64>()?, 2);
    /// input.finish((2,)).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<i64>()?, 4);
    /// assert_eq!(results.next().await.unwrap()?.value::<String>()?, "done");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The router does not announce Progressive Call Invocations, the values have no form in WAMP,
    /// or there is no session. What the router or the callee says comes as a result.
    pub async fn duplex(mut self) -> Result<(CallInput, ProgressiveCall), Error> {
        let feature = Feature::ProgressiveCallInvocations;
        let client = self.client.clone();
        if !client.shared().router_has(Role::Dealer, feature) {
            return Err(Error::misuse(
                "the router does not take calls in parts: it has not announced progressive_call_invocations",
            ));
        }
        self.options.receive_progress = true;
        self.options.progress = true;
        let (procedure, timeout, mode) = (self.procedure.clone(), self.timeout, self.cancel_mode);
        let options = self.options.clone();
        let encrypt = self.encrypt.clone();
        let queue = Queue::new(&client.shared().options.limits);
        let guard = self.start(CallSink::Parts(queue.clone())).await?;
        let input = CallInput::new(
            client,
            procedure.clone(),
            guard.sent,
            options,
            encrypt,
            mode,
        );
        let results = ProgressiveCall::running(procedure, timeout, queue, guard);
        Ok((input, results))
    }

    /// Makes the call for a result that comes in parts.
    ///
    /// ```
    /// use wampy::Invocation;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.count", async |invocation: Invocation| {
    ///     for number in 1..=2 {
    ///         invocation.progress((number,)).await?;
    ///     }
    ///     Ok("done")
    /// }).await?;
    /// let mut parts = client.call("com.example.count").progressive();
    /// assert_eq!(parts.next().await.unwrap()?.value::<u32>()?, 1);
    /// assert_eq!(parts.next().await.unwrap()?.value::<u32>()?, 2);
    /// let last = parts.next().await.unwrap()?;
    /// assert!(!last.is_progress());
    /// assert_eq!(last.value::<String>()?, "done");
    /// # client.close().await });
    /// ```
    pub fn progressive(mut self) -> ProgressiveCall {
        self.options.receive_progress = true;
        let queue = Queue::new(&self.client.shared().options.limits);
        let (procedure, timeout) = (self.procedure.clone(), self.timeout);
        let start = self.start(CallSink::Parts(queue.clone()));
        ProgressiveCall::starting(procedure, timeout, queue, Box::pin(start))
    }

    /// Sends the call; its answers go to `sink`.
    async fn start(self, sink: CallSink) -> Result<CancelOnDrop, Error> {
        let Self {
            client,
            procedure,
            mut options,
            values,
            timeout,
            cancel_mode,
            encrypt,
        } = self;
        options.timeout_ms = timeout.map_or(0, timeout_ms);
        let shared = client.shared();
        let payload = shared.call_payload(&mut options, encrypt.as_deref(), values.finish()?)?;
        let sealed = encrypt.is_some();
        let call = message::Call {
            request: RequestId::FIRST,
            options,
            procedure: procedure.into(),
            payload,
        };
        let sent = client
            .shared()
            .request(call.into(), Some(Pending::Call { sink, sealed }))
            .await?;
        Ok(CancelOnDrop::new(client, sent, cancel_mode))
    }

    async fn run(self) -> Result<CallResult, Error> {
        let (sender, receiver) = oneshot::channel();
        let mut guard = self.start(CallSink::Once(sender)).await?;
        let answer = receiver
            .await
            .unwrap_or_else(|_| Err(guard.client.shared().over()));
        guard.disarm();
        answer
    }
}

impl IntoFuture for Call {
    type Output = Result<CallResult, Error>;
    type IntoFuture = RequestFuture<CallResult>;

    fn into_future(self) -> Self::IntoFuture {
        let (procedure, timeout) = (self.procedure.clone(), self.timeout);
        Box::pin(async move {
            let result = match timeout {
                None => self.run().await,
                // Dropping the call when time is out cancels it.
                Some(after) => match tokio::time::timeout(after, self.run()).await {
                    Ok(result) => result,
                    Err(_) => Err(timed_out(&procedure, after)),
                },
            };
            result.map_err(|error| about(error, &procedure, timeout))
        })
    }
}

/// A time limit as the message says it: whole milliseconds, but not 0, which means none.
fn timeout_ms(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis())
        .unwrap_or(u64::MAX)
        .clamp(1, wampy_proto::ID_MAX)
}
