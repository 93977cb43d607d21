//! `wampy keygen`: makes a key pair for cryptosign.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use wampy::auth::{PrivateKey, Secret};

use crate::exit::{Exit, UsageError};
use crate::json;

/// Make a key pair for cryptosign: the private key into a file, the public one to standard output.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy keygen client.key
  wampy keygen --public client.key
  wampy call com.example.add 1 2 --key-file client.key")]
pub(crate) struct Keygen {
    /// The file for the private key, which only you will be able to read. It must not exist yet.
    file: PathBuf,
    /// Make nothing: print the public key of the private one in the file.
    #[arg(long)]
    public: bool,
}

impl Keygen {
    /// Makes the keys.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let key = match self.public {
            true => read(&self.file)?,
            false => {
                let mut seed = [0; 32];
                rand::fill(&mut seed);
                let key = PrivateKey::from_seed(&seed);
                let in_words = || format!("cannot write the key to {}", self.file.display());
                write(&self.file, &key).with_context(in_words)?;
                key
            }
        };
        json::print_line(&key.public_key().to_string())?;
        Ok(Exit::Success)
    }
}

fn read(file: &Path) -> anyhow::Result<PrivateKey> {
    let in_words = || format!("cannot read {}", file.display());
    let contents: Secret = std::fs::read(file).with_context(in_words)?.into();
    PrivateKey::from_file_contents(contents.expose())
        .map_err(|problem| UsageError(format!("{}: {problem}", file.display())).into())
}

fn write(file: &Path, key: &PrivateKey) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(file)?;
    file.write_all(key.to_hex().expose())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
