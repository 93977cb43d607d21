//! What can be set about a router before it starts.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use wampy_proto::Serializer;
use wampy_proto::uri::Grammar;
use wampy_realm::RealmConfig;
use wampy_transport::{ClientCertificates, ListenAddress, ListenAddressError, ServerTls};

use crate::error::StartError;
use crate::http::cookies::{CookieConfig, CookiePorts};
use crate::http::origins::Origins;
use crate::limits::Limits;
use crate::realms::Template;
use crate::router::Router;
use crate::settings::{Method, Methods, RealmSettings};

/// Where a router listens to which nothing else was said.
const ADDRESS_DEFAULT: &str = "localhost:8080";
/// The realm of a router to which no other was given.
const REALM_DEFAULT: &str = "realm1";

/// Sets up a [`Router`].
///
/// Everything has a default: a builder to which nothing was said listens on `localhost:8080` and
/// has the realm `realm1`.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct Builder {
    pub(crate) listen: Vec<Listening>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) client_certificates: ClientCertificates,
    pub(crate) realms: Vec<RealmSettings>,
    /// Whether there is a realm where none is given: a file that says nothing opens nothing.
    pub(crate) has_default_realm: bool,
    pub(crate) auto_create_realms: bool,
    pub(crate) auto_created_realms: RealmSettings,
    pub(crate) serializers: Vec<Serializer>,
    pub(crate) compress: bool,
    pub(crate) limits: Limits,
    pub(crate) realm_config: RealmConfig,
    pub(crate) store: Option<PathBuf>,
    pub(crate) any_request_id: bool,
    pub(crate) rawsocket_ping: bool,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) longpoll: bool,
    pub(crate) cookie: Option<CookieConfig>,
}

/// Where to listen, and by which methods clients may authenticate there.
#[derive(Debug, Clone)]
pub(crate) struct Listening {
    address: String,
    methods: Methods,
}

/// Where a certificate and its key are.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls: None,
            client_certificates: ClientCertificates::Unwanted,
            realms: Vec::new(),
            has_default_realm: true,
            auto_create_realms: false,
            auto_created_realms: RealmSettings::new(""),
            serializers: Serializer::ALL.to_vec(),
            compress: false,
            limits: Limits::default(),
            realm_config: RealmConfig::default(),
            store: None,
            any_request_id: false,
            rawsocket_ping: false,
            allowed_origins: vec!["*".to_owned()],
            longpoll: true,
            cookie: None,
        }
    }
}

impl Builder {
    /// Listens on `address`: `HOST:PORT`, `plain:HOST:PORT` (without TLS also where there is a
    /// certificate) or `unix:PATH`. May be said several times.
    ///
    /// `localhost` means 127.0.0.1 and ::1; port 0 picks a free one. Default: `localhost:8080`.
    pub fn listen(self, address: impl Into<String>) -> Self {
        self.listen_by(address, Methods::ALL)
    }

    /// Listens on `address` for clients that authenticate by one of these methods: there every realm
    /// is as if it had no others. So some may be for a port that only few can reach, such as
    /// [`Method::Anonymous`] on a Unix socket beside [`Method::Ticket`] on a public port. What a client
    /// may do later is a matter of its role, wherever it came from.
    pub fn listen_for(
        self,
        address: impl Into<String>,
        methods: impl IntoIterator<Item = Method>,
    ) -> Self {
        self.listen_by(address, methods.into_iter().collect())
    }

    fn listen_by(mut self, address: impl Into<String>, methods: Methods) -> Self {
        let address = address.into();
        self.listen.push(Listening { address, methods });
        self
    }

    /// Speaks TLS, and nothing else, on every TCP port whose address does not begin with `plain:`.
    /// Both files are PEM: the certificate, with those of the authorities between it and a trusted
    /// one behind it, and its private key. They are read when the router starts, and again by
    /// [`Router::reload`]. Unix sockets stay plain. Default: no TLS.
    pub fn tls(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some(TlsFiles {
            certificate: certificate.into(),
            key: key.into(),
        });
        self
    }

    /// Asks clients on the ports with TLS for certificates of their own, for the authmethod `tls`.
    /// Default: no.
    pub fn client_certificates(mut self, clients: ClientCertificates) -> Self {
        self.client_certificates = clients;
        self
    }

