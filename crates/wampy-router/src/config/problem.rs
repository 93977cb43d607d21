//! Mistakes in a configuration file: where each stands and what it is.

use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake, shown as `FILE:LINE: key.path: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; `None` if the file could not be read.
    pub line: Option<usize>,
    /// The key, with those of the tables around it; empty if the mistake belongs to no key.
    pub key: String,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.text)
    }
}

/// A configuration cannot be used: every mistake that was found, in the order of the lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The mistakes; at least one.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// A file that could not be read at all.
    pub(crate) fn unreadable(file: &Path, error: &std::io::Error) -> Self {
        let problem = Problem {
            file: file.to_owned(),
            line: None,
            key: String::new(),
            text: format!("cannot be read: {error}"),
        };
        Self {
            problems: vec![problem],
        }
    }

    /// Whether it is not the fault of what the file says: it could not be read at all.
    pub(crate) fn is_about_reading(&self) -> bool {
        self.problems.iter().all(|problem| problem.line.is_none())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
