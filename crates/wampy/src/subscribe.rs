//! Listening to topics.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::oneshot;
use wampy_proto::message::{self, SubscribeOptions};
use wampy_proto::{MatchPolicy, RequestId, SubscriptionId};

use crate::client::Client;
use crate::description::Description;
use crate::error::Error;
use crate::event::Event;
use crate::queue::Queue;
use crate::request_future::RequestFuture;
use crate::session::{EventSink, Pending, SubscriptionRecord, about};

/// A function that gets events.
type Callback = Box<dyn Fn(Event) + Send + Sync>;

/// A subscription that is not made yet; made by [`Client::subscribe`] or
/// [`Client::subscribe_with`]. Awaiting it gives the [`Subscription`].
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// let events = client.subscribe("com.example.news").await?;
/// # client.close().await });
/// ```
#[must_use = "a subscription is made when it is awaited"]
pub struct Subscribe {
    client: Client,
    topic: String,
    options: SubscribeOptions,
    description: Option<Description>,
    callback: Option<Callback>,
}

impl fmt::Debug for Subscribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("topic", &self.topic)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Subscribe {
    pub(crate) fn new(client: Client, topic: String, callback: Option<Callback>) -> Self {
        Self {
            client,
            topic,
            options: SubscribeOptions::default(),
            description: None,
            callback,
        }
    }

    /// How topics are matched. Default exact.
    ///
    /// ```
    /// use wampy::proto::MatchPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events =
    ///     client.subscribe("com..measured").match_policy(MatchPolicy::Wildcard).await?;
    /// client.publish("com.kitchen.measured").exclude_me(false).await?;
    /// assert_eq!(events.next().await.unwrap().topic(), "com.kitchen.measured");
    /// # client.close().await });
    /// ```
    pub fn match_policy(mut self, policy: MatchPolicy) -> Self {
        self.options.match_policy = policy;
        self
    }

    /// Whether to begin with the event that the router has kept of the topic, or of each topic that
    /// a pattern matches; see [`Publish::retain`](crate::Publish::retain). It comes again in each
    /// new session, and to all subscriptions of this client that share the one at the router.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url.clone()).await?;
    /// # let other = wampy::Client::connect(url).await?;
    /// other.publish("com.example.state").args(("on",)).retain(true).acknowledge(true).await?;
    /// let mut states = client.subscribe("com.example.state").get_retained(true).await?;
    /// let state = states.next().await.expect("the session is open");
    /// assert!(state.is_retained());
    /// # client.close().await });
    /// ```
    pub fn get_retained(mut self, wanted: bool) -> Self {
        self.options.get_retained = wanted;
        self
    }

    /// Shares the topic with other subscribers that have a key: of them, only one gets an event that
    /// is published with an [`rkey`](crate::Publish::rkey) (Sharded Subscriptions).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events = client.subscribe("com.example.orders").nkey("shelf 1").await?;
    /// client.publish("com.example.orders").rkey("Ada").exclude_me(false).await?;
    /// assert!(events.next().await.is_some());
    /// # client.close().await });
    /// ```
    pub fn nkey(mut self, nkey: impl Into<Box<str>>) -> Self {
        self.options.nkey = Some(nkey.into());
        self
    }

    /// Tells the realm what the topic is, as long as this subscription lasts; see
    /// [`Client::describe`]. Where the router knows no reflection or refuses the description, the
    /// subscription is made all the same, and a warning is logged by `tracing`.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let description = Description::new("Orders that came in.").args_of::<(u64,)>();
    /// let orders = client.subscribe("com.example.orders").describe(description).await?;
    /// let found = client.describe("com.example.orders").await?;
    /// assert_eq!(found[0].kind, "topic");
    /// # client.close().await });
    /// ```
    pub fn describe(mut self, description: Description) -> Self {
        self.description = Some(description);
        self
    }

    /// All options of the SUBSCRIBE message at once, for those without a method here.
    ///
    /// ```
    /// use wampy::proto::message::SubscribeOptions;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let options = SubscribeOptions { get_retained: true, ..SubscribeOptions::default() };
    /// let events = client.subscribe("com.example.news").options(options).await?;
    /// # client.close().await });
    /// ```
    pub fn options(mut self, options: SubscribeOptions) -> Self {
        self.options = options;
        self
    }

