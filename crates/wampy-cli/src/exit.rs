//! The exit codes, which scripts can rely on, and what is said of errors.

use wampy_bench::BenchError;
use wampy_router::{ConfigError, StartError};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Success,
    /// The peer answered with a WAMP error, or the command itself failed.
    Failed,
    /// The arguments make no sense.
    Usage,
    /// No session could be had, or it was lost.
    NoSession,
    /// Time ran out.
    TimedOut,
    /// Ctrl-C.
    Interrupted,
}

/// The exit codes as `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    a WAMP error was answered, or the command failed
  2    the arguments make no sense
  3    no connection or session could be had, or it was lost
  4    time ran out
  130  interrupted";

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoSession => 3,
            Self::TimedOut => 4,
            Self::Interrupted => 130,
        }
    }

    /// The exit that an error calls for.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        match error.downcast_ref::<wampy::Error>() {
            Some(wampy::Error::Timeout { .. }) => Self::TimedOut,
            Some(
                wampy::Error::Connect { .. }
                | wampy::Error::ConnectionLost { .. }
                | wampy::Error::Aborted { .. }
                | wampy::Error::PeerMisbehaved { .. }
                | wampy::Error::Untrusted { .. },
            ) => Self::NoSession,
            Some(wampy::Error::Misuse { .. }) => Self::Usage,
            _ if error.is::<UsageError>() => Self::Usage,
            _ if error.is::<SessionEnded>() => Self::NoSession,
            _ if error.is::<ReaderGone>() => Self::Success,
            _ => Self::of_other_crates(error),
        }
    }

    /// The exit for an error of the router or of the load generator.
    fn of_other_crates(error: &anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<StartError>() {
            return match error {
                StartError::Bind(_) | StartError::Store(_) | StartError::NoRuntime => Self::Failed,
                _ => Self::Usage,
            };
        }
        if error.is::<ConfigError>() {
            return Self::Usage;
        }
        match error.downcast_ref::<BenchError>() {
            Some(BenchError::Workload(_) | BenchError::Url { .. }) => Self::Usage,
            Some(BenchError::Join { .. } | BenchError::Ended { .. }) => Self::NoSession,
            _ => Self::Failed,
        }
    }
}

/// An error with its causes. Those that it names already are not repeated.
pub(crate) fn in_words(error: &anyhow::Error) -> String {
    let said = with_causes(error);
    let refused = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|cause| cause.kind() == std::io::ErrorKind::ConnectionRefused)
    });
    if refused {
        format!("{said}; is the router running? `wampy router` starts one")
    } else {
        said
    }
}

fn with_causes(error: &anyhow::Error) -> String {
    error
        .chain()
        .skip(1)
        .fold(error.to_string(), |said, cause| {
            let cause = cause.to_string();
            if said.contains(&cause) {
                said
            } else {
                format!("{said}: {cause}")
            }
        })
}

/// Arguments that parse but make no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// Who read standard output has read enough and closed it, as `head` does.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads standard output any more")]
pub(crate) struct ReaderGone;

/// The router has ended the session while a command was waiting.
#[derive(Debug, thiserror::Error)]
#[error("the router has ended the session")]
pub(crate) struct SessionEnded;

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::io::Error::other("connection refused");
        let error = anyhow::Error::new(cause).context("cannot connect: connection refused");
        assert_eq!(in_words(&error), "cannot connect: connection refused");
        let error = Err::<(), _>(error).context("no session").unwrap_err();
        assert_eq!(
            in_words(&error),
            "no session: cannot connect: connection refused"
        );
    }
}
