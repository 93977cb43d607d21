//! The commands, one file each.

mod bench;
mod call;
mod completions;
mod convert_config;
mod hash_secret;
mod kept_events;
mod keygen;
mod publish;
mod register;
mod router;
mod run;
mod signals;
mod subscribe;

use clap::Subcommand;

use crate::exit::Exit;
use crate::open_files;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Router(router::Router),
    Call(call::Call),
    Publish(publish::Publish),
    Subscribe(subscribe::Subscribe),
    Register(register::Register),
    Run(run::Run),
    Bench(bench::Bench),
    Keygen(keygen::Keygen),
    HashSecret(hash_secret::HashSecret),
    KeptEvents(kept_events::KeptEvents),
    ConvertConfig(convert_config::ConvertConfig),
    Completions(completions::Completions),
}

impl Command {
    /// Runs the command to its end.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Router(command) => on_all_cores(command.run()),
            Self::Call(command) => until_interrupted(command.run()),
            Self::Publish(command) => until_interrupted(command.run()),
            Self::Subscribe(command) => until_interrupted(command.run()),
            Self::Register(command) => until_interrupted(command.run()),
            Self::Run(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Keygen(command) => command.run(),
            Self::HashSecret(command) => command.run(),
            Self::KeptEvents(command) => command.run(),
            Self::ConvertConfig(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}

/// How a server ended.
enum Ended {
    /// In order: what it began is done.
    InOrder,
    /// Before it was there: nobody waits for what it still reads.
    GivenUp,
}

/// Runs a server, which has its own way to end.
fn on_all_cores(server: impl Future<Output = anyhow::Result<Ended>>) -> anyhow::Result<Exit> {
    open_files::raise_limit();
    open_files::check_room()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(server)? {
        Ended::InOrder => {}
        // What opens a store cannot be interrupted, but be left alone: a store survives worse.
        Ended::GivenUp => runtime.shutdown_background(),
    }
    Ok(Exit::Success)
}

/// Runs a client's command; Ctrl-C ends it, and its session with it.
fn until_interrupted(client: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    // The limit is not raised: the shell commands that answer calls would inherit that.
    open_files::check_room()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            result = client => result,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                Ok(Exit::Interrupted)
            }
        }
    })
}
