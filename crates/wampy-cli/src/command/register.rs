//! `wampy register`: a procedure that echoes, or that a shell command answers.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::{Semaphore, mpsc};
use wampy::proto::message::InvocationPolicy;
use wampy::proto::{MatchPolicy, Payload, Serializer};
use wampy::{Invocation, Responder, WampError};

use crate::connection::{Connection, match_policy};
use crate::exit::{Exit, SessionEnded};
use crate::json;
use crate::say::say;

/// The error URI of a shell command that failed.
const COMMAND_FAILED: &str = "wampy.error.command_failed";

/// How often a running shell command's call is checked for having been canceled.
const CANCELED_POLL: Duration = Duration::from_millis(100);

/// The longest standard error text that an error carries, in bytes.
const STDERR_BYTES_MAX: usize = 4096;

/// Register a procedure that a shell command answers, or that echoes.
///
/// The shell command gets `{"procedure":…,"args":…,"kwargs":…}` as one line of JSON on standard
/// input. What it prints is the result: JSON, or else text without its last line end. If it
/// exits with another code than 0, the caller gets the error `wampy.error.command_failed` with
/// the exit code and what was printed on standard error.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("answer").required(true))]
#[command(after_help = "\
Examples:
  wampy register com.example.echo --echo
  wampy register com.example.date --exec date
  wampy register com.example.sum --exec 'jq \".args|add\"'
  wampy register com.example. --match prefix --exec 'jq -r .procedure'")]
pub(crate) struct Register {
    /// The procedure's URI, or a pattern.
    procedure: String,
    /// Answer with the arguments of the call.
    #[arg(long, group = "answer")]
    echo: bool,
    /// Answer with what this shell command prints.
    #[arg(long, value_name = "COMMAND", group = "answer")]
    exec: Option<String>,
    /// How calls are matched.
    #[arg(long = "match", value_name = "POLICY", default_value = "exact",
        value_parser = match_policy())]
    match_policy: MatchPolicy,
    /// How to share the procedure with other callees; all of them must say the same.
    #[arg(long, value_name = "POLICY", default_value = "single",
        value_parser = invocation_policy())]
    invoke: InvocationPolicy,
    /// How many shell commands run at once; further calls wait.
    #[arg(long, value_name = "COMMANDS", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// End after this many calls.
    #[arg(long, short, value_name = "CALLS")]
    count: Option<u32>,
    #[command(flatten)]
    connection: Connection,
}

/// The invocation policies by name, so that help and completions list them.
fn invocation_policy() -> impl TypedValueParser<Value = InvocationPolicy> {
    PossibleValuesParser::new(InvocationPolicy::ALL.map(InvocationPolicy::as_str))
        .try_map(|name| name.parse::<InvocationPolicy>())
}

impl Register {
    /// Registers and answers until the count is full or the session ends.
    pub(crate) async fn run(self) -> anyhow::Result<Exit> {
        let client = self.connection.join().await?;
        let (answered, mut answers) = mpsc::unbounded_channel();
        let answer = Answer::new(self.exec, self.concurrency);
        client
            .register_with(&self.procedure, move |invocation, responder| {
                tokio::spawn(Arc::clone(&answer).give(invocation, responder, answered.clone()));
            })
            .match_policy(self.match_policy)
            .invoke(self.invoke)
            .await?;
        // Scripts wait for this line before they call.
        say(format_args!("registered {}", self.procedure));
        let mut left = self.count;
        while left != Some(0) {
            tokio::select! {
                _ = answers.recv() => left = left.map(|count| count - 1),
                () = client.closed() => return Err(SessionEnded.into()),
            }
        }
        client.close().await?;
        Ok(Exit::Success)
    }
}

/// Where results come from.
struct Answer {
    /// A shell command; the arguments themselves if there is none.
    command: Option<String>,
    /// A place for each shell command that may run.
    places: Semaphore,
}

impl Answer {
    fn new(command: Option<String>, concurrency: u16) -> Arc<Self> {
        Arc::new(Self {
            command,
            places: Semaphore::new(usize::from(concurrency)),
        })
    }

    /// Answers one call, and tells `answered` when the answer is on its way.
    async fn give(
        self: Arc<Self>,
        invocation: Invocation,
        responder: Responder,
        answered: mpsc::UnboundedSender<()>,
    ) {
        tokio::select! {
            result = self.result(&invocation) => {
                match result {
                    Ok(payload) => responder.complete(payload),
                    Err(error) => responder.fail(error),
                };
            }
            // The caller has given up: dropping the work kills its shell command.
            () = canceled(&responder) => {}
        }
        // Nobody listens any more once the count is full.
        _ = answered.send(());
    }

    async fn result(&self, invocation: &Invocation) -> Result<Payload<'static>, WampError> {
        let Some(command) = &self.command else {
            return Ok(invocation.payload().clone());
        };
        let _place = self.places.acquire().await;
        execute(command, invocation).await
    }
}

/// Waits until the call is over before it is answered.
async fn canceled(responder: &Responder) {
    while !responder.is_over() {
        tokio::time::sleep(CANCELED_POLL).await;
    }
}

async fn execute(command: &str, invocation: &Invocation) -> Result<Payload<'static>, WampError> {
    let input = input_line(invocation).map_err(|error| failed(&format!("{error:#}"), None))?;
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&format!("cannot run {command:?}: {error}"), None))?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A command that reads no input closes the pipe early, which is its right.
            _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    let output =
        output.map_err(|error| failed(&format!("cannot run {command:?}: {error}"), None))?;
    if !output.status.success() {
        let stderr = &output.stderr[..output.stderr.len().min(STDERR_BYTES_MAX)];
        return Err(failed(
            String::from_utf8_lossy(stderr).trim_end(),
            output.status.code(),
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    json::line_payload(text).map_err(|error| failed(&format!("{error:#}"), None))
}

fn input_line(invocation: &Invocation) -> anyhow::Result<String> {
    let procedure = serde_json::to_string(invocation.procedure())?;
    let args = json::args_text(invocation.payload())?;
    let kwargs = json::kwargs_text(invocation.payload())?;
    Ok(format!(
        "{{\"procedure\":{procedure},\"args\":{args},\"kwargs\":{kwargs}}}\n"
    ))
}

fn failed(problem: &str, exit_code: Option<i32>) -> WampError {
    let args = serde_json::json!([problem]).to_string();
    let kwargs = serde_json::json!({ "exit_code": exit_code }).to_string();
    let payload = Payload::from_encoded(Serializer::Json, args.into_bytes(), kwargs.into_bytes());
    WampError::new(COMMAND_FAILED).with_payload(payload)
}
