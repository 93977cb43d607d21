//! `wampy completions`: the completion script of a shell.

use clap::Args;
use clap_complete::Shell;

use crate::exit::Exit;
use crate::json;

/// Print the completion script of a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy completions bash > /etc/bash_completion.d/wampy
  wampy completions zsh > ~/.zfunc/_wampy
  wampy completions fish > ~/.config/fish/completions/wampy.fish")]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::definition(), "wampy", &mut script);
        json::print_line(String::from_utf8(script)?.trim_end())?;
        Ok(Exit::Success)
    }
}
