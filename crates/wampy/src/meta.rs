//! What the router can be asked besides routing, as far as it has a shape of its own: testaments and
//! event history.
//!
//! Deliberately absent: the procedures whose arguments and results are plain (`wamp.session.list`,
//! `wamp.registration.get`, `wamp.session.kill` and so on), which [`Client::call`] reaches as they are.

use std::collections::BTreeMap;
use std::future::IntoFuture;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wampy_proto::message::PublishOptions;
use wampy_proto::serializer::json::JsonWriter;
use wampy_proto::{
    MatchPolicy, Payload, PayloadError, PublicationId, Serializer, SubscriptionId, Value, error_uri,
};

use crate::call::{RequestFuture, timed_out};
use crate::client::Client;
use crate::error::Error;
use crate::session::{TestamentRecord, about};
use crate::values::Values;
use crate::wamp_error::WampError;

/// The procedure that leaves a testament.
pub(crate) const ADD_TESTAMENT: &str = "wamp.session.add_testament";

/// When a testament is published. A router without session resumption, such as wampy's, publishes
/// both when the session is gone, the detached ones first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TestamentScope {
    /// When the session is gone for good.
    #[default]
    Destroyed,
    /// When the session has lost its connection, though it might be resumed.
    Detached,
}

/// A testament that is not made yet; made by [`Client::add_testament`]. Awaiting it leaves it with
/// the router.
#[must_use = "a testament is made when it is awaited"]
#[derive(Debug)]
pub struct Testament {
    client: Client,
    topic: String,
    values: Values,
    options: PublishOptions,
    scope: TestamentScope,
}

impl Client {
    /// Leaves an event with the router, to be published to `topic` when this session is gone, by
    /// whatever cause: what an MQTT client calls its last will. A client that reconnects leaves it
    /// again in its next session.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url.clone()).await?;
    /// # let other = wampy::Client::connect(url).await?;
    /// let mut events = other.subscribe("com.example.offline").await?;
    /// client.add_testament("com.example.offline").args(("thermometer",)).await?;
    /// client.close().await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert_eq!(event.args::<(String,)>()?.0, "thermometer");
    /// # other.close().await });
    /// ```
    pub fn add_testament(&self, topic: impl Into<String>) -> Testament {
        Testament {
            client: self.clone(),
            topic: topic.into(),
            values: Values::EMPTY,
            options: PublishOptions::default(),
            scope: TestamentScope::default(),
        }
    }

    /// Takes back all testaments of this client that have this scope.
    ///
    /// ```
    /// use wampy::TestamentScope;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.add_testament("com.example.offline").await?;
    /// client.flush_testaments(TestamentScope::Destroyed).await?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The router knows no testaments, or there is no session.
    pub async fn flush_testaments(&self, scope: TestamentScope) -> Result<(), Error> {
        let kwargs = BTreeMap::from([("scope", scope)]);
        let call = self.call("wamp.session.flush_testaments").kwargs(kwargs);
        call.await?;
        self.shared().forget_testaments(scope);
        Ok(())
    }

    /// The past events of a subscription, given by its id, or by its topic where anybody is subscribed
    /// to it; if the router keeps a history of its topics. Awaiting it asks the router for a
    /// [`HistoryPage`].
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let events = client.subscribe("com.example.measured").await?;
    /// if let Some(subscription) = events.id() {
    ///     match client.event_history(subscription).limit(10).reverse(true).await {
    ///         Ok(page) => println!("the last {} events", page.events.len()),
    ///         Err(error) => assert_eq!(error.uri(), Some("wamp.error.feature_not_supported")),
    ///     }
    /// }
    /// let page = client.event_history("com.example.measured").limit(10).await;
    /// # assert!(page.is_err());
    /// # client.close().await });
    /// ```
    pub fn event_history(&self, of: impl Into<HistoryOf>) -> EventHistory {
        EventHistory {
            client: self.clone(),
            of: of.into(),
            match_policy: MatchPolicy::Exact,
            filter: Filter::default(),
        }
    }
}

impl Testament {
    /// The event's values: something that serializes as a list.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.add_testament("com.example.offline").args(("thermometer", 1)).await?;
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
    /// client.add_testament("com.example.offline").kwargs(HashMap::from([("id", 1)])).await?;
    /// # client.close().await });
    /// ```
    pub fn kwargs(mut self, kwargs: impl Serialize) -> Self {
        self.values.set_kwargs(self.client.serializer(), &kwargs);
        self
    }

