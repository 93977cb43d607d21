//! `wampy convert-config`: a node configuration of Crossbar.io as a configuration file of ours.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use wampy_router::{ConfigError, Converted, CrossbarConfig};

use crate::exit::{Exit, UsageError};
use crate::json;
use crate::say::say;

/// Convert a node configuration of Crossbar.io to a configuration file for `wampy router --config`.
///
/// What is ignored is said on standard error and in comments of the file; what has no counterpart is
/// an error. Secrets, also those from environment variables, stand in the file: it is made readable
/// for its owner only. docs/crossbar-config.md says what becomes of each key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy convert-config .crossbar/config.json --out wampy.toml
  wampy convert-config .crossbar/config.yaml --router-only | less")]
pub(crate) struct ConvertConfig {
    /// The node configuration (JSON or YAML), or the node's directory.
    #[arg(group = "node")]
    file: PathBuf,
    /// Write to this file, which must not be there yet, and not to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// How a node configuration is read.
#[derive(Debug, Clone, Args)]
pub(super) struct Reading {
    /// Leave out what is no part of a router: other workers, components, web services.
    #[arg(long, requires = "node")]
    router_only: bool,
    /// The directory of the Crossbar.io node, to which the paths in its configuration are relative, if
    /// it is not that of the file.
    #[arg(long, value_name = "DIRECTORY", requires = "node")]
    cbdir: Option<PathBuf>,
}

impl Reading {
    /// Reads `file`, and says on standard error what is not the same.
    pub(super) fn convert(&self, file: &Path) -> Result<Converted, ConfigError> {
        let mut config = CrossbarConfig::new(file).router_only(self.router_only);
        if let Some(directory) = &self.cbdir {
            config = config.directory(directory);
        }
        let converted = config.convert()?;
        for warning in &converted.warnings {
            say(format_args!("wampy: warning: {warning}"));
        }
        Ok(converted)
    }
}

impl ConvertConfig {
    /// Converts.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let toml = self.reading.convert(&self.file)?.toml;
        match &self.out {
            Some(path) => write_new(path, &toml)?,
            None => json::print_line(toml.trim_end())?,
        }
        Ok(Exit::Success)
    }
}

/// Writes a file that only its owner can read, because secrets stand in it.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = format!("{} is there already; it is not overwritten", path.display());
            return Err(UsageError(text).into());
        }
        opened => opened.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}
