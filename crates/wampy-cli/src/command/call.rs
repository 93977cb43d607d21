//! `wampy call`: calls a procedure and prints its result as JSON.

use std::time::Duration;

use clap::Args;
use wampy::{Client, Error};

use crate::connection::{Connection, seconds};
use crate::exit::Exit;
use crate::json;

/// Call a procedure and print its result as JSON.
///
/// Each argument is JSON, or else text; `-` stands for the JSON on standard input.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy call get_todays_date
  wampy call com.example.add 1 2
  wampy call com.example.greet --kwarg name=Ada --kwarg times=3
  echo '{\"deep\": [1, 2]}' | wampy call com.example.store - | jq .id
  wampy call com.example.count 5 --progress")]
pub(crate) struct Call {
    /// The procedure's URI.
    procedure: String,
    /// Its arguments.
    #[arg(allow_negative_numbers = true)]
    args: Vec<String>,
    /// A keyword argument.
    #[arg(long, short, value_name = "KEY=VALUE")]
    kwarg: Vec<String>,
    /// Give up after this many seconds.
    #[arg(long, short, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Tell the callee who calls.
    #[arg(long)]
    disclose_me: bool,
    /// Print each part of a progressive result on its own line.
    #[arg(long)]
    progress: bool,
    /// Print an object of `args` and `kwargs` whatever the result.
    #[arg(long)]
    whole: bool,
    #[command(flatten)]
    connection: Connection,
}

impl Call {
    /// Calls, prints, leaves.
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let payload = json::payload(&self.args, &self.kwarg)?;
        let client = self.join().await?;
        let mut call = client.call(&self.procedure).payload(payload);
        if let Some(timeout) = self.timeout {
            call = call.timeout(timeout);
        }
        if self.disclose_me {
            call = call.disclose_me(true);
        }
        if self.progress {
            let mut parts = call.progressive();
            while let Some(part) = parts.next().await {
                json::print(&json::result_text(part?.payload(), self.whole)?)?;
            }
        } else {
            let result = call.await?;
            json::print(&json::result_text(result.payload(), self.whole)?)?;
        }
        client.close().await?;
        Ok(Exit::Success)
    }

    /// A session, if there is one in time.
    async fn join(&self) -> Result<Client, Error> {
        let Some(after) = self.timeout else {
            return self.connection.join().await;
        };
        let joined = tokio::time::timeout(after, self.connection.join()).await;
        joined.unwrap_or_else(|_| {
            let what = format!("joining for the call of {}", self.procedure);
            Err(Error::Timeout { what, after })
        })
    }
}
