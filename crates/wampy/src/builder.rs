//! How a client is to be: everything that can be chosen before it connects.
//!
//! Here is what it is to say and to hold. Deliberately absent: whom it is to be (`identity`), how it
//! is to reach its router (`network`), and how long it is to wait (`timing`).

mod identity;
mod network;
mod timing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wampy_proto::end_to_end::{Cipher, Keyring};
use wampy_proto::message::HelloDetails;
use wampy_proto::{Message, Role, Roles, Serializer};
use wampy_transport::{ConnectOptions, Url};

use crate::auth::{Auth, Authentication};
use crate::client::Client;
use crate::error::Error;
use crate::limits::Limits;
use crate::options::{Observer, Options};
use crate::reconnect::Reconnect;
use crate::session;

/// Builds a [`Client`]; made by [`Client::builder`].
///
/// ```
/// use wampy::{Client, Reconnect, proto::Serializer};
///
/// # wampy::doc_example(async |url| {
/// let client = Client::builder(url)
///     .realm("realm1")
///     .serializer(Serializer::Cbor)
///     .reconnect(Reconnect::default())
///     .connect()
///     .await?;
/// # client.close().await });
/// ```
#[derive(Clone)]
pub struct Builder {
    url: String,
    realm: String,
    roles: Vec<Role>,
    hello: HelloDetails,
    auth: Vec<Auth>,
    connect: ConnectOptions,
    call_timeout: Option<Duration>,
    close_timeout: Duration,
    ping_interval: Option<Duration>,
    pings_rawsocket: bool,
    ping_timeout: Duration,
    reconnect: Option<Reconnect>,
    limits: Limits,
    keys: Keyring,
    cipher: Cipher,
    observer: Option<Observer>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("url", &self.url)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(url: String) -> Self {
        let hello = HelloDetails {
            agent: Some(concat!("wampy/", env!("CARGO_PKG_VERSION")).into()),
            ..HelloDetails::default()
        };
        Self {
            url,
            realm: "realm1".to_owned(),
            roles: Role::CLIENT.to_vec(),
            hello,
            auth: Vec::new(),
            connect: ConnectOptions::default(),
            call_timeout: None,
            close_timeout: Duration::from_secs(2),
            ping_interval: Some(Duration::from_secs(30)),
            pings_rawsocket: false,
            ping_timeout: Duration::from_secs(10),
            reconnect: None,
            limits: Limits::default(),
            keys: Keyring::default(),
            cipher: Cipher::default(),
            observer: None,
        }
    }

