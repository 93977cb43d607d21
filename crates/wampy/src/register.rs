//! Offering procedures.

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use tokio::sync::oneshot;
use wampy_proto::message::{self, InvocationPolicy, RegisterOptions};
use wampy_proto::{MatchPolicy, RegistrationId, RequestId};

use crate::client::Client;
use crate::description::Description;
use crate::error::Error;
use crate::request_future::RequestFuture;
use crate::session::{Handler, Pending, RegistrationRecord, about};

/// A registration that is not made yet; made by [`Client::register`] or [`Client::register_with`].
/// Awaiting it gives the [`Registration`].
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// let registration = client.register("com.example.ping", async |_| Ok("pong")).await?;
/// # client.close().await });
/// ```
#[must_use = "a registration is made when it is awaited"]
pub struct Register {
    client: Client,
    procedure: String,
    options: RegisterOptions,
    handler: Handler,
    concurrency: usize,
    description: Option<Description>,
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("procedure", &self.procedure)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Register {
    pub(crate) fn new(client: Client, procedure: String, handler: Handler) -> Self {
        let options = RegisterOptions::default();
        Self {
            client,
            procedure,
            options,
            handler,
            concurrency: usize::MAX,
            description: None,
        }
    }

    /// How calls are matched with the procedure. Default exact.
    ///
    /// ```
    /// use wampy::proto::MatchPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example..get", async |_| Ok("got")).match_policy(MatchPolicy::Wildcard).await?;
    /// assert_eq!(client.call("com.example.lamp.get").await?.value::<String>()?, "got");
    /// # client.close().await });
    /// ```
    pub fn match_policy(mut self, policy: MatchPolicy) -> Self {
        self.options.match_policy = policy;
        self
    }

    /// Shares the procedure with other clients: which of them gets a call. Default single, which
    /// shares with nobody.
    ///
    /// ```
    /// use wampy::proto::message::InvocationPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.work", async |_| Ok(())).invoke(InvocationPolicy::RoundRobin).await?;
    /// # client.close().await });
    /// ```
    pub fn invoke(mut self, policy: InvocationPolicy) -> Self {
        self.options.invoke = Some(policy);
        self
    }

    /// Whether the handler wants to know its callers, even those that do not say so.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.who", async |call: wampy::Invocation| Ok(call.details().caller))
    ///     .disclose_caller(true)
    ///     .await?;
    /// # client.close().await });
    /// ```
    pub fn disclose_caller(mut self, disclose: bool) -> Self {
        self.options.disclose_caller = disclose;
        self
    }

    /// How many invocations run at once; the others wait in the order in which they came. Default:
    /// no limit but [`Limits::invocations_max`](crate::Limits). With 1 they run one after the other.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.print", async |_| Ok(())).concurrency(1).await?;
    /// # client.close().await });
    /// ```
    pub fn concurrency(mut self, invocations: usize) -> Self {
        self.concurrency = invocations;
        self
    }

    /// How many calls the router gives this client at once; further ones go to the next callee that
    /// shares the procedure, or wait at the router. (An option of Crossbar.io and of wampy's
    /// router; others ignore it.) Default: no limit. [`Register::concurrency`] lets them wait here.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.print", async |_| Ok(())).router_concurrency(1).await?;
    /// # client.close().await });
    /// ```
    pub fn router_concurrency(mut self, calls: u64) -> Self {
        self.options.concurrency = Some(calls);
        self
    }

    /// Whether to take the procedure from whoever has registered it, such as an earlier run of this
    /// program of which the router does not know yet that it is gone. (An option of Crossbar.io and
    /// of wampy's router; others ignore it.)
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let ghost = client.register("com.example.ping", async |_| Ok("old")).await?;
    /// client.register("com.example.ping", async |_| Ok("new")).force_reregister(true).await?;
    /// assert_eq!(client.call("com.example.ping").await?.value::<String>()?, "new");
    /// # client.close().await });
    /// ```
    pub fn force_reregister(mut self, force: bool) -> Self {
        self.options.force_reregister = force;
        self
    }

    /// Whether this client minds the time limits of calls itself: when a call's time is out the
    /// handler's future is dropped, and the caller gets `wamp.error.timeout`. Default: the router
    /// does so.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.patient", async |call: wampy::Invocation| {
    ///     Ok(call.details().timeout_ms)
    /// }).forward_timeout(true).await?;
    /// let call = client.call("com.example.patient").timeout(Duration::from_secs(7));
    /// assert_eq!(call.await?.value::<u64>()?, 7000);
    /// # client.close().await });
    /// ```
    pub fn forward_timeout(mut self, forward: bool) -> Self {
        self.options.forward_timeout = forward;
        self
    }

    /// What the router calls this callee when it chooses one by a call's
    /// [`rkey`](crate::Call::rkey). Default: the client's authid.
    ///
    /// ```
    /// use wampy::proto::message::InvocationPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.cart", async |_| Ok(()))
    ///     .invoke(InvocationPolicy::RoundRobin)
    ///     .nkey("shelf 1")
    ///     .await?;
    /// # client.close().await });
    /// ```
    pub fn nkey(mut self, nkey: impl Into<Box<str>>) -> Self {
        self.options.nkey = Some(nkey.into());
        self
    }

    /// Tells the realm what the procedure is, as long as it is registered; see
    /// [`Client::describe`]. Where the router knows no reflection or refuses the description, the
    /// procedure is registered all the same, and a warning is logged by `tracing`.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let description = Description::new("Adds two numbers.")
    ///     .args_of::<(i64, i64)>()
    ///     .result_of::<i64>();
    /// client.register("com.example.add", async |call: wampy::Invocation| {
    ///     let (a, b): (i64, i64) = call.args()?;
    ///     Ok(a + b)
    /// }).describe(description).await?;
    /// # client.close().await });
    /// ```
    pub fn describe(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// All options of the REGISTER message at once, for those without a method here.
    ///
    /// ```
    /// use wampy::proto::message::RegisterOptions;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let options = RegisterOptions { forward_timeout: true, ..RegisterOptions::default() };
    /// client.register("com.example.patient", async |_| Ok(())).options(options).await?;
    /// # client.close().await });
    /// ```
    pub fn options(mut self, options: RegisterOptions) -> Self {
        self.options = options;
        self
    }

    async fn run(self) -> Result<Registration, Error> {
        let Self {
            client,
            procedure,
            options,
            handler,
            concurrency,
            description,
        } = self;
        if concurrency == 0 {
            return Err(Error::misuse(
                "a concurrency of 0 would never answer a call",
            ));
        }
        let record = Arc::new(RegistrationRecord::new(
            procedure.into(),
            options,
            handler,
            concurrency,
            description,
        ));
        let request = client.shared().register(&record).await?;
        Ok(Registration {
            client,
            record,
            request,
        })
    }
}

impl IntoFuture for Register {
    type Output = Result<Registration, Error>;
    type IntoFuture = RequestFuture<Registration>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A procedure that this client offers.
///
/// Dropping it changes nothing: the procedure stays registered as long as the client lives, across
/// reconnects too. [`Registration::unregister`] takes it back.
pub struct Registration {
    client: Client,
    record: Arc<RegistrationRecord>,
    request: RequestId,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("procedure", &self.record.procedure)
            .field("id", &self.record.id())
            .finish_non_exhaustive()
    }
}

impl Registration {
    /// The registration's id in the current session; `None` while there is none, or if the router
    /// has ended the registration.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let registration = client.register("com.example.ping", async |_| Ok("pong")).await?;
    /// assert!(registration.id().is_some());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<RegistrationId> {
        self.record.id()
    }

    /// The procedure or pattern.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let registration = client.register("com.example.ping", async |_| Ok("pong")).await?;
    /// assert_eq!(registration.procedure(), "com.example.ping");
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn procedure(&self) -> &str {
        &self.record.procedure
    }

    /// The id of the request that made it, in the session in which it was made first.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let registration = client.register("com.example.ping", async |_| Ok("pong")).await?;
    /// assert_eq!(registration.request_id().value(), 1);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request
    }

