//! `wampy publish`: publishes an event, or one for each line of standard input.

use anyhow::Context;
use clap::Args;
use tokio::io::AsyncBufReadExt;
use wampy::Client;
use wampy::proto::Payload;

use crate::connection::Connection;
use crate::exit::Exit;
use crate::json;

/// Publish an event to a topic.
///
/// Each argument is JSON, or else text. The command ends when the router has taken the event.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy publish com.example.news 'It works'
  wampy publish com.example.measured 21.5 --kwarg room=kitchen
  wampy publish com.example.state on --retain
  tail -f access.log | wampy publish com.example.access --lines")]
pub(crate) struct Publish {
    /// The topic's URI.
    topic: String,
    /// The event's arguments.
    #[arg(allow_negative_numbers = true)]
    args: Vec<String>,
    /// A keyword argument.
    #[arg(long, short, value_name = "KEY=VALUE")]
    kwarg: Vec<String>,
    /// Publish one event for each line of standard input; the line, JSON or text, is its argument.
    #[arg(long, conflicts_with_all = ["args", "kwarg"])]
    lines: bool,
    /// Have the router keep the event for those who subscribe later and ask for it; of each topic it
    /// keeps the last.
    #[arg(long)]
    retain: bool,
    /// Tell the subscribers who publishes.
    #[arg(long)]
    disclose_me: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Publish {
    /// Publishes, waits until the router has taken it, leaves.
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let payload = json::payload(&self.args, &self.kwarg)?;
        let client = self.connection.join().await?;
        if self.lines {
            let mut lines = tokio::io::BufReader::new(tokio::io::stdin()).lines();
            while let Some(line) = lines
                .next_line()
                .await
                .context("cannot read standard input")?
            {
                self.publish(&client, json::line_payload(&line)?).await?;
            }
        } else {
            self.publish(&client, payload).await?;
        }
        client.close().await?;
        Ok(Exit::Success)
    }

    async fn publish(&self, client: &Client, payload: Payload<'static>) -> anyhow::Result<()> {
        let mut publish = client
            .publish(&self.topic)
            .payload(payload)
            .acknowledge(true);
        if self.retain {
            publish = publish.retain(true);
        }
        if self.disclose_me {
            publish = publish.disclose_me(true);
        }
        publish.await?;
        Ok(())
    }
}
