//! What goes wrong while serde decodes, before it is known where.

use std::fmt::Display;

use crate::serializer::DecodeError;

/// A failure of decoding: the reader's, or that of the type being decoded, which knows no offset.
#[derive(Debug)]
pub(super) enum Failure {
    Malformed(DecodeError),
    Unsuitable(String),
}

impl Failure {
    /// The error, with `offset` for where an unsuitable value was found.
    pub(super) fn at(self, offset: usize) -> DecodeError {
        match self {
            Self::Malformed(error) => error,
            Self::Unsuitable(problem) => DecodeError {
                problem: problem.into(),
                offset,
            },
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Unsuitable(problem) => problem.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl serde::de::Error for Failure {
    fn custom<T: Display>(problem: T) -> Self {
        Self::Unsuitable(problem.to_string())
    }
}