    /// Has a realm called `name`, which everybody may join. May be said several times. Default:
    /// `realm1`.
    pub fn realm(self, name: impl Into<String>) -> Self {
        self.realm_with(RealmSettings::new(name))
    }

    /// Has a realm with settings of its own. May be said several times.
    pub fn realm_with(mut self, settings: RealmSettings) -> Self {
        self.realms.push(settings);
        self
    }

    /// Whether a client that asks for a realm that does not exist brings it into being, up to
    /// [`Limits::auto_created_realms_max`]. Else it gets ABORT `wamp.error.no_such_realm`.
    /// Default: no.
    pub fn auto_create_realms(mut self, yes: bool) -> Self {
        self.auto_create_realms = yes;
        self
    }

    /// What the realms are like that clients bring into being; the name counts for nothing. A client
    /// does so only after it was let in. Default: everybody may join.
    pub fn auto_created_realms_with(mut self, settings: RealmSettings) -> Self {
        self.auto_created_realms = settings;
        self
    }

    /// Speaks only these serializers. Default: all.
    pub fn serializers(mut self, serializers: impl Into<Vec<Serializer>>) -> Self {
        self.serializers = serializers.into();
        self
    }

    /// Whether messages are compressed for WebSocket clients that ask for it (RFC 7692,
    /// permessage-deflate), and theirs are taken. Worth it where the network is the bottleneck:
    /// compressing costs far more than routing, and happens while the realm routes. An event is
    /// compressed once for all its subscribers, and idle connections hold no more memory. What
    /// [`Limits::message_bytes_max`] limits is the size after decompression. Who chooses a part of a
    /// message and sees how long it becomes can guess at the rest, also through TLS. Default: no.
    pub fn compress(mut self, yes: bool) -> Self {
        self.compress = yes;
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the policies of every realm. Its limits per session, and of sessions, are not taken
    /// from here but from [`Limits`].
    pub fn realm_config(mut self, config: RealmConfig) -> Self {
        self.realm_config = config;
        self
    }

    /// Keeps the retained events and the event history of every realm in the directory `path`, which
    /// is made if it is not there, so that they outlive the router. What is to be kept is written
    /// before it is acknowledged: then it outlives the death of the process, also by SIGKILL; it
    /// outlives that of the whole machine once the operating system has written it to disk, as it does
    /// within seconds. What nobody asked to be acknowledged is written soon
    /// ([`Limits::store_queue_bytes_max`]), and before the router ends in order. One router at a time may use a directory. Realms are told apart by their names;
    /// what was kept of a realm that is not served waits until it is, or is dropped
    /// ([`StoreContents::forget`](crate::StoreContents::forget)). Default: in memory only.
    pub fn store(mut self, path: impl Into<PathBuf>) -> Self {
        self.store = Some(path.into());
        self
    }

    /// A leniency: whether requests may have any id, as wampy 1 draws them at random. Else they
    /// must be 1, 2, 3, … in each session, as the specification wants it, and a client that does
    /// otherwise gets ABORT `wamp.error.protocol_violation`. Callers that announce progressive call
    /// invocations must count in any case. Default: no.
    pub fn any_request_id(mut self, yes: bool) -> Self {
        self.any_request_id = yes;
        self
    }

    /// A leniency: whether the calls of clients like wampy 1, which take the answer to a CANCEL for
    /// an error, end without it. See [`RealmConfig::silent_cancel`]. Default: no.
    pub fn silent_cancel(mut self, yes: bool) -> Self {
        self.realm_config.silent_cancel = yes;
        self
    }

    /// A leniency: whether callees that cannot be interrupted are asked for progressive results, as
    /// those of autobahn-js and wampy.js are. See [`RealmConfig::progress_without_canceling`].
    /// Default: no.
    pub fn progress_without_canceling(mut self, yes: bool) -> Self {
        self.realm_config.progress_without_canceling = yes;
        self
    }

    /// Whether RawSocket peers are pinged like WebSocket peers. Some clients take the PING frame
    /// that the specification demands of them for an oversized message and close, so the default
    /// is no: a vanished RawSocket peer is noticed by TCP's own keepalive.
    pub fn rawsocket_ping(mut self, yes: bool) -> Self {
        self.rawsocket_ping = yes;
        self
    }

    /// Lets browsers talk to the router only from pages of these origins: `https://example.com`,
    /// `http://localhost:8000`, `https://*.example.com`, or `*` for all. Others get HTTP 403. Holds
    /// for WebSockets and for HTTP; clients that are no browsers send no origin and are not concerned.
    /// Default: `*`.
    pub fn allowed_origins(mut self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the router serves the HTTP long-poll transport, at the base paths `/longpoll` (as the
    /// specification has it) and `/lp` (as Crossbar.io has it, and autobahn-js needs it: success
    /// without content is said by 204 there, else by 202). Default: yes.
    pub fn longpoll(mut self, yes: bool) -> Self {
        self.longpoll = yes;
        self
    }

    /// Gives every client of WebSocket and of long-polling a cookie, by which it can authenticate
    /// later as who it was (authmethod `cookie`). The router keeps them in memory, at most
    /// [`Limits::cookies_max`]. Default: no cookie.
    pub fn cookie(mut self, cookie: CookieConfig) -> Self {
        self.cookie = Some(cookie);
        self
    }

    /// The names of the realms, in the order in which they were given.
    pub fn realm_names(&self) -> impl Iterator<Item = &str> {
        let given = self.realms.iter().map(|realm| realm.name.as_str());
        given.chain(self.lacks_realm().then_some(REALM_DEFAULT))
    }

    /// Whether it gets the default realm.
    fn lacks_realm(&self) -> bool {
        self.realms.is_empty() && self.has_default_realm
    }

    /// Where clients on this host will find the router: its first TCP address, or else its first
    /// one. `None` if that is not known before the start, because the port is 0.
    ///
    /// # Errors
    /// [`StartError`]: it is no address.
    pub fn url(&self) -> Result<Option<String>, StartError> {
        let given = self.listen.iter().map(|it| it.address.as_str());
        let default = self.listen.is_empty().then_some(ADDRESS_DEFAULT);
        let parsed = given.chain(default).map(str::parse);
        let addresses = parsed.collect::<Result<Vec<ListenAddress>, _>>()?;
        let is_tcp = |address: &&ListenAddress| matches!(address, ListenAddress::Tcp { .. });
        let first = addresses.iter().find(is_tcp).or(addresses.first());
        Ok(match first {
            Some(ListenAddress::Tcp { port: 0, .. }) | None => None,
            Some(ListenAddress::Unix(path)) => Some(format!("unix://{}", path.display())),
            Some(ListenAddress::Tcp {
                host,
                port,
                always_plain,
            }) => {
                let scheme = match self.tls.is_some() && !always_plain {
                    true => "wss",
                    false => "ws",
                };
                let host = match host.as_str() {
                    "0.0.0.0" => "127.0.0.1".to_owned(),
                    "::" => "[::1]".to_owned(),
                    host if host.contains(':') => format!("[{host}]"),
                    host => host.to_owned(),
                };
                Some(format!("{scheme}://{host}:{port}/"))
            }
        })
    }

    /// Starts the router on the runtime of the caller.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong with the settings, or why the router cannot listen.
    pub async fn start(self) -> Result<Router, StartError> {
        if Handle::try_current().is_err() {
            return Err(StartError::NoRuntime);
        }
        Router::start(self.checked()?).await
    }

    /// Checks the settings as [`start`](Self::start) does, files included, and listens nowhere.
    ///
    /// # Errors
    /// [`StartError`] says what is wrong with the settings.
    pub fn check(&self) -> Result<(), StartError> {
        self.clone().checked().map(drop)
    }

    /// The settings with the defaults filled in.
    pub(crate) fn checked(mut self) -> Result<Checked, StartError> {
        if self.listen.is_empty() {
            self = self.listen(ADDRESS_DEFAULT);
        }
        if self.lacks_realm() {
            self.realms.push(RealmSettings::new(REALM_DEFAULT));
        }
        if self.serializers.is_empty() {
            return Err(StartError::NoSerializer);
        }
        if let Some(problem) = self.limits.problem() {
            return Err(StartError::Limits(problem));
        }
        let origins = Origins::parse(&self.allowed_origins).map_err(StartError::Origin)?;
        self.check_cookie(&origins)?;
        let listen = self
            .listen
            .iter()
            .map(|it| Ok((it.address.parse()?, it.methods)))
            .collect::<Result<_, StartError>>()?;
        let tls = self.tls.as_ref();
        let tls = tls.map(|files| {
            ServerTls::from_files(&files.certificate, &files.key, &self.client_certificates)
        });
        let tls = tls.transpose()?;
        self.check_realms()?;
        let realms = self
            .realms
            .iter()
            .map(|settings| Ok((settings.name.clone(), self.template(settings)?)))
            .collect::<Result<Vec<_>, StartError>>()?;
        let template = self.template(&self.auto_created_realms)?;
        self.check_cookies(&realms, &template)?;
        Ok(Checked {
            listen,
            tls,
            origins,
            realms,
            template,
            builder: self,
        })
    }

    /// How many realms clients may bring into being.
    pub(crate) const fn auto_created_max(&self) -> usize {
        if self.auto_create_realms {
            self.limits.auto_created_realms_max
        } else {
            0
        }
    }

    /// Where browsers come in.
    pub(crate) fn cookie_ports(&self) -> Result<CookiePorts, ListenAddressError> {
        let has_tls = self.tls.is_some();
        let given = self.listen.iter().map(|it| it.address.as_str());
        let default = self.listen.is_empty().then_some(ADDRESS_DEFAULT);
        let mut ports = Vec::new();
        for address in given.chain(default) {
            if let ListenAddress::Tcp { always_plain, .. } = address.parse()? {
                ports.push(has_tls && !always_plain);
            }
        }
        Ok(CookiePorts::of(ports))
    }

    /// Checks that browsers take the cookie.
    fn check_cookie(&self, origins: &Origins) -> Result<(), StartError> {
        let Some(cookie) = &self.cookie else {
            return Ok(());
        };
        let ports = self.cookie_ports()?;
        match cookie.problem(origins.are_any(), ports) {
            Some(problem) => Err(StartError::Cookie(problem)),
            None => {
                if let Some(warning) = cookie.warning(ports) {
                    tracing::warn!("{warning}");
                }
                Ok(())
            }
        }
    }

    /// Checks that there is a cookie where clients may authenticate by one.
    fn check_cookies(
        &self,
        realms: &[(String, Template)],
        other: &Template,
    ) -> Result<(), StartError> {
        let templates = realms.iter().map(|(_, template)| template);
        let mut accesses = templates.chain([other]).map(|template| &template.access);
        if self.cookie.is_none() && accesses.any(|access| access.is_by(Method::Cookie)) {
            let problem = "the authmethod `cookie` needs a cookie that the router sets";
            return Err(StartError::Cookie(problem.to_owned()));
        }
        Ok(())
    }

    fn check_realms(&self) -> Result<(), StartError> {
        let name_bytes_max = self.realm_config.uri_bytes_max;
        for (at, realm) in self.realms.iter().enumerate() {
            let name = &realm.name;
            if !Grammar::Loose.accepts(name) || name.len() > name_bytes_max {
                return Err(StartError::RealmName(name.clone()));
            }
            if self.realms[..at]
                .iter()
                .any(|earlier| earlier.name == *name)
            {
                return Err(StartError::SameRealm(name.clone()));
            }
        }
        Ok(())
    }

    /// What a realm with these settings is made from.
    fn template(&self, settings: &RealmSettings) -> Result<Template, StartError> {
        let config = settings.config.as_ref().unwrap_or(&self.realm_config);
        for keeping in [&config.event_retention, &config.event_history] {
            keeping.check().map_err(|problem| StartError::Keeping {
                realm: settings.name.clone(),
                problem,
            })?;
        }
        let limits = &self.limits;
        let config = RealmConfig {
            sessions_max: limits.sessions_max,
            pending_calls_per_session_max: limits.pending_calls_per_session_max,
            registrations_per_session_max: limits.registrations_per_session_max,
            subscriptions_per_session_max: limits.subscriptions_per_session_max,
            ..config.clone()
        };
        Ok(Template {
            access: Arc::new(settings.access(&config.roles)?),
            config,
        })
    }
}

/// Settings that make sense.
pub(crate) struct Checked {
    pub(crate) listen: Vec<(ListenAddress, Methods)>,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) origins: Origins,
    pub(crate) realms: Vec<(String, Template)>,
    pub(crate) template: Template,
    pub(crate) builder: Builder,
}
