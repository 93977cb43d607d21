//! The handle of a client.

use std::sync::Arc;

use tokio::sync::watch;
use wampy_proto::message::Welcome;
use wampy_proto::{Message, RequestId, Serializer, SessionId, close_reason};

use crate::builder::Builder;
use crate::call::Call;
use crate::error::Error;
use crate::event::Event;
use crate::invocation::Invocation;
use crate::publish::Publish;
use crate::register::Register;
use crate::reply::IntoReply;
use crate::responder::Responder;
use crate::session::Shared;
use crate::status::Status;
use crate::subscribe::Subscribe;
use crate::told_call::{Answers, ToldCalls};
use crate::wamp_error::WampError;

/// A session with a router: calls, registers, publishes, subscribes.
///
/// A client is a handle, cheap to clone and usable from any task. Behind all clones of it one task
/// owns the connection. When the last clone is dropped, the session is closed in the background;
/// [`Client::close`] does so and waits.
///
/// A [`Subscription`](crate::Subscription) and a [`Registration`](crate::Registration) count as
/// clones. A handler that has captured a clone keeps the session open until it is closed:
/// [`Invocation::client`] does without.
///
/// ```
/// use wampy::Client;
///
/// # wampy::doc_example(async |url| {
/// let client = Client::connect(url).await?;
/// client.register("com.example.add", async |invocation: wampy::Invocation| {
///     let (a, b): (i64, i64) = invocation.args()?;
///     Ok(a + b)
/// }).await?;
/// let sum: i64 = client.call("com.example.add").args((1, 2)).await?.value()?;
/// assert_eq!(sum, 3);
/// # client.close().await });
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What all clones of a client share; the last one closes the session.
#[derive(Debug)]
pub(crate) struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.request_close(close_reason::CLOSE_REALM);
    }
}

impl Client {
    pub(crate) fn from_handle(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Connects to the router at `url` and joins the realm `realm1`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # /*
    /// let client = wampy::Client::connect("ws://localhost:8080/").await?;
    /// # */ let client = wampy::Client::connect(url).await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`Builder::connect`].
    pub async fn connect(url: impl Into<String>) -> Result<Self, Error> {
        Self::builder(url).connect().await
    }

    /// A client of the router at `url`, with options: `ws://`, `wss://`, `rs://`, `rss://`
    /// (RawSocket), `http://`, `https://` (long-polling), each with `host:port`, or `unix:///path`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).realm("realm1").connect().await?;
    /// # client.close().await });
    /// ```
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    /// Calls `procedure`. The call is made when the value returned is awaited.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let sessions: u64 = client.call("wamp.session.count").await?.value()?;
    /// assert_eq!(sessions, 1);
    /// # client.close().await });
    /// ```
    pub fn call(&self, procedure: impl Into<String>) -> Call {
        Call::new(self.clone(), procedure.into())
    }

    /// Calls whose answers go to one place, for a program that has an event loop of its own.
    #[must_use]
    pub fn told_calls(&self, answers: Arc<dyn Answers>) -> ToldCalls {
        ToldCalls::new(self.clone(), answers)
    }

    /// Offers `procedure`: each call of it runs `handler`. The registration is made when the value
    /// returned is awaited.
    ///
    /// Handlers run at the same time, each as a task of its own, and may use the client freely.
    /// What a handler returns is the first and only arg of the result; return a
    /// [`Reply`](crate::Reply) for several, or for kwargs. A handler that panics answers with
    /// `wamp.error.runtime_error`. When the call is canceled the handler's future is dropped.
    ///
    /// ```
    /// use wampy::{Invocation, WampError};
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.divide", async |invocation: Invocation| {
    ///     let (a, b): (i64, i64) = invocation.args()?;
    ///     a.checked_div(b).ok_or(WampError::new("com.example.error.by_zero"))
    /// }).await?;
    /// let error = client.call("com.example.divide").args((1, 0)).await.unwrap_err();
    /// assert_eq!(error.uri(), Some("com.example.error.by_zero"));
    /// # client.close().await });
    /// ```
    pub fn register<H, F, R>(&self, procedure: impl Into<String>, handler: H) -> Register
    where
        H: Fn(Invocation) -> F + Send + Sync + 'static,
        F: Future<Output = Result<R, WampError>> + Send + 'static,
        R: IntoReply,
    {
        Register::new(
            self.clone(),
            procedure.into(),
            crate::responder::handler(handler),
        )
    }

    /// Offers `procedure`: each call of it goes to `handler` together with a [`Responder`], by
    /// which any thread may answer it at any time.
    ///
    /// The handler runs on the task that reads the socket, or on another of the runtime, so it must
    /// not wait.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.echo", |invocation, responder| {
    ///     std::thread::spawn(move || responder.complete(invocation.payload().clone()));
    /// }).await?;
    /// let echo: String = client.call("com.example.echo").args(("hello",)).await?.value()?;
    /// assert_eq!(echo, "hello");
    /// # client.close().await });
    /// ```
    pub fn register_with(
        &self,
        procedure: impl Into<String>,
        handler: impl Fn(Invocation, Responder) + Send + Sync + 'static,
    ) -> Register {
        let handler = move |invocation, responder| {
            handler(invocation, responder);
            None
        };
        Register::new(self.clone(), procedure.into(), Arc::new(handler))
    }

    /// Publishes to `topic`. The event is sent when the value returned is awaited.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").args(("It works",)).await?;
    /// # client.close().await });
    /// ```
    pub fn publish(&self, topic: impl Into<String>) -> Publish {
        Publish::new(self.clone(), topic.into())
    }

    /// Subscribes to `topic`: a stream of events. The subscription is made when the value returned
    /// is awaited.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events = client.subscribe("com.example.news").await?;
    /// client.publish("com.example.news").args(("It works",)).exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.args::<(String,)>()?.0, "It works");
    /// # client.close().await });
    /// ```
    pub fn subscribe(&self, topic: impl Into<String>) -> Subscribe {
        Subscribe::new(self.clone(), topic.into(), None)
    }

    /// Subscribes to `topic` with a function that gets each event, in order.
    ///
    /// It runs on the task that reads the socket, so it must not wait. The
    /// [`Subscription`](crate::Subscription) returned stays empty; dropping it ends the
    /// subscription.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let (sender, mut events) = tokio::sync::mpsc::unbounded_channel();
    /// let subscription = client.subscribe_with("com.example.news", move |event| {
    ///     _ = sender.send(event);
    /// }).await?;
    /// client.publish("com.example.news").exclude_me(false).await?;
    /// assert_eq!(events.recv().await.unwrap().topic(), "com.example.news");
    /// # client.close().await });
    /// ```
    pub fn subscribe_with(
        &self,
        topic: impl Into<String>,
        callback: impl Fn(Event) + Send + Sync + 'static,
    ) -> Subscribe {
        Subscribe::new(self.clone(), topic.into(), Some(Box::new(callback)))
    }

    /// Sends any message of an established session. A request gets the session's next request id,
    /// whatever id it holds; the id is returned. Returns when the message is queued.
    ///
    /// What the router answers goes to [`Builder::observer`], or is ignored if there is none.
    ///
    /// ```
    /// use wampy::proto::{Payload, RequestId, message};
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let call = message::Call {
    ///     request: RequestId::FIRST,
    ///     options: message::CallOptions::default(),
    ///     procedure: "wamp.session.count".into(),
    ///     payload: Payload::EMPTY,
    /// };
    /// client.send(call).await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// There is no session, or the message is none that an established session may send.
    pub async fn send(&self, message: impl Into<Message<'_>>) -> Result<Option<RequestId>, Error> {
        self.shared().send_raw(message.into()).await
    }

    /// The id of the current session, or of the last one.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let ids: Vec<u64> = client.call("wamp.session.list").await?.value()?;
    /// assert_eq!(ids, [client.session_id().value()]);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn session_id(&self) -> SessionId {
        self.shared().welcome().session
    }

    /// The WELCOME of the current session, or of the last one: what the router is and can do, and
    /// who the client is to it.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert_eq!(client.welcome().details.authmethod.as_deref(), Some("anonymous"));
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn welcome(&self) -> Arc<Welcome> {
        self.shared().welcome()
    }

    /// The serializer of the current session, or of the last one.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// println!("speaking {}", client.serializer().row().name);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn serializer(&self) -> Serializer {
        self.shared().serializer()
    }

