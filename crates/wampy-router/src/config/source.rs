//! A file that is read: where things stand in its text, and the mistakes that were found.
//!
//! Deliberately absent: what the file says, and in which language: [`super::section`] reads TOML,
//! [`super::crossbar`] JSON and YAML.

use std::cell::{Cell, RefCell};
use std::path::Path;

use super::problem::{ConfigError, Problem};

/// How like another key an unknown one must be to be taken for a slip of the pen; 1 is equal.
const SIMILAR: f64 = 0.7;

/// A file, and the mistakes that were found in it.
pub(super) struct Source<'s> {
    pub(super) file: &'s Path,
    pub(super) text: &'s str,
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    /// Whether parts of the text could not be read, so that it may say more than was found.
    pub(super) is_broken: Cell<bool>,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// Where something stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) key: String,
}

impl<'s> Source<'s> {
    pub(super) fn new(file: &'s Path, text: &'s str) -> Self {
        Self {
            file,
            text,
            problems: RefCell::default(),
            warnings: RefCell::default(),
            is_broken: Cell::new(false),
        }
    }

    /// What is said of something that stands at `place`.
    pub(super) fn remark(&self, place: &Place, text: String) -> Problem {
        let before = self.text.as_bytes().iter().take(place.offset);
        Problem {
            file: self.file.to_owned(),
            line: Some(1 + before.filter(|&&byte| byte == b'\n').count()),
            key: place.key.clone(),
            text,
        }
    }

    /// Reports a mistake, once.
    pub(super) fn report_at(&self, place: &Place, text: impl Into<String>) {
        let problem = self.remark(place, text.into());
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Warns of something that is no mistake, once.
    pub(super) fn warn_at(&self, place: &Place, text: impl Into<String>) {
        let warning = self.remark(place, text.into());
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Mistakes of another file, to which this one refers.
    pub(super) fn adopt(&self, error: ConfigError) {
        self.problems.borrow_mut().extend(error.problems);
    }

    /// What was warned of, in the order of the lines.
    pub(super) fn warnings(&self) -> Vec<Problem> {
        let mut warnings = self.warnings.take();
        warnings.sort_by_key(|warning| warning.line);
        warnings
    }

    /// `read`, unless there were mistakes.
    pub(super) fn finish<T>(&self, read: T) -> Result<T, ConfigError> {
        let mut problems = self.problems.take();
        if problems.is_empty() {
            return Ok(read);
        }
        problems.sort_by_key(|problem| (problem.file != self.file, problem.line));
        Err(ConfigError { problems })
    }
}

impl<T> Located<T> {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl Place {
    /// The file as a whole.
    pub(super) const ROOT: Self = Self {
        offset: 0,
        key: String::new(),
    };

    /// The place of something within this one.
    pub(super) fn inner(&self, offset: usize, key: &str) -> Self {
        let key = match (self.key.is_empty(), key.starts_with('[')) {
            (true, _) => key.to_owned(),
            (false, true) => format!("{}{key}", self.key),
            (false, false) => format!("{}.{key}", self.key),
        };
        Self { offset, key }
    }
}

/// What is said of a key that nobody knows, where those in `known` are.
pub(super) fn unknown_key(key: &str, known: &[&'static str]) -> String {
    let similar = known
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(key, known), known))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match similar {
        Some((_, known)) => format!("there is no such key; did you mean {known}?"),
        None => format!("there is no such key; known here: {}", known.join(", ")),
    }
}