    async fn run(self) -> Result<Subscription, Error> {
        let Self {
            client,
            topic,
            options,
            description,
            callback,
        } = self;
        let queue = Queue::new(&client.shared().options.limits);
        let sink = match callback {
            Some(callback) => EventSink::Callback(callback),
            None => EventSink::Queue(queue),
        };
        let record = Arc::new(SubscriptionRecord::new(
            topic.into(),
            options,
            description,
            sink,
        ));
        let request = client.shared().subscribe(&record).await?;
        Ok(Subscription {
            client,
            record,
            request,
            dropped_at_end: false,
        })
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, Error>;
    type IntoFuture = RequestFuture<Subscription>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A [`Stream`] of the events of a topic, in the order in which they came. Dropping it ends the
/// subscription.
///
/// Events that are not read yet wait in a queue. When [`Limits::queue_events_max`] or
/// [`Limits::queue_bytes_max`] is reached, the oldest events make room for new ones, and
/// [`Subscription::dropped`] counts them: a slow reader loses events, but it holds up neither the
/// calls of its client nor the router.
///
/// It survives a reconnect (events published meanwhile are lost), and ends when the client is
/// closed or the router ends the subscription.
///
/// Several subscriptions of one client to the same topic share one subscription at the router,
/// which ends with the last of them.
///
/// [`Limits::queue_events_max`]: crate::Limits::queue_events_max
/// [`Limits::queue_bytes_max`]: crate::Limits::queue_bytes_max
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// let mut events = client.subscribe("com.example.news").await?;
/// # client.publish("com.example.news").exclude_me(false).await?;
/// # let closing = client.clone();
/// while let Some(event) = events.next().await {
///     println!("{}: {:?}", event.topic(), event.args::<Vec<String>>()?);
/// #   closing.close().await?;
/// }
/// # Ok(()) });
/// ```
pub struct Subscription {
    client: Client,
    record: Arc<SubscriptionRecord>,
    request: RequestId,
    dropped_at_end: bool,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("topic", &self.record.topic)
            .field("id", &self.record.id())
            .finish_non_exhaustive()
    }
}

impl Subscription {
    /// The next event; `None` when the subscription has ended.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events = client.subscribe("com.example.news").await?;
    /// client.close().await?;
    /// assert!(events.next().await.is_none());
    /// # Ok(()) });
    /// ```
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        match &self.record.sink {
            EventSink::Queue(queue) => queue.poll_next(cx),
            EventSink::Callback(_) => Poll::Ready(None),
        }
    }

    /// How many events were dropped because they were not read in time.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let events = client.subscribe("com.example.news").await?;
    /// assert_eq!(events.dropped(), 0);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn dropped(&self) -> u64 {
        match &self.record.sink {
            EventSink::Queue(queue) => queue.dropped(),
            EventSink::Callback(_) => 0,
        }
    }

    /// How many events were left out because they are encrypted and cannot be opened, for want of
    /// the right key ([`Builder::keys`](crate::Builder::keys)). Why is logged by `tracing`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let events = client.subscribe("com.example.secret").await?;
    /// assert_eq!(events.undecryptable(), 0);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn undecryptable(&self) -> u64 {
        self.record.undecryptable.load(Ordering::Relaxed)
    }

    /// The topic or pattern.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert_eq!(client.subscribe("com.example.news").await?.topic(), "com.example.news");
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.record.topic
    }

    /// The subscription's id in the current session; `None` while there is none, or if the router
    /// has ended the subscription.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let one = client.subscribe("com.example.news").await?;
    /// let other = client.subscribe("com.example.news").await?;
    /// assert_eq!(one.id(), other.id());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<SubscriptionId> {
        self.record.id()
    }

    /// The id of the request that made it, in the session in which it was made first.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// assert_eq!(client.subscribe("com.example.news").await?.request_id().value(), 1);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.request
    }

    /// Ends the subscription and waits until the router has done so.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let events = client.subscribe("com.example.news").await?;
    /// events.unsubscribe().await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The router refuses, or the session is lost while it was asked.
    pub async fn unsubscribe(mut self) -> Result<(), Error> {
        self.dropped_at_end = true;
        let (done, answer) = oneshot::channel();
        if !self.client.shared().unsubscribe(&self.record, Some(done)) {
            return Ok(());
        }
        let answer = answer
            .await
            .unwrap_or_else(|_| Err(self.client.shared().over()));
        answer.map_err(|error| about(error, &self.record.topic))
    }
}

impl Stream for Subscription {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.poll_event(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if !self.dropped_at_end {
            self.client.shared().unsubscribe(&self.record, None);
        }
    }
}

impl crate::session::Shared {
    /// Subscribes in the current session; events may come before this returns.
    pub(crate) async fn subscribe(
        &self,
        record: &Arc<SubscriptionRecord>,
    ) -> Result<RequestId, Error> {
        let (done, answer) = oneshot::channel();
        let subscribe = message::Subscribe {
            request: RequestId::FIRST,
            options: record.options.clone(),
            topic: (*record.topic).into(),
        };
        let pending = Pending::Subscribe {
            record: Arc::clone(record),
            done,
        };
        let sent = self.request(subscribe.into(), Some(pending)).await?;
        let answer = answer.await.unwrap_or_else(|_| Err(self.over()));
        answer.map_err(|error| about(error, &record.topic))?;
        if let Some(description) = &record.description {
            self.define(record.interface(), Some(description)).await;
        }
        Ok(sent.request)
    }
}
