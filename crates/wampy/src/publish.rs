//! Publishing events.

use std::future::IntoFuture;

use serde::Serialize;
use tokio::sync::oneshot;
use wampy_proto::message::{self, Passthru, PublishOptions};
use wampy_proto::{Payload, PublicationId, RequestId, SessionId};

use crate::client::Client;
use crate::error::Error;
use crate::request_future::RequestFuture;
use crate::session::{Pending, about};
use crate::values::Values;

/// A publication that is not made yet; made by [`Client::publish`].
///
/// Awaiting it gives, with [`Publish::acknowledge`], the publication's id when the router has taken
/// the event. Without, it gives `None` as soon as the event is queued, and whether the router takes
/// it stays unknown; the queue is sent at once, and before a [`Client::close`].
///
/// ```
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// client.publish("com.example.news").args(("It works",)).await?;
/// # client.close().await });
/// ```
#[must_use = "an event is published when this is awaited"]
#[derive(Debug)]
pub struct Publish {
    client: Client,
    topic: String,
    options: PublishOptions,
    values: Values,
    encrypt: Option<Box<str>>,
}

impl Publish {
    pub(crate) fn new(client: Client, topic: String) -> Self {
        Self {
            client,
            topic,
            options: PublishOptions::default(),
            values: Values::EMPTY,
            encrypt: None,
        }
    }

    /// The event's values: something that serializes as a list, such as a tuple or a `Vec`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.measured").args((21.5, "degrees")).await?;
    /// # client.close().await });
    /// ```
    pub fn args(mut self, args: impl Serialize) -> Self {
        self.values.set_args(self.client.serializer(), &args);
        self
    }

    /// The event's named values: something that serializes as a map.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.measured").kwargs(HashMap::from([("degrees", 21.5)])).await?;
    /// # client.close().await });
    /// ```
    pub fn kwargs(mut self, kwargs: impl Serialize) -> Self {
        self.values.set_kwargs(self.client.serializer(), &kwargs);
        self
    }

    /// All values, encoded already, in whichever serializer.
    ///
    /// ```
    /// use wampy::proto::Payload;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.tick").payload(Payload::EMPTY).await?;
    /// # client.close().await });
    /// ```
    pub fn payload(mut self, payload: Payload<'static>) -> Self {
        self.values.set_payload(payload);
        self
    }

    /// Whether to wait until the router has taken the event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let publication = client.publish("com.example.news").acknowledge(true).await?;
    /// assert!(publication.is_some());
    /// # client.close().await });
    /// ```
    pub fn acknowledge(mut self, acknowledge: bool) -> Self {
        self.options.acknowledge = acknowledge;
        self
    }

    /// Whether this session's own subscriptions get no event. Default true.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut events = client.subscribe("com.example.news").await?;
    /// client.publish("com.example.news").exclude_me(false).await?;
    /// assert!(events.next().await.is_some());
    /// # client.close().await });
    /// ```
    pub fn exclude_me(mut self, exclude: bool) -> Self {
        self.options.exclude_me = Some(exclude);
        self
    }

    /// Whether subscribers learn who publishes.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").disclose_me(true).await?;
    /// # client.close().await });
    /// ```
    pub fn disclose_me(mut self, disclose: bool) -> Self {
        self.options.disclose_me = disclose;
        self
    }

    /// The only sessions that get the event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").eligible([client.session_id()]).exclude_me(false).await?;
    /// # client.close().await });
    /// ```
    pub fn eligible(mut self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        self.options.eligible = Some(sessions.into_iter().map(SessionId::value).collect());
        self
    }

