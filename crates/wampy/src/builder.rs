//! How a client is to be: everything that can be chosen before it connects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wampy_proto::end_to_end::{Cipher, Keyring};
use wampy_proto::message::HelloDetails;
use wampy_proto::{Message, Role, Roles, Serializer, Value};
use wampy_transport::{ConnectOptions, CookieJar, Url};

use crate::auth::{Auth, Authentication};
use crate::client::Client;
use crate::error::Error;
use crate::limits::Limits;
use crate::reconnect::Reconnect;
use crate::session;

/// Gets the messages that answer none of the client's own requests.
pub(crate) type Observer = Arc<dyn Fn(&Message<'_>) + Send + Sync>;

/// Everything that was chosen, as the session needs it.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) url: Url,
    pub(crate) realm: String,
    pub(crate) hello: HelloDetails,
    pub(crate) authentication: Authentication,
    pub(crate) connect: ConnectOptions,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) close_timeout: Duration,
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) ping_timeout: Duration,
    pub(crate) reconnect: Option<Reconnect>,
    pub(crate) limits: Limits,
    pub(crate) keys: Keyring,
    pub(crate) cipher: Cipher,
    pub(crate) observer: Option<Observer>,
    /// Whether the authmethod `cookie` is offered once there is a cookie.
    pub(crate) offers_cookie: bool,
}

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

    /// Proves who the client is. Said several times, the client can do several methods, the
    /// preferred first; a router that wants two factors asks for one after the other.
    ///
    /// ```
    /// use wampy::auth::{Scram, WampCra};
    ///
    /// let builder = wampy::Client::builder("wss://localhost")
    ///     .auth(Scram::new("ada", "enchantress"))
    ///     .auth(WampCra::new("ada", "enchantress"));
    /// # drop(builder);
    /// ```
    #[must_use]
    pub fn auth(mut self, method: impl Into<Auth>) -> Self {
        self.auth.push(method.into());
        self
    }

    /// The authentication methods to offer, the preferred first. Default those of
    /// [`Builder::auth`], or else `anonymous`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).authmethods(["anonymous"]).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authmethods<T: Into<Box<str>>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.hello.authmethods = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Whom the client claims to be.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).authid("ada").connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authid(mut self, authid: impl Into<Box<str>>) -> Self {
        self.hello.authid = Some(authid.into());
        self
    }

    /// What the authentication method needs beyond that: a map.
    ///
    /// ```
    /// use wampy::proto::Value;
    ///
    /// # wampy::doc_example(async |url| {
    /// let extra = Value::Map(vec![("device".to_owned(), Value::Unsigned(7))]);
    /// let client = wampy::Client::builder(url).authextra(extra).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn authextra(mut self, authextra: Value) -> Self {
        self.hello.authextra = Some(authextra);
        self
    }

    /// Whether to ask the router for compression (RFC 7692, permessage-deflate). Messages of 512
    /// bytes and more are then compressed both ways, if the router agrees; `wampy router` does with
    /// `--compress`. Only over WebSocket. Default false.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).compress(true).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn compress(mut self, yes: bool) -> Self {
        self.connect.compress = yes;
        self
    }

    /// Whether to prefer that messages which are sent together share WebSocket frames, or requests of
    /// long-polling: the subprotocols `wamp.2.*.batched`. It pays where frames are dear, as on some proxies and with
    /// compression, which then finds more to compress. A router that knows no batches is spoken to
    /// without. Default false.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).batched(true).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn batched(mut self, yes: bool) -> Self {
        self.connect.batched = yes;
        self
    }

    /// A jar for the cookies that the router sets, over WebSocket and long-polling. Once it has one for
    /// the router, the client offers the authmethod `cookie` before all others (unless
    /// [`Builder::authmethods`] says what to offer, or the router has to prove itself): so who has
    /// authenticated once is known again, when the client reconnects and for every client that shares the
    /// jar. Default: no cookies.
    ///
    /// ```
    /// use wampy::CookieJar;
    ///
    /// # wampy::doc_example(async |url| {
    /// let jar = CookieJar::new();
    /// let client = wampy::Client::builder(url).cookies(jar.clone()).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn cookies(mut self, jar: CookieJar) -> Self {
        self.connect.cookies = Some(jar);
        self
    }

    /// A further header of the WebSocket handshake, such as `Origin` or `Cookie`.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).header("Origin", "http://localhost");
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.connect.headers.push((name.into(), value.into()));
        self
    }

    /// A PEM file of certificates to trust for `wss` and `rss`, beside those that the operating
    /// system trusts: of an authority, or of a router that signed its own.
    ///
    /// ```
    /// let builder = wampy::Client::builder("wss://localhost").ca_file("ca.pem");
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.connect.tls.ca_files.push(path.into());
        self
    }

    /// The PEM files of a certificate and of its private key, which the client shows to a router
    /// that asks for one. Without [`Builder::auth`] the client then is whom the certificate names
    /// (authmethod `tls`), if the router knows it, or else anonymous.
    ///
    /// ```
    /// let builder = wampy::Client::builder("wss://localhost")
    ///     .client_certificate("client.pem", "client.key");
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn client_certificate(
        mut self,
        certificate: impl Into<std::path::PathBuf>,
        key: impl Into<std::path::PathBuf>,
    ) -> Self {
        self.connect.tls.client_certificate = Some(wampy_transport::ClientCertificate {
            certificate: certificate.into(),
            key: key.into(),
        });
        self
    }

    /// Whether to trust the certificate authorities of the operating system. Default true.
    ///
    /// ```
    /// let builder =
    ///     wampy::Client::builder("wss://localhost").ca_file("ca.pem").system_authorities(false);
    /// # drop(builder);
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn system_authorities(mut self, trusted: bool) -> Self {
        self.connect.tls.system_authorities = trusted;
        self
    }

    /// Connects only over this version of IP. By default all addresses of the host are tried.
    ///
    /// ```
    /// use wampy::IpVersion;
    ///
    /// # wampy::doc_example(async |url| {
    /// let client = wampy::Client::builder(url).ip_version(IpVersion::V4).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn ip_version(mut self, version: wampy_transport::IpVersion) -> Self {
        self.connect.ip_version = Some(version);
        self
    }

    /// How long a call may take unless it says so itself. Default: without end.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let ten_seconds = Duration::from_secs(10);
    /// let client = wampy::Client::builder(url).call_timeout(ten_seconds).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.call_timeout = Some(timeout);
        self
    }

    /// How long connecting and joining the realm may take together. Default 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).connect_timeout(Duration::from_secs(3));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect.timeout = timeout;
        self
    }

    /// How long a goodbye may take before the connection is closed without it. Default 2 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).close_timeout(Duration::from_millis(500));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How long the router may be silent before the client pings it; `None` for never. If nothing
    /// comes within [`Builder::ping_timeout`] of a ping, the connection counts as lost.
    ///
    /// Default 30 s over WebSocket. Over RawSocket the client does not ping unless this is called,
    /// because some routers take a RawSocket ping for an error; TCP's own keepalive watches the
    /// connection there.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).ping_interval(Some(Duration::from_secs(5)));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn ping_interval(mut self, interval: Option<Duration>) -> Self {
        self.ping_interval = interval;
        self.pings_rawsocket = true;
        self
    }

    /// How long the router may take to answer a ping. Default 10 s.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # wampy::doc_example(async |url| {
    /// let builder = wampy::Client::builder(url).ping_timeout(Duration::from_secs(2));
    /// # builder.connect().await?.close().await });
    /// ```
    #[must_use]
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.ping_timeout = timeout;
        self
    }

    /// Gets a new session when one is lost, and restores registrations and subscriptions in it.
    /// Off by default: a program that runs once wants to know instead.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// let reconnect = wampy::Reconnect::default();
    /// let client = wampy::Client::builder(url).reconnect(reconnect).connect().await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = Some(reconnect);
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