    /// All values of the event, encoded already, in whichever serializer.
    ///
    /// ```
    /// use wampy::proto::Payload;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.add_testament("com.example.offline").payload(Payload::EMPTY).await?;
    /// # client.close().await });
    /// ```
    pub fn payload(mut self, payload: Payload<'static>) -> Self {
        self.values.set_payload(payload);
        self
    }

    /// How the event is published, such as whether it is retained.
    ///
    /// ```
    /// use wampy::proto::message::PublishOptions;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let options = PublishOptions { retain: true, ..PublishOptions::default() };
    /// client.add_testament("com.example.offline").options(options).await?;
    /// # client.close().await });
    /// ```
    pub fn options(mut self, options: PublishOptions) -> Self {
        self.options = options;
        self
    }

    /// When it is published. Default: when the session is gone for good.
    ///
    /// ```
    /// use wampy::TestamentScope;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.add_testament("com.example.offline").scope(TestamentScope::Detached).await?;
    /// # client.close().await });
    /// ```
    pub fn scope(mut self, scope: TestamentScope) -> Self {
        self.scope = scope;
        self
    }

    async fn run(self) -> Result<(), Error> {
        let payload = self.values.finish()?;
        let (args, kwargs): (Value, Value) = (payload.args()?, payload.kwargs()?);
        let how = How {
            publish_options: options_value(&self.options)?,
            scope: self.scope,
        };
        let values = (&self.topic, args, kwargs);
        let record = TestamentRecord {
            arguments: Payload::encode(self.client.serializer(), &values, &how)?,
            scope: self.scope,
            topic: self.topic,
        };
        let shared = self.client.shared();
        let leaving = shared.leave_testament(record);
        let left = match shared.options.call_timeout {
            None => leaving.await,
            Some(after) => match tokio::time::timeout(after, leaving).await {
                Ok(left) => left,
                Err(_) => Err(timed_out(ADD_TESTAMENT, after)),
            },
        };
        left.map_err(|error| about(error, ADD_TESTAMENT))
    }
}

/// The named arguments of `wamp.session.add_testament`.
#[derive(Serialize)]
struct How {
    publish_options: Value,
    scope: TestamentScope,
}

/// Options of PUBLISH as a value.
fn options_value(options: &PublishOptions) -> Result<Value, PayloadError> {
    let mut json = Vec::new();
    options.write(&mut JsonWriter::new(&mut json));
    Payload::from_encoded(Serializer::Json, Vec::new(), json).kwargs()
}

impl IntoFuture for Testament {
    type Output = Result<(), Error>;
    type IntoFuture = RequestFuture<()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// A question for past events; made by [`Client::event_history`]. What its methods demand must all
/// hold.
#[must_use = "the router is asked when it is awaited"]
#[derive(Debug)]
pub struct EventHistory {
    client: Client,
    of: HistoryOf,
    match_policy: MatchPolicy,
    filter: Filter,
}

/// A subscription whose past events are asked for: its id, or its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryOf {
    /// The subscription with this id.
    Id(SubscriptionId),
    /// The subscription to this topic, or to this pattern.
    Topic(String),
}

impl From<SubscriptionId> for HistoryOf {
    fn from(id: SubscriptionId) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for HistoryOf {
    fn from(topic: &str) -> Self {
        Self::Topic(topic.to_owned())
    }
}

impl From<String> for HistoryOf {
    fn from(topic: String) -> Self {
        Self::Topic(topic)
    }
}

/// The named arguments of `wamp.subscription.get_events`.
#[derive(Debug, Default, Serialize)]
struct Filter {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reverse: bool,
    #[serde(flatten)]
    limits: BTreeMap<&'static str, Value>,
}

/// Writes the methods that set a limit: a name, the type of its argument, and its value.
macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident($argument:ident: $type:ty) = $value:expr, $example:literal;)*) => {$(
        $(#[$doc])*
        ///
        /// ```
        /// # use wampy::proto::PublicationId;
        /// # wampy::doc_example(async |url| {
        /// # let client = wampy::Client::connect(url).await?;
        /// # let events = client.subscribe("com.example.measured").await?;
        /// # let publication = PublicationId::try_from(1).unwrap();
        /// # let subscription = events.id().expect("the session is open");
        #[doc = concat!("let question = client.event_history(subscription).", stringify!($name), "(", $example, ");")]
        /// # drop(question);
        /// # client.close().await });
        /// ```
        pub fn $name(mut self, $argument: $type) -> Self {
            self.filter.limits.insert(stringify!($name), $value);
            self
        }
    )*};
}

