//! The configuration file: TOML that fills the settings of a [`Builder`], and nothing else.
//!
//! Every mistake is named by its file, line and key, all of them at once where one does not hide
//! another. Paths are relative to the file in which they stand. `docs/configuration.md` documents
//! every key; its examples are tests. Reading it again while the router runs is the matter of whoever
//! started the router ([`Router::reload`](crate::Router::reload)). Deliberately absent: including other
//! files, and environment variables.

mod crossbar;
mod keeping;
mod limits;
mod listen;
mod problem;
mod realm;
mod router;
mod section;
mod source;
mod users;

use std::path::Path;

use wampy_proto::auth::Secret;

pub use crossbar::{Converted, CrossbarConfig};
pub use problem::{ConfigError, Problem};
pub(crate) use users::read_users;

use crate::builder::Builder;
use source::Source;

impl Builder {
    /// The settings in the configuration file `path`.
    ///
    /// # Errors
    /// The file, or one that it names, cannot be read or has mistakes: all that were found.
    pub fn from_config_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = read_text(path)?;
        let source = Source::new(path, text.expose_text().unwrap_or_default());
        let table = source.parse();
        let builder = router::read(source.root(&table));
        source.finish(builder)
    }
}

/// The text of a file, which may hold secrets.
fn read_text(path: &Path) -> Result<Secret, ConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(ConfigError::unreadable(path, &error)),
    }
}

/// The file that `named` names, which stands in the file `file`.
fn beside(file: &Path, named: &str) -> std::path::PathBuf {
    file.parent().unwrap_or(Path::new("")).join(named)
}