    /// The realm to join. Default `realm1`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).realm("realm1").connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// The only serializer to offer. By default the router chooses among all.
    ///
    /// ```
    /// use wampy::proto::Serializer;
    ///
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).serializer(Serializer::Json).connect().await?;
    /// assert_eq!(client.serializer(), Serializer::Json);
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn serializer(self, serializer: Serializer) -> Self {
        self.serializers([serializer])
    }

    /// The serializers to offer, the preferred first. Default MessagePack, CBOR, JSON.
    ///
    /// ```
    /// use wampy::proto::Serializer;
    ///
    /// # wampy::doc_example(async |url| {
    /// let offer = [Serializer::Cbor, Serializer::Json];
    /// let client = wampy::Client::builder(url).serializers(offer).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn serializers(mut self, serializers: impl IntoIterator<Item = Serializer>) -> Self {
        self.connect.serializers = serializers.into_iter().collect();
        self
    }

    /// The roles to announce. Default all four of a client.
    ///
    /// ```
    /// use wampy::proto::Role;
    ///
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).roles([Role::Caller]).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn roles(mut self, roles: impl IntoIterator<Item = Role>) -> Self {
        self.roles = roles.into_iter().collect();
        self
    }

    /// The software to announce. Default `wampy/` and its version.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).agent("thermometer/1.0").connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn agent(mut self, agent: impl Into<Box<str>>) -> Self {
        self.hello.agent = Some(agent.into());
        self
    }

    /// How much the client holds at most.
    ///
    /// ```
    /// use wampy::Limits;
    ///
    /// # wampy::doc_example(async |url| {
    /// let limits = Limits { queue_events_max: 100, ..Limits::default() };
    /// let client = wampy::Client::builder(url).limits(limits).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.connect.message_bytes_max = limits.message_bytes_max;
        self.limits = limits;
        self
    }

    /// The keys for end-to-end encryption: with them the client opens what others have sealed, and
    /// seals what it is told to ([`Call::encrypt`](crate::Call::encrypt),
    /// [`Publish::encrypt`](crate::Publish::encrypt)).
    ///
    /// A handler gets sealed calls opened, and its results and errors are sealed with the same key.
    /// What cannot be opened is not handed out: an event is left out
    /// ([`Subscription::undecryptable`](crate::Subscription::undecryptable) counts them), the caller
    /// of a procedure gets [`DECRYPTION_FAILED`](crate::DECRYPTION_FAILED), and a call of one's own
    /// fails with [`Error::Decryption`].
    ///
    /// Whoever relies on it that a payload was encrypted asks `is_encrypted` of the event or
    /// invocation: plain ones are handed out as ever.
    ///
    /// ```
    /// use wampy::proto::end_to_end::{DataKey, Keyring};
    ///
    /// # wampy::doc_example(async |url| {
    /// let keys = Keyring::from([DataKey::with_id("2026", [7; 32])]);
    /// let client = wampy::Client::builder(url).keys(keys).connect().await?;
    /// let mut events = client.subscribe("com.example.secret").await?;
    /// client.publish("com.example.secret").args(("psst",)).encrypt("2026").exclude_me(false).await?;
    /// let event = events.next().await.expect("the session is open");
    /// assert!(event.is_encrypted());
    /// assert_eq!(event.args::<(String,)>()?.0, "psst");
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn keys(mut self, keys: Keyring) -> Self {
        self.keys = keys;
        self
    }

    /// How calls and events are encrypted. Default XSalsa20-Poly1305. Answers to sealed calls are
    /// encrypted as the call was.
    ///
    /// ```
    /// use wampy::proto::end_to_end::{Cipher, DataKey, Keyring};
    ///
    /// # wampy::doc_example(async |url| {
    /// let keys = Keyring::from([DataKey::with_id("2026", [7; 32])]);
    /// let builder = wampy::Client::builder(url).keys(keys).cipher(Cipher::Aes256Gcm);
    /// let client = builder.connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn cipher(mut self, cipher: Cipher) -> Self {
        self.cipher = cipher;
        self
    }

    /// Gets every message of the router that answers none of the client's own requests: answers
    /// to messages sent with [`Client::send`], and what belongs to registrations and subscriptions
    /// made that way. And every CHALLENGE, which the client answers by itself. Runs on the task that
    /// reads the socket, so it must not wait.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).observer(|message| println!("{message:?}"));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(&Message<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Connects and joins the realm.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).connect().await?;
    /// println!("session {}", client.session_id());
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// [`Error::Connect`] if there is no connection, [`Error::Aborted`] if the router refuses the
    /// session, [`Error::PeerMisbehaved`] if it is no WAMP router, [`Error::Misuse`] if the URL or
    /// an option makes no sense.
    pub async fn connect(self) -> Result<Client, Error> {
        session::start(self.options()?).await
    }

    /// The methods that need no answer to a challenge.
    fn authmethods_without_proof(&self) -> Box<[Box<str>]> {
        #[cfg(feature = "tls")]
        if self.connect.tls.client_certificate.is_some() {
            return Box::new(["tls".into(), "anonymous".into()]);
        }
        Box::new(["anonymous".into()])
    }

    fn options(mut self) -> Result<Options, Error> {
        let url: Url = self
            .url
            .parse()
            .map_err(|error| Error::misuse(format!("{error}")))?;
        if self.connect.serializers.is_empty() {
            return Err(Error::misuse("no serializer is offered"));
        }
        if self.roles.is_empty() {
            return Err(Error::misuse("a client needs at least one role"));
        }
        let (authentication, authid) =
            Authentication::new(std::mem::take(&mut self.auth), self.hello.authid.as_deref())?;
        self.hello.authid = authid.map(Into::into);
        let offers_cookie = self.connect.cookies.is_some() && self.hello.authmethods.is_none();
        if authentication.means.is_empty() && self.hello.authmethods.is_none() {
            self.hello.authmethods = Some(self.authmethods_without_proof());
        }
        let pings = match url.scheme().framing {
            wampy_transport::Framing::WebSocket => true,
            wampy_transport::Framing::RawSocket => self.pings_rawsocket,
            wampy_transport::Framing::LongPoll => false,
        };
        Ok(Options {
            url,
            realm: self.realm,
            hello: HelloDetails {
                roles: Roles::announced(&self.roles),
                ..self.hello
            },
            authentication,
            offers_cookie,
            connect: self.connect,
            call_timeout: self.call_timeout,
            close_timeout: self.close_timeout,
            ping_interval: self.ping_interval.filter(|_| pings),
            ping_timeout: self.ping_timeout,
            reconnect: self.reconnect,
            limits: self.limits,
            keys: self.keys,
            cipher: self.cipher,
            observer: self.observer,
        })
    }
}