impl EventHistory {
    limits! {
        /// At most so many events; the router has a limit of its own.
        limit(count: u64) = Value::Unsigned(count), "100";
        /// Only events of this topic, for a subscription by pattern.
        topic(topic: impl Into<String>) = Value::Text(topic.into()), "\"com.example.measured\"";
        /// Only events published at this time (RFC 3339) or later.
        from_time(time: impl Into<String>) = Value::Text(time.into()), "\"2026-02-28T23:59:59Z\"";
        /// Only events published after this time (RFC 3339).
        after_time(time: impl Into<String>) = Value::Text(time.into()), "\"2026-02-28T23:59:59Z\"";
        /// Only events published before this time (RFC 3339).
        before_time(time: impl Into<String>) = Value::Text(time.into()), "\"2026-02-28T23:59:59Z\"";
        /// Only events published at this time (RFC 3339) or earlier.
        until_time(time: impl Into<String>) = Value::Text(time.into()), "\"2026-02-28T23:59:59Z\"";
        /// Only this publication and later ones.
        from_publication(id: PublicationId) = Value::Unsigned(id.value()), "publication";
        /// Only publications later than this one.
        after_publication(id: PublicationId) = Value::Unsigned(id.value()), "publication";
        /// Only publications earlier than this one.
        before_publication(id: PublicationId) = Value::Unsigned(id.value()), "publication";
        /// Only this publication and earlier ones.
        until_publication(id: PublicationId) = Value::Unsigned(id.value()), "publication";
    }

    /// Whether the latest event comes first. Default: the oldest.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # let events = client.subscribe("com.example.measured").await?;
    /// # let subscription = events.id().expect("the session is open");
    /// let question = client.event_history(subscription).reverse(true);
    /// # drop(question);
    /// # client.close().await });
    /// ```
    pub fn reverse(mut self, reverse: bool) -> Self {
        self.filter.reverse = reverse;
        self
    }

    /// How the pattern is subscribed to, where the history is asked for by a pattern. Default: exactly.
    ///
    /// ```
    /// use wampy::proto::MatchPolicy;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let question = client.event_history("com.example.").match_policy(MatchPolicy::Prefix);
    /// # drop(question);
    /// # client.close().await });
    /// ```
    pub fn match_policy(mut self, match_policy: MatchPolicy) -> Self {
        self.match_policy = match_policy;
        self
    }

    async fn subscription(&self) -> Result<u64, Error> {
        let topic = match &self.of {
            HistoryOf::Id(id) => return Ok(id.value()),
            HistoryOf::Topic(topic) => topic,
        };
        let options = BTreeMap::from([("match", self.match_policy.as_str())]);
        let lookup = self.client.call("wamp.subscription.lookup");
        let found = lookup.args((topic, options)).await?;
        let found = found.value::<Option<u64>>()?;
        found.ok_or_else(|| WampError::new(error_uri::NO_SUCH_SUBSCRIPTION).into())
    }

    async fn run(self) -> Result<HistoryPage, Error> {
        let subscription = self.subscription().await?;
        let call = self.client.call("wamp.subscription.get_events");
        let call = call.args((subscription,)).kwargs(self.filter);
        let result = call.await?;
        Ok(HistoryPage {
            events: result.args()?,
            more: result.kwargs::<More>()?.more,
        })
    }
}

impl IntoFuture for EventHistory {
    type Output = Result<HistoryPage, Error>;
    type IntoFuture = RequestFuture<HistoryPage>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// The named result of `wamp.subscription.get_events`.
#[derive(Deserialize)]
struct More {
    #[serde(default)]
    more: bool,
}

/// Past events.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryPage {
    /// The events, the oldest first unless asked otherwise.
    pub events: Vec<PastEvent>,
    /// Whether others would follow that the limits left out: ask for those after the last one here.
    pub more: bool,
}

/// An event that was published in the past.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PastEvent {
    /// When it was published, in RFC 3339.
    pub timestamp: String,
    /// The publication's id.
    pub publication: u64,
    /// The details that its EVENT had.
    #[serde(default)]
    pub details: Value,
    #[serde(default)]
    args: Option<Value>,
    #[serde(default)]
    kwargs: Option<Value>,
}

impl PastEvent {
    /// The values, decoded as a list: a tuple or a `Vec`.
    ///
    /// ```
    /// # fn show(event: &wampy::PastEvent) -> Result<(), wampy::Error> {
    /// let (degrees,): (f64,) = event.args()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(self.payload()?.args()?)
    }

    /// The named values, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// # fn show(event: &wampy::PastEvent) -> Result<(), wampy::Error> {
    /// let named: HashMap<String, f64> = event.kwargs()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(self.payload()?.kwargs()?)
    }

    fn payload(&self) -> Result<Payload<'static>, Error> {
        Ok(Payload::encode(Serializer::Cbor, &self.args, &self.kwargs)?)
    }
}
