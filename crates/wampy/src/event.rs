//! What a subscriber gets.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use wampy_proto::message::EventDetails;
use wampy_proto::{Payload, PayloadError, PublicationId, SessionId, SubscriptionId};

use crate::encryption::is_sealed;

/// An event that was published to a topic; cheap to clone.
#[derive(Debug, Clone)]
pub struct Event {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    topic: Arc<str>,
    subscription: SubscriptionId,
    publication: PublicationId,
    details: EventDetails,
    payload: Payload<'static>,
}

impl Event {
    /// The event of a message that came by a subscription to `topic`.
    pub(crate) fn received(event: wampy_proto::message::Event<'_>, topic: &Arc<str>) -> Self {
        let inner = Inner {
            topic: Arc::clone(topic),
            subscription: event.subscription,
            publication: event.publication,
            details: event.details,
            payload: event.payload.into_owned(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The values, decoded as a list: a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.measured").await?;
    /// # client.publish("com.example.measured").args((21.5, "degrees")).exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.args::<(f64, String)>()?, (21.5, "degrees".to_owned()));
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.inner.payload.args()
    }

    /// The named values, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.measured").await?;
    /// # client.publish("com.example.measured").kwargs(HashMap::from([("degrees", 21.5)])).exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.kwargs::<HashMap<String, f64>>()?["degrees"], 21.5);
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.inner.payload.kwargs()
    }

    /// The values as they are encoded.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert!(event.payload().is_empty());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        &self.inner.payload
    }

    /// The topic published to: for a pattern subscription, the one that matched it.
    ///
    /// ```
    /// use wampy::proto::MatchPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events = client.subscribe("com.example").match_policy(MatchPolicy::Prefix).await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.topic(), "com.example.tick");
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn topic(&self) -> &str {
        self.inner
            .details
            .topic
            .as_deref()
            .unwrap_or(&self.inner.topic)
    }

    /// The publication: the same for all subscribers that get the event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// let publish = client.publish("com.example.tick").exclude_me(false).acknowledge(true);
    /// let publication = publish.await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(Some(event.publication()), publication);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn publication(&self) -> PublicationId {
        self.inner.publication
    }

    /// The subscription by which the event came.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(Some(event.subscription()), events.id());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn subscription(&self) -> SubscriptionId {
        self.inner.subscription
    }

    /// The session that published, if it is disclosed.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).disclose_me(true).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.publisher(), Some(client.session_id()));
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn publisher(&self) -> Option<SessionId> {
        self.inner
            .details
            .publisher
            .and_then(|id| SessionId::try_from(id).ok())
    }

    /// Whether the router had kept the event from before the subscription.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert!(!event.is_retained());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_retained(&self) -> bool {
        self.inner.details.retained
    }

    /// How far the router trusts the publisher, if it says so: a number whose meaning is the
    /// router's.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.trustlevel(), None);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn trustlevel(&self) -> Option<u64> {
        self.inner.details.trustlevel
    }

    /// Whether the values were encrypted on their way here from the publisher.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert!(!event.is_encrypted());
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        is_sealed(self.inner.details.ppt_scheme.as_deref())
    }

    /// The details of the EVENT message.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.tick").await?;
    /// # client.publish("com.example.tick").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert!(!event.details().retained);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn details(&self) -> &EventDetails {
        &self.inner.details
    }
}
