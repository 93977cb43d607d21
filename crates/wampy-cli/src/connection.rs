//! The arguments that say to which router a command speaks, and the session they lead to.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wampy::Client;
use wampy::proto::serializer::SERIALIZERS;
use wampy::proto::{MatchPolicy, Serializer};

use crate::credentials::CredentialArgs;

/// Which router to speak to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Router")]
pub(crate) struct Connection {
    /// Where the router listens: ws://, wss://, rs://, rss://, http:// or https:// HOST:PORT, or unix:///PATH.
    #[arg(long, short, env = "WAMPY_URL", default_value = "ws://localhost:8080")]
    pub(crate) url: String,
    /// The realm to join.
    #[arg(long, short, env = "WAMPY_REALM", default_value = "realm1")]
    realm: String,
    /// The serializer to speak; if not given, the router chooses.
    #[arg(long, value_parser = serializer())]
    serializer: Option<Serializer>,
    /// A PEM file of certificates to trust for wss:// and rss://, beside those that this system
    /// trusts; may be repeated.
    #[arg(long, value_name = "FILE")]
    ca_file: Vec<PathBuf>,
    #[command(flatten)]
    credentials: CredentialArgs,
}

impl Connection {
    /// Joins the realm.
    ///
    /// # Errors
    /// The router cannot be reached, or refuses the session.
    pub(crate) async fn join(&self) -> Result<Client, wampy::Error> {
        let mut builder = Client::builder(&self.url).realm(&self.realm);
        if let Some(serializer) = self.serializer {
            builder = builder.serializer(serializer);
        }
        for file in &self.ca_file {
            builder = builder.ca_file(file);
        }
        self.credentials.apply(builder)?.connect().await
    }
}

/// A time limit given in seconds, such as `1.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text:?} is no number of seconds"))?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| format!("{text:?} is no number of seconds from 0 up"))
}

/// The match policies by name, so that help and completions list them.
pub(crate) fn match_policy() -> impl TypedValueParser<Value = MatchPolicy> {
    PossibleValuesParser::new(MatchPolicy::ALL.map(MatchPolicy::as_str))
        .try_map(|name| name.parse::<MatchPolicy>())
}

/// The serializers by name.
pub(crate) fn serializer() -> impl TypedValueParser<Value = Serializer> {
    PossibleValuesParser::new(SERIALIZERS.map(|row| row.name)).try_map(|name| {
        Serializer::from_name(&name).ok_or_else(|| format!("{name:?} is no serializer"))
    })
}