    /// Whether there is a session.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert!(matches!(client.status(), wampy::Status::Established { .. }));
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared().status().borrow().clone()
    }

    /// The status as it changes.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut changes = client.status_changes();
    /// client.close().await?;
    /// let closed = |status: &wampy::Status| matches!(status, wampy::Status::Closed { .. });
    /// changes.wait_for(closed).await.expect("the last status stays");
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn status_changes(&self) -> watch::Receiver<Status> {
        self.shared().status()
    }

    /// Waits until there is a session: at once, or when a lost one has been replaced.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.established().await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The client is closed for good.
    pub async fn established(&self) -> Result<(), Error> {
        let mut changes = self.status_changes();
        let settled = |status: &Status| !matches!(status, Status::Reconnecting { .. });
        let status = changes.wait_for(settled).await.map(|status| status.clone());
        match status {
            Ok(Status::Established { .. }) => Ok(()),
            _ => Err(self.shared().over()),
        }
    }

    /// Waits until the client is closed for good, by whomever: a program that only answers calls
    /// ends with this.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let other = client.clone();
    /// # tokio::spawn(async move { other.close().await });
    /// client.closed().await;
    /// # Ok(()) });
    /// ```
    pub async fn closed(&self) {
        let closed = |status: &Status| matches!(status, Status::Closed { .. });
        // An error means that the task that owns the connection is gone, which is the same.
        _ = self.status_changes().wait_for(closed).await;
    }

    /// Ends the session: sends what is queued, says GOODBYE, waits for the answer (at most
    /// [`Builder::close_timeout`]) and closes the connection. Requests that wait for an answer
    /// fail with [`Error::Closed`]. Closing a closed client does nothing.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.close().await?;
    /// assert!(client.call("wamp.session.count").await.is_err());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// [`Error::ConnectionLost`] if the router has not answered the goodbye, so that it may not
    /// have got what was sent last.
    pub async fn close(&self) -> Result<(), Error> {
        self.leave(close_reason::CLOSE_REALM).await
    }

    /// Ends the session as [`Client::close`] does, for a reason of one's own.
    ///
    /// ```
    /// use wampy::proto::close_reason;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.leave(close_reason::SYSTEM_SHUTDOWN).await?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As for [`Client::close`].
    pub async fn leave(&self, reason: &str) -> Result<(), Error> {
        self.shared().request_close(reason);
        self.closed().await;
        self.shared().farewell()
    }
}
