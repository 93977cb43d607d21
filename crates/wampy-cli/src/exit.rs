//! The exit codes, which scripts can rely on.

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
                | wampy::Error::PeerMisbehaved { .. },
            ) => Self::NoSession,
            Some(wampy::Error::Misuse { .. }) => Self::Usage,
            _ if error.is::<UsageError>() => Self::Usage,
            _ if error.is::<SessionEnded>() => Self::NoSession,
            _ => Self::Failed,
        }
    }
}

/// Arguments that parse but make no sense.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The router has ended the session while a command was waiting.
#[derive(Debug)]
pub(crate) struct SessionEnded;

impl std::fmt::Display for SessionEnded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the router has ended the session")
    }
}

impl std::error::Error for SessionEnded {}
