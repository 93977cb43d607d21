//! The `wampy` command as a library: [`main_from`] parses arguments, runs one command and says
//! with which exit code the process should end.
//!
//! One file per command in `command/`. To add one: `command/<verb>.rs` with its arguments and a
//! `run`, and a variant of `command::Command`.
//!
//! Deliberately absent: protocol and routing (the other crates), and configuration files.

pub mod command;
mod connection;
mod credentials;
mod exit;
mod json;
mod open_files;
mod say;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use command::Command;
use exit::Exit;

/// WAMP in one command: a router, and call, publish, subscribe and register for the shell.
#[derive(Debug, Parser)]
#[command(
    name = "wampy",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(after_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Runs the command that `args` ask for; the first is the program's own name.
pub fn main_from(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> ExitCode {
    ExitCode::from(run(args))
}

/// Runs as [`main_from`] and returns the exit code as a number, for embedders.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Printing fails only if the terminal is gone; then nobody is left to tell.
            _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.code()
            } else {
                Exit::Success.code()
            };
        }
    };
    match arguments.command.run() {
        Ok(exit) => exit.code(),
        Err(error) => {
            if !error.is::<exit::ReaderGone>() {
                say::say(format_args!("wampy: {}", exit::in_words(&error)));
            }
            Exit::of(&error).code()
        }
    }
}

/// The command line's definition, for completions.
fn definition() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}
