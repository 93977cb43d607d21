//! `wampy router`: runs a router until it is told to stop.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;
use wampy::proto::Serializer;
use wampy_router::{
    BoundAddress, Builder, ConfigError, Limits, Reloaded, Router as Server, StartError,
};

use super::Ended;
use super::convert_config::Reading;
use super::signals::{Asked, Signals};
use crate::connection::serializer;
use crate::exit::UsageError;
use crate::open_files;
use crate::say::say;

/// Run a router.
///
/// Without arguments it listens on this machine only: localhost, port 8080, realm `realm1`,
/// WebSocket and RawSocket, and everybody may do everything. Users, roles and permissions stand in
/// a configuration file: see docs/configuration.md. SIGINT (Ctrl-C) and SIGTERM end all sessions in
/// order; SIGHUP has the configuration file read again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy router
  wampy router --listen 0.0.0.0:8080 --realm shop --realm warehouse
  wampy router --listen '[::1]:0' --listen unix:/run/wampy.sock
  wampy router --listen 0.0.0.0:443 --tls-cert fullchain.pem --tls-key privkey.pem
  wampy router --lenient                 # serves wampy 1.x
  wampy router --config wampy.toml       # users, roles, permissions
  wampy router --crossbar-config .crossbar/config.json")]
pub(crate) struct Router {
    /// Take all settings from this file (TOML). No other setting can be given beside it.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "listen", "tls_cert", "realm", "auto_create_realms", "serializer", "compress", "lenient",
        "store",
        "LimitArguments",
    ], group = "file")]
    config: Option<PathBuf>,
    #[command(flatten)]
    crossbar: CrossbarArguments,
    /// Say what is wrong with the configuration file, and do not run.
    #[arg(long, requires = "file")]
    check_config: bool,
    /// Where to listen: HOST:PORT (port 0 picks a free one), plain:HOST:PORT (without TLS in any
    /// case) or unix:PATH; may be repeated.
    #[arg(long, value_name = "ADDRESS", default_value = "localhost:8080")]
    listen: Vec<String>,
    /// A certificate (PEM, with its intermediate ones). TCP ports then speak TLS only: wss and rss.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A realm to serve; may be repeated.
    #[arg(long, value_name = "NAME", default_value = "realm1")]
    realm: Vec<String>,
    /// Let a client that asks for another realm bring it into being.
    #[arg(long)]
    auto_create_realms: bool,
    /// Keep retained events and event history in this directory, so that they outlive the router.
    #[arg(long, value_name = "DIRECTORY")]
    store: Option<PathBuf>,
    /// A serializer to offer; may be repeated. All, if not given.
    #[arg(long, value_parser = serializer())]
    serializer: Vec<Serializer>,
    /// Compress messages for WebSocket clients that ask for it (permessage-deflate).
    ///
    /// Saves bandwidth and costs far more time than routing does.
    #[arg(long)]
    compress: bool,
    /// Tolerate a habit of old clients; may be repeated. Without a value: all of them.
    #[arg(long, value_enum, value_name = "HABIT", num_args = 0..=1, default_missing_value = "all")]
    lenient: Vec<Habit>,
    /// What to log: error, warn, info, debug or trace, or targets with levels.
    #[arg(long, value_name = "FILTER", env = "WAMPY_LOG", default_value = "warn")]
    log: String,
    #[command(flatten)]
    limits: LimitArguments,
}

/// A node configuration of Crossbar.io instead of our own.
#[derive(Debug, Args)]
struct CrossbarArguments {
    /// Take all settings from a node configuration of Crossbar.io (JSON or YAML; of a directory its
    /// config.json). See docs/crossbar-config.md.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "config", "listen", "tls_cert", "realm", "auto_create_realms", "serializer", "compress",
        "lenient", "store", "LimitArguments",
    ], groups = ["file", "node"])]
    crossbar_config: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// What the router can be told to tolerate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Habit {
    /// All that follow.
    All,
    /// Request ids need not be 1, 2, 3, …
    RequestIds,
    /// Clients that announce call timeouts for every role and no call canceling (wampy 1.x) get
    /// no error for a call that they cancel, and their callees mind the timeout.
    SilentCancel,
    /// Callees that announce progressive call results but no call canceling (autobahn-js,
    /// wampy.js) are asked for progressive results.
    ProgressWithoutCanceling,
}

