//! `wampy completions`: the completion script of a shell.

use clap::Args;
use clap_complete::Shell;

use crate::exit::Exit;

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
        std::io::Write::write_all(&mut std::io::stdout(), &script)?;
        Ok(Exit::Success)
    }
}
