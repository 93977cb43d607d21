//! Node configurations of Crossbar.io, as settings of this router.
//!
//! A [`CrossbarConfig`] is read (JSON or YAML), and written as our own configuration in TOML: what
//! `wampy convert-config` writes, and what is read again to set a router up. So both are the same, and
//! what the reader of our configuration finds wrong with a line is said of the place in the node
//! configuration that the line comes from. `docs/crossbar-config.md` says what becomes of each key.
//!
//! ```text
//! json, yaml → node → item → worker: transport, realm, auth, ports → doors → toml_text → Builder
//! ```
//!
//! Deliberately absent: everything that is not a router (containers, guests, web services), but for
//! the ways to say so.

mod auth;
mod cookie;
mod doors;
mod endpoint;
mod item;
mod json;
mod node;
mod options;
mod ports;
mod principal;
mod realm;
mod toml_text;
mod transport;
mod worker;
mod yaml;

use std::fmt;
use std::path::{Path, PathBuf};

use super::problem::{ConfigError, Problem};
use super::source::{Place, Source};
use super::{read_text, router};
use crate::builder::Builder;
use item::{Field, Scope};
use toml_text::{TomlText, quoted};

/// The name of a node configuration in a node's directory; with `.yaml` it is YAML.
const FILE_DEFAULT: &str = "config.json";

/// A node configuration of Crossbar.io.
///
/// ```no_run
/// use wampy_router::CrossbarConfig;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let converted = CrossbarConfig::new(".crossbar/config.json").convert()?;
/// for warning in &converted.warnings {
///     eprintln!("{warning}");
/// }
/// let router = converted.builder.start().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct CrossbarConfig {
    file: PathBuf,
    directory: Option<PathBuf>,
    router_only: bool,
}

/// What a node configuration says, for this router.
#[derive(Clone)]
pub struct Converted {
    /// The settings.
    pub builder: Builder,
    /// What was ignored, because that does no harm, or left out, because that was agreed to.
    pub warnings: Vec<Problem>,
    /// The same settings as our own configuration file, in TOML. Files are named by their whole paths.
    /// It holds the secrets of all users.
    pub toml: String,
}

/// The TOML holds secrets.
impl fmt::Debug for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (builder, warnings) = (&self.builder, &self.warnings);
        f.debug_tuple("Converted")
            .field(builder)
            .field(warnings)
            .finish()
    }
}

impl CrossbarConfig {
    /// The node configuration in `file`: YAML if its name ends in `.yaml` or `.yml`, else JSON. Of a
    /// directory it is the `config.json` or `config.yaml` in it.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            directory: None,
            router_only: false,
        }
    }

    /// The node's directory, to which paths in the configuration are relative. Default: that of the
    /// file.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Leaves out what is no part of a router: other workers, components, web services. Default: they
    /// are mistakes.
    pub fn router_only(mut self, yes: bool) -> Self {
        self.router_only = yes;
        self
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// The file, or one that it names, cannot be read, has mistakes, or says what has no counterpart
    /// here: all that was found.
    pub fn convert(&self) -> Result<Converted, ConfigError> {
        let file = self.found();
        let text = read_text(&file)?;
        let source = Source::new(&file, text.expose_text().unwrap_or_default());
        let directory = match (&self.directory, file.parent()) {
            (Some(directory), _) => directory.clone(),
            (None, Some(parent)) => parent.to_owned(),
            (None, None) => PathBuf::new(),
        };
        let scope = Scope {
            source: &source,
            router_only: self.router_only,
            directory: std::path::absolute(&directory).unwrap_or(directory),
        };
        let Some(node) = parse(&source) else {
            return source.finish(()).and_then(|()| unreachable(&file));
        };
        let written = write(&scope, &node);
        let builder = written.as_ref().map(|toml| build(&source, &scope, toml));
        let warnings = source.warnings();
        match source.finish((written, builder))? {
            (Some(toml), Some(builder)) => Ok(Converted {
                builder,
                toml: with_warnings(&file, &warnings, toml.text()),
                warnings,
            }),
            _ => unreachable(&file),
        }
    }

    /// The configuration as it is, as JSON.
    ///
    /// # Errors
    /// The file cannot be read, or is neither JSON nor YAML.
    pub fn to_json(&self) -> Result<String, ConfigError> {
        let file = self.found();
        let text = read_text(&file)?;
        let source = Source::new(&file, text.expose_text().unwrap_or_default());
        let node = parse(&source);
        let json = source.finish(node.as_ref().map(json::write))?;
        json.map_or_else(|| unreachable(&file), Ok)
    }

    fn found(&self) -> PathBuf {
        if !self.file.is_dir() {
            return self.file.clone();
        }
        let json = self.file.join(FILE_DEFAULT);
        let yaml = json.with_extension("yaml");
        if yaml.is_file() && !json.is_file() {
            yaml
        } else {
            json
        }
    }
}

/// What is said where nothing was read and nothing reported.
fn unreachable<T>(file: &Path) -> Result<T, ConfigError> {
    let error = std::io::Error::other("there is nothing in it");
    Err(ConfigError::unreadable(file, &error))
}

/// The files that a configuration names, by their whole paths.
struct Files<'f> {
    directory: &'f Path,
}

impl Files<'_> {
    fn named(&self, file: &str) -> String {
        quoted(&self.directory.join(file).to_string_lossy())
    }
}

fn parse(source: &Source<'_>) -> Option<node::Node> {
    let extension = source.file.extension().and_then(|it| it.to_str());
    let parsed = match extension {
        Some("yaml" | "yml") => yaml::parse(source.text),
        _ => json::parse(source.text),
    };
    parsed
        .map_err(|error| source.report_at(&Place::ROOT.inner(error.offset, ""), error.text))
        .ok()
}

/// What the node says as TOML; `None` if there is no router in it.
fn write(scope: &Scope<'_>, node: &node::Node) -> Option<TomlText> {
    let root = Field {
        place: Place::ROOT,
        node,
    };
    let read = worker::read(scope.item(root)?)?;
    let mut out = TomlText::default();
    let files = Files {
        directory: &scope.directory,
    };
    doors::write(scope, &read.ways, &files, &mut out);
    if read.realms.is_empty() {
        // What is wrong with them has been reported.
        return None;
    }
    for realm in &read.realms {
        realm.write(read.auth.is_none(), &mut out);
        if let Some(auth) = &read.auth {
            auth.write(realm, &mut out);
        }
    }
    Some(out)
}

/// Reads the TOML as any other. What is wrong with a line is wrong where the line comes from.
fn build(source: &Source<'_>, scope: &Scope<'_>, toml: &TomlText) -> Builder {
    let file = scope.directory.join("converted.toml");
    let ours = Source::new(&file, toml.text());
    let table = ours.parse();
    let builder = router::read(ours.root(&table));
    if let Err(error) = ours.finish(()) {
        for problem in error.problems {
            let origin = toml.origin(problem.line.unwrap_or(1));
            source.report_at(&origin, problem.text);
        }
    }
    builder
}

/// The TOML, under what was left out of it.
fn with_warnings(file: &Path, warnings: &[Problem], toml: &str) -> String {
    let mut out = TomlText::default();
    let from = file.display();
    out.comment(&format!(
        "Converted from {from}, a node configuration of Crossbar.io."
    ));
    if !warnings.is_empty() {
        out.comment("");
        out.comment("What is not the same:");
    }
    for warning in warnings {
        let line = warning.line.unwrap_or(1);
        out.comment(&format!("- line {line}: {}: {}", warning.key, warning.text));
    }
    format!("{}\n{toml}", out.text())
}