/// The router's limits; see [`Limits`].
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArguments {
    /// Connections at once, sessions or not. One more is refused.
    #[arg(long, value_name = "CONNECTIONS", default_value_t = Limits::default().connections_max)]
    connections_max: usize,
    /// Connections at once from one address (IPv6: one /64), but for loopback. One more is refused.
    #[arg(long, value_name = "CONNECTIONS",
        default_value_t = Limits::default().connections_per_address_max)]
    connections_per_address_max: usize,
    /// Sessions at once, over all realms. One more is refused.
    #[arg(long, value_name = "SESSIONS", default_value_t = Limits::default().sessions_max)]
    sessions_max: usize,
    /// Largest message that a client may send. A larger one ends its connection.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().message_bytes_max)]
    message_bytes_max: usize,
    /// Bytes that wait for one session. One that does not read, and would need more, is cut off.
    #[arg(long, value_name = "BYTES",
        default_value_t = Limits::default().outbound_bytes_per_session_max)]
    outbound_bytes_per_session_max: usize,
    /// Bytes that wait for all sessions that do not read. Beyond, those with more than their even
    /// share are cut off.
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().outbound_bytes_max)]
    outbound_bytes_max: usize,
    /// Time for a connection's handshake, and again for its HELLO.
    #[arg(long, value_name = "MILLISECONDS",
        default_value_t = Limits::default().handshake_timeout_ms)]
    handshake_timeout_ms: u64,
    /// Time that the router looks for the next message before it sleeps, where messages come one by
    /// one; 0 for never.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = Limits::default().busy_poll_us)]
    busy_poll_us: u64,
    /// Silence of a WebSocket client after which it is pinged; 0 for never.
    #[arg(long, value_name = "MILLISECONDS",
        default_value_t = Limits::default().keepalive_interval_ms)]
    keepalive_interval_ms: u64,
    /// Time for the answer to a ping. Then the connection is closed.
    #[arg(long, value_name = "MILLISECONDS",
        default_value_t = Limits::default().keepalive_timeout_ms)]
    keepalive_timeout_ms: u64,
    /// Time for all sessions to answer GOODBYE when the router ends.
    #[arg(long, value_name = "MILLISECONDS",
        default_value_t = Limits::default().shutdown_timeout_ms)]
    shutdown_timeout_ms: u64,
    /// Calls of one session that have not ended. One more fails.
    #[arg(long, value_name = "CALLS",
        default_value_t = Limits::default().pending_calls_per_session_max)]
    pending_calls_per_session_max: usize,
    /// Registrations of one session. One more fails.
    #[arg(long, value_name = "REGISTRATIONS",
        default_value_t = Limits::default().registrations_per_session_max)]
    registrations_per_session_max: usize,
    /// Subscriptions of one session. One more fails.
    #[arg(long, value_name = "SUBSCRIPTIONS",
        default_value_t = Limits::default().subscriptions_per_session_max)]
    subscriptions_per_session_max: usize,
}

impl From<LimitArguments> for Limits {
    fn from(given: LimitArguments) -> Self {
        Self {
            connections_max: given.connections_max,
            connections_per_address_max: given.connections_per_address_max,
            sessions_max: given.sessions_max,
            message_bytes_max: given.message_bytes_max,
            outbound_bytes_per_session_max: given.outbound_bytes_per_session_max,
            outbound_bytes_max: given.outbound_bytes_max,
            handshake_timeout_ms: given.handshake_timeout_ms,
            busy_poll_us: given.busy_poll_us,
            keepalive_interval_ms: given.keepalive_interval_ms,
            keepalive_timeout_ms: given.keepalive_timeout_ms,
            shutdown_timeout_ms: given.shutdown_timeout_ms,
            pending_calls_per_session_max: given.pending_calls_per_session_max,
            registrations_per_session_max: given.registrations_per_session_max,
            subscriptions_per_session_max: given.subscriptions_per_session_max,
            ..Self::default()
        }
    }
}

/// A file with all settings.
enum SettingsFile {
    /// Our own.
    Ours(PathBuf),
    /// A node configuration of Crossbar.io.
    Node(PathBuf, Reading),
}

impl SettingsFile {
    fn path(&self) -> &Path {
        match self {
            Self::Ours(path) | Self::Node(path, _) => path,
        }
    }

    fn read(&self) -> Result<Builder, ConfigError> {
        match self {
            Self::Ours(path) => Builder::from_config_file(path),
            Self::Node(path, reading) => Ok(reading.convert(path)?.builder),
        }
    }
}

impl Router {
    /// Listens, says where, and serves until a signal comes.
    pub(super) async fn run(self) -> anyhow::Result<Ended> {
        start_logging(&self.log)?;
        let check_config = self.check_config;
        let settings = self.file();
        let builder = match &settings {
            Some(file) => file.read()?,
            None => self.builder()?,
        };
        if check_config {
            builder.check()?;
            return Ok(Ended::InOrder);
        }
        if let Some(files) = open_files::limit() {
            tracing::info!(files, "connections and files that may be open at once");
        }
        let realms: Vec<_> = builder.realm_names().map(str::to_owned).collect();
        let mut signals = Signals::install(settings.is_some())?;
        let server = match start(builder, settings.as_ref(), &mut signals).await? {
            Started::Router(server) => server,
            Started::GivenUp(signal) => {
                say(format_args!(
                    "wampy: {signal} received before the router was there"
                ));
                return Ok(Ended::GivenUp);
            }
        };
        announce(&server, &realms).context("cannot say where the router listens")?;
        let signal = serve(&server, settings.as_ref(), &mut signals).await;
        say(format_args!(
            "wampy: {signal} received, ending all sessions"
        ));
        server.shutdown().await;
        Ok(Ended::InOrder)
    }