    /// Takes the procedure back. Invocations that are being worked on are answered still.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let registration = client.register("com.example.ping", async |_| Ok("pong")).await?;
    /// registration.unregister().await?;
    /// let error = client.call("com.example.ping").await.unwrap_err();
    /// assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The router refuses, or the session is lost while it was asked; the procedure is not restored
    /// in the next session then.
    pub async fn unregister(self) -> Result<(), Error> {
        self.client.shared().unregister(&self.record).await
    }
}

impl crate::session::Shared {
    /// Registers `record` in the current session; the handler may run before this returns.
    pub(crate) async fn register(
        &self,
        record: &Arc<RegistrationRecord>,
    ) -> Result<RequestId, Error> {
        let (done, answer) = oneshot::channel();
        let register = message::Register {
            request: RequestId::FIRST,
            options: record.options.clone(),
            procedure: (*record.procedure).into(),
        };
        let pending = Pending::Register {
            record: Arc::clone(record),
            done,
        };
        let sent = self.request(register.into(), Some(pending)).await?;
        let answer = answer.await.unwrap_or_else(|_| Err(self.over()));
        answer.map_err(|error| about(error, &record.procedure))?;
        if let Some(description) = &record.description {
            self.define(record.interface(), Some(description)).await;
        }
        Ok(sent.request)
    }

    async fn unregister(&self, record: &Arc<RegistrationRecord>) -> Result<(), Error> {
        self.forget_registration(record);
        let Some(registration) = record.id() else {
            return Ok(());
        };
        let (done, answer) = oneshot::channel();
        let unregister = message::Unregister {
            request: RequestId::FIRST,
            registration,
        };
        let pending = Pending::Unregister { registration, done };
        self.request(unregister.into(), Some(pending)).await?;
        let answer = answer.await.unwrap_or_else(|_| Err(self.over()));
        answer.map_err(|error| about(error, &record.procedure))?;
        if record.description.is_some() {
            self.define(record.interface(), None).await;
        }
        Ok(())
    }
}