    /// The only authids whose sessions get the event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").eligible_authid(["ada"]).await?;
    /// # client.close().await });
    /// ```
    pub fn eligible_authid<T: Into<Box<str>>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.options.eligible_authid = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// The only authroles whose sessions get the event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").eligible_authrole(["anonymous"]).await?;
    /// # client.close().await });
    /// ```
    pub fn eligible_authrole<T: Into<Box<str>>>(
        mut self,
        roles: impl IntoIterator<Item = T>,
    ) -> Self {
        self.options.eligible_authrole = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// Sessions that get no event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").exclude([client.session_id()]).await?;
    /// # client.close().await });
    /// ```
    pub fn exclude(mut self, sessions: impl IntoIterator<Item = SessionId>) -> Self {
        self.options.exclude = Some(sessions.into_iter().map(SessionId::value).collect());
        self
    }

    /// Authids whose sessions get no event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").exclude_authid(["bob"]).await?;
    /// # client.close().await });
    /// ```
    pub fn exclude_authid<T: Into<Box<str>>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.options.exclude_authid = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Authroles whose sessions get no event.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.news").exclude_authrole(["guest"]).await?;
    /// # client.close().await });
    /// ```
    pub fn exclude_authrole<T: Into<Box<str>>>(
        mut self,
        roles: impl IntoIterator<Item = T>,
    ) -> Self {
        self.options.exclude_authrole = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the router keeps the event for later subscribers, in place of the one it has kept of
    /// the topic before; see [`Subscribe::get_retained`](crate::Subscribe::get_retained).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.state").args(("on",)).retain(true).await?;
    /// # client.close().await });
    /// ```
    pub fn retain(mut self, retain: bool) -> Self {
        self.options.retain = retain;
        self
    }

    /// The key that selects one of the subscribers that share the topic: events with the same key go
    /// to the same one; see [`Subscribe::nkey`](crate::Subscribe::nkey).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.publish("com.example.orders").args((17,)).rkey("Ada").await?;
    /// # client.close().await });
    /// ```
    pub fn rkey(mut self, rkey: impl Into<Box<str>>) -> Self {
        self.options.rkey = Some(rkey.into());
        self
    }

    /// Encrypts the values with the key called `keyid`, one of
    /// [`Builder::keys`](crate::Builder::keys). The router still sees the topic.
    ///
    /// ```
    /// use wampy::proto::end_to_end::{DataKey, Keyring};
    ///
    /// # wampy::doc_example(async |url| {
    /// let keys = Keyring::from([DataKey::with_id("2026", [7; 32])]);
    /// let client = wampy::Client::builder(url).keys(keys).connect().await?;
    /// client.publish("com.example.secret").args(("psst",)).encrypt("2026").await?;
    /// let error = client.publish("com.example.secret").encrypt("2025").await.unwrap_err();
    /// assert_eq!(error.to_string(), "there is no key \"2025\"");
    /// # client.close().await });
    /// ```
    pub fn encrypt(mut self, keyid: impl Into<Box<str>>) -> Self {
        self.encrypt = Some(keyid.into());
        self
    }

    /// Says of the values how they are to be read, if that is agreed between publisher and
    /// subscribers (Payload Passthru Mode).
    ///
    /// ```
    /// use wampy::proto::message::Passthru;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let mut events = client.subscribe("com.example.mqtt").await?;
    /// let passthru = Passthru {
    ///     scheme: "mqtt".into(), serializer: Some("native".into()), cipher: None, keyid: None,
    /// };
    /// client.publish("com.example.mqtt").passthru(passthru.clone()).exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.details().passthru(), Some(passthru));
    /// # client.close().await });
    /// ```
    pub fn passthru(mut self, passthru: Passthru) -> Self {
        self.options.set_passthru(passthru);
        self
    }

    /// All options of the PUBLISH message at once, for those without a method here.
    ///
    /// ```
    /// use wampy::proto::message::PublishOptions;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let options = PublishOptions { acknowledge: true, ..PublishOptions::default() };
    /// assert!(client.publish("com.example.news").options(options).await?.is_some());
    /// # client.close().await });
    /// ```
    pub fn options(mut self, options: PublishOptions) -> Self {
        self.options = options;
        self
    }

    async fn run(self) -> Result<Option<PublicationId>, Error> {
        let Self {
            client,
            topic,
            mut options,
            values,
            encrypt,
        } = self;
        let shared = client.shared();
        let payload = shared.event_payload(&mut options, encrypt.as_deref(), values.finish()?)?;
        let publish = message::Publish {
            request: RequestId::FIRST,
            topic: topic.as_str().into(),
            payload,
            options,
        };
        if !publish.options.acknowledge {
            client.shared().request(publish.into(), None).await?;
            return Ok(None);
        }
        let (done, answer) = oneshot::channel();
        client
            .shared()
            .request(publish.into(), Some(Pending::Publish { done }))
            .await?;
        let answer = answer.await.unwrap_or_else(|_| Err(client.shared().over()));
        answer.map(Some).map_err(|error| about(error, &topic))
    }
}

impl IntoFuture for Publish {
    type Output = Result<Option<PublicationId>, Error>;
    type IntoFuture = RequestFuture<Option<PublicationId>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