    /// The file that says everything, if there is one.
    fn file(&self) -> Option<SettingsFile> {
        let crossbar = &self.crossbar;
        let node = crossbar.crossbar_config.clone();
        let node = node.map(|file| SettingsFile::Node(file, crossbar.reading.clone()));
        self.config.clone().map(SettingsFile::Ours).or(node)
    }

    fn builder(self) -> anyhow::Result<Builder> {
        let tolerates = |habit| self.lenient.contains(&Habit::All) || self.lenient.contains(&habit);
        let mut builder = Server::builder()
            .any_request_id(tolerates(Habit::RequestIds))
            .silent_cancel(tolerates(Habit::SilentCancel))
            .progress_without_canceling(tolerates(Habit::ProgressWithoutCanceling))
            .auto_create_realms(self.auto_create_realms)
            .compress(self.compress)
            .limits(self.limits.into());
        for address in self.listen {
            builder = builder.listen(address);
        }
        if let (Some(certificate), Some(key)) = (self.tls_cert, self.tls_key) {
            builder = builder.tls(certificate, key);
        }
        for realm in self.realm {
            builder = builder.realm(realm);
        }
        if let Some(directory) = self.store {
            builder = builder.store(directory);
        }
        if !self.serializer.is_empty() {
            builder = builder.serializers(self.serializer);
        }
        Ok(builder)
    }
}

/// Logs go to standard error, so that standard output holds only where the router listens.
fn start_logging(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|error| UsageError(format!("--log {filter:?} is no filter: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        // That a line cannot be written would be said on standard error too, with a panic.
        .log_internal_errors(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("logging cannot start: {error}"))
}

/// Prints where the router listens, and how to try it.
fn announce(server: &Server, realms: &[String]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let realms = match realms {
        [] => "those that clients ask for".to_owned(),
        realms => realms.join(", "),
    };
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "wampy router {version}, realm {realms}")?;
    for address in server.addresses() {
        match address {
            BoundAddress::Tcp(address) => {
                writeln!(out, "listening on ws://{address}/ and rs://{address}")?;
            }
            BoundAddress::Tls(address) => {
                writeln!(out, "listening on wss://{address}/ and rss://{address}")?;
            }
            BoundAddress::Unix(path) => writeln!(out, "listening on unix://{}", path.display())?,
        }
    }
    let url = match server.url() {
        url if url == "ws://127.0.0.1:8080/" => String::new(),
        // The certificate is for names that are not looked for here.
        url if url.starts_with("wss:") => " --url wss://NAME-IN-THE-CERTIFICATE:PORT".to_owned(),
        url => format!(" --url {}", url.replacen("unix:", "unix://", 1)),
    };
    writeln!(out, "try it: wampy call wamp.session.count{url}")?;
    Ok(out.flush()?)
}

/// What became of a start.
enum Started {
    Router(Box<Server>),
    /// The signal of this name came before.
    GivenUp(&'static str),
}

/// Starts the router, which may take long where a store has many events; a signal that comes before it is
/// there ends that. SIGHUP has the file read again afterwards.
async fn start(
    builder: Builder,
    config: Option<&SettingsFile>,
    signals: &mut Signals,
) -> anyhow::Result<Started> {
    let mut starting = std::pin::pin!(builder.start());
    let mut is_stale = false;
    loop {
        tokio::select! {
            server = &mut starting => {
                let server = server?;
                if let Some(config) = config.filter(|_| is_stale) {
                    reload(&server, config);
                }
                return Ok(Started::Router(Box::new(server)));
            }
            asked = signals.next() => match asked {
                Asked::End(name) => return Ok(Started::GivenUp(name)),
                Asked::Reload => is_stale = true,
            },
        }
    }
}

/// Serves until a signal asks the process to end, and returns its name. SIGHUP has the configuration
/// file read again, if there is one.
async fn serve(
    server: &Server,
    config: Option<&SettingsFile>,
    signals: &mut Signals,
) -> &'static str {
    loop {
        match (signals.next().await, config) {
            (Asked::End(name), _) => return name,
            (Asked::Reload, Some(config)) => reload(server, config),
            (Asked::Reload, None) => {}
        }
    }
}

/// Reads the configuration file again, and says what became of it.
fn reload(server: &Server, config: &SettingsFile) {
    let file = config.path().display();
    let builder = config.read().map_err(StartError::from);
    match builder.and_then(|builder| server.reload(builder)) {
        Ok(Reloaded { needs_restart }) if needs_restart.is_empty() => {
            say(format_args!(
                "wampy: SIGHUP received, {file} was read again"
            ));
        }
        Ok(Reloaded { needs_restart }) => {
            let waiting = needs_restart.join("; ");
            say(format_args!(
                "wampy: SIGHUP received, {file} was read again; waits for a restart: {waiting}"
            ));
        }
        Err(error) => {
            // Each mistake has a line of its own.
            say(format_args!(
                "wampy: SIGHUP received, all settings stay as they were:\n{error}"
            ));
        }
    }
}
