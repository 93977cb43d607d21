//! `wampy subscribe`: prints the events of a topic, one JSON object on each line.

use std::time::Duration;

use clap::Args;
use wampy::Event;
use wampy::proto::MatchPolicy;

use crate::connection::{Connection, match_policy, seconds};
use crate::exit::{Exit, SessionEnded};
use crate::json;
use crate::say::say;

/// Print the events of a topic, one JSON object on each line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy subscribe com.example.news
  wampy subscribe com.example. --match prefix | jq -r '.topic + \": \" + (.args|tostring)'
  wampy subscribe com..measured --match wildcard --count 1 --timeout 60
  wampy subscribe com.example.state --get-retained --count 1")]
pub(crate) struct Subscribe {
    /// The topic's URI, or a pattern.
    topic: String,
    /// How the topic is matched.
    #[arg(long = "match", value_name = "POLICY", default_value = "exact",
        value_parser = match_policy())]
    match_policy: MatchPolicy,
    /// Begin with the events that were retained: of each topic the last that was published with
    /// `--retain`. They have "retained":true.
    #[arg(long)]
    get_retained: bool,
    /// End after this many events.
    #[arg(long, short, value_name = "EVENTS")]
    count: Option<u64>,
    /// End, with exit code 4, when this many seconds have passed.
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    #[command(flatten)]
    connection: Connection,
}

impl Subscribe {
    /// Subscribes and prints until the count is full, time is out or the session ends.
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        match self.timeout {
            Some(timeout) => match tokio::time::timeout(timeout, self.print_events()).await {
                Ok(result) => result,
                Err(_) => Ok(Exit::TimedOut),
            },
            None => self.print_events().await,
        }
    }

    async fn print_events(&self) -> anyhow::Result<Exit> {
        let client = self.connection.join().await?;
        let mut events = client
            .subscribe(&self.topic)
            .match_policy(self.match_policy)
            .get_retained(self.get_retained)
            .await?;
        // Scripts wait for this line before they publish.
        say(format_args!("subscribed to {}", self.topic));
        let mut left = self.count;
        while left != Some(0) {
            let Some(event) = events.next().await else {
                return Err(SessionEnded.into());
            };
            self.print(&event)?;
            left = left.map(|count| count - 1);
        }
        client.close().await?;
        Ok(Exit::Success)
    }

    fn print(&self, event: &Event) -> anyhow::Result<()> {
        let topic = serde_json::to_string(event.topic())?;
        let args = json::args_text(event.payload())?;
        let kwargs = json::kwargs_text(event.payload())?;
        let publication = event.publication();
        let mut line = format!(
            r#"{{"topic":{topic},"publication":{publication},"args":{args},"kwargs":{kwargs}"#
        );
        if event.details().retained {
            line.push_str(r#","retained":true"#);
        }
        if let Some(publisher) = event.details().publisher {
            line.push_str(&format!(r#","publisher":{publisher}"#));
        }
        line.push('}');
        json::print_line(&line)
    }
}
